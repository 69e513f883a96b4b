"""Formats that every usual reader shows alike, and what has to change in a picture to be of one.

Keras lists JPEG, PNG, BMP and GIF by their suffixes and ignores the orientation tag; torchvision,
Ultralytics and Hugging Face list more of them, but no GIF. CMYK and 16 bits a channel look
different in each. What is left: an upright JPEG, PNG or BMP of 8 bits a channel, by its own name.
"""

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from maskage.pictures.bare_pictures import is_lossless_webp, strip_picture
from maskage.pictures.images import MAX_PIXELS, decode_image, encode_jpeg
from maskage.pictures.picture_kinds import HEAD_BYTES, sniff_picture
from maskage.records import RgbImage

_SUFFIXES = {"JPEG": (".jpg", ".jpeg"), "PNG": (".png",), "BMP": (".bmp",)}
_TITLES = {"WEBP": "WebP", "HEIF": "HEIC"}
_ORIENTATION, _COMPRESSION = 0x0112, 259
_UPRIGHT, _TURNED = 1, range(2, 9)
_LOSSY_TIFF = frozenset({6, 7, 34_933, 50_001})
"""Values of the compression tag: JPEG, old and new, and WebP, in a TIFF."""


@dataclass(frozen=True)
class FormatChange:
    """The change that a picture needs so that every usual reader shows it alike.

    Attributes:
        suffix: Suffix of the new file, ".jpg", ".png" or ".bmp".
        reason: What is changed, such as "WebP to JPEG", the same words for all of one kind.
        is_encoded: True if the pixels are encoded anew; False if the file only gets another name.
    """

    suffix: str
    reason: str
    is_encoded: bool = True


def find_format_change(path: Path, name: str | None = None) -> FormatChange | None:
    """Return the change that a picture file needs, by its content; None if it is read as it is.

    Only the start of a file is read, except of a WebP. A file that cannot be read needs none: it
    is for the decoder to say why.

    Args:
        path: The file.
        name: The name that counts, if it is not the file's own.
    """
    suffix = Path(name or path.name).suffix.lower()
    try:
        with path.open("rb") as file:
            kind = sniff_picture(file.read(HEAD_BYTES)) or ""
        if kind in _SUFFIXES:
            return _change_of_common(path, kind, suffix)
        return None if not kind else _change_of_other(path, kind)
    except Exception:  # noqa: BLE001  a broken header raises many things
        return None


def apply_format_change(data: bytes, change: FormatChange | None, name: str = "picture") -> bytes:
    """Return a picture with its change and without metadata; see `strip_picture`.

    Args:
        data: The encoded file.
        change: What `find_format_change` returned for it.
        name: Name of it in a message.

    Raises:
        UnreadableImageError: It has to be encoded anew and cannot be read.
    """
    if change is None or not change.is_encoded:
        return strip_picture(data, name)
    return encode_as(decode_image(data, name), change.suffix)


def encode_as(pixels: RgbImage, suffix: str) -> bytes:
    """Encode RGB uint8 (H, W, 3) as a JPEG of quality 95, or without loss as ".png" or ".bmp"."""
    if suffix in _SUFFIXES["JPEG"]:
        return encode_jpeg(pixels)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, suffix.removeprefix(".").upper())
    return file.getvalue()


def _change_of_common(path: Path, kind: str, suffix: str) -> FormatChange | None:
    own = _SUFFIXES[kind]
    kept = suffix if suffix in own else own[0]
    with Image.open(path, formats=(kind,)) as image:
        width, height = image.size
        is_cmyk = image.mode == "CMYK"
        orientation = _orientation_of(image)
    if is_cmyk:
        return FormatChange(kept, "CMYK to RGB")
    if kind == "PNG" and _png_bits(path) > 8:
        return FormatChange(kept, "16 bits to 8 bits")
    if width * height > MAX_PIXELS:
        return FormatChange(kept, "scaled down")
    if orientation in _TURNED:
        return FormatChange(kept, "turned upright")
    if suffix not in own:
        return FormatChange(kept, f"named as the {kind} that it is", is_encoded=False)
    return None


def _orientation_of(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, _UPRIGHT))
    except Exception:  # noqa: BLE001  a broken EXIF block raises many things
        return _UPRIGHT


def _png_bits(path: Path) -> int:
    """Return the bits a channel in a PNG's first chunk, IHDR."""
    with path.open("rb") as file:
        head = file.read(26)
    return head[24] if len(head) > 24 else 0


def _change_of_other(path: Path, kind: str) -> FormatChange:
    is_lossless = kind == "GIF"
    if kind == "WEBP":
        is_lossless = is_lossless_webp(path.read_bytes())
    if kind == "TIFF":
        with Image.open(path, formats=("TIFF",)) as image:
            is_lossless = image.tag_v2.get(_COMPRESSION, 1) not in _LOSSY_TIFF  # type: ignore[attr-defined]
    suffix, target = (".png", "PNG") if is_lossless else (".jpg", "JPEG")
    of_several = " (the first of several pictures)" if _holds_several(path, kind) else ""
    return FormatChange(suffix, f"{_TITLES.get(kind, kind)} to {target}{of_several}")


def _holds_several(path: Path, kind: str) -> bool:
    """Return True for an animation, or a TIFF of several pages."""
    if kind not in ("GIF", "TIFF", "WEBP"):
        return False
    with Image.open(path, formats=(kind,)) as image:
        return bool(getattr(image, "is_animated", False))
