"""The names in use in a dataset, and a line to type one on that completes them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from collector.widgets.class_search import PaletteEntry, find_entries
from collector.widgets.class_text import class_rgb, class_title, fit_cells, name_style
from collector.widgets.dialogs import CalmInput
from collector.widgets.panels import MUTED
from maskage.classes.scheme import Scheme
from maskage.outside_text import shown_text
from maskage.records import Photo

_SHOWN = 5
"""Names that are listed at once."""
_MOVES = {"down": 1, "up": -1}


@dataclass(frozen=True)
class KnownName:
    """A name in use: of a person, a session or a group.

    Attributes:
        name: The name.
        class_counts: Photos in each class that has any.
    """

    name: str
    class_counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The number of photos."""
        return sum(self.class_counts.values())


def list_known(
    photos: Iterable[Photo], fact: str, more: Iterable[str] = ()
) -> tuple[KnownName, ...]:
    """Return the names in use, those with most photos first.

    Args:
        photos: All photos of the dataset.
        fact: "subject", "session" or "group".
        more: Names that are known without a photo.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in more}
    for photo in photos:
        if name := getattr(photo, fact):
            counts.setdefault(name, Counter())[photo.label] += 1
    known = [KnownName(name, dict(of_class)) for name, of_class in counts.items()]
    return tuple(sorted(known, key=lambda each: (-each.count, each.name)))


def find_known(known: Sequence[KnownName], typed: str) -> list[KnownName]:
    """Return the names that match what was typed, the best first; all of them for nothing."""
    by_name = {each.name: each for each in known}
    entries = [PaletteEntry(None, each.name, each.count) for each in known]
    return [by_name[entry.title] for entry in find_entries(entries, typed)]


class NameInput(CalmInput):
    """A line for a name, on which the arrow keys put the names that match what was typed.

    Args:
        value: The name at first.
        known: The names in use.
    """

    class Narrowed(Message):
        """Other names match, or another one of them was put on the line."""

        def __init__(self, line: "NameInput") -> None:
            super().__init__()
            self.line = line

    def __init__(
        self,
        value: str,
        known: Sequence[KnownName],
        *,
        placeholder: str,
        max_length: int,
        id: str,
    ) -> None:
        super().__init__(value, placeholder=placeholder, max_length=max_length, id=id)
        self._known = known
        self.found: list[KnownName] = list(known)
        self.at: int | None = None
        self._searched = value

    def on_key(self, event: Key) -> None:
        """Put the next name that matches on the line."""
        if event.key in _MOVES and self.found:
            event.stop()
            event.prevent_default()
            start = -1 if self.at is None and event.key == "down" else self.at or 0
            self.at = (start + _MOVES[event.key]) % len(self.found)
            self.value = self.found[self.at].name
            self.cursor_position = len(self.value)
            self.post_message(self.Narrowed(self))

    @on(Input.Changed)
    def _narrow(self) -> None:
        """Find the names anew, where the line was typed on."""
        if self.value == self._searched:
            return
        if self.at is None or self.value != self.found[self.at].name:
            self.at, self._searched = None, self.value
            self.found = find_known(self._known, self.value)
            self.post_message(self.Narrowed(self))


class NameList(Widget):
    """The names that match a line, with their photos.

    Args:
        scheme: The classes.
    """

    ALLOW_SELECT = False
    can_focus = False

    def __init__(self, scheme: Scheme, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._scheme = scheme
        self._found: Sequence[KnownName] = ()
        self._at: int | None = None

    def show(self, line: NameInput) -> None:
        """Show the names that match this line."""
        self._found, self._at = list(line.found), line.at
        self.refresh()

    def render(self) -> Content:
        """Draw the names, a line each."""
        first = max(0, (self._at or 0) - _SHOWN + 1)
        seen = self._found[first : first + _SHOWN]
        # As wide for all names, also for those that are not seen yet: nothing jumps on a key.
        longest = max((cell_len(shown_text(each.name)) for each in self._found), default=0)
        width = max(4, min(longest, self.size.width // 3))
        lines = [self._draw(each, width, at == self._at) for at, each in enumerate(seen, first)]
        lines += [Content("")] * (_SHOWN - len(lines))
        more = len(self._found) - len(seen)
        lines.append(Content.styled(f"  and {more:,} more: type on" if more > 0 else "", MUTED))
        return Content("\n").join(lines)

    def _draw(self, known: KnownName, width: int, is_chosen: bool) -> Content:
        background = self.background_colors[1].rgb
        counts: list[Content | tuple[str, str]] = []
        for label in self._scheme.labels:
            if count := known.class_counts.get(label):
                color = name_style(class_rgb(self._scheme, label), background)
                counts.append(("  " if counts else "", ""))
                counts.append((f"{count:,} {class_title(self._scheme, label)}", color))
        name = fit_cells(shown_text(known.name), width)
        mark = "▸ " if is_chosen else "  "
        line = Content.assemble(
            (mark, "bold $primary"), (name, "bold"), (f"{known.count:>6,}  ", MUTED), *counts
        )
        return line.truncate(max(1, self.size.width), ellipsis=True)


class NameLines(Vertical):
    """Lines for names above the list of the names that match the one with the focus.

    Args:
        lines: The lines; where there are several, the id of each is written before it.
        scheme: The classes.
    """

    def __init__(self, lines: Sequence[NameInput], scheme: Scheme) -> None:
        super().__init__(id="names")
        self._lines = lines
        self._scheme = scheme

    def compose(self) -> ComposeResult:
        """Lay the widgets out."""
        for line in self._lines:
            with Horizontal(classes="name-line"):
                if len(self._lines) > 1:
                    yield Static(line.id or "", classes="name-word")
                yield line
        yield NameList(self._scheme, id="known")

    @on(NameInput.Narrowed)
    def _follow(self, message: NameInput.Narrowed) -> None:
        if message.line.has_focus:
            self.query_one(NameList).show(message.line)

    def on_descendant_focus(self) -> None:
        """Show the names of the line that has the focus now."""
        line = next((line for line in self._lines if line.has_focus), None)
        if line is not None:
            self.query_one(NameList).show(line)
