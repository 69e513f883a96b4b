"""The last ten shots, below the picture."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from collector.half_blocks import place_picture, shrink_to_cells
from collector.images import resize_square
from collector.panels import CLASS_COLORS
from collector.photo_writer import SavedShot
from collector.preview import style_half_blocks
from collector.records import Label, RgbImage

_THUMB_SIDE_PX = 48


@dataclass(frozen=True, eq=False)
class _Thumb:
    saved: SavedShot
    pixels: RgbImage


class ShotStrip(Widget):
    """The last ten shots, the newest right: small pictures with their classes, or the classes
    alone where there is no height."""

    ALLOW_SELECT = False
    SHOWN = 10

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._thumbs: deque[_Thumb] = deque(maxlen=4 * self.SHOWN)
        self.keys: dict[Label, str] = {}

    def show_shots(self, shots: Sequence[SavedShot]) -> None:
        """Show these as the newest."""
        for saved in shots:
            self._thumbs.append(_Thumb(saved, resize_square(saved.shot.crop, _THUMB_SIDE_PX)))
        self.refresh()

    def forget_shots(self, shots: Sequence[SavedShot]) -> None:
        """Take these away: they were undone."""
        gone = {saved.photo.path for saved in shots}
        kept = [thumb for thumb in self._thumbs if thumb.saved.photo.path not in gone]
        self._thumbs = deque(kept, maxlen=self._thumbs.maxlen)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        slot = width // self.SHOWN
        label_rows = 1 if height == 1 else 2
        thumbs = list(self._thumbs)[-self.SHOWN :]
        segments: list[Segment] = []
        for thumb in thumbs:
            segments += (
                self._label_line(thumb, slot, y - height + label_rows, label_rows)
                if y >= height - label_rows
                else self._picture_line(thumb, slot, y, height - label_rows)
            )
        if not thumbs and y == height - 1:
            segments = [Segment(" the last ten shots appear here", self._muted())]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _label_line(self, thumb: _Thumb, slot: int, row: int, rows: int) -> list[Segment]:
        label = thumb.saved.photo.label
        style = Style(color="black", bgcolor=CLASS_COLORS[label], bold=True)
        key = self.keys.get(label, "")
        mark = " !" if thumb.saved.shot.flaws else ""
        mask, age = label.title.split(", ")
        if rows == 1:
            text = f"{key}{mark}".center(slot - 1)
        else:
            text = f" {key} {mask}" if row == 0 else f"   {age}{mark}"
        # As wide as the picture above: an even number of cells, centred.
        wide = (slot - 1) // 2 * 2
        shown = text[:wide].ljust(wide)
        return [Segment(shown, style), Segment(" " * (slot - wide), self.rich_style)]

    def _picture_line(self, thumb: _Thumb, slot: int, y: int, rows: int) -> list[Segment]:
        place = place_picture(_THUMB_SIDE_PX, _THUMB_SIDE_PX, (slot - 1) // 2 * 2, rows)
        if not place.row <= y < place.row + place.rows:
            return [Segment(" " * slot, self.rich_style)]
        small = shrink_to_cells(thumb.pixels, place)
        line = style_half_blocks(small[2 * (y - place.row) :][:2])[0]
        left = Segment(" " * place.column, self.rich_style)
        right = Segment(" " * (slot - place.column - place.columns), self.rich_style)
        return [left, *line, right]

    def _muted(self) -> Style:
        return self.rich_style + Style(dim=True)
