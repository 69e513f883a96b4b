"""Finds classes by what somebody types of their names; independent of any screen."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class PaletteEntry:
    """One line of the palette.

    Attributes:
        label: The class; None for all classes.
        title: Its title.
        count: Photos in it.
    """

    label: str | None
    title: str
    count: int


def find_entries(entries: Sequence[PaletteEntry], query: str) -> list[PaletteEntry]:
    """Return the entries that match every word of a query, the best first, else as they stood.

    A word matches a title or a folder that begins with it, has a word that begins with it, has it
    anywhere, or has its letters in this order; better in this order. Case and accents typed apart
    make no difference.
    """
    words = _fold(query).split()
    ranked = [(_rank_entry(entry, words), at) for at, entry in enumerate(entries)]
    return [entries[at] for rank, at in sorted((r, at) for r, at in ranked if r is not None)]


def _rank_entry(entry: PaletteEntry, words: Sequence[str]) -> int | None:
    names = [_fold(entry.title), *([_fold(entry.label)] if entry.label is not None else [])]
    total = 0
    for word in words:
        ranks = [rank for name in names if (rank := _rank(word, name)) is not None]
        if not ranks:
            return None
        total += min(ranks)
    return total


def _rank(word: str, name: str) -> int | None:
    """Return how well a word matches a name, 0 the best; None where it does not."""
    at = name.find(word)
    if at == 0:
        return 0
    if at > 0:
        starts = (i for i in range(1, len(name)) if not name[i - 1].isalnum())
        return 1 if any(name.startswith(word, i) for i in starts) else 2
    letters = iter(name)
    return 3 if all(letter in letters for letter in word) else None


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
