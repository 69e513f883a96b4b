"""The one image decoder: every picture of the toolchain comes in and goes out through here.

Decoders disagree: OpenCV applies EXIF orientation and Pillow does not, OpenCV passes a truncated
JPEG with its lower half grey where Pillow refuses it, and both would decode small files that claim
to be enormous. One decoder settles it once: orientation applied, three channels, whole pictures
only, at most `MAX_PIXELS`. Pillow reads, because it tells a whole file from a cut one.
"""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from collector.errors import UnreadableImageError
from collector.records import RgbImage

# OpenCV 5 warns on stderr at every face finder, which would tear the terminal UI.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)

MAX_PIXELS = 25_000_000
# Pillow's own, laxer cap would speak first, in other words.
Image.MAX_IMAGE_PIXELS = None
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mjpeg", ".mpg"})

_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"


def is_picture(path: Path) -> bool:
    """Whether a file's name says that it is a picture we read; hidden files are not."""
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
    if not data:
        raise UnreadableImageError(f"{name}: the file is empty. Remove or replace it.")
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise UnreadableImageError(
                    f"{name}: {width}x{height} px is over the limit of "
                    f"{MAX_PIXELS // 1_000_000} megapixels. Scale it down first."
                )
            image.load()
            return np.array(_to_rgb(ImageOps.exif_transpose(image)))
    except UnreadableImageError:
        raise
    except UnidentifiedImageError as fault:
        raise UnreadableImageError(
            f"{name}: not a picture ({len(data):,} bytes). Remove or replace the file."
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


def without_metadata(data: bytes) -> bytes | None:
    """Take a JPEG's metadata out without touching its pixels.

    Returns:
        The same picture without EXIF, XMP, comments and embedded thumbnails, or None where that
        is not enough (not a JPEG, or one that needs its orientation) and it must be re-encoded.
    """
    if not data.startswith(_JPEG_START) or _orientation(data) != 1:
        return None
    kept = bytearray(_JPEG_START)
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xDA:  # start of scan: pixels from here to the end marker
            end = data.rfind(_JPEG_END)
            return bytes(kept + data[at : end + 2]) if end > at else None
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        # JFIF (APP0) and Adobe (APP14) say how to read the colours; every other APPn only tells.
        if not (0xE1 <= marker <= 0xED or marker in (0xEF, 0xFE)):
            kept += data[at:end]
        at = end
    return None


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a pixel: Pillow's own conversion clips at 255
        levels = np.asarray(image, dtype=np.uint32) // 257
        image = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    if image.mode in ("LA", "PA", "RGBA", "P"):
        image = image.convert("RGBA")
    return image.convert("RGB")


def _orientation(data: bytes) -> int:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return int(image.getexif().get(0x0112, 1))
    except Exception:  # noqa: BLE001  a broken EXIF block raises many things; re-encode then
        return 0
