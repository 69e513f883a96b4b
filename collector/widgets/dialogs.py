"""The pages that cover a screen: who sits there, one of several, and what the keys do."""

import time
from collections.abc import Sequence
from datetime import date
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from collector.keys import KeyCommand, show_keys
from maskage.dataset.consent import Consent, check_subject, parse_day
from maskage.errors import UsageError
from maskage.outside_text import shown_text

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A page over a screen that is answered once: keys that come after the answer are too late."""

    def answer(self, result: Result) -> None:
        """Close it with this answer, if it is still open."""
        if self.is_current:
            self.dismiss(result)


class CalmInput(Input):
    """A line that does not take in keys which were meant for the screen below it.

    A shutter key that is pressed, or held, while a dialog opens must not become part of a record.
    """

    _CALM_S = 0.5

    def on_mount(self) -> None:
        self._opened_s = time.monotonic()

    def on_key(self, event: Key) -> None:
        if event.is_printable and time.monotonic() - self._opened_s < self._CALM_S:
            event.stop()
            event.prevent_default()


class SubjectDialog(Dialog[str | None]):
    """Asks who sits before the camera; dismissed with the pseudonym, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(self, subject: str | None) -> None:
        super().__init__()
        self._subject = subject

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Who sits before the camera?", id="dialog-title")
            yield CalmInput(self._subject or "", placeholder="p07", max_length=40, id="subject")
            yield Static(
                "A pseudonym, never a name. All photos of one person stay on one side of the "
                "split. A new subject starts a new session.",
                id="dialog-text",
            )
            yield Static("enter  keep      esc  leave as it is", id="dialog-keys")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            self.answer(check_subject(event.value))
        except UsageError as fault:
            text = self.query_one("#dialog-text", Static)
            text.update(Content(str(fault)))
            text.add_class("-fault")

    def action_cancel(self) -> None:
        self.answer(None)


class ConsentDialog(Dialog[Consent | None]):
    """Asks what a person's consent rests on; dismissed with it, or None.

    Args:
        subject: Pseudonym.
        today: From when it holds.
        objection: Why it is asked for.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(self, subject: str, today: date, objection: str) -> None:
        super().__init__()
        self._subject, self._today, self._objection = subject, today, objection

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(f"Does {self._subject} agree to be photographed?", id="dialog-title")
            yield CalmInput(placeholder="what it rests on: form 12, or self", id="basis")
            yield CalmInput(placeholder="last day it holds: 2027-11-24, or no end", id="expires")
            yield CalmInput(placeholder="for a minor, who agreed: mother", id="guardian")
            yield Static(
                f"{self._objection}. The signed form is kept elsewhere; no names here. "
                f"`collector forget {self._subject}` removes everything again.",
                id="dialog-text",
            )
            yield Static("tab  next line    enter  record    esc  not now", id="dialog-keys")

    def on_input_submitted(self) -> None:
        try:
            self.answer(self._read())
        except (UsageError, ValueError) as fault:
            text = self.query_one("#dialog-text", Static)
            text.update(Content(str(fault)))
            text.add_class("-fault")

    def action_cancel(self) -> None:
        self.answer(None)

    def _read(self) -> Consent:
        basis, expires, guardian = (
            self.query_one(f"#{name}", Input).value.strip()
            for name in ("basis", "expires", "guardian")
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
    """Asks for one of several; dismissed with it in a tuple, or None where nothing was chosen.

    Args:
        question: The title.
        options: What is shown, and what it stands for.
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
        with Vertical(id="dialog"):
            yield Static(shown_text(self._question), id="dialog-title", markup=False)
            yield OptionList(
                *(shown_text(text) for text, _ in self._options), id="choices", markup=False
            )
            yield Static("enter  choose      esc  leave as it is", id="dialog-keys")

    def action_cancel(self) -> None:
        self.answer(None)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.answer((self._options[event.option_index][1],))


class HelpPage(Dialog[None]):
    """What every key does, and what the gate in force means."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "close", "close")
    ]

    def __init__(self, commands: tuple[KeyCommand, ...], gate_text: str) -> None:
        super().__init__()
        self._commands = commands
        self._gate_text = gate_text

    def compose(self) -> ComposeResult:
        lines = [
            Content.assemble((f"{show_keys(c.keys):>6}  ", "bold $primary"), c.text)
            for c in self._commands
        ]
        with Vertical(id="dialog", classes="-wide"):
            yield Static(Content("\n").join(lines))
            yield Static(self._gate_text, id="dialog-text")
            yield Static("esc  back", id="dialog-keys")

    def action_close(self) -> None:
        self.answer(None)
