"""Changes of photos as data, so that each can be done, undone and done again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from maskage.records import Photo


@dataclass(frozen=True)
class Edit:
    """One photo before and after.

    Attributes:
        before: The photo before the edit; None where it comes out of the trash.
        after: The photo after the edit; None where it goes to the trash.
        trashed: The photo as it lies in the trash before or after the edit, where its path and
            label there are others: it was restored into another class.
    """

    before: Photo | None
    after: Photo | None
    trashed: Photo | None = None

    def __post_init__(self) -> None:
        if self.before is None and self.after is None:
            raise ValueError("An edit has a photo before it, after it, or both; found neither.")

    @property
    def photo(self) -> Photo:
        """The photo as it is after the edit, or was before it where the edit trashed it."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def start(self) -> Photo:
        """The photo as it lies before the edit, also in the trash."""
        return self.before or self.trashed or self.photo

    @property
    def end(self) -> Photo:
        """The photo as it lies after the edit, also in the trash."""
        return self.after or self.trashed or self.photo

    @property
    def inverse(self) -> "Edit":
        """The edit that undoes this one."""
        return Edit(self.after, self.before, self.trashed)

    @property
    def action(self) -> str:
        """The one word for it in the manifest's events."""
        if self.before is None:
            return "restore"
        if self.after is None:
            return "trash"
        if self.before.label != self.after.label:
            return "relabel"
        if self.before.is_flagged != self.after.is_flagged:
            return "flag" if self.after.is_flagged else "unflag"
        if self.before.confirmed != self.after.confirmed:
            return "confirm" if self.after.confirmed else "unconfirm"
        return "describe"


def trashing(photo: Photo) -> Edit:
    """Return the edit that moves a photo to the trash."""
    return Edit(photo, None)


class Keep(Enum):
    """A fact that an edit leaves as it is: None would remove it."""

    KEPT = "kept"


def describing(
    photo: Photo,
    *,
    subject: str | Keep | None = Keep.KEPT,
    session: str | Keep | None = Keep.KEPT,
    group: str | Keep | None = Keep.KEPT,
) -> Edit:
    """Return the edit that sets or removes what is known of a photo; None removes it."""
    facts = {"subject": subject, "session": session, "group": group}
    changes: dict[str, Any] = {
        name: value for name, value in facts.items() if not isinstance(value, Keep)
    }
    return Edit(photo, replace(photo, **changes))


def confirming(photo: Photo, *, is_confirmed: bool = True) -> Edit:
    """Return the edit that records that a person confirmed the label, whatever others suggest."""
    return Edit(photo, replace(photo, confirmed=photo.label if is_confirmed else None))


def flagging(photo: Photo, *, is_flagged: bool) -> Edit:
    """Return the edit that sets or removes the flag."""
    return Edit(photo, replace(photo, is_flagged=is_flagged))


def describe_failure(edits: Sequence[Edit]) -> str:
    """Return what cannot be done to which photos: "a.jpg and 2 more: cannot be relabelled"."""
    words = {
        "trash": "moved to the trash",
        "restore": "brought back",
        "relabel": "relabelled",
        "describe": "described",
        "confirm": "confirmed",
        "unconfirm": "confirmed",
    }
    more = f" and {len(edits) - 1} more" if len(edits) > 1 else ""
    return f"{edits[0].photo.path}{more}: cannot be {words.get(edits[0].action, 'flagged')}"
