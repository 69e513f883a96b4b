"""The columns of a table about photos, by whatever name people know them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from maskage.errors import DatasetError

PATH = "path"

NAMES = {
    PATH: (
        "path", "file_name", "filename", "file", "file_path", "image", "image_path", "image_name",
        "photo", "picture",
    ),
    "label": ("label", "class"),
    "subject": ("subject", "subject_id", "person", "person_id"),
    "session": ("session", "session_id"),
    "group": ("group", "group_id"),
    "source": ("source",),
}  # fmt: skip
"""The names of each column, the first one first; "file_name" is Hugging Face's."""

_BETWEEN = re.compile(r"[\W_]+")
_OWNER = {_BETWEEN.sub("", each): column for column, names in NAMES.items() for each in names}
_LEAST_LIKENESS = 0.75
"""Of two names, 0 to 1, by `difflib`: "Subjekt" and "sesion" are slips, "size" is no "side"."""


@dataclass(frozen=True)
class TakenColumns:
    """The columns of a table that are used.

    Attributes:
        headers: Header of each column that is used.
        notes: What is to be said of the others, and of names that are not the usual ones.
    """

    headers: dict[str, str]
    notes: tuple[str, ...]


def count_known(headers: Iterable[str]) -> int:
    """Count the headers that name a column."""
    return sum(_key(header) in _OWNER for header in headers)


def take_columns(headers: Sequence[str], wanted: Sequence[str], name: str) -> TakenColumns:
    """Choose the columns of a table: the path and all that are wanted and there.

    Args:
        headers: The headers, as they are written.
        wanted: The columns that are wanted, besides the path.
        name: Name of the file, for messages.

    Raises:
        DatasetError: There is no path, or no wanted column; or two headers name one column.
    """
    found: dict[str, list[str]] = {}
    for header in headers:
        if column := _OWNER.get(_key(header)):
            found.setdefault(column, []).append(header)
    taken = {
        column: _best(column, found[column], name) for column in (PATH, *wanted) if column in found
    }
    slips = _find_slips(headers, [each for each in (PATH, *wanted) if each not in taken])
    if PATH not in taken or len(taken) < 2:
        raise DatasetError(_nothing_to_use(headers, taken, wanted, slips, name))
    notes = [
        f"the column {header!r} is read as {column}"
        for column, header in taken.items()
        if header.casefold() != column
    ]
    notes += [f"the column {header!r} is not read: is it {column}?" for header, column in slips]
    slipped = {header for header, _ in slips}
    others = [each for each in headers if each not in taken.values() and each not in slipped]
    if others:
        notes.append(f"columns that are not used: {', '.join(others)}")
    return TakenColumns(taken, tuple(notes))


def _best(column: str, headers: Sequence[str], name: str) -> str:
    """Return the header of the most usual name: `path` before `file_name` before `image`."""
    order = [_BETWEEN.sub("", each) for each in NAMES[column]]
    ranked = sorted(headers, key=lambda header: order.index(_key(header)))
    if len(ranked) > 1 and _key(ranked[0]) == _key(ranked[1]):
        raise DatasetError(
            f"{name}: the columns {ranked[0]!r} and {ranked[1]!r} are both {column}. Remove or "
            f"rename one."
        )
    return ranked[0]


def _find_slips(headers: Iterable[str], missing: Iterable[str]) -> list[tuple[str, str]]:
    """Return the headers that are nearly a missing column, each with that column."""
    owners = {
        _BETWEEN.sub("", each): column for column in missing for each in NAMES.get(column, ())
    }
    slips = []
    for header in headers:
        key = _key(header)
        if key not in _OWNER and (near := get_close_matches(key, owners, 1, _LEAST_LIKENESS)):
            slips.append((header, owners[near[0]]))
    return slips


def _nothing_to_use(
    headers: Sequence[str],
    taken: Iterable[str],
    wanted: Sequence[str],
    slips: Sequence[tuple[str, str]],
    name: str,
) -> str:
    lacking = "column that is used here" if PATH in taken else f"column {PATH!r}"
    hint = "".join(f" Is {header!r} the {column}?" for header, column in slips)
    return (
        f"{name}: no {lacking}. Found: {', '.join(headers) or 'nothing'}.{hint} It takes {PATH} "
        f"and any of {', '.join(wanted)}, named in its first line; {PATH} may be file_name too."
    )


def _key(header: str) -> str:
    """Return a header as it is compared: without case, blanks and marks between words."""
    return _BETWEEN.sub("", header.casefold())
