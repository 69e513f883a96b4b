"""The four classes as earlier versions had them: `maskage.Label` and `maskage.LABELS`.

For scripts of users only, with a warning, until the next minor version. A label is a `str` today,
and an enum's member equals it.
"""

from enum import StrEnum


class Label(StrEnum):
    """One of the four classes; the value is the folder name."""

    MASK_OLD = "mask_old"
    MASK_YOUNG = "mask_young"
    NOMASK_OLD = "nomask_old"
    NOMASK_YOUNG = "nomask_young"

    @property
    def has_mask(self) -> bool:
        """True for a mask over nose and mouth."""
        return self in (Label.MASK_OLD, Label.MASK_YOUNG)

    @property
    def is_old(self) -> bool:
        """True for the older age group."""
        return self in (Label.MASK_OLD, Label.NOMASK_OLD)

    @property
    def title(self) -> str:  # type: ignore[override]
        """Text for people, such as "mask, old"."""
        return self.value.replace("nomask", "no mask").replace("_", ", ")


LABELS: tuple[Label, ...] = tuple(Label)
