"""A widget that shows pixels: raw escape sequences where it can, styled segments where it must."""

import numpy as np
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from maskage.pictures.half_blocks import encode_half_blocks
from maskage.records import RgbImage

Rgb = tuple[int, int, int]

RAW = Style()
"""Renders as nothing, so that a segment's own escape sequences pass through untouched."""


class PixelWidget(Widget):
    """A widget that turns half-block pixels into lines.

    On a terminal each line is one raw string of escape sequences: 23-27 fps where ready-made image
    widgets reach 1-6 (DESIGN.md, Dependencies). Raw lines cannot be cut or dimmed, so under a
    modal, and where there is no terminal, the lines are styled segments.
    """

    ALLOW_SELECT = False
    can_focus = False

    @property
    def is_raw(self) -> bool:
        """Lines may be raw: a terminal of 256 colours or more, with nothing on top."""
        app = self.app
        return (
            not app.is_headless
            and app.screen is self.screen
            and app.console.color_system in ("truecolor", "256")
            and not app.no_color
        )

    def encode_lines(self, small: RgbImage) -> list[list[Segment]]:
        """The lines of half-block pixels, shape (2 * rows, columns, 3)."""
        if not self.is_raw:
            return style_half_blocks(small)
        is_true_color = self.app.console.color_system == "truecolor"
        return [
            [Segment(line, RAW)] for line in encode_half_blocks(small, true_color=is_true_color)
        ]

    def blank_line(self) -> Strip:
        """A line of nothing, as wide as the widget."""
        return Strip.blank(self.size.width, self.rich_style)


def style_half_blocks(small: RgbImage) -> list[list[Segment]]:
    """The same cells as `encode_half_blocks`, as Rich segments: slow, but can be cut and dimmed."""
    rows = []
    for upper, lower in zip(small[0::2], small[1::2], strict=False):
        pairs = np.concatenate([upper, lower], axis=1)
        starts = np.flatnonzero(np.r_[True, (pairs[1:] != pairs[:-1]).any(axis=1)])
        lengths = np.diff(np.r_[starts, len(pairs)])
        rows.append(
            [
                Segment("▀" * int(length), _cell_style(pairs[start].tolist()))
                for start, length in zip(starts, lengths, strict=True)
            ]
        )
    return rows


def _cell_style(pair: list[int]) -> Style:
    upper, lower = ColorTriplet(*pair[:3]), ColorTriplet(*pair[3:])
    return Style.from_color(Color.from_triplet(upper), Color.from_triplet(lower))
