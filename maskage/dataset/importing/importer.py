"""Photos that people already have: class folders, or one labelled folder.

Each source file is imported once, by content: a second run, or a run after an interruption, skips
what is there. The source is never changed.
"""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from maskage.dataset.importing.face_crops import save_face, with_quality
from maskage.dataset.importing.import_report import ImportReport
from maskage.dataset.importing.photo_time import read_taken_at
from maskage.dataset.importing.source_labels import SourcePicture
from maskage.dataset.store import PhotoStore
from maskage.errors import UnreadableImageError
from maskage.faces.finder import FaceFinder
from maskage.formats.metadata_file import PhotoMetadata
from maskage.outside_text import portable_name
from maskage.pictures.images import decode_image, encode_jpeg, without_metadata
from maskage.records import Photo


def import_pictures(
    store: PhotoStore,
    pictures: Iterable[SourcePicture],
    *,
    subject: str | None = None,
    session: str | None = None,
    finder: FaceFinder | None = None,
) -> Iterator[ImportReport]:
    """Import pictures one by one; yield the growing report after each.

    Args:
        store: The dataset, open.
        pictures: What to import, from `maskage.dataset.importing.source_labels.list_source`.
        subject: Subject of the pictures whose metadata has none.
        session: Session of the pictures whose metadata has none.
        finder: Cuts out the largest face of each picture; without it pictures are kept whole.
    """
    report = ImportReport(dict.fromkeys(store.scheme.labels, 0))
    known = store.imported_digests()
    for picture, data in _read_ahead(pictures):
        _import_picture(store, picture, data, report, known, (subject, session), finder)
        yield report


def _import_picture(
    store: PhotoStore,
    picture: SourcePicture,
    data: bytes | UnreadableImageError,
    report: ImportReport,
    known: dict[str, str],
    defaults: tuple[str | None, str | None],
    finder: FaceFinder | None,
) -> None:
    try:
        if isinstance(data, UnreadableImageError):
            raise data
        digest = hashlib.sha256(data).hexdigest()
        if (label := known.get(digest)) is not None:
            report.duplicates += 1
            report.facts_left += picture.facts != PhotoMetadata()
            if label != picture.label:
                report.conflicts.append(f"{picture.name}: here {picture.label}, there {label}")
            return
        pixels = decode_image(data, picture.name)
    except UnreadableImageError as fault:
        report.unreadable.append(str(fault))
        return
    known[digest] = picture.label
    photo = Photo(
        path=f"{picture.label}/{portable_name(picture.path.stem)}.jpg",
        label=picture.label,
        subject=picture.facts.subject or defaults[0],
        session=picture.facts.session or defaults[1],
        group=picture.facts.group,
        taken_at=read_taken_at(data),
        source=picture.name,
    )
    if finder is not None:
        save_face(store, pixels, photo, finder, digest, report)
        return
    encoded = without_metadata(data) or encode_jpeg(pixels)
    store.add_encoded(encoded, with_quality(photo, pixels, None), digest)
    report.saved[photo.label] += 1


def _read_ahead(
    pictures: Iterable[SourcePicture],
) -> Iterator[tuple[SourcePicture, bytes | UnreadableImageError]]:
    """Read the next files while one is saved: most of the time goes into the disk's sync."""
    waiting = []
    with ThreadPoolExecutor(2, thread_name_prefix="import-read") as pool:
        for picture in pictures:
            waiting.append((picture, pool.submit(_read_bytes, picture.path)))
            if len(waiting) > 16:
                first, data = waiting.pop(0)
                yield first, data.result()
        for picture, data in waiting:
            yield picture, data.result()


def _read_bytes(path: Path) -> bytes | UnreadableImageError:
    try:
        return path.read_bytes()
    except OSError as fault:
        return UnreadableImageError(f"{path}: cannot be read ({fault.strerror}).")
