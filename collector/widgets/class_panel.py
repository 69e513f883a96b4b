"""The panel with the number of photos in each class, for two classes as for sixty-four.

With room a class has three lines; with less room two, one, then a cell of several columns. Where
not even those are enough, the class used last and the classes that lack most are shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from collector.widgets.class_text import cut_apart, draw_chip, name_style
from collector.widgets.panels import MUTED, draw_bar, spread
from maskage.classes.scheme import PhotoClass, Scheme

SESSION_ROWS = 7
"""Lines that the panel below needs."""
CELL_COLUMNS = 14
"""Least width of a cell: key, eight letters and a number."""
GAP = "  "


@dataclass(frozen=True)
class PanelLayout:
    """The layout of the classes.

    Attributes:
        rows_each: Lines of a class: 3 with a bar and a blank, 2 with a bar, 1 without.
        columns: Classes side by side.
        shown: Number of classes that there is room for.
        has_total: There is room for a line on all classes.
        height: Lines of the panel.
    """

    rows_each: int
    columns: int
    shown: int
    has_total: bool
    height: int


def lay_out(count: int, width: int, rows: int) -> PanelLayout:
    """Lay `count` classes out in `width` cells and at most `rows` lines."""
    if 3 * count + 1 <= rows:
        return PanelLayout(3, 1, count, True, 3 * count + 1)
    if 2 * count <= rows:
        return PanelLayout(2, 1, count, False, 2 * count)
    if count <= rows:
        has_total = count + 1 <= rows
        return PanelLayout(1, 1, count, has_total, count + has_total)
    most = max(1, (width + len(GAP)) // (CELL_COLUMNS + len(GAP)))
    for columns in range(2, most + 1):
        lines = -(-count // columns)
        if lines + 1 <= rows:
            return PanelLayout(1, columns, count, True, lines + 1)
    lines = max(1, rows - 2)
    return PanelLayout(1, most, min(count, lines * most), True, lines + 2)


@dataclass(frozen=True, kw_only=True)
class ClassCounts:
    """The figures of `ClassPanel`.

    Attributes:
        total: Photos in each class.
        of_subject: Photos of the subject in each class; empty where there is no subject.
        last: The class used last.
    """

    total: Mapping[str, int] = field(default_factory=dict)
    of_subject: Mapping[str, int] = field(default_factory=dict)
    last: str | None = None


class ClassPanel(Widget):
    """The key, name, count and target of each class.

    Args:
        scheme: The classes.
        keys: Key of each class that has one, as people read it.
        target: Photos wanted in a class that has no target of its own.
        find_key: Key of the palette, which has every class.
    """

    ALLOW_SELECT = False
    counts: reactive[ClassCounts] = reactive(ClassCounts())

    def __init__(
        self,
        scheme: Scheme,
        keys: Mapping[str, str],
        target: int,
        find_key: str,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._scheme = scheme
        self._keys = keys
        self._targets = {each.folder: each.target or target for each in scheme}
        self._find_key = find_key
        # Comparing 64 titles with one another takes longer than all the rest of a drawing.
        self._cut: dict[tuple[str, int], str] = {}

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the lines of the classes; the panel below keeps what it needs."""
        return lay_out(len(self._scheme), width, max(3, container.height - SESSION_ROWS)).height

    def render(self) -> Content:
        """Draw the text of the widget."""
        layout = lay_out(len(self._scheme), self.size.width, self.size.height)
        if layout.columns > 1 or layout.shown < len(self._scheme):
            lines = self._draw_cells(layout)
        else:
            lines = []
            for each in self._scheme:
                lines += self._draw_class(each)[: min(2, layout.rows_each)]
                lines += [Content("")] * (layout.rows_each - 2)
        if layout.has_total:
            lines.append(self._draw_total())
        return Content("\n").join(lines)

    def choose_shown(self, count: int) -> list[PhotoClass]:
        """Return the class used last and those that lack most, `count` in all, in class order."""
        counts = self.counts

        def lack(each: PhotoClass) -> tuple[bool, float]:
            share = counts.total.get(each.folder, 0) / self._targets[each.folder]
            return each.folder != counts.last, share

        chosen = sorted(self._scheme, key=lack)[:count]
        return [each for each in self._scheme if each in chosen]

    def _draw_total(self) -> Content:
        total, wanted = sum(self.counts.total.values()), sum(self._targets.values())
        number = Content.assemble((f"{total:,}", "bold"), (f" / {wanted:,}", MUTED))
        share = Content.assemble((f"all classes  {total / wanted:.0%}", MUTED))
        return spread(share, number, self.size.width)

    def _draw_class(self, each: PhotoClass) -> list[Content]:
        counts, width = self.counts, self.size.width
        total, target = counts.total.get(each.folder, 0), self._targets[each.folder]
        # The subject's own count gives way to the name on a narrow panel.
        has_own = bool(counts.of_subject) and width >= 36
        own = f"{counts.of_subject[each.folder]} here · " if has_own else ""
        number = Content.assemble(
            (own, MUTED),
            (f"{total:,}", "bold $success" if total >= target else "bold"),
            (f" / {target:,}", MUTED),
        )
        name = self._draw_name(each, width - number.cell_length - 1)
        return [spread(name, number, width), draw_bar(total / target, width, each.color)]

    def _draw_cells(self, layout: PanelLayout) -> list[Content]:
        """Draw key, name and number of each class in columns, down first."""
        width = (self.size.width + len(GAP)) // layout.columns - len(GAP)
        cells = [self._draw_cell(each, width) for each in self.choose_shown(layout.shown)]
        lines = -(-len(cells) // layout.columns)
        rows = [Content(GAP).join(cells[at::lines]) for at in range(lines)]
        hidden = len(self._scheme) - len(cells)
        if hidden:
            rows.append(Content.styled(f"{hidden} more: press {self._find_key}", MUTED))
        return rows

    def _draw_cell(self, each: PhotoClass, width: int) -> Content:
        total = self.counts.total.get(each.folder, 0)
        is_full = total >= self._targets[each.folder]
        number = Content.styled(
            f"{total:,}{'✓' if is_full else ''}", "bold $success" if is_full else "bold"
        )
        name = self._draw_name(each, width - number.cell_length - 1)
        return spread(name, number, width)

    def _draw_name(self, each: PhotoClass, room: int) -> Content:
        """Draw key and name in at most `room` cells, with a mark on the class used last."""
        is_last = each.folder == self.counts.last
        chip = draw_chip(self._scheme, each.folder, self._keys)
        color = name_style(each.rgb, self.background_colors[1].rgb)
        mark = " ◂" if is_last else ""
        left = max(1, room - chip.cell_length - 1 - len(mark))
        if (each.folder, left) not in self._cut:
            others = (other.title for other in self._scheme if other is not each)
            self._cut[each.folder, left] = cut_apart(each.title, others, left)
        name = self._cut[each.folder, left]
        style = f"bold {color}" if is_last else color
        return Content.assemble(chip, " ", (name, style), (mark, color))
