"""The pictures of snapshots, by content: each is kept once, however many snapshots hold it.

    .dataset/snapshots/objects/ab/cdef...    the file whose sha256 is abcdef...

A picture takes no room of its own while its photo is in the dataset: the disk shares its blocks
(a reflink: Btrfs, XFS, APFS), or the file has a second name (a hard link). On a disk that can do
neither it is copied. A program that writes into a photo's file in place, instead of replacing it,
changes a second name too: `is_copying` keeps a copy of its own.
"""

import errno
import fcntl
import os
from collections.abc import Container, Iterator
from contextlib import suppress
from pathlib import Path

from maskage.formats.sums import hash_file
from maskage.system.files import TEMPORARY_PREFIX, give_second_name, replace_file, sync_folder

_CLONE = 0x40049409
"""FICLONE of Linux' `ioctl_ficlonerange(2)`: share the blocks of another file."""


class ObjectStore:
    """The pictures of all snapshots of a dataset.

    Args:
        folder: Its folder; made when the first picture is kept.
        is_copying: Pictures get no second name, through which a program could change them.
    """

    def __init__(self, folder: Path, *, is_copying: bool = False) -> None:
        self._folder, self._is_copying = folder, is_copying

    def path_of(self, digest: str) -> Path:
        """Return where the picture with this sha256 lies, or would."""
        return self._folder / digest[:2] / digest[2:]

    def keep(self, file: Path, digest: str) -> None:
        """Keep a file's content under its digest, unless it is there.

        Raises:
            OSError: The disk refused.
        """
        target = self.path_of(digest)
        if target.exists():
            if self._is_copying and file.samefile(target):
                if not _clone(file, target):
                    replace_file(target, file.read_bytes())
                return
            if file.samefile(target) or hash_file(target) == digest:
                return
            target.unlink()  # it was changed in place, through its second name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if _clone(file, target):
            return
        if self._is_copying:
            replace_file(target, file.read_bytes())
        else:
            give_second_name(file, target)

    def sync(self) -> None:
        """Make the names of all pictures durable.

        Raises:
            OSError: The disk refused.
        """
        for folder in [self._folder, *self._folder.glob("??")]:
            if folder.is_dir():
                sync_folder(folder)

    def read(self, digest: str) -> bytes | None:
        """Return the picture with this sha256; None where it is gone or was changed."""
        path = self.path_of(digest)
        try:
            return path.read_bytes() if hash_file(path) == digest else None
        except OSError:
            return None

    def digests(self) -> Iterator[str]:
        """Yield the digest of every picture that is kept, sorted."""
        for path in sorted(self._folder.glob("??/*")):
            if not path.name.startswith(TEMPORARY_PREFIX):
                yield path.parent.name + path.name

    def remove_unused(self, used: Container[str]) -> int:
        """Remove the pictures that no snapshot holds; return how many.

        Raises:
            OSError: The disk refused.
        """
        for left in self._folder.glob(f"??/{TEMPORARY_PREFIX}*"):
            left.unlink()
        unused = [digest for digest in self.digests() if digest not in used]
        for digest in unused:
            self.path_of(digest).unlink()
        for folder in {self.path_of(digest).parent for digest in unused}:
            with suppress(OSError):
                folder.rmdir()
        if unused:
            sync_folder(self._folder)
        return len(unused)


def _clone(file: Path, target: Path) -> bool:
    """Make `target` share the blocks of `file`; return False where the disk cannot."""
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with file.open("rb") as source:
                fcntl.ioctl(handle, _CLONE, source.fileno())
            os.fsync(handle)
        finally:
            os.close(handle)
        temporary.rename(target)
    except OSError as fault:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO):
            raise
        return False
    return True
