"""What a file is: a picture, a video, another program's data. By content where its name is no help.

Names decide wherever they can, as a folder may hold 100,000 files; only a file whose suffix says
nothing is opened.
"""

from pathlib import Path
from typing import BinaryIO

from maskage.pictures.images import PICTURE_SUFFIXES, VIDEO_SUFFIXES

HEAD_BYTES = 32
"""Bytes at the start of a file that say what it is."""

OTHER_SUFFIXES = frozenset(
    {".jxl", ".jp2", ".psd", ".svg", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"}
)
"""Suffixes of photos that are not read."""

_STARTS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "HEIF"),
}
_SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini", "ehthumbs.db", ".picasa.ini"})
_SYSTEM_FOLDERS = frozenset(
    {"@eadir", "#recycle", "#snapshot", ".@__thumb", "__macosx", ".appledouble", ".thumbnails"}
    | {"$recycle.bin", "system volume information", "lost+found", ".spotlight-v100", ".fseventsd"}
    | {".trashes"}
)


def has_picture_name(name: str) -> bool:
    """Return whether a file's name is that of a picture; those of hidden files are not."""
    return name[name.rfind(".") :].lower() in PICTURE_SUFFIXES and not name.startswith(".")


def is_system_name(name: str) -> bool:
    """Return True for a file or folder that a file manager or a network disk leaves behind.

    These hold thumbnails and notes of theirs, which are nobody's photos.
    """
    lowered = name.lower()
    return lowered in _SYSTEM_FILES or lowered in _SYSTEM_FOLDERS or name.startswith("._")


def sniff_picture(head: bytes) -> str | None:
    """Return the format of a picture by the first `HEAD_BYTES` of its file; None for anything else.

    Returns:
        "JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "AVIF" or "HEIF".
    """
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    # "BM" is a short mark: what follows in a bitmap are its size, two zeros and an offset.
    if head[:2] == b"BM" and head[6:10] == bytes(4) and len(head) >= 14:
        return "BMP"
    return None


def is_picture_file(path: Path) -> bool:
    """Return whether a file is a picture by its name, or by its content where the name is no help.

    A hidden file is none, nor is one that cannot be opened.
    """
    if path.name.startswith("."):
        return False
    suffix = path.suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return True
    if suffix in VIDEO_SUFFIXES or suffix in OTHER_SUFFIXES:
        return False
    try:
        if not path.is_file():  # opening a pipe would wait for its other end
            return False
        with path.open("rb", buffering=0) as file:
            return sniff_picture(_read_head(file)) is not None
    except OSError:
        return False


def _read_head(file: BinaryIO) -> bytes:
    return file.read(HEAD_BYTES) or b""
