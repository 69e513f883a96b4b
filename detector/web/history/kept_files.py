"""The snapshots and recordings in the program's output folders: listed, read and deleted.

A request names a file by its kind and its name. Only names that the program itself gives
(`name_by_time`), of regular files that lie in the folder of that kind, are ever looked up.
"""

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from maskage.errors import EnvironmentProblemError

MOST_LISTED = 200
"""Files that the page lists, the newest."""

_NAME = re.compile(r"(\d{8}T\d{6}\.\d{3})Z\.(?:jpg|mp4)", re.ASCII)
_TIME = "%Y%m%dT%H%M%S.%f"


class KeptKind(StrEnum):
    """The kinds of kept files, as addresses name them."""

    SNAPSHOTS = "snapshots"
    RECORDINGS = "recordings"


_SUFFIXES = {KeptKind.SNAPSHOTS: ".jpg", KeptKind.RECORDINGS: ".mp4"}


class NotKeptError(Exception):
    """No file of the program has this name; the text is for people."""


class GoneError(NotKeptError):
    """The file was deleted or moved meanwhile; the text is for people."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is gone: it was deleted or moved meanwhile.")


@dataclass(frozen=True)
class KeptFile:
    """A file that the program kept.

    Attributes:
        kind: What it is.
        path: Path of the file.
        at: The moment at which it was begun, UTC, which its name says.
        size: Its bytes.
    """

    kind: KeptKind
    path: Path
    at: datetime
    size: int


class KeptFiles:
    """The files in the folders of snapshots and recordings.

    Args:
        folders: The folder of each kind; one that is missing has no files.
    """

    def __init__(self, folders: Mapping[KeptKind, Path]) -> None:
        self._folders = dict(folders)

    def list_files(self) -> list[KeptFile]:
        """Return all files, newest first.

        Raises:
            EnvironmentProblemError: A folder cannot be read.
        """
        found = [
            file
            for kind, folder in self._folders.items()
            for name in _names_in(folder)
            if (file := _describe(kind, folder / name)) is not None
        ]
        return sorted(found, key=lambda file: (file.at, file.kind), reverse=True)

    def find(self, kind: KeptKind, name: str) -> KeptFile:
        """Return one file.

        Raises:
            GoneError: It is there no more.
            NotKeptError: It is none that the program made.
        """
        folder = self._folders.get(kind)
        if folder is None or not _is_own_name(kind, name):
            raise NotKeptError("The program made no file of that name.")
        file = _describe(kind, folder / name)
        if file is None:
            raise GoneError(name)
        return file

    def delete(self, kind: KeptKind, name: str) -> None:
        """Delete one file for good.

        Raises:
            GoneError: It is there no more.
            NotKeptError: It is none that the program made.
            EnvironmentProblemError: The system refuses.
        """
        path = self.find(kind, name).path
        try:
            path.unlink()
        except FileNotFoundError:
            raise GoneError(name) from None
        except OSError as fault:
            raise EnvironmentProblemError(
                f"{name} cannot be deleted ({fault.strerror}). Check who may write in the folder "
                f"{path.parent}."
            ) from fault


def _names_in(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as fault:
        raise EnvironmentProblemError(
            f"The folder {folder} cannot be read ({fault.strerror}). Check who may read it."
        ) from fault


def _is_own_name(kind: KeptKind, name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and name.endswith(_SUFFIXES[kind])


def _describe(kind: KeptKind, path: Path) -> KeptFile | None:
    """Return the record of a file; None for any that the program did not make, or that is gone."""
    if not _is_own_name(kind, path.name):
        return None
    try:
        # Not followed: a link may lead anywhere.
        facts = path.lstat()
        at = datetime.strptime(path.name.partition("Z")[0], _TIME).replace(tzinfo=UTC)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(facts.st_mode):
        return None
    return KeptFile(kind, path, at, facts.st_size)
