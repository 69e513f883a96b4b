"""The class folders in a tree of pictures that others made: pure, but for listing the tree."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from maskage.dataset.importing.sources.source_walk import walk_source

SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "eval", "holdout"), "test"),
}
"""The split of each name of folders that hold the same class folders each, without capitals."""

_MOST_NAMED = 4
"""Folders of one level that are named one by one."""


@dataclass(frozen=True)
class ClassFolders:
    """The level of a tree at which its class folders lie.

    Attributes:
        names: Names of the class folders, sorted; those of several splits once.
        depth: Number of folders above them: 0 directly in the tree, 1 in `train/with_mask`.
        where: The folders above them, for people: "train, val and test"; empty for none.
    """

    names: tuple[str, ...]
    depth: int
    where: str = ""


def list_picture_names(source: Path) -> list[PurePath]:
    """Return the pictures below a folder as paths that begin there, sorted.

    What is hidden is left out, and so is what the toolchain made.

    Raises:
        EnvironmentProblemError: A folder cannot be listed.
    """
    return [PurePath(name) for name in walk_source(source).pictures]


def split_of(folders: Sequence[str]) -> str | None:
    """Return "train", "val" or "test" where one of these folders is named like a split.

    Args:
        folders: Names of folders; the first of them that is named so counts.
    """
    return next((SPLITS[name.casefold()] for name in folders if name.casefold() in SPLITS), None)


def find_class_folders(names: Sequence[PurePath]) -> ClassFolders:
    """Find the folders that are probably the classes: the highest that tell pictures apart.

    A single folder that holds other folders, and folders of splits, are passed through, and so are
    folders of people that hold the same few folders each.

    Args:
        names: The pictures of the tree, as paths that begin there.
    """
    depth, above = 0, list[str]()
    while True:
        parents = [name.parts[:-1] for name in names if len(name.parts) > depth + 1]
        here = sorted({parts[depth] for parts in parents})
        deeper = [parts for parts in parents if len(parts) > depth + 1]
        is_split = bool(here) and all(name.casefold() in SPLITS for name in here)
        is_single = len(here) == 1 and len(deeper) == len(names)
        is_passed = is_split or is_single or _hold_same_folders(here, deeper, depth)
        if not deeper or not is_passed:
            return ClassFolders(tuple(here), depth, "/".join(above))
        above.append(_describe_level(here))
        depth += 1


def _hold_same_folders(here: Sequence[str], deeper: Sequence[tuple[str, ...]], depth: int) -> bool:
    """Return whether folders hold the same folders, fewer than they are: `person/class/`."""
    inner: dict[str, set[str]] = {}
    for parts in deeper:
        inner.setdefault(parts[depth], set()).add(parts[depth + 1])
    names = set[str]().union(*inner.values())
    with_several = sum(len(found) > 1 for found in inner.values())
    is_whole = len(inner) == len(here) and 2 * with_several >= len(here)
    return is_whole and 2 <= len(names) < len(here) and not _is_words(names)


def _is_words(names: Iterable[str]) -> bool:
    return all(name.casefold() in SPLITS for name in names)


def _describe_level(here: Sequence[str]) -> str:
    if len(here) > _MOST_NAMED:
        return f"{here[0]}, {here[1]} and {len(here) - 2} more"
    return " and ".join([", ".join(here[:-1]), here[-1]]) if here[1:] else here[0]
