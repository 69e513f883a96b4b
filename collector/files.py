"""Saved means saved: how a file gets onto the disk so that a crash leaves all of it or nothing."""

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

TEMPORARY_PREFIX = ".saving-"

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NO_EXCLUSIVE_RENAME = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}
_HERE = -100  # AT_FDCWD of Linux: paths are as they stand.
_LIBC = ctypes.CDLL(None, use_errno=True)


def save_new_file(path: Path, data: bytes) -> None:
    """Write `data` to `path`, which must not exist, so that it is whole and on the disk on return.

    An exclusive temporary file beside it is written and synced, linked to its name without
    overwriting, and the folder is synced. A kill at any point leaves no file at `path` or all of
    it, and at most a temporary file, whose name starts with `TEMPORARY_PREFIX`.

    Raises:
        FileExistsError: There is a file at `path`; it is untouched.
        OSError: The disk refused; there is nothing at `path`.
    """
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{path.name}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            _write_all(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.link(temporary, path)
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
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{path.name}")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            if is_flushed:
                os.fsync(file.fileno())
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
    """Tell whether a fault is that no room is left on a disk, or none that one may use."""
    return fault.errno in _NO_ROOM


def move_file(source: Path, target: Path) -> None:
    """Move a file within one file system, at once and without overwriting, and sync both folders.

    Raises:
        FileExistsError: There is a file at `target`; both are untouched.
        OSError: The disk refused; the file is at `source`, or at `target` and not yet synced.
    """
    rename_new(source, target)
    sync_folder(target.parent)
    sync_folder(source.parent)


def rename_new(source: Path, target: Path) -> None:
    """Rename a file in one step; unlike `os.rename`, never over another file.

    Link and unlink would leave the file under both names when killed in between: one photo in two
    classes. Where the system has no such rename (a network share), whether the name is free is
    looked up first.

    Raises:
        FileExistsError: There is a file at `target`; both are untouched.
        OSError: The file is still at `source`.
    """
    fault = _rename_exclusively(os.fsencode(source), os.fsencode(target))
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
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    """`os.write` may write less than it was given, on a nearly full disk for one."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _rename_exclusively(source: bytes, target: bytes) -> int:
    """The system's rename that refuses an existing target: its errno, or 0."""
    if rename := getattr(_LIBC, "renameat2", None):  # Linux; 1 is RENAME_NOREPLACE
        failed = rename(_HERE, source, _HERE, target, 1)
    elif rename := getattr(_LIBC, "renamex_np", None):  # macOS; 4 is RENAME_EXCL
        failed = rename(source, target, 4)
    else:
        return errno.ENOSYS
    return ctypes.get_errno() if failed else 0
