"""Plan variants of photos for train, and choose their names."""

from pathlib import PurePosixPath

from curation.masks.painting import MaskPainting
from curation.plan.plan import PlannedPhoto

MAX_NAME_BYTES = 255
"""Largest size of a file's name, bytes, on every file system in use."""

VARIED = "aug"
"""Mark in the names of augmented variants, which keep the class."""


class VariantNames:
    """The names in use, from which new names of variants differ.

    Args:
        taken: Paths in use, relative to the dataset.
    """

    def __init__(self, taken: list[str]) -> None:
        self._taken = {path.casefold() for path in taken}

    def take(self, path: str) -> bool:
        """Return True if a path was free, and take it."""
        is_free = path.casefold() not in self._taken
        self._taken.add(path.casefold())
        return is_free

    def name(
        self,
        parent: PlannedPhoto,
        label: str,
        mark: str,
        number: int = 1,
        *,
        suffix: str = ".jpg",
    ) -> str:
        """Return `<label>/<stem>__<mark><number>.jpg`, or the next number that is not in use."""
        stem = PurePosixPath(parent.path).stem
        while not self.take(path := f"{label}/{marked_name(stem, f'__{mark}{number}{suffix}')}"):
            number += 1
        return path


def marked_name(stem: str, mark: str) -> str:
    """Append a mark to a stem, and shorten a stem that is too long for it."""
    return stem.encode()[: MAX_NAME_BYTES - len(mark)].decode(errors="ignore") + mark


def variant_of(
    parent: PlannedPhoto, path: str, label: str, painting: MaskPainting | None = None
) -> PlannedPhoto:
    """Return the plan of a variant of a kept photo; it stays in the same split."""
    return PlannedPhoto(
        path=path,
        label=label,
        kept=True,
        group=parent.group,
        split=parent.split,
        parent=parent.path,
        painting=painting,
    )
