"""The one image decoder: every picture of the toolchain comes in and goes out through here.

Decoders disagree: OpenCV applies EXIF orientation and Pillow does not, OpenCV passes a truncated
JPEG with its lower half grey where Pillow refuses it, and both would decode small files that claim
to be enormous. One decoder settles it once: orientation applied, three channels, whole pictures
only, at most `MAX_PIXELS`. Pillow reads, because it tells a whole file from a cut one.
"""

import ctypes
import io
import logging
import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, _imaging

from maskage.errors import UnreadableImageError
from maskage.records import RgbImage

# OpenCV 5 warns on stderr at every face finder, which would tear the terminal UI.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)

# What Pillow and its libtiff say of a broken file on stderr would tear it too, and what counts is
# in our own words: whether the file is read.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())
with suppress(OSError, AttributeError):
    # The library that Pillow is linked with is found through it, wherever it lies.
    _pillow = ctypes.CDLL(_imaging.__file__)
    _pillow.TIFFSetErrorHandler(None)
    _pillow.TIFFSetWarningHandler(None)

MAX_PIXELS = 25_000_000
# Pillow's own, laxer cap would speak first, in other words.
Image.MAX_IMAGE_PIXELS = None
PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff"}
)
VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mjpeg", ".mpg"})

# Pillow would go by the content whatever the name says, and run a PostScript interpreter for one.
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")

_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
# A marker may be filled up with any number of 0xFF.
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
# In a scan 0xFF00 is a byte of the picture, and 0xD0 to 0xD7 are its restarts.
_SCAN_END = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)


@dataclass(frozen=True, eq=False)
class GreyPicture:
    """The brightness of a picture.

    Attributes:
        image: Mode "L", orientation applied; perhaps at a fraction of its size.
        width, height: Of the picture at its full size, px.
    """

    image: Image.Image
    width: int
    height: int


def is_picture(path: Path) -> bool:
    """Return whether a file's name is that of a picture that can be read; hidden files are not."""
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")


def decode_image(data: bytes, name: str = "picture") -> RgbImage:
    """Decode one encoded picture.

    Args:
        data: The encoded file (JPEG, PNG, WebP, BMP, TIFF).
        name: What to call it in a message.

    Returns:
        RGB uint8, shape (H, W, 3), orientation applied; grey and alpha become RGB.

    Raises:
        UnreadableImageError: Not a picture, cut short, or over `MAX_PIXELS`.
    """
    with _opened(data, name) as image:
        image.load()
        return np.array(_to_rgb(ImageOps.exif_transpose(image)))


def decode_grey(data: bytes, name: str = "picture", min_side: int | None = None) -> GreyPicture:
    """Decode only the brightness of one encoded picture: for hashing and measuring many.

    Args:
        data: The encoded file, read as strictly as by `decode_image`.
        name: Name of it in a message.
        min_side: A JPEG may come at a half, a quarter or an eighth of its size, as long as its
            shorter side is not below this, px: its decoder is several times faster then. None for
            the full size.

    Raises:
        UnreadableImageError: As `decode_image`.
    """
    with _opened(data, name) as image:
        size = image.size
        if min_side is not None and image.mode in ("RGB", "L"):
            # The decoder takes the smallest size that is not below the one asked for, both ways.
            shrink = min_side / min(size)
            image.draft("L", (math.ceil(size[0] * shrink), math.ceil(size[1] * shrink)))
        image.load()
        if _is_on_its_side(image):
            size = size[::-1]
        # In place: the copy that it would make otherwise takes as long as hashing.
        ImageOps.exif_transpose(image, in_place=True)
        grey = image if image.mode == "L" else _to_rgb(image).convert("L")
        return GreyPicture(grey, *size)


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Image.Image]:
    """A picture whose header is read and whose size is allowed; every fault in one exception."""
    if not data:
        raise UnreadableImageError(f"{name}: the file is empty. Remove or replace it.")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise UnreadableImageError(
                    f"{name}: {width}x{height} px is over the limit of "
                    f"{MAX_PIXELS // 1_000_000} megapixels. Scale it down first."
                )
            yield image
    except UnreadableImageError:
        raise
    except UnidentifiedImageError as fault:
        raise UnreadableImageError(
            f"{name}: not a picture in JPEG, PNG, WebP, BMP or TIFF, whatever its name says "
            f"({len(data):,} bytes). Save it as one of these, or remove it."
        ) from fault
    except Exception as fault:
        raise UnreadableImageError(
            f"{name}: cut short or damaged ({len(data):,} bytes; {fault}). "
            f"Copy it again, or remove it."
        ) from fault


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
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            # A phone's picture with a second one behind it: a JPEG to every reader.
            kind = "JPEG" if image.format == "MPO" else str(image.format)
            return kind, int(image.getexif().get(0x0112, 1)) == 1
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


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a pixel: Pillow's own conversion clips at 255
        levels = np.asarray(image, dtype=np.uint32) // 257
        image = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    if image.mode in ("LA", "PA", "RGBA", "P"):
        image = image.convert("RGBA")
    return image.convert("RGB")


def _is_on_its_side(image: Image.Image) -> bool:
    """Return whether the EXIF orientation, 5 to 8, swaps width and height."""
    # A damaged tag may be anything: `exif_transpose` takes what is no such number for upright too.
    return image.getexif().get(0x0112) in (5, 6, 7, 8)
