"""The gallery: tiles of photos, drawn as one picture for each line of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip

from collector.review.gallery_layout import GAP_COLUMNS, Grid, fit_side
from collector.review.thumbnails import ThumbLoader
from collector.widgets.class_text import class_rgb, class_title, fit_cells, ink_on, to_hex
from collector.widgets.pixel_widget import PixelWidget, Rgb
from maskage.classes.scheme import Scheme
from maskage.records import Photo, RgbImage

SIDES = (12, 14, 18, 22, 28, 36)
"""Widths of a picture in cells, from small to large."""

_CURSOR: Rgb = (242, 193, 78)
_RANGE: Rgb = (199, 101, 74)
_WAITING: Rgb = (39, 32, 25)
_BROKEN: Rgb = (96, 28, 24)


@dataclass(frozen=True, eq=False)
class GalleryView:
    """The contents of the gallery.

    Attributes:
        photos: Those that are seen, in order.
        first: Index of the first of them in the list.
        cursor: Index in the list.
        chosen: Indices of the range, [start, end).
    """

    photos: Sequence[Photo] = ()
    first: int = 0
    cursor: int = 0
    chosen: tuple[int, int] = (0, 0)


class Gallery(PixelWidget):
    """The widget that draws a `GalleryView`, with pictures from the thumbnail loader.

    Args:
        scheme: The classes.
    """

    class Resized(Message):
        """There is room for another number of tiles."""

    def __init__(self, scheme: Scheme, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._scheme = scheme
        self.thumbs: ThumbLoader | None = None
        self.empty_text = "no photo matches: press 0 to show all"
        self.drawn = 0  # Times its first line was drawn, for benchmarks.
        self._wanted_side = 18
        self._view = GalleryView()
        self._lines: dict[tuple[Grid, bool, int], list[Strip]] = {}

    @property
    def grid(self) -> Grid:
        """The layout of its tiles."""
        columns, rows = self.size
        return Grid(columns, rows, fit_side(columns, rows, self._wanted_side))

    def show(self, view: GalleryView) -> None:
        """Show other contents."""
        self._view = view
        self.redraw()

    def redraw(self) -> None:
        """Draw the contents again, with the thumbnails that have come."""
        self._lines.clear()
        self.refresh()

    def zoom(self, steps: int) -> None:
        """Make the tiles larger or smaller."""
        at = SIDES.index(self._wanted_side) + steps
        self._wanted_side = SIDES[max(0, min(at, len(SIDES) - 1))]
        self.redraw()

    def on_resize(self) -> None:
        """Forget the drawn lines and report the new size."""
        self._lines.clear()
        self.post_message(self.Resized())

    def render_line(self, y: int) -> Strip:
        """Draw one line of cells; a line of tiles is drawn at once and kept."""
        grid = self.grid
        line, row = divmod(y, grid.tile_rows)
        if line >= grid.down:
            return self.blank_line()
        # The widget may have another size already when the lines of the former one are still kept.
        key = (grid, self.is_raw, line)
        if key not in self._lines:
            self._lines[key] = self._draw_line(grid, line)
        return self._lines[key][row]

    def _draw_line(self, grid: Grid, line: int) -> list[Strip]:
        self.drawn += line == 0
        start = line * grid.across
        photos = self._view.photos[start : start + grid.across]
        if not photos:
            if line == 0:
                return self._draw_empty(grid)
            return [self.blank_line()] * grid.tile_rows
        indices = range(self._view.first + start, self._view.first + start + len(photos))
        pictures = [self._draw_picture(*tile) for tile in zip(photos, indices, strict=True)]
        gap = np.empty((grid.picture_rows * 2, GAP_COLUMNS, 3), np.uint8)
        gap[:] = self._background
        parts = [part for picture in pictures for part in (picture, gap)][:-1]
        canvas = np.concatenate(parts, axis=1)
        width = self.size.width
        rest = [Segment(" " * (width - canvas.shape[1]), self.rich_style)]
        strips = [Strip([*cells, *rest], width) for cells in self.encode_lines(canvas)]
        captions = [self._caption(*tile) for tile in zip(photos, indices, strict=True)]
        text = [segment for caption in captions for segment in caption]
        strips.append(Strip(text).adjust_cell_length(width, self.rich_style))
        return strips

    def _draw_empty(self, grid: Grid) -> list[Strip]:
        text = Segment(f" {self.empty_text}", self.rich_style + Style(dim=True))
        strip = Strip([text]).adjust_cell_length(self.size.width, self.rich_style)
        return [self.blank_line()] * (grid.tile_rows - 1) + [strip]

    def _draw_picture(self, photo: Photo, index: int) -> RgbImage:
        side = self.grid.side
        thumb = self.thumbs.get(photo.path) if self.thumbs else None
        if thumb is None:
            is_broken = self.thumbs is not None and self.thumbs.is_broken(photo.path)
            small = np.empty((side // 2 * 2, side, 3), np.uint8)
            small[:] = _BROKEN if is_broken else _WAITING
        else:
            small = cv2.resize(thumb, (side, side // 2 * 2), interpolation=cv2.INTER_AREA).astype(
                np.uint8, copy=False
            )
        if self._is_chosen(index):
            _frame(small, _RANGE)
        if index == self._view.cursor:
            _frame(small, _CURSOR)
        return small

    def _caption(self, photo: Photo, index: int) -> list[Segment]:
        color = class_rgb(self._scheme, photo.label)
        style = Style(color=ink_on(color), bgcolor=to_hex(color), bold=index == self._view.cursor)
        marks = ("⚑" if photo.is_flagged else "") + ("≠" if photo.is_disputed else "")
        room = self.grid.side - len(marks) - 1
        title = _short(class_title(self._scheme, photo.label), room)
        text = f" {fit_cells(title, room)}{marks}"
        return [Segment(text, style), Segment(" " * GAP_COLUMNS, self.rich_style)]

    def _is_chosen(self, index: int) -> bool:
        start, end = self._view.chosen
        return start <= index < end

    @property
    def _background(self) -> Rgb:
        color = self.background_colors[1]
        return color.r, color.g, color.b


def _short(title: str, room: int) -> str:
    """Return a title without its comma where it does not fit with it."""
    return title if cell_len(title) <= room else title.replace(", ", " ")


def _frame(small: RgbImage, color: Rgb) -> None:
    small[0, :] = small[-1, :] = color
    small[:, 0] = small[:, -1] = color
