"""Photos that people already have: class folders, or one labelled folder.

Each source file is imported once, by content: a second run, or a run after an interruption, skips
what is there. A picture that lies under several labels is not imported at all. The source is never
changed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from maskage.dataset.edits import Edit
from maskage.dataset.importing.annotations.place_boxes import read_size
from maskage.dataset.importing.face_crops import (
    FaceCutter,
    region_digest,
    scale_box,
    scene_group,
    with_quality,
)
from maskage.dataset.importing.import_report import (
    IN_CONFLICT,
    IN_TRASH,
    NO_FACE,
    UNREADABLE,
    ImportReport,
)
from maskage.dataset.importing.known_imports import ImportedPhoto, ImportState, KnownImports
from maskage.dataset.importing.label_conflicts import LabelConflict, find_conflicts
from maskage.dataset.importing.photo_time import read_taken_at
from maskage.dataset.importing.sources.source_labels import SourcePicture
from maskage.dataset.manifest.reading import former_names
from maskage.dataset.photo_files import TRASH
from maskage.dataset.photo_names import digest_of
from maskage.dataset.store import PhotoStore
from maskage.errors import FaceOutsideFrameError, UnreadableImageError
from maskage.faces.finder import crop_face
from maskage.formats.metadata_file import PhotoMetadata
from maskage.outside_text import portable_name
from maskage.pictures.images import decode_image, encode_jpeg, without_metadata
from maskage.records import FaceBox, Photo, RgbImage

_AHEAD = 16
"""Pictures that are read, decoded and measured while one is saved."""
_THREADS = 2
_MAYBE_REDUCED = 4_000_000
"""Pixels below which no picture is one that was decoded at reduced size."""


def import_pictures(
    store: PhotoStore,
    pictures: Iterable[SourcePicture],
    *,
    subject: str | None = None,
    session: str | None = None,
    faces: FaceCutter | None = None,
    is_again: bool = False,
) -> Iterator[ImportReport]:
    """Import pictures one by one; yield the growing report after each.

    Args:
        store: The dataset, open.
        pictures: The pictures, from `list_source` of `importing.sources.source_labels`.
        subject: Subject of the pictures whose metadata has none.
        session: Session of the pictures whose metadata has none.
        faces: Cuts the wanted faces out of each picture; without it pictures are kept whole, or cut
            to their region.
        is_again: Bring back photos that lie in the trash.
    """
    listed = list(pictures)
    importer = _Importer(store, (subject, session), faces, is_again, _names_of_several(listed))
    conflicts = find_conflicts(listed)
    for conflict in conflicts:
        importer.leave_conflict(conflict)
    in_conflict = {id(picture) for conflict in conflicts for picture in conflict.pictures}
    for _ in in_conflict:
        yield importer.report
    rest = (picture for picture in listed if id(picture) not in in_conflict)
    for picture, prepared in importer.prepare_ahead(rest):
        importer.add(picture, prepared)
        yield importer.report


@dataclass(frozen=True)
class _Prepared:
    """A picture that was read, and decoded unless its file is known.

    Attributes:
        digest: Digest by which it is known later.
        data: The file; empty where nobody needs it any more.
        encoded: The photo as it is saved; None where it was not decoded.
        photo: The photo with its quality, where it was decoded; without facts.
        fault: Why it cannot be read.
    """

    digest: str = ""
    data: bytes = b""
    encoded: bytes | None = None
    photo: Photo | None = None
    fault: UnreadableImageError | None = None


class _Importer:
    def __init__(
        self,
        store: PhotoStore,
        defaults: tuple[str | None, str | None],
        faces: FaceCutter | None,
        is_again: bool,
        several: Set[str],
    ) -> None:
        self.report = ImportReport(dict.fromkeys(store.scheme.labels, 0))
        self._store, self._defaults = store, defaults
        self._faces, self._is_again, self._several = faces, is_again, several
        self._known = KnownImports(store)

    def prepare_ahead(
        self, pictures: Iterable[SourcePicture]
    ) -> Iterator[tuple[SourcePicture, _Prepared]]:
        """Prepare the next pictures while one is saved: much of the time goes into the disk."""
        waiting = []
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="import-read") as pool:
            for picture in pictures:
                waiting.append((picture, pool.submit(self._prepare, picture)))
                if len(waiting) > _AHEAD:
                    first, prepared = waiting.pop(0)
                    yield first, prepared.result()
            for picture, prepared in waiting:
                yield picture, prepared.result()

    def leave_conflict(self, conflict: LabelConflict) -> None:
        """Count a picture that lies under several labels."""
        text = conflict.text
        prepared = _read(conflict.pictures[0])
        if there := self._known.find(prepared.digest):
            text += f"; the dataset has it as {there.label}"
        self.report.label_conflicts.append(text)
        for picture in conflict.pictures:
            self.report.leave_out(picture.name, IN_CONFLICT)

    def add(self, picture: SourcePicture, prepared: _Prepared) -> None:
        """Save a picture, or count why it is not saved."""
        if prepared.fault is not None:
            self._leave_unreadable(picture, prepared.fault)
            return
        known = self._known.find(prepared.digest)
        if self._faces is not None and self._faces.takes_all and picture.region is None:
            self._save_faces(picture, prepared)
        elif known is None:
            self._save_new(picture, prepared)
        elif known.state is ImportState.PRESENT:
            self._count_known(picture, known, prepared.digest)
        elif known.state is ImportState.TRASHED and not self._is_again:
            self.report.removed.append(picture.name)
            self.report.leave_out(picture.name, IN_TRASH)
        elif not (known.state is ImportState.TRASHED and self._restore(known, prepared.digest)):
            self._save_again(picture, prepared, known)

    def _prepare(self, picture: SourcePicture) -> _Prepared:
        prepared = _read(picture)
        if prepared.fault is not None:
            return prepared
        if self._known.is_known(prepared.digest):
            self._known.hash_ahead(prepared.digest)
            return prepared
        return self._decoded(picture, prepared)

    def _decoded(self, picture: SourcePicture, prepared: _Prepared) -> _Prepared:
        """Decode a picture that was read; with a face finder that is done later, in one thread."""
        if self._faces is not None and picture.region is None:
            return prepared
        taken_at = read_taken_at(prepared.data)
        bare = Photo(path="", label=picture.label, taken_at=taken_at)
        box = picture.region or (picture.known.box if picture.known else None)
        try:
            pixels = decode_image(prepared.data, picture.name)
            if picture.region is not None:
                pixels = _cut(picture.path, pixels, picture.region)
                encoded = encode_jpeg(pixels)
            else:
                encoded = without_metadata(prepared.data) or encode_jpeg(pixels)
        except UnreadableImageError as fault:
            return _Prepared(fault=fault)
        return _Prepared(prepared.digest, encoded=encoded, photo=with_quality(bare, pixels, box))

    def _save_new(self, picture: SourcePicture, prepared: _Prepared) -> None:
        if prepared.encoded is None or prepared.photo is None:
            self._save_faces(picture, prepared)
            return
        is_whole = picture.region is None
        there = self._known.find_content(prepared.encoded) if is_whole else None
        if there is not None and not self._is_left_over(there, picture, prepared.encoded):
            known = ImportedPhoto(there.path, there.label, ImportState.PRESENT)
            self._count_known(picture, known, prepared.digest)
            return
        self._save(picture, prepared.encoded, prepared.photo, prepared.digest)

    def _is_left_over(self, there: Photo, picture: SourcePicture, encoded: bytes) -> bool:
        """Return whether a run that was killed saved this file, but not its row: it is adopted."""
        wanted = PurePosixPath(self._photo_of(picture).path)
        marked = wanted.with_name(f"{wanted.stem}-{digest_of(encoded)[:8]}{wanted.suffix}")
        return there.sha256 is None and PurePosixPath(there.path) in (wanted, marked)

    def _save_faces(self, picture: SourcePicture, prepared: _Prepared) -> None:
        assert self._faces is not None
        try:
            pixels = decode_image(prepared.data, picture.name)
        except UnreadableImageError as fault:
            self._leave_unreadable(picture, fault)
            return
        report = self.report
        saved, known, faceless = report.photos, report.duplicates, report.faceless
        self._faces.save(
            self._store,
            pixels,
            replace(self._photo_of(picture), taken_at=read_taken_at(prepared.data)),
            digest=prepared.digest,
            known=self._known.labels,
            report=report,
        )
        if report.faceless > faceless:
            report.leave_out(picture.name, NO_FACE)
        elif report.photos > saved:
            self._note_saved(picture, report.photos - saved)
        elif report.duplicates > known:
            report.known.append(picture.name)

    def _save_again(
        self, picture: SourcePicture, prepared: _Prepared, known: ImportedPhoto
    ) -> None:
        """Save the photo of a file whose photo is gone, with all that was known of it."""
        decoded = self._decoded(picture, prepared)
        if decoded.fault is not None:
            self._leave_unreadable(picture, decoded.fault)
        elif decoded.encoded is None or decoded.photo is None:
            self._save_faces(picture, decoded)
        else:
            lost = self._known.photo_of(known)
            self._save(picture, decoded.encoded, decoded.photo, decoded.digest, lost)
            self.report.brought_back += 1

    def _save(
        self,
        picture: SourcePicture,
        encoded: bytes,
        measured: Photo,
        digest: str,
        lost: Photo | None = None,
    ) -> None:
        photo = self._photo_of(picture, lost)
        photo = replace(
            photo,
            taken_at=measured.taken_at or photo.taken_at,
            group=self._group_of(picture, digest, lost),
            box=measured.box,
            quality=measured.quality,
            fingerprint=measured.fingerprint,
        )
        self._known.add(digest, self._store.add_encoded(encoded, photo, digest))
        self.report.saved[photo.label] += 1
        self._note_saved(picture)

    def _group_of(self, picture: SourcePicture, digest: str, lost: Photo | None) -> str | None:
        """Return the group of a photo; the faces of one picture are one, whatever their labels."""
        group = self._photo_of(picture, lost).group
        if group is None and picture.region is not None and picture.name in self._several:
            return scene_group(digest)
        return group

    def _note_saved(self, picture: SourcePicture, photos: int = 1) -> None:
        if picture.origin is not None:
            self.report.origins[picture.origin] += photos
        if picture.person is not None and picture.facts.subject is None:
            self.report.subjects.add(picture.person)

    def _photo_of(self, picture: SourcePicture, lost: Photo | None = None) -> Photo:
        """Return the photo that a picture becomes, with its facts.

        Args:
            picture: The picture.
            lost: The photo that was imported from it before, and is gone.
        """
        path = f"{picture.label}/{portable_name(picture.path.stem)}.jpg"
        if lost is not None and lost.label == picture.label:
            path = f"{lost.label}/{former_names(lost.path)[0]}"
        before = lost or picture.known or Photo(path, picture.label)
        facts, (subject, session) = picture.facts, self._defaults
        confirmed = before.confirmed if before.confirmed == picture.label else None
        return Photo(
            path=path,
            label=picture.label,
            subject=facts.subject or before.subject or picture.person or subject,
            session=facts.session or before.session or session,
            group=facts.group or before.group,
            taken_at=before.taken_at,
            source=picture.name,
            is_flagged=before.is_flagged,
            confirmed=confirmed,
            origin=picture.origin or before.origin,
        )

    def _restore(self, known: ImportedPhoto, digest: str) -> bool:
        """Move a photo out of the trash; return False where it has no place to go to."""
        photo, root = self._known.photo_of(known), self._store.root
        if photo is None or photo.label not in self._store.scheme:
            return False
        if (root / photo.path).exists() or not (root / TRASH / photo.path).is_file():
            return False
        self._store.apply([Edit(None, photo)])
        self._known.add(digest, photo)
        self.report.saved[photo.label] += 1
        self.report.brought_back += 1
        return True

    def _count_known(self, picture: SourcePicture, known: ImportedPhoto, digest: str) -> None:
        self.report.duplicates += 1
        self.report.known.append(picture.name)
        there = self._known.photo_of(known)
        facts = picture.facts
        if facts.subject is None and there is not None and there.subject is None:
            facts = replace(facts, subject=picture.person)
        if facts != PhotoMetadata():
            self.report.restated.append((digest, facts))
        if known.label != picture.label:
            self.report.conflicts.append(
                f"{picture.name}: here {picture.label}, there {known.label}"
            )

    def _leave_unreadable(self, picture: SourcePicture, fault: UnreadableImageError) -> None:
        self.report.unreadable.append(str(fault))
        self.report.leave_out(picture.name, UNREADABLE)


def _read(picture: SourcePicture) -> _Prepared:
    path: Path = picture.path
    try:
        data = path.read_bytes()
    except OSError as fault:
        return _Prepared(fault=UnreadableImageError(f"{path}: cannot be read ({fault.strerror})."))
    digest = digest_of(data)
    if picture.region is not None:
        digest = region_digest(digest, picture.region)
    return _Prepared(digest, data)


def _names_of_several(pictures: Iterable[SourcePicture]) -> Set[str]:
    """Return the names of the pictures of which several regions become photos."""
    counts = Counter(picture.name for picture in pictures if picture.region is not None)
    return {name for name, count in counts.items() if count > 1}


def _cut(path: Path, pixels: RgbImage, region: FaceBox) -> RgbImage:
    """Cut a region of the whole picture out of its pixels, which may have been decoded smaller.

    Raises:
        UnreadableImageError: It lies outside the picture.
    """
    if pixels.shape[0] * pixels.shape[1] > _MAYBE_REDUCED:
        region = scale_box(region, read_size(path).upright, pixels)
    try:
        return crop_face(pixels, region)
    except FaceOutsideFrameError as fault:
        raise UnreadableImageError(str(fault)) from fault
