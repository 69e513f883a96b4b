"""The state of a dataset's manifest, and what can be read of it; changes nothing."""

import filecmp
import os
import sqlite3
from collections.abc import Container, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from maskage.dataset.consent import Consent
from maskage.dataset.doctor.salvage import salvage_manifest
from maskage.dataset.doctor.values import Salvage
from maskage.dataset.manifest.file import copied, is_of_disk, read_schema
from maskage.dataset.manifest.reading import ManifestRows, read_consents, read_rows
from maskage.errors import EnvironmentProblemError, ManifestDamagedError
from maskage.formats.dataset_folder import manifest_path
from maskage.system.files import keeps_permissions
from maskage.system.lock import lock_file

ASIDE = ".damaged-"
"""In the name of a damaged manifest that was set aside, before the time it was."""


class Condition(StrEnum):
    """The condition of a manifest."""

    WHOLE = "whole"
    LOST = "lost"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class ManifestState:
    """A manifest as it was found.

    Attributes:
        condition: The condition.
        detail: The fault, in words.
        rows: Its rows, or those that could be salvaged.
        consents: The same, by subject.
        salvage: Everything that could be read of a damaged one.
    """

    condition: Condition
    detail: str = ""
    rows: ManifestRows = field(default_factory=ManifestRows)
    consents: Mapping[str, Consent] = field(default_factory=dict)
    salvage: Salvage | None = None


def examine_manifest(root: Path, labels: Container[str], *, is_ours: bool = False) -> ManifestState:
    """Read the manifest and return its state.

    Args:
        root: The dataset.
        labels: Its classes.
        is_ours: The caller holds the dataset's lock.

    Raises:
        DatasetError: It is of a newer schema, which is no damage.
        EnvironmentProblemError: It cannot be read at all.
    """
    path = manifest_path(root)
    if not path.exists():
        return ManifestState(Condition.LOST, "there is none")
    if find_aside(root) is not None:
        return _salvaged(root, labels, "setting a damaged one aside was interrupted")
    try:
        with _readable(root, is_ours=is_ours) as folder:
            fault = _check(manifest_path(folder), path)
            if fault == "":
                return ManifestState(Condition.LOST, "it is empty")
            return _salvaged(root, labels, fault) if fault else _read(root, labels, folder)
    except OSError as fault_of_disk:
        raise EnvironmentProblemError(
            f"{path}: cannot be read ({fault_of_disk.strerror}). Check its permissions, and the "
            f"disk; nothing was changed."
        ) from fault_of_disk
    except sqlite3.Error as fault_of_file:
        if is_of_disk(fault_of_file):
            raise EnvironmentProblemError(
                f"{path}: cannot be read ({fault_of_file}). Try again; nothing was changed."
            ) from fault_of_file
        return _salvaged(root, labels, str(fault_of_file))
    except ManifestDamagedError as fault_of_schema:
        return _salvaged(root, labels, fault_of_schema.detail)


def find_aside(root: Path) -> Path | None:
    """Return the second name of a manifest that is being set aside, or None."""
    path = manifest_path(root)
    if not path.exists():
        return None
    asides = path.parent.glob(f"{path.name}{ASIDE}*Z")
    return next((aside for aside in asides if _is_the_same(aside, path)), None)


def _is_the_same(aside: Path, path: Path) -> bool:
    """Return whether these are two names of one file, or two files of one content."""
    if aside.samefile(path):
        return True
    return not keeps_permissions(path.parent) and filecmp.cmp(aside, path, shallow=False)


def find_writer(root: Path) -> str | None:
    """Return the program that writes to the dataset now, or None, according to the lock."""
    try:
        handle = os.open(root / ".dataset" / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        lock_file(handle, is_shared=True)
    except BlockingIOError:
        return os.pread(handle, 200, 0).decode(errors="replace").strip() or "just starting"
    finally:
        os.close(handle)
    return None


@contextmanager
def _readable(root: Path, *, is_ours: bool) -> Iterator[Path]:
    """A dataset's folder whose manifest can be opened without a trace in `root`.

    Opening a manifest that a crash left with its log writes to the index beside it, or makes one:
    it is copied first. While another program has it open, the index is there and is shared.
    """
    path = manifest_path(root)
    wal = path.with_name(f"{path.name}-wal")
    if is_ours or not wal.exists() or find_writer(root):
        yield root
        return
    with copied(path) as copy:
        yield copy.parents[1]


def _read(root: Path, labels: Container[str], folder: Path) -> ManifestState:
    try:
        rows, consents = read_rows(folder), read_consents(folder)
    except ManifestDamagedError as fault:
        return _salvaged(root, labels, fault.detail)
    return ManifestState(Condition.WHOLE, rows=rows, consents=consents)


def _check(path: Path, name: Path) -> str | None:
    """Return what is wrong with the file: None for nothing, "" where it has no tables yet.

    Args:
        path: The file, or a copy of it.
        name: Name of it in a message.

    Raises:
        DatasetError: It is of a newer schema.
        sqlite3.Error: It is damaged beyond asking.
    """
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)) as db:
        if read_schema(db, name) == 0:
            return ""
        # Beyond `quick_check` this finds rows that an index has lost; 100,000 take under 1 s.
        answer = [str(line) for (line,) in db.execute("PRAGMA integrity_check(1)")]
        if answer != ["ok"]:
            return " ".join(answer[0].split())
        db.execute("SELECT removed_at, sha256 FROM photos LIMIT 1").fetchone()
        db.execute("SELECT action FROM events LIMIT 1").fetchone()
        return None


def _salvaged(root: Path, labels: Container[str], detail: str) -> ManifestState:
    """Return the state of a damaged manifest, with what can be read of it."""
    path = manifest_path(root)
    wals = [path.with_name(f"{path.name}-wal")]
    if aside := find_aside(root):
        wals.append(aside.with_name(f"{aside.name}-wal"))
    found = salvage_manifest(path, labels, next((wal for wal in wals if wal.exists()), None))
    rows = ManifestRows()
    for row in found.rows.values():
        of_kind = rows.present if row.removed_at is None else rows.removed
        of_kind[row.photo.path] = row.photo
    return ManifestState(Condition.DAMAGED, detail, rows, found.consents, found)
