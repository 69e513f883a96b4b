"""Commands that are told to people: whatever is in a name, they can be pasted as they stand."""

import os
import shlex
from collections.abc import Iterable


def join_words(words: Iterable[str]) -> str:
    """Join the words of a command; bash and zsh read them back, and a terminal obeys none.

    Names with control characters, or that are not UTF-8, are written as $'...'.
    """
    return " ".join(shlex.quote(word) if word.isprintable() else _escaped(word) for word in words)


def _escaped(word: str) -> str:
    shown = (
        chr(byte) if 32 <= byte < 127 and chr(byte) not in "'\\" else f"\\x{byte:02x}"
        for byte in os.fsencode(word)
    )
    return f"$'{''.join(shown)}'"
