"""The one image decoder: every picture of the toolchain comes in and goes out through here.

Decoders disagree: OpenCV applies EXIF orientation and Pillow does not, OpenCV passes a truncated
JPEG with its lower half grey where Pillow refuses it, and both would decode small files that claim
to be enormous. One decoder settles it once: orientation applied, three channels, whole pictures
only, at most `MAX_PIXELS`. Pillow reads, because it tells a whole file from a cut one.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskage.errors import UnreadableImageError
from maskage.pictures.opened_picture import MAX_PIXELS as MAX_PIXELS
from maskage.pictures.opened_picture import (
    LoadedPicture,
    load_upright,
    open_file,
    open_picture,
    orientation_of,
)
from maskage.pictures.picture_kinds import PICTURE_SUFFIXES as PICTURE_SUFFIXES
from maskage.pictures.picture_kinds import VIDEO_SUFFIXES as VIDEO_SUFFIXES
from maskage.pictures.picture_kinds import has_picture_name
from maskage.records import RgbImage

# OpenCV 5 warns on stderr at every face finder, which would tear the terminal UI.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)

_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_MPF_WITHIN = 1 << 18
"""First bytes of a JPEG, in which it says that it holds several pictures (CIPA DC-007)."""
# A marker may be filled up with any number of 0xFF.
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
# In a scan 0xFF00 is a byte of the picture, and 0xD0 to 0xD7 are its restarts.
_SCAN_END = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)


@dataclass(frozen=True, eq=False)
class DecodedPicture:
    """The pixels of a picture.

    Attributes:
        pixels: RGB uint8, shape (H, W, 3), orientation applied.
        width, height: Full size of the picture in the file, upright, px; larger than `pixels` where
            that is over `MAX_PIXELS`.
    """

    pixels: RgbImage
    width: int
    height: int


def is_picture(path: Path) -> bool:
    """Return whether a file's name is that of a picture that can be read; hidden files are not."""
    return has_picture_name(path.name)


def decode_image(data: bytes, name: str = "picture") -> RgbImage:
    """Decode one encoded picture.

    Args:
        data: The encoded file (JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP, GIF), by its content.
        name: Name of it in a message.

    Returns:
        RGB uint8, shape (H, W, 3), orientation applied; grey and alpha become RGB, and of several
        pictures in one file it is the first. A picture of up to `MAX_PIXELS` has its full size. A
        larger one, up to 200 megapixels, comes with its sides divided by 2, 3 or 4: a box that is
        found in it is in these pixels, not in those of the file (see `decode_picture`).

    Raises:
        UnreadableImageError: Not a picture, cut short, or too large; or HEIC without its decoder.
    """
    return decode_picture(data, name).pixels


def decode_picture(data: bytes, name: str = "picture") -> DecodedPicture:
    """Decode one encoded picture as `decode_image` does, and keep the full size of the file."""
    with open_picture(data, name) as image:
        loaded = load_upright(image)
        return DecodedPicture(np.array(loaded.image), loaded.width, loaded.height)


def count_pictures(data: bytes) -> int:
    """Return how many pictures a file holds: pages, or frames of an animation; 1 if unknown."""
    if data.startswith(_JPEG_START):
        return 2 if b"MPF\0" in data[:_MPF_WITHIN] else 1
    try:
        with open_file(data, "picture") as image:
            return int(getattr(image, "n_frames", 1))
    except Exception:  # noqa: BLE001  a damaged file raises many things
        return 1


def decode_grey(data: bytes, name: str = "picture", min_side: int | None = None) -> LoadedPicture:
    """Decode only the brightness of one encoded picture: for hashing and measuring many.

    Args:
        data: The encoded file, read as strictly as by `decode_image`.
        name: Name of it in a message.
        min_side: A JPEG may come at a half, a quarter or an eighth of its size, as long as its
            shorter side is not below this, px: its decoder is several times faster then. None for
            the size that `decode_image` gives.

    Raises:
        UnreadableImageError: As `decode_image`.
    """
    with open_picture(data, name) as image:
        return load_upright(image, "L", min_side)


def read_image(path: Path) -> RgbImage:
    """Read and decode one picture file; see `decode_image`.

    Raises:
        UnreadableImageError: Also when the file cannot be read at all.
    """
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise UnreadableImageError(f"{path}: cannot be read ({fault.strerror}).") from fault
    return decode_image(data, str(path))


def encode_jpeg(pixels: RgbImage, quality: int = 95) -> bytes:
    """Encode RGB uint8 (H, W, 3) as a JPEG without metadata.

    Source: q95 keeps pHash within 2 bits of the original (DESIGN.md, On disk).
    """
    ok, data = cv2.imencode(
        ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not ok:
        raise ValueError(f"JPEG encoding failed for shape {pixels.shape}.")
    return data.tobytes()


def resize_square(pixels: RgbImage, size: int) -> RgbImage:
    """Resize to (size, size, 3): what every network, in training and live, is fed with.

    Shrinks by area averaging, which does not alias; enlarges linearly.
    """
    shrinks = min(pixels.shape[:2]) > size
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(pixels, (size, size), interpolation=method).astype(np.uint8, copy=False)


def picture_format(data: bytes) -> tuple[str, bool]:
    """Return a picture's format as Pillow names it, and whether its pixels lie upright in the file.

    A file that is no picture has the format "". Tags that cannot be read say nothing: not upright.
    """
    kind = ""
    try:
        with open_file(data, "picture") as image:
            kind = str(image.format)
            return kind, orientation_of(image) == 1
    except Exception:  # noqa: BLE001  a broken EXIF block raises many things
        return kind, False


def without_metadata(data: bytes) -> bytes | None:
    """Take a JPEG's metadata out without touching its pixels.

    Returns:
        The same picture without EXIF, XMP, comments, embedded thumbnails and whatever lies behind
        its end (phones put a second picture or a short film there, with metadata of their own), or
        None where that is not enough (not a JPEG, one that needs its orientation, or one that does
        not end) and it must be re-encoded.

    Source: ITU-T T.81 (JPEG), B.1.1; JFIF 1.02 for APP0.
    """
    if not data.startswith(_JPEG_START) or not picture_format(data)[1]:
        return None
    kept = bytearray(_JPEG_START)
    at = 2
    while found := _NEXT_MARKER.match(data, at):
        marker, at = found[1][0], found.end()
        if marker == 0xD9:
            return bytes(kept + _JPEG_END)
        end = at + int.from_bytes(data[at : at + 2], "big")
        kept += _bare_segment(marker, data[at + 2 : end])
        at = end
        if marker == 0xDA:  # start of scan: pixels follow, up to the next marker
            next_marker = _SCAN_END.search(data, at)
            if next_marker is None:
                return None
            kept += data[at : next_marker.start()]
            at = next_marker.start()
    return None


def _bare_segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG if it says how to decode the picture; nothing of one that only tells."""
    if marker == 0xE0:  # JFIF says how to read the colours; a thumbnail may follow its 14 bytes
        body = body[:12] + b"\0\0" if body.startswith(b"JFIF\0") else b""
    elif marker == 0xEE:  # so does Adobe's
        body = body[:12] if body.startswith(b"Adobe") else b""
    elif not 0xC0 <= marker <= 0xDF:  # other applications, comments, extensions
        body = b""
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body if body else b""
