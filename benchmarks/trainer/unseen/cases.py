"""The photos that are measured on, with their groups and what is known about each of them."""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from curation.grouping.groups import group_photos
from curation.grouping.look_alikes import find_look_alikes
from curation.plan.dataset import read_dataset
from curation.scan.scanning import scan_photos
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import AGE, MASK, NONE, WORN, YOUNG
from maskage.console import show_progress
from maskage.dataset.photo_scan import PhotoScan
from maskage.errors import DatasetError
from maskage.pictures.perceptual_hash import GROUP_BITS
from maskage.records import Photo

FEW_PHOTOS = 100
"""Number of photos below which sources are held out together, as alone they show nothing."""
OTHER = "other"
MISWORN_SOURCE = "misworn"
AGES = ((18, "to 18"), (35, "19 to 35"), (59, "36 to 59"), (200, "60 and more"))
STATES = frozenset({"nose_out", "chin"})
"""Values of the column `mask_worn` that are worn wrongly."""

Rows = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Case:
    """A photo with what is known about it.

    Attributes:
        photo: Path in a dataset of the four classes, and label.
        group: Number of the group, which stays in one fold.
        source: Source of the photo; sources of few photos are `OTHER`.
        age: Range of the known age, "by eye" where only the label is known.
        file: Path of the file.
        state: How its mask is worn ("worn", "nose_out", "chin", ...); "" for no mask or unknown.
        is_misworn_photo: True for a photo of the folder of misworn masks, whose age is unknown.
    """

    photo: Photo
    group: int
    source: str
    age: str
    file: Path
    state: str = ""
    is_misworn_photo: bool = False

    @property
    def key(self) -> str:
        """Name of the photo in kept answers, whatever label it is trained with."""
        return f"misworn/{self.file.name}" if self.is_misworn_photo else self.photo.path


def list_cases(faces: Path, metadata: Path | None, misworn: Path | None = None) -> list[Case]:
    """List the readable photos with their groups, as `curate` finds them.

    Args:
        faces: Folder of the four classes.
        metadata: CSV of `path` and any of `group`, `source`, `age_known`, `mask_worn`.
        misworn: Folder of misworn masks with a `labels.csv`; they come last, labelled young.
    """
    rows = read_rows(metadata)
    photos = [
        replace(photo, group=known(rows, photo.path, "group") or None)
        for photo in read_dataset(faces).photos
    ]
    scans = scan_readable(faces, photos)
    kinds = read_rows(misworn / "labels.csv") if misworn else {}
    strange = scan_readable(misworn, list_misworn(misworn, kinds)) if misworn else []
    together = [*scans, *strange]
    groups = group_photos(together, find_look_alikes(together, GROUP_BITS))
    counts = Counter(known(rows, scan.path, "source") for scan in scans)
    ours = [
        make_case(faces, scan, group, rows, counts)
        for scan, group in zip(scans, groups, strict=False)
    ]
    return ours + [
        make_misworn_case(scan, group, misworn / scan.path, known(kinds, scan.path, "kind"))
        for scan, group in zip(strange, groups[len(scans) :], strict=True)
        if misworn
    ]


def read_rows(table: Path | None) -> Rows:
    """Return the rows of a CSV by their column `path`; none without a table."""
    if table is None:
        return {}
    with table.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def known(rows: Rows, path: str, column: str) -> str:
    """Return a cell, "" where there is none."""
    return rows.get(path, {}).get(column) or ""


def scan_readable(folder: Path, photos: Sequence[Photo]) -> list[PhotoScan]:
    """Scan photos, and return those that can be read."""
    scanned = show_progress(scan_photos(folder, photos), "scanning photos", len(photos))
    return [scan for scan in scanned if scan.file_scan.fault is None]


def list_misworn(folder: Path, kinds: Rows) -> list[Photo]:
    """List the photos of misworn masks that the table names.

    Raises:
        DatasetError: The table names none, or a photo that is missing.
    """
    missing = [path for path in kinds if not (folder / path).is_file()]
    if missing or not kinds:
        found = f"{len(missing)} of its {len(kinds)} photos are missing, as {missing[:1]}"
        raise DatasetError(
            f"{folder / 'labels.csv'}: {found}. It needs a row of path, group and kind for each "
            f"photo of the folder."
        )
    label = label_of(NONE, YOUNG)
    return [
        Photo(path, label, group=f"misworn {known(kinds, path, 'group') or path}")
        for path in sorted(kinds)
    ]


def label_of(mask: str, age: str) -> str:
    """Return the class of these values."""
    return next(
        label
        for label in MASK_AGE.labels
        if MASK_AGE.has(label, MASK, mask) and MASK_AGE.has(label, AGE, age)
    )


def make_case(
    faces: Path, scan: PhotoScan, group: int, rows: Rows, counts: Mapping[str, int]
) -> Case:
    """Return a photo of the four classes as a case; `counts` are the photos of each source."""
    source = known(rows, scan.path, "source")
    state = known(rows, scan.path, "mask_worn")
    if not state and MASK_AGE.has(scan.photo.label, MASK, WORN):
        state = WORN
    return Case(
        scan.photo,
        group,
        source if counts[source] >= FEW_PHOTOS else OTHER,
        age_bucket(known(rows, scan.path, "age_known")),
        faces / scan.path,
        state,
    )


def make_misworn_case(scan: PhotoScan, group: int, file: Path, kind: str) -> Case:
    """Return a photo of the folder of misworn masks as a case."""
    photo = replace(scan.photo, path=f"{scan.photo.label}/misworn_{scan.path}")
    return Case(photo, group, MISWORN_SOURCE, "unknown", file, kind or "other", True)


def relabel(case: Case, label: str) -> Case:
    """Return a case with another label, which is also the folder in its path."""
    path = f"{label}/{case.photo.path.split('/', 1)[1]}"
    return replace(case, photo=replace(case.photo, path=path, label=label))


def age_bucket(known_age: str) -> str:
    """Return the range of an age such as "26", "1-18" or "19-35 by eye", by the last number."""
    numbers = re.findall(r"\d+", known_age)
    if not numbers:
        return "by eye"
    return next(name for most, name in AGES if int(numbers[-1]) <= most)
