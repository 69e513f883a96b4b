"""The live picture: a widget of half-blocks that is quick enough to look into like a mirror."""

import time
from dataclasses import dataclass

import cv2
import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from collector.widgets.pixel_widget import PixelWidget, Rgb
from maskage.capture.observation import Observation
from maskage.faces.finder import guide_box
from maskage.outside_text import shown_lines
from maskage.pictures.half_blocks import (
    Placement,
    outline_box,
    place_picture,
    shrink_to_cells,
)
from maskage.records import FaceBox, Frame, RgbImage

_GUIDE_COLOR: Rgb = (128, 120, 108)


@dataclass(frozen=True, eq=False)
class PreviewPicture:
    """The contents of the preview.

    Attributes:
        observation: The frame and its faces.
        color: Colour of the box around the face to be photographed.
        is_mirrored: Shown as in a mirror; the frame itself never is.
        is_dim: Grey and dark: not a picture of this moment.
        flash: A shot was taken of it.
        countdown: A large digit over it; 0 for none.
        note: A line across the middle; empty for none.
    """

    observation: Observation
    color: Rgb
    is_mirrored: bool = True
    is_dim: bool = False
    flash: bool = False
    countdown: int = 0
    note: str = ""


def compose_picture(picture: PreviewPicture, place: Placement) -> RgbImage:
    """Shrink, mirror and draw over a frame: half-block pixels, shape (2 * rows, columns, 3)."""
    observation = picture.observation
    small = shrink_to_cells(observation.frame.pixels, place)
    small = np.ascontiguousarray(small[:, ::-1]) if picture.is_mirrored else small.copy()
    if picture.is_dim:
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY) // 3
        return np.repeat(grey[..., None], 3, axis=2)
    if picture.flash:
        small = 128 + small // 2
    _draw_boxes(small, picture, place.scale)
    if picture.countdown:
        _draw_digit(small, str(picture.countdown))
    return small


def _draw_boxes(small: RgbImage, picture: PreviewPicture, scale: float) -> None:
    observation = picture.observation
    width = observation.frame.width

    def shown(box: FaceBox) -> FaceBox:
        left = width - box.x - box.width if picture.is_mirrored else box.x
        return FaceBox(left, box.y, box.width, box.height, box.score)

    guide = guide_box(width, observation.frame.height)
    color = picture.color if observation.is_guided else _GUIDE_COLOR
    outline_box(small, shown(guide), scale, color, corners_only=True)
    for face in observation.faces:
        outline_box(small, shown(face), scale, picture.color)


def _draw_digit(small: RgbImage, digit: str) -> None:
    height, width = small.shape[:2]
    size = height / 40
    thickness = max(1, round(height / 14))
    (text_w, text_h), _ = cv2.getTextSize(digit, cv2.FONT_HERSHEY_SIMPLEX, size, thickness)
    at = ((width - text_w) // 2, (height + text_h) // 2)
    for color, extra in (((20, 16, 12), 2), ((250, 240, 220), 0)):
        cv2.putText(small, digit, at, cv2.FONT_HERSHEY_SIMPLEX, size, color, thickness + extra)


class Preview(PixelWidget):
    """The widget that shows the newest `PreviewPicture`."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.drawn = 0  # Pictures drawn, for benchmarks and tests.
        self._picture: PreviewPicture | None = None
        self._message = ""
        self._strips: list[Strip] | None = None
        self._seen: tuple[Frame, float] | None = None

    def seen_s(self, frame: Frame) -> float | None:
        """Return when this frame was first drawn, from `time.monotonic()`; None if another is."""
        return self._seen[1] if self._seen is not None and self._seen[0] is frame else None

    def show(self, picture: PreviewPicture) -> None:
        """Draw this picture at the next chance; one not yet drawn is replaced."""
        self._picture = picture
        self._strips = None
        self.refresh()

    def draw_now(self) -> None:
        """Draw what was given to `show` before the next key is taken.

        Textual draws some milliseconds later by itself: a key that comes in between would count
        for a picture that is not on the screen yet.
        """
        if self.app.screen is self.screen and self.size:
            self.screen._compositor.update_widgets({self})
            self.screen._compositor_refresh()

    def say(self, message: str) -> None:
        """Show a message where there is no picture yet."""
        self._message = shown_lines(message)
        self._strips = None
        self.refresh()

    @property
    def picture(self) -> PreviewPicture | None:
        """The contents on the screen."""
        return self._picture

    def render_line(self, y: int) -> Strip:
        """Draw one line of cells of the picture."""
        if self._strips is None or self._needs_redraw():
            self._strips = self._draw()
            self._drawn_for = (self.size, self.is_raw)
            self.drawn += 1
        if y < len(self._strips):
            return self._strips[y]
        return self.blank_line()

    def _needs_redraw(self) -> bool:
        return self._drawn_for != (self.size, self.is_raw)

    def _draw(self) -> list[Strip]:
        columns, rows = self.size
        if self._picture is None:
            return self._lay_note([self.blank_line()] * rows, self._message)
        frame = self._picture.observation.frame
        if self._seen is None or self._seen[0] is not frame:
            self._seen = frame, time.monotonic()
        place = place_picture(frame.width, frame.height, columns, rows)
        if place.rows == 0:
            return [self.blank_line()] * rows
        small = compose_picture(self._picture, place)
        strips = [self.blank_line()] * place.row
        left = Segment(" " * place.column, self.rich_style)
        right = Segment(" " * (columns - place.column - place.columns), self.rich_style)
        strips += [Strip([left, *line, right], columns) for line in self.encode_lines(small)]
        strips += [self.blank_line()] * (rows - len(strips))
        return self._lay_note(strips, self._picture.note)

    def _lay_note(self, strips: list[Strip], note: str) -> list[Strip]:
        """Replace the middle lines by a note; whole lines, because raw ones cannot be cut."""
        columns, rows = self.size
        if not note or rows < 3:
            return strips
        text = note if len(note) <= columns else note[: columns - 1] + "…"
        style = self.rich_style + Style(bold=True)
        middle = rows // 2
        line = Strip([Segment(text.center(columns), style)], columns)
        return [
            *strips[: middle - 1],
            self.blank_line(),
            line,
            self.blank_line(),
            *strips[middle + 2 :],
        ]
