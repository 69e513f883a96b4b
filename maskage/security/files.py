"""Reading files that somebody else may have made: their size first, their bytes once.

What is checked is what is used: a file that is checked under its name and then opened again by its
name may be another one by then.
"""

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any, NoReturn


class UnsafeFileError(Exception):
    """Why a file must not be used, as half a sentence; the caller knows what it was to be."""


def read_regular_file(path: Path, largest: int) -> bytes:
    """Read a whole file, if it is one.

    Args:
        path: Not a symbolic link; a pipe, a device or a folder is refused without reading it.
        largest: Bytes it may have.

    Raises:
        UnsafeFileError: It is none of that, or not there.
    """
    # Else a pipe that took the file's place would be waited for.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise UnsafeFileError("it is not a regular file")
        with os.fdopen(os.open(path, flags), "rb") as file:
            size = _regular_size(file.fileno())
            if size > largest:
                raise UnsafeFileError(f"it has {size:,} bytes, at most {largest:,} are read")
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

    Raises:
        UnsafeFileError: It is another one, or none.
    """
    try:
        data = read_regular_file(path, size)
    except UnsafeFileError:
        found = path.lstat().st_size if path.is_file() and not path.is_symlink() else None
        if found is None or found == size:
            raise
        raise UnsafeFileError(f"it has {found:,} bytes where {size:,} were written") from None
    if len(data) != size:
        raise UnsafeFileError(f"it has {len(data):,} bytes where {size:,} were written")
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UnsafeFileError("it was changed (its sha256 differs)")
    return data


def parse_strict_json(data: bytes) -> Any:
    """JSON of which every reader understands the same.

    Raises:
        UnsafeFileError: It is none, names a key twice, or holds NaN, Infinity or a number beyond
            every float.
    """
    try:
        return json.loads(
            data.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_without_twins,
        )
    # Numbers of thousands of digits are a ValueError as well.
    except (ValueError, RecursionError) as fault:
        raise UnsafeFileError("it is not JSON") from fault


def _regular_size(descriptor: int) -> int:
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        raise UnsafeFileError("it is not a regular file")
    return facts.st_size


def _refuse_constant(name: str) -> NoReturn:
    raise UnsafeFileError(f"it holds {name}, which is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise UnsafeFileError(f"it holds {text[:20]}, which no float can")
    return value


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnsafeFileError("it names a key twice")
    return found
