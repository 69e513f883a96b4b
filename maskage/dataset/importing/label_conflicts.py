"""The same picture under two labels in one source: nobody knows which label is right.

Files are compared by their last bytes first, so that a large source is not read twice. JPEG and
PNG files that differ only in their metadata are the same picture. Files of several formats with the
same pixels are only found once they are decoded, while they are imported: see `SavedPictures`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskage.dataset.importing.sources.source_labels import SourcePicture
from maskage.errors import UnreadableImageError
from maskage.pictures.images import read_image
from maskage.pictures.picture_kinds import HEAD_BYTES, sniff_picture
from maskage.records import Photo

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


@dataclass
class SavedPicture:
    """A picture that was imported in this run.

    Attributes:
        picture: The picture.
        digest: Digest by which it is known later.
        photo: Its photo; None once it was deleted again.
        conflict: Index of its message in the report; None without one.
    """

    picture: SourcePicture
    digest: str
    photo: Photo | None = None
    conflict: int | None = None


class SavedPictures:
    """The pictures of a run, by figures of their pixels: whoever has other pixels has others."""

    def __init__(self) -> None:
        self._by_figures: dict[object, list[SavedPicture]] = {}

    def add(self, measured: Photo, saved: SavedPicture) -> None:
        """Add a picture.

        Args:
            measured: Fingerprint and quality of its pixels.
            saved: The picture.
        """
        self._by_figures.setdefault(_figures_of(measured, saved.picture), []).append(saved)

    def find_twins(self, measured: Photo, picture: SourcePicture) -> list[SavedPicture]:
        """Return the pictures with the same pixels, where one of them has another label.

        Args:
            measured: Fingerprint and quality of the picture's pixels.
            picture: The picture.
        """
        alike = self._by_figures.get(_figures_of(measured, picture), [])
        if all(each.picture.label == picture.label and each.conflict is None for each in alike):
            return []
        same = [each for each in alike if _has_same_pixels(each.picture.path, picture.path)]
        differ = any(each.picture.label != picture.label for each in same)
        return same if differ or any(each.conflict is not None for each in same) else []


def _figures_of(measured: Photo, picture: SourcePicture) -> object:
    quality = measured.quality
    figures = (quality.sharpness, quality.brightness, quality.clipped) if quality else None
    return measured.fingerprint, figures, picture.region


def _has_same_pixels(path: Path, other: Path) -> bool:
    try:
        return np.array_equal(read_image(path), read_image(other))
    except UnreadableImageError:
        return False
