"""The class folders in a tree of pictures that others made: pure, but for listing the tree."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from maskage.pictures.images import is_picture

SPLITS = frozenset(
    ("train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval", "holdout")
)
"""Names of folders that hold the same class folders each, compared without capital letters."""


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


def list_picture_files(source: Path) -> list[Path]:
    """Return the pictures anywhere below a folder, sorted; a picture is returned itself.

    What is hidden, or in a hidden folder, is left out.
    """
    if source.is_file():
        return [source]
    return sorted(
        path
        for path in source.rglob("*")
        if is_picture(path)
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(source).parts)
    )


def list_picture_names(source: Path) -> list[PurePath]:
    """Return the pictures below a folder as paths that begin there."""
    return [path.relative_to(source) for path in list_picture_files(source)]


def find_class_folders(names: Sequence[PurePath]) -> ClassFolders:
    """Find the folders that are probably the classes: the highest that tell pictures apart.

    A single folder that holds other folders, and folders of splits, are passed through.

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
        if not deeper or not (is_split or is_single):
            return ClassFolders(tuple(here), depth, "/".join(above))
        above.append(" and ".join([", ".join(here[:-1]), here[-1]]) if here[1:] else here[0])
        depth += 1
