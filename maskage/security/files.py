"""Read files that a stranger may have made: check the size first, and read the bytes once.

The bytes that are checked are the bytes that are used: a file that is checked and then opened again
by its name may have been replaced meanwhile.
"""

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any, NoReturn


class UnsafeFileError(Exception):
    """The reason why a file must not be used, as half a sentence for the caller's message."""


def read_regular_file(path: Path, largest: int) -> bytes:
    """Read a whole regular file.

    Args:
        path: Path of the file. A symbolic link, a pipe, a device or a folder is refused unread.
        largest: Largest accepted size, bytes.

    Raises:
        UnsafeFileError: The file is missing, too large or not a regular file.
    """
    # Without O_NONBLOCK, opening a pipe that took the file's place would wait.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise UnsafeFileError("it is not a regular file")
        with os.fdopen(os.open(path, flags), "rb") as file:
            size = _regular_size(file.fileno())
            if size > largest:
                raise UnsafeFileError(
                    f"it has {size:,} bytes, and at most {largest:,} are accepted"
                )
            data = file.read(largest + 1)
    except FileNotFoundError as fault:
        raise UnsafeFileError("it is missing") from fault
    except (OSError, ValueError) as fault:
        raise UnsafeFileError(f"it cannot be read ({fault})") from fault
    if len(data) > largest:
        raise UnsafeFileError(f"it grew beyond {largest:,} bytes while it was read")
    return data


def read_known_file(path: Path, sha256: str, size: int) -> bytes:
    """Read a file whose digest and size are known.

    Args:
        path: Path of the file.
        sha256: Expected digest, 64 hex digits.
        size: Expected size, bytes.

    Raises:
        UnsafeFileError: The file is missing or different.
    """
    try:
        data = read_regular_file(path, size)
    except UnsafeFileError:
        found = path.lstat().st_size if path.is_file() and not path.is_symlink() else None
        if found is None or found == size:
            raise
        raise UnsafeFileError(f"it has {found:,} bytes, and {size:,} were written") from None
    if len(data) != size:
        raise UnsafeFileError(f"it has {len(data):,} bytes, and {size:,} were written")
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UnsafeFileError("it was changed (its sha256 differs)")
    return data


def parse_strict_json(data: bytes) -> Any:
    """Parse JSON that every reader understands in the same way.

    Raises:
        UnsafeFileError: It is not JSON, has a key twice, or holds NaN, Infinity or a number that is
            too large for a float.
    """
    try:
        return json.loads(
            data.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_without_twins,
        )
    # A number of thousands of digits raises a ValueError too.
    except (ValueError, RecursionError) as fault:
        raise UnsafeFileError("it is not JSON") from fault


def _regular_size(descriptor: int) -> int:
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        raise UnsafeFileError("it is not a regular file")
    return facts.st_size


def _refuse_constant(name: str) -> NoReturn:
    raise UnsafeFileError(f"it holds {name}, which is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise UnsafeFileError(f"it holds {text[:20]}, which is too large for a float")
    return value


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnsafeFileError("it has a key twice")
    return found
