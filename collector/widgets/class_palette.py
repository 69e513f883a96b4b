"""The palette of classes: what one types of a name finds the class, beside a picture that goes on.

It takes its keys from the screen in the order they are typed and never has the focus, so that a
name typed at once after its key is whole and nothing typed after the choice is lost.
"""

from collections.abc import Callable, Mapping, Sequence

from textual.content import Content
from textual.events import Click, Key
from textual.widget import Widget

from collector.widgets.class_search import PaletteEntry, find_entries
from collector.widgets.class_text import draw_chip, fit_cells
from collector.widgets.panels import MUTED, spread
from maskage.classes.scheme import Scheme
from maskage.outside_text import shown_text

_HEAD_ROWS = 2
_FOOT_ROWS = 1
_LONGEST_QUERY = 80
_MOVES = {"up": -1, "down": 1}
_SWALLOWED = ("left", "right", "home", "end", "tab", "shift+tab", "delete")
"""Keys of the screen below that somebody presses who corrects what he typed."""


class ClassPalette(Widget):
    """A line to type on above the classes that match it; hidden until it is opened.

    Args:
        scheme: The classes.
        keys: Key of each class that has one, as people read it.
    """

    ALLOW_SELECT = False
    can_focus = False

    def __init__(self, scheme: Scheme, keys: Mapping[str, str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._scheme = scheme
        self._keys = keys
        self._question = ""
        self._entries: Sequence[PaletteEntry] = ()
        self._answer: Callable[[PaletteEntry | None], None] = lambda _: None
        self.is_open = False
        self.query_text = ""
        self._found: list[PaletteEntry] = []
        self._cursor = self._first = 0

    def on_mount(self) -> None:
        """Stay hidden at first."""
        self.display = False

    def open(
        self,
        question: str,
        entries: Sequence[PaletteEntry],
        answer: Callable[[PaletteEntry | None], None],
    ) -> None:
        """Show the entries.

        Args:
            question: The title.
            entries: At least one; the first is chosen where nothing is typed.
            answer: Called once, with the chosen entry, or None where it was closed without one.
        """
        self._question, self._entries, self._answer = question, entries, answer
        self.is_open = self.display = True
        self._search("")

    @property
    def found(self) -> Sequence[PaletteEntry]:
        """The entries that match, the best first."""
        return self._found

    def take_key(self, event: Key) -> bool:
        """Handle a key of the screen; return False where it is none of the palette's."""
        key, text = event.key, self.query_text
        if key == "escape":
            self._close(None)
        elif key == "enter":
            if self._found:
                self._close(self._found[self._cursor])
        elif event.is_printable and event.character:
            self._search(text + event.character)
        elif key == "backspace":
            self._search(text[:-1])
        elif key == "ctrl+u":
            self._search("")
        elif key == "ctrl+w":
            self._search(text.rstrip().rpartition(" ")[0])
        elif key in _MOVES or key in ("pageup", "pagedown"):
            self._move(_MOVES.get(key, self._room * (1 if key == "pagedown" else -1)))
        else:
            return key in _SWALLOWED
        return True

    def paste(self, text: str) -> None:
        """Add a pasted text to what was typed."""
        self._search(self.query_text + " ".join(text.split()))

    def on_click(self, event: Click) -> None:
        """Choose the class of the line that was clicked."""
        at = self._first + event.y - _HEAD_ROWS
        if event.y >= _HEAD_ROWS and at < min(len(self._found), self._first + self._room):
            self._close(self._found[at])

    def render(self) -> Content:
        """Draw the text of the widget."""
        self._scroll()
        width = self.size.width
        # The end of what was typed is seen, where not all of it fits.
        typed = Content(shown_text(self.query_text))
        cut = max(0, typed.cell_length + 4 - width)
        lines = [
            Content.styled(fit_cells(self._question, width), "bold"),
            Content.assemble(("/ ", "bold $primary"), typed[cut:], ("▏", "$primary")),
        ]
        seen = self._found[self._first : self._first + self._room]
        lines += [self._draw_entry(e, at, width) for at, e in enumerate(seen, self._first)]
        if not self._found:
            lines.append(Content.styled("no class has such a name", "$warning"))
        lines += [Content("")] * (self.size.height - _FOOT_ROWS - len(lines))
        foot = "⏎ choose  esc close"
        place = f"  {self._cursor + 1} of {len(self._found)}" if self._found else ""
        place = place if len(foot + place) <= width else ""
        lines.append(spread(Content(foot), Content(place), width).stylize(MUTED))
        return Content("\n").join(lines)

    def _draw_entry(self, entry: PaletteEntry, at: int, width: int) -> Content:
        is_chosen = at == self._cursor
        number = Content.styled(f" {entry.count:,}", MUTED)
        chip: Content | str = ""
        if entry.label is not None:
            chip = draw_chip(self._scheme, entry.label, self._keys)
        style = "bold reverse" if is_chosen else ""
        mark = Content.assemble("▸" if is_chosen else " ", chip, " ")
        room = width - mark.cell_length - number.cell_length
        name = shown_text(entry.title)
        if entry.label is not None and _is_other_name(entry.label, name):
            name = f"{name}  {shown_text(entry.label)}"
        return Content.assemble(mark, (fit_cells(name, room), style), number)

    def _search(self, text: str) -> None:
        self.query_text = text[:_LONGEST_QUERY]
        self._found = find_entries(self._entries, self.query_text)
        self._cursor = self._first = 0
        self.refresh()

    def _move(self, steps: int) -> None:
        self._cursor = max(0, min(self._cursor + steps, len(self._found) - 1))
        self.refresh()

    def _scroll(self) -> None:
        """Bring the chosen line into view, with the least movement."""
        least, most = self._cursor - self._room + 1, self._cursor
        self._first = max(0, least, min(self._first, most))

    @property
    def _room(self) -> int:
        return max(1, self.size.height - _HEAD_ROWS - _FOOT_ROWS)

    def _close(self, chosen: PaletteEntry | None) -> None:
        self.is_open = self.display = False
        self._answer(chosen)


def _is_other_name(folder: str, title: str) -> bool:
    """Return True if a folder says something that its title does not."""
    letters = [
        "".join(letter for letter in text.casefold() if letter.isalnum())
        for text in (folder, title)
    ]
    return letters[0] != letters[1]
