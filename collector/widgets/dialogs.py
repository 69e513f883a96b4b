"""The dialogs over a screen: consent, a choice among several, a confirmation, and the help."""

import time
from collections.abc import Mapping, Sequence
from datetime import date
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from collector.keys import KeyCommand, show_keys
from maskage.dataset.consent import Consent, parse_day
from maskage.errors import UsageError
from maskage.outside_text import shown_text

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A page over a screen that takes one answer; later keys are ignored."""

    def answer(self, result: Result) -> None:
        """Close the dialog with this answer, if it is still open."""
        if self.is_current:
            self.dismiss(result)


class CalmInput(Input):
    """An input line that gives each key to what it was meant for, however fast they come.

    A shutter key that is pressed, or held, while a dialog opens must not become part of a record;
    nor must a key that is typed behind enter, or one behind tab be part of the former line.
    """

    _CALM_S = 0.5

    class Entered(Message):
        """Enter was pressed; with the text of every line of the dialog at that moment, by id."""

        def __init__(self, texts: Mapping[str, str]) -> None:
            super().__init__()
            self.texts = texts

    def on_mount(self) -> None:
        """Note the time from which keys are ignored."""
        self._opened_s = time.monotonic()

    def on_key(self, event: Key) -> None:
        """Drop printable keys in the first half second; go on and finish without delay."""
        focused = self.screen.focused
        if event.is_printable and time.monotonic() - self._opened_s < self._CALM_S:
            pass
        elif focused is not self and isinstance(focused, CalmInput):
            # It came behind a tab, which was not done yet when the key was on its way.
            focused.post_message(Key(event.key, event.character))
        elif event.key == "tab":
            self.screen.focus_next()
        elif event.key == "shift+tab":
            self.screen.focus_previous()
        elif event.key == "enter":
            lines = self.screen.query(CalmInput)
            self.post_message(self.Entered({line.id or "": line.value for line in lines}))
        else:
            return
        event.stop()
        event.prevent_default()


class ConsentDialog(Dialog[Consent | None]):
    """The question for a person's consent; answered with it, or None.

    Args:
        subject: Pseudonym.
        today: First day of the consent.
        objection: The reason for asking.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(self, subject: str, today: date, objection: str) -> None:
        super().__init__()
        self._subject, self._today, self._objection = subject, today, objection

    def compose(self) -> ComposeResult:
        """Lay the widgets out."""
        with Vertical(id="dialog"):
            yield Static(f"Does {self._subject} agree to be photographed?", id="dialog-title")
            yield CalmInput(placeholder="basis: the signed form (form 12), or self", id="basis")
            yield CalmInput(placeholder="last day: 2027-11-24, or empty for no end", id="expires")
            yield CalmInput(placeholder="for a minor only: who agreed (mother)", id="guardian")
            yield Static(
                f"{self._objection}. Keep the signed form elsewhere and type no names here. "
                f"`collector forget {self._subject}` later removes everything.",
                id="dialog-text",
            )
            yield Static("tab  next line    enter  save    esc  not now", id="dialog-keys")

    def on_calm_input_entered(self, event: CalmInput.Entered) -> None:
        """Answer with what was typed, or show what is wrong with it."""
        try:
            self.answer(self._read(event.texts))
        except (UsageError, ValueError) as fault:
            text = self.query_one("#dialog-text", Static)
            text.update(Content(str(fault)))
            text.add_class("-fault")

    def action_cancel(self) -> None:
        """Close the dialog without an answer."""
        self.answer(None)

    def _read(self, texts: Mapping[str, str]) -> Consent:
        basis, expires, guardian = (
            texts[name].strip() for name in ("basis", "expires", "guardian")
        )
        return Consent(
            self._subject,
            basis,
            self._today,
            parse_day(expires) if expires else None,
            is_minor=bool(guardian),
            guardian=guardian or None,
        )


class ChoiceDialog(Dialog[tuple[str | None] | None]):
    """A choice among several; answered with one in a tuple, or None where nothing was chosen.

    Args:
        question: The title.
        options: The text of each, and its value.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "close"),
        Binding("j", "app.simulate_key('down')", show=False),
        Binding("k", "app.simulate_key('up')", show=False),
    ]

    def __init__(self, question: str, options: Sequence[tuple[str, str | None]]) -> None:
        super().__init__()
        self._question = question
        self._options = options

    def compose(self) -> ComposeResult:
        """Lay the widgets out."""
        with Vertical(id="dialog"):
            yield Static(shown_text(self._question), id="dialog-title", markup=False)
            yield OptionList(
                *(shown_text(text) for text, _ in self._options), id="choices", markup=False
            )
            yield Static("enter  choose      esc  close", id="dialog-keys")

    def action_cancel(self) -> None:
        """Close the dialog without an answer."""
        self.answer(None)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with the option that was chosen."""
        self.answer((self._options[event.option_index][1],))


class ConfirmDialog(Dialog[bool]):
    """A question before something that cannot be undone; answered with True for yes.

    Args:
        question: The title.
        text: What will be done.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "confirm", "yes"),
        Binding("n,escape,q", "cancel", "no"),
    ]

    def __init__(self, question: str, text: str) -> None:
        super().__init__()
        self._question, self._text = question, text

    def compose(self) -> ComposeResult:
        """Lay the widgets out."""
        with Vertical(id="dialog"):
            yield Static(shown_text(self._question), id="dialog-title", markup=False)
            yield Static(shown_text(self._text), id="dialog-text", markup=False)
            yield Static("y  yes, delete      n  no", id="dialog-keys")

    def action_confirm(self) -> None:
        """Answer with yes."""
        self.answer(True)

    def action_cancel(self) -> None:
        """Answer with no."""
        self.answer(False)


class HelpPage(Dialog[None]):
    """The help: what every key does, and how strict the gate is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "close", "close")
    ]

    def __init__(self, commands: tuple[KeyCommand, ...], gate_text: str) -> None:
        super().__init__()
        self._commands = commands
        self._gate_text = gate_text

    def compose(self) -> ComposeResult:
        """Lay the widgets out."""
        commands = [c for c in self._commands if c.keys]
        width = max(len(show_keys(c.keys)) for c in commands)
        lines = [
            Content.assemble((f"{show_keys(c.keys):>{width}}  ", "bold $primary"), c.text)
            for c in commands
        ]
        # It has the focus, so that the arrow keys scroll it in a low terminal.
        with VerticalScroll(id="dialog", classes="-wide"):
            yield Static(Content("\n").join(lines))
            yield Static(self._gate_text, id="dialog-text")
            yield Static("esc  back", id="dialog-keys")

    def action_close(self) -> None:
        """Close the help."""
        self.answer(None)
