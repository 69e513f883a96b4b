"""What training reads: the folders that `curate` writes, or anybody's train/val/test folders."""

import csv
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.outside_text import cell_to_path
from maskage.pictures.picture_files import LeftOut, below, list_beside, list_pictures
from maskage.records import LABELS, Label
from maskage.system.files import write_private
from maskage.system.swap_folder import find_place

SPLITS = ("train", "val", "test")
PLAN_FILE = "plan.csv"
PLAN_COLUMNS = ("path", "label", "kept", "reason", "group", "split", "parent")
WEIGHTS_FILE = "class_weights.json"


@dataclass(frozen=True)
class CuratedPhoto:
    """One photo of a split.

    Attributes:
        path: Absolute.
        label: The class folder it lies in.
        group: Photos of one group never straddle splits. Its own path where nobody says.
        parent: For an augmented copy, the photo it was made from, relative to the dataset.
    """

    path: Path
    label: Label
    group: str
    parent: str | None = None


@dataclass(frozen=True)
class CuratedDataset:
    """A folder of train, val and test, each with the four class folders.

    Attributes:
        folder: Absolute.
        splits: The photos of each split, sorted by path.
    """

    folder: Path
    splits: Mapping[str, tuple[CuratedPhoto, ...]]

    def photos(self, split: str) -> list[CuratedPhoto]:
        """The photos of "train", "val" or "test", sorted by path."""
        return list(self.splits[split])


def read_curated(folder: Path) -> CuratedDataset:
    """Read what `curate` wrote; works as well on any train/val/test folders without a plan.csv.

    Raises:
        DatasetError: A split or a class is missing or empty, or plan.csv is damaged.
    """
    folder = folder.resolve()
    find_place(folder)
    if not folder.is_dir():
        raise DatasetError(
            f"No curated dataset at {folder}. Make one with `curate DATA --out {folder.name}`."
        )
    known = _read_groups(folder / PLAN_FILE)
    missing = [split for split in SPLITS if not (folder / split).is_dir()]
    if missing:
        raise DatasetError(
            f"{folder}: no {' and no '.join(missing)} folder. It must hold {', '.join(SPLITS)}, "
            f"each with the four class folders: make them with `curate`."
        )
    return CuratedDataset(
        folder, {split: tuple(_read_classes(folder / split, split, known)) for split in SPLITS}
    )


def read_four_folders(folder: Path) -> list[CuratedPhoto]:
    """Read a folder of the four class folders as one set, sorted by path: for a last test.

    Raises:
        DatasetError: A class folder is missing or empty.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise DatasetError(f"No folder at {folder}. It must hold {', '.join(LABELS)}.")
    return _read_classes(folder, None, {})


def list_left_out(folder: Path, split: str | None = None) -> tuple[LeftOut, ...]:
    """List what lies in a curated folder, or in one of four class folders, and is not read.

    Args:
        folder: The folder.
        split: The only split of a curated folder that is read; None for all of it.

    Raises:
        EnvironmentProblemError: A folder cannot be listed.
    """
    try:
        if not _has_splits(folder):
            return _beside_photos(folder)
        if split is not None:
            return below(split, _beside_photos(folder / split))
        inside = (below(name, _beside_photos(folder / name)) for name in SPLITS)
        return (*list_beside(folder, SPLITS), *chain.from_iterable(inside))
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{folder}: the folders in it cannot be listed ({fault.strerror or fault}). Check who "
            f"may read them."
        ) from fault


def require_all_read(folder: Path, left_out: Iterable[LeftOut], doing: str) -> None:
    """Refuse to pass over whole folders of pictures that lie where the classes do.

    Args:
        folder: As given to `list_left_out`.
        left_out: What that found.
        doing: What is not done with those pictures, for the message: "trained on".

    Raises:
        DatasetError: There is such a folder.
    """
    # Beside train, val and test lies what was put there on purpose: a copy, an older split.
    depth = 2 if _has_splits(folder) else 1
    lost = [each for each in left_out if each.pictures and each.path.count("/") >= depth]
    if lost:
        names = ", ".join(each.path for each in lost[:3]) + (", ..." if lost[3:] else "")
        raise DatasetError(
            f"{folder}: {sum(each.pictures for each in lost)} pictures are not {doing}, because "
            f"they lie in folders that are no class, or within a class folder: {names}. Move them "
            f"up into {', '.join(LABELS)}, or out of {folder.name}."
        )


def _has_splits(folder: Path) -> bool:
    return any((folder / split).is_dir() for split in SPLITS)


def _beside_photos(folder: Path) -> tuple[LeftOut, ...]:
    classes = [label for label in LABELS if (folder / label).is_dir()]
    inside = (below(label, list_pictures(folder / label).left_out) for label in classes)
    return (*list_beside(folder, LABELS), *chain.from_iterable(inside))


def write_class_weights(folder: Path, weights: Mapping[Label, float]) -> None:
    """Write what a photo of each class is to count in training."""
    text = json.dumps({label.value: round(weight, 6) for label, weight in weights.items()})
    write_private(folder / WEIGHTS_FILE, f"{text}\n")


def read_class_weights(folder: Path) -> dict[Label, float] | None:
    """What a photo of each class is to count in training; None where nobody says.

    Raises:
        DatasetError: The file is damaged, or a weight is missing or not above 0.
    """
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        return None
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        weights = {label: float(told[label.value]) for label in LABELS}
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise DatasetError(
            f"{path}: cannot be read as class weights ({type(fault).__name__}: {fault}). It is one "
            f"object with a number for each of {', '.join(LABELS)}: curate again, or remove it."
        ) from fault
    if not all(0 < weight < math.inf for weight in weights.values()):
        raise DatasetError(f"{path}: weights are above 0; found {told}. Curate again.")
    return weights


def _read_classes(
    folder: Path, split: str | None, known: Mapping[tuple[str, str], tuple[str, str | None]]
) -> list[CuratedPhoto]:
    photos = []
    for label in LABELS:
        files = list_pictures(folder / label).pictures if (folder / label).is_dir() else ()
        if not files:
            found = "no such folder" if not (folder / label).is_dir() else "no pictures in it"
            raise DatasetError(
                f"{folder / label}: {found}. Every one of {', '.join(LABELS)} needs photos: "
                f"collect more of this class, then curate again."
            )
        for path in files:
            group, parent = known.get((split or "", f"{label}/{path.name}"), (str(path), None))
            photos.append(CuratedPhoto(path, label, group, parent))
    return sorted(photos, key=lambda photo: photo.path)


def _read_groups(plan: Path) -> dict[tuple[str, str], tuple[str, str | None]]:
    """Group and parent by split and path; empty where there is no plan."""
    if not plan.is_file():
        return {}
    try:
        with plan.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {
            (row["split"], cell_to_path(row["path"])): (
                row["group"],
                cell_to_path(row["parent"]) or None,
            )
            for row in rows
            if row["kept"] == "1"
        }
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as fault:
        raise DatasetError(
            f"{plan}: cannot be read as a plan ({type(fault).__name__}: {fault}). It takes the "
            f"columns {', '.join(PLAN_COLUMNS)}: curate again, or remove the file."
        ) from fault
