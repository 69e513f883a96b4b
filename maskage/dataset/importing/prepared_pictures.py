"""Pictures of a source that were read, on their way to be saved."""

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path

from maskage.dataset.importing.annotations.place_boxes import read_size
from maskage.dataset.importing.face_crops import region_digest, scale_box
from maskage.dataset.importing.sources.source_labels import SourcePicture
from maskage.dataset.photo_names import digest_of
from maskage.errors import FaceOutsideFrameError, UnreadableImageError
from maskage.faces.finder import crop_face
from maskage.records import FaceBox, Photo, RgbImage

_MAYBE_REDUCED = 4_000_000
"""Pixels below which no picture is one that was decoded at reduced size."""


@dataclass(frozen=True)
class PreparedPicture:
    """A picture that was read, and decoded unless its file is known.

    Attributes:
        digest: Digest by which it is known later.
        data: The file; empty where nobody needs it any more.
        encoded: The photo as it is saved; None where it was not decoded.
        photo: The photo with its quality, where it was decoded; without facts.
        pictures: Number of pictures in the file, of which the first is decoded.
        fault: Why it cannot be read.
    """

    digest: str = ""
    data: bytes = b""
    encoded: bytes | None = None
    photo: Photo | None = None
    pictures: int = 1
    fault: UnreadableImageError | None = None


def read_picture(picture: SourcePicture) -> PreparedPicture:
    """Read the file of a picture, and digest it; decode nothing."""
    path: Path = picture.path
    try:
        data = path.read_bytes()
    except OSError as fault:
        return PreparedPicture(
            fault=UnreadableImageError(f"{path}: cannot be read ({fault.strerror}).")
        )
    digest = digest_of(data)
    if picture.region is not None:
        digest = region_digest(digest, picture.region)
    return PreparedPicture(digest, data)


def names_of_several(pictures: Iterable[SourcePicture]) -> Set[str]:
    """Return the names of the pictures of which several regions become photos."""
    counts = Counter(picture.name for picture in pictures if picture.region is not None)
    return {name for name, count in counts.items() if count > 1}


def cut_region(path: Path, pixels: RgbImage, region: FaceBox) -> RgbImage:
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
