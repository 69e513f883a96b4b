r"""`--map` of `collector import`: classes of folders, as text that is typed and pasted.

    --map "Mask Old=mask_old,without mask=nomask_old,blurred="

A comma or an equals sign in a name is written with a backslash before it, and so is a backslash
before one of these; any other backslash separates folders.
"""

import re
from collections.abc import Iterable, Mapping

from maskage.classes.scheme import Scheme
from maskage.commands.parser import suggest
from maskage.dataset.importing.sources.near_classes import sure_class
from maskage.dataset.importing.sources.source_labels import FolderMap, as_path
from maskage.errors import UsageError

_SPECIAL = re.compile(r"[\\,=]")
_PART = re.compile(r"((?:\\[\\,=]|[^,=])*)([,=]|$)")
_ESCAPED = re.compile(r"\\([\\,=])")


def read_map(texts: Iterable[str], scheme: Scheme) -> FolderMap:
    """Return the folders and their classes that the texts of several `--map` name.

    Raises:
        UsageError: A text is no map, a class is unknown, or a folder has two classes.
    """
    classes: dict[str, str | None] = {}
    for text in texts:
        for folder, label in _read_pairs(text):
            if label and label not in scheme:
                near = sure_class(label, scheme)
                hint = f" Did you mean {near}?" if near else suggest(label, scheme.labels)
                raise UsageError(
                    f"--map {text}: there is no class {label!r}. The classes are "
                    f"{', '.join(scheme.labels)}.{hint} Nothing was imported."
                )
            if classes.setdefault(folder, label or None) != (label or None):
                raise UsageError(f"--map: the folder {folder!r} is given two classes.")
    return FolderMap(classes)


def format_map(classes: Mapping[str, str]) -> str:
    """Return the text of a `--map`; `read_map` gives the same classes back."""
    return ",".join(f"{_escape(folder)}={_escape(label)}" for folder, label in classes.items())


def _escape(name: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", name)


def _read_pairs(text: str) -> list[tuple[str, str]]:
    pairs: list[list[str]] = [[]]
    position = 0
    while position <= len(text):
        found = _PART.match(text, position)
        assert found is not None  # an empty part is a part
        pairs[-1].append(_ESCAPED.sub(r"\1", found[1]).strip())
        position = found.end() + (not found[2])
        if found[2] == ",":
            pairs.append([])
    given = [pair for pair in pairs if pair != [""]]
    if not given or any(len(pair) != 2 or not pair[0] for pair in given):
        raise UsageError(
            f"--map {text}: write FOLDER=CLASS, with commas between several; FOLDER= leaves a "
            "folder out. A comma or an equals sign in a name has a backslash before it: "
            r"'a\,b=mask'"
        )
    return [(as_path(folder), label) for folder, label in given]
