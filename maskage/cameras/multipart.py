"""Takes the pictures out of a multipart stream of bytes, whatever else is in it."""

import re
from collections.abc import Iterator

MAX_HEADER_BYTES = 8192
MAX_PART_BYTES = 20_000_000

_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


class PartSplitter:
    """A splitter of a multipart/x-mixed-replace body into the bodies of its parts.

    Cameras are careless: boundaries come with and without their dashes, lengths are missing or
    wrong, and after a hiccup there is garbage between parts. So a boundary is searched for wherever
    it may be, a part that is cut short ends at the next one, and a length is believed only as far
    as no boundary lies within it.

    Args:
        boundary: The boundary as the Content-Type names it.

    Attributes:
        skipped: Number of bytes that belonged to no part.
    """

    def __init__(self, boundary: str) -> None:
        self._marker = b"--" + boundary.strip('"').lstrip("-").encode("latin-1")
        self._buffer = bytearray()
        self._length: int | None = None
        self._is_in_body = False
        self.skipped = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take more bytes; yield the body of each part that is now whole."""
        self._buffer += data
        while (body := self._take()) is not None:
            if body:
                yield body

    def _take(self) -> bytes | None:
        """Return the next body, empty where bytes were skipped; None where more are needed."""
        if self._is_in_body:
            return self._take_body()
        return b"" if self._enter_body() else None

    def _enter_body(self) -> bool:
        at = self._buffer.find(self._marker)
        if at < 0:
            # The start of a boundary may be at the end of what has come so far.
            self._skip(max(0, len(self._buffer) - len(self._marker) + 1))
            return False
        self._skip(at)
        end = _BLANK_LINE.search(self._buffer, len(self._marker))
        if end is None:
            if len(self._buffer) > MAX_HEADER_BYTES:
                self._skip(len(self._marker))
                return True
            return False
        length = _LENGTH.search(self._buffer, len(self._marker), end.start() + 1)
        self._length = int(length[1]) if length else None
        del self._buffer[: end.end()]
        self._is_in_body = True
        return True

    def _take_body(self) -> bytes | None:
        length = self._length
        known = length is not None and length <= MAX_PART_BYTES
        at = self._buffer.find(self._marker, 0, length if known else MAX_PART_BYTES)
        if at >= 0:
            return self._leave_body(at)
        if known and length is not None and len(self._buffer) >= length:
            return self._leave_body(length)
        if len(self._buffer) >= MAX_PART_BYTES:
            self._is_in_body = False
            self._skip(MAX_PART_BYTES)
            return b""
        return None

    def _leave_body(self, length: int) -> bytes:
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._is_in_body = False
        # The line break before a boundary belongs to it; after a JPEG's end it does no harm.
        return body.removesuffix(b"\r\n")

    def _skip(self, count: int) -> None:
        self.skipped += count
        del self._buffer[:count]
