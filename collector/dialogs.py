"""The pages that cover a screen: who sits there, one of several, and what the keys do."""

import re
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from collector.errors import UsageError
from collector.keys import KeyCommand, show_keys

_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def check_subject(text: str) -> str:
    """A subject is a pseudonym: letters, digits, `.`, `_`, `-`; at most 40.

    Raises:
        UsageError: It is not.
    """
    subject = text.strip()
    if not _SUBJECT.fullmatch(subject):
        raise UsageError(
            f"A subject is a pseudonym of up to 40 letters, digits, '.', '_' and '-', such as p07; "
            f"found {subject!r}."
        )
    return subject


class SubjectDialog(ModalScreen[str | None]):
    """Asks who sits before the camera; dismissed with the pseudonym, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(self, subject: str | None) -> None:
        super().__init__()
        self._subject = subject

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Who sits before the camera?", id="dialog-title")
            yield Input(self._subject or "", placeholder="p07", max_length=40, id="subject")
            yield Static(
                "A pseudonym, never a name. All photos of one person stay on one side of the "
                "split. A new subject starts a new session.",
                id="dialog-text",
            )
            yield Static("enter  keep      esc  leave as it is", id="dialog-keys")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            self.dismiss(check_subject(event.value))
        except UsageError as fault:
            text = self.query_one("#dialog-text", Static)
            text.update(Content(str(fault)))
            text.add_class("-fault")

    def action_cancel(self) -> None:
        self.dismiss(None)


class ChoiceDialog(ModalScreen[tuple[str | None] | None]):
    """Asks for one of several; dismissed with it in a tuple, or None where nothing was chosen.

    Args:
        question: The title.
        options: What is shown, and what it stands for.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "close"),
        Binding("j", "app.simulate_key('down')", show=False),
        Binding("k", "app.simulate_key('up')", show=False),
    ]

    def __init__(self, question: str, options: Sequence[tuple[str, str | None]]) -> None:
        super().__init__()
        self._question = question
        self._options = options

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(self._question, id="dialog-title")
            yield OptionList(*(text for text, _ in self._options), id="choices", markup=False)
            yield Static("enter  choose      esc  leave as it is", id="dialog-keys")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss((self._options[event.option_index][1],))


class HelpPage(ModalScreen[None]):
    """What every key does, and what the gate in force means."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "close")
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
