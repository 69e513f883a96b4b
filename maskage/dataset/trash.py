"""The trash of a dataset: what lies in it, bringing it back, and deleting it for good.

A row without a photo in the trash is of a photo that is gone; it is not listed here.
"""

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from maskage.dataset.doctor.files import facts_of_name
from maskage.dataset.edits import Edit
from maskage.dataset.manifest.reading import former_names, read_removed
from maskage.dataset.manifest.writer import Manifest
from maskage.dataset.photo_files import TRASH, PhotoMoves, disk_faults, is_file_entry
from maskage.dataset.photo_names import iso_time
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError, EnvironmentProblemError, UsageError
from maskage.formats.sums import hash_file
from maskage.outside_text import shown_text
from maskage.pictures.picture_kinds import has_picture_name
from maskage.records import Photo
from maskage.system.files import sync_folder


@dataclass(frozen=True)
class TrashedPhoto:
    """A photo that lies in the trash.

    Attributes:
        photo: The photo, under the path that it had before it was removed.
        removed_at: Time of the removal, UTC, ISO 8601; None where the manifest does not know it.
        file: Path of the file.
        row_path: Path in its row of the manifest; None where it has no row of its own.
    """

    photo: Photo
    removed_at: str | None
    file: Path
    row_path: str | None = None


def list_trash(store: PhotoStore) -> list[TrashedPhoto]:
    """Return the photos in the trash, the one removed last first, then by path.

    A file that has no row of its own path is matched to a removed photo by its digest. Photos of
    classes that the dataset does not have any more are among them.

    Raises:
        EnvironmentProblemError: A folder of the trash cannot be read.
    """
    with store.writing_trash() as manifest:
        return _newest_first(_trashed(store.root, manifest.removed()))


def read_trash(root: Path) -> list[TrashedPhoto]:
    """Return the photos in the trash as `list_trash` does, of a dataset that is not opened.

    Nothing is written: it works on a full disk and in a folder that is read-only.

    Raises:
        DatasetError: The manifest is damaged.
        EnvironmentProblemError: A folder of the trash cannot be read.
    """
    return _newest_first(_trashed(root, read_removed(root)))


def _newest_first(found: Iterable[TrashedPhoto]) -> list[TrashedPhoto]:
    by_path = sorted(found, key=lambda trashed: trashed.photo.path)
    return sorted(by_path, key=lambda trashed: trashed.removed_at or "", reverse=True)


def restoring(
    store: PhotoStore, photos: Sequence[TrashedPhoto], label: str | None = None
) -> list[Edit]:
    """Return the edits that bring photos back, for `PhotoStore.apply`.

    A file that has no row of its own path gets one first, still in the trash. Undone, the edits
    put each photo back into the trash under the class and name that it had there.

    Args:
        store: The dataset.
        photos: The photos, as `list_trash` returned them.
        label: The class to bring them back into; None for the class that each had.

    Raises:
        DatasetError: A photo is not in the trash any more, or the dataset has no such class any
            more. Nothing was changed.
        UsageError: There is no class `label`. Nothing was changed.
        PhotoNotSavedError: The disk refused; nothing was changed.
    """
    _require_classes(store, photos, label)
    moves = PhotoMoves(store.root)
    with store.writing_trash() as manifest, disk_faults(f"{_name(photos)}: cannot be restored"):
        try:
            with manifest.transaction():
                edits = [_prepare(store, manifest, moves, each, label) for each in photos]
                moves.make_durable()
        except BaseException:
            moves.take_back()
            raise
        # A photo put by hand where another one lay before may have been taken for that one.
        if any(edit.end.path != each.row_path for edit, each in zip(edits, photos, strict=True)):
            store.list_anew()
    return edits


def restore_photos(
    store: PhotoStore, photos: Sequence[TrashedPhoto], label: str | None = None
) -> list[Edit]:
    """Bring photos back into their class folders, all of them or none; see `restoring`.

    Returns:
        What was done, one edit a photo, in the order given.

    Raises:
        DatasetError, UsageError, PhotoNotSavedError: See `restoring`.
    """
    edits = restoring(store, photos, label)
    store.apply(edits)
    return edits


def empty_trash(
    store: PhotoStore,
    photos: Sequence[TrashedPhoto] | None = None,
    gone: Container[Path] = (),
) -> int:
    """Delete photos in the trash for good, with their rows.

    Of a photo that names a person, the row keeps what `collector forget` needs to find copies of
    it in curated sets; the picture it was imported from counts as new again either way.

    Args:
        store: The dataset.
        photos: The photos; None for all that are in the trash.
        gone: Files among them that were deleted just before, to make room.

    Returns:
        The number of photos that were deleted.

    Raises:
        EnvironmentProblemError: The disk refused; photos deleted before stay deleted.
    """
    chosen = list_trash(store) if photos is None else photos
    deleted: list[TrashedPhoto] = []
    # Outside `writing_trash`: thousands of files take seconds, and no reader waits for them.
    try:
        for trashed in chosen:
            with suppress(FileNotFoundError):  # restored since it was listed
                if trashed.file not in gone:
                    trashed.file.unlink()
                deleted.append(trashed)
        for folder in {trashed.file.parent for trashed in deleted}:
            sync_folder(folder)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{store.root}: the trash cannot be emptied ({fault.strerror or fault}). "
            f"{len(deleted)} of {len(chosen)} photos are deleted. Check the permissions of "
            f"{store.root / TRASH}, then try again."
        ) from fault
    finally:
        with store.writing_trash() as manifest, manifest.transaction():
            manifest.delete_removed([each.row_path for each in deleted if each.row_path])
    return len(deleted)


def _trashed(root: Path, removed: Mapping[str, tuple[Photo, str]]) -> Iterator[TrashedPhoto]:
    """Yield the photos in the trash, each with its row where it has one."""
    files = _files_in_trash(root)
    lost: dict[str, list[str]] = {}
    for path in removed:
        if path not in files:
            lost.setdefault(removed[path][0].sha256 or "", []).append(path)
    for path, file in files.items():
        row_path: str | None = path if path in removed else None
        if row_path is None and lost and (rows := lost.get(hash_file(file) or "")):
            row_path = _pop_likeliest(rows, path)
        label = path.partition("/")[0]
        if row_path is None:
            taken_at, session = facts_of_name(path)
            yield TrashedPhoto(Photo(path, label, session=session, taken_at=taken_at), None, file)
        else:
            photo, removed_at = removed[row_path]
            yield TrashedPhoto(replace(photo, path=path, label=label), removed_at, file, row_path)


def _pop_likeliest(rows: list[str], path: str) -> str:
    """Take the row that had this name, or else any, from rows that have the digest of a file."""
    name = path.rpartition("/")[2]
    found = next((row for row in rows if name in former_names(row)), rows[0])
    rows.remove(found)
    return found


def _files_in_trash(root: Path) -> dict[str, Path]:
    """Return the pictures in the trash, by their path in the dataset, sorted."""
    try:
        folders = [entry for entry in os.scandir(root / TRASH) if entry.is_dir()]
        files = [
            Path(file) for folder in folders for file in os.scandir(folder) if is_file_entry(file)
        ]
    except FileNotFoundError:
        return {}
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{root / TRASH}: the photos in it cannot be listed ({fault.strerror or fault}). Check "
            f"the disk, and who may read the folder; nothing was changed."
        ) from fault
    named = {f"{file.parent.name}/{file.name}": file for file in files}
    return {path: named[path] for path in sorted(named) if has_picture_name(named[path].name)}


def _prepare(
    store: PhotoStore,
    manifest: Manifest,
    moves: PhotoMoves,
    trashed: TrashedPhoto,
    label: str | None,
) -> Edit:
    """Return the edit that brings a file back; its row has its path in the trash then."""
    photo = trashed.photo
    wanted = Path(label or photo.label) / trashed.file.name
    is_free = not os.path.lexists(store.root / wanted)
    if trashed.row_path == wanted.as_posix() and is_free:
        return Edit(None, photo)
    digest = photo.sha256 or hash_file(trashed.file) or ""
    lying = _with_row(store, manifest, moves, trashed, digest)
    if lying.path == wanted.as_posix() and is_free:
        return Edit(None, lying)
    path = store.free_path(wanted, digest[:8], own=trashed.file)
    store.promise(path)
    return Edit(None, replace(lying, path=path, label=wanted.parts[0]), lying)


def _with_row(
    store: PhotoStore, manifest: Manifest, moves: PhotoMoves, trashed: TrashedPhoto, digest: str
) -> Photo:
    """Give a file in the trash a row of its own path, and another name where that is taken."""
    photo = replace(trashed.photo, sha256=digest)
    is_own = trashed.row_path is not None and _owns_row(store, trashed, digest)
    if is_own and trashed.row_path == photo.path:
        return photo
    if manifest.knows(photo.path):
        path = store.free_path(Path(photo.path), digest[:8], own=trashed.file)
        photo = replace(photo, path=path)
        moves.move(trashed.file, store.root / TRASH / path)
    if is_own and trashed.row_path is not None:
        manifest.rename_row(trashed.row_path, photo.path, photo.label)
    else:
        manifest.insert_row(photo, removed_at=iso_time(datetime.now(UTC)))
    return photo


def _owns_row(store: PhotoStore, trashed: TrashedPhoto, digest: str) -> bool:
    """Return False where the photo was copied back by hand, which made the row that copy's."""
    copy = store.root / (trashed.row_path or "")
    return not copy.is_file() or hash_file(copy) != digest


def _require_classes(store: PhotoStore, photos: Sequence[TrashedPhoto], label: str | None) -> None:
    """Refuse what cannot be brought back, before anything is changed."""
    classes = ", ".join(store.scheme.labels)
    if label is not None and label not in store.scheme:
        raise UsageError(
            f"{store.root}: no class {label!r}. It has {classes}. Nothing was restored."
        )
    gone = [trashed for trashed in photos if not _lies_there(trashed)]
    if gone:
        raise DatasetError(
            f"{_name(gone)}: not in the trash of {store.root} any more. Nothing was restored; list "
            f"the trash again."
        )
    former = sorted({each.photo.label for each in photos} - set(store.scheme.labels))
    if former and label is None:
        raise DatasetError(
            f"{store.root}: it has no class {' or '.join(map(repr, former))} any more, of which "
            f"{_name([each for each in photos if each.photo.label in former])} was removed. "
            f"Restore into one of its classes: {classes}. Nothing was restored."
        )


def _lies_there(trashed: TrashedPhoto) -> bool:
    return os.path.lexists(trashed.file)


def _name(photos: Sequence[TrashedPhoto]) -> str:
    """Return "mask/a.jpg" or "mask/a.jpg and 2 more"."""
    more = f" and {len(photos) - 1} more" if len(photos) > 1 else ""
    return f"{shown_text(photos[0].photo.path)}{more}" if photos else "no photo"
