"""Building a result beside its place and swapping it in: one of the two is always there.

.<place>-building-<process>/result           what is being built beside `place`
.<place>-building-<process>/result-former    `place`, for a moment, where two folders cannot be
                                             exchanged at once: on exFAT, over FUSE or NFS
"""

import contextlib
import glob
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from maskage.system.files import exchange_names

RESULT = "result"
SWAP_S = 1.0
"""A running `curate` may take so long between its two renames. Then it is stopped, or its number
belongs to another program by now."""

_POLL_S = 0.02


def swap_in(new: Path, place: Path) -> None:
    """Give `new` the name `place`; what was there before gets the name `new`, if anything was.

    Where the system can exchange two names at once, there is no moment without `place`. Elsewhere
    there is a short one between two renames: `find_place` repairs what ends there.

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
    if not exchange_names(new, place):
        former = _former_of(new)
        place.rename(former)
        try:
            new.rename(place)
        except BaseException:
            if not place.exists():
                former.rename(place)
            raise
        former.rename(new)


@contextlib.contextmanager
def building_folder(place: Path) -> Iterator[Path]:
    """Make a new folder beside `place`, gone afterwards; those of killed runs go with it."""
    for old in _building_folders(place):
        if not _is_running(old):
            recover_former(old / RESULT, place)
            shutil.rmtree(old, ignore_errors=True)
    building = place.parent / f"{_prefix_of(place)}{os.getpid()}"
    try:
        building.mkdir(mode=0o700)
        (building / RESULT).mkdir(mode=0o700)
        yield building
    finally:
        _remove_whole(building)


def find_place(place: Path) -> None:
    """Put back what a killed run had moved away from `place`, before it is read.

    Nothing is done where `place` is there, or was never moved, or the folder can only be read. A
    run that is just changing it is waited for.
    """
    until = time.monotonic() + SWAP_S
    while not place.exists():
        moved = [old for old in _building_folders(place) if _former_of(old / RESULT).is_dir()]
        if not moved:
            return
        if time.monotonic() >= until or not any(map(_is_running, moved)):
            # Where that run goes on after all, it finds its place taken and gives up.
            with suppress(OSError):
                recover_former(moved[-1] / RESULT, place)
            return
        time.sleep(_POLL_S)


def recover_former(new: Path, place: Path) -> None:
    """Put back what a killed `swap_in` of the same names had moved away, if it had."""
    former = _former_of(new)
    if former.exists() and not place.exists():
        former.rename(place)


def _prefix_of(place: Path) -> str:
    return f".{place.name}-building-"


def _building_folders(place: Path) -> list[Path]:
    """The folders in which results for `place` were or are built, the oldest first."""
    found = place.parent.glob(f"{glob.escape(_prefix_of(place))}*")
    return sorted((path for path in found if path.is_dir()), key=lambda path: path.stat().st_mtime)


def _is_running(building: Path) -> bool:
    """Return whether the process in a building folder's name is another one and alive."""
    process = building.name.rpartition("-")[2]
    if not process.isdigit():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return int(process) != os.getpid()


def _remove_whole(folder: Path) -> None:
    """Remove a folder to the last file, also when Ctrl-C comes meanwhile."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _former_of(new: Path) -> Path:
    return new.with_name(f"{new.name}-former")
