"""The tables of `collector status`: classes as columns where they fit, else as rows. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from maskage.classes.scheme import Scheme
from maskage.commands.text_table import WIDTH, align_columns, cut_text, drawn_width, pad_text
from maskage.outside_text import shown_text

_MOST_COLUMNS = 4
"""More classes than these are rows: a table of columns would be wider than a terminal."""

_LONGEST_TITLE = 12
"""Longest name of a class at the top of a column."""

_LEAST_CELL = 8
_LEAST_NAME = 16
"""A class's name at the beginning of a row has at least this room, and else what is left of 80."""

_LONGEST_NAME = 24
"""Longest name of a person, and of a class in a person's row; longer ones are cut."""


@dataclass(frozen=True)
class ClassRow:
    """The figures of a class; None where nothing was measured.

    Attributes:
        label: The class.
        photos: Number of photos.
        target: Number wanted.
        sharpness, brightness: Medians.
        weak_share: Photos with a fault, 0 to 1.
        flagged, disputed, trashed: Numbers of such photos.
    """

    label: str
    photos: int
    target: int
    sharpness: float | None
    brightness: float | None
    weak_share: float | None
    flagged: int
    disputed: int
    trashed: int


@dataclass(frozen=True)
class SubjectRow:
    """The photos of a person in each class, and the number of sessions."""

    subject: str
    counts: Mapping[str, int]
    sessions: int


def make_tables(
    scheme: Scheme, classes: Sequence[ClassRow], subjects: Sequence[SubjectRow]
) -> list[str]:
    """Return the lines of the tables of classes and people."""
    longest = max(drawn_width(shown_text(label)) for label in scheme.labels)
    if len(scheme) <= _MOST_COLUMNS and longest <= _LONGEST_TITLE:
        return _columns(scheme, classes, subjects, max(longest, _LEAST_CELL))
    return [*_class_rows(scheme, classes), *_subject_rows(scheme, subjects)]


def _columns(
    scheme: Scheme, classes: Sequence[ClassRow], subjects: Sequence[SubjectRow], width: int
) -> list[str]:
    """Return one table: a column for each class, a row for each figure and person."""
    has_targets = any(each.target is not None for each in scheme)
    rows = [
        ("", *map(shown_text, scheme.labels), "total", "sessions"),
        ("photos", *_with_total(one.photos for one in classes)),
        *([("target", *(str(one.target) for one in classes))] if has_targets else []),
        ("of the target", *(f"{one.photos / one.target:.0%}" for one in classes)),
        ("sharpness", *(_figure(one.sharpness) for one in classes)),
        ("brightness", *(_figure(one.brightness) for one in classes)),
        ("weak", *(_share(one.weak_share) for one in classes)),
        ("flagged", *_with_total(one.flagged for one in classes)),
        ("disputed", *_with_total(one.disputed for one in classes)),
        ("in the trash", *_with_total(one.trashed for one in classes)),
        *(
            (shown_text(one.subject), *_with_total(one.counts.values()), str(one.sessions))
            for one in subjects
        ),
    ]
    first = max(drawn_width(row[0]) for row in rows)
    return [
        "  ".join(
            [pad_text(row[0], first), *(pad_text(cell, width, is_number=True) for cell in row[1:])]
        ).rstrip()
        for row in rows
    ]


def _class_rows(scheme: Scheme, classes: Sequence[ClassRow]) -> list[str]:
    """Return a table with a row for each class, and their sum below.

    Flagged, disputed and removed photos ("flag", "disp", "trash") have a column where there are
    any.
    """
    columns = [
        ["key", *(scheme[one.label].key or "-" for one in classes), ""],
        ["photos", *_with_total(one.photos for one in classes)],
        ["target", *(f"{one.photos / one.target:.0%}" for one in classes), ""],
        ["sharp", *(_figure(one.sharpness) for one in classes), ""],
        ["bright", *(_figure(one.brightness) for one in classes), ""],
        ["weak", *(_share(one.weak_share) for one in classes), ""],
    ]
    for title, numbers in (
        ("flag", [one.flagged for one in classes]),
        ("disp", [one.disputed for one in classes]),
        ("trash", [one.trashed for one in classes]),
    ):
        columns += [[title, *_with_total(numbers)]] if any(numbers) else []
    numbers_of = align_columns(
        list(zip(*columns, strict=True)), [False, *[True] * (len(columns) - 1)]
    )
    room = max(WIDTH - max(map(drawn_width, numbers_of)) - 2, _LEAST_NAME)
    names = ["", *(cut_text(shown_text(one.label), room) for one in classes), "all classes"]
    return align_columns(list(zip(names, numbers_of, strict=True)), [False, False])


def _subject_rows(scheme: Scheme, subjects: Sequence[SubjectRow]) -> list[str]:
    """Return a row for each person: photos, sessions, and the classes with the most photos."""
    if not subjects:
        return []
    rows = [("", "photos", "sessions", "classes")]
    for one in subjects:
        seen = sum(count > 0 for count in one.counts.values())
        total = str(sum(one.counts.values()))
        rows.append((_name(one.subject), total, str(one.sessions), f"{seen} of {len(scheme)}"))
    lines = align_columns(rows, [False, True, True, True])
    width = max(map(drawn_width, lines))
    return [
        lines[0],
        *(
            f"{pad_text(line, width)}  {_most_photos(one.counts, WIDTH - width - 2)}".rstrip()
            for line, one in zip(lines[1:], subjects, strict=True)
        ),
    ]


def _most_photos(counts: Mapping[str, int], room: int) -> str:
    """Return "mask_old: 40, mask_young: 3, ...": as many classes as fit, most photos first."""
    there = sorted((label for label in counts if counts[label]), key=lambda label: -counts[label])
    text = ""
    for number, label in enumerate(there):
        longer = f"{text}{', ' if number else ''}{_name(label)}: {counts[label]}"
        more = ", ..." if number + 1 < len(there) else ""
        if drawn_width(longer + more) > room:
            return f"{text}, ..." if text else ""
        text = longer
    return text


def _name(name: str) -> str:
    return cut_text(shown_text(name), _LONGEST_NAME)


def _with_total(counts: Iterable[int]) -> list[str]:
    numbers = list(counts)
    return [str(count) for count in (*numbers, sum(numbers))]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
