"""What was made of photos outside their dataset: curated sets, trained runs, cached features.

Sets and runs are described in `collector.curated_sets` and `collector.trained_runs`, caches in
`collector.cached_features`. Only reads.
"""

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

from collector.cached_features import CACHE_NAME, list_pieces, read_digests
from collector.curated_sets import CuratedSet, looks_like_set, read_set
from collector.records import LABELS
from collector.trained_runs import ARGS_FILE, TrainedRun, read_run

DEPTH = 3
"""How many folders down is looked: runs/<run>/args.yaml of a project's folder lies at two."""

# Where `curate` was killed: it holds a set that was being made, and maybe the former one.
_BUILDING = re.compile(r"\.(.+)-building-\d+")
_FORMER = "result-former"
_BUILT = ("result", _FORMER)


@dataclass(frozen=True)
class CuratedTrace:
    """A curated set that holds photos which are looked for.

    Attributes:
        folder: Absolute.
        photos: How many of them lie in it.
        variants: How many augmented copies of them.
        set_aside: How many its plan names as set aside: its page may show them.
        command: Makes the set anew, or removes what an interrupted `curate` left.
    """

    folder: Path
    photos: int
    variants: int
    set_aside: int
    command: str


@dataclass(frozen=True)
class RunTrace:
    """A trained run that has, or may have, seen photos which are looked for.

    Attributes:
        folder: Absolute.
        reason: What tells so.
        command: Trains it anew.
        is_certain: False where what it was trained on is gone or was changed since, so that nobody
            can tell.
    """

    folder: Path
    reason: str
    command: str
    is_certain: bool = True


@dataclass(frozen=True)
class Traces:
    """What was found.

    Attributes:
        curated, runs: Sorted by folder.
        cached: Pieces of cached features, absolute, sorted.
    """

    curated: tuple[CuratedTrace, ...] = ()
    runs: tuple[RunTrace, ...] = ()
    cached: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Sought:
    """The photos that are looked for: their dataset, absolute, and see `find_traces`."""

    root: Path
    paths: Set[str]
    digests: Set[str]


@dataclass
class _Places:
    """The folders that may hold traces, by kind."""

    sets: set[Path] = field(default_factory=set)
    runs: set[Path] = field(default_factory=set)
    caches: set[Path] = field(default_factory=set)


@dataclass(frozen=True)
class _InSet:
    """Places of files in a set: photos that are looked for, and augmented copies of them."""

    photos: Set[str]
    variants: Set[str]
    set_aside: int

    def __bool__(self) -> bool:
        return bool(self.photos or self.variants or self.set_aside)


def find_traces(
    root: Path,
    paths: Set[str],
    digests: Set[str],
    look_in: Sequence[Path],
    cache: Path | None = None,
) -> Traces:
    """Look for what was made of photos.

    Args:
        root: Their dataset, whose class folders are not looked into.
        paths: Of the photos, relative to the dataset, all that each may have had.
        digests: sha256 of each one's file.
        look_in: Folders that are looked through, `DEPTH` down. Links are not followed, and hidden
            folders are left out but for caches and what a killed `curate` left. A set that a run
            names is read wherever it lies.
        cache: One more cache of features, wherever it lies.

    Returns:
        What holds them. A file in a set counts by its content, whatever its name; by its name only
        where the set says that it was made of this dataset, or the name bears the content's digest.
    """
    sought = _Sought(root.resolve(), paths, digests)
    places = _Places()
    for folder in look_in:
        _look_through(folder.resolve(), sought.root, places)
    if cache is not None:
        places.caches.add(cache.resolve())
    runs = [run for folder in sorted(places.runs) if (run := read_run(folder)) is not None]
    places.sets |= {run.trained_on for run in runs if run.trained_on.is_dir()}
    sets = {folder: read_set(folder) for folder in sorted(places.sets)}
    found = {folder: _search_set(one, sought) for folder, one in sets.items()}
    copies = set(digests)
    for folder, inside in found.items():
        # Features are kept of copies and former pictures too, which have digests of their own.
        copies |= {sets[folder].files[place] for place in inside.photos | inside.variants}
    return Traces(
        tuple(
            _set_trace(sets[one], inside, sought.root) for one, inside in found.items() if inside
        ),
        tuple(trace for run in runs if (trace := _run_trace(run, sets, found, sought)) is not None),
        tuple(sorted(_pieces_with(copies, places.caches))),
    )


def _look_through(folder: Path, root: Path, places: _Places, depth: int = 0) -> None:
    if folder.name == CACHE_NAME:
        places.caches.add(folder)
        return
    files, folders = _list(folder)
    if folder == root:
        folders = [name for name in folders if name not in LABELS]
    if looks_like_set(files, folders):
        places.sets.add(folder)
    elif ARGS_FILE in files:
        places.runs.add(folder)
    elif depth < DEPTH:
        for name in folders:
            if _BUILDING.fullmatch(name):
                built = (folder / name / part for part in _BUILT)
                places.sets |= {part for part in built if part.is_dir()}
            elif not name.startswith(".") or name == CACHE_NAME:
                _look_through(folder / name, root, places, depth + 1)


def _list(folder: Path) -> tuple[list[str], list[str]]:
    """Names of the files and of the folders in a folder; none where it may not be looked into."""
    files, folders = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_file():
                    files.append(entry.name)
    except OSError:
        return [], []
    return files, sorted(folders)


def _search_set(one: CuratedSet, sought: _Sought) -> _InSet:
    photos = {place for place, digest in one.files.items() if digest in sought.digests}
    made_of = one.made_of
    mine, set_aside = set(sought.paths), 0
    for row in one.rows:
        if row.parent:
            continue
        if not row.is_kept:
            set_aside += row.path in sought.paths
        elif row.place in photos:
            mine.add(row.path)
        elif row.path in sought.paths and row.place in one.files:
            if made_of == sought.root or _bears_digest(row.path, one.files[row.place]):
                photos.add(row.place)  # as it was before another program changed it
            else:
                mine.discard(row.path)  # another photo of this name, so are its copies
    if made_of not in (None, sought.root):
        set_aside = 0  # another dataset uses the same names
    copies = {row.place for row in one.rows if row.parent in mine and row.place in one.files}
    return _InSet(photos - copies, copies, set_aside)


def _bears_digest(path: str, digest: str) -> bool:
    """Whether a name is one that `PhotoStore.add` gave to a file of this content."""
    return f"_{digest[:8]}" in path


def _set_trace(one: CuratedSet, inside: _InSet, root: Path) -> CuratedTrace:
    folder, command = one.folder, one.command(root)
    if (building := _BUILDING.fullmatch(folder.parent.name)) is not None:
        place = folder.parent.with_name(building[1])
        folder = folder.parent
        command = shlex.join(["rm", "-r", str(folder)])
        if (folder / _FORMER).exists() and not place.exists():
            # The only set there is lies in here: making it anew clears this away.
            command = replace(one, folder=place).command(root)
    return CuratedTrace(folder, len(inside.photos), len(inside.variants), inside.set_aside, command)


def _run_trace(
    run: TrainedRun,
    sets: Mapping[Path, CuratedSet],
    found: Mapping[Path, _InSet],
    sought: _Sought,
) -> RunTrace | None:
    one, told = sets.get(run.trained_on), f"trained on {run.curated}"
    if one is not None and one.made_of not in (None, sought.root) and not found[one.folder]:
        return None
    if one is not None and run.dataset_digest in (None, one.digest):
        return RunTrace(run.folder, told, run.command) if found[one.folder] else None
    if named := run.count_predicted(sought.paths):
        files = "a file" if named == 1 else f"{named} files"
        return RunTrace(run.folder, f"its predictions.csv names {files} of theirs", run.command)
    since = "which is gone" if one is None else "which was changed since"
    return RunTrace(run.folder, f"{told}, {since}", run.command, is_certain=False)


def _pieces_with(digests: Set[str], caches: Set[Path]) -> Iterator[Path]:
    for cache in caches:
        for piece in list_pieces(cache):
            if not digests.isdisjoint(read_digests(piece)):
                yield piece
