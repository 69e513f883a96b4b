"""The classes of a dataset as a table for people."""

from collections.abc import Mapping

from maskage.classes.scheme import PhotoClass, Scheme
from maskage.commands.text_table import WIDTH, align_columns, cut_text
from maskage.outside_text import shown_text

_MOST_FOLDER, _MOST_TITLE, _MOST_VALUE = 30, 20, 14


def list_classes(scheme: Scheme, photos: Mapping[str, int] | None = None) -> list[str]:
    """Return the lines of a table of at most 80 columns, one row a class; long names are cut.

    Args:
        scheme: The classes.
        photos: Number of photos in each; None for no such column.
    """
    columns = [
        ["key", *(each.key or "-" for each in scheme)],
        ["folder", *(_cut(each.folder, _MOST_FOLDER) for each in scheme)],
        ["title", *(_cut(each.title, _MOST_TITLE) for each in scheme)],
    ]
    for name in scheme.factors:
        values = [_cut(each.factors[name], _MOST_VALUE) for each in scheme]
        columns.append([_cut(name, _MOST_VALUE), *values])
    numbers = [False] * len(columns)
    if any(each.target is not None for each in scheme):
        columns.append(["target", *(str(each.target or "-") for each in scheme)])
    if photos is not None:
        columns.append(["photos", *(str(photos[each.folder]) for each in scheme)])
    numbers += [True] * (len(columns) - len(numbers)) + [False]
    columns.append(["colour", *(each.color for each in scheme)])
    lines = align_columns(list(zip(*columns, strict=True)), numbers)
    return [cut_text(line, WIDTH) for line in lines]


def describe_factors(each: PhotoClass) -> str:
    """Return the values that a class has of its factors: "mask=worn, age=old"."""
    return ", ".join(f"{name}={value}" for name, value in each.factors.items())


def class_as_json(each: PhotoClass) -> dict[str, object]:
    """Return all that is known of a class, for JSON."""
    return {
        "folder": each.folder,
        "title": each.title,
        "key": each.key,
        "color": each.color,
        "target": each.target,
        "factors": dict(each.factors),
    }


def _cut(text: str, width: int) -> str:
    return cut_text(shown_text(text), width)
