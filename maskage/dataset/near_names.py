"""Finds names of persons that are nearly the same: "pp01", "P01" and "p1" beside "p01"."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_RUNS = re.compile(r"\d+|[^\W\d_]+")
_LIKE_DIGITS = str.maketrans("ol", "01")
_LEAST_LETTERS = 4
"""Letters of a name without a number, from which one wrong letter is taken for a slip."""


@dataclass(frozen=True)
class _NameParts:
    """What counts in a name: its letters, and the values of its numbers."""

    letters: str
    numbers: tuple[int, ...]


def find_near_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that another one is probably meant to be, or None.

    Case, separators and leading zeros make no difference, nor do one letter too many or too few
    before a number, a doubled letter, "o" for 0 and "l" for 1. Another number is another person. A
    name without a number may have one wrong letter, from four letters on.

    Args:
        name: A name as it was typed.
        known: The names in use; where `name` is one of them, nothing is near.
    """
    names = sorted(set(known))
    if not name or name in names:
        return None
    parts = _parts_of(name)
    ranked = [(rank, other) for other in names if (rank := _rank(parts, name, other)) is not None]
    return min(ranked)[1] if ranked else None


def _rank(parts: _NameParts, name: str, other: str) -> int | None:
    """Return how near two names are, 0 the nearest; None where they are not."""
    others = _parts_of(other)
    if parts == others:
        return 0
    if _read_as_digits(name) == _read_as_digits(other):
        return 1
    if parts.numbers != others.numbers:
        return None
    if parts.numbers:
        return 2 if _differs_by_one_more(parts.letters, others.letters) else None
    is_long = min(len(parts.letters), len(others.letters)) >= _LEAST_LETTERS
    return 2 if is_long and _is_one_slip(parts.letters, others.letters) else None


def _parts_of(name: str) -> _NameParts:
    runs = _RUNS.findall(_fold(name))
    letters = "".join(run for run in runs if not run.isdecimal())
    return _NameParts(letters, tuple(int(run) for run in runs if run.isdecimal()))


def _read_as_digits(name: str) -> _NameParts:
    """Return the parts of a name in which letters that look like digits are digits."""
    folded = _fold(name)
    return (
        _parts_of(folded.translate(_LIKE_DIGITS)) if re.search(r"\d", folded) else _parts_of(name)
    )


def _fold(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _differs_by_one_more(one: str, other: str) -> bool:
    """Return True if one text is the other with one letter more."""
    short, long = sorted((one, other), key=len)
    return len(long) == len(short) + 1 and any(
        long[:at] + long[at + 1 :] == short for at in range(len(long))
    )


def _is_one_slip(one: str, other: str) -> bool:
    """Return True if a letter is wrong, missing or too much, or two are swapped."""
    if len(one) != len(other):
        return _differs_by_one_more(one, other)
    wrong = [at for at in range(len(one)) if one[at] != other[at]]
    if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
        first, second = wrong
        return one[first] == other[second] and one[second] == other[first]
    return len(wrong) == 1
