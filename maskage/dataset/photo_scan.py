"""The scan of one photo: decode, hash, measure, find the face. A pure map, a few bytes a photo.

It is the only part of a curation that grows heavy with the number of photos, so what was seen is
kept (`scan_cache`), and the looking is spread over threads, processes or machines (`scanning`).
"""

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from maskage.errors import UnreadableImageError
from maskage.faces.finder import YuNetFinder, crop_face
from maskage.pictures.images import decode_grey, decode_picture, read_image
from maskage.pictures.perceptual_hash import hash_grey
from maskage.pictures.quality import MEASURED_SIDE_PX, measure_grey
from maskage.records import FaceBox, Photo, Quality, RgbImage

GREY_SIDE_PX = MEASURED_SIDE_PX * 3 // 2
"""JPEGs are decoded at a fraction of their size, but not below this: sharpness is measured at
128 px, and must not come from the decoder's averaging."""

BYSTANDER = 0.5
"""A face of less than this share of the largest one's side is somebody in the background."""


UNMEASURED = Quality(sharpness=0.0, brightness=0.0, clipped=0.0, face_px=0)


@dataclass(frozen=True)
class FileScan:
    """The result of scanning one file; the same on every machine.

    Attributes:
        sha256: Digest of the file; empty where it could not be read at all.
        phash: imagehash's 64-bit pHash of the face crop, its first bit the highest.
        mirror: pHash of the mirrored crop.
        quality: Figures of the crop.
        width, height: Full size of the picture, px, orientation applied.
        faces: Number of faces without bystanders; None where none was looked for.
        fault: Why it cannot be used, or None.
    """

    sha256: str
    phash: int = 0
    mirror: int = 0
    quality: Quality = UNMEASURED
    width: int = 0
    height: int = 0
    faces: int | None = None
    fault: str | None = None


@dataclass(frozen=True)
class PhotoScan:
    """A photo of the dataset, and the result of scanning it."""

    photo: Photo
    file_scan: FileScan

    @property
    def path(self) -> str:
        """Path of the photo in its dataset."""
        return self.photo.path


def scan_file(path: Path, name: str, face_model: Path | None = None) -> FileScan:
    """Read, decode, hash and measure one photo; a fault in the file becomes its `fault`.

    Args:
        path: The file.
        name: Name of it in a message.
        face_model: YuNet's ONNX file: where the photo shows more than the face, the face is hashed
            and measured, for a hash of the whole would recognise the room. None: the photo is
            taken for the crop.
    """
    try:
        data = path.read_bytes()
    except OSError as fault:
        return FileScan("", fault=f"cannot be read ({fault.strerror})")
    digest = hashlib.sha256(data).hexdigest()
    try:
        if face_model is None:
            return _measured(data, digest, name)
        return _measured_face(data, digest, name, face_model)
    except UnreadableImageError as fault:
        return FileScan(digest, fault=str(fault).removeprefix(f"{name}: "))


def read_face(path: Path, face_model: Path | None = None) -> RgbImage:
    """The face crop of a photo, or the whole where no face is looked for or seen.

    Raises:
        UnreadableImageError: It cannot be decoded any more.
    """
    return _cut_out(read_image(path), face_model)[0]


def needs_face(photo: Photo) -> bool:
    """Return whether the face has to be found first: the collector's crops know their box."""
    return photo.box is None or photo.box.score <= 0


def _measured(data: bytes, digest: str, name: str) -> FileScan:
    seen = decode_grey(data, name, GREY_SIDE_PX)
    return _sight(digest, seen.image, seen.width, seen.height)


def _measured_face(data: bytes, digest: str, name: str, face_model: Path) -> FileScan:
    picture = decode_picture(data, name)
    crop, boxes = _cut_out(picture.pixels, face_model)
    faces = [box for box in boxes if box.side_px >= BYSTANDER * boxes[0].side_px]
    grey = Image.fromarray(crop).convert("L")
    largest = boxes[0] if boxes else None
    return _sight(digest, grey, picture.width, picture.height, largest, len(faces))


def _cut_out(pixels: RgbImage, face_model: Path | None) -> tuple[RgbImage, list[FaceBox]]:
    """The largest face with its margin, and all boxes; the whole where there are none."""
    boxes = _finder(face_model).find(pixels) if face_model is not None else []
    return (crop_face(pixels, boxes[0]) if boxes else pixels), boxes


def _sight(
    digest: str,
    grey: Image.Image,
    width: int,
    height: int,
    box: FaceBox | None = None,
    faces: int | None = None,
) -> FileScan:
    phash, mirror = hash_grey(grey)
    quality = measure_grey(np.asarray(_shrunk(grey)), box)
    return FileScan(digest, phash, mirror, quality, width, height, faces)


def _shrunk(grey: Image.Image) -> Image.Image:
    """The picture as it is measured, by area averaging; a smaller one as it is.

    Copying the large picture into an array would take as long as measuring it.
    """
    side = MEASURED_SIDE_PX
    if min(grey.size) <= side:
        return grey
    return grey.resize((side, side), Image.Resampling.BOX)


_finders = threading.local()


def _finder(face_model: Path) -> YuNetFinder:
    """Return the finder of this thread, because a finder serves one."""
    if getattr(_finders, "model", None) != face_model:
        _finders.finder = YuNetFinder(face_model)
        _finders.model = face_model
    finder: YuNetFinder = _finders.finder
    return finder
