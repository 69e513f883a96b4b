"""A curated set: train, val and test with the class folders, from `curate` or from anybody.

<set>/{train,val,test}/<label>/<photo>
<set>/plan.csv                the group of each photo, and what was set aside (`plan_file`)
<set>/curation.json           the dataset and the settings it was made with (`curation_file`)
<set>/classes.toml            the classes (`classes_file`); without it see `scheme_of_set`
<set>/class_weights.json      what a photo of each class counts in training, if that was asked for
<set>/report.html             a page for people

Only the photos are needed. `read_curated` reads a set for training and refuses what is damaged;
`read_contents` reads what there is of a set that is searched for somebody's photos.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from maskage.classes.ready_made import MASK_AGE, scheme_of_folders
from maskage.classes.scheme import Scheme
from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.formats.classes.classes_file import CLASSES_FILE, find_scheme
from maskage.formats.curated.class_weights import WEIGHTS_FILE
from maskage.formats.curated.curation_file import (
    CURATION_FILE,
    NOTHING,
    PAGE_FILE,
    CurationRecord,
    SetOrigin,
    find_origin,
    read_curation,
)
from maskage.formats.curated.plan_file import PLAN_FILE, PlanRow, read_legible_plan, read_plan
from maskage.formats.sums import hash_file
from maskage.pictures.picture_files import LeftOut, below, list_beside, list_pictures, pictures_in
from maskage.pictures.picture_kinds import (
    has_picture_name,
    is_picture_file,
    is_system_name,
    may_be_picture,
    walk_pictures,
)
from maskage.shell_words import join_words
from maskage.system.swap_folder import find_place

SPLITS = ("train", "val", "test")
SET_NAMES = frozenset({*SPLITS, PLAN_FILE, CURATION_FILE, PAGE_FILE, WEIGHTS_FILE, CLASSES_FILE})
"""Everything that `curate` puts into the folder of a set."""

READER_CACHES = frozenset(f"{split}.cache" for split in SPLITS)
"""What Ultralytics leaves in the folder of a set that it reads; it makes them again."""

_THREADS = 4


@dataclass(frozen=True)
class CuratedPhoto:
    """A photo of a split.

    Attributes:
        path: Absolute path of the file.
        label: Class folder that the file lies in.
        group: Name of the group, which lies in one split; the photo's own path without a plan.
        parent: For an augmented copy, the path in the dataset of the photo it was made from.
    """

    path: Path
    label: str
    group: str
    parent: str | None = None


@dataclass(frozen=True)
class CuratedDataset:
    """A folder of train, val and test, each with a folder for every class.

    Attributes:
        folder: Absolute path of the set.
        splits: Photos of each split, sorted by path.
        curation: How the set was made; None for a set of an earlier version or of somebody else.
        scheme: The classes.
    """

    folder: Path
    splits: Mapping[str, tuple[CuratedPhoto, ...]]
    curation: CurationRecord | None = None
    scheme: Scheme = MASK_AGE

    def photos(self, split: str) -> list[CuratedPhoto]:
        """Return the photos of "train", "val" or "test", sorted by path."""
        return list(self.splits[split])


def read_curated(folder: Path, *, may_lack_test: bool = False) -> CuratedDataset:
    """Read what `curate` wrote, or any train/val/test folders with neither plan nor record.

    Args:
        folder: The set.
        may_lack_test: True to accept a set of `curate --no-test`, whose test is empty or missing.

    Raises:
        DatasetError: A split or a class is missing or empty, plan.csv, classes.toml or
            curation.json is damaged, or the last two have other classes.
    """
    folder = folder.resolve()
    find_place(folder)
    if not folder.is_dir():
        raise DatasetError(
            f"No curated dataset at {folder}. Make one with `curate DATA --out {folder.name}`."
        )
    known = {row.place: row for row in read_plan(folder) if row.is_kept}
    scheme = scheme_of_set(folder)
    curation = read_curation(folder, scheme.labels)
    has_test = (
        curation is None or curation.held_out != NOTHING or any(walk_pictures(folder / "test"))
    )
    # An empty folder is easily lost where a set is copied.
    expected = SPLITS if has_test else SPLITS[:2]
    missing = [split for split in expected if not (folder / split).is_dir()]
    if missing:
        raise DatasetError(
            f"{folder}: no {' and no '.join(missing)} folder. It must hold {', '.join(SPLITS)}, "
            f"each with a folder for every class: make them with `curate`."
        )
    if not (has_test or may_lack_test):
        raise DatasetError(
            f"{folder}: it was made with `curate --no-test`, so it has no test, which this needs. "
            f"Collect photos of more people and curate again without --no-test, or use "
            f"`--split time`, whose test says little."
        )
    splits = {
        split: tuple(_read_classes(folder / split, split, known, scheme.labels))
        if has_test or split != "test"
        else ()
        for split in SPLITS
    }
    return CuratedDataset(folder, splits, curation, scheme)


def scheme_of_set(folder: Path) -> Scheme:
    """Return the classes of a set.

    Those of its classes.toml. Without the file they are the four, as in earlier versions, or, where
    no folder of `train` is one of the four, those folders: somebody else's set.

    Raises:
        DatasetError: classes.toml is damaged, or the folders cannot be classes.
    """
    scheme = find_scheme(folder)
    if scheme is not None:
        return scheme
    found = _train_folders(folder)
    if not found or any(name in MASK_AGE for name in found):
        return MASK_AGE
    try:
        return scheme_of_folders(found)
    except ValueError as fault:
        raise DatasetError(
            f"{folder / SPLITS[0]}: its folders cannot be classes: {fault}. Name the classes in "
            f"{folder / CLASSES_FILE}, or rename the folders."
        ) from fault


def read_class_folders(folder: Path, labels: Sequence[str]) -> list[CuratedPhoto]:
    """Read a folder of class folders as one set, sorted by path: for a last test.

    Args:
        folder: The folder.
        labels: The classes, each a folder in it.

    Raises:
        DatasetError: A class folder is missing or empty.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise DatasetError(f"No folder at {folder}. It must hold {', '.join(labels)}.")
    return _read_classes(folder, "", {}, labels)


@dataclass(frozen=True)
class SetContents:
    """Everything in a curated set that may show a person.

    Attributes:
        folder: Absolute path of the set.
        files: sha256 of each file in the splits, by its place: "train/mask_old/a.jpg"; but of those
            that are no pictures and have no suffix that says so.
        rows: Rows of the plan; empty without a plan.
        origin: Where the set comes from.
        labels: The class folders.
    """

    folder: Path
    files: Mapping[str, str]
    rows: tuple[PlanRow, ...] = ()
    origin: SetOrigin = SetOrigin()  # noqa: RUF009  frozen
    labels: tuple[str, ...] = MASK_AGE.labels

    @cached_property
    def digest(self) -> str:
        """The digest of the photos, as `dataset_digest` of a run holds it."""
        return digest_set(self.files, self.labels)

    def command(self, root: Path) -> str:
        """Return the command that makes the set again where it lies today.

        Args:
            root: The dataset to make it from if its own is not known.
        """
        dataset = str(self.origin.dataset or root)
        return join_words(["curate", dataset, "--out", str(self.folder), *self.origin.options])


def looks_like_set(files: Sequence[str], folders: Sequence[str]) -> bool:
    """Return True if a folder with these files and folders in it may be a curated set."""
    return PLAN_FILE in files or CURATION_FILE in files or set(SPLITS) <= set(folders)


def read_contents(folder: Path) -> SetContents:
    """Read a set and take the digest of every file; what cannot be read is left out."""
    places = [place for place in list_files(folder) if _may_show_person(folder / place)]
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="digests") as pool:
        digests = pool.map(lambda place: hash_file(folder / place), places)
        files = {place: found for place, found in zip(places, digests, strict=True) if found}
    plan, origin = tuple(read_legible_plan(folder)), find_origin(folder)
    return SetContents(folder, files, plan, origin, _labels_of(folder))


def _may_show_person(path: Path) -> bool:
    return not may_be_picture(path.name) or is_picture_file(path)


def list_files(folder: Path) -> list[str]:
    """List every file in the splits of a set, as "train/mask_old/a.jpg"."""
    return [
        (Path(place) / name).relative_to(folder).as_posix()
        for split in SPLITS
        for place, _, names in os.walk(folder / split)
        for name in names
    ]


def digest_set(files: Mapping[str, str], labels: Sequence[str]) -> str:
    """Return the sha256 over all photos of a set with their splits and classes, 64 hex digits.

    Args:
        files: sha256 of each file, by its place in the set. What is by its name no picture in a
            class folder does not count.
        labels: The class folders.
    """
    total = hashlib.sha256()
    for split in SPLITS:
        inside = (Path(place) for place in files if place.startswith(f"{split}/"))
        for place in sorted(inside):
            is_picture = has_picture_name(place.name) or may_be_picture(place.name)
            if is_picture and place.parts[1] in labels and len(place.parts) == 3:
                digest = files[place.as_posix()]
                total.update(f"{split}/{place.parts[1]}/{digest}\n".encode())
    return total.hexdigest()


def list_left_out(
    folder: Path, labels: Sequence[str], split: str | None = None
) -> tuple[LeftOut, ...]:
    """List what lies in a curated folder, or in a folder of class folders, and is not read.

    Args:
        folder: The folder.
        labels: The class folders.
        split: The only split of a curated folder that is read; None for all splits.

    Raises:
        EnvironmentProblemError: A folder cannot be listed.
    """
    try:
        if not _has_splits(folder):
            return _beside_photos(folder, labels)
        if split is not None:
            return below(split, _beside_photos(folder / split, labels))
        # Without a test its folder may be missing.
        splits = [name for name in SPLITS if (folder / name).is_dir()]
        inside = (below(name, _beside_photos(folder / name, labels)) for name in splits)
        return (*list_beside(folder, SPLITS), *chain.from_iterable(inside))
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{folder}: the folders in it cannot be listed ({fault.strerror or fault}). Check who "
            f"may read them."
        ) from fault


def require_all_read(
    folder: Path, left_out: Sequence[LeftOut], doing: str, labels: Sequence[str]
) -> None:
    """Refuse to pass over whole folders of pictures that lie where the classes do.

    Args:
        folder: As given to `list_left_out`.
        left_out: What that found.
        doing: What is not done with those pictures, for the message: "trained on".
        labels: The class folders.

    Raises:
        DatasetError: There is such a folder.
    """
    # Beside train, val and test lies what was put there on purpose: a copy, an older split.
    depth = 2 if _has_splits(folder) else 1
    lost = [each for each in left_out if each.is_loss and each.path.count("/") >= depth]
    others = [each for each in left_out if each not in lost]
    if lost:
        names = ", ".join(each.path for each in lost[:3]) + (", ..." if lost[3:] else "")
        raise DatasetError(
            f"{folder}: {sum(each.pictures for each in lost)} pictures are not {doing}, because "
            f"they lie in folders that are no class, lie within one, or cannot be listed: "
            f"{names}. Move them up into {', '.join(labels)}, or out of {folder.name}."
            f"{_name_others(each.path for each in others)}"
        )


def _name_others(paths: Iterable[str]) -> str:
    named = list(paths)
    more = f" and {len(named) - 3} more" if named[3:] else ""
    return f" Not read either: {', '.join(named[:3])}{more}." if named else ""


def _has_splits(folder: Path) -> bool:
    return any((folder / split).is_dir() for split in SPLITS)


def _labels_of(folder: Path) -> tuple[str, ...]:
    """Return the class folders of a set; the folders that it has if its classes.toml is damaged."""
    try:
        return scheme_of_set(folder).labels
    except (DatasetError, OSError):
        with suppress(OSError):
            return tuple(_train_folders(folder))
        return ()


def _train_folders(folder: Path) -> list[str]:
    train = folder / SPLITS[0]
    try:
        found = list(train.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(
        path.name
        for path in found
        if path.is_dir() and not path.name.startswith(".") and not is_system_name(path.name)
    )


def _beside_photos(folder: Path, labels: Sequence[str]) -> tuple[LeftOut, ...]:
    classes = [label for label in labels if (folder / label).is_dir()]
    inside = (below(label, list_pictures(folder / label).left_out) for label in classes)
    return (*list_beside(folder, labels), *chain.from_iterable(inside))


def _read_classes(
    folder: Path, split: str, known: Mapping[str, PlanRow], labels: Sequence[str]
) -> list[CuratedPhoto]:
    photos = []
    for label in labels:
        files = pictures_in(folder / label)
        if not files:
            found = "no pictures in it" if (folder / label).is_dir() else "no such folder"
            raise DatasetError(
                f"{folder / label}: {found}. Every one of {', '.join(labels)} needs photos: "
                f"collect more of this class, then curate again."
            )
        for path in files:
            row = known.get(f"{split}/{label}/{path.name}")
            group, parent = (row.group, row.parent or None) if row else (str(path), None)
            photos.append(CuratedPhoto(path, label, group, parent))
    return sorted(photos, key=lambda photo: photo.path)
