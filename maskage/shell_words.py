"""Show commands to people so that they can be pasted, whatever characters a name has."""

import os
import shlex
from collections.abc import Iterable


def join_words(words: Iterable[str]) -> str:
    """Join the words of a command so that bash and zsh read them back unchanged.

    Names with control characters, or that are not UTF-8, are written as $'...'.
    """
    return " ".join(shlex.quote(word) if word.isprintable() else _escaped(word) for word in words)


def _escaped(word: str) -> str:
    shown = (
        chr(byte) if 32 <= byte < 127 and chr(byte) not in "'\\" else f"\\x{byte:02x}"
        for byte in os.fsencode(word)
    )
    return f"$'{''.join(shown)}'"
