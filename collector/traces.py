"""What was made of photos outside their dataset: curated sets, trained runs, cached features.

<curated>/plan.csv                     `path` and `parent` name photos of the dataset
<runs>/<run>/args.yaml                 `curated` names the folder it was trained on
<runs>/<run>/predictions.csv           `path` names photos of that folder
<runs>/.features/                      see `collector.cached_features`

Only reads. Curation and training are not imported: the files are what they promise to each other.
"""

import csv
import hashlib
import html
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.cached_features import CACHE_NAME, list_pieces, read_digests

DEPTH = 3
"""How many folders down is looked: runs/<run>/args.yaml of a project's folder lies at two."""

PLAN_FILE, ARGS_FILE = "plan.csv", "args.yaml"

_PLAN_COLUMNS = {"path", "kept", "split", "parent"}
_COMMAND = re.compile(r"<pre>(curate .*?)</pre>", re.DOTALL)
_FIT_OPTIONS = (
    "model", "weights", "epochs", "fine_tune_epochs", "image_size", "alpha", "batch_size", "seed",
)  # fmt: skip


@dataclass(frozen=True)
class CuratedTrace:
    """A curated set that holds photos which are looked for.

    Attributes:
        folder: Absolute.
        photos: How many of them lie in it.
        variants: How many augmented copies of them.
        set_aside: How many its plan names as set aside: its page may show them.
        command: Makes the set anew.
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
        is_certain: False where what it was trained on is gone, so that nobody can tell.
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

    curated: set[Path] = field(default_factory=set)
    runs: set[Path] = field(default_factory=set)
    caches: set[Path] = field(default_factory=set)


def find_traces(
    root: Path,
    paths: Set[str],
    digests: Set[str],
    look_in: Sequence[Path],
    cache: Path | None = None,
) -> Traces:
    """Look for what was made of photos.

    Args:
        root: Their dataset, which is not looked into.
        paths: Of the photos, relative to the dataset, all that each ever had.
        digests: sha256 of each one's file.
        look_in: Folders that are looked through, `DEPTH` down. Links are not followed, and hidden
            folders are left out but for the caches.
        cache: One more cache of features, wherever it lies.

    Returns:
        What holds them. A file that a plan names counts where it is there and, unless it is an
        augmented copy, has one of the digests: another dataset may use the same names.
    """
    places = _Places()
    for folder in look_in:
        _look_through(folder.resolve(), root.resolve(), places)
    if cache is not None:
        places.caches.add(cache.resolve())
    sought = _Sought(root.resolve(), paths, digests)
    curated, copies = [], set(digests)
    for folder in sorted(places.curated):
        trace, variants = _read_curated(folder, sought)
        if trace is not None:
            curated.append(trace)
            # Features are kept of copies too, and these have digests of their own.
            copies |= {digest for file in variants if (digest := hash_file(file))}
    holding = {one.folder for one in curated}
    runs = (_read_run(folder, paths, holding) for folder in sorted(places.runs))
    pieces = sorted(piece for folder in places.caches for piece in list_pieces(folder))
    return Traces(
        tuple(curated),
        tuple(run for run in runs if run is not None),
        tuple(piece for piece in pieces if not copies.isdisjoint(read_digests(piece))),
    )


def hash_file(path: Path) -> str | None:
    """sha256 of a file; None where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _look_through(folder: Path, root: Path, places: _Places, depth: int = 0) -> None:
    if folder == root:
        return
    if folder.name == CACHE_NAME:
        places.caches.add(folder)
        return
    names, subfolders = _list(folder)
    if PLAN_FILE in names:
        places.curated.add(folder)
    elif ARGS_FILE in names:
        places.runs.add(folder)
    elif depth < DEPTH:
        for name in subfolders:
            if not name.startswith(".") or name == CACHE_NAME:
                _look_through(folder / name, root, places, depth + 1)


def _list(folder: Path) -> tuple[set[str], list[str]]:
    """Names of the files and of the folders in a folder; none where it may not be looked into."""
    files, folders = set(), []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_file():
                    files.add(entry.name)
    except OSError:
        return set(), []
    return files, sorted(folders)


def _read_curated(folder: Path, sought: _Sought) -> tuple[CuratedTrace | None, list[Path]]:
    """What of the photos a curated set holds, or None, and the augmented copies of them.

    A photo that was relabelled since bears its former label in the plan: it is known by its name
    there, and by its content.
    """
    names = {_name(path) for path in sought.paths}
    originals, set_aside = 0, 0
    copies: list[tuple[str, Path]] = []
    mine = set(sought.paths)
    for row in _rows_of(folder / PLAN_FILE):
        path, parent = row["path"] or "", row["parent"] or ""
        if _name(parent or path) not in names:
            continue
        file = folder / (row["split"] or "") / path
        if parent:
            copies.append((parent, file))
        elif row["kept"] != "1":
            set_aside += path in sought.paths
        elif hash_file(file) in sought.digests:
            originals += 1
            mine.add(path)
        elif file.is_file():
            mine.discard(path)  # another photo of this name: its copies are not looked for
    variants = [file for parent, file in copies if parent in mine and file.is_file()]
    words = _told_command(folder)
    if set_aside and words and Path(words[1]).resolve() != sought.root and Path(words[1]).exists():
        set_aside = 0  # made of another dataset, which uses the same names
    if not (originals or variants or set_aside):
        return None, []
    command = _curate_command(folder, words, sought.root)
    return CuratedTrace(folder, originals, len(variants), set_aside, command), variants


def _rows_of(table: Path) -> Iterator[dict[str, str | None]]:
    """The rows of a plan; none of a file that is something else of this name."""
    try:
        with table.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if set(reader.fieldnames or ()) >= _PLAN_COLUMNS:
                yield from reader
    except (OSError, UnicodeDecodeError, csv.Error):
        return


def _told_command(folder: Path) -> list[str]:
    """The command that made a curated set, as its page tells; empty where it does not."""
    try:
        found = _COMMAND.search((folder / "report.html").read_text(encoding="utf-8"))
        words = shlex.split(html.unescape(found[1])) if found else []
    except (OSError, ValueError):
        return []
    return words if "--out" in words[2:-1] else []


def _curate_command(folder: Path, told: Sequence[str], root: Path) -> str:
    """The command as the page tells it, with the paths of today; a plain one where it does not."""
    words = list(told) or ["curate", str(root), "--out", str(folder)]
    words[1], words[words.index("--out") + 1] = str(root), str(folder)
    return shlex.join(words)


def _read_run(folder: Path, paths: Set[str], holding: Set[Path]) -> RunTrace | None:
    args = _read_args(folder / ARGS_FILE)
    curated = args.get("curated")
    if not isinstance(curated, str):
        return None
    command = _fit_command(folder, args)
    trained_on = Path(curated) if Path(curated).is_absolute() else folder.parent.parent / curated
    if trained_on.resolve() in holding:
        return RunTrace(folder, f"trained on {curated}", command)
    if named := _count_named(folder / "predictions.csv", paths):
        files = "a file" if named == 1 else f"{named} files"
        return RunTrace(folder, f"its predictions.csv names {files} of theirs", command)
    if not trained_on.exists():
        return RunTrace(folder, f"trained on {curated}, which is gone", command, is_certain=False)
    return None


def _read_args(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return values if isinstance(values, dict) else {}


def _fit_command(folder: Path, args: Mapping[str, Any]) -> str:
    words = ["trainer", "fit", str(args["curated"])]
    for option in _FIT_OPTIONS:
        if args.get(option) is not None:
            words += [f"--{option.replace('_', '-')}", str(args[option])]
    if args.get("name") is not None:
        words += ["--name", str(args["name"])]
    return shlex.join([*words, "--runs", str(folder.parent)])


def _count_named(table: Path, paths: Set[str]) -> int:
    """How many rows of a table name a photo: "test/mask_old/a.jpg" is mask_old/a.jpg."""
    try:
        with table.open(newline="", encoding="utf-8") as file:
            named = [row.get("path") or "" for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error):
        return 0
    return sum("/".join(path.split("/")[-2:]) in paths for path in named)


def _name(path: str) -> str:
    return path.rpartition("/")[2]
