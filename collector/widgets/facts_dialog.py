"""The dialog that sets or corrects subject, session and group of photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from collector.widgets.dialogs import CalmInput
from collector.widgets.known_names import KnownName, NameInput, NameLines
from collector.widgets.panels import count_photos
from collector.widgets.subject_dialog import LONGEST_SUBJECT, NamingDialog
from maskage.classes.scheme import Scheme
from maskage.dataset.edits import Edit, Keep, describing
from maskage.errors import UsageError
from maskage.outside_text import shown_text
from maskage.records import Photo

REMOVE = "-"
"""What is typed on a line to remove the fact."""

_LONGEST = 120
_HINTS = {
    "subject": "p07: a pseudonym, never a real name",
    "session": "one light, one day",
    "group": "stays on one side of a split",
}


@dataclass(frozen=True)
class FactChanges:
    """Changes of what is known of photos; None removes a fact.

    Attributes:
        subject: Pseudonym of the person.
        session: Name of the session.
        group: Name of the group.
    """

    subject: str | Keep | None = Keep.KEPT
    session: str | Keep | None = Keep.KEPT
    group: str | Keep | None = Keep.KEPT

    def edit(self, photo: Photo) -> Edit | None:
        """Return the edit of one photo, or None where nothing changes."""
        edit = describing(photo, subject=self.subject, session=self.session, group=self.group)
        return None if edit.after == photo else edit


FACTS = tuple(each.name for each in fields(FactChanges))


def read_line(fact: str, typed: str, value: str | None) -> str | Keep | None:
    """Return what a line says of a fact.

    Args:
        fact: Name of the fact, for the message.
        typed: Text of the line: nothing leaves the fact as it is, `REMOVE` removes it.
        value: Text that the line had at first.

    Raises:
        UsageError: The text cannot be a name.
    """
    text = typed.strip()
    if text in ("", value):
        return Keep.KEPT
    if text == REMOVE:
        return None
    if not text.isprintable():
        raise UsageError(f"A {fact} is one line of plain text; found {text!r}.")
    return text


class FactsDialog(NamingDialog[FactChanges | None]):
    """Three lines, filled in where all photos agree; answered with the changes, or None.

    Args:
        photos: The photos to be changed, at least one.
        known: The names in use, by fact.
        scheme: The classes.
    """

    KEYS = "enter  save    tab  next line    ↓ ↑  known names    esc  cancel"
    TEXT = f"An empty line leaves what is known as it is; {REMOVE} removes it. One step for undo."

    def __init__(
        self, photos: Sequence[Photo], known: Mapping[str, Sequence[KnownName]], scheme: Scheme
    ) -> None:
        super().__init__(known["subject"])
        self._count = len(photos)
        self._known, self._scheme = known, scheme
        self._values: dict[str, str | None] = {}
        self._hints = dict(_HINTS)
        for fact in FACTS:
            values = {getattr(photo, fact) for photo in photos}
            value = next(iter(values)) if len(values) == 1 else None
            if len(values) > 1:
                self._hints[fact] = "(several)"
            elif value is not None and not value.isprintable():
                # A name that is not UTF-8 cannot be typed; it can be left, replaced or removed.
                self._hints[fact], value = shown_text(value), None
            self._values[fact] = value

    def compose(self) -> ComposeResult:
        """Lay the widgets out."""
        title = f"Set subject, session and group of {count_photos(self._count)}"
        with Vertical(id="dialog", classes="-wide"):
            yield Static(title, id="dialog-title")
            yield NameLines([self._line(fact) for fact in FACTS], self._scheme)
            yield Static(self.TEXT, id="dialog-text")
            yield Static(self.KEYS, id="dialog-keys")

    def _line(self, fact: str) -> NameInput:
        return NameInput(
            self._values[fact] or "",
            self._known[fact],
            placeholder=self._hints[fact],
            max_length=LONGEST_SUBJECT if fact == "subject" else _LONGEST,
            id=fact,
        )

    def on_calm_input_entered(self, event: CalmInput.Entered) -> None:
        """Answer with what the lines say, or show what is wrong with them."""
        try:
            said = {fact: read_line(fact, event.texts[fact], self._values[fact]) for fact in FACTS}
            changes = FactChanges(**said)
            if isinstance(changes.subject, str):
                self.check_name(
                    changes.subject,
                    lambda name: self.answer(FactChanges(name, changes.session, changes.group)),
                )
            else:
                self.answer(changes)
        except UsageError as fault:
            self.show_fault(fault)

    def leave(self) -> None:
        """Close the dialog without an answer."""
        self.answer(None)
