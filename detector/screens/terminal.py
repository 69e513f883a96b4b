"""The live picture in a terminal: half-blocks, with the labels as real text beside the faces."""

import contextlib
import errno
import os
import re
import select
import sys
import termios
import textwrap
import tty
from typing import Any

import numpy as np
from rich.cells import cell_len, set_cell_size

from detector.drawing.overlay import shown_box
from detector.drawing.styles import (
    INK,
    PAPER,
    Line,
    age_notice,
    face_color,
    face_line,
    ink_on,
)
from detector.drawing.tags import describe_face, mark_selected
from detector.drawing.text import Color
from detector.screens.base import LiveView, Screen, Tile
from detector.screens.commands import KEY_HINT, SEVERAL_HINT, Command
from detector.screens.keys import LiveKeys
from detector.tracking.tracker import TrackedFace
from maskage.outside_text import shown_lines
from maskage.pictures.half_blocks import (
    Placement,
    encode_half_blocks,
    outline_box,
    place_picture,
    shrink_to_cells,
)
from maskage.records import FaceBox, RgbImage

BAR_CELLS = 10
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"
_LEAVE = "\x1b[0m\x1b[?25h\x1b[?1049l"
# Terminals that know it show a whole frame at once; others ignore it.
_BEGIN_FRAME, _END_FRAME = "\x1b[?2026h", "\x1b[?2026l"
_RESET = "\x1b[0m"
_STATUS_ROWS = 2
# The errors of a terminal that has gone, and of /dev/null in its place.
_GONE = (errno.EIO, errno.ENOTTY)
_ALARM: Color = (230, 159, 0)
_QUIET: Color = (180, 180, 180)
# An arrow or function key is several bytes that begin with Escape, some of them letters.
_NOT_OURS = re.compile(rb"\x1b(?:\[[0-9;?]*[A-Za-z~]|O.)?")


def compose_view(view: LiveView, columns: int, rows: int) -> str:
    """Return the escape sequences that draw a view on a terminal of this size.

    Args:
        view: The view.
        columns: Width of the terminal in cells.
        rows: Height of the terminal in cells.

    Returns:
        Text to write as it is; it covers every cell and leaves the cursor anywhere.
    """
    picture_rows = max(0, rows - _STATUS_ROWS)
    frame = view.result.frame
    pixels = np.ascontiguousarray(frame.pixels[:, ::-1]) if view.is_mirrored else frame.pixels
    place = place_picture(frame.width, frame.height, columns, picture_rows)
    parts = [_BEGIN_FRAME]
    if place.rows and place.columns:
        small = np.array(shrink_to_cells(pixels, place))
        boxes = [
            shown_box(face.box, frame.width, 1, is_mirrored=view.is_mirrored)
            for face in view.result.faces
        ]
        _outline_faces(small, boxes, view.result.faces, place)
        parts += _place_lines(encode_half_blocks(small), place, columns, picture_rows)
        for face, box in reversed(list(zip(view.result.faces, boxes, strict=True))):
            mark = mark_selected(face, view.readout.selected)
            parts.append(_tag(face, box, place, (columns, picture_rows), mark))
        parts += [_caption(tile, place, columns) for tile in view.tiles]
    parts += _status(view, columns, rows)
    parts.append(_END_FRAME)
    return "".join(parts)


def confidence_bar(confidence: float, cells: int = BAR_CELLS) -> str:
    """Return a confidence, 0 to 1, as text: "███████░░░"."""
    filled = round(confidence * cells)
    return "█" * filled + "░" * (cells - filled)


def _outline_faces(
    small: RgbImage, boxes: list[FaceBox], faces: tuple[TrackedFace, ...], place: Placement
) -> None:
    for face, box in reversed(list(zip(faces, boxes, strict=True))):
        line = face_line(face)
        outline_box(
            small,
            box,
            place.scale,
            face_color(face),
            corners_only=line in (Line.CORNERS, Line.DOTTED),
            is_open_below=line is Line.OPEN_BELOW,
        )


def _place_lines(lines: list[str], place: Placement, columns: int, rows: int) -> list[str]:
    left = " " * place.column
    right = " " * (columns - place.column - place.columns)
    blank = " " * columns
    parts = []
    for row in range(rows):
        inside = place.row <= row < place.row + len(lines)
        text = left + lines[row - place.row] + right if inside else blank
        parts.append(f"\x1b[{row + 1};1H{text}")
    return parts


def _tag(
    face: TrackedFace, box: FaceBox, place: Placement, size: tuple[int, int], mark: str
) -> str:
    """Return the words above a box, or at its foot if there is no room above."""
    columns, rows = size
    color = face_color(face)
    words = f" {mark}{describe_face(face)} {confidence_bar(face.shown_confidence)} "
    text = set_cell_size(words, min(columns, cell_len(words)))
    row = place.row + round(box.y * place.scale / 2) - 1
    if row < 0:
        row = place.row + round((box.y + box.height) * place.scale / 2)
    row = min(max(0, row), max(0, rows - 1))
    column = place.column + round(box.x * place.scale)
    column = min(max(0, column), max(0, columns - cell_len(text)))
    return f"\x1b[{row + 1};{column + 1}H{_paint(text, ink_on(color), color)}"


def _caption(tile: Tile, place: Placement, columns: int) -> str:
    """Return the name and figures of a camera as text, over those in the picture."""
    row = place.row + round(tile.place.y * place.scale / 2)
    column = place.column + round(tile.place.x * place.scale)
    room = max(1, min(columns - column, round(tile.place.width * place.scale)))
    words = set_cell_size(f" {tile.caption}", room)
    return f"\x1b[{row + 1};{column + 1}H{_paint(words, _ALARM if tile.is_alarm else PAPER, INK)}"


def _status(view: LiveView, columns: int, rows: int) -> list[str]:
    """Return the lines at the foot: usually two, more if a message does not fit."""
    readout = view.readout
    is_alarm = readout.stale_s is not None or readout.is_paused
    first = [(line, _ALARM if is_alarm else PAPER) for line in _fold(readout.text, columns)]
    keys = KEY_HINT if len(view.cameras) <= 1 else SEVERAL_HINT
    hints = "   ".join(filter(None, [readout.notice, age_notice(view.result.scheme), keys]))
    second = [(line, _QUIET) for line in _fold(hints, columns)[: _STATUS_ROWS if first else rows]]
    lines = [*(first or [("", PAPER)]), *second][:rows]
    top = max(0, rows - len(lines))
    return [
        f"\x1b[{top + number + 1};1H{_paint(set_cell_size(text, columns), color, INK)}"
        for number, (text, color) in enumerate(lines)
    ]


def _fold(text: str, columns: int) -> list[str]:
    """Break words into lines of at most so many columns."""
    text = shown_lines(text)
    return textwrap.wrap(text, max(1, columns), drop_whitespace=True) if text else []


def _paint(text: str, front: Color, back: Color) -> str:
    """Set both colours always: the terminal's own background may be light or dark."""
    colors = ";".join(map(str, (*front, 48, 2, *back)))
    return f"\x1b[38;2;{colors}m{text}{_RESET}"


class TerminalScreen(Screen):
    """The whole terminal, until closed; then it is as it was.

    Keys arrive one by one and unechoed. Ctrl-C still interrupts.

    Args:
        keys: The meaning of each key.
    """

    def __init__(self, keys: LiveKeys) -> None:
        self._keys = keys
        self.is_open = True
        self._is_restored = False
        self._in = sys.stdin.fileno()
        self._out = sys.stdout.fileno()
        self._settings: list[Any] = termios.tcgetattr(self._in)
        tty.setcbreak(self._in)
        self._disable_suspend()
        self._write(_ENTER)

    def show(self, view: LiveView) -> None:
        """Draw a view at the terminal's present size."""
        try:
            columns, rows = os.get_terminal_size(self._out)
            self._write(compose_view(view, columns, rows))
        except OSError as fault:
            # The terminal has gone; its signal is on the way.
            if fault.errno not in _GONE:
                raise
            self.is_open = False

    def read_commands(self) -> list[Command]:
        """Return the commands of the keys pressed since the last call, in order."""
        keys = ""
        while select.select([self._in], [], [], 0)[0]:
            pressed = b""
            with contextlib.suppress(OSError):
                pressed = os.read(self._in, 64)
            if not pressed:  # the terminal has gone
                self.is_open = False
                break
            keys += _NOT_OURS.sub(b"", pressed).decode(errors="ignore")
        return self._keys.parse(keys)

    def close(self) -> None:
        """Restore the terminal; may be called twice."""
        if not self._is_restored:
            self._is_restored = True
            self.is_open = False
            # The terminal may be gone (SIGHUP): then there is nothing to restore.
            with contextlib.suppress(OSError, termios.error):
                self._write(_LEAVE)
                termios.tcsetattr(self._in, termios.TCSAFLUSH, self._settings)

    def _disable_suspend(self) -> None:
        """Switch Ctrl-Z off: it would leave the shell on our screen, with its echo off."""
        settings = termios.tcgetattr(self._in)
        settings[6][termios.VSUSP] = b"\x00"
        termios.tcsetattr(self._in, termios.TCSANOW, settings)

    def _write(self, text: str) -> None:
        data = text.encode()
        while data:
            data = data[os.write(self._out, data) :]
