"""Putting a finished folder in the place of a former one, so that there is always one of them."""

import ctypes
import os
import sys
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # Linux, renameat2
_RENAME_SWAP = 2  # macOS, renamex_np


def swap_in(new: Path, place: Path) -> None:
    """Give `new` the name `place`; what was there before gets the name `new`, if anything was.

    Where the system can exchange two names at once, there is no moment without `place`. Elsewhere
    there is a short one between two renames: `recover_former` mends what ends there.

    Raises:
        OSError: The system refused; both are as they were.
    """
    if not place.exists():
        try:
            new.rename(place)
            return
        except OSError:
            # Another run may have put its result there meanwhile: then that is the former one.
            if not place.exists():
                raise
    if not _exchange(new, place):
        former = _former_of(new)
        place.rename(former)
        try:
            new.rename(place)
        except BaseException:
            if not place.exists():
                former.rename(place)
            raise
        former.rename(new)


def recover_former(new: Path, place: Path) -> None:
    """Put back what a killed `swap_in` of the same names had moved away, if it had."""
    former = _former_of(new)
    if former.exists() and not place.exists():
        former.rename(place)


def _former_of(new: Path) -> Path:
    return new.with_name(f"{new.name}-former")


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names at once; False where system or file system cannot."""
    library = ctypes.CDLL(None)
    names = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin":
        call = getattr(library, "renamex_np", None)
        return call is not None and call(*names, _RENAME_SWAP) == 0
    call = getattr(library, "renameat2", None)
    if call is None:
        return False
    return bool(call(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)
