"""The keys of a live view: those of every view, and those of a model's classes."""

from collections.abc import Sequence
from itertools import groupby

from detector.screens.commands import (
    KEYS,
    PLAIN_KEYS,
    PLAIN_SEVERAL_KEYS,
    SEVERAL_KEYS,
    ChooseLabel,
    Command,
    CorrectAsChosen,
    CorrectLabel,
)
from maskage.classes.scheme import Scheme
from maskage.outside_text import shown_text

_CHOOSING: dict[str, Command] = {
    "[": ChooseLabel(-1),
    "]": ChooseLabel(1),
    "\r": CorrectAsChosen(),
    "\n": CorrectAsChosen(),
}


class LiveKeys:
    """The meaning of each key.

    A class has the key that the scheme gives it, unless that key has a meaning of its own. Classes
    without a key are chosen with [ and ].

    Args:
        scheme: The classes of the model.
        has_several: Several cameras are watched, which have keys of their own.

    Attributes:
        help: What every key does, on one line: "q quit, ..., 1-4 its right label".
    """

    def __init__(self, scheme: Scheme, *, has_several: bool = False) -> None:
        plain = KEYS | (SEVERAL_KEYS if has_several else {})
        keys = {each.key: each.folder for each in scheme if each.key}
        taken = [key for key in keys if key in plain or key in _CHOOSING]
        own = [key for key in keys if key not in taken]
        self._commands = plain | {key: CorrectLabel(keys[key]) for key in own}
        parts = [PLAIN_KEYS, *([PLAIN_SEVERAL_KEYS] if has_several else [])]
        parts += [f"{name_keys(own)} its right label"] if own else []
        if len(own) < len(scheme):
            self._commands |= _CHOOSING
            parts.append("[ and ] choose a label, Enter saves it")
        parts += [f"{k} is not the key of {shown_text(scheme.title(keys[k]))} here" for k in taken]
        self.help = ", ".join(parts)

    def parse(self, keys: str) -> list[Command]:
        """Return the commands of pressed keys, in order; keys without a meaning are skipped."""
        return [self._commands[key] for key in keys if key in self._commands]


def name_keys(keys: Sequence[str]) -> str:
    """Return keys in a few words: "1-4", "1-3 and x", "a, b and c"."""
    # Digits that follow one another have the same distance from their position.
    runs = [
        [key for _, key in run]
        for _, run in groupby(
            enumerate(keys), lambda pair: ord(pair[1]) - pair[0] if pair[1].isdigit() else pair[1]
        )
    ]
    parts: list[str] = []
    for run in runs:
        parts += [f"{run[0]}-{run[-1]}"] if len(run) > 2 else run
    shown = ["space" if part == " " else part for part in parts]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
