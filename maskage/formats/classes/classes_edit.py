"""Edit the text of a classes.toml, and keep the comments, the order and the spelling of the rest.

Each function returns the new text, which `parse_scheme` accepts.
"""

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from maskage.classes.scheme import PhotoClass, Scheme, default_title
from maskage.formats.classes.classes_file import parse_scheme, row_of

_LEAST_VALUES = 2
"""A factor with fewer values says nothing."""


def rename_in(text: str, folder: str, new_folder: str, title: str | None = None) -> str:
    """Give a class another folder.

    Args:
        text: Text of a classes.toml that has the class.
        folder: Its present folder.
        new_folder: Its folder afterwards; may be the present one.
        title: Its title afterwards. None keeps the title, unless that is the one which a class of
            the present folder has by default: then it follows the folder.

    Raises:
        ValueError: The result is no scheme; the text says why, as the end of a sentence.
    """
    document, rows = _open(text)
    row = next(row for row in rows if row["folder"] == folder)
    row["folder"] = new_folder
    if title is not None:
        row["title"] = title
    elif row.get("title") == default_title(folder):
        row["title"] = default_title(new_folder)
    return _checked(document)


def add_to(text: str, new: PhotoClass) -> str:
    """Add a class behind the others; values of factors that are new are added to [factors].

    Raises:
        ValueError: The result is no scheme; the text says why, as the end of a sentence.
    """
    document, rows = _open(text)
    _write_defaults(rows, parse_scheme(text.encode()))
    factors: Any = document.get("factors", {})
    for name, value in new.factors.items():
        if name in factors and value not in factors[name]:
            factors[name].append(value)
    row = row_of(new, tuple(new.factors))
    rows.append(row if isinstance(rows, AoT) else _inline(row))
    return _checked(document)


def remove_from(text: str, folder: str) -> str:
    """Remove a class; keys and colours of the others stay what they are.

    Values of factors that no other class has go with it, as long as two are left.

    Raises:
        ValueError: The result is no scheme; the text says why, as the end of a sentence.
    """
    document, rows = _open(text)
    scheme = parse_scheme(text.encode())
    _write_defaults(rows, scheme)
    number = next(number for number, row in enumerate(rows) if row["folder"] == folder)
    del rows[number]
    for name, value in scheme[folder].factors.items():
        values: Any = document["factors"][name]
        if len(values) > _LEAST_VALUES and scheme.labels_with(name, value) == (folder,):
            values.remove(value)
    return _checked(document)


def _open(text: str) -> tuple[tomlkit.TOMLDocument, Any]:
    try:
        document = tomlkit.parse(text.removeprefix("\ufeff"))
    except TOMLKitError as fault:
        raise ValueError(f"it cannot be edited ({fault})") from fault
    return document, document["class"]


def _write_defaults(rows: Any, scheme: Scheme) -> None:
    """Write down the keys and colours that depend on the number of a class."""
    for row, each in zip(rows, scheme, strict=True):
        if "key" not in row:
            row["key"] = each.key or ""
        if "color" not in row:
            row["color"] = each.color


def _inline(row: Mapping[str, Any]) -> Any:
    found = tomlkit.inline_table()
    found.update(row)
    return found


def _checked(document: tomlkit.TOMLDocument) -> str:
    text = tomlkit.dumps(document)
    parse_scheme(text.encode())
    return text
