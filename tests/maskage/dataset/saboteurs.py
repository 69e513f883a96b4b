"""`save_many` with one safeguard taken out: what checks of saving must notice.

    python -m tests.maskage.dataset.saboteurs NAME DATA MODE SEED

A check that passes with one of these could not fail.
"""

import fcntl
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from maskage.dataset import photo_files, store
from maskage.dataset.manifest.writer import Manifest
from maskage.system import files
from tests.maskage.dataset import save_many

WORKER = "tests.maskage.dataset.saboteurs"
_PATCH = pytest.MonkeyPatch()


def leave_out_file_sync() -> None:
    """Never sync the bytes of a photo."""
    sync = os.fsync

    def sync_folders_only(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            sync(handle)

    _PATCH.setattr(os, "fsync", sync_folders_only)


def leave_out_folder_sync() -> None:
    """Never sync the name of a photo."""
    for module in (files, photo_files):
        _PATCH.setattr(module, "sync_folder", lambda folder: None)


def leave_out_manifest_sync() -> None:
    """Never sync a row."""
    _set_synchronous("OFF")


def sync_manifest_later() -> None:
    """Sync a row when the log is next emptied, as SQLite does by default with a log."""
    _set_synchronous("NORMAL")


def commit_later() -> None:
    """Call a photo saved before its row is committed."""

    @contextmanager
    def transaction(self: Manifest) -> Iterator[None]:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")
        yield

    _PATCH.setattr(Manifest, "transaction", transaction)


def write_in_place() -> None:
    """Write a photo under its own name, where half of it is seen meanwhile."""

    def save(path: Path, data: bytes) -> None:
        with path.open("xb", buffering=0) as file:
            file.write(data[:1000])
            file.write(data[1000:])
            os.fsync(file.fileno())
        files.sync_folder(path.parent)

    _PATCH.setattr(store, "save_new_file", save)


def move_in_two_steps() -> None:
    """Move a photo by linking it and then unlinking it: two steps, where one is needed."""

    def rename(source: Path, target: Path) -> None:
        os.link(source, target)
        source.unlink()

    _PATCH.setattr(photo_files, "rename_new", rename)


def ignore_faults_of_syncs() -> None:
    """Go on where the disk says that it could not sync."""
    sync = os.fsync

    def try_to_sync(handle: int) -> None:
        with suppress(OSError):
            sync(handle)

    _PATCH.setattr(os, "fsync", try_to_sync)


def leave_out_lock() -> None:
    """Let any number of programs write to one dataset."""
    _PATCH.setattr(fcntl, "flock", lambda handle, operation: None)


SABOTEURS: Mapping[str, Callable[[], None]] = {
    saboteur.__name__: saboteur
    for saboteur in (
        leave_out_file_sync,
        leave_out_folder_sync,
        leave_out_manifest_sync,
        sync_manifest_later,
        commit_later,
        write_in_place,
        move_in_two_steps,
        ignore_faults_of_syncs,
        leave_out_lock,
    )
}


def _set_synchronous(value: str) -> None:
    set_up = Manifest._set_up

    def set_up_otherwise(self: Manifest) -> None:
        set_up(self)
        self._db.execute(f"PRAGMA synchronous = {value}")

    _PATCH.setattr(Manifest, "_set_up", set_up_otherwise)


if __name__ == "__main__":
    SABOTEURS[sys.argv.pop(1)]()
    sys.exit(save_many.main())
