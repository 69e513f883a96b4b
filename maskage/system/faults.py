"""Messages for what the operating system refuses: what was wrong, where, what to do next."""

import errno
import os
from collections.abc import Mapping

_NO_ROOM = "no room is left on the disk ({path}). Make room and run the command again."
_FORBIDDEN = (
    "{path}: you may not read or write it ({reason}). Choose another place, or have it opened to "
    "you (`ls -ld` shows to whom it is), and run the command again."
)
_GONE = (
    "{path}: the disk or network share does not answer any more ({reason}). Connect it and run the "
    "command again."
)
_TOO_MANY = (
    "too many files are open ({reason}; the last was {path}). Close other programs, or raise the "
    "limit with `ulimit -n 4096`, and run the command again."
)

_WORDS: Mapping[int, str] = {
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: _NO_ROOM,
    errno.EROFS: "{path}: it cannot be written, because its disk or folder is read-only. Choose "
    "another place, or make it writable, and run the command again.",
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EIO: "{path}: the disk reports a fault ({reason}). Copy what you need from this disk, "
    "check it, and run the command again.",
    errno.ENAMETOOLONG: "{path}: the name is too long for this disk. Choose a shorter one.",
    errno.ENOTDIR: "{path}: a part of this path is a file, not a folder. Check the path.",
    errno.EISDIR: "{path}: this is a folder, and a file is needed. Name a file.",
    errno.ELOOP: "{path}: its links lead in a circle. Remove one of them, or name another path.",
    errno.EMFILE: _TOO_MANY,
    errno.ENFILE: _TOO_MANY,
    errno.ENOENT: "{path}: there is no such file or folder, or there is none any more. Check the "
    "path and run the command again.",
    errno.EEXIST: "{path}: there is something of this name already. Move it, or choose another "
    "name.",
    errno.ENOTEMPTY: "{path}: this folder is not empty. Empty it, or choose another name.",
    errno.EBUSY: "{path}: it is in use ({reason}). End the program that uses it and run the "
    "command again.",
    errno.ENOMEM: "the memory is full ({path}). Close other programs and run the command again.",
    errno.ESTALE: _GONE,
    errno.ENXIO: _GONE,
    errno.ENODEV: _GONE,
    errno.ETIMEDOUT: _GONE,
}
_ANY = "the disk refused. Check the disk or network share, and run the command again."
_CIRCLE = "Symlink loop from "
_LONGEST = 200
"""Characters of a path that are shown: the end of a name that is too long tells nothing."""


def describe_system_fault(fault: Exception) -> str | None:
    """Return what to tell a user of a fault that is the system's; None where it may be ours."""
    # `Path.resolve` says so of a circle, before Python 3.13.
    if isinstance(fault, RuntimeError) and str(fault).startswith(_CIRCLE):
        fault = OSError(errno.ELOOP, "", str(fault).removeprefix(_CIRCLE).strip("' "))
    if not isinstance(fault, OSError):
        return None
    words = _WORDS.get(fault.errno or 0)
    if words is None:
        return None
    return words.format(path=_name(fault), reason=fault.strerror or os.strerror(fault.errno or 0))


def explain_fault(fault: OSError) -> str:
    """Return the reason of a fault and what to do: "(Permission denied). Choose another place."."""
    advice = _WORDS.get(fault.errno or 0, _ANY).partition(". ")[2]
    return f"({fault.strerror or fault}). {advice}"


def _name(fault: OSError) -> str:
    named = fault.filename if fault.filename is not None else fault.filename2
    if named is None and fault.errno == errno.ENOENT:
        return "the folder that the command was started in"
    if named is None:
        # A write or read tells no name; it was a file of ours, or what stdout goes to.
        return "a file of this command"
    name = os.fsdecode(named) if isinstance(named, str | bytes) else str(named)
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
