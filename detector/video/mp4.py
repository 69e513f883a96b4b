"""An MP4 file that can be played at every moment while it is written.

It grows by fragments, each of which stands for itself, so a kill cuts off the last one
alone. Closed in order it gets an index of everything, and is an ordinary MP4 that every player can
seek in. The boxes are those of ISO/IEC 14496-12; the header of the pictures is that of 14496-14.
"""

import os
import struct
from array import array
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from detector.video.encoder import EncodedFrame
from maskage.context_mixin import ClosingMixin
from maskage.system.files import make_private

FRAGMENT_S = 1.0
"""Length of a fragment: the most that a kill can take away."""

FRAME_TICKS = 1000
"""Time units of one frame: the clock of the file runs at so many times its frame rate."""

_TRACK = 1
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
"""No turn and no scaling, in 16.16 and 2.30 fixed point."""
_DPI = 0x480000
"""72 in 16.16 fixed point, as the standard wants it."""
_KEY_FRAME, _OTHER_FRAME = 0x02000000, 0x01010000
"""Sample flags (8.8.3): depends on no other sample; depends on others, no place to begin."""
_BASE_IS_FRAGMENT = 0x020000
_HAS_OFFSET_SIZES_FLAGS = 0x000601
_LENGTH_64 = 1
_VISUAL_MPEG4, _VISUAL_STREAM = 0x20, 0x11
"""Object and stream type of MPEG-4 part 2 (14496-1, 7.2.6.6)."""


@dataclass(frozen=True)
class Film:
    """The settings that all frames of a file share.

    Attributes:
        width: Width in pixels.
        height: Height in pixels.
        fps: Frames a second.
        header: The decoder's settings.
    """

    width: int
    height: int
    fps: float
    header: bytes

    @property
    def timescale(self) -> int:
        """Time units a second."""
        return round(self.fps * FRAME_TICKS)


@dataclass
class _Index:
    """The sizes and places of the frames.

    Attributes:
        sizes: Size of each frame, in bytes.
        keys: Numbers of the key frames, from 1.
        offsets: Place of the first frame of each fragment.
        counts: Frames in each fragment.
    """

    sizes: "array[int]" = field(default_factory=lambda: array("L"))
    keys: "array[int]" = field(default_factory=lambda: array("L"))
    offsets: "array[int]" = field(default_factory=lambda: array("Q"))
    counts: "array[int]" = field(default_factory=lambda: array("L"))


class GrowingMp4(ClosingMixin):
    """A file of encoded frames that grows fragment by fragment.

    Args:
        path: The file; replaced if it exists, readable for its owner only.
        size: Width and height in pixels.
        fps: Frames a second.

    Raises:
        OSError: From any call: the disk refused. The file is left with its whole fragments.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        self._size, self._fps = size, fps
        self._film: Film | None = None
        self._index = _Index()
        self._waiting: list[EncodedFrame] = []
        self._end = self._index_place = 0
        self._file = FileIO(path, "wb", opener=_open_private)
        make_private(path)

    def add(self, frame: EncodedFrame) -> None:
        """Append a frame; the first is a key frame with its header."""
        if self._film is None:
            self._film = Film(*self._size, self._fps, frame.header)
            self._begin(self._film)
        self._waiting.append(frame)
        if len(self._waiting) >= self._fps * FRAGMENT_S:
            self._write_fragment()

    def close(self) -> None:
        """Write the last fragment, then the index; may be called twice."""
        if self._file.closed:
            return
        with self._file:
            self._write_fragment()
            if self._film is not None and self._index.sizes:
                self._write_index(self._film)

    def _begin(self, film: Film) -> None:
        kind = _box("ftyp", b"isom", struct.pack(">I", 512), b"isomiso5iso6mp41")
        self._index_place = len(kind)
        # Room for the head of the box that holds everything, once there is an index behind it.
        room = _box("free", bytes(8))
        self._append(kind + room + _movie(film, _Index()))

    def _write_fragment(self) -> None:
        frames, self._waiting = self._waiting, []
        if not frames:
            return
        head = _fragment_head(len(self._index.counts) + 1, len(self._index.sizes), frames)
        data = b"".join(frame.data for frame in frames)
        start = self._end
        self._append(head + struct.pack(">I4s", 8 + len(data), b"mdat") + data)
        first = len(self._index.sizes) + 1
        self._index.keys.extend(n for n, frame in enumerate(frames, first) if frame.is_key)
        self._index.sizes.extend(len(frame.data) for frame in frames)
        self._index.offsets.append(start + len(head) + 8)
        self._index.counts.append(len(frames))

    def _write_index(self, film: Film) -> None:
        place, end = self._index_place, self._end
        self._append(_movie(film, self._index))
        os.fsync(self._file.fileno())
        # From here on the fragments and their heads are the inside of one box, which the index
        # points into. Until this one write they are fragments.
        head = struct.pack(">I4sQ", _LENGTH_64, b"mdat", end - place)
        os.pwrite(self._file.fileno(), head, place)
        os.fsync(self._file.fileno())

    def _append(self, data: bytes) -> None:
        handle, written = self._file.fileno(), 0
        try:
            while written < len(data):
                written += os.pwrite(handle, data[written:], self._end + written)
        except OSError:
            os.truncate(handle, self._end)
            raise
        self._end += written


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _box(kind: str, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I4s", 8 + len(data), kind.encode()) + data


def _full_box(kind: str, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


def _fragment_head(number: int, frames_before: int, frames: list[EncodedFrame]) -> bytes:
    """Return the box before a fragment's data: sizes and kinds of frames (8.8.4 to 8.8.12)."""
    rows = b"".join(
        struct.pack(">II", len(frame.data), _KEY_FRAME if frame.is_key else _OTHER_FRAME)
        for frame in frames
    )

    def head(data_offset: int) -> bytes:
        run = struct.pack(">Ii", len(frames), data_offset)
        return _box(
            "moof",
            _full_box("mfhd", struct.pack(">I", number)),
            _box(
                "traf",
                _full_box("tfhd", struct.pack(">I", _TRACK), flags=_BASE_IS_FRAGMENT),
                _full_box("tfdt", struct.pack(">Q", frames_before * FRAME_TICKS), version=1),
                _full_box("trun", run, rows, flags=_HAS_OFFSET_SIZES_FLAGS),
            ),
        )

    # The data begin behind this box and the head of their own.
    return head(len(head(0)) + 8)


def _movie(film: Film, index: _Index) -> bytes:
    """Return the box with the contents of the file; with an empty index, fragments follow."""
    duration = len(index.sizes) * FRAME_TICKS
    head = struct.pack(">QQIQII", 0, 0, film.timescale, duration, 0x10000, 0x01000000)
    parts = [_full_box("mvhd", head, bytes(8), _MATRIX, bytes(24), _next_track(), version=1)]
    parts.append(_track(film, index, duration))
    if not index.sizes:
        defaults = struct.pack(">IIIII", _TRACK, 1, FRAME_TICKS, 0, _OTHER_FRAME)
        parts.append(_box("mvex", _full_box("trex", defaults)))
    return _box("moov", *parts)


def _next_track() -> bytes:
    return struct.pack(">I", _TRACK + 1)


def _track(film: Film, index: _Index, duration: int) -> bytes:
    place = struct.pack(">QQIIQ", 0, 0, _TRACK, 0, duration)
    sides = struct.pack(">II", film.width << 16, film.height << 16)
    # 3: it is shown, and part of the film.
    header = _full_box("tkhd", place, bytes(16), _MATRIX, sides, version=1, flags=3)
    undetermined = 0x55C4
    times = struct.pack(">QQIQHH", 0, 0, film.timescale, duration, undetermined, 0)
    here = _full_box("url ", flags=1)
    media = _box(
        "mdia",
        _full_box("mdhd", times, version=1),
        _full_box("hdlr", bytes(4), b"vide", bytes(12), b"VideoHandler\0"),
        _box(
            "minf",
            _full_box("vmhd", bytes(8), flags=1),
            _box("dinf", _full_box("dref", struct.pack(">I", 1), here)),
            _box("stbl", _full_box("stsd", struct.pack(">I", 1), _pictures(film)), *_tables(index)),
        ),
    )
    return _box("trak", header, media)


def _tables(index: _Index) -> list[bytes]:
    """Return times, sizes and places of the frames (8.6.1, 8.7.3 to 8.7.5)."""
    count = len(index.sizes)
    times = struct.pack(">II", count, FRAME_TICKS) if count else b""
    fragments = [
        (number, frames)
        for number, frames in enumerate(index.counts, 1)
        if number == 1 or frames != index.counts[number - 2]
    ]
    rows = b"".join(struct.pack(">III", number, frames, 1) for number, frames in fragments)
    return [
        _full_box("stts", struct.pack(">I", 1 if count else 0), times),
        *([_full_box("stss", _numbers(index.keys, "I"))] if count else []),
        _full_box("stsc", struct.pack(">I", len(fragments)), rows),
        _full_box("stsz", struct.pack(">I", 0), _numbers(index.sizes, "I")),
        _full_box("co64", _numbers(index.offsets, "Q")),
    ]


def _numbers(values: "array[int]", kind: str) -> bytes:
    return struct.pack(f">I{len(values)}{kind}", len(values), *values)


def _pictures(film: Film) -> bytes:
    """Return the encoding of the pictures (14496-14, 5.6)."""
    nothing = 0
    sides = struct.pack(">HHIIIH", film.width, film.height, _DPI, _DPI, nothing, 1)
    depth = struct.pack(">Hh", 24, -1)
    entry = struct.pack(">6xH16x", 1) + sides + bytes(32) + depth
    config = struct.pack(">BB3xII", _VISUAL_MPEG4, _VISUAL_STREAM, nothing, nothing)
    decoder = _descriptor(4, config + _descriptor(5, film.header))
    stream = _descriptor(3, struct.pack(">HB", _TRACK, 0) + decoder + _descriptor(6, b"\x02"))
    return _box("mp4v", entry, _full_box("esds", stream))


def _descriptor(tag: int, data: bytes) -> bytes:
    """Return a descriptor of 14496-1, with its length in four groups of seven bits."""
    length = len(data)
    groups = [length >> shift & 0x7F | (0x80 if shift else 0) for shift in (21, 14, 7, 0)]
    return bytes([tag, *groups]) + data
