"""The files of a folder with annotations, and the picture that an annotation means.

Annotation files name their pictures loosely: without the folder, by a path on another machine, in
other capitals, with the suffix of another format, or with a prefix that an upload added.
"""

import os
import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from maskage.pictures.picture_kinds import has_picture_name, is_picture_file, is_system_name

NOTE_SUFFIXES = frozenset({".xml", ".json", ".txt", ".yaml", ".yml", ".names", ".labels", ".csv"})
"""Suffixes of files that may hold annotations, or the names of their classes."""
_OTHER_SUFFIXES = frozenset({".tsv", ".md", ".html", ".pdf", ".data", ".cache", ".zip"})
"""Suffixes of files that are never pictures, so that they need not be opened."""

_NOT_IN_UPLOADS = re.compile(r"[^-\w.]")
_WORD = re.compile(r"[^\W_]+")


@dataclass
class AnnotatedFolder:
    """A folder whose files were listed.

    Attributes:
        root: The folder.
        pictures: Paths of its pictures below it, POSIX, sorted.
        notes: Paths of the files that may hold annotations, sorted.
    """

    root: Path
    pictures: tuple[str, ...]
    notes: tuple[str, ...]
    _by_name: dict[str, list[str]] = field(init=False, repr=False)
    _by_stem: dict[str, list[str]] = field(init=False, repr=False)
    _known: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._known = frozenset(self.pictures)
        self._by_name, self._by_stem = defaultdict(list), defaultdict(list)
        for path in self.pictures:
            name = posixpath.basename(path)
            for key in {_key(name), _key(_as_uploaded(name))}:
                self._by_name[key].append(path)
            for key in {_key(_stem(name)), _key(_as_uploaded(_stem(name)))}:
                self._by_stem[key].append(path)

    def with_suffix(self, *suffixes: str) -> list[str]:
        """Return the notes with one of these suffixes, in small letters."""
        return [path for path in self.notes if PurePosixPath(path).suffix.lower() in suffixes]

    def read_bytes(self, path: str) -> bytes:
        """Return the content of a file.

        Raises:
            OSError: It cannot be read.
        """
        return (self.root / path).read_bytes()

    def find(self, name: str, file: str) -> str | None:
        """Return the picture that an annotation file means; None where none or several may be.

        Args:
            name: Name or path of the picture in the annotation file.
            file: Path of that file.
        """
        name = _as_posix(name)
        if not name:
            return None
        for path in (posixpath.join(posixpath.dirname(file), name), name):
            if (path := posixpath.normpath(path)) in self._known:
                return path
        base = posixpath.basename(name)
        for found in (
            self._by_name.get(_key(base)),
            self._by_stem.get(_key(base)),
            self._by_stem.get(_key(_stem(base))),
        ):
            if found:
                return _nearest(found, name, file)
        return None


def list_folder(root: Path) -> AnnotatedFolder:
    """List the pictures and notes anywhere below a folder; what is hidden is left out.

    Links to folders are followed, each folder once. A folder that cannot be listed is passed over:
    whoever imports from it lists it too, and reports it.
    """
    pictures, notes = [], []
    seen = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        state = Path(folder).stat()
        if (state.st_dev, state.st_ino) in seen:
            folders.clear()
            continue
        seen.add((state.st_dev, state.st_ino))
        folders[:] = sorted(name for name in folders if _is_visible(name))
        for name in filter(_is_visible, names):
            path = Path(folder, name)
            below = path.relative_to(root).as_posix()
            suffix = path.suffix.lower()
            if suffix in NOTE_SUFFIXES:
                notes.append(below)
            elif has_picture_name(name) or (
                suffix not in _OTHER_SUFFIXES and is_picture_file(path)
            ):
                pictures.append(below)
    return AnnotatedFolder(root, tuple(sorted(pictures)), tuple(sorted(notes)))


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and not is_system_name(name)


def _nearest(paths: Iterable[str], name: str, file: str) -> str | None:
    """Return the picture that fits best, or None for a draw.

    The more folders agree with the stated path the better, then those in common with the
    annotation file, then a folder that its name states: `instances_val.json`, `val/1.jpg`.
    """
    words = set(_WORD.findall(_stem(file).casefold()))

    def fit(path: str) -> tuple[int, int, int]:
        folders, wanted = path.split("/")[-2::-1], name.split("/")[-2::-1]
        stated = sum(each.casefold() in words for each in folders)
        return _common(folders, wanted), _common(path.split("/")[:-1], file.split("/")[:-1]), stated

    ranked = sorted(set(paths), key=lambda path: (fit(path), path), reverse=True)
    is_draw = len(ranked) > 1 and fit(ranked[0]) == fit(ranked[1])
    return None if is_draw else ranked[0]


def _common(one: list[str], other: list[str]) -> int:
    """Return how many items two lists have in common at their beginning."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a.casefold() != b.casefold():
            break
        count += 1
    return count


def _as_posix(name: str) -> str:
    """Return a path of any system with "/", without a drive and without "/" at its beginning."""
    name = name.strip().replace("\\", "/")
    return re.sub(r"^([A-Za-z]:)?(\./|/)*", "", name)


def _as_uploaded(name: str) -> str:
    """Return a name as web tools store it: without spaces and most signs."""
    return _NOT_IN_UPLOADS.sub("", name.strip().replace(" ", "_"))


def _stem(path: str) -> str:
    return PurePosixPath(path).stem


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
