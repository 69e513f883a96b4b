"""The parts of photos' paths, and how the keys found in them are spread over photos and classes."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import normalize

from maskage.dataset.naming.copies import without_tool_mark

MANY_KEYS = 10
"""From so many keys on, they can hardly be sources."""
MOST_OF_FEW = 40
"""Most photos of one key where keys are few, for a form that counts without being asked for."""
EVEN, EVEN_IN_CLASS, MOST_OF_EVEN = 5, 3, 300
"""Ratios of the largest number of photos to the smallest up to which keys are even: of keys, and of
the classes of one key; and the most photos of an even key.

In 1,757 photos of seven sources whose names begin with the source, the sources had 4 to 608 photos
and one of them 142 of one class and 8 of another. People who came to a camera for every class are
photographed alike.
"""

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
    # Not through `PurePosixPath`, which takes a second for 50,000 names.
    paths = [normalize("NFC", name).split("/") for name in names]
    found = [[part for part in path[:-1] if part not in ("", ".")] for path in paths]
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
            without_tool_mark(_stem(path[-1])),
            tuple(level[index] for level in others),
            labels[index],
        )
        for index, path in enumerate(paths)
    ]


def _stem(name: str) -> str:
    dot = name.rfind(".")
    return name[:dot] if dot > 0 else name


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
        largest: Number of photos of the largest key.
        in_class: Mean number of such keys in a class that has any.
        is_even: True where each key is in several classes, with about as many photos of each, and
            the keys have about as many photos as one another.
    """

    photos: int
    of: int
    keys: int
    repeated: float
    across: float
    largest: int
    in_class: float
    is_even: bool

    def is_clear(
        self, is_asked: bool, *, least: float, is_code: bool = True, is_counted: bool = True
    ) -> bool:
        """Return whether the keys can be taken for people.

        Args:
            is_asked: True where the user says that they are.
            least: Least share of photos whose key is in several photos.
            is_code: False where the keys are words, which may be sources where they are few.
            is_counted: True where the photos of each key are numbered from 1.
        """
        if is_asked:
            return self.keys > 1 and self.repeated >= least / 2
        few = self.largest <= MOST_OF_FEW and self.photos >= self.of / 10
        is_some = (few and (is_code or is_counted)) or self.is_even
        return (
            self.keys >= 3
            and self.repeated >= least
            and self.in_class >= 2
            and (self.keys >= MANY_KEYS or is_some)
            and (self.across >= 0.3 or self.keys >= 5)
        )


def spread_of(photos: Sequence[PhotoName], keys: Keys) -> KeySpread:
    """Return how photos are spread over their keys.

    Args:
        photos: The photos.
        keys: Key of each; None for none.
    """
    sizes = Counter(key for key in keys if key is not None)
    classes: dict[str, Counter[str]] = defaultdict(Counter)
    for photo, key in zip(photos, keys, strict=True):
        if key is not None and sizes[key] > 1:
            classes[key][photo.label] += 1
    per_class = Counter(label for labels in classes.values() for label in labels)
    across = sum(len(labels) > 1 for labels in classes.values()) / max(1, len(classes))
    largest = max(sizes.values(), default=0)
    smallest = min((sizes[key] for key in classes), default=0)
    is_even = across == 1 and all(
        max(labels.values()) <= EVEN_IN_CLASS * min(labels.values()) for labels in classes.values()
    )
    return KeySpread(
        sizes.total(),
        len(photos),
        len(classes),
        sum(sizes[key] for key in classes) / max(1, sizes.total()),
        across,
        largest,
        per_class.total() / max(1, len(per_class)),
        is_even and largest <= min(EVEN * smallest, MOST_OF_EVEN),
    )
