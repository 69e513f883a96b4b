"""Unpack a ZIP archive that a stranger made.

Nothing is written outside the folder that is named; what an archive says of its sizes is not
trusted, and one that would grow beyond all measure, as a bomb does, is refused.
"""

import os
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage

from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.outside_text import shown_text
from maskage.system.files import is_disk_full

MOST_ENTRIES = 2_000_000
MOST_BYTES = 1 << 40
MOST_RATIO = 100
"""Most bytes that a packed byte may become. Photos hardly shrink at all; bombs reach 1,000."""
RATIO_FROM = 16 << 20
"""Size, bytes, from which that is checked: a small file of one colour is no bomb."""
_SPARE = 512 << 20
"""Bytes of the disk that are left free."""
_PIECE = 1 << 20
_ENCRYPTED = 0x1
_UTF8 = 0x800
_START = (b"PK\x03\x04", b"PK\x05\x06")

_OTHERS = (
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x"),
    (0, b"Rar!\x1a\x07", "a RAR archive", "unrar x"),
    (0, b"\x1f\x8b", "a gzip archive", "tar xf"),
    (0, b"BZh", "a bzip2 archive", "tar xf"),
    (0, b"\xfd7zXZ\0", "an xz archive", "tar xf"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive", "tar xf"),
    (257, b"ustar", "a tar archive", "tar xf"),
)
_HEAD = 264


@dataclass(frozen=True)
class Skipped:
    """An entry of an archive that was not unpacked.

    Attributes:
        name: Its path in the archive.
        reason: Why.
    """

    name: str
    reason: str


def is_zip(path: Path) -> bool:
    """Return whether a file begins as a ZIP archive does."""
    return _head_of(path).startswith(_START)


def find_other_archive(path: Path) -> tuple[str, str] | None:
    """Return what kind of archive a file is that is not unpacked here, and the command for it.

    None for a file that is no archive, and for ZIP.
    """
    head = _head_of(path)
    found = (each[2:] for each in _OTHERS if head[each[0] :].startswith(each[1]))
    return next(found, None)


def unpack_zip(archive: Path, folder: Path) -> list[Skipped]:
    """Unpack a ZIP archive into an empty folder.

    Args:
        archive: The file.
        folder: The folder, which exists.

    Returns:
        The entries that are damaged, or cannot be files here.

    Raises:
        DatasetError: It is no whole ZIP archive, is encrypted, holds links, names places outside
            of it, or is a bomb. What was written so far is for the caller to remove.
        EnvironmentProblemError: The disk has no room for it.
    """
    try:
        with closing(zipfile.ZipFile(archive)) as packed:
            entries = [(entry, _name_of(entry)) for entry in packed.infolist()]
            _require_safe(archive, entries)
            _require_room(archive, folder, sum(entry.file_size for entry, _ in entries))
            return list(_unpack_all(packed, archive, folder, entries))
    except zipfile.BadZipFile as fault:
        raise DatasetError(
            f"{archive}: not a whole ZIP archive ({fault}). Copy or download it again. Nothing was "
            f"imported."
        ) from fault


def _unpack_all(
    packed: zipfile.ZipFile,
    archive: Path,
    folder: Path,
    entries: list[tuple[zipfile.ZipInfo, str]],
) -> Iterator[Skipped]:
    written = 0
    for entry, name in entries:
        if not name or entry.is_dir():
            continue
        target = folder / name
        with _reasons() as reasons:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            written += _unpack_one(packed, entry, target, archive, written)
        if reasons:
            yield Skipped(name, reasons[0])


@contextmanager
def _reasons() -> Iterator[list[str]]:
    """Collect why an entry cannot be unpacked, in words; a full disk is an error of the whole."""
    reasons: list[str] = []
    try:
        yield reasons
    except (zipfile.BadZipFile, zlib.error, EOFError):
        reasons.append("damaged in the archive; copy or download it again")
    except (NotImplementedError, RuntimeError):
        reasons.append("packed in a way that is not read here; unpack the archive first")
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        reasons.append("a second file of this name in the archive")
    except OSError as fault:
        if is_disk_full(fault):
            raise
        reasons.append(f"cannot be a file on this disk ({fault.strerror})")


def _unpack_one(
    packed: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, archive: Path, before: int
) -> int:
    """Write one entry to a new file and return its size; a damaged one leaves no file."""
    size = 0
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file, packed.open(entry) as source:
            while piece := source.read(_PIECE):
                size += len(piece)
                is_bomb = size > RATIO_FROM and size > MOST_RATIO * max(1, entry.compress_size)
                if is_bomb or before + size > MOST_BYTES:
                    raise _bomb(archive, entry.filename)
                file.write(piece)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return size


def _require_safe(archive: Path, entries: list[tuple[zipfile.ZipInfo, str]]) -> None:
    """Refuse an archive as a whole for one entry that no honest program writes."""
    if len(entries) > MOST_ENTRIES:
        raise DatasetError(
            f"{archive}: {len(entries):,} files in one archive; at most {MOST_ENTRIES:,} are "
            f"unpacked. Unpack it yourself and import the folder. Nothing was imported."
        )
    if sum(entry.compress_size for entry, _ in entries) > archive.stat().st_size:
        raise _bomb(archive, entries[0][1])
    for entry, name in entries:
        if (fault := _fault_of(entry, name)) is not None:
            raise DatasetError(
                f"{archive}: {shown_text(name)}: {fault}. Unpack it with a program that you trust, "
                f"look at what is in it, and import the folder. Nothing was imported."
            )


def _fault_of(entry: zipfile.ZipInfo, name: str) -> str | None:
    if entry.flag_bits & _ENCRYPTED:
        return "it is encrypted, and no password is asked for here"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "it is a link, which an archive may not bring"
    if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
        return "it would be written outside of the folder"
    if entry.file_size > RATIO_FROM and entry.file_size > MOST_RATIO * max(1, entry.compress_size):
        return f"it would grow to {entry.file_size:,} bytes, as the files of a ZIP bomb do"
    return None


def _require_room(archive: Path, folder: Path, size: int) -> None:
    free = disk_usage(folder).free
    if size > MOST_BYTES:
        raise _bomb(archive, archive.name)
    if size > free - _SPARE:
        raise EnvironmentProblemError(
            f"{archive}: it needs {size / 1e9:.1f} GB, and {folder.parent} has "
            f"{free / 1e9:.1f} GB. Make room, or unpack it on another disk and import the folder. "
            f"Nothing was imported."
        )


def _bomb(archive: Path, name: str) -> DatasetError:
    return DatasetError(
        f"{archive}: {shown_text(name)} would grow beyond all measure, as the files of a ZIP bomb "
        f"do. If you trust it, unpack it yourself and import the folder. Nothing was imported."
    )


def _name_of(entry: zipfile.ZipInfo) -> str:
    """Return the path of an entry with "/"; UTF-8 too where the archive does not say that it is."""
    name = entry.filename
    if not entry.flag_bits & _UTF8 and not name.isascii():
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:  # the letters of the first PCs, as ZIP says, or those of Windows
            name = _spelled_in_letters(entry.filename)
    return name.replace("\\", "/").removeprefix("./")


def _spelled_in_letters(name: str) -> str:
    """Return a name of the first PCs, or as Windows wrote it where only that is a word."""
    if _is_word(name):
        return name
    try:
        windows = name.encode("cp437").decode("cp1252")
    except UnicodeError:
        return name
    return windows if _is_word(windows) else name


def _is_word(name: str) -> bool:
    """Return whether all letters are Latin: "Θ" and "∩" are "é" and "ï" of Windows."""
    others = [letter for letter in name if not letter.isascii()]
    return all(unicodedata.name(each, "").startswith("LATIN") for each in others)


def _head_of(path: Path) -> bytes:
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""
