"""Search of pages, tables and lists for photos that they show or name; nothing is changed."""

import base64
import binascii
import csv
import hashlib
import html
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from maskage.dataset.privacy.sought_photos import SoughtPhotos, is_one_photos_name
from maskage.errors import UnreadableImageError
from maskage.pictures.images import decode_image
from maskage.pictures.perceptual_hash import hash_crop

PAGES = frozenset({".html", ".htm"})
TEXTS = frozenset(
    {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt", ".md", ".yaml", ".yml", ".log"}
)
LARGEST_BYTES = 1 << 28
"""The largest file that is read; pages of this toolchain have a few megabytes."""

_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|bmp|tiff?)\b", re.IGNORECASE)
_EMBEDDED = re.compile(rb"data:image/[a-z.+-]+;base64,([A-Za-z0-9+/=\s]+)")
_BETWEEN = {"page": re.compile(r"[<>\"\n]+"), "text": re.compile(r"[\n\r\t\"',|<>]+")}
_WORDS = re.compile(r"[\s()=:;`]+")


@dataclass
class Mentions:
    """Mentions of a person in a file.

    Attributes:
        photos: Names of photos that no other photo can have.
        maybe: Names that other photos may have too.
        pictures: sha256 of each picture in the file that shows one of the photos.
        is_named: True if a cell or word of the file is the person's pseudonym or session.
        is_unread: True if the file is too large to be read.
    """

    photos: set[str] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)
    pictures: frozenset[str] = frozenset()
    is_named: bool = False
    is_unread: bool = False

    def __bool__(self) -> bool:
        found = self.photos or self.maybe or self.pictures or self.is_named or self.is_unread
        return bool(found)

    @property
    def is_certain(self) -> bool:
        """True if what was found can only be the person's."""
        return bool(self.photos or self.pictures)


def find_mentions(path: Path, sought: SoughtPhotos) -> Mentions:
    """Read a file and return its mentions of the photos; none if it is unreadable."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return Mentions(is_unread=True)
        data = path.read_bytes()
    except OSError:
        return Mentions()
    found = Mentions()
    kind = ".html" if b"<html" in data[:200].lower() else path.suffix.lower()
    if kind in PAGES:
        found.pictures = frozenset(_matching_pictures(data, sought))
        data = _EMBEDDED.sub(b"", data)
    for text in set(_strings(kind, data.decode("utf-8", "surrogateescape"))):
        _count(text, sought, found)
    return found


def _matching_pictures(data: bytes, sought: SoughtPhotos) -> Iterator[str]:
    for match in _EMBEDDED.finditer(data):
        try:
            picture = base64.b64decode(b"".join(match[1].split()), validate=True)
        except binascii.Error:
            continue
        digest = hashlib.sha256(picture).hexdigest()
        if digest in sought.embedded or digest in sought.digests or _looks_like(picture, sought):
            yield digest


def _looks_like(picture: bytes, sought: SoughtPhotos) -> bool:
    if not sought.fingerprints:
        return False
    try:
        return sought.looks_like(hash_crop(decode_image(picture)))
    except UnreadableImageError:
        return False


def _strings(kind: str, text: str) -> Iterator[str]:
    """Yield the pieces of a text between its markup: cells, attributes, strings."""
    if kind == ".csv":
        try:
            for row in csv.reader(io.StringIO(text, newline="")):
                yield from row
            return
        except csv.Error:
            pass
    is_page = kind in PAGES
    for piece in _BETWEEN["page" if is_page else "text"].split(text):
        if is_page:
            yield html.unescape(piece)
        else:
            yield _without_escapes(piece) if "\\" in piece else piece


def _without_escapes(piece: str) -> str:
    try:
        return str(json.loads(f'"{piece}"'))
    except ValueError:
        return piece


def _count(text: str, sought: SoughtPhotos, found: Mentions) -> None:
    text = text.strip()
    if text in sought.words:
        found.is_named = True
    if _PICTURE.search(text) is None:
        return
    for word in dict.fromkeys((text, *_WORDS.split(text))):
        name = word.rpartition("/")[2]
        if not sought.has_path(word) and not sought.has_name(name):
            continue
        if is_one_photos_name(name):
            found.photos.add(name)
        else:
            found.maybe.add(name)
        return
