"""Photos that people already have: four class folders, one labelled folder, or a video.

Each source file is imported once, by content: a second run, or a run after an interruption, skips
what is there. The source is never changed.
"""

import csv
import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from maskage.cameras.video.video_file import VideoDamage, VideoFile
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError, UnreadableImageError, UsageError
from maskage.faces.finder import FaceFinder, crop_face
from maskage.outside_text import cell_to_path, portable_name
from maskage.pictures.images import decode_image, encode_jpeg, is_picture, without_metadata
from maskage.pictures.perceptual_hash import hash_crop
from maskage.pictures.quality import measure_quality
from maskage.records import LABELS, FaceBox, Label, Photo, RgbImage

METADATA_COLUMNS = ("subject", "session", "group", "label")


@dataclass(frozen=True)
class Facts:
    """What a metadata file says of one picture; None where it says nothing."""

    subject: str | None = None
    session: str | None = None
    group: str | None = None
    label: Label | None = None


@dataclass(frozen=True)
class SourcePicture:
    """One picture to import: where it lies, its label, and what is known of it."""

    path: Path
    name: str
    label: Label
    facts: Facts


@dataclass
class ImportReport:
    """What became of every picture of the source.

    Attributes:
        saved: New photos in each class.
        duplicates: Pictures whose content is in the dataset, or was removed from it, already.
        conflicts: One message for each of them whose label is another here than there.
        facts_left: How many of the duplicates the metadata says something of, in vain.
        faceless: Pictures or frames in which no face was found.
        unreadable: One message a picture that could not be read.
        damage: What of a video could not be read.
    """

    saved: dict[Label, int] = field(default_factory=lambda: dict.fromkeys(LABELS, 0))
    duplicates: int = 0
    conflicts: list[str] = field(default_factory=list)
    facts_left: int = 0
    faceless: int = 0
    unreadable: list[str] = field(default_factory=list)
    damage: VideoDamage = field(default_factory=VideoDamage)


def read_metadata(path: Path) -> dict[str, Facts]:
    """Read a CSV of `path` (relative to the source) and any of subject, session, group, label.

    Raises:
        DatasetError: No `path` column, an unknown label, or a file that is not a CSV.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or []
            if "path" not in columns:
                raise DatasetError(
                    f"{path}: no column 'path'. Found: {', '.join(columns) or 'nothing'}. "
                    f"It takes path and any of {', '.join(METADATA_COLUMNS)}."
                )
            return {_posix(row["path"]): _facts_of(row, path) for row in reader}
    except (OSError, csv.Error) as fault:
        raise DatasetError(f"{path}: cannot be read as a CSV file ({fault}).") from fault


def list_source(
    source: Path, label: Label | None, metadata: dict[str, Facts]
) -> tuple[list[SourcePicture], list[str]]:
    """Every picture of a folder (or one picture), with its label; reads none of them.

    Returns:
        The pictures, and the names of those whose label nobody says.

    A picture's label is `label` where given, else the metadata's, else the class folder it is in.

    Raises:
        UsageError: There are pictures, and nobody says the label of any.
        DatasetError: There are no pictures.
    """
    pictures, unlabelled = [], []
    for path in _picture_files(source):
        name = path.name if path == source else path.relative_to(source).as_posix()
        facts = metadata.get(name, Facts())
        found = label or facts.label or _label_of_folder(path, source)
        if found is None:
            unlabelled.append(name)
        else:
            pictures.append(SourcePicture(path, name, found, facts))
    if unlabelled and not pictures:
        raise UsageError(
            f"{source}: {len(unlabelled)} pictures, none in a folder named {', '.join(LABELS)} "
            f"(the first is {unlabelled[0]}). Say what they show with --label."
        )
    if not pictures:
        raise DatasetError(f"{source}: no pictures found in it.")
    return pictures, unlabelled


def import_pictures(
    store: PhotoStore,
    pictures: Iterable[SourcePicture],
    *,
    subject: str | None = None,
    session: str | None = None,
    finder: FaceFinder | None = None,
) -> Iterator[ImportReport]:
    """Import pictures one by one; yields the growing report after each.

    Args:
        store: Where they go.
        pictures: See `list_source`.
        subject, session: Of all pictures whose metadata names none.
        finder: Cut out the largest face of each picture; without it pictures are kept whole.
    """
    report = ImportReport()
    known = store.imported_digests()
    for picture, data in _read_ahead(pictures):
        _import_picture(store, picture, data, report, known, (subject, session), finder)
        yield report


def import_video(
    store: PhotoStore,
    path: Path,
    label: Label,
    finder: FaceFinder,
    *,
    every_s: float = 0.5,
    subject: str | None = None,
    session: str | None = None,
) -> Iterator[ImportReport]:
    """Import the largest face of one frame every `every_s` seconds; yields as it goes.

    Frames of one video are one session unless another is named: they must not straddle a split.

    Raises:
        CameraError: `path` is not a video that can be read, or no frame of it can.
        UsageError: It is a pipe.
    """
    if not path.is_file():
        # Its content is what an import is known by; a pipe can be read but once.
        raise UsageError(
            f"{path}: not a file. Write what comes through it to a file, and try that."
        )
    report = ImportReport()
    known = store.imported_digests()
    digest = _file_digest(path)
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
    known: dict[str, Label],
    defaults: tuple[str | None, str | None],
    finder: FaceFinder | None,
) -> None:
    try:
        if isinstance(data, UnreadableImageError):
            raise data
        digest = hashlib.sha256(data).hexdigest()
        if (label := known.get(digest)) is not None:
            report.duplicates += 1
            report.facts_left += picture.facts != Facts()
            if label is not picture.label:
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
    """Read the next files while one is being saved: the disk's sync is what takes the time."""
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


def _picture_files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    return sorted(
        path
        for path in source.rglob("*")
        if is_picture(path)
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(source).parts)
    )


def _label_of_folder(path: Path, source: Path) -> Label | None:
    """The class folder nearest to the picture: of `train/mask_old/a.jpg` too."""
    top = source.parent if source.is_file() else source
    for part in (*reversed(path.relative_to(top).parts[:-1]), top.name):
        if part in LABELS:
            return Label(part)
    return None


def _facts_of(row: dict[str, str | None], path: Path) -> Facts:
    values = {column: (row.get(column) or "").strip() or None for column in METADATA_COLUMNS}
    label = values.pop("label")
    if label is not None and label not in LABELS:
        raise DatasetError(
            f"{path}: unknown label {label!r} for {row['path']}. "
            f"The labels are {', '.join(LABELS)}."
        )
    return Facts(**values, label=Label(label) if label else None)


def _posix(path: str | None) -> str:
    return cell_to_path((path or "").strip()).replace("\\", "/").removeprefix("./")


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
