"""Photos that people already have: class folders, one labelled folder, or a video.

Each source file is imported once, by content: a second run, or a run after an interruption, skips
what is there. The source is never changed.
"""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from maskage.cameras.video.video_file import VideoDamage, VideoFile
from maskage.dataset.importing.source_labels import SourcePicture
from maskage.dataset.store import PhotoStore
from maskage.errors import UnreadableImageError, UsageError
from maskage.faces.finder import FaceFinder, crop_face
from maskage.formats.metadata_file import PhotoMetadata
from maskage.formats.sums import hash_file
from maskage.outside_text import portable_name
from maskage.pictures.images import decode_image, encode_jpeg, without_metadata
from maskage.pictures.perceptual_hash import hash_crop
from maskage.pictures.quality import measure_quality
from maskage.records import FaceBox, Photo, RgbImage


@dataclass
class ImportReport:
    """The outcome of an import: every picture of the source is counted once.

    Attributes:
        saved: Number of new photos in each class.
        duplicates: Number of pictures whose content the dataset has, or had before a removal.
        conflicts: A message for each duplicate that has another label in the dataset.
        facts_left: Number of duplicates whose metadata was not taken.
        faceless: Number of pictures or frames in which no face was found.
        unreadable: A message for each picture that could not be read.
        damage: The parts of a video that could not be read.
    """

    saved: dict[str, int]
    duplicates: int = 0
    conflicts: list[str] = field(default_factory=list)
    facts_left: int = 0
    faceless: int = 0
    unreadable: list[str] = field(default_factory=list)
    damage: VideoDamage = field(default_factory=VideoDamage)


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


def import_video(
    store: PhotoStore,
    path: Path,
    label: str,
    finder: FaceFinder,
    *,
    every_s: float = 0.5,
    subject: str | None = None,
    session: str | None = None,
) -> Iterator[ImportReport]:
    """Import the largest face of one frame every `every_s` seconds; yield the growing report.

    The frames of one video are one session unless another is named: they must not straddle a
    split.

    Args:
        store: The dataset, open.
        path: The video file.
        label: Class of all frames.
        finder: Finds the faces.
        every_s: Seconds of the video between two frames that are imported.
        subject: Subject of all frames.
        session: Session of all frames; None for one named after the video's content.

    Raises:
        CameraError: `path` is not a video, or none of its frames can be read.
        UsageError: `path` is a pipe, or may not be read.
    """
    if not path.is_file():
        # An import is known by the content of its file, and a pipe can be read only once.
        raise UsageError(
            f"{path}: not a file. Write what comes through it to a file, and import that."
        )
    report = ImportReport(dict.fromkeys(store.scheme.labels, 0))
    known = store.imported_digests()
    digest = hash_file(path)
    if digest is None:
        raise UsageError(f"{path}: cannot be read. Check who may read it, then import it again.")
    video = VideoFile(path, pace=False)
    next_s = 0.0
    try:
        while (frame := video.read()) is not None:
            if frame.position_s + 1e-9 < next_s:
                continue
            next_s += every_s
            source_digest = f"{digest}#{frame.index}"
            if source_digest in known:
                report.duplicates += 1
            else:
                facts = Photo(
                    path=f"{label}/{portable_name(path.stem)}_{frame.index:06d}.jpg",
                    label=label,
                    subject=subject,
                    session=session or f"video:{digest[:12]}",
                    source=f"{path.name}#{frame.index}",
                )
                _save_face(store, frame.pixels, facts, finder, source_digest, report)
            yield report
        report.damage = video.damage
        yield report
    finally:
        video.close()


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
        source=picture.name,
    )
    if finder is not None:
        _save_face(store, pixels, photo, finder, digest, report)
        return
    encoded = without_metadata(data) or encode_jpeg(pixels)
    store.add_encoded(encoded, _with_quality(photo, pixels, None), digest)
    report.saved[photo.label] += 1


def _save_face(
    store: PhotoStore,
    pixels: RgbImage,
    photo: Photo,
    finder: FaceFinder,
    digest: str,
    report: ImportReport,
) -> None:
    boxes = finder.find(pixels)
    if not boxes:
        report.faceless += 1
        return
    crop = crop_face(pixels, boxes[0])
    store.add_encoded(encode_jpeg(crop), _with_quality(photo, crop, boxes[0]), digest)
    report.saved[photo.label] += 1


def _with_quality(photo: Photo, crop: RgbImage, box: FaceBox | None) -> Photo:
    return replace(photo, box=box, quality=measure_quality(crop, box), fingerprint=hash_crop(crop))


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
