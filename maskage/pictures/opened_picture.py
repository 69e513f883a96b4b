"""Open one encoded picture with the decoder of its format, and bring it to a size that fits.

The content decides, never the name. What is no picture, cut short or too large ends in one
exception, `UnreadableImageError`.

A camera's photo may have 200 megapixels, so a picture of more than `MAX_PIXELS` is reduced: a JPEG
by its decoder, which never holds the whole picture then, any other after it was decoded. Measured
on a photo of 108 megapixels, time and peak memory of the process: as JPEG 0.22 s and 145 MB (all
its pixels: 2.3 s, 1,136 MB), progressive 1.5 s and 420 MB, as PNG 2.2 s and 878 MB; on one of 200
megapixels as JPEG 0.48 s and 213 MB (6.6 s, 2,044 MB), as PNG 5.1 s and 1,498 MB.
"""

import ctypes
import io
import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError, _imaging
from PIL.AvifImagePlugin import AvifImageFile
from PIL.JpegImagePlugin import JpegImageFile

from maskage.errors import UnreadableImageError
from maskage.pictures.picture_kinds import HEAD_BYTES, PICTURE_FORMATS, sniff_picture

# What Pillow and its libtiff say of a broken file on stderr would tear the terminal UI, and what
# counts is in our own words: whether the file is read.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())
with suppress(OSError, AttributeError):
    # The library that Pillow is linked with is found through it, wherever it lies.
    _pillow = ctypes.CDLL(_imaging.__file__)
    _pillow.TIFFSetErrorHandler(None)
    _pillow.TIFFSetWarningHandler(None)

MAX_PIXELS = 25_000_000
"""Most pixels of a decoded picture; a larger one is reduced."""
LARGEST_PIXELS = 200_000_000
"""Most pixels of a file: the largest sensor of a phone or camera."""
_BOMB_PIXELS = 100_000_000
"""From here on a file must have more bytes for its pixels."""

# Pillow's own cap would speak first, in other words.
Image.MAX_IMAGE_PIXELS = None

# Pillow would go by the content whatever the name says, and run a PostScript interpreter for one.
_FORMATS = ("PNG", "WEBP", "BMP", "TIFF", "GIF")

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture upright, by its EXIF orientation."""

_STRIP_PX = 512
"""Rows that are converted at once, so that only the result and the file's own pixels are held."""


@dataclass(frozen=True, eq=False)
class LoadedPicture:
    """A decoded picture.

    Attributes:
        image: Mode "RGB" or "L", orientation applied; perhaps smaller than the file's.
        width, height: Full size of the picture in the file, upright, px.
    """

    image: Image.Image
    width: int
    height: int


@contextmanager
def open_picture(data: bytes, name: str) -> Iterator[ImageFile.ImageFile]:
    """Open a picture whose header is read and whose size is allowed, not decoded yet.

    Raises:
        UnreadableImageError: Also for everything that goes wrong in the body of the `with`.
    """
    if not data:
        raise UnreadableImageError(f"{name}: the file is empty. Remove or replace it.")
    try:
        with open_file(data, name) as image:
            _check_size(image, data, name)
            yield image
    except UnreadableImageError:
        raise
    except UnidentifiedImageError as fault:
        if kind := sniff_picture(data[:HEAD_BYTES]):
            raise UnreadableImageError(
                f"{name}: a {kind} of a kind that is not read, such as one with 32 bits a channel "
                f"({len(data):,} bytes). Save it with 8 bits a channel, as JPEG or PNG."
            ) from fault
        raise UnreadableImageError(
            f"{name}: not a picture in {PICTURE_FORMATS}, whatever its name says "
            f"({len(data):,} bytes). Save it as one of these, or remove it."
        ) from fault
    except Exception as fault:
        raise UnreadableImageError(
            f"{name}: cut short or damaged ({len(data):,} bytes; {fault}). "
            f"Copy it again, or remove it."
        ) from fault


def open_file(data: bytes, name: str) -> ImageFile.ImageFile:
    """Open a picture with the decoder of its content, whatever its size.

    Raises:
        UnidentifiedImageError: It is no picture.
        UnreadableImageError: It is HEIC, and what reads that is not installed.
        Exception: Others, where the file is damaged.
    """
    kind, file = sniff_picture(data[:HEAD_BYTES]), io.BytesIO(data)
    if kind == "JPEG":
        # Not through `Image.open`: of a file with several pictures (MPO) the first is the photo,
        # and what is damaged in the list of the others does not matter.
        return JpegImageFile(file)
    if kind in ("AVIF", "HEIF"):
        _require_whole(data)
        return AvifImageFile(file) if kind == "AVIF" else _open_heif(file, name)
    return Image.open(file, formats=_FORMATS)


def load_upright(
    image: ImageFile.ImageFile, mode: str = "RGB", min_side: int | None = None
) -> LoadedPicture:
    """Decode an opened picture: upright, and of `MAX_PIXELS` at most.

    One of up to `MAX_PIXELS` has its full size; a larger JPEG a half or a quarter of its sides, any
    other a half or a third.

    Args:
        image: From `open_picture`.
        mode: "RGB" or "L".
        min_side: Where a JPEG may come smaller than that, the least shorter side of it, px; None
            for as large as it is allowed.
    """
    full = image.size
    _draft(image, mode, min_side)
    drafted = image.size
    image.load()
    if drafted == full:
        full = image.size  # a HEIC's is known for sure only now
    factor = math.ceil(math.sqrt(math.prod(image.size) / MAX_PIXELS))
    loaded = _to_mode(image, mode) if factor <= 1 else _reduce(image, mode, factor)
    orientation = orientation_of(image)
    if orientation in _TURNS:
        loaded = loaded.transpose(_TURNS[orientation])
    return LoadedPicture(loaded, *(full[::-1] if orientation in (5, 6, 7, 8) else full))


def _open_heif(file: io.BytesIO, name: str) -> ImageFile.ImageFile:
    """Open a HEIC, which its decoder turns as the file says; its EXIF orientation counts for none.

    Source: ISO/IEC 23008-12, 6.5.10 (irot) and its annex on Exif.
    """
    try:
        from pi_heif import HeifImageFile, options
    except ImportError as fault:
        raise UnreadableImageError(
            f"{name}: HEIC is read by the package pi-heif, which is not installed. Install it with "
            f"`pip install pi-heif`, or save the picture as JPEG."
        ) from fault
    # Pictures within the picture, which nobody looks at here.
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    opened: ImageFile.ImageFile = HeifImageFile(file)
    return opened


def _require_whole(data: bytes) -> None:
    """Refuse a HEIC or AVIF that is cut short: of a phone's tiles the missing ones would be black.

    What some programs put behind the last part is not looked at.

    Source: ISO/IEC 14496-12, 4.2: each part says its length; 0 is all the rest.
    """
    at, has_meta = 0, False
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        elif size == 0:
            size = len(data) - at
        if size < 8 or at + size > len(data):
            if has_meta and kind != b"mdat":
                return
            raise ValueError(f"it ends within a part that begins at byte {at:,}")
        has_meta = has_meta or kind == b"meta"
        at += size


def _check_size(image: ImageFile.ImageFile, data: bytes, name: str) -> None:
    """Refuse a picture that is too large, or whose file is too small for what it claims.

    Of a JPEG of one scan the decoder gives a fraction of the pixels and never holds the others, so
    as many are allowed as it can have: 2 bits for each 64. A PNG of one colour has 1 byte for 350
    pixels, one of a photo 1 byte for 5 at the most.
    """
    width, height = image.size
    pixels = width * height
    claims = f"{name}: {width}x{height} px is over the limit"
    if isinstance(image, JpegImageFile) and _has_one_scan(image, data):
        pixels_a_byte = 64 * 8 // 2
    else:
        pixels_a_byte = 1_000 if pixels <= _BOMB_PIXELS else 100
    if pixels > MAX_PIXELS and pixels > pixels_a_byte * len(data):
        raise UnreadableImageError(
            f"{claims} of {MAX_PIXELS // 1_000_000} megapixels for a file of only {len(data):,} "
            f"bytes, which is no photo. Remove it."
        )
    if pixels > LARGEST_PIXELS:
        raise UnreadableImageError(
            f"{claims} of {LARGEST_PIXELS // 1_000_000} megapixels. Scale it down first."
        )


def _has_one_scan(image: JpegImageFile, data: bytes) -> bool:
    """Return whether all components of a JPEG come in one scan, row by row.

    Source: ITU-T T.81, B.1.1.4 and B.2.3.
    """
    if "progressive" in image.info:
        return False
    at = 2
    while at + 5 <= len(data) and data[at] == 0xFF:
        if data[at + 1] == 0xDA:  # start of scan: how many components it has
            return data[at + 4] == image.layers
        is_fill = data[at + 1] == 0xFF
        at += 1 if is_fill else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def _draft(image: ImageFile.ImageFile, mode: str, min_side: int | None) -> None:
    """Let a JPEG's decoder give a half, a quarter or an eighth of the sides, before it starts."""
    size = image.size
    target = size
    if min_side is not None and image.mode in ("RGB", "L"):
        # The decoder takes the smallest size that is not below the one asked for, both ways.
        shrink = min_side / min(size)
        target = math.ceil(size[0] * shrink), math.ceil(size[1] * shrink)
    is_grey = mode == "L" and image.mode in ("RGB", "L") and min_side is not None
    parts = 1
    while math.prod(size) > MAX_PIXELS * parts**2 and parts < 8:
        parts *= 2
    if parts > 1:
        target = min(target[0], size[0] // parts), min(target[1], size[1] // parts)
    if is_grey or target != size:
        image.draft("L" if is_grey else None, (max(1, target[0]), max(1, target[1])))


def _reduce(image: Image.Image, mode: str, factor: int) -> Image.Image:
    """Average squares of `factor` x `factor` pixels into one, a strip of rows after the other."""
    width, height = image.size
    reduced = Image.new(mode, (-(-width // factor), -(-height // factor)))
    rows = _STRIP_PX * factor
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(height, top + rows)))
        reduced.paste(_to_mode(strip, mode).reduce(factor), (0, top // factor))
    return reduced


def _to_mode(image: Image.Image, mode: str) -> Image.Image:
    if image.mode == mode:
        return image
    if image.mode.startswith("I"):  # 16 bits a pixel: Pillow's own conversion clips at 255
        levels = np.asarray(image, dtype=np.uint32) // 257
        image = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    if image.mode in ("LA", "PA", "RGBA", "P"):
        image = image.convert("RGBA")
    rgb = image.convert("RGB")
    return rgb if mode == "RGB" else rgb.convert(mode)


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 where there is none or it is no such number."""
    found = image.getexif().get(0x0112)
    return int(found) if found in _TURNS else 1
