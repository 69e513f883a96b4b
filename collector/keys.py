"""Every key of both screens: one table each, from which bindings, footer and help are made.

Keys can be changed in a small TOML file, one line a command: `undo = "z"`, or `undo = "z,u"`.
"""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from maskage.classes.ready_made import MASK_AGE
from maskage.errors import UsageError

BURST_COUNT = 10
TIMER_S = 3


@dataclass(frozen=True)
class KeyCommand:
    """A command that a key gives.

    Attributes:
        name: Name in the key file.
        keys: Names of keys, separated by commas.
        action: Textual action of the screen.
        short: One word for the footer; empty where the footer shows it otherwise.
        text: Line in the help.
    """

    name: str
    keys: str
    action: str
    short: str
    text: str


COMMANDS: tuple[KeyCommand, ...] = (
    *(
        KeyCommand(
            f"shoot-{label.replace('_', '-')}",
            str(number),
            f"shoot('{label}')",
            "",
            f"shoot into {label}; hold for a burst",
        )
        for number, label in enumerate(MASK_AGE.labels, 1)
    ),
    KeyCommand(
        "again", "space", "again", "again", "shoot into the class used last; hold for a burst"
    ),
    KeyCommand(
        "burst", "b", "burst", f"burst {BURST_COUNT}", f"take {BURST_COUNT} shots, 5 a second"
    ),
    KeyCommand("timer", "t", "timer", "timer", "take one shot after 3-2-1, hands free"),
    KeyCommand("undo", "u,backspace", "undo", "undo", "move the last shot or burst to the trash"),
    KeyCommand("redo", "ctrl+y", "redo", "redo", "bring back what was undone"),
    KeyCommand("flag", "f", "flag", "flag", "flag the last photo, to review it later"),
    KeyCommand("subject", "s", "subject", "subject", "set who is in front of the camera"),
    KeyCommand("session", "n", "session", "session", "start a new session: new light, new clothes"),
    KeyCommand("camera", "c", "camera", "camera", "open the next camera, or this one again"),
    KeyCommand("mirror", "m", "mirror", "mirror", "mirror the preview; photos are never mirrored"),
    KeyCommand("pause", "p", "pause", "pause", "freeze the picture and close the shutter"),
    KeyCommand("skip", "right", "skip", "skip", "go to the next picture of a folder"),
    KeyCommand("gallery", "g", "gallery", "gallery", "review the photos and correct labels"),
    KeyCommand("help", "question_mark", "help", "help", "show this page"),
    KeyCommand("quit", "q", "quit", "quit", "finish saving and leave"),
)

REVIEW_COMMANDS: tuple[KeyCommand, ...] = (
    *(
        KeyCommand(
            f"label-{label.replace('_', '-')}",
            str(number),
            f"relabel('{label}')",
            "",
            f"label it {label} and go on",
        )
        for number, label in enumerate(MASK_AGE.labels, 1)
    ),
    KeyCommand(
        "accept", "a", "accept", "accept", "take the label that the model suggests, and go on"
    ),
    KeyCommand("trash", "x,delete", "trash", "trash", "move it to the trash"),
    KeyCommand("review-flag", "f", "flag", "flag", "set or remove the flag"),
    KeyCommand("range", "v", "range", "range", "start a range here; keys then work on all of it"),
    KeyCommand("enlarge", "enter", "enlarge", "enlarge", "show one photo as large as the screen"),
    KeyCommand("review-undo", "u,backspace", "undo", "undo", "undo the last step"),
    KeyCommand("review-redo", "ctrl+y", "redo", "redo", "do again what was undone"),
    KeyCommand("left", "h,left", "step(-1, 0)", "", "move left"),
    KeyCommand("down", "j,down", "step(0, 1)", "", "move down"),
    KeyCommand("up", "k,up", "step(0, -1)", "", "move up"),
    KeyCommand("right", "l,right", "step(1, 0)", "", "move right"),
    KeyCommand("page-down", "pagedown,space", "page(1)", "", "move one screen down"),
    KeyCommand("page-up", "pageup", "page(-1)", "", "move one screen up"),
    KeyCommand("first", "home", "end(-1)", "", "go to the first photo"),
    KeyCommand("last", "end", "end(1)", "", "go to the last photo"),
    KeyCommand("only-class", "c", "only_class", "class", "show only one class: the next one"),
    KeyCommand("only-subject", "s", "only_subject", "subject", "show only one person"),
    KeyCommand("only-session", "n", "only_session", "session", "show only one session"),
    KeyCommand("only-flagged", "m", "only_flagged", "flagged", "show only flagged photos"),
    KeyCommand(
        "only-disputed", "d", "only_disputed", "disputed", "show only where a model disagrees"
    ),
    KeyCommand("all", "0", "show_all", "all", "show all photos again"),
    KeyCommand(
        "order", "o", "order", "order", "sort: newest, least sharp, least certain, look-alikes"
    ),
    KeyCommand("larger", "plus,equals_sign", "zoom(1)", "zoom", "show larger pictures"),
    KeyCommand("smaller", "minus", "zoom(-1)", "", "show smaller pictures"),
    KeyCommand("review-help", "question_mark", "help", "help", "show this page"),
    KeyCommand("back", "g,escape,q", "back", "back", "go back to where you came from"),
)

_KEY_WORDS = {
    "question_mark": "?",
    "backspace": "⌫",
    "right": "→",
    "left": "←",
    "up": "↑",
    "down": "↓",
    "escape": "esc",
    "enter": "⏎",
    "delete": "del",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "pagedown": "pgdn",
    "pageup": "pgup",
}


def show_keys(keys: str) -> str:
    """Return key names as people read them: "u,backspace" as "u ⌫", "ctrl+y" as "^y"."""
    words = [_KEY_WORDS.get(key, key).replace("ctrl+", "^") for key in keys.split(",")]
    return " ".join(words)


def read_key_changes(path: Path) -> dict[str, str]:
    """Read the user's key file: keys by name of the command; empty where there is no file.

    Raises:
        UsageError: Not TOML, an unknown command, or one key for two commands.
    """
    if not path.is_file():
        return {}
    try:
        changes = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise UsageError(
            f"{path}: cannot be read as TOML ({fault}). Correct or remove it."
        ) from fault
    known = {command.name for command in (*COMMANDS, *REVIEW_COMMANDS)}
    for name, keys in changes.items():
        if name not in known or not isinstance(keys, str) or not keys:
            raise UsageError(
                f'{path}: a line names a command and its keys, like `undo = "z"`; found '
                f"{name} = {keys!r}. Commands: {', '.join(sorted(known))}."
            )
    for name, keys in changes.items():
        for key in keys.replace(" ", "").split(","):
            if not _is_key(key):
                raise UsageError(
                    f"{path}: {name} = {keys!r}: no terminal sends a key {key!r}. Write letters "
                    f"and digits as they are, other keys by name: space, f5, ctrl+z, question_mark."
                )
    for commands in (COMMANDS, REVIEW_COMMANDS):
        _check_clashes(path, with_changes(changes, commands))
    return changes


def with_changes(
    changes: dict[str, str], commands: tuple[KeyCommand, ...] = COMMANDS
) -> tuple[KeyCommand, ...]:
    """Return a table of commands with a user's keys in it."""
    return tuple(replace(c, keys=changes.get(c.name, c.keys).replace(" ", "")) for c in commands)


def _is_key(key: str) -> bool:
    """Return whether Textual has a key of this name: a letter, "f5", or a character's name."""
    from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character

    bare = key.rpartition("+")[2]
    if len(bare) == 1:
        return True
    named = {known.value.rpartition("+")[2] for known in Keys}
    is_named = bare in named or bare in KEY_NAME_REPLACEMENTS.values()
    return is_named or key_to_character(bare) is not None


def _check_clashes(path: Path, commands: tuple[KeyCommand, ...]) -> None:
    owners: dict[str, str] = {}
    for command in commands:
        for key in command.keys.split(","):
            if key in owners:
                raise UsageError(
                    f"{path}: the key {key!r} stands for both {owners[key]} and {command.name}. "
                    f"Give one of them another key."
                )
            owners[key] = command.name
