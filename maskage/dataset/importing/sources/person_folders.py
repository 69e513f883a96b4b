"""Folders of a source that are people: `class/person/` and `person/class/`. Pure.

Only a clear case is taken for people by itself: several folders of one name in several classes
(or several classes in one folder), with names that could not as well be a split, a shard, a camera
or a property such as "blurred".
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from maskage.dataset.importing.sources.source_folders import SPLITS

LEAST_PEOPLE = 3
"""Fewer folders that return in several classes may be anything: left and right, day and night."""

_SERIES = re.compile(
    r"(part|batch|set|chunk|shard|fold|vol(ume)?|dir|folder|cam(era)?|session|day|week|scene|video"
    r"|clip|frames?|group|split|images?|imgs?|photos?|pics?|class|run|take|round|page|lot|bin|disk"
    r"|v|ver(sion)?|level|angle|pose|light)s?[ _-]*\d*",
    re.IGNORECASE,
)
_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        male female man woman men women boy girl child adult adults children kids young old day
        night indoor outdoor left right front frontal back profile side up down good bad clean
        noisy blur blurred blurry sharp dark bright low high medium small large big raw original
        originals crop cropped crops aligned resized augmented aug gray grey color rgb real fake
        negative positive true false yes no other others misc unknown unlabelled unlabeled new
        temp tmp test faces labels annotations thumbs thumbnails masks asian black white indian
        african caucasian latino red blue green happy sad angry neutral surprise fear disgust
        mask nomask masked unmasked simple complex incorrect correct cloth surgical n95 kn95
        """,
    )
)
"""Folders of one name in several classes that are properties of photos, not people."""
_NO_NAMES = frozenset(
    ["sub", "subfolder", "subdir", "folder", "more", "extra", "rest", "todo", "copy"]
)
"""Words of folders that people make within a class folder for no reason of the pictures."""
_DIGITS = re.compile(r"\d+")
_DATE_OR_SIZE = re.compile(r"[\d._x -]+")
_SHARD = 1000
"""Collections in shards name them after the first number in each: 00000, 01000, 02000."""


@dataclass(frozen=True)
class PicturePlace:
    """Where a picture lies, as seen from its class folder.

    Attributes:
        label: Class of the picture.
        above: Folders above the class folder, the outermost first.
        below: Folders within the class folder, the outermost first.
    """

    label: str
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()


@dataclass(frozen=True)
class PersonFolders:
    """The folders of a source that are, or may be, people.

    Attributes:
        names: Names of the folders, sorted.
        subjects: The folder of each picture, in the order of the places; None without one.
        is_clear: They are people without doubt enough to be used unasked.
    """

    names: tuple[str, ...]
    subjects: tuple[str | None, ...]
    is_clear: bool


def find_person_folders(places: Sequence[PicturePlace]) -> PersonFolders | None:
    """Find the folders that may be people: within the classes, or else above them.

    Returns:
        None where no folder returns in two classes.
    """
    for every in (_candidates_below(places), _candidates_above(places)):
        candidates = _without_strays(places, every)
        classes: dict[str, set[str]] = {}
        for place, name in zip(places, candidates, strict=True):
            if name is not None:
                classes.setdefault(name, set()).add(place.label)
        shared = [name for name, labels in classes.items() if len(labels) > 1]
        if len(shared) > 1:
            is_clear = len(shared) >= LEAST_PEOPLE and 2 * len(shared) >= _most_possible(classes)
            return PersonFolders(
                tuple(sorted(classes)), candidates, is_clear and are_like_people(classes)
            )
    return None


def _without_strays(
    places: Sequence[PicturePlace], names: Sequence[str | None]
) -> tuple[str | None, ...]:
    """Return the folders without those of one class that say nothing or hold a single picture.

    One picture cannot be on two sides of a split, whoever is in it.
    """
    labels: dict[str, set[str]] = {}
    for place, name in zip(places, names, strict=True):
        if name is not None:
            labels.setdefault(name, set()).add(place.label)
    counts = Counter(names)
    shared = [counts[name] for name, found in labels.items() if len(found) > 1]
    is_rich = min(shared, default=0) > 2
    strays = {
        name
        for name, found in labels.items()
        if len(found) == 1
        and ((is_rich and counts[name] == 1) or not _NO_NAMES.isdisjoint(_words_of(name)))
    }
    return tuple(None if name in strays else name for name in names)


def name_all_folders(places: Sequence[PicturePlace]) -> PersonFolders | None:
    """Return the folders that are people because the user says so; None without folders."""
    for candidates in (_candidates_below(places), _candidates_above(places)):
        if names := {name for name in candidates if name is not None}:
            return PersonFolders(tuple(sorted(names)), candidates, is_clear=True)
    return None


def are_like_people(names: Iterable[str]) -> bool:
    """Return whether folders could be named after people, or pseudonyms of them, and nothing else.

    Numbers of at most four digits may be shards, years or batches, so they are not clear.
    """
    listed = sorted(names)
    numbers = [int(name) for name in listed if _DIGITS.fullmatch(name)]
    if len(numbers) == len(listed) and all(number % _SHARD == 0 for number in numbers):
        return False
    return all(_is_like_person(name) for name in listed)


def _is_like_person(name: str) -> bool:
    if len(name) < 2 or _SERIES.fullmatch(name) or not _WORDS.isdisjoint(_words_of(name)):
        return False
    if _DIGITS.fullmatch(name):
        return len(name) > 4
    return _DATE_OR_SIZE.fullmatch(name) is None


def _words_of(name: str) -> set[str]:
    return {word for word in re.split(r"[\W_]+", name.casefold()) if word}


def _most_possible(classes: dict[str, set[str]]) -> int:
    """Return how many folders the class with the second most of them has: all could return."""
    counts: dict[str, int] = {}
    for labels in classes.values():
        for label in labels:
            counts[label] = counts.get(label, 0) + 1
    return sorted(counts.values())[-2] if len(counts) > 1 else 0


def _candidates_below(places: Sequence[PicturePlace]) -> tuple[str | None, ...]:
    return tuple(next(_without_splits(place.below), None) for place in places)


def _candidates_above(places: Sequence[PicturePlace]) -> tuple[str | None, ...]:
    return tuple(next(_without_splits(reversed(place.above)), None) for place in places)


def _without_splits(folders: Iterable[str]) -> Iterator[str]:
    return (name for name in folders if name.casefold() not in SPLITS)
