"""Where photos are kept: four class folders, a manifest, and a trash. One writer at a time.

data/<label>/<photo>.jpg      the folder is the label
data/.dataset/manifest.db     what the folders cannot tell
data/.trash/<label>/          removed photos, until emptied
"""

import hashlib
import itertools
import os
import secrets
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from collector.errors import DatasetError, PhotoNotSavedError
from collector.files import move_file, save_new_file
from collector.images import encode_jpeg, is_picture
from collector.lock import DatasetLock
from collector.manifest import Manifest, read_manifest, with_known_facts
from collector.records import LABELS, FaceBox, Label, Photo, Quality, RgbImage

TRASH = ".trash"


class PhotoStore:
    """A dataset open for writing. Its methods may be called from any thread.

    Args:
        root: The dataset's folder; made, with the four class folders, where it is missing.

    Raises:
        DatasetInUseError: Another process has it open for writing.
        PhotoNotSavedError: The folder cannot be made or written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._mutex = threading.Lock()
        self._counter = 0
        with _disk_faults(f"{root}: the dataset folder cannot be made"):
            for label in LABELS:
                (root / label).mkdir(parents=True, exist_ok=True, mode=0o700)
                (root / TRASH / label).mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = DatasetLock(root)
        try:
            self._manifest = Manifest(root)
            self._photos = {photo.path: photo for photo in list_photos(root)}
        except BaseException:
            self._lock.close()
            raise

    def add(
        self,
        crop: RgbImage,
        label: Label,
        *,
        subject: str | None = None,
        session: str | None = None,
        group: str | None = None,
        source: str | None = None,
        box: FaceBox | None = None,
        quality: Quality | None = None,
    ) -> Photo:
        """Save one face crop. When this returns, the photo survives a power cut.

        Args:
            crop: RGB uint8, shape (H, W, 3).
            label: The class folder.
            subject, session, group: Keep its kind on one side of a split.
            source: The camera.
            box: Face position in the full frame.
            quality: Figures of the crop.

        Returns:
            The photo as it lies in the dataset.

        Raises:
            PhotoNotSavedError: The disk refused; nothing is left of it.
        """
        data = encode_jpeg(crop)
        now = datetime.now(UTC)
        with self._mutex:
            self._counter += 1
            stamp = now.strftime("%Y%m%dT%H%M%S") + f"{now.microsecond // 1000:03d}Z"
            name = f"{stamp}_{session or 'single'}_{self._counter:05d}_{_digest(data)[:8]}.jpg"
            photo = Photo(
                path=f"{label}/{name}",
                label=label,
                subject=subject,
                session=session,
                group=group,
                taken_at=_iso(now),
                source=source,
                box=box,
                quality=quality,
            )
            return self._save(photo, data)

    def add_encoded(self, data: bytes, photo: Photo, source_sha256: str | None = None) -> Photo:
        """Save a photo that is already encoded, under the name it brings where that is free.

        Args:
            data: JPEG bytes, without metadata.
            photo: What is known of it. Where another file has its name, part of the hash is added.
            source_sha256: Digest of the file it was imported from, so that it is imported once.

        Raises:
            PhotoNotSavedError: The disk refused; nothing is left of it.
        """
        with self._mutex:
            path = self._free_path(Path(photo.path), _digest(data)[:8])
            return self._save(replace(photo, path=path), data, source_sha256)

    def trash(self, photo: Photo) -> None:
        """Move a photo to the trash, from where `restore` brings it back."""
        with self._mutex, _disk_faults(f"{photo.path}: cannot be moved to the trash"):
            move_file(self.root / photo.path, self.root / TRASH / photo.path)
            self._manifest.mark_removed(photo, _iso(datetime.now(UTC)))
            self._photos.pop(photo.path, None)

    def restore(self, photo: Photo) -> None:
        """Bring a photo back from the trash."""
        with self._mutex, _disk_faults(f"{photo.path}: cannot be brought back"):
            move_file(self.root / TRASH / photo.path, self.root / photo.path)
            self._manifest.mark_restored(photo, _iso(datetime.now(UTC)))
            self._photos[photo.path] = photo

    def photos(self) -> list[Photo]:
        """Every photo in the dataset, sorted by path."""
        with self._mutex:
            return [self._photos[path] for path in sorted(self._photos)]

    def counts(self, subject: str | None = None) -> dict[Label, int]:
        """Photos in each class; of one subject, where one is named."""
        counts = dict.fromkeys(LABELS, 0)
        with self._mutex:
            for photo in self._photos.values():
                counts[photo.label] += subject is None or photo.subject == subject
        return counts

    def imported_digests(self) -> set[str]:
        """sha256 of every source file that was ever imported here."""
        with self._mutex:
            return self._manifest.imported_digests()

    def close(self) -> None:
        """Close the manifest and let other writers in. May be called twice."""
        with self._mutex:
            self._manifest.close()
            self._lock.close()

    def __enter__(self) -> "PhotoStore":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _save(self, photo: Photo, data: bytes, source_sha256: str | None = None) -> Photo:
        """File first, then row: a row never promises a photo that is not there."""
        photo = replace(photo, sha256=_digest(data))
        path = self.root / photo.path
        with _disk_faults(f"{photo.path}: not saved"):
            save_new_file(path, data)
        try:
            self._manifest.add(photo, photo.taken_at or _iso(datetime.now(UTC)), source_sha256)
        except PhotoNotSavedError:
            path.unlink(missing_ok=True)
            raise
        self._photos[photo.path] = photo
        return photo

    def _free_path(self, wanted: Path, mark: str) -> str:
        """`wanted`, or with a mark and a number if need be; of no photo that is or was here."""
        marked = (
            wanted.with_name(f"{wanted.stem}-{mark}{number or ''}{wanted.suffix}")
            for number in itertools.count()
        )
        return next(
            path.as_posix()
            for path in itertools.chain([wanted], marked)
            if not (self.root / path).exists() and not self._manifest.knows(path.as_posix())
        )


def list_photos(root: Path) -> list[Photo]:
    """Every photo in the four class folders, with what the manifest knows, sorted by path.

    Reads names only: whether each is a whole picture is found out when it is decoded.

    Raises:
        DatasetError: There is no such folder, or the manifest is damaged.
    """
    if not root.is_dir():
        raise DatasetError(
            f"No dataset at {root}. Make one with `collector {root}`, or fill the folders "
            f"{', '.join(LABELS)} with photos."
        )
    found = {f"{label}/{name}": label for label in LABELS for name in _picture_names(root / label)}
    return with_known_facts(dict(sorted(found.items())), read_manifest(root))


def _picture_names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    names = [entry.name for entry in os.scandir(folder) if entry.is_file()]
    return [name for name in names if is_picture(Path(name))]


def new_session_id() -> str:
    """A name for one sitting: UTC date and time, and four random digits for two within a second."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


class _disk_faults:  # noqa: N801  reads as a statement: `with _disk_faults("..."):`
    """Turn what the disk raises into `PhotoNotSavedError`, with what was being done."""

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(fault, OSError):
            raise PhotoNotSavedError(
                f"{self._doing} ({fault.strerror or fault}). Check the disk's space and "
                f"permissions; photos saved before are safe."
            ) from fault


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
