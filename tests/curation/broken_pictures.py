"""Pictures in every format that we read, drawn here, and ways to break them.

Number and seed make a broken picture anew, whatever was made before it.
"""

import io
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cache

import av
import numpy as np
from PIL import Image

from tests.conftest import draw_noise
from tests.maskage.pictures.heic_files import encode_heic

SIDE_PX = 48

Chunks = list[bytes]


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """A picture as a file of this format."""
    buffer = io.BytesIO()
    # Pillow leaves what it told one format's encoder in the picture, and others trip over it.
    image.copy().save(buffer, kind, **options)
    return buffer.getvalue()


@cache
def draw_files() -> dict[str, bytes]:
    """One whole file of every sort, by a name that says which."""
    rgb = Image.fromarray(draw_noise(1, SIDE_PX))
    other = Image.fromarray(draw_noise(2, SIDE_PX))
    deep = Image.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 257)
    grey, palette, alpha = rgb.convert("L"), rgb.quantize(32), rgb.convert("RGBA")
    alpha.putalpha(grey)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "turned"
    frames = {"save_all": True, "append_images": [other], "duration": 40}
    files = {
        "jpeg": encoded(rgb, "JPEG", quality=90),
        "jpeg at a fraction": encoded(Image.fromarray(draw_noise(3, 400)), "JPEG", quality=50),
        "jpeg progressive": encoded(rgb, "JPEG", progressive=True, quality=80),
        "jpeg restarts": encoded(rgb, "JPEG", restart_marker_blocks=2),
        "jpeg grey": encoded(grey, "JPEG"),
        "jpeg cmyk": encoded(rgb.convert("CMYK"), "JPEG"),
        "jpeg turned": encoded(rgb, "JPEG", exif=exif, comment=b"a comment", icc_profile=b"i" * 99),
        "jpeg two pictures": encoded(rgb, "MPO", save_all=True, append_images=[other.copy()]),
        "png": encoded(rgb, "PNG"),
        "png turned": encoded(rgb, "PNG", exif=exif),
        "png 16 bits": encoded(deep, "PNG"),
        "png palette": encoded(palette, "PNG", transparency=3),
        "png 1 bit": encoded(grey.convert("1"), "PNG"),
        "png alpha": encoded(alpha, "PNG"),
        "png interlaced": interlaced_png(rgb),
        "png animated": encoded(rgb, "PNG", **frames),
        "webp": encoded(rgb, "WEBP", quality=80),
        "webp lossless": encoded(rgb, "WEBP", lossless=True, exif=exif),
        "webp alpha": encoded(alpha, "WEBP"),
        "webp animated": encoded(rgb, "WEBP", **frames),
        "bmp": encoded(rgb, "BMP"),
        "bmp palette": encoded(palette, "BMP"),
        "bmp alpha": encoded(alpha, "BMP"),
        "tiff": encoded(rgb, "TIFF"),
        "tiff 16 bits": encoded(deep, "TIFF"),
        "tiff float": encoded(grey.convert("F"), "TIFF"),
        "tiff pages": encoded(rgb, "TIFF", save_all=True, append_images=[other.copy()]),
        "tiff turned": encoded(rgb, "TIFF", tiffinfo={0x0112: 8}),
        "tiff cmyk": encoded(rgb.convert("CMYK"), "TIFF", compression="tiff_lzw"),
    }
    for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "lzma"):
        files[f"tiff {name}"] = encoded(rgb, "TIFF", compression=name)
    files["tiff group4"] = encoded(grey.convert("1"), "TIFF", compression="group4")
    files["gif"] = encoded(palette, "GIF", transparency=3)
    files["gif animated"] = encoded(rgb, "GIF", **frames)
    files["avif"] = encoded(rgb, "AVIF", exif=exif)
    files["avif alpha"] = encoded(alpha, "AVIF")
    files["avif animated"] = encoded(rgb, "AVIF", **frames)
    if "libx265" in av.codecs_available:
        files["heic"] = encode_heic(Image.fromarray(draw_noise(1, 64)), quarters=1)
        files["heic tiles"] = encode_heic(Image.fromarray(draw_noise(1, 128)), tile_px=64)
    return files


def interlaced_png(image: Image.Image) -> bytes:
    """A PNG in Adam7, which Pillow reads and does not write."""
    pixels = np.asarray(image.convert("RGB"))
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))
    rows = b""
    for top, left, down, right in (*passes, (1, 0, 2, 1)):
        for row in pixels[top::down, left::right]:
            rows += b"\0" + row.tobytes()
    header = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 1)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, body) for kind, body in parts)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims this size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(3_001))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, body) for kind, body in parts)


def break_picture(seed: int, number: int) -> tuple[str, bytes]:
    """A broken picture: what was done to which sort of file, and what came of it."""
    rng = random.Random(f"{seed} {number}")
    files = draw_files()
    name = rng.choice(list(files))
    data, done = files[name], [name]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        way = rng.choice(_WAYS)
        data = way(rng, data)
        done.append(way.__name__.strip("_"))
    if data.startswith(b"\x89PNG") and rng.random() < 0.7:
        # With sums that hold, the damage gets past the first look.
        data = b"".join(_with_sums(split_chunks(data)))
        done.append("sums mended")
    return ", ".join(done), data


def split_chunks(data: bytes) -> Chunks:
    """The parts that a format is made of; their bytes joined are the file again."""
    if data.startswith(b"\xff\xd8"):
        parts = data.split(b"\xff")
        return [parts[0], *(b"\xff" + part for part in parts[1:])]
    if data.startswith(b"\x89PNG"):
        return _cut(data, 8, lambda at: 12 + int.from_bytes(data[at : at + 4], "big"))
    if data[4:8] == b"ftyp":
        return _cut(data, 0, lambda at: max(8, int.from_bytes(data[at : at + 4], "big")))
    if data.startswith(b"RIFF"):
        return _cut(data, 12, lambda at: _even(8 + int.from_bytes(data[at + 4 : at + 8], "little")))
    if data[:2] in (b"II", b"MM"):
        directory = int.from_bytes(data[4:8], "little" if data[:2] == b"II" else "big")
        if 8 <= directory < len(data):
            head, entries = data[: directory + 2], data[directory + 2 :]
            tail = entries[240:]
            return [head, *(entries[at : at + 12] for at in range(0, 240, 12)), tail]
    return [data[at : at + 16] for at in range(0, len(data), 16)]


def _even(size: int) -> int:
    return size + size % 2


def _cut(data: bytes, start: int, size_at: Callable[[int], int]) -> Chunks:
    chunks, at = [data[:start]], start
    while at < len(data):
        end = min(at + size_at(at), len(data))
        chunks.append(data[at:end])
        at = end
    return chunks


def _with_sums(chunks: Sequence[bytes]) -> Chunks:
    mended = [chunks[0]]
    for chunk in chunks[1:]:
        mended.append(png_chunk(chunk[4:8], chunk[8:-4]) if len(chunk) >= 12 else chunk)
    return mended


def _flip_bits(rng: random.Random, data: bytes) -> bytes:
    broken = bytearray(data)
    for _ in range(rng.choice((1, 2, 8, 64))):
        if broken:
            broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
    return bytes(broken)


def _cut_short(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _cut_out(rng: random.Random, data: bytes) -> bytes:
    start, end = _piece(rng, data)
    return data[:start] + data[end:]


def _repeat(rng: random.Random, data: bytes) -> bytes:
    start, end = _piece(rng, data)
    return data[:end] + data[start:end] * rng.choice((1, 2, 20)) + data[end:]


def _blank(rng: random.Random, data: bytes) -> bytes:
    start, end = _piece(rng, data)
    return data[:start] + bytes([rng.choice((0, 255))]) * (end - start) + data[end:]


def _splice(rng: random.Random, data: bytes) -> bytes:
    other = rng.choice(list(draw_files().values()))
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other)) :]


def _append(rng: random.Random, data: bytes) -> bytes:
    return data + rng.randbytes(rng.choice((1, 7, 500)))


def _set_field(rng: random.Random, data: bytes) -> bytes:
    """Some number near the start becomes one at the end of its range."""
    if len(data) < 8:
        return data
    size = rng.choice((1, 2, 4))
    value = rng.choice((0, 1, 2, 3, 8, 16, 127, 128, 255, 5_000, 2**15, 2**16 - 1, 2**31 - 1, -1))
    field = (value % (1 << 8 * size)).to_bytes(size, rng.choice(("big", "little")))
    at = rng.randrange(min(len(data), 400))
    return data[:at] + field + data[at + size :]


def _set_size(rng: random.Random, data: bytes) -> bytes:
    """Width or height, where the format has them."""
    value = rng.choice(
        (0, 1, 7, 47, 49, 480, 4_000, 5_000, 65_535, 0x1000000, 0x7FFFFFFF, 0xFFFFFFFF)
    )
    if data.startswith(b"\x89PNG"):
        at, field = rng.choice((16, 20)), value.to_bytes(4, "big")
    elif data.startswith(b"BM"):
        at, field = rng.choice((18, 22)), value.to_bytes(4, "little")
    elif data.startswith(b"\xff\xd8"):
        frames = [data.find(bytes((0xFF, kind))) for kind in (0xC0, 0xC2)]
        at, field = max(0, *frames) + rng.choice((5, 7)), (value % 65_536).to_bytes(2, "big")
    elif data.startswith(b"RIFF"):
        at, field = rng.choice((24, 26, 28)), (value % 65_536).to_bytes(2, "little")
    else:
        return _set_field(rng, data)
    return data[:at] + field + data[at + len(field) :]


def _swap_chunks(rng: random.Random, data: bytes) -> bytes:
    chunks = split_chunks(data)
    if len(chunks) < 3:
        return data
    one, other = rng.randrange(1, len(chunks)), rng.randrange(1, len(chunks))
    chunks[one], chunks[other] = chunks[other], chunks[one]
    return b"".join(chunks)


def _drop_chunk(rng: random.Random, data: bytes) -> bytes:
    chunks = split_chunks(data)
    if len(chunks) > 2:
        del chunks[rng.randrange(1, len(chunks))]
    return b"".join(chunks)


def _break_chunk(rng: random.Random, data: bytes) -> bytes:
    """Damage within one part, most of which are small and say how to read the rest."""
    chunks = split_chunks(data) or [b""]
    at = rng.randrange(len(chunks))
    chunks[at] = _flip_bits(rng, chunks[at])
    return b"".join(chunks)


def _piece(rng: random.Random, data: bytes) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.choice((1, 4, 32, 400)))


_WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _flip_bits,
    _cut_short,
    _cut_out,
    _repeat,
    _blank,
    _splice,
    _append,
    _set_field,
    _set_field,
    _set_size,
    _swap_chunks,
    _drop_chunk,
    _break_chunk,
)
