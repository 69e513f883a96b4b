"""Names that tools give to the copies of one photo: augmented, mirrored, exported. Pure."""

import re
from pathlib import PurePosixPath

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

_AUGMENTOR_PREFIX = re.compile(r"^.+?_original_")


def without_tool_mark(stem: str) -> str:
    """Return a name without the mark of a tool that copies photos; others as they are."""
    for mark in TOOL_MARKS:
        shorter = mark.sub("", stem)
        if shorter != stem:
            return _AUGMENTOR_PREFIX.sub("", shorter)
    return stem


def without_script_mark(stem: str) -> tuple[str, str] | None:
    """Return a name without the mark of somebody's script, and the mark's word; None for others."""
    found = SCRIPT_MARK.search(stem)
    return (stem[: found.start()], found["kind"].casefold()) if found else None


def source_stem(path: str) -> str | None:
    """Return the name of the photo that a copy was perhaps made from; None for another name."""
    stem = PurePosixPath(path).stem
    shorter = without_tool_mark(stem)
    if shorter != stem:
        return shorter
    found = without_script_mark(stem)
    return found[0] if found else None
