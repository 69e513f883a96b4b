"""Variants of photos, added to train: what they are called, and what is planned of them."""

from pathlib import PurePosixPath

from curation.masks.painting import MaskPainting
from curation.plan.plan import PlannedPhoto
from maskage.records import Label

MAX_NAME_BYTES = 255
"""Of a file's name, on every file system in use."""

VARIED = "aug"
"""Mark in the names of variants that keep what the photo shows."""


class VariantNames:
    """Names for variants that no photo has, nor another variant.

    Args:
        taken: Paths that are in use, relative to the dataset.
    """

    def __init__(self, taken: list[str]) -> None:
        self._taken = {path.casefold() for path in taken}

    def name(self, parent: PlannedPhoto, label: Label, mark: str, number: int = 1) -> str:
        """`<label>/<stem>__<mark><number>.jpg` after a parent, or the next number that is free."""
        stem = PurePosixPath(parent.path).stem
        while (
            path := f"{label}/{_marked(stem, f'__{mark}{number}.jpg')}"
        ).casefold() in self._taken:
            number += 1
        self._taken.add(path.casefold())
        return path


def _marked(stem: str, mark: str) -> str:
    """Of a stem too long for a mark, the end gives way."""
    return stem.encode()[: MAX_NAME_BYTES - len(mark)].decode(errors="ignore") + mark


def variant_of(
    parent: PlannedPhoto, path: str, label: Label, painting: MaskPainting | None = None
) -> PlannedPhoto:
    """A variant to be made of a kept photo; it stays on its side of the split."""
    return PlannedPhoto(
        path=path,
        label=label,
        kept=True,
        group=parent.group,
        split=parent.split,
        parent=parent.path,
        painting=painting,
    )
