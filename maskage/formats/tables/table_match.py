"""Which photo each row of a table means: by its path, and by what else a path is spelled like.

A row is tried as it stands first, and every other reading counts only where one photo alone fits
it. What was read otherwise, and what fits nothing, is said.
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from maskage.errors import DatasetError
from maskage.formats.tables.table_text import as_windows_text
from maskage.outside_text import is_utf8, shown_text

T = TypeVar("T")

_MOST_NAMES = 3


@dataclass(frozen=True)
class TableMatch(Generic[T]):
    """The rows of a table with their photos.

    Attributes:
        rows: What the table says of each photo that it names, by the name of the photo.
        unmatched_rows: Paths of the table that are no photo.
        unmatched_names: Photos that the table does not name.
        notes: What was read otherwise than it is written; sentences without the full stop.
    """

    rows: Mapping[str, T]
    unmatched_rows: tuple[str, ...] = ()
    unmatched_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def match_table(
    table: Mapping[str, T],
    names: Iterable[str],
    *,
    folders: Sequence[str] = (),
    base: str = "",
    aliases: Mapping[str, Sequence[str]] | None = None,
    join: Callable[[T, T, str], T] | None = None,
) -> TableMatch[T]:
    """Find the photo of each row.

    Args:
        table: The rows, by the path in them, POSIX.
        names: Paths of the photos below their folder, POSIX.
        folders: That folder itself, as people write it: a path in the table may begin with one.
        base: Folder of the table below that folder: paths may be relative to it.
        aliases: Other paths by which a photo is known.
        join: Returns what two rows of one photo say together, or raises where they disagree; the
            text says where they stand. None where only equal rows are one.

    Raises:
        DatasetError: Two rows of one photo disagree.
    """
    order = list(names)
    index = _Index(order, aliases or {}, folders, base)
    rows: dict[str, T] = {}
    row_of: dict[str, str] = {}
    unmatched: list[str] = []
    unclear: dict[str, str] = {}
    ways: dict[str, list[str]] = {}
    for path, facts in table.items():
        name, way = index.find(path)
        if name is None:
            unmatched.append(path)
            if way:
                unclear[path] = way
            continue
        if way:
            ways.setdefault(way, []).append(f"{shown_text(path)} for {shown_text(name)}")
        if name in rows:
            facts = _join(rows[name], facts, (row_of[name], path), table, join)
        rows[name] = facts
        row_of.setdefault(name, path)
    left = tuple(name for name in order if name not in rows) if table else ()
    return TableMatch(rows, tuple(unmatched), left, tuple(_describe(ways, unclear)))


def require_rows(match: TableMatch[T], table: object, place: object) -> None:
    """Refuse a table of which no row is a photo.

    Args:
        match: Its rows with their photos.
        table: Name of the table, for the message.
        place: Name of the folder of the photos, for the message.

    Raises:
        DatasetError: No row is a photo.
    """
    if match.rows:
        return
    paths, names = match.unmatched_rows, match.unmatched_names
    if not paths:
        raise DatasetError(f"{table}: it has no rows below its column names. Nothing was changed.")
    prefix = find_misfit(paths, names)
    advice = f"Write {prefix}" if prefix else f"Write each path as it is below {place}"
    raise DatasetError(
        f"{table}: none of its {len(paths)} paths is a photo of {place}.",
        f"Its first paths are {_first(paths)}.",
        f"The first photos are {_first(names)}.",
        *(f"Of these paths, {note}." for note in match.notes),
        f"{advice}. Nothing was changed.",
    )


def find_misfit(paths: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the prefix that tells the paths of a table from those of the photos, in words.

    None where no such prefix is found.

    Args:
        paths: Paths of the table, none of which is a photo.
        names: Paths of the photos.
    """
    by_end: dict[str, list[str]] = {}
    for name in names:
        by_end.setdefault(_fold(name).rpartition("/")[2], []).append(name)
    found: Counter[tuple[str, str]] = Counter()
    for path in paths:
        for name in by_end.get(_fold(path).rpartition("/")[2], ())[:20]:
            found[_heads(path, name)] += 1
    if not found:
        return None
    (surplus, lacking), _ = found.most_common(1)[0]
    if surplus and lacking:
        return f'"{shown_text(lacking)}" in place of "{shown_text(surplus)}"'
    if surplus:
        return f'the paths without "{shown_text(surplus)}"'
    return f'"{shown_text(lacking)}" before each path' if lacking else None


class _Index:
    """Photos by everything that a path in a table may be like; several may share one."""

    def __init__(
        self,
        names: Sequence[str],
        aliases: Mapping[str, Sequence[str]],
        folders: Sequence[str],
        base: str,
    ) -> None:
        self._names = set(names)
        self._spelled = {name: (name, *aliases.get(name, ())) for name in names}
        self._starts = [f"{folder.rstrip('/')}/" for folder in folders]
        self._base = base

    @cached_property
    def _aliases(self) -> Mapping[str, set[str]]:
        return self._by(lambda spelled: (spelled,))

    @cached_property
    def _normal(self) -> Mapping[str, set[str]]:
        return self._by(lambda spelled: (_normalise(spelled),))

    @cached_property
    def _folded(self) -> Mapping[str, set[str]]:
        return self._by(lambda spelled: (_fold(spelled),))

    @cached_property
    def _ends(self) -> Mapping[str, set[str]]:
        return self._by(lambda spelled: (_fold(spelled).rpartition("/")[2],))

    @cached_property
    def _stems(self) -> Mapping[str, set[str]]:
        def keys(spelled: str) -> tuple[str, ...]:
            stem = _without_suffix(_fold(spelled))
            return stem, stem.rpartition("/")[2]

        return self._by(keys)

    def _by(self, keys: Callable[[str], Iterable[str]]) -> Mapping[str, set[str]]:
        """Return the photos by keys of everything they are called; only made where it is needed."""
        found: dict[str, set[str]] = {}
        for name, spelled in self._spelled.items():
            for key in (key for each in spelled for key in keys(each)):
                found.setdefault(key, set()).add(name)
        return found

    def find(self, path: str) -> tuple[str | None, str]:
        """Return the photo of a path, and how it was found: nothing for the path itself.

        Where several fit, there is no photo, and the text says how many.
        """
        if path in self._names:
            return path, ""
        for way, table, key in self._readings(path):
            if found := table.get(key):
                if len(found) == 1:
                    return next(iter(found)), way
                return None, f"{len(found)} photos"
        return None, ""

    def _readings(self, path: str) -> Iterable[tuple[str, Mapping[str, set[str]], str]]:
        yield "found by another name of the photo", self._aliases, path
        spelled = [path]
        if (below := self._below(path)) is not None:
            spelled = [below]
            yield "given with the folder itself", self._normal, _normalise(below)
        if self._base:
            within = os.path.normpath(f"{self._base}/{path}")
            yield "read from the folder of the table", self._normal, _normalise(within)
        if not is_utf8(path) and (text := as_windows_text(path)):
            spelled.append(text)
            yield "read as Windows text", self._normal, _normalise(text)
        for each in spelled:
            yield "found with accents coded otherwise", self._normal, _normalise(each)
        for each in spelled:
            yield "found with other capitals", self._folded, _fold(each)
        for each in spelled:
            if "/" not in each:
                yield "given without folder", self._ends, _fold(each)
        for each in spelled:
            yield "given without suffix", self._stems, _fold(each)

    def _below(self, path: str) -> str | None:
        """Return a path that begins with the folder of the photos as relative to it."""
        start = next((start for start in self._starts if path.startswith(start)), None)
        return None if start is None else path[len(start) :]


def _describe(ways: Mapping[str, Sequence[str]], unclear: Mapping[str, str]) -> Iterator[str]:
    """Yield what was read otherwise than it is written, the most frequent first."""
    for way, found in sorted(ways.items(), key=lambda item: -len(item[1])):
        yield f"{len(found)} path{'' if len(found) == 1 else 's'} {way}, such as {found[0]}"
    if unclear:
        shown = [f"{shown_text(path)} ({several})" for path, several in unclear.items()]
        yield (
            f"{len(unclear)} fit more than one photo and were left: "
            f"{', '.join(shown[:_MOST_NAMES])}; write the path with its folder"
        )


def _join(
    one: T,
    other: T,
    paths: tuple[str, str],
    table: Mapping[str, T],
    join: Callable[[T, T, str], T] | None,
) -> T:
    lines: Mapping[str, int] = getattr(table, "lines", {})
    shown = [
        f"{shown_text(path)}" + (f" (line {lines[path]})" if path in lines else "")
        for path in paths
    ]
    where = f"Two rows of the table are of one photo, {' and '.join(shown)}"
    if join is not None:
        return join(one, other, where)
    if one != other:
        raise DatasetError(f"{where}, and disagree. Correct the table; nothing was changed.")
    return one


def _first(paths: Sequence[str]) -> str:
    return ", ".join(map(shown_text, paths[:_MOST_NAMES])) or "none: there are no photos"


def _heads(path: str, name: str) -> tuple[str, str]:
    """Return what stands before the common end of two paths, whole folders only."""
    ours, theirs = path.split("/"), name.split("/")
    while ours and theirs and _fold(ours[-1]) == _fold(theirs[-1]):
        del ours[-1], theirs[-1]
    return "".join(f"{each}/" for each in ours), "".join(f"{each}/" for each in theirs)


def _without_suffix(path: str) -> str:
    head, dot, suffix = path.rpartition(".")
    return head if dot and "/" not in suffix else path


def _normalise(path: str) -> str:
    return unicodedata.normalize("NFC", path.replace("\\", "/"))


def _fold(path: str) -> str:
    return unicodedata.normalize("NFC", _normalise(path).casefold())
