"""Choose the files of a result whose photos not every reader shows alike: their change and name."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath

from curation.plan.plan import PlannedPhoto
from curation.plan.variants import VariantNames, marked_name
from maskage.pictures.common_formats import FormatChange, find_format_change


def name_written_files(root: Path, photos: Sequence[PlannedPhoto]) -> list[PlannedPhoto]:
    """Return the photos of a plan, each with the change that its file needs and its new name.

    `a.webp` becomes `a.jpg`, or `a__webp1.jpg` where the class has an `a.jpg`: what was made of a
    photo bears its name, by which `collector forget` finds it.

    Args:
        root: The dataset, which is only read.
        photos: All photos and variants of the plan, sorted by path.
    """

    def find(photo: PlannedPhoto) -> FormatChange | None:
        is_copied = photo.kept and photo.parent is None
        return find_format_change(root / photo.path) if is_copied else None

    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="formats") as pool:
        changes = list(pool.map(find, photos))
    names = VariantNames([photo.path for photo in photos])
    return [
        photo if change is None else _changed(photo, change, names)
        for photo, change in zip(photos, changes, strict=True)
    ]


def _changed(photo: PlannedPhoto, change: FormatChange, names: VariantNames) -> PlannedPhoto:
    path = PurePosixPath(photo.path)
    if path.suffix.lower() == change.suffix:
        return replace(photo, change=change, written=photo.path)
    stem = path.stem if path.suffix else path.name
    written = f"{photo.label}/{marked_name(stem, change.suffix)}"
    if not names.take(written):
        kind = path.suffix.lower().strip(".")
        mark = kind if kind.isalpha() and kind.isascii() else "file"
        written = names.name(photo, photo.label, mark, suffix=change.suffix)
    return replace(photo, change=change, written=written)
