r"""Prepare text from outside (file names, addresses, answers of servers) for where it is used.

    shown_text, shown_lines      for a terminal: nothing in it moves the cursor or starts a line
    path_to_text, text_to_path   a path as plain UTF-8, for JSON and SQLite, and back
    path_to_cell, cell_to_path   the same for a CSV table, where no program takes it for a formula
    portable_name                a name for a new file, from a name from outside
    path_for_opencv              a path that OpenCV opens, whatever its bytes

Python holds the bytes of a name that are not UTF-8 as lone surrogates, which no file format takes.
They are written as a backslash, "x" and two hex digits: b"f\xfcr.jpg" is the text f\xfcr.jpg. A
backslash that would be read as the start of such an escape is escaped too, as \x5c; all others stay
unchanged.
"""

import os
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TextIO, cast

LONGEST_STEM = 200
"""Longest stem, bytes, of the 255 of a name: suffix, mark and temporary prefix need some."""

_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_MISTAKABLE = re.compile(r"\\(?=x(?:5c|[89a-f][0-9a-f]))")
_ESCAPED = re.compile(r"\\x(5c|[89a-f][0-9a-f])")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of a cell that a spreadsheet may run (OWASP, CSV Injection)."""
_NOT_ON_WINDOWS = frozenset('<>:"/\\|?*')
"""Characters that no name has there (Microsoft, Naming Files, Paths, and Namespaces)."""
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])( *\..*)?", re.IGNORECASE)
"""Names that mean a device there, with any suffix (same source)."""
_JOINERS = "\u200c\u200d"
"""Invisible characters that words and emoji need."""
_HARMFUL = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories of control characters, marks of direction, lone surrogates, line ends."""


def shown_text(text: object) -> str:
    """Return a text on one line for a terminal, with control characters shown as escapes.

    Args:
        text: Name, path or message of a server; anything with a `str`.
    """
    text = str(text)
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def shown_lines(text: str) -> str:
    """Return a text of several lines like `shown_text`, with line ends and tabs unchanged."""
    parts = re.split(r"([\n\t])", text)
    return "".join(part if part in ("\n", "\t") else shown_text(part) for part in parts)


def join_lines(lines: Iterable[str]) -> str:
    """Join lines of output; a name in one of them cannot start a new line."""
    return "\n".join(map(shown_text, lines))


def is_utf8(path: str) -> bool:
    """Return whether the bytes of a path are UTF-8, which some libraries require."""
    return _NOT_UTF8.search(path) is None


def path_to_text(path: str) -> str:
    """Return a path as text that is valid UTF-8; `text_to_path` gives it back."""
    if "\\" in path:
        path = _MISTAKABLE.sub(r"\\x5c", path)
    if path.isascii():
        return path
    return _NOT_UTF8.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", path)


def text_to_path(text: str) -> str:
    """Return the path that `path_to_text` made this text of."""
    return _ESCAPED.sub(_unescaped, text) if "\\x" in text else text


def path_to_cell(path: str) -> str:
    """Return a path for a cell of a CSV table: "+1.jpg" becomes "./+1.jpg", the same file."""
    text = path_to_text(path)
    return f"./{text}" if text.startswith(_FORMULA) else text


def cell_to_path(cell: str) -> str:
    """Return the path that `path_to_cell` made this cell of."""
    return text_to_path(cell.removeprefix("./"))


def portable_name(stem: str) -> str:
    """Return a stem for the name of a new file that every system can show, with room for a mark.

    Bytes that are not UTF-8, control characters and what disks of Windows (exFAT, NTFS, SMB)
    refuse become "_"; a long stem is cut at its end.
    """
    name = "".join(map(_portable, stem)).encode()[:LONGEST_STEM].decode(errors="ignore")
    bare = name.rstrip(". ")
    name = bare + "_" * (len(name) - len(bare))
    return f"_{name}" if _DEVICE.fullmatch(name) else name


def path_for_opencv(path: Path) -> str:
    """Return a path as OpenCV's functions take it.

    As text it may hold lone surrogates, on which OpenCV 5.0 crashes with signal 11. It also accepts
    the bytes of the path, although its type hints do not say so.
    """
    return cast(str, os.fsencode(path))


class ShownOutput:
    """A text stream to a person that escapes control characters.

    Args:
        stream: Stream that the text goes to; its buffer and descriptor are not changed.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text, escaped as by `shown_lines`."""
        self.stream.write(shown_lines(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write lines, escaped as by `shown_lines`."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)


def _portable(letter: str) -> str:
    return "_" if letter in _NOT_ON_WINDOWS or _shown(letter) != letter else letter


@lru_cache(maxsize=4096)
def _shown(letter: str) -> str:
    if letter in _JOINERS or unicodedata.category(letter) not in _HARMFUL:
        return letter
    if _NOT_UTF8.match(letter):
        return path_to_text(letter)
    return letter.encode("unicode_escape").decode()


def _unescaped(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return chr(code) if code < 0x80 else chr(0xDC00 + code)
