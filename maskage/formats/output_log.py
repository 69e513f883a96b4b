"""The log of outputs that may show a person, from which `collector forget` finds them again.

<dataset>/.dataset/outputs.jsonl    one JSON object a line: the fields of `Output`

If the dataset cannot be written to, the line goes into the user's cache. Only a dataset with a
manifest has such a log: without one no person in it has a name by which to be forgotten.
"""

import hashlib
import json
import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

from maskage.formats.dataset_folder import manifest_path
from maskage.formats.feature_cache import CACHE_NAME
from maskage.system.lock import lock_file
from maskage.system.paths import user_cache

DEPTH = 3
"""Depth of the folders that `collector forget` searches; runs/<run>/args.yaml lies at two."""

SOMEBODY = ""
"""Stands for a subject who was forgotten since."""


class Kind(StrEnum):
    """The kinds of outputs."""

    CURATED = "curated"
    RUN = "run"
    CACHE = "cache"
    MODEL = "model"
    PAGE = "page"
    TABLE = "table"
    PICTURE = "picture"
    PICTURES = "pictures"
    VIDEO = "video"
    EXPORT = "export"


_FOUND_BY_CONTENT = frozenset({Kind.CURATED, Kind.RUN, Kind.MODEL, Kind.PAGE, Kind.TABLE})


@dataclass(frozen=True)
class Output:
    """One file or folder that a tool wrote.

    Attributes:
        path: Absolute path.
        kind: Kind of the output.
        at: Time of writing, UTC in ISO 8601.
        subject: Pseudonym of the only person in it, from the user; `SOMEBODY` once that person was
            forgotten; None if the user gave no name.
        is_of_photos: True if it was made from photos of the dataset and has their names.
        is_blurred: True if its faces are unrecognisable.
    """

    path: Path
    kind: Kind
    at: str = ""
    subject: str | None = None
    is_of_photos: bool = False
    is_blurred: bool = False


def log_output(roots: Iterable[Path], output: Output) -> None:
    """Add an output to the log of each dataset whose people it may show.

    An output that is found by its content, and lies where `collector forget` searches anyway, needs
    no line. A log that cannot be written raises nothing: it must not stop the user's work.

    Args:
        roots: Folders of the datasets; those without a manifest are skipped.
        output: The output. Its path may be relative; the time is added.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    output = replace(output, path=output.path.resolve(), at=now)
    for root in {root.resolve() for root in roots}:
        if manifest_path(root).is_file() and not _is_found_anyway(root, output):
            _append(root, output)


def read_outputs(root: Path) -> list[Output]:
    """Read the log of a dataset: the outputs that still exist, the latest line of each path."""
    found: dict[Path, Output] = {}
    for path in log_paths(root):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        for line in lines:
            if (output := _parse(line)) is not None and os.path.lexists(output.path):
                found[output.path] = output
    return [found[path] for path in sorted(found)]


def forget_in_log(root: Path, is_theirs: Callable[[Output], bool]) -> None:
    """Remove a person's name from a dataset's log, and the lines of files that are missing.

    Args:
        root: Folder of the dataset.
        is_theirs: Returns True if the person is the subject of an output.

    Raises:
        OSError: The disk refused.
    """
    _rewrite_log(root, lambda each: replace(each, subject=SOMEBODY) if is_theirs(each) else each)


def rename_in_log(root: Path, names: Mapping[str, str], paths: Container[Path]) -> None:
    """Give a person's outputs another pseudonym.

    Args:
        root: Folder of the dataset.
        names: New pseudonym of each former one.
        paths: Absolute paths of the outputs that are renamed.

    Raises:
        OSError: The disk refused.
    """

    def rename(each: Output) -> Output:
        if each.path not in paths or each.subject is None or each.subject not in names:
            return each
        return replace(each, subject=names[each.subject])

    if names and paths:
        _rewrite_log(root, rename)


def _rewrite_log(root: Path, change: Callable[[Output], Output]) -> None:
    """Change every line of a dataset's log, and remove those of files that are missing."""
    for path in log_paths(root):
        if path.is_file():
            with _locked(path) as file:
                kept = [each for line in file if (each := _parse(line)) is not None]
                there = [each for each in kept if os.path.lexists(each.path)]
                file.seek(0)
                file.truncate()
                file.writelines(_line_of(change(each)) for each in there)
            if not there:
                path.unlink()


def is_within_reach(top: Path, path: Path) -> bool:
    """Return True if a search of the folder `top` reaches `path`."""
    if not path.is_relative_to(top):
        return False
    folders = path.relative_to(top).parts[:-1]
    return len(folders) <= DEPTH and not any(name.startswith(".") for name in folders)


def _is_found_anyway(root: Path, output: Output) -> bool:
    is_found = output.kind in _FOUND_BY_CONTENT or output.path.name == CACHE_NAME
    return is_found and output.subject is None and is_within_reach(root.parent, output.path)


def log_paths(root: Path) -> tuple[Path, Path]:
    """Return the paths of a dataset's log: beside the manifest, and in the user's cache."""
    digest = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    inside = manifest_path(root).with_name("outputs.jsonl")
    return inside, user_cache() / "outputs" / f"{digest}.jsonl"


def _append(root: Path, output: Output) -> None:
    for path in log_paths(root):
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _locked(path) as file:
                known = {replace(each, at="") for line in file if (each := _parse(line))}
                if replace(output, at="") not in known:
                    file.write(_line_of(output))
            return
        except OSError:
            continue


@contextmanager
def _locked(path: Path) -> Iterator[TextIO]:
    """Open a log for reading and appending, made if missing, locked against other programs."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    # Closing the file releases the lock.
    with os.fdopen(handle, "r+", encoding="utf-8", errors="surrogateescape") as file:
        lock_file(file.fileno(), may_wait=True)
        yield file


def _line_of(output: Output) -> str:
    # JSON escapes what is no UTF-8 in a path, and reads it back.
    return json.dumps({**asdict(output), "path": str(output.path)}) + "\n"


def _parse(line: str) -> Output | None:
    """Parse one line; None if it was cut short or is something else."""
    try:
        values: dict[str, Any] = json.loads(line)
        output = Output(**{**values, "path": Path(values["path"]), "kind": Kind(values["kind"])})
    except (ValueError, TypeError, KeyError):
        return None
    return output if output.path.is_absolute() else None
