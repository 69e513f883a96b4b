"""Changes of photos as data, so that each can be done, undone and done again."""

from dataclasses import dataclass, replace

from maskage.records import Photo


@dataclass(frozen=True)
class Edit:
    """One photo before and after.

    Attributes:
        before: The photo before the edit; None where it comes out of the trash.
        after: The photo after the edit; None where it goes to the trash.
    """

    before: Photo | None
    after: Photo | None

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
    def inverse(self) -> "Edit":
        """The edit that undoes this one."""
        return Edit(self.after, self.before)

    @property
    def action(self) -> str:
        """The one word for it in the manifest's events."""
        if self.before is None:
            return "restore"
        if self.after is None:
            return "trash"
        if self.before.label != self.after.label:
            return "relabel"
        return "flag" if self.after.is_flagged else "unflag"


def trashing(photo: Photo) -> Edit:
    """Return the edit that moves a photo to the trash."""
    return Edit(photo, None)


def flagging(photo: Photo, *, is_flagged: bool) -> Edit:
    """Return the edit that sets or removes the flag."""
    return Edit(photo, replace(photo, is_flagged=is_flagged))
