"""Put a new manifest in the place of a damaged one, which is kept beside it under another name.

The damaged file first gets its second name, then the new one is made in a folder of its own, then
the log of the damaged one follows it, and at last the new file takes the place in one step. Killed
in between, the two names of one file tell the next run that this was not finished.
"""

import shutil
from datetime import datetime
from pathlib import Path

from maskage.dataset.doctor.files import REBUILDING
from maskage.dataset.doctor.manifest import ASIDE, find_aside
from maskage.dataset.doctor.values import Salvage
from maskage.dataset.manifest.writer import Manifest
from maskage.formats.dataset_folder import manifest_path
from maskage.system.files import give_second_name, rename_new, sync_folder

_COMPANIONS = ("-wal", "-shm")


def replace_manifest(root: Path, salvage: Salvage, now: datetime) -> None:
    """Set the damaged manifest aside and make one of what was salvaged. The caller has the lock.

    Args:
        root: The dataset.
        salvage: Everything that could be read of the damaged one.
        now: UTC; stands in the name of the damaged one.

    Raises:
        PhotoNotSavedError: The disk refused; the damaged one is where it was.
        OSError: The same.
    """
    path = manifest_path(root)
    aside = find_aside(root)
    if aside is None:
        aside = _aside_path(path, now)
        give_second_name(path, aside)
        sync_folder(path.parent)
    clear_rebuilding(root)
    _make_manifest(root / REBUILDING, salvage)
    for companion in _companions(path):
        rename_new(companion, aside.with_name(companion.name.replace(path.name, aside.name, 1)))
    sync_folder(path.parent)
    manifest_path(root / REBUILDING).replace(path)
    sync_folder(path.parent)
    clear_rebuilding(root)


def put_companions_aside(root: Path, now: datetime) -> None:
    """Set the log of a manifest that is lost aside: SQLite would take it for the new one's."""
    path = manifest_path(root)
    aside = _aside_path(path, now)
    for companion in _companions(path):
        rename_new(companion, aside.with_name(companion.name.replace(path.name, aside.name, 1)))


def clear_rebuilding(root: Path) -> None:
    """Remove a new manifest that never took its place."""
    shutil.rmtree(root / REBUILDING, ignore_errors=True)


def _make_manifest(folder: Path, salvage: Salvage) -> None:
    """A manifest of what was salvaged, whole and on the disk on return."""
    manifest = Manifest(folder)
    try:
        with manifest.transaction():
            for row in salvage.rows.values():
                manifest.insert_row(row.photo, row.source_sha256, row.removed_at)
            for consent in salvage.consents.values():
                manifest.record_consent(consent)
            for event in salvage.events:
                manifest.log(*event)
    finally:
        manifest.close()


def _companions(path: Path) -> list[Path]:
    """The files that SQLite keeps beside a database, where they are."""
    found = [path.with_name(f"{path.name}{ending}") for ending in _COMPANIONS]
    return [companion for companion in found if companion.exists()]


def _aside_path(path: Path, now: datetime) -> Path:
    """A name that no manifest set aside before has."""
    stamp = f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}Z"
    return path.with_name(f"{path.name}{ASIDE}{stamp}")
