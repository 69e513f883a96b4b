"""The same picture under two labels in one source: nobody knows which label is right.

Files are compared by their last bytes first, so that a large source is not read twice. JPEG and
PNG files that differ only in their metadata are the same picture.
"""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from maskage.dataset.importing.sources.source_labels import SourcePicture
from maskage.pictures.picture_kinds import HEAD_BYTES, sniff_picture

TAIL_BYTES = 1024
"""Fewer than the pixels of any photo take, so that what stands before them does not count."""
_THREADS = 8
"""More than there are cores: on a network disk the time goes into waiting."""
_PNG = b"\x89PNG\r\n\x1a\n"
_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")
"""Parts of a PNG that make its pixels (W3C PNG, 11)."""


@dataclass(frozen=True)
class LabelConflict:
    """One picture that lies under several labels.

    Attributes:
        pictures: All its copies, in the order of the source.
    """

    pictures: tuple[SourcePicture, ...]

    @property
    def text(self) -> str:
        """The copies and their labels: "a/1.jpg (a), b/2.jpg (b)"."""
        return ", ".join(f"{each.name} ({each.label})" for each in self.pictures)


def find_conflicts(pictures: Sequence[SourcePicture]) -> tuple[LabelConflict, ...]:
    """Find the pictures that lie under several labels. Files that cannot be read are in none."""
    if len({picture.label for picture in pictures}) < 2:
        return ()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="import-tails") as pool:
        alike = _group_alike(pictures, pool.map(_tail_digest, (each.path for each in pictures)))
        suspects = [each for group in alike for each in group]
        same = _group_alike(suspects, pool.map(_picture_digest, (each.path for each in suspects)))
    return tuple(LabelConflict(tuple(group)) for group in same)


def _group_alike(
    pictures: Sequence[SourcePicture], digests: Iterable[bytes | None]
) -> list[list[SourcePicture]]:
    """Return the groups of pictures of one digest that have several labels."""
    groups: dict[object, list[SourcePicture]] = {}
    for picture, digest in zip(pictures, digests, strict=True):
        if digest is not None:
            groups.setdefault((digest, picture.region), []).append(picture)
    return [group for group in groups.values() if len({each.label for each in group}) > 1]


def _tail_digest(path: Path) -> bytes | None:
    try:
        with path.open("rb", buffering=0) as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            return hashlib.blake2b(file.read(TAIL_BYTES), digest_size=16).digest()
    except OSError:
        return None


def _picture_digest(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if sniff_picture(data[:HEAD_BYTES]) is None:  # it is unreadable, and no picture at all
        return None
    return hashlib.sha256(b"".join(_pixel_parts(data))).digest()


def _pixel_parts(data: bytes) -> Iterable[bytes]:
    """Return the parts of a file that make its pixels; all of it in other formats."""
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg_parts(data)
    return _png_parts(data) if data.startswith(_PNG) else [data]


def _jpeg_parts(data: bytes) -> list[bytes]:
    """Return a JPEG without its comments and what applications wrote (ITU-T T.81, B.1.1)."""
    parts: list[bytes] = []
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xDA:
            return [*parts, data[at:]]
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            parts.append(data[at:end])
        at = end
    return [data]


def _png_parts(data: bytes) -> list[bytes]:
    parts: list[bytes] = []
    at = len(_PNG)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] in _PIXEL_CHUNKS:
            parts.append(data[at:end])
        at = end
    return parts
