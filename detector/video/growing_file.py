"""A file that FFmpeg writes part by part, each of which stands for itself.

A kill or a full disk costs the part that is being written, never those before it. An MP4 grows by
fragments; closed in order it gets an index of everything, and is an ordinary MP4 in which every
player can seek.
"""

import os
from io import FileIO
from pathlib import Path

from maskage.system.files import make_private

FRAGMENT_S = 1.0
"""Length of a fragment: the most that a kill can take away."""

FORMATS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".3gp": "3gp",
    ".mkv": "matroska",
    ".webm": "webm",
    ".avi": "avi",
    ".mpg": "mpeg",
    ".mpeg": "mpeg",
    ".ts": "mpegts",
    ".mts": "mpegts",
    ".m2ts": "mpegts",
    ".wmv": "asf",
}
"""FFmpeg's names of the formats that are written, by the ending of the file's name."""

CONTAINER_OPTIONS = {
    # The index comes at the end, and turns the fragments before it into the data of one film.
    "movflags": "hybrid_fragmented+empty_moov+default_base_moof",
    "frag_duration": str(round(FRAGMENT_S * 1e6)),
    # The same for Matroska and WebM, in milliseconds.
    "cluster_time_limit": str(round(FRAGMENT_S * 1e3)),
    # Else up to 32 KB stay in memory.
    "flush_packets": "1",
}
"""Settings of FFmpeg; each format takes those that it knows."""


class GrowingFile:
    """A file that FFmpeg writes through Python; after a fault of the disk it takes nothing more.

    Args:
        path: The file; replaced if it exists, readable for its owner only.

    Attributes:
        fault: The first fault of the disk, or None.

    Raises:
        OSError: From any call: the disk refused. The file is left with its whole parts.
    """

    def __init__(self, path: Path) -> None:
        self.fault: OSError | None = None
        self._whole = 0
        self._file = FileIO(path, "wb", opener=_open_private)
        make_private(path)

    def mark_whole(self) -> None:
        """Note that all that was written so far stands for itself."""
        self._whole = self._file.seek(0, os.SEEK_END)

    def write(self, data: bytes) -> int:
        """Write all of `data` where the last call ended."""
        self._raise_fault()
        view, written = memoryview(data), 0
        try:
            while written < len(view):
                written += self._file.write(view[written:]) or 0
        except OSError as fault:
            self._give_up(fault)
            raise
        return written

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place of the file."""
        self._raise_fault()
        # What is changed now points to what was written before, which must be there first.
        os.fsync(self._file.fileno())
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place where the next call writes."""
        return self._file.tell()

    def close(self) -> None:
        """Have everything written to the disk; may be called twice."""
        if not self._file.closed:
            with self._file:
                os.fsync(self._file.fileno())

    def _raise_fault(self) -> None:
        if self.fault is not None:
            raise self.fault

    def _give_up(self, fault: OSError) -> None:
        self.fault = fault
        os.truncate(self._file.fileno(), self._whole)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
