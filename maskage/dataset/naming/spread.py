"""The parts of photos' paths, and how the keys found in them are spread over photos and classes."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from unicodedata import normalize

from maskage.dataset.naming.copies import without_tool_mark

MANY_KEYS = 10
"""From so many keys on, they can hardly be sources or sittings of one person."""
MOST_OF_FEW = 40
"""Most photos of one key where keys are few, for a form that counts without being asked for.

In 1,757 photos of seven sources whose names begin with the source, half of the sources had over 150
photos, of several classes each: such names are only offered.
"""
EVEN, MOST_OF_EVEN = 5, 300
"""Ratio of the largest to the smallest up to which keys are even, and their most photos then."""
MOST_OF_FEW_FOLDERS = 200


_WRAPPERS = frozenset(
    ("", "train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval",
     "holdout", "images", "image", "data", "dataset", "photos", "pictures", "faces")
)  # fmt: skip
"""Names of folders that hold the folders of classes or people, in lower case."""


@dataclass(frozen=True)
class PhotoName:
    """The parts of a photo's path: its stem, without a tool's mark, its folders and its class."""

    stem: str
    folders: tuple[str, ...]
    label: str


def read_names(names: Sequence[str], labels: Sequence[str] | None) -> list[PhotoName]:
    """Return the parts of each name; the folders without the one that is the class."""
    paths = [PurePosixPath(normalize("NFC", name)) for name in names]
    found = [path.parts[:-1] for path in paths]
    depth = max(map(len, found), default=0)
    levels = [[parts[at] if at < len(parts) else "" for parts in found] for at in range(depth)]
    levels = [level for level in levels if not all(map(_is_wrapper, level))]
    counts = [len(set(level)) for level in levels]
    if labels is None:
        at = counts.index(min(counts)) if counts else -1
        labels = levels[at] if counts else [""] * len(paths)
    # A level that says no more than the class is the class.
    others = [
        level for level in levels if len(set(zip(level, labels, strict=True))) > len(set(labels))
    ]
    return [
        PhotoName(
            without_tool_mark(path.stem), tuple(level[index] for level in others), labels[index]
        )
        for index, path in enumerate(paths)
    ]


def _is_wrapper(folder: str) -> bool:
    return folder.casefold() in _WRAPPERS


Plain = frozenset[str]
Keys = list[str | None]


@dataclass(frozen=True)
class KeySpread:
    """How the photos of a form are spread over its keys.

    Attributes:
        photos: Number of photos with a key, of `of` that were read.
        keys: Number of keys that are in several photos.
        repeated: Share of the photos that have such a key, 0 to 1.
        across: Share of these keys that are in several classes, 0 to 1.
        largest, smallest: Number of photos of the largest and the smallest of these keys.
        in_class: Mean number of such keys in a class that has any.
    """

    photos: int
    of: int
    keys: int
    repeated: float
    across: float
    largest: int
    smallest: int
    in_class: float

    def is_clear(self, is_asked: bool, *, least: float, most_of_few: int = MOST_OF_FEW) -> bool:
        """Return whether the keys can be taken for people.

        Args:
            is_asked: True where the user says that they are.
            least: Least share of photos whose key is in several photos.
            most_of_few: Most photos of a key where there are few keys.
        """
        if is_asked:
            return self.keys > 1 and self.repeated >= least / 2
        is_many = self.keys >= MANY_KEYS
        if self.across == 1 and self.largest <= EVEN * self.smallest:
            # People who were photographed alike, for every class; sources are of all sizes.
            most_of_few = max(most_of_few, MOST_OF_EVEN)
        return (
            self.keys >= 3
            and self.repeated >= least
            and self.in_class >= 2
            and (is_many or (self.largest <= most_of_few and self.photos >= self.of / 10))
            and (self.across >= 0.3 or self.keys >= 5)
        )


def spread_of(photos: Sequence[PhotoName], keys: Keys) -> KeySpread:
    """Return how photos are spread over their keys.

    Args:
        photos: The photos.
        keys: Key of each; None for none.
    """
    sizes = Counter(key for key in keys if key is not None)
    classes: dict[str, set[str]] = defaultdict(set)
    for photo, key in zip(photos, keys, strict=True):
        if key is not None and sizes[key] > 1:
            classes[key].add(photo.label)
    per_class = Counter(label for labels in classes.values() for label in labels)
    several = max(1, len(classes))
    return KeySpread(
        sizes.total(),
        len(photos),
        len(classes),
        sum(sizes[key] for key in classes) / max(1, sizes.total()),
        sum(len(labels) > 1 for labels in classes.values()) / several,
        max(sizes.values(), default=0),
        min((sizes[key] for key in classes), default=0),
        per_class.total() / max(1, len(per_class)),
    )
