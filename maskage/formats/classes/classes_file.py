"""classes.toml: the scheme of a dataset, a curated set, a run or a bundle.

    [factors]
    mask = ["worn", "none"]

    [[class]]
    folder = "mask"
    title = "mask"
    key = "1"
    color = "#7cc7f0"
    target = 200
    factors = { mask = "worn" }

    [[class]]
    ...

Only `folder` is required. `[factors]` lists every factor with its values; without it classes are
plain. A folder without the file has the four classes of `MASK_AGE`.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Table

from maskage.classes.colors import default_color
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import DIGIT_KEYS, PhotoClass, Scheme, default_title
from maskage.errors import DatasetError
from maskage.formats.classes.class_change_file import read_change
from maskage.security.files import UnsafeFileError, read_regular_file
from maskage.shell_words import join_words

CLASSES_FILE = "classes.toml"

LARGEST_CLASSES = 1 << 18
"""Most bytes of the file; 64 classes with everything take 20,000."""
_FIELDS = ("folder", "title", "key", "color", "target", "factors")


def read_scheme(folder: str | Path) -> Scheme:
    """Return the scheme in a folder; the four classes if it has no classes.toml.

    Raises:
        DatasetError: The file cannot be read, or contradicts itself.
    """
    return find_scheme(folder) or MASK_AGE


def find_scheme(folder: str | Path) -> Scheme | None:
    """Return the scheme in a folder; None if it has no classes.toml.

    In a dataset whose classes were being changed when a program was killed, these are the new ones:
    whoever lists its photos finishes the change first.

    Raises:
        DatasetError: The file cannot be read, or contradicts itself.
    """
    path = Path(folder) / CLASSES_FILE
    change = read_change(Path(folder))
    if change is None and not path.exists() and not path.is_symlink():
        return None
    try:
        return parse_scheme(
            read_regular_file(path, LARGEST_CLASSES) if change is None else change.classes.encode()
        )
    except (UnsafeFileError, ValueError) as fault:
        raise DatasetError(
            f"{path}: cannot be used as the classes of this folder: {fault}. Correct the file; "
            f"the photos were not touched. `collector init --help` shows what it holds."
        ) from fault


def parse_scheme(data: bytes) -> Scheme:
    """Read the bytes of a classes.toml.

    Raises:
        ValueError: They are no scheme; the text says why, as the end of a sentence.
    """
    try:
        # Some editors begin a file with a mark of its encoding.
        values = tomllib.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as fault:
        hint = "; a class begins with [[class]]" if b"\n[class]" in b"\n" + data else ""
        raise ValueError(f"it is not TOML in UTF-8 ({fault}{hint})") from fault
    _refuse_unknown(values, ("factors", "class"), "the file")
    factors = {
        name: tuple(_text(value, f"a value of the factor {name!r}") for value in _list(given))
        for name, given in _table(values.get("factors", {}), "[factors]").items()
    }
    rows = [_table(row, "a class") for row in _list(values.get("class", []))]
    taken = {row["key"] for row in rows if isinstance(row.get("key"), str)}
    free = iter(key for key in DIGIT_KEYS if key not in taken)
    classes = tuple(_class_of(row, number, free) for number, row in enumerate(rows))
    return Scheme(classes, factors)


def format_scheme(scheme: Scheme) -> str:
    """Return the text of a classes.toml; the same scheme gives the same text."""
    document = tomlkit.document()
    document.add(tomlkit.comment("The classes of these photos, in the order of a model's answers."))
    if scheme.factors:
        factors = tomlkit.table()
        for name, values in scheme.factors.items():
            factors.add(name, list(values))
        document.add("factors", factors)
    rows = tomlkit.aot()
    for each in scheme:
        rows.append(row_of(each, tuple(scheme.factors)))
    document.add("class", rows)
    return tomlkit.dumps(document)


def require_same_classes(scheme: Scheme, labels: Sequence[str], where: str, other: str) -> None:
    """Refuse a scheme whose class folders are not those of another, whatever their order.

    Args:
        scheme: One scheme.
        labels: Class folders of the other.
        where: What has `scheme`, for the message: "curated".
        other: What has `labels`: "the model runs/mine".

    Raises:
        DatasetError: They differ; both lists are in the message.
    """
    ours, theirs = set(scheme.labels), set(labels)
    if ours != theirs:
        only = [
            f"only {one} has {', '.join(label for label in there if label not in others)}"
            for one, there, others in ((where, scheme.labels, theirs), (other, labels, ours))
            if not set(there) <= others
        ]
        raise DatasetError(
            f"{where} has the classes {', '.join(scheme.labels)}; {other} has "
            f"{', '.join(labels)}: {', and '.join(only)}. They must have the same. "
            f"{_way_to_same_classes(scheme.labels, labels)}"
        )


def _way_to_same_classes(ours: Sequence[str], theirs: Sequence[str]) -> str:
    ours_only = [label for label in ours if label not in theirs]
    theirs_only = [label for label in theirs if label not in ours]
    text = "Use photos and a model that belong together: where classes were added or renamed since "
    text += "the training, make a new set with `curate` and train on it with `trainer fit`."
    if len(ours_only) == len(theirs_only) == 1:
        renaming = join_words(["--rename", ours_only[0], theirs_only[0]])
        text += f" If {ours_only[0]} was called {theirs_only[0]} then, "
        text += f"`collector classes DATA {renaming}` calls it so again."
    return text


def _class_of(row: Mapping[str, Any], number: int, free: Any) -> PhotoClass:
    _refuse_unknown(row, _FIELDS, f"class {number + 1}")
    if "folder" not in row:
        raise ValueError(f"class {number + 1} has no folder")
    folder = _text(row["folder"], f"the folder of class {number + 1}")
    what = f"of the class {folder!r}"
    key = _text(row["key"], f"the key {what}") if "key" in row else next(free, None)
    target = row.get("target")
    if target is not None and (isinstance(target, bool) or not isinstance(target, int)):
        raise ValueError(f"the target {what} is {target!r}, not a whole number")
    factors = _table(row.get("factors", {}), f"factors {what}")
    return PhotoClass(
        folder,
        title=_text(row.get("title", default_title(folder)), f"title {what}"),
        color=_text(row.get("color", default_color(number)), f"the color {what}").lower(),
        key=key or None,
        target=target,
        factors={name: _text(value, f"{name} {what}") for name, value in factors.items()},
    )


def row_of(each: PhotoClass, factors: Sequence[str]) -> Table:
    """Return the table of one class with all of its fields; its factors in the order given."""
    row = tomlkit.table()
    row.add("folder", each.folder)
    row.add("title", each.title)
    # Empty is "none"; a missing key would get the next free digit.
    row.add("key", each.key or "")
    row.add("color", each.color)
    if each.target is not None:
        row.add("target", each.target)
    if each.factors:
        values = tomlkit.inline_table()
        for name in factors:
            values.add(name, each.factors[name])
        row.add("factors", values)
    return row


def _refuse_unknown(values: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    if unknown := [name for name in values if name not in known]:
        raise ValueError(
            f"{where} has {unknown[0][:80]!r}, which is not known; it may have {', '.join(known)}"
        )


def _table(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is {str(value)[:80]!r}, not a table")  # noqa: TRY004  one fault for all of these
    return value


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{str(value)[:80]!r} is not a list")  # noqa: TRY004  one fault for all of these
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f'{what} is {str(value)[:80]}, not a text: write it as "..."')  # noqa: TRY004  one fault for all of these
    return value
