"""Photos that people already have: class folders, or one labelled folder.

Each source file is imported once, by content: a second run, or a run after an interruption, skips
what is there. A picture that lies under several labels is not imported at all. The source is never
changed.
"""

import errno
from collections.abc import Iterable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import PurePosixPath

from maskage.dataset.edits import Edit
from maskage.dataset.importing.face_crops import (
    FaceCutter,
    scene_group,
    with_quality,
)
from maskage.dataset.importing.import_report import (
    IN_CONFLICT,
    IN_TRASH,
    NAME_REFUSED,
    NO_FACE,
    UNREADABLE,
    ImportReport,
)
from maskage.dataset.importing.known_imports import ImportedPhoto, ImportState, KnownImports
from maskage.dataset.importing.label_conflicts import (
    LabelConflict,
    SavedPicture,
    SavedPictures,
    find_conflicts,
)
from maskage.dataset.importing.photo_time import read_taken_at
from maskage.dataset.importing.prepared_pictures import (
    PreparedPicture,
    cut_region,
    names_of_several,
    read_picture,
)
from maskage.dataset.importing.sources.source_labels import SourcePicture
from maskage.dataset.manifest.reading import former_names
from maskage.dataset.photo_files import TRASH
from maskage.dataset.photo_names import digest_of
from maskage.dataset.store import PhotoStore
from maskage.errors import PhotoNotSavedError, UnreadableImageError
from maskage.formats.metadata_file import PhotoMetadata
from maskage.outside_text import portable_name
from maskage.pictures.images import count_pictures, decode_image, encode_jpeg, without_metadata
from maskage.records import Photo

_AHEAD = 16
"""Pictures that are read, decoded and measured while one is saved."""
_THREADS = 2
_REFUSED_NAMES = frozenset({errno.ENOENT, errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG})
"""What a disk answers whose names have fewer characters or bytes than ours."""


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
    importer = _Importer(store, (subject, session), faces, is_again, names_of_several(listed))
    conflicts = find_conflicts(listed)
    for conflict in conflicts:
        importer.leave_conflict(conflict)
    in_conflict = {id(picture) for conflict in conflicts for picture in conflict.pictures}
    for _ in in_conflict:
        yield importer.report
    rest = (picture for picture in listed if id(picture) not in in_conflict)
    for picture, prepared in importer.prepare_ahead(rest):
        with importer.report.counting_at_a_stop():
            importer.add(picture, prepared)
        yield importer.report


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
        self._saved = SavedPictures()

    def prepare_ahead(
        self, pictures: Iterable[SourcePicture]
    ) -> Iterator[tuple[SourcePicture, PreparedPicture]]:
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
        prepared = read_picture(conflict.pictures[0])
        if there := self._known.find(prepared.digest):
            text += f"; the dataset has it as {there.label}"
        self.report.label_conflicts.append(text)
        for picture in conflict.pictures:
            self.report.leave_out(picture.name, IN_CONFLICT)

    def add(self, picture: SourcePicture, prepared: PreparedPicture) -> None:
        """Save a picture, or count why it is not saved.

        Raises:
            PhotoNotSavedError: The disk refused, and not only this photo's name.
        """
        try:
            self._add(picture, prepared)
        except PhotoNotSavedError as fault:
            if not self._is_name_refused(picture.label, fault.__cause__):
                raise
            self.report.unsaved.append(f"{picture.name}: {fault}")
            self.report.leave_out(picture.name, NAME_REFUSED)

    def _is_name_refused(self, label: str, cause: BaseException | None) -> bool:
        is_refused = isinstance(cause, OSError) and cause.errno in _REFUSED_NAMES
        return is_refused and (self._store.root / label).is_dir()

    def _add(self, picture: SourcePicture, prepared: PreparedPicture) -> None:
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

    def _prepare(self, picture: SourcePicture) -> PreparedPicture:
        prepared = read_picture(picture)
        if prepared.fault is not None:
            return prepared
        if self._known.is_known(prepared.digest):
            self._known.hash_ahead(prepared.digest)
            return prepared
        return self._decoded(picture, prepared)

    def _decoded(self, picture: SourcePicture, prepared: PreparedPicture) -> PreparedPicture:
        """Decode a picture that was read; with a face finder that is done later, in one thread."""
        if self._faces is not None and picture.region is None:
            return prepared
        taken_at = read_taken_at(prepared.data)
        bare = Photo(path="", label=picture.label, taken_at=taken_at)
        box = picture.region or (picture.known.box if picture.known else None)
        try:
            pixels = decode_image(prepared.data, picture.name)
            if picture.region is not None:
                pixels = cut_region(picture.path, pixels, picture.region)
                encoded = encode_jpeg(pixels)
            else:
                encoded = without_metadata(prepared.data) or encode_jpeg(pixels)
        except UnreadableImageError as fault:
            return PreparedPicture(fault=fault)
        measured = with_quality(bare, pixels, box)
        count = count_pictures(prepared.data)
        return PreparedPicture(prepared.digest, encoded=encoded, photo=measured, pictures=count)

    def _save_new(self, picture: SourcePicture, prepared: PreparedPicture) -> None:
        if prepared.encoded is None or prepared.photo is None:
            self._save_faces(picture, prepared)
            return
        if twins := self._saved.find_twins(prepared.photo, picture):
            self._leave_twins([*twins, SavedPicture(picture, prepared.digest)])
            self._saved.add(prepared.photo, SavedPicture(picture, "", conflict=twins[0].conflict))
            return
        is_whole = picture.region is None
        there = self._known.find_content(prepared.encoded) if is_whole else None
        if there is not None and not self._is_left_over(there, picture, prepared.encoded):
            known = ImportedPhoto(there.path, there.label, ImportState.PRESENT)
            self._count_known(picture, known, prepared.digest)
            return
        self._save(picture, prepared.encoded, prepared.photo, prepared.digest)
        if prepared.pictures > 1:
            self.report.first_of_several.append(picture.name)

    def _leave_twins(self, twins: Sequence[SavedPicture]) -> None:
        """Count pictures of the same pixels under several labels; delete what was saved of them."""
        report = self.report
        index = next((each.conflict for each in twins if each.conflict is not None), None)
        if index is None:
            index = len(report.label_conflicts)
            report.label_conflicts.append("")
        report.label_conflicts[index] = LabelConflict(tuple(each.picture for each in twins)).text
        for each in twins:
            each.conflict = index
            if each.photo is not None:
                report.leave_out(each.picture.name, IN_CONFLICT)
                self._store.withdraw(each.photo)
                self._known.drop(each.digest, each.photo)
                report.saved[each.photo.label] -= 1
                self._note_saved(each.picture, -1)
                each.photo = None
        report.leave_out(twins[-1].picture.name, IN_CONFLICT)

    def _is_left_over(self, there: Photo, picture: SourcePicture, encoded: bytes) -> bool:
        """Return whether a run that was killed saved this file, but not its row: it is adopted."""
        wanted = PurePosixPath(self._photo_of(picture).path)
        marked = wanted.with_name(f"{wanted.stem}-{digest_of(encoded)[:8]}{wanted.suffix}")
        return there.sha256 is None and PurePosixPath(there.path) in (wanted, marked)

    def _save_faces(self, picture: SourcePicture, prepared: PreparedPicture) -> None:
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
        self, picture: SourcePicture, prepared: PreparedPicture, known: ImportedPhoto
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
        saved = self._store.add_encoded(encoded, photo, digest)
        self._known.add(digest, saved)
        # A photo that was lost before keeps its row, whatever else the source holds.
        self._saved.add(measured, SavedPicture(picture, digest, saved if lost is None else None))
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
        is_whole = self._faces is None and picture.region is None and picture.known is None
        if is_whole and there is not None and there.box is not None:
            self.report.crops_known.append(picture.name)
        facts = picture.facts
        if facts.subject is None and there is not None and there.subject is None:
            facts = replace(facts, subject=picture.person)
        if facts != PhotoMetadata():
            self.report.restated.append((digest, facts))
        if known.label != picture.label:
            text = f"{picture.name}: here {picture.label}, there {known.label}"
            self.report.conflicts.append(text)
            if not self._known.had_label(known, picture.label):
                self.report.contradicted.append(text)

    def _leave_unreadable(self, picture: SourcePicture, fault: UnreadableImageError) -> None:
        self.report.unreadable.append(str(fault))
        self.report.leave_out(picture.name, UNREADABLE)
