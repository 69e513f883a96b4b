"""HEIC files as phones write them: one HEVC picture, or a grid of tiles, and a note of its turn.

The pixels are encoded by FFmpeg's x265, which PyAV brings along; the container is written here.

Source: ISO/IEC 14496-12 (boxes) and ISO/IEC 23008-12 (pictures in them).
"""

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import av
import numpy as np
import pytest
from PIL import Image

needs_hevc = pytest.mark.skipif(
    "libx265" not in av.codecs_available, reason="this FFmpeg cannot write HEVC"
)


@dataclass(frozen=True)
class _Item:
    """An item of the file: its kind, its bytes, and the numbers of its properties from 1."""

    kind: bytes
    body: bytes
    properties: Sequence[int] = ()


def encode_heic(
    image: Image.Image, *, tile_px: int | None = None, quarters: int = 0, exif: bytes = b""
) -> bytes:
    """A HEIC of an RGB picture.

    Args:
        image: The picture as it is stored.
        tile_px: Side of its tiles, as in a phone's; None for one piece.
        quarters: Number of quarter turns, counterclockwise, that a reader has to apply.
        exif: An EXIF block, from its byte order on.
    """
    width, height = image.size
    side_x, side_y = (tile_px, tile_px) if tile_px else image.size
    columns, rows = -(-width // side_x), -(-height // side_y)
    tiles = [
        _encode_hevc(image, (x * side_x, y * side_y, (x + 1) * side_x, (y + 1) * side_y))
        for y in range(rows)
        for x in range(columns)
    ]
    properties = [
        _box(b"hvcC", tiles[0][0]),
        _full_box(b"ispe", struct.pack(">II", side_x, side_y)),
        _full_box(b"ispe", struct.pack(">II", width, height)),
        _box(b"irot", bytes([quarters])),
    ]
    turned = [4] if quarters else []
    items = [_Item(b"hvc1", body, [1, 2, *([] if tile_px else turned)]) for _, body in tiles]
    links = b""
    if tile_px:
        grid = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
        items.append(_Item(b"grid", grid, [3, *turned]))
        numbers = struct.pack(f">{len(tiles)}H", *range(1, len(tiles) + 1))
        links += _box(b"dimg", struct.pack(">HH", len(items), len(tiles)) + numbers)
    primary = len(items)
    if exif:
        items.append(_Item(b"Exif", struct.pack(">I", 0) + exif))
        links += _box(b"cdsc", struct.pack(">HHH", len(items), 1, primary))
    return _file_of(items, primary, properties, links)


def _file_of(
    items: Sequence[_Item], primary: int, properties: Sequence[bytes], links: bytes
) -> bytes:
    start = _box(b"ftyp", b"heic\0\0\0\0mif1heic")
    length = len(_meta(items, primary, properties, links, 0))
    meta = _meta(items, primary, properties, links, len(start) + length + 8)
    return start + meta + _box(b"mdat", b"".join(item.body for item in items))


def _meta(
    items: Sequence[_Item], primary: int, properties: Sequence[bytes], links: bytes, at: int
) -> bytes:
    infos, places, uses = b"", b"", b""
    for number, item in enumerate(items, 1):
        infos += _full_box(b"infe", struct.pack(">HH4sx", number, 0, item.kind), version=2)
        places += struct.pack(">HHHII", number, 0, 1, at, len(item.body))
        uses += struct.pack(">HB", number, len(item.properties)) + bytes(item.properties)
        at += len(item.body)
    count = struct.pack(">H", len(items))
    return _full_box(
        b"meta",
        _full_box(b"hdlr", struct.pack(">I4s12xx", 0, b"pict"))
        + _full_box(b"pitm", struct.pack(">H", primary))
        + _full_box(b"iloc", b"\x44\0" + count + places)
        + _full_box(b"iinf", count + infos)
        + (_full_box(b"iref", links) if links else b"")
        + _box(
            b"iprp",
            _box(b"ipco", b"".join(properties))
            + _full_box(b"ipma", struct.pack(">I", len(items)) + uses),
        ),
    )


def _encode_hevc(image: Image.Image, area: tuple[int, int, int, int]) -> tuple[bytes, bytes]:
    """Encode a part of a picture: the configuration of the decoder, and the coded picture."""
    file = io.BytesIO()
    options = {"x265-params": "log-level=none:keyint=1:info=0:pools=none:frame-threads=1:crf=8"}
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx265", rate=1, options=options)
        part = np.asarray(image.crop(area))
        stream.width, stream.height, stream.pix_fmt = part.shape[1], part.shape[0], "yuv420p"
        frame = av.VideoFrame.from_ndarray(part, format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    data = file.getvalue()
    return _content(data, b"hvcC"), _content(data, b"mdat")


def _content(data: bytes, kind: bytes) -> bytes:
    at = data.index(kind)
    return data[at + 4 : at - 4 + int.from_bytes(data[at - 4 : at], "big")]


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _full_box(kind: bytes, body: bytes, version: int = 0) -> bytes:
    return _box(kind, bytes([version, 0, 0, 0]) + body)
