"""The question who is in front of the camera, with the people the dataset knows."""

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from collector.widgets.dialogs import CalmInput, Dialog
from collector.widgets.known_names import KnownName, NameInput, NameLines
from collector.widgets.panels import count_photos
from maskage.classes.scheme import Scheme
from maskage.dataset.consent import check_subject
from maskage.dataset.near_names import find_near_name
from maskage.errors import UsageError
from maskage.outside_text import shown_text

Result = TypeVar("Result")

LONGEST_SUBJECT = 40


class NamingDialog(Dialog[Result]):
    """A dialog in which people are named; asks where a name is nearly that of a known person.

    Args:
        people: The people that the dataset knows.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "take_near", "yes", show=False),
        Binding("n", "keep_typed", "no", show=False),
        Binding("escape", "cancel", "cancel"),
    ]
    KEYS: ClassVar[str] = ""
    """The keys of the dialog, in words."""
    TEXT: ClassVar[str] = ""

    def __init__(self, people: Sequence[KnownName]) -> None:
        super().__init__()
        self._people = {each.name: each for each in people}
        self._accept: Callable[[str], None] | None = None
        self._typed = self._near = ""

    def check_name(self, typed: str, accept: Callable[[str], None]) -> None:
        """Call `accept` with the name, at once or after the question whether another is meant.

        Raises:
            UsageError: The name is no pseudonym.
        """
        name = check_subject(typed)
        near = find_near_name(name, self._people)
        if near is None:
            accept(name)
            return
        self._accept, self._typed, self._near = accept, name, near
        count = self._people[near].count
        has = f"has {count_photos(count)}" if count else "is known"
        self._say(f"{near} {has}, {name} has none. Did you mean {near}?", "-question")
        self.query_one("#dialog-keys", Static).update(
            Content(f"y  yes, {near}    n  no, {name} is somebody else    esc  type again")
        )
        # The keys are no letters of the line until the question is answered.
        self.set_focus(None)

    def action_take_near(self) -> None:
        """Take the known person."""
        self._settle(self._near)

    def action_keep_typed(self) -> None:
        """Take the name as it was typed."""
        self._settle(self._typed)

    def action_cancel(self) -> None:
        """Go back from the question to the line, or close the dialog without an answer."""
        if self._accept is None:
            self.leave()
            return
        self._accept = None
        self._say(self.TEXT)
        self.query_one("#dialog-keys", Static).update(Content(self.KEYS))
        self.query_one("#subject", Input).focus()

    def leave(self) -> None:
        """Close the dialog without an answer."""
        raise NotImplementedError

    def show_fault(self, fault: Exception) -> None:
        """Show what is wrong with what was typed."""
        self._say(str(fault), "-fault")

    def _say(self, text: str, kind: str = "") -> None:
        line = self.query_one("#dialog-text", Static)
        line.update(Content(shown_text(text)))
        line.set_class(kind == "-fault", "-fault")
        line.set_class(kind == "-question", "-question")

    def _settle(self, name: str) -> None:
        if self._accept is not None:
            accept, self._accept = self._accept, None
            accept(name)


class SubjectDialog(NamingDialog[str | None]):
    """The question who is in front of the camera; answered with the pseudonym, or None.

    Args:
        subject: The subject so far, or None.
        people: The people that the dataset knows.
        scheme: The classes.
    """

    KEYS = "enter  save    ↓ ↑  known people    esc  keep the current"
    TEXT = (
        "Type a pseudonym, never a real name. All photos of one person go into the same split. "
        "A new subject starts a new session."
    )

    def __init__(self, subject: str | None, people: Sequence[KnownName], scheme: Scheme) -> None:
        super().__init__(people)
        self._subject, self._scheme = subject, scheme

    def compose(self) -> ComposeResult:
        """Lay the widgets out."""
        known = list(self._people.values())
        line = NameInput(
            self._subject or "",
            known,
            placeholder="p07",
            max_length=LONGEST_SUBJECT,
            id="subject",
        )
        with Vertical(id="dialog", classes="-wide"):
            yield Static("Who is in front of the camera?", id="dialog-title")
            yield NameLines([line], self._scheme) if known else line
            yield Static(self.TEXT, id="dialog-text")
            yield Static(self.KEYS, id="dialog-keys")

    def on_calm_input_entered(self, event: CalmInput.Entered) -> None:
        """Answer with what was typed, or show what is wrong with it."""
        try:
            self.check_name(event.texts["subject"], self.answer)
        except UsageError as fault:
            self.show_fault(fault)

    def leave(self) -> None:
        """Close the dialog without an answer."""
        self.answer(None)
