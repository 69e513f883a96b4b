"""What a file is: a picture, a video, another program's data. By content where its name is no help.

Names decide wherever they can, as a folder may hold 100,000 files; only a file whose suffix says
nothing is opened.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

HEAD_BYTES = 64
"""Bytes at the start of a file that say what it is."""

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".dib"}
    | {".tif", ".tiff", ".gif", ".avif", ".heic", ".heif", ".hif"}
)
"""Suffixes of pictures that are read."""

PICTURE_FORMATS = "JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF"
"""The formats that are read, for messages."""

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mjpeg", ".mpg", ".mpeg", ".wmv", ".3gp"}
    | {".mts", ".m2ts", ".flv", ".ogv"}
)

OTHER_SUFFIXES = frozenset(
    {".jxl", ".jp2", ".j2k", ".jpx", ".jxr", ".psd", ".xcf", ".svg", ".eps", ".ai", ".ico", ".tga"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".exr", ".hdr", ".dng", ".cr2", ".cr3", ".crw", ".nef"}
    | {".nrw", ".arw", ".sr2", ".srf", ".orf", ".rw2", ".raf", ".pef", ".srw", ".x3f", ".3fr"}
    | {".raw", ".rwl", ".iiq", ".erf", ".mrw"}
)
"""Suffixes of photos that are not read."""

_DATA_SUFFIXES = frozenset(
    {".txt", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".xml", ".yaml", ".yml", ".toml"}
    | {".md", ".rst", ".html", ".htm", ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ini", ".log"}
    | {".py", ".ipynb", ".sh", ".bat", ".m", ".npy", ".npz", ".mat", ".pkl", ".h5", ".parquet"}
    | {".db", ".sqlite", ".zip", ".tar", ".gz", ".7z", ".rar", ".exe", ".onnx", ".pt", ".aae"}
    | {".xmp", ".thm", ".pts", ".lock", ".tmp", ".part", ".crdownload", ".mp3", ".wav", ".m4a"}
)
"""Suffixes of files that lie beside photos: such a file is not opened to see what it is."""

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
_ANY_CODEC = (b"mif1", b"msf1", b"mif2")
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "HEIF"),
    **dict.fromkeys(_ANY_CODEC, "HEIF"),
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


def has_unread_name(name: str) -> bool:
    """Return whether a file's name is that of a photo in a format that is not read, or a video."""
    suffix = name[name.rfind(".") :].lower()
    return (suffix in OTHER_SUFFIXES or suffix in VIDEO_SUFFIXES) and not name.startswith(".")


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

    Source: ISO/IEC 14496-12, 4.3 for the brands of AVIF and HEIF, of which one must be known.
    """
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        return _sniff_brands(head)
    # "BM" is a short mark: what follows in a bitmap are its size, two zeros and an offset.
    if head[:2] == b"BM" and head[6:10] == bytes(4) and len(head) >= 14:
        return "BMP"
    return None


def is_picture_file(path: Path) -> bool:
    """Return whether a file is a picture by its name, or by its content where the name is no help.

    A hidden file is none, nor is one that cannot be opened.
    """
    name = path.name
    if has_picture_name(name):
        return True
    return may_be_picture(name) and _starts_as_picture(path)


def may_be_picture(name: str) -> bool:
    """Return whether only the content of a file with this name says if it is a picture."""
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    known = PICTURE_SUFFIXES, VIDEO_SUFFIXES, OTHER_SUFFIXES, _DATA_SUFFIXES
    return not name.startswith(".") and not any(suffix in each for each in known)


def walk_pictures(root: Path) -> Iterator[Path]:
    """Yield the picture files in and below a folder; hidden and system folders are passed over.

    Args:
        root: The folder; a link is followed here, but not below.
    """
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not is_system_name(name)
        )
        for name in sorted(names):
            path = Path(folder, name)
            if is_picture_file(path):
                yield path


def _sniff_brands(head: bytes) -> str | None:
    """Return the format by the brands that a file names: its own, then those it is like."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
    # Those of any codec say least.
    brands.sort(key=lambda brand: brand in _ANY_CODEC)
    return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)


def _starts_as_picture(path: Path) -> bool:
    try:
        if not path.is_file():  # opening a pipe would wait for its other end
            return False
        with path.open("rb", buffering=0) as file:
            return sniff_picture(_read_head(file)) is not None
    except OSError:
        return False


def _read_head(file: BinaryIO) -> bytes:
    return file.read(HEAD_BYTES) or b""
