"""A picture file without its metadata: no place, time, name, comment or thumbnail is left in it.

Where the format keeps metadata apart from the pixels (JPEG, PNG, WebP), it is cut out and no pixel
changes. Where the pixels lie on their side and a tag says so, and where a format mixes the two
(TIFF, BMP, GIF), the picture is encoded anew as this toolchain reads it: without loss, unless its
own format loses something too (JPEG, AVIF, HEIC).

Colour profiles go too. No reader of the toolchain applies them, nor do those that training usually
has, so what a network sees stays the same; and they name devices and people's screens.
"""

import io
import struct
from collections.abc import Iterator

from PIL import Image

from maskage.pictures.images import decode_image, encode_jpeg, picture_format, without_metadata

_PNG_START = b"\x89PNG\r\n\x1a\n"
# What decodes the pixels, and bare numbers on how bright they are meant.
_PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"IDAT", b"IEND"}
)
_WEBP_PIXELS = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_WEBP_SIDE_PX = 16_383
"""A single WebP picture is no larger."""
_WEBP_ALPHA = 0x10
"""In the flags of VP8X: there is an alpha channel. The others promise metadata and animation."""
_LOSSY = frozenset({"JPEG", "AVIF", "HEIF"})
_LOSSLESS: dict[str, dict[str, bool]] = {
    "PNG": {},
    "WEBP": {"lossless": True, "exact": True},
    "TIFF": {},
    "BMP": {},
}


def strip_picture(data: bytes, name: str = "picture") -> bytes:
    """Take everything out of a picture file that is not needed to show it.

    Args:
        data: The encoded file, of any format that is read.
        name: Name of it in a message.

    Returns:
        A file of the same format, upright without any tag; of a GIF a PNG, of AVIF and HEIC a JPEG.
        Where nothing is to be taken out of a JPEG, PNG or WebP, the same bytes. What has to be
        encoded anew and has over 25 megapixels comes in the size that `decode_image` gives.

    Raises:
        UnreadableImageError: It has to be encoded anew and cannot be read.

    Source: ITU-T T.81 (JPEG), ISO/IEC 15948 (PNG) and RFC 9649 (WebP) for the parts of a file.
    """
    if (stripped := without_metadata(data)) is not None:
        return stripped
    kind, is_upright = picture_format(data)
    if is_upright and kind in _STRIPPERS:
        stripped = _STRIPPERS[kind](data)
        if stripped is not None:
            return stripped
    pixels = decode_image(data, name)
    if kind in _LOSSY:
        return encode_jpeg(pixels)
    is_canvas = kind == "WEBP" and max(pixels.shape[:2]) > _WEBP_SIDE_PX  # of an animation
    if is_canvas or kind == "GIF":
        kind = "PNG"
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **_LOSSLESS[kind])
    return file.getvalue()


def _strip_png(data: bytes) -> bytes | None:
    """A PNG with its pixels alone; None where its chunks cannot be followed to the end."""
    kept, at = bytearray(_PNG_START), len(_PNG_START)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunk = data[at : at + 12 + length]
        kind = chunk[4:8]
        if kind in _PNG_KEPT:
            kept += chunk
        if kind == b"IEND":
            return bytes(kept)
        at += len(chunk)
    return None


def _strip_webp(data: bytes) -> bytes | None:
    """A still WebP with its pixels alone; None for an animation, or where it cannot be followed."""
    kept = bytearray()
    for kind, body in _webp_chunks(data):
        if kind == b"VP8X" and len(body) == 10:
            body = bytes([body[0] & _WEBP_ALPHA, *body[1:]])
        elif kind in (b"ANIM", b"ANMF"):
            return None
        elif kind not in _WEBP_PIXELS:
            continue
        kept += kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    if not kept:
        return None
    return b"RIFF" + struct.pack("<I", len(kept) + 4) + b"WEBP" + bytes(kept)


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, end = 12, 8 + int.from_bytes(data[4:8], "little")
    while at + 8 <= min(end, len(data)):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


_STRIPPERS = {"PNG": _strip_png, "WEBP": _strip_webp}
