"""Tables of text for a terminal: columns aligned by what a terminal draws, not by characters."""

import unicodedata
from collections.abc import Sequence

WIDTH = 80
"""Columns of the narrowest usual terminal."""

_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


MOST_LISTED = 8
"""Largest number of classes, or of folders, that a message lists one by one."""


def drawn_width(text: str) -> int:
    """Return the columns that a terminal draws a text in: two for "名", none for an accent."""
    return sum(map(_width, text))


def cut_text(text: str, width: int) -> str:
    """Return a text in at most `width` columns; "…" stands for the rest of a longer one."""
    if drawn_width(text) <= width:
        return text
    kept, used = "", 0
    for letter in text:
        used += _width(letter)
        if used > width - 1:
            break
        kept += letter
    return kept + _ELLIPSIS


def pad_text(text: str, width: int, *, is_number: bool = False) -> str:
    """Return a text filled up to `width` columns: at its left for a number, else at its right."""
    blanks = " " * max(0, width - drawn_width(text))
    return blanks + text if is_number else text + blanks


def align_columns(rows: Sequence[Sequence[str]], numbers: Sequence[bool]) -> list[str]:
    """Return one line a row, with each column as wide as its widest cell.

    Args:
        rows: Cells of each row, all of one number; a title is a row too.
        numbers: For each column, whether it is aligned at its right.
    """
    widths = [max(map(drawn_width, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            pad_text(cell, width, is_number=is_number)
            for cell, width, is_number in zip(row, widths, numbers, strict=True)
        ).rstrip()
        for row in rows
    ]


def list_some(names: Sequence[str], most: int = 3, conjunction: str = "and") -> str:
    """Return the first names of a list, and how many more there are: "a, b, c and 7 more"."""
    shown = ", ".join(names[:most])
    return f"{shown} {conjunction} {len(names) - most} more" if len(names) > most else shown


def list_first(names: Sequence[str], most: int = MOST_LISTED) -> str:
    """Return names as a list that is cut after `most` of them: "a, b, ... (40 in all)"."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])}, ... ({len(names)} in all)"


def _width(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def count_of(count: int, thing: str) -> str:
    """Return a number of things, each of a name that takes "s" or "es": "1 box", "2 boxes"."""
    ending = "" if count == 1 else "es" if thing.endswith(("x", "s", "ch", "sh")) else "s"
    return f"{count:,} {thing}{ending}"
