"""All watched cameras in one picture, each in a tile of its own with its name and figures.

The picture is a frame like any other: its faces are those of all cameras, moved to their places, so
that every screen and a recording show it as they show one camera.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from detector.drawing.overlay import ALARM_COLOR, Readout
from detector.drawing.styles import PAPER
from detector.drawing.text import shorten, write
from detector.screens.base import CameraFigures, CameraPhase, LiveView, Tile
from detector.tracking.pipeline import ALL_CAMERAS, FrameResult, Timings
from detector.tracking.tracker import TrackedFace
from maskage.classes.scheme import Scheme
from maskage.records import FaceBox, Frame, RgbImage

GRID_WIDTH_PX = 960
"""Width of the picture: three tiles of 320 pixels, or two of 480, side by side."""

ALL_NAME = "all"
"""What stands for the name of a camera in a picture of all."""

_HEIGHT_SHARE = 0.75
_CAPTION_PX = 18
_STATUS_PX = 44
_TEXT_PX = 14
_BACKGROUND = 24
_GAP_PX = 2
_EMPTY_SIZE = (480, 640, 3)


def lay_out_tiles(count: int) -> list[FaceBox]:
    """Return the places of so many tiles, row by row, in a picture `GRID_WIDTH_PX` wide.

    There are as many columns as rows, or one more.
    """
    columns = math.ceil(math.sqrt(max(1, count)))
    width = GRID_WIDTH_PX // columns
    height = round(width * _HEIGHT_SHARE) + _CAPTION_PX
    return [
        FaceBox((at % columns) * width, (at // columns) * height, width, height)
        for at in range(count)
    ]


def empty_result(scheme: Scheme, camera: int, source: str | None) -> FrameResult:
    """Return what stands for a camera that has not given a picture yet: a dark one."""
    pixels = np.full(_EMPTY_SIZE, _BACKGROUND, np.uint8)
    return FrameResult(Frame(pixels, 0), (), Timings(0, 0, 0, 0), scheme, camera, source)


def compose_grid(results: Sequence[FrameResult], base: LiveView) -> LiveView:
    """Return one view of all cameras.

    Args:
        results: The newest frame of each camera, in the order of `base.cameras`.
        base: The present view of any of them, with the figures of all.

    Returns:
        The view; it is not to be mirrored, since each of its tiles is, where that was chosen.
    """
    places = lay_out_tiles(len(results))
    # The status lines get a strip of their own, so that they cover no camera.
    rows_px = max(place.y + place.height for place in places) + _STATUS_PX
    canvas = np.full((rows_px, GRID_WIDTH_PX, 3), _BACKGROUND, np.uint8)
    is_mirrored = base.is_mirrored or base.controls.is_mirrored
    faces: list[TrackedFace] = []
    tiles = []
    for result, place, figures in zip(results, places, base.cameras, strict=True):
        faces += _draw_tile(canvas, result, place, is_mirrored=is_mirrored)
        is_alarm = figures.phase in (CameraPhase.WAITING, CameraPhase.LOST)
        tiles.append(Tile(place, str(figures), is_alarm))
        _draw_caption(canvas, tiles[-1])
    # What stands for a camera without a picture is newer than every picture, and means nothing.
    real = [r for r, each in zip(results, base.cameras, strict=True) if each.age_ms is not None]
    newest = max(real or results, key=lambda result: result.frame.captured_s)
    frame = Frame(
        canvas,
        sum(figures.counts.frames for figures in base.cameras),
        newest.frame.captured_s,
        newest.frame.position_s,
    )
    faces.sort(key=lambda face: -face.box.width * face.box.height)
    shown = FrameResult(
        frame, tuple(faces), Timings(0, 0, 0, 0), newest.scheme, ALL_CAMERAS, ALL_NAME
    )
    return replace(
        base,
        result=shown,
        readout=_readout(base.readout, base.cameras),
        is_mirrored=False,
        camera=None,
        tiles=tuple(tiles),
    )


def _readout(readout: Readout, cameras: Sequence[CameraFigures]) -> Readout:
    live = [figures for figures in cameras if figures.phase is CameraPhase.LIVE]
    rates = [figures.fps for figures in live if figures.fps is not None]
    ages = [figures.age_ms for figures in live if figures.age_ms is not None]
    return replace(
        readout,
        fps=sum(rates) if rates else None,
        age_ms=max(ages) if ages and not readout.is_paused else None,
        stale_s=None if live else readout.stale_s,
    )


def stands_for(view: LiveView) -> str | int:
    """Return what is shown, as the page names it: the number of a camera, or "all"."""
    return ALL_NAME if view.camera is None else view.camera


def _draw_tile(
    canvas: RgbImage, result: FrameResult, place: FaceBox, *, is_mirrored: bool
) -> list[TrackedFace]:
    """Draw a camera's picture into its place; return its faces there."""
    frame = result.frame
    room = (place.width - _GAP_PX, place.height - _CAPTION_PX - _GAP_PX)
    scale = min(room[0] / frame.width, room[1] / frame.height)
    size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
    small = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else 1)
    left = place.x + (room[0] - size[0]) // 2
    top = place.y + _CAPTION_PX + (room[1] - size[1]) // 2
    canvas[top : top + size[1], left : left + size[0]] = small[:, ::-1] if is_mirrored else small
    return [
        replace(face, box=_move(face.box, frame.width, scale, left, top, is_mirrored=is_mirrored))
        for face in result.faces
    ]


def _move(
    box: FaceBox, frame_width: int, scale: float, left: int, top: int, *, is_mirrored: bool
) -> FaceBox:
    x = frame_width - box.x - box.width if is_mirrored else box.x
    return FaceBox(
        left + round(x * scale),
        top + round(box.y * scale),
        max(1, round(box.width * scale)),
        max(1, round(box.height * scale)),
        box.score,
    )


def _draw_caption(canvas: RgbImage, tile: Tile) -> None:
    words = shorten(tile.caption, _TEXT_PX, tile.place.width - 10)
    color = ALARM_COLOR if tile.is_alarm else PAPER
    write(canvas, words, (tile.place.x + 5, tile.place.y + _CAPTION_PX - 5), color, _TEXT_PX)
