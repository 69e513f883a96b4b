"""One writer at a time: a lock on a folder that the kernel lets go of when its holder dies."""

import errno
import fcntl
import os
import sys
from contextlib import suppress
from pathlib import Path

from maskage.errors import DatasetInUseError, InUseError, PhotoNotSavedError
from maskage.system.faults import explain_fault

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}


def lock_file(handle: int, *, is_shared: bool = False, may_wait: bool = False) -> bool:
    """Lock an open file until it is closed.

    Args:
        handle: The file.
        is_shared: Others may hold such a lock too.
        may_wait: Wait for who holds it, and do not raise.

    Returns:
        False where its disk knows no locks: on some network shares two programs may write at once.

    Raises:
        BlockingIOError: Another process holds it.
        OSError: The disk refused.
    """
    mode = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
    mode |= 0 if may_wait else fcntl.LOCK_NB
    for lock in (fcntl.flock, fcntl.lockf):
        try:
            lock(handle, mode)
        except OSError as fault:
            if fault.errno == errno.EACCES and lock is fcntl.lockf:
                raise BlockingIOError(fault.errno, fault.strerror) from fault
            if fault.errno not in _NO_LOCKS:
                raise
        else:
            return True
    return False


class FolderLock:
    """Held from construction until `close`, or until the process ends, however it ends.

    Args:
        path: The file that is locked; made where it is missing, in a folder that is there.

    Raises:
        InUseError: Another process holds it; the message names that process.
    """

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            lock_file(self._handle)
        except BlockingIOError as fault:
            holder = os.pread(self._handle, 200, 0).decode(errors="replace").strip()
            os.close(self._handle)
            raise InUseError(holder or "just starting") from fault
        try:
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, _name_holder().encode(), 0)
        except OSError:
            # Else a full disk would keep the folder locked, and nobody would hold the handle.
            self.close()
            raise

    def close(self) -> None:
        """Let go. May be called twice."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            # The kernel lets the lock go even where the disk has a fault to report.
            with suppress(OSError):
                os.close(handle)


def _name_holder() -> str:
    return f"{Path(sys.argv[0]).name}, process {os.getpid()}"


def lock_dataset(root: Path) -> FolderLock:
    """Keep other writers from a dataset.

    Raises:
        DatasetInUseError: Another process holds it; the message names it.
        PhotoNotSavedError: The dataset cannot be written.
    """
    path = root / ".dataset" / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return FolderLock(path)
    except OSError as fault:
        raise PhotoNotSavedError(
            f"{root}: the dataset cannot be opened for writing {explain_fault(fault)} Or "
            f"work on a copy of it. Nothing was changed."
        ) from fault
    except InUseError as fault:
        if str(fault) == _name_holder():
            raise DatasetInUseError(
                f"{root}: another part of this program is writing to this dataset ({fault}). Try "
                f"again when it has finished."
            ) from fault
        raise DatasetInUseError(
            f"{root}: another program is writing to this dataset ({fault}). Quit it first, or "
            f"choose another folder."
        ) from fault
