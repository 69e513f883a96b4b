"""Names that tools and scripts give to the copies of one photo: augmented, mirrored, exported."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from maskage.dataset.naming.words import is_container, is_plain_word, words_in, words_of_classes

TOOL_MARKS = (
    re.compile(r"__aug\d+$"),  # ours
    re.compile(r"[_.](jpe?g|png)\.rf\.[0-9a-f]{32}$", re.IGNORECASE),  # Roboflow
    re.compile(r"\.(jpe?g|png|bmp)_[0-9a-f-]{36}$", re.IGNORECASE),  # Augmentor, see below
)
"""Marks that say by themselves that a photo was made from another."""

SCRIPT_MARK = re.compile(
    r"[_-](?P<kind>aug(?:mented)?|flip(?:ped)?|mirror(?:ed)?|rot(?:ated?)?|crop(?:ped)?|noise|"
    r"blur(?:red)?|bright|dark)[_-]?\d*$",
    re.IGNORECASE,
)
"""A mark of scripts of people's own; alone it says little: every photo may be `face_crop_0001`."""

MOST_COPIES = 20
"""Most copies of a photo that is named after a thing ("face.jpg"); more are a numbered row."""
LEAST_ROWS = 3
"""So many photos of one class with numbered copies each are photos; fewer may be the class."""

_AUGMENTOR_PREFIX = re.compile(r"^.+?_original_")


def source_stem(path: str) -> str | None:
    """Return the name of the photo that a copy was perhaps made from; None for another name."""
    stem = PurePosixPath(path).stem
    shorter = without_tool_mark(stem)
    if shorter != stem:
        return shorter
    found = _without_script_mark(stem)
    return found[0] if found else None


def find_copies(names: Sequence[str], labels: Sequence[str]) -> list[str | None]:
    """Return the name of the photo that each photo is a copy of; None where it is none.

    The mark of a tool says so by itself. That of a script says so where the photo itself is there
    too, where there are copies of several kinds, or where several photos of the class have numbered
    copies. What is left of the name must be that of a photo: `face_crop_0001.jpg` and
    `mask_old_dark_2.jpg` are named after a thing and a class.

    Args:
        names: Paths of all photos, POSIX.
        labels: Class of each; copies are of the class of their photo.
    """
    files = [name.rpartition("/")[2] for name in names]
    stems = [name.rpartition(".")[0] or name for name in files]
    there = set(zip(labels, stems, strict=True))
    plain = words_of_classes(labels)
    found = [_without_script_mark(stem) for stem in stems]
    kinds: dict[tuple[str, str], set[str]] = defaultdict(set)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    rows: dict[tuple[str, str], set[str]] = defaultdict(set)
    for label, each in zip(labels, found, strict=True):
        if each is not None:
            base, kind = each
            kinds[label, base].add(kind)
            counts[label, base] += 1
            rows[label, kind].add(base)

    def is_copy(label: str, base: str, kind: str) -> bool:
        if not _is_of_a_photo(base, plain):
            return (label, base) in there and counts[label, base] <= MOST_COPIES
        is_row = any(map(str.isdecimal, base)) and len(rows[label, kind]) >= LEAST_ROWS
        return (label, base) in there or len(kinds[label, base]) > 1 or is_row

    copies: list[str | None] = []
    for label, stem, each in zip(labels, stems, found, strict=True):
        shorter = without_tool_mark(stem)
        if shorter != stem:
            copies.append(shorter)
        else:
            copies.append(each[0] if each and is_copy(label, *each) else None)
    return copies


def without_tool_mark(stem: str) -> str:
    """Return a name without the mark of a tool that copies photos; others as they are."""
    for mark in TOOL_MARKS:
        shorter = mark.sub("", stem)
        if shorter != stem:
            return _AUGMENTOR_PREFIX.sub("", shorter)
    return stem


def _without_script_mark(stem: str) -> tuple[str, str] | None:
    """Return a name without the mark of somebody's script, and the mark's word; None for others."""
    found = SCRIPT_MARK.search(stem)
    return (stem[: found.start()], found["kind"].casefold()) if found else None


def _is_of_a_photo(base: str, plain: frozenset[str]) -> bool:
    """Return whether what is left of a name can be a photo's: it has a number or a word of its own.

    "batch1" and "train_2" are numbered, and hold photos.
    """
    words = words_in(base)
    if any(map(str.isdecimal, base)):
        return not (words and all(map(is_container, words)))
    return any(word not in plain and not is_plain_word(word) for word in words)
