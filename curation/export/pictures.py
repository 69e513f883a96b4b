"""Prepare the pictures of an export: without metadata, shown alike by all readers, renamed.

Names of photos hold times, sessions and sometimes people; an exported one is named by its content.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from curation.export.source import SourcePhoto
from maskage.console import Progress
from maskage.errors import UnreadableImageError
from maskage.pictures.common_formats import apply_format_change, find_format_change
from maskage.pictures.images import decode_image

_AT_ONCE = 64
_NAME_DIGITS = 16


@dataclass(frozen=True, eq=False)
class ExportPicture:
    """A picture as it is exported.

    Attributes:
        photo: The photo that it was made of.
        name: Path in the export: "train/mask_old/0123456789abcdef.jpg".
        data: The encoded file.
        width, height: Size, px.
        digests: sha256 of `data`, of the file that was read, and of the dataset's file if known.
    """

    photo: SourcePhoto
    name: str
    data: bytes
    width: int
    height: int
    digests: frozenset[str]

    @property
    def sha256(self) -> str:
        """Digest of the exported file."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Unexported:
    """A photo that stays, and the reason."""

    photo: SourcePhoto
    reason: str


def prepare_pictures(
    photos: Sequence[SourcePhoto], progress: Progress
) -> Iterator[ExportPicture | Unexported]:
    """Yield each photo as it is exported, or why it is not, in the order given.

    A few pictures are held in memory at once.
    """
    names = Counter[str]()
    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="export") as pool:
        for photo, found in progress(_prepare_all(photos, pool), "exporting", len(photos)):
            yield found if isinstance(found, Unexported) else _named(photo, found, names)


def _prepare_all(
    photos: Sequence[SourcePhoto], pool: ThreadPoolExecutor
) -> Iterator[tuple[SourcePhoto, "_Prepared | Unexported"]]:
    for start in range(0, len(photos), _AT_ONCE):
        part = photos[start : start + _AT_ONCE]
        yield from zip(part, pool.map(_prepare, part), strict=True)


@dataclass(frozen=True, eq=False)
class _Prepared:
    data: bytes
    suffix: str
    size: tuple[int, int]
    read: str


def _prepare(photo: SourcePhoto) -> _Prepared | Unexported:
    if photo.objection is not None:
        return Unexported(photo, photo.objection)
    try:
        read = photo.path.read_bytes()
        change = find_format_change(photo.path)
        data = apply_format_change(read, change, photo.path.name)
        height, width = decode_image(data, photo.path.name).shape[:2]
    except OSError as fault:
        return Unexported(photo, f"cannot be read ({fault.strerror or fault})")
    except UnreadableImageError:
        return Unexported(photo, "no whole picture; see `collector doctor`")
    suffix = change.suffix if change else photo.path.suffix.lower()
    return _Prepared(data, suffix, (width, height), hashlib.sha256(read).hexdigest())


def _named(photo: SourcePhoto, made: _Prepared, names: Counter[str]) -> ExportPicture:
    sha256 = hashlib.sha256(made.data).hexdigest()
    folder = "/".join(filter(None, (photo.split, photo.label)))
    stem = f"{folder}/{sha256[:_NAME_DIGITS]}"
    names[stem] += 1
    again = "" if names[stem] == 1 else f"-{names[stem]}"
    digests = frozenset(filter(None, (sha256, made.read, photo.sha256)))
    return ExportPicture(photo, f"{stem}{again}{made.suffix}", made.data, *made.size, digests)
