"""The pictures that lie in a folder, and what else lies there and is left out, with the reason.

A tool that reads a folder lists it here, so that each knows the same files and none passes over
one in silence.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from maskage.console import say
from maskage.errors import EnvironmentProblemError
from maskage.pictures.picture_kinds import (
    OTHER_SUFFIXES,
    VIDEO_SUFFIXES,
    has_unread_name,
    is_picture_file,
    is_system_name,
    may_be_picture,
    walk_pictures,
)

WITHIN = "a folder within; its pictures are not read"
UNLISTABLE = "a folder that cannot be listed; check who may read it"

MOST_NAMES = 3
"""Names in one line for people."""


@dataclass(frozen=True)
class LeftOut:
    """A file or folder that is left out.

    Attributes:
        path: Relative to the folder that was listed, POSIX; a folder's ends in "/".
        reason: The kind of file and what to do, the same words for all of one kind.
        pictures: Files in it that are pictures by their names, where it is a folder.
    """

    path: str
    reason: str
    pictures: int = 0

    @property
    def is_folder(self) -> bool:
        """It is a folder."""
        return self.path.endswith("/")

    @property
    def is_loss(self) -> bool:
        """It is a folder with pictures that are not read, or nobody knows what is in it."""
        return self.pictures > 0 or self.reason == UNLISTABLE


@dataclass(frozen=True)
class FolderListing:
    """The contents of a folder.

    Attributes:
        pictures: That are read, sorted.
        left_out: All the rest, sorted by path; but what file managers and disks leave behind.
    """

    pictures: tuple[Path, ...]
    left_out: tuple[LeftOut, ...]


def list_pictures(folder: Path) -> FolderListing:
    """List the pictures that lie directly in a folder, and all that is left out.

    No file is opened whose name says what it is.

    Raises:
        OSError: The folder cannot be listed.
    """
    pictures, left_out = [], []
    for path in sorted(folder.iterdir()):
        if is_system_name(path.name):
            continue
        if path.is_file() and is_picture_file(path):
            pictures.append(path)
        else:
            left_out.append(_left_out(path))
    return FolderListing(tuple(pictures), tuple(left_out))


def pictures_in(folder: Path) -> tuple[Path, ...]:
    """Return the pictures that lie directly in a folder, sorted; none without such a folder.

    Raises:
        EnvironmentProblemError: It cannot be listed.
    """
    try:
        return list_pictures(folder).pictures if folder.is_dir() else ()
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{folder}: the pictures in it cannot be listed ({fault.strerror or fault}). Check who "
            f"may read the folder."
        ) from fault


def list_beside(folder: Path, known: Iterable[str]) -> tuple[LeftOut, ...]:
    """List folders and photos that lie beside those that a layout asks for.

    Args:
        folder: The folder.
        known: Names in it that are read. Other files that are no photos (notes, tables) belong to
            whoever put them there and are not listed.

    Raises:
        OSError: The folder cannot be listed.
    """
    names = set(known)
    others = [
        path
        for path in sorted(folder.iterdir())
        if path.name not in names and not is_system_name(path.name)
    ]
    reason = f"none of {', '.join(sorted(names))}; move pictures into these to use them"
    return tuple(
        replace(_left_out(path), reason=reason)
        for path in others
        if _is_visible_folder(path) or _is_photo(path)
    )


def find_unread(root: Path) -> tuple[LeftOut, ...]:
    """Find the photos and videos anywhere below a folder that are not read; hidden ones are not.

    They are known by their names: no file is opened.

    Raises:
        OSError: A folder cannot be listed.
    """
    found = []
    for folder, folders, names in os.walk(root, onerror=_raise):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not is_system_name(name)
        )
        for path in (Path(folder) / name for name in sorted(names)):
            if has_unread_name(path.name):
                found.append(LeftOut(path.relative_to(root).as_posix(), reason_of_file(path)))
    return tuple(found)


def reason_of_file(path: Path) -> str:
    """Return why a file is not read as a picture, the same words for all of one kind."""
    suffix = path.suffix.lower()
    if not path.is_file():
        return "no file that can be read"
    if path.name.startswith("."):
        return "hidden"
    if suffix in OTHER_SUFFIXES:
        return f"{suffix[1:].upper()} is not read; save it as JPEG"
    if suffix in VIDEO_SUFFIXES:
        return "a video, not a picture"
    return "no picture by its content" if may_be_picture(path.name) else "no picture by its name"


def describe_left_out(left_out: Iterable[LeftOut]) -> list[str]:
    """Return one line a reason, the most frequent first: how many, some of the names, and why."""
    by_reason: dict[str, list[LeftOut]] = {}
    for each in left_out:
        by_reason.setdefault(each.reason, []).append(each)
    groups = sorted(by_reason.items(), key=lambda group: (-len(group[1]), group[0]))
    return [
        f"Left out {len(found)}: {', '.join(map(_name, found[:MOST_NAMES]))}"
        f"{', ...' if found[MOST_NAMES:] else ''}: {reason}"
        for reason, found in groups
    ]


def report_left_out(left_out: Iterable[LeftOut]) -> None:
    """Say what was left out and why, on stderr."""
    for line in describe_left_out(left_out):
        say(line)


def below(name: str, left_out: Iterable[LeftOut]) -> tuple[LeftOut, ...]:
    """Return what was left out of a subfolder as paths of the folder that holds it."""
    return tuple(replace(each, path=f"{name}/{each.path}") for each in left_out)


def _left_out(path: Path) -> LeftOut:
    if path.is_dir():
        return LeftOut(f"{path.name}/", _reason_of_folder(path), _count_pictures(path))
    return LeftOut(path.name, reason_of_file(path))


def _reason_of_folder(path: Path) -> str:
    if path.name.startswith("."):
        return "hidden"
    try:
        # `os.access` asks for another user than the one that opens it, and knows no network disk.
        with os.scandir(path):
            return WITHIN
    except OSError:
        return UNLISTABLE


def _raise(fault: OSError) -> NoReturn:
    raise fault


def _count_pictures(folder: Path) -> int:
    return sum(1 for _ in walk_pictures(folder))


def _is_photo(path: Path) -> bool:
    return has_unread_name(path.name) or is_picture_file(path)


def _is_visible_folder(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _name(each: LeftOut) -> str:
    shown = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in each.path
    )
    plural = "" if each.pictures == 1 else "s"
    return f"{shown} ({each.pictures} picture{plural})" if each.pictures else shown
