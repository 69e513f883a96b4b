"""Snapshots of a dataset: taking one, listing them, deleting one.

    .dataset/snapshots/NAME.jsonl    what the dataset held (`snapshot_file`)
    .dataset/snapshots/objects/      the pictures, by content (`objects`)

The pictures come first and the file last, so that after a kill at any point there is a whole
snapshot of that name or none.
"""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from maskage.console import Progress, no_progress
from maskage.dataset.manifest.file import read_file
from maskage.dataset.photo_names import iso_time
from maskage.dataset.snapshots.objects import ObjectStore
from maskage.dataset.snapshots.snapshot_file import (
    SUFFIX,
    Snapshot,
    SnapshotPhoto,
    read_snapshot,
    write_snapshot,
)
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError, PhotoNotSavedError, UsageError
from maskage.formats.classes.classes_file import CLASSES_FILE
from maskage.formats.dataset_folder import manifest_path
from maskage.formats.sums import hash_file
from maskage.records import Photo

NOW = "now"
"""Stands for the dataset as it is, where a snapshot is named."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class SnapshotSize:
    """What a snapshot holds.

    Attributes:
        snapshot: The snapshot.
        only_here: Bytes of its pictures that neither the dataset nor a later snapshot holds: what
            deleting it sets free.
        damaged: Number of its pictures that are gone or were changed.
    """

    snapshot: Snapshot
    only_here: int
    damaged: int = 0


def snapshots_folder(root: Path) -> Path:
    """Return the folder of a dataset's snapshots."""
    return manifest_path(root).parent / "snapshots"


def open_objects(root: Path, *, is_copying: bool = False) -> ObjectStore:
    """Return the pictures of a dataset's snapshots; see `ObjectStore`."""
    return ObjectStore(snapshots_folder(root) / "objects", is_copying=is_copying)


def list_names(root: Path) -> list[str]:
    """Return the names of a dataset's snapshots, sorted."""
    return sorted(path.name.removesuffix(SUFFIX) for path in _files(root))


def read_snapshots(root: Path) -> list[Snapshot]:
    """Return the snapshots of a dataset, the oldest first.

    Raises:
        DatasetError: One is damaged.
    """
    return sorted(map(read_snapshot, _files(root)), key=lambda each: (each.created_at, each.name))


def find_snapshot(root: Path, name: str) -> Snapshot:
    """Return the snapshot of a name.

    Raises:
        UsageError: There is none.
        DatasetError: It is damaged.
    """
    names = list_names(root)
    if name not in names:
        there = f"There are {', '.join(names)}" if names else "There is none yet"
        raise UsageError(
            f"{root}: there is no snapshot {name!r}. {there}. `collector snapshot NAME` takes one."
        )
    return read_snapshot(_path_of(root, name))


def take_snapshot(
    store: PhotoStore, name: str, progress: Progress = no_progress, *, is_copied: bool = False
) -> Snapshot:
    """Take a snapshot of an open dataset.

    Args:
        store: The dataset.
        name: Name of the snapshot.
        progress: Shows the photos as they are kept.
        is_copied: Pictures are copied, so that no program can change them through the photos.

    Raises:
        UsageError: The name cannot be one, or is taken.
        DatasetError: There is no photo, or one cannot be read.
        PhotoNotSavedError: The disk refused; there is no snapshot of this name.
    """
    root = store.root
    require_free_name(root, name)
    photos = store.photos()
    if not photos:
        raise DatasetError(f"{root}: no photo in it yet. Take some with `collector {root}`.")
    objects = open_objects(root, is_copying=is_copied)
    known = known_files(root)
    kept = []
    try:
        for photo in progress(photos, "keeping photos", len(photos)):
            entry = describe_file(root, photo, known, source_digests={})
            objects.keep(root / photo.path, entry.digest)
            kept.append(entry)
        objects.sync()
        sources = read_source_digests(root)
        snapshot = Snapshot(
            name,
            iso_time(datetime.now(UTC)),
            _classes_text(root),
            tuple(replace(each, source_sha256=sources.get(each.photo.path)) for each in kept),
        )
        write_snapshot(_path_of(root, name), snapshot)
    except OSError as fault:
        raise PhotoNotSavedError(
            f"{root}: the snapshot {name} cannot be written ({fault.strerror or fault}). The "
            f"dataset was not changed."
        ) from fault
    return snapshot


def describe_now(root: Path, photos: Sequence[Photo]) -> Snapshot:
    """Return a dataset as a snapshot would hold it; nothing is written.

    Args:
        root: The dataset.
        photos: Its photos.

    Raises:
        DatasetError: A photo cannot be read.
    """
    known, sources = known_files(root), read_source_digests(root)
    entries = [describe_file(root, photo, known, source_digests=sources) for photo in photos]
    return Snapshot(NOW, iso_time(datetime.now(UTC)), _classes_text(root), tuple(entries))


def delete_snapshot(store: PhotoStore, name: str) -> int:
    """Delete a snapshot, with the pictures that no other holds; return the number of these.

    Raises:
        UsageError: There is none of this name.
        PhotoNotSavedError: The disk refused.
    """
    root = store.root
    if name not in list_names(root):
        find_snapshot(root, name)
    try:
        _path_of(root, name).unlink()
        return remove_unused(root)
    except OSError as fault:
        raise PhotoNotSavedError(
            f"{root}: the snapshot {name} cannot be deleted ({fault.strerror or fault}). Run the "
            f"same command again."
        ) from fault


def remove_unused(root: Path) -> int:
    """Remove the pictures that no snapshot of a dataset holds; return how many.

    Raises:
        DatasetError: A snapshot is damaged, so that nobody knows what it holds.
        OSError: The disk refused.
    """
    used = {each.digest for snapshot in read_snapshots(root) for each in snapshot.photos}
    return open_objects(root).remove_unused(used)


def measure_snapshots(root: Path, photos: Sequence[Photo]) -> list[SnapshotSize]:
    """Return the snapshots of a dataset with the room that each takes, the oldest first.

    Args:
        root: The dataset.
        photos: Its photos.
    """
    snapshots = read_snapshots(root)
    objects = open_objects(root)
    holders: dict[str, list[str]] = {}
    for snapshot in snapshots:
        for digest in {each.digest for each in snapshot.photos}:
            holders.setdefault(digest, []).append(snapshot.name)
    there = {photo.sha256 for photo in photos}
    sizes = []
    for snapshot in snapshots:
        by_digest = {each.digest: each.size for each in snapshot.photos}
        only_here = sum(
            size
            for digest, size in by_digest.items()
            if digest not in there and holders[digest] == [snapshot.name]
        )
        damaged = sum(
            not objects.path_of(each.digest).is_file()
            or objects.path_of(each.digest).stat().st_size != each.size
            for each in snapshot.photos
        )
        sizes.append(SnapshotSize(snapshot, only_here, damaged))
    return sizes


def require_free_name(root: Path, name: str) -> None:
    """Refuse a name that no snapshot can have, or that one has.

    Raises:
        UsageError: It is one of these.
    """
    if _NAME.fullmatch(name) is None or name == NOW:
        raise UsageError(
            f"{name!r} cannot be the name of a snapshot. A name has up to 64 letters, digits, "
            f"'.', '_' and '-', such as before-import; {NOW!r} stands for the dataset as it is."
        )
    if name.casefold() in map(str.casefold, list_names(root)):
        raise UsageError(
            f"{root}: there is a snapshot {name} already. Choose another name, or delete it with "
            f"`collector snapshots {root} --delete {name}`."
        )


def known_files(root: Path) -> Mapping[str, SnapshotPhoto]:
    """Return what the newest snapshot knows of each file, by path; so it need not be read again."""
    snapshots = read_snapshots(root)
    return {each.photo.path: each for each in snapshots[-1].photos} if snapshots else {}


def describe_file(
    root: Path,
    photo: Photo,
    known: Mapping[str, SnapshotPhoto],
    source_digests: Mapping[str, str],
) -> SnapshotPhoto:
    """Return a photo with digest, size and time of its file as it is now.

    Args:
        root: The dataset.
        photo: The photo.
        known: See `known_files`; a file of the same size and time is not read again.
        source_digests: Digest of the imported file of each photo, by path.

    Raises:
        DatasetError: The file cannot be read.
    """
    path = root / photo.path
    try:
        state = path.stat()
    except OSError as fault:
        raise _unreadable(photo, fault.strerror or str(fault)) from fault
    former = known.get(photo.path)
    if former is not None and (former.size, former.mtime_ns) == (state.st_size, state.st_mtime_ns):
        digest: str | None = former.digest
    else:
        digest = hash_file(path)
    if digest is None:
        raise _unreadable(photo, "it cannot be opened")
    return SnapshotPhoto(
        replace(photo, sha256=digest),
        source_digests.get(photo.path),
        state.st_size,
        state.st_mtime_ns,
    )


def read_source_digests(root: Path) -> Mapping[str, str]:
    """Return the digest of the file that each photo was imported from, by path."""

    def read(db: sqlite3.Connection) -> dict[str, str]:
        query = "SELECT path, source_sha256 FROM photos WHERE source_sha256 NOT NULL"
        return dict(db.execute(query))

    return read_file(manifest_path(root), read) or {}


def _unreadable(photo: Photo, reason: str) -> DatasetError:
    return DatasetError(
        f"{photo.path}: cannot be read ({reason}). `collector doctor` says more; no snapshot was "
        f"taken."
    )


def _files(root: Path) -> list[Path]:
    return sorted(
        path
        for path in snapshots_folder(root).glob(f"*{SUFFIX}")
        if _NAME.fullmatch(path.name.removesuffix(SUFFIX))
    )


def _path_of(root: Path, name: str) -> Path:
    return snapshots_folder(root) / f"{name}{SUFFIX}"


def _classes_text(root: Path) -> str | None:
    try:
        return (root / CLASSES_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
