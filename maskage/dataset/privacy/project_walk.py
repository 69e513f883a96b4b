"""A walk through a project's folders for places that may hold copies of photos, by names alone."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskage.dataset.privacy.page_search import PAGES, TEXTS
from maskage.formats.bundle import MODEL_FILES
from maskage.formats.curated.curated_set import looks_like_set
from maskage.formats.curated.export_file import RECORD_FILE
from maskage.formats.dataset_folder import manifest_path
from maskage.formats.feature_cache import CACHE_NAME
from maskage.formats.output_log import DEPTH
from maskage.formats.run.run_arguments import ARGS_FILE
from maskage.pictures.picture_kinds import is_picture_file

# Left by a killed `curate`: a set that was being made, and maybe the former one.
BUILDING = re.compile(r"\.(.+)-building-\d+")
FORMER = "result-former"
_BUILT = ("result", FORMER)

# "20261126T114501.123Z.mp4" is a name that the live view gives to a recording.
_BY_TIME = re.compile(r"\d{8}T\d{6}\.\d{3}Z.*\.(?:mp4|jpg)")
_FOREIGN = ("pyvenv.cfg", "package.json")
"""Files of other programs, in folders that may hold a hundred thousand files."""


@dataclass
class Places:
    """Places that may hold copies of photos, by kind.

    Attributes:
        datasets: Folders of other datasets.
        sets: Folders of curated sets.
        runs: Folders of runs.
        caches: Folders of cached features.
        models: Folders of bundles and exports.
        exports: Folders that `curate export` made, and zips that may be such.
        files: Pages, tables and pictures.
        by_time: Files with names that the live view gives to snapshots and recordings.
        labels: Classes of the dataset.
    """

    datasets: set[Path] = field(default_factory=set)
    sets: set[Path] = field(default_factory=set)
    runs: set[Path] = field(default_factory=set)
    caches: set[Path] = field(default_factory=set)
    models: set[Path] = field(default_factory=set)
    exports: set[Path] = field(default_factory=set)
    files: set[Path] = field(default_factory=set)
    by_time: set[Path] = field(default_factory=set)
    labels: tuple[str, ...] = ()


def add_folder(folder: Path, root: Path, places: Places) -> None:
    """Add the places in a folder, at most `DEPTH` folders down.

    Links are not followed. Hidden folders are skipped, except caches and what a killed `curate`
    left. The class folders and pictures of the dataset at `root` are skipped too.
    """
    _walk(folder, root, places, 0)


def add_set(folder: Path, places: Places) -> None:
    """Add a curated set with what killed runs of `curate` left beside it."""
    places.sets.add(folder)
    for name in _list(folder.parent)[1]:
        if name.startswith(f".{folder.name}-building-"):
            _add_building(folder.parent / name, places)


def is_named_by_time(name: str) -> bool:
    """Return True if a file has the name of a recording or snapshot of the live view."""
    return _BY_TIME.fullmatch(name) is not None


def _walk(folder: Path, root: Path, places: Places, depth: int) -> None:
    if folder.name == CACHE_NAME:
        places.caches.add(folder)
        return
    files, folders = _list(folder)
    if any(name in files for name in _FOREIGN):
        return
    if folder != root and manifest_path(folder).is_file():
        places.datasets.add(folder)
    if folder == root:
        folders = [name for name in folders if name not in places.labels]
    _add_files(folder, files, root, places)
    if RECORD_FILE in files:
        places.exports.add(folder)
        return
    if looks_like_set(files, folders):
        places.sets.add(folder)
        return
    if ARGS_FILE in files:
        places.runs.add(folder)
        # The parts of a run are added however deep the run lies.
        depth = 0
    elif depth >= DEPTH:
        return
    if any(name in files for name in MODEL_FILES):
        places.models.add(folder)
    for name in folders:
        if BUILDING.fullmatch(name):
            _add_building(folder / name, places)
        elif not name.startswith(".") or name == CACHE_NAME:
            _walk(folder / name, root, places, depth + 1)


def _add_building(folder: Path, places: Places) -> None:
    built = (folder / part for part in _BUILT)
    places.sets |= {part for part in built if part.is_dir()}


def _add_files(folder: Path, files: Sequence[str], root: Path, places: Places) -> None:
    in_dataset = folder.is_relative_to(root)
    for name in files:
        suffix = name[name.rfind(".") :].lower()
        if suffix == ".zip":
            places.exports.add(folder / name)
        elif is_named_by_time(name):
            places.by_time.add(folder / name)
        elif suffix in PAGES | TEXTS or (not in_dataset and is_picture_file(folder / name)):
            places.files.add(folder / name)


def _list(folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the files and of the folders in a folder; none if it is unreadable."""
    files, folders = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif _is_file(entry):
                    files.append(entry.name)
    except OSError:
        return [], []
    return files, sorted(folders)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # links that form a circle
        return False
