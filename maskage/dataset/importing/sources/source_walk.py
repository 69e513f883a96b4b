"""A walk through a source that sees every entry: pictures, and all the rest with the reason.

Links are followed, also out of the source, as class folders may be links to a network disk. A link
that leads back to a folder above it is not, nor is one that was reached through a link and leads to
a folder that was walked already: folders that link to each other would never end.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from maskage.commands.text_table import list_some
from maskage.dataset.importing.sources.own_output import OwnOutput, find_own_output
from maskage.errors import EnvironmentProblemError
from maskage.pictures.picture_files import LeftOut, reason_of_file
from maskage.pictures.picture_kinds import (
    OTHER_SUFFIXES,
    VIDEO_SUFFIXES,
    has_picture_name,
    is_picture_file,
    is_system_name,
)

ARCHIVE_SUFFIXES = frozenset(
    {".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".7z", ".rar"}
)
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".jsonl"})
NOTE_SUFFIXES = frozenset({".xml", ".json", ".yaml", ".yml", ".txt", ".md", ".html", ".pdf"})
"""Suffixes of files that are no pictures, so that a hundred thousand need not be opened."""

SYSTEM_REASON = "left behind by a file manager or a network disk"
TABLE_REASON = "a table; it is used with --metadata"


@dataclass(frozen=True)
class SourceWalk:
    """Everything that lies in a source.

    Attributes:
        pictures: Paths of the pictures below the source, POSIX, sorted.
        tables: Paths of tables (CSV, TSV, JSON Lines), sorted.
        left_out: All other files and folders that are not walked, each with the reason; without
            tables.
        own: What the toolchain made of the source itself; None for anybody's folder.
        links: Number of links to folders that were followed.
    """

    pictures: tuple[str, ...]
    tables: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    own: OwnOutput | None = None
    links: int = 0


def walk_source(source: Path, data: Path | None = None) -> SourceWalk:
    """List everything below a folder, or one picture; only files without a telling name are opened.

    Args:
        source: The folder or picture.
        data: The dataset that is imported into; it is no source, wherever it lies.

    Raises:
        EnvironmentProblemError: A folder cannot be listed; the message names all of them.
    """
    if not source.is_dir():
        return SourceWalk((source.name,))
    walker = _Walker(source, data)
    walker.walk()
    walker.require_all_listed()
    return walker.finish()


_FileId = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True)
class _Folder:
    """A folder to walk.

    Attributes:
        path: The folder.
        prefix: Its path below the source, with "/" at its end; "" for the source.
        above: The folders above it.
        is_linked: It was reached through a link.
    """

    path: Path
    prefix: str = ""
    above: tuple[_FileId, ...] = ()
    is_linked: bool = False


@dataclass
class _Walker:
    source: Path
    data: Path | None
    pictures: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    walked: set[_FileId] = field(default_factory=set)
    own: OwnOutput | None = None
    links: int = 0

    def walk(self) -> None:
        """Walk the source and all below it."""
        waiting = [_Folder(self.source)]
        while waiting:
            waiting += reversed(self._walk_folder(waiting.pop()))

    def _walk_folder(self, folder: "_Folder") -> list["_Folder"]:
        """Add what lies in a folder; return the folders in it that are to be walked."""
        try:
            state = folder.path.stat()
            with os.scandir(folder.path) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as fault:
            self.unlisted.append(f"{folder.prefix or folder.path} ({fault.strerror or fault})")
            return []
        if reason := self._reason_not_to_walk(folder, {entry.name for entry in found}):
            self._leave_folder(folder.prefix, reason, folder.path)
            return []
        here = (state.st_dev, state.st_ino)
        self.walked.add(here)
        above = (*folder.above, here)
        return [inner for entry in found if (inner := self._add(entry, folder, above)) is not None]

    def require_all_listed(self) -> None:
        """Refuse a source of which a folder could not be listed.

        Raises:
            EnvironmentProblemError: There was one.
        """
        if self.unlisted:
            what = "a folder" if len(self.unlisted) == 1 else f"{len(self.unlisted)} folders"
            raise EnvironmentProblemError(
                f"{self.source}: {what} in it cannot be listed: {list_some(self.unlisted, 5)}. "
                f"Have them opened to you (`ls -ld` shows to whom they are), or move them out of "
                f"the source. Nothing was imported."
            )

    def finish(self) -> SourceWalk:
        """Return what was found."""
        return SourceWalk(
            tuple(sorted(self.pictures)),
            tuple(sorted(self.tables)),
            tuple(sorted(self.left_out, key=lambda each: each.path)),
            self.own,
            self.links,
        )

    def _reason_not_to_walk(self, folder: _Folder, names: set[str]) -> str | None:
        if self.data is not None and folder.prefix and _is_same(folder.path, self.data):
            return "the dataset that is imported into"
        own = find_own_output(folder.path, names)
        if not folder.prefix:
            self.own = own
            return None
        return own.value if own else None

    def _add(
        self, entry: os.DirEntry[str], folder: _Folder, above: tuple[_FileId, ...]
    ) -> _Folder | None:
        """Add a file, or return the folder that is to be walked."""
        name, path = f"{folder.prefix}{entry.name}", Path(entry.path)
        try:
            is_folder, is_file, is_link = entry.is_dir(), entry.is_file(), entry.is_symlink()
        except OSError:  # a link that leads in a circle
            is_folder, is_file, is_link = False, False, True
        if is_system_name(entry.name):
            self._leave(name, SYSTEM_REASON, path if is_folder else None)
        elif entry.name.startswith("."):
            self._leave(name, "hidden", path if is_folder and not is_link else None)
        elif is_folder:
            if is_link and (reason := self._reason_not_to_follow(path, folder.is_linked, above)):
                self._leave(name, reason)
                return None
            self.links += is_link
            return _Folder(path, f"{name}/", above, folder.is_linked or is_link)
        elif not is_file:
            what = "a link that leads nowhere" if is_link else "a pipe or a device, no file"
            self._leave(name, what)
        else:
            self._add_file(name, entry.name, path)
        return None

    def _reason_not_to_follow(
        self, link: Path, is_linked: bool, above: tuple[_FileId, ...]
    ) -> str | None:
        try:
            state = link.stat()
        except OSError:
            return "a link that leads nowhere"
        target = (state.st_dev, state.st_ino)
        if target in above:
            return "a link back to a folder that it lies in"
        if is_linked and target in self.walked:
            return "a link to a folder that was read already"
        return None

    def _add_file(self, name: str, own_name: str, path: Path) -> None:
        if has_picture_name(own_name):
            self.pictures.append(name)
            return
        suffix = own_name[own_name.rfind(".") :].lower() if "." in own_name else ""
        if suffix in TABLE_SUFFIXES:
            self.tables.append(name)
        elif suffix in NOTE_SUFFIXES or suffix in ARCHIVE_SUFFIXES or not is_picture_file(path):
            self._leave(name, _reason_of_file(suffix, path))
        else:
            self.pictures.append(name)

    def _leave(self, name: str, reason: str, folder: Path | None = None) -> None:
        if folder is None:
            self.left_out.append(LeftOut(name, reason))
        else:
            self._leave_folder(f"{name}/", reason, folder)

    def _leave_folder(self, name: str, reason: str, folder: Path) -> None:
        self.left_out.append(LeftOut(name, reason, _count_pictures(folder)))


def _reason_of_file(suffix: str, path: Path) -> str:
    if suffix in VIDEO_SUFFIXES:
        return "a video; import it by itself, with --label"
    if suffix in OTHER_SUFFIXES:
        return reason_of_file(path)
    if suffix in ARCHIVE_SUFFIXES:
        return "an archive within the source; import it by itself, or unpack it"
    try:
        with path.open("rb", buffering=0):
            return "no picture, by its name and content"
    except OSError:
        return "cannot be opened; check who may read it"


def _count_pictures(folder: Path) -> int:
    return sum(has_picture_name(name) for name in _names_below(folder))


def _names_below(folder: Path) -> Iterator[str]:
    for _, _, names in os.walk(folder):
        yield from names


def _is_same(folder: Path, other: Path) -> bool:
    try:
        return folder.samefile(other)
    except OSError:
        return False
