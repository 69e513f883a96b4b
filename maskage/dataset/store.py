"""The dataset: class folders, a manifest, and a trash. One writer at a time.

data/<label>/<photo>.jpg      the folder is the label
data/classes.toml             the classes (`classes_file`); without it the four
data/.dataset/manifest.db     what the folders cannot tell
data/.trash/<label>/          removed photos, until emptied
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from maskage.context_mixin import ClosingMixin
from maskage.dataset.class_change_steps import finish_own_change
from maskage.dataset.consent import Consent
from maskage.dataset.edits import Edit, describe_failure
from maskage.dataset.listed_photos import ListedPhotos
from maskage.dataset.manifest.reading import KnownPhoto
from maskage.dataset.manifest.writer import Manifest
from maskage.dataset.photo_files import TRASH, PhotoMoves, disk_faults, make_folders
from maskage.dataset.photo_names import EditClock, digest_of, iso_time, photo_name, possible_paths
from maskage.dataset.trash_names import name_rows_as_before, rename_trashed
from maskage.errors import ManifestGoneError, PhotoNotSavedError, ToolchainError
from maskage.formats.classes.classes_file import read_scheme
from maskage.pictures.images import encode_jpeg
from maskage.pictures.perceptual_hash import hash_crop
from maskage.records import FaceBox, Photo, Quality, RgbImage, Suggestion
from maskage.system.files import save_new_file
from maskage.system.lock import FolderLock, lock_dataset


class PhotoStore(ListedPhotos, ClosingMixin):
    """A dataset open for writing. Its methods may be called from any thread.

    Args:
        root: The dataset's folder; made, with a folder for each class, where it is missing.
        lock: Its lock, held already, which is let go with the dataset; None to take it.

    Attributes:
        scheme: The classes, as they were when it was opened.

    Raises:
        DatasetError: Its classes.toml or its manifest is damaged, or two classes have one folder.
        DatasetInUseError: Another process has it open for writing.
        PhotoNotSavedError: The folder cannot be made or written.
    """

    def __init__(self, root: Path, lock: FolderLock | None = None) -> None:
        super().__init__(root)
        self._counter = 0
        self._clock = EditClock()
        with ExitStack() as opened:
            if lock is not None:
                opened.callback(lock.close)
            with disk_faults(f"{root}: the dataset folder cannot be made"):
                read_scheme(root)  # what is wrong with it is said before anything is made
                make_folders(root, ())
            self._lock = lock or lock_dataset(root)
            opened.callback(self._lock.close)
            finish_own_change(root)
            self.scheme = read_scheme(root)
            with disk_faults(f"{root}: the class folders cannot be made"):
                make_folders(root, self.scheme.labels)
            self._manifest = Manifest(root)
            opened.callback(self._manifest.close)
            self._promised: set[str] = set()
            self.list_anew()
            opened.pop_all()

    def add(
        self,
        crop: RgbImage,
        label: str,
        *,
        subject: str | None = None,
        session: str | None = None,
        group: str | None = None,
        source: str | None = None,
        box: FaceBox | None = None,
        quality: Quality | None = None,
        source_sha256: str | None = None,
    ) -> Photo:
        """Save one face crop. When this returns, the photo survives a power cut.

        Args:
            crop: RGB uint8, shape (H, W, 3).
            label: The class folder.
            subject: Pseudonym of the person.
            session: Name of the session in which it was taken.
            group: Photos of one group stay on one side of a split.
            source: The camera.
            box: Face position in the full frame, px.
            quality: Figures of the crop.
            source_sha256: Digest of the file that it was cut from; None for a camera.

        Returns:
            The photo as it lies in the dataset.

        Raises:
            PhotoNotSavedError: The disk refused; nothing is left of it.
        """
        data = encode_jpeg(crop)
        now = datetime.now(UTC)
        with self._mutex:
            self._counter += 1
            name = photo_name(now, session, self._counter, digest_of(data))
            photo = Photo(
                path=f"{label}/{name}",
                label=label,
                subject=subject,
                session=session,
                group=group,
                taken_at=iso_time(now),
                source=source,
                box=box,
                quality=quality,
                fingerprint=hash_crop(crop),
            )
            return self._save(photo, data, source_sha256)

    def add_encoded(self, data: bytes, photo: Photo, source_sha256: str | None = None) -> Photo:
        """Save a photo that is already encoded, under the name it brings where that is free.

        Args:
            data: JPEG bytes, without metadata.
            photo: What is known about it. Where another file has its name, part of the digest is
                added.
            source_sha256: Digest of the file it was imported from, so that it is imported once.

        Raises:
            PhotoNotSavedError: The disk refused; nothing is left of it.
        """
        with self._mutex:
            wanted, mark = Path(photo.path), digest_of(data)[:8]
            for path in itertools.islice(possible_paths(wanted, mark), 2):
                if self._is_left_over(path, data):
                    return self._adopt(replace(photo, path=path), data, source_sha256)
            free = self.free_path(wanted, mark, source_sha256=source_sha256)
            return self._save(replace(photo, path=free), data, source_sha256)

    def put_back(self, photo: Photo, data: bytes, source_sha256: str | None = None) -> Photo:
        """Save a photo under the very path that it had; see `add_encoded`.

        Raises:
            PhotoNotSavedError: The disk refused, or another file has the path.
        """
        with self._mutex:
            return self._save(photo, data, source_sha256)

    def withdraw(self, photo: Photo) -> None:
        """Delete a photo that was added just now, as if it had never been added.

        Raises:
            PhotoNotSavedError: The disk refused.
        """
        with self._mutex, disk_faults(f"{photo.path}: not deleted"):
            with self._manifest.transaction():
                now = iso_time(datetime.now(UTC))
                self._manifest.mark_removed(photo.path, now, "withdraw", photo.label)
                self._manifest.delete_removed([photo.path])
            self._photos.pop(photo.path, None)
            (self.root / photo.path).unlink(missing_ok=True)

    def relabelling(self, photo: Photo, label: str) -> Edit:
        """Return the edit that moves a photo to a class, under its own name where that is free."""
        with self._mutex:
            wanted = Path(label) / Path(photo.path).name
            path = self.free_path(wanted, (photo.sha256 or "again")[:8])
            self._promised.add(path)
        return Edit(photo, replace(photo, path=path, label=label))

    def apply(self, edits: Sequence[Edit]) -> None:
        """Carry out edits, all of them or none: one transaction, and one atomic move a photo.

        A kill in between leaves every photo whole in one folder, and the manifest as it was;
        photos that had been moved by then keep their facts, as if they had been moved by hand.

        Raises:
            PhotoNotSavedError: The disk refused; nothing was changed, except for photos that could
                not be moved back: they lie where `photos` says, and keep their facts.
        """
        if not edits:
            return
        moves = PhotoMoves(self.root)
        renamed: list[Edit] = []
        with self._mutex, disk_faults(describe_failure(edits)):
            now = self._clock.next()
            try:
                self._settle_renamed(now)
                renamed += rename_trashed(self._manifest, moves, edits)
                with self._manifest.transaction():
                    for edit in edits:
                        self._settle(edit, now)
                        self._manifest.edit(edit, now)
                    moves.carry_out(edits)
            except BaseException:
                is_back = moves.take_back()
                if renamed and is_back:
                    with suppress(ToolchainError):
                        name_rows_as_before(self._manifest, renamed)
                if not is_back:
                    # What stays where it is keeps its facts, as if moved by hand; list it there.
                    with suppress(ToolchainError):
                        self.list_anew()
                raise
            finally:
                self._promised.clear()
            for edit in edits:
                self._follow(edit)
            if any(edit.trashed and edit.trashed.path in self._photos for edit in edits):
                # Put by hand where the other one lay: whose row it has is another question now.
                self.list_anew()

    def suggest(self, suggestions: Iterable[tuple[Photo, Suggestion]]) -> None:
        """Record which class a model takes photos for, in one transaction; labels do not change.

        Raises:
            PhotoNotSavedError: The disk refused; nothing was written.
        """
        with self._mutex:
            written = [replace(photo, suggestion=suggestion) for photo, suggestion in suggestions]
            self._record_opinions(written)

    def check(self, opinions: Mapping[str, Suggestion]) -> None:
        """Record the opinions of a label check, in one transaction; labels do not change.

        Args:
            opinions: The class suggested for each doubtful photo, by path. The opinion of an
                earlier check on any other photo is removed.

        Raises:
            PhotoNotSavedError: The disk refused; nothing was written.
        """
        with self._mutex:
            self._record_opinions(
                [
                    replace(photo, check=opinions.get(path))
                    for path, photo in self._photos.items()
                    if photo.check != opinions.get(path)
                ]
            )

    def record_consent(self, consent: Consent, former: str | None = None) -> None:
        """Record that somebody agreed to be photographed; `former` is who has none any more."""
        with self._mutex, self._manifest.transaction():
            self._manifest.record_consent(consent, former)

    def consents(self) -> dict[str, Consent]:
        """Return every consent on record, by subject."""
        with self._mutex:
            return self._manifest.consents()

    def forget(self, subject: str, paths: Iterable[str] = ()) -> None:
        """Delete all rows, events and the consent of a subject, beyond recovery.

        The rows of these paths too.

        Their files go first: `maskage.dataset.privacy.forgetting` finds and removes them.

        Raises:
            PhotoNotSavedError: The manifest could not be written.
        """
        with self._mutex:
            self._manifest.forget(subject, paths)
            self.list_anew()

    @contextmanager
    def writing_trash(self) -> Iterator[Manifest]:
        """Give the manifest to `maskage.dataset.trash`, while nobody else writes."""
        with self._mutex:
            yield self._manifest

    def imported_digests(self) -> dict[str, str]:
        """Return the sha256 of every source file ever imported here, and its photo's label."""
        with self._mutex:
            return self._manifest.imported_digests()

    def close(self) -> None:
        """Close the manifest and let other writers in. May be called twice."""
        with self._mutex:
            self._manifest.close()
            self._lock.close()

    def _save(self, photo: Photo, data: bytes, source_sha256: str | None = None) -> Photo:
        """Save the file first, then the row: no row promises a photo that is not there."""
        photo = replace(photo, sha256=digest_of(data))
        path = self.root / photo.path
        with disk_faults(f"{photo.path}: not saved"):
            save_new_file(path, data)
        try:
            with self._manifest.transaction():
                now = iso_time(datetime.now(UTC))
                self._manifest.make_way(photo.path, now)
                self._manifest.add(photo, photo.taken_at or now, source_sha256)
        except ManifestGoneError as fault:
            raise ManifestGoneError(f"{fault} {photo.path} is there, without a row.") from fault
        except PhotoNotSavedError:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise
        self._photos[photo.path] = photo
        return photo

    def _is_left_over(self, path: str, data: bytes) -> bool:
        """Return whether this very file was saved by a run that was killed before its row."""
        known = self._unsettled.get(path)
        if known is None or known.row_path is not None:
            return False
        try:
            return (self.root / path).read_bytes() == data
        except OSError:
            return False

    def _adopt(self, photo: Photo, data: bytes, source_sha256: str | None) -> Photo:
        """Add the row of a file that is there already."""
        photo = replace(photo, sha256=digest_of(data))
        with self._manifest.transaction():
            self._manifest.add(photo, iso_time(datetime.now(UTC)), source_sha256)
        self._unsettled.pop(photo.path, None)
        self._photos[photo.path] = photo
        return photo

    def _record_opinions(self, photos: Iterable[Photo]) -> None:
        """Write the suggestion and the check of photos, in one transaction."""
        now = iso_time(datetime.now(UTC))
        written = list(photos)
        self._settle_renamed(now)
        with self._manifest.transaction():
            for photo in written:
                if known := self._unsettled.get(photo.path):
                    self._manifest.settle(self._with_digest(known), now)
                self._manifest.record_opinions(photo)
        for photo in written:
            self._photos[photo.path] = photo
            self._unsettled.pop(photo.path, None)

    def promise(self, path: str) -> None:
        """Keep a path from other photos until the next edits; only inside `writing_trash`."""
        self._promised.add(path)

    def _settle(self, edit: Edit, now: str) -> None:
        """Add or correct the row of a photo that was put here or moved by hand, before an edit."""
        if edit.before is not None and (known := self._unsettled.get(edit.before.path)):
            self._manifest.settle(self._with_digest(known), now)

    def _settle_renamed(self, now: str) -> None:
        """Settle all at once where photos have the names of others: singly, rows would clash."""
        moved = [e for e in self._unsettled.values() if e.row_path not in (None, e.photo.path)]
        if any(each.row_path in self._photos for each in moved):
            with self._manifest.transaction():
                self._manifest.follow_files(moved, (), now)
            self._unsettled = {p: each for p, each in self._unsettled.items() if each not in moved}

    def _with_digest(self, known: KnownPhoto) -> KnownPhoto:
        if known.photo.sha256 is not None:
            return known
        digest = digest_of((self.root / known.photo.path).read_bytes())
        return replace(known, photo=replace(known.photo, sha256=digest))

    def free_path(
        self, wanted: Path, mark: str, own: Path | None = None, source_sha256: str | None = None
    ) -> str:
        """Return `wanted`, or with a mark and a number; no photo has, had or will have the path.

        But the file `own`, in the trash, may have it, and a photo that is gone and came from the
        file of this digest. For the store, and inside `writing_trash`.
        """
        return next(
            path
            for path in possible_paths(wanted, mark)
            if path not in self._promised
            and not (self.root / path).exists()
            and (self.root / TRASH / path == own or not (self.root / TRASH / path).exists())
            and not self._manifest.knows(path, source_sha256)
        )
