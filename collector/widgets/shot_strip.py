"""The last ten shots, below the picture."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from collector.widgets.class_text import (
    class_rgb,
    class_title,
    cut_apart,
    fit_cells,
    ink_on,
    split_title,
    to_hex,
)
from collector.widgets.pixel_widget import style_half_blocks
from maskage.capture.writer import THUMB_SIDE_PX, Edited, Taken
from maskage.classes.scheme import Scheme
from maskage.dataset.edits import Edit
from maskage.pictures.half_blocks import place_picture, shrink_to_cells
from maskage.records import Photo


@dataclass(frozen=True, eq=False)
class _Thumb:
    photo: Photo
    taken: Taken


class ShotStrip(Widget):
    """The last ten shots, the newest right: small pictures above the names of their classes.

    Where there is no height, the keys alone, and the names of classes without a key.

    Args:
        scheme: The classes.
        keys: Key of each class that has one, as people read it.
    """

    ALLOW_SELECT = False
    SHOWN = 10

    def __init__(self, scheme: Scheme, keys: Mapping[str, str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._scheme = scheme
        self._keys = keys
        self._thumbs: deque[_Thumb] = deque(maxlen=4 * self.SHOWN)

    @property
    def newest(self) -> Photo | None:
        """The photo taken last, of those that are still there."""
        return self._thumbs[-1].photo if self._thumbs else None

    def note(self, report: Edited) -> None:
        """Show what was taken, take away what is gone, and follow what was relabelled."""
        for edit in report.edits:
            self._follow(edit, report.taken.get(edit.photo.path))
        self.refresh()

    def _follow(self, edit: Edit, taken: Taken | None) -> None:
        at = next(
            (
                i
                for i, t in enumerate(self._thumbs)
                if edit.before and t.photo.path == edit.before.path
            ),
            None,
        )
        if at is None:
            if edit.before is None and edit.after is not None and taken is not None:
                self._thumbs.append(_Thumb(edit.after, taken))
        elif edit.after is None:
            del self._thumbs[at]
        else:
            self._thumbs[at] = _Thumb(edit.after, self._thumbs[at].taken)

    def render_line(self, y: int) -> Strip:
        """Draw one line of cells: pictures above, labels below."""
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
        label = thumb.photo.label
        color = class_rgb(self._scheme, label)
        style = Style(color=ink_on(color), bgcolor=to_hex(color), bold=True)
        mark = " !" if thumb.taken.flaws else ""
        mark += " ⚑" if thumb.photo.is_flagged else ""
        # As wide as the picture above: an even number of cells, centred.
        wide = (slot - 1) // 2 * 2
        shown = fit_cells(self._label_text(label, mark, wide, row if rows > 1 else None), wide)
        return [Segment(shown, style), Segment(" " * (slot - wide), self.rich_style)]

    def _label_text(self, label: str, mark: str, wide: int, row: int | None) -> str:
        """Return a line of a label, first (0) or second (1), or its only one (None)."""
        key = self._keys.get(label, "")
        title = class_title(self._scheme, label)
        if row is None:
            others = (each.title for each in self._scheme if each.folder != label)
            text = key or cut_apart(title, others, wide - len(mark))
            return f"{text}{mark}".center(wide)
        lead = f" {key} " if key else " "
        indent = " " * cell_len(lead)
        first, second = split_title(
            title, wide - cell_len(lead), max(1, wide - cell_len(indent) - len(mark))
        )
        return f"{lead}{first}" if row == 0 else f"{indent}{second.rstrip()}{mark}"

    def _picture_line(self, thumb: _Thumb, slot: int, y: int, rows: int) -> list[Segment]:
        place = place_picture(THUMB_SIDE_PX, THUMB_SIDE_PX, (slot - 1) // 2 * 2, rows)
        if not place.row <= y < place.row + place.rows:
            return [Segment(" " * slot, self.rich_style)]
        small = shrink_to_cells(thumb.taken.thumb, place)
        line = style_half_blocks(small[2 * (y - place.row) :][:2])[0]
        left = Segment(" " * place.column, self.rich_style)
        right = Segment(" " * (slot - place.column - place.columns), self.rich_style)
        return [left, *line, right]

    def _muted(self) -> Style:
        return self.rich_style + Style(dim=True)
