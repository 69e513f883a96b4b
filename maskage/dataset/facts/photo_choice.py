"""The photos that a command line names: by path, or by what is known of them. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from maskage.errors import DatasetError, UsageError
from maskage.formats.metadata_file import folders_as_written
from maskage.formats.tables.table_match import match_table
from maskage.outside_text import shown_text
from maskage.records import Photo

CONDITIONS = ("subject", "session", "group", "label", "source", "origin", "path")
"""What photos can be chosen by, as `Photo` names it."""

PATTERNS = ("source", "path")
"""The conditions that take a pattern such as `*/clip_*`."""


_NEXT = re.compile(rf",(?=\s*(?:{'|'.join(CONDITIONS)})\s*=)")
"""The comma before another condition; any other is part of a value."""


@dataclass(frozen=True)
class Condition:
    """One condition of a choice.

    Attributes:
        name: One of `CONDITIONS`.
        value: The value, or pattern; empty for photos of which it is not known.
    """

    name: str
    value: str

    def holds(self, photo: Photo) -> bool:
        """Return whether it holds of a photo."""
        found: str | None = getattr(photo, self.name)
        if not self.value or found is None:
            return not self.value and found is None
        return fnmatchcase(found, self.value) if self.name in PATTERNS else found == self.value


def read_conditions(texts: Iterable[str]) -> tuple[Condition, ...]:
    """Read `label=mask_old,subject=` and more of these; all of them have to hold.

    Raises:
        UsageError: One is not NAME=VALUE, or its name is unknown.
    """
    found = []
    for text in (part for each in texts for part in _NEXT.split(each)):
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or name not in CONDITIONS:
            raise UsageError(
                f"--where {text}: write NAME=VALUE with one of {', '.join(CONDITIONS)}, such as "
                f"label=mask_old,subject= (nothing after = for photos of which it is not known)."
            )
        found.append(Condition(name, value))
    return tuple(found)


def choose_where(photos: Iterable[Photo], conditions: Sequence[Condition]) -> list[Photo]:
    """Return the photos of which all conditions hold."""
    return [photo for photo in photos if all(each.holds(photo) for each in conditions)]


def choose_paths(photos: Sequence[Photo], paths: Sequence[str], root: Path) -> list[Photo]:
    """Return the photos of these paths, in the order of the dataset.

    Args:
        photos: The photos of the dataset.
        paths: Paths in the dataset, or of the files themselves; a file name alone where only one
            photo has it.
        root: Folder of the dataset.

    Raises:
        DatasetError: A path is no photo.
    """
    named = {photo.path: photo for photo in photos}
    wanted = {Path(path).as_posix(): True for path in paths}
    match = match_table(wanted, named, folders=folders_as_written(root))
    if match.unmatched_rows:
        others = [shown_text(path) for path in match.unmatched_rows]
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        hints = "".join(f" {note}." for note in match.notes if "more than one" in note)
        raise DatasetError(
            f"{root}: no photo {others[0]}{more}.{hints} Name photos by their path in the dataset, "
            f"such as {shown_text(next(iter(named), 'mask_old/a.jpg'))}. Nothing was changed."
        )
    return [photo for path, photo in named.items() if path in match.rows]


def aliases_of(photos: Iterable[Photo]) -> Mapping[str, tuple[str, ...]]:
    """Return the path below its source of each photo, by which a table may know it."""
    return {photo.path: (photo.source,) for photo in photos if photo.source}
