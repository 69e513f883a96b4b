"""Saved means saved: how a file gets onto the disk so that a crash leaves all of it or nothing.

And private means private: what shows a person is for nobody else on this machine to read.
"""

import ctypes
import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

TEMPORARY_PREFIX = ".saving-"

OTHERS = 0o077
"""Every permission of anybody but the owner."""

_users_umask = -1

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
# What Linux says of exFAT and FAT is EPERM, and of some network shares the others.
_NO_LINKS = {
    errno.EPERM,
    errno.EACCES,
    errno.EINVAL,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.EMLINK,
    errno.EXDEV,
}
# Where a refusal is meant, the plain rename that follows is refused too.
_NO_EXCLUSIVE_RENAME = {
    errno.EPERM,
    errno.EACCES,
    errno.EINVAL,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
}
# A network share or a file system in user space that syncs by itself, or never.
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF}
LONGEST_NAME = 255
"""Bytes in the name of a file, on nearly every disk."""
_HERE = -100  # AT_FDCWD of Linux: paths are as they stand.
_LIBC = ctypes.CDLL(None, use_errno=True)


class _RenameMode(NamedTuple):
    """A flag of Linux's `renameat2` and that of macOS' `renamex_np`."""

    linux: int
    macos: int


_NO_REPLACE = _RenameMode(linux=1, macos=4)
_EXCHANGE = _RenameMode(linux=2, macos=2)


def make_all_private() -> None:
    """Make every file and folder that this process and its workers create 0600 and 0700."""
    global _users_umask
    umask = os.umask(OTHERS)
    if umask != OTHERS:
        _users_umask = umask


def users_umask() -> int:
    """Return the umask that the user's own programs are started with, for `subprocess.Popen`.

    It is -1, which leaves it as it is, where `make_all_private` changed nothing.
    """
    return _users_umask


def make_private(path: Path) -> None:
    """Take every permission of others off a file or folder that this toolchain made.

    Where the file system knows no permissions, or the file is another user's, it stays as it is.
    What is no file and no folder (a pipe, a terminal, a device) and what is missing stay so too.
    """
    with suppress(OSError):
        mode = path.stat().st_mode
        if (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and mode & OTHERS:
            path.chmod(stat.S_IMODE(mode) & ~OTHERS)


def keeps_permissions(folder: Path) -> bool:
    """Return whether the file system of a folder knows who may read a file: exFAT does not.

    A file without a name is made to find out. Where none can be made, it is taken to know.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            return not os.fstat(file.fileno()).st_mode & OTHERS
    except OSError:
        return True


def open_private(path: Path) -> TextIO:
    """Open a text file for writing, in UTF-8, that nobody else may read.

    A file that is there already is overwritten, and closed to others before anything is in it.

    Raises:
        OSError: It cannot be opened.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    make_private(path)
    return os.fdopen(handle, "w", encoding="utf-8", newline="")


def write_private(path: Path, content: str | bytes) -> None:
    """Write a whole file, text in UTF-8, as `open_private` does.

    Raises:
        OSError: It cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    make_private(path)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def save_new_file(path: Path, data: bytes) -> None:
    """Write `data` to `path`, which must not exist, so that it is whole and on the disk on return.

    An exclusive temporary file beside it is written and synced, linked to its name without
    overwriting (or renamed, where the file system knows no second name), and the folder is synced.
    A kill at any point leaves no file at `path` or all of it, and at most a temporary file, whose
    name starts with `TEMPORARY_PREFIX`.

    Raises:
        FileExistsError: There is a file at `path`; it is untouched.
        OSError: The disk refused; there is nothing at `path`.
    """
    temporary = temporary_of(path, f"{os.getpid()}-")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            _write_all(handle, data)
            _sync(handle)
        finally:
            os.close(handle)
        _give_name(temporary, path)
    finally:
        # A second name that stays behind is no fault of the photo: `doctor` removes it.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    try:
        sync_folder(path.parent)
    except OSError:
        # Unsynced means that a power cut may still take the name away: not saved, so not kept.
        path.unlink(missing_ok=True)
        raise


def _give_name(temporary: Path, path: Path) -> None:
    """Give a file its name, never over another file; maybe the temporary one stays beside it."""
    try:
        os.link(temporary, path)
    except OSError as fault:
        if fault.errno not in _NO_LINKS:
            raise
        rename_new(temporary, path)


def give_second_name(path: Path, second: Path) -> None:
    """Give a file one more name, never that of another file; where it can have but one, copy it.

    Raises:
        FileExistsError: There is a file at `second`.
        OSError: The disk refused.
    """
    try:
        os.link(path, second)
    except OSError as fault:
        if fault.errno not in _NO_LINKS:
            raise
        save_new_file(second, path.read_bytes())


@contextmanager
def open_replacement(path: Path, *, is_flushed: bool = True) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` when it is written whole.

    It is written under another name beside `path`. Where that fails, a full disk among the causes,
    the file that was at `path` stays as it was and nothing is left of the new one.

    Args:
        path: The file to replace, or to make.
        is_flushed: Whether it outlives the loss of power once this returns, and not only that of
            the process.

    Raises:
        OSError: The disk refused; `path` is named in it.
    """
    temporary = temporary_of(path)
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            if is_flushed:
                _sync(file.fileno())
        temporary.replace(path)
        if is_flushed:
            sync_folder(path.parent)
    except BaseException as fault:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        # A write that fails names no file.
        if isinstance(fault, OSError) and fault.filename is None:
            fault.filename = str(path)
        raise


def replace_file(path: Path, data: bytes) -> None:
    """Write `data` in the place of `path`, whole and on the disk; see `open_replacement`."""
    with open_replacement(path) as file:
        file.write(data)


def is_disk_full(fault: OSError) -> bool:
    """Return whether a fault says that the disk, or the share of it one may use, is full."""
    return fault.errno in _NO_ROOM


def rename_new(source: Path, target: Path) -> None:
    """Rename a file in one step; unlike `os.rename`, never over another file.

    Link and unlink would leave the file under both names when killed in between: one photo in two
    classes. Where the system has no such rename (a network share), whether the name is free is
    looked up first.

    Raises:
        FileExistsError: There is a file at `target`; both are untouched.
        OSError: The file is still at `source`.
    """
    fault = _rename_with(_NO_REPLACE, source, target)
    if fault in _NO_EXCLUSIVE_RENAME:
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        source.rename(target)
    elif fault:
        raise OSError(fault, os.strerror(fault), str(source), None, str(target))


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` as durable as the files behind them."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _sync(handle)
    finally:
        os.close(handle)


def temporary_of(path: Path, mark: str = "") -> Path:
    """Return the name under which `path` is written before it is whole; it is never too long.

    Args:
        path: The file that is made.
        mark: What tells this writer from others.
    """
    name = f"{TEMPORARY_PREFIX}{mark}{path.name}"
    if len(os.fsencode(name)) > LONGEST_NAME:
        digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()
        name = f"{TEMPORARY_PREFIX}{mark}{digest}"
    return path.with_name(name)


def with_mark(path: Path, mark: str) -> Path:
    """Return the path with a mark after its stem, which is cut where the name would be too long."""
    end = os.fsencode(f"{mark}{path.suffix}")
    stem = os.fsencode(path.stem)[: LONGEST_NAME - len(end)]
    # The part of a letter that is left at the cut would be no UTF-8.
    while stem and not _is_whole(stem) and _is_whole(os.fsencode(path.stem)):
        stem = stem[:-1]
    return path.with_name(os.fsdecode(stem + end))


def _is_whole(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _sync(handle: int) -> None:
    """Put a file or folder on the disk, where its file system can be asked to."""
    try:
        os.fsync(handle)
    except OSError as fault:
        if fault.errno not in _NO_SYNC:
            raise


def _write_all(handle: int, data: bytes) -> None:
    """`os.write` may write less than it was given, on a nearly full disk for one."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def exchange_names(one: Path, other: Path) -> bool:
    """Exchange two names in one step; return False where system or file system cannot."""
    return _rename_with(_EXCHANGE, one, other) == 0


def _rename_with(mode: _RenameMode, source: Path, target: Path) -> int:
    """Call the system's rename that takes a mode; return its errno, or 0."""
    names = os.fsencode(source), os.fsencode(target)
    if rename := getattr(_LIBC, "renameat2", None):
        failed = rename(_HERE, names[0], _HERE, names[1], mode.linux)
    elif rename := getattr(_LIBC, "renamex_np", None):
        failed = rename(*names, mode.macos)
    else:
        return errno.ENOSYS
    return ctypes.get_errno() if failed else 0
