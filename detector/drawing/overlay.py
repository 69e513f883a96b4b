"""The labels drawn onto a picture: readable from a step away, and without seeing colours.

See `detector.drawing.styles` for the colours and lines.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from detector.drawing.styles import (
    INK,
    PAPER,
    Line,
    age_notice,
    face_color,
    face_line,
    ink_on,
)
from detector.drawing.tags import Tag, paddings, place_tags
from detector.drawing.text import Color, text_height, wrap, write
from detector.tracking.pipeline import FrameResult
from detector.tracking.tracker import TrackedFace
from maskage.classes.scheme import Scheme
from maskage.records import FaceBox, RgbImage

ALARM_COLOR: Color = (240, 169, 46)
"""For the status line while the picture is old or held."""

LEAST_HEIGHT_PX = 400
"""Height under which pictures are enlarged before drawing, or their text could not be read."""


@dataclass(frozen=True)
class Readout:
    """The status line and the notice below a picture.

    Attributes:
        fps: Frames labelled a second, or None if that means nothing (a single picture).
        age_ms: Age of the frame when it was drawn, or None for a recording at full speed.
        notice: One more line, such as that the face model is missing.
        stale_s: Seconds since the camera last gave a picture, or None while it does.
        is_paused: The picture is held.
        message: What just happened, such as where a snapshot went; empty for nothing.
        is_recording: What is shown is being recorded.
        selected: Track of the face that the next correction is meant for, or None.
    """

    fps: float | None = None
    age_ms: float | None = None
    notice: str | None = None
    stale_s: float | None = None
    is_paused: bool = False
    message: str = ""
    is_recording: bool = False
    selected: int | None = None

    @property
    def text(self) -> str:
        """The status line, without the notices: "PAUSED  24 frames/s  age 31 ms"."""
        parts = []
        if self.is_recording:
            parts.append("REC")
        if self.is_paused:
            parts.append("PAUSED")
        if self.stale_s is not None:
            parts.append(f"STALE: no picture for {self.stale_s:.0f} s")
        if self.fps is not None:
            parts.append(f"{self.fps:.0f} frames/s")
        if self.age_ms is not None and self.stale_s is None:
            parts.append(f"frame age {self.age_ms:.0f} ms")
        if self.message:
            parts.append(self.message)
        return "   ".join(parts)


def drawn_size(width: int, height: int) -> tuple[int, int]:
    """Return width and height of the drawing: those of the picture, or enlarged to be readable."""
    scale = max(1, -(-LEAST_HEIGHT_PX // max(1, height))) if height < LEAST_HEIGHT_PX else 1
    # A tiny picture need not fill the screen.
    scale = min(scale, 8)
    return width * scale, height * scale


def draw_result(
    result: FrameResult, readout: Readout | None = None, *, is_mirrored: bool = False
) -> RgbImage:
    """Draw a frame's labels.

    Args:
        result: The frame and its faces.
        readout: The status line; None for the notice on age alone, where the classes have an age.
        is_mirrored: Show the picture as in a mirror; the text stays readable.

    Returns:
        RGB uint8 of `drawn_size`, a new picture: the frame is left as it was.
    """
    pixels = result.frame.pixels
    size = drawn_size(result.frame.width, result.frame.height)
    scale = size[0] // result.frame.width
    if is_mirrored:
        pixels = cv2.flip(pixels, 1).astype(np.uint8, copy=False)
    if scale > 1:
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    # OpenCV draws in place, and only on memory that is writable and in one piece.
    canvas = np.array(pixels, order="C")
    boxes = [
        shown_box(face.box, result.frame.width, scale, is_mirrored=is_mirrored)
        for face in result.faces
    ]
    readout = readout or Readout()
    tags = place_tags(canvas, result.faces, boxes, readout.selected)
    # The smallest first, so that the boxes and tags of the people in front lie on top.
    for face, box in reversed(list(zip(result.faces, boxes, strict=True))):
        _draw_outline(canvas, box, face)
    for face, tag in reversed(list(zip(result.faces, tags, strict=True))):
        _draw_tag(canvas, tag, face)
    _draw_status(canvas, readout, result.scheme)
    return canvas


def shown_box(box: FaceBox, frame_width: int, scale: int, *, is_mirrored: bool) -> FaceBox:
    """Return the place of a box in the drawing, in its pixels."""
    left = frame_width - box.x - box.width if is_mirrored else box.x
    return FaceBox(left * scale, box.y * scale, box.width * scale, box.height * scale, box.score)


def _draw_outline(canvas: RgbImage, box: FaceBox, face: TrackedFace) -> None:
    stroke = _STROKES[face_line(face)]
    width_px = 2 + canvas.shape[0] // 480
    # A dark edge around the colour, so that it stands out on any background.
    stroke(canvas, box, INK, width_px + 2)
    stroke(canvas, box, face_color(face), width_px)


def _stroke_closed(canvas: RgbImage, box: FaceBox, color: Color, width_px: int) -> None:
    end = (box.x + box.width, box.y + box.height)
    cv2.rectangle(canvas, (box.x, box.y), end, color, width_px)


def _stroke_open_below(canvas: RgbImage, box: FaceBox, color: Color, width_px: int) -> None:
    """Draw a box whose lower side has a gap of half its width."""
    right, bottom, quarter = box.x + box.width, box.y + box.height, box.width // 4
    path = [
        (box.x + quarter, bottom),
        (box.x, bottom),
        (box.x, box.y),
        (right, box.y),
        (right, bottom),
        (right - quarter, bottom),
    ]
    cv2.polylines(canvas, [np.array(path, dtype=np.int32)], False, color, width_px)


def _stroke_corners(canvas: RgbImage, box: FaceBox, color: Color, width_px: int) -> None:
    arm = max(4, box.side_px // 4)
    for x, toward_x in ((box.x, arm), (box.x + box.width, -arm)):
        for y, toward_y in ((box.y, arm), (box.y + box.height, -arm)):
            cv2.line(canvas, (x, y), (x + toward_x, y), color, width_px)
            cv2.line(canvas, (x, y), (x, y + toward_y), color, width_px)


def _stroke_dots(canvas: RgbImage, box: FaceBox, color: Color, width_px: int) -> None:
    step = max(8, box.side_px // 10)
    radius = (width_px + 1) // 2
    for x in range(box.x, box.x + box.width + 1, step):
        for y in (box.y, box.y + box.height):
            cv2.circle(canvas, (x, y), radius, color, cv2.FILLED)
    for y in range(box.y, box.y + box.height + 1, step):
        for x in (box.x, box.x + box.width):
            cv2.circle(canvas, (x, y), radius, color, cv2.FILLED)


_Stroke = Callable[[RgbImage, FaceBox, Color, int], None]
_STROKES: dict[Line, _Stroke] = {
    Line.CLOSED: _stroke_closed,
    Line.OPEN_BELOW: _stroke_open_below,
    Line.CORNERS: _stroke_corners,
    Line.DOTTED: _stroke_dots,
}


def _draw_tag(canvas: RgbImage, tag: Tag, face: TrackedFace) -> None:
    """Draw the words, and the bar under them."""
    text_px = text_height(canvas)
    color = face_color(face)
    ink = ink_on(color)
    pad, bar_px = paddings(text_px)
    left, top, tag_w, tag_h = tag.place.x, tag.place.y, tag.place.width, tag.place.height
    cv2.rectangle(canvas, (left - 1, top - 1), (left + tag_w, top + tag_h), INK, cv2.FILLED)
    cv2.rectangle(canvas, (left, top), (left + tag_w - 1, top + tag_h - 1), color, cv2.FILLED)
    write(canvas, tag.words, (left + pad, top + pad + text_px - text_px // 6), ink, text_px)
    bar_top = top + text_px + 2 * pad
    full = tag_w - 2 * pad
    filled = round(full * face.shown_confidence)
    end = (left + pad + full - 1, bar_top + bar_px - 1)
    cv2.rectangle(canvas, (left + pad, bar_top), end, ink, 1)
    if filled:
        end = (left + pad + filled - 1, bar_top + bar_px - 1)
        cv2.rectangle(canvas, (left + pad, bar_top), end, ink, cv2.FILLED)


def _draw_status(canvas: RgbImage, readout: Readout, scheme: Scheme) -> None:
    """Write lines at the foot of the picture on a darkened band."""
    text_px = max(13, text_height(canvas) - 3)
    width_px = canvas.shape[1] - 12
    wanted = [readout.text, age_notice(scheme), readout.notice or ""]
    lines = [line for text in wanted if text for line in wrap(text, text_px, width_px)]
    if not lines:
        return
    line_px = round(text_px * 1.4)
    band = canvas[max(0, canvas.shape[0] - line_px * len(lines) - 6) :]
    band //= 4
    for number, line in enumerate(lines):
        y = canvas.shape[0] - 6 - line_px * (len(lines) - 1 - number)
        is_alarm = number == 0 and (readout.stale_s is not None or readout.is_paused)
        write(canvas, line, (6, y), ALARM_COLOR if is_alarm else PAPER, text_px)
