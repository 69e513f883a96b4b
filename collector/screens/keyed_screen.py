"""A screen whose keys come from a table, with the palette that finds a class by its name."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingsMap
from textual.events import Key, Paste

from collector.keys import PALETTE, KeyCommand, class_keys
from collector.widgets.class_palette import ClassPalette
from collector.widgets.class_search import PaletteEntry
from collector.widgets.roomy_screen import RoomyScreen
from maskage.classes.scheme import Scheme


class KeyedScreen(RoomyScreen[None]):
    """The keys of a screen, and its palette, which has the id "palette".

    Args:
        scheme: The classes.
        commands: The keys.
        recent: The classes used so far, the last one first.
    """

    UNDER_PALETTE: ClassVar[str] = ""
    """Selector of the widgets whose place the palette takes."""

    def __init__(
        self, scheme: Scheme, commands: Sequence[KeyCommand], recent: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self._scheme = scheme
        self._commands = tuple(commands)
        self._class_keys = class_keys(commands)
        self._recent = list(recent)
        bindings = [Binding(c.keys, c.action, c.text, show=False) for c in commands if c.keys]
        # A class attribute cannot hold them: each dataset has keys of its own.
        self._bindings = BindingsMap.merge((self._bindings, BindingsMap(bindings)))
        self._find_keys = next(c.keys.split(",") for c in commands if c.action == PALETTE)

    @property
    def palette(self) -> ClassPalette:
        """The palette of classes."""
        return self.query_one("#palette", ClassPalette)

    def on_key(self, event: Key) -> None:
        """Give the palette its keys, here, where keys come in the order they were typed."""
        if self.palette.is_open:
            is_taken = self.palette.take_key(event)
        else:
            is_taken = event.key in self._find_keys
            if is_taken:
                self.action_find_class()
        if is_taken:
            event.stop()
            event.prevent_default()

    def on_paste(self, event: Paste) -> None:
        """Give the palette what is pasted."""
        if self.palette.is_open:
            self.palette.paste(event.text)

    def action_find_class(self) -> None:
        """Open the palette; each screen says what becomes of the class."""
        raise NotImplementedError

    def _open_palette(
        self, question: str, entries: Sequence[PaletteEntry], use: Callable[[str | None], None]
    ) -> None:
        """Ask for a class, in the place of the panels.

        Args:
            question: The title.
            entries: The classes to choose from.
            use: Called with the chosen class; not where the palette is closed without one.
        """
        if self.palette.is_open or self.is_too_small:
            return
        panels = self.query(self.UNDER_PALETTE)

        def take(chosen: PaletteEntry | None) -> None:
            panels.set(display=True)
            if chosen is not None:
                use(chosen.label)

        panels.set(display=False)
        self.palette.open(question, entries, take)

    def _list_classes(self, counts: Mapping[str, int]) -> list[PaletteEntry]:
        """Return the classes, those used last first, then in class order."""
        labels = dict.fromkeys((*self._recent, *self._scheme.labels))
        return [PaletteEntry(label, self._scheme.title(label), counts[label]) for label in labels]

    def _note_used(self, label: str) -> None:
        self._recent = [label, *(other for other in self._recent if other != label)]
