"""Every key of both screens: one table each, from which bindings, footer and help are made.

The keys of the classes come from the scheme of the dataset; `collector.key_file` reads the keys
that a user has chosen.
"""

import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from maskage.classes.scheme import Scheme
from maskage.defaults import BURST_COUNT
from maskage.outside_text import shown_text

PALETTE = "find_class"
"""Textual action that opens the palette of classes."""


@dataclass(frozen=True)
class KeyCommand:
    """A command that a key gives.

    Attributes:
        name: Name in the key file.
        keys: Names of keys, separated by commas; empty for a class without a key.
        action: Textual action of the screen.
        short: One word for the footer; empty where the footer shows it otherwise.
        text: Line in the help.
        label: The class that it shoots into or labels with; None for any other command.
    """

    name: str
    keys: str
    action: str
    short: str
    text: str
    label: str | None = None

    @property
    def first_key(self) -> str:
        """The first key as people read it: "u", "^y"; empty without a key."""
        return show_keys(self.keys.split(",")[0])


_CAPTURE: tuple[KeyCommand, ...] = (
    KeyCommand(
        "again", "space", "again", "again", "shoot into the class used last; hold for a burst"
    ),
    KeyCommand("find", "slash", PALETTE, "find", "find a class by its name, and shoot into it"),
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
    KeyCommand("skip", "right", "skip", "skip", "skip this picture of a folder, and remember it"),
    KeyCommand(
        "reject", "x,delete", "reject", "", "reject this picture of a folder, and remember it"
    ),
    KeyCommand(
        "whole", "enter", "whole", "", "label all of this picture of a folder, not a face in it"
    ),
    KeyCommand("gallery", "g", "gallery", "gallery", "review the photos and correct labels"),
    KeyCommand("help", "question_mark", "help", "help", "show this page"),
    KeyCommand("quit", "q", "quit", "quit", "finish saving and leave"),
)

_MOVES: tuple[KeyCommand, ...] = (
    KeyCommand("left", "h,left", "step(-1, 0)", "", "move left"),
    KeyCommand("down", "j,down", "step(0, 1)", "", "move down"),
    KeyCommand("up", "k,up", "step(0, -1)", "", "move up"),
    KeyCommand("right", "l,right", "step(1, 0)", "", "move right"),
    KeyCommand("page-down", "pagedown,space", "page(1)", "", "move one screen down"),
    KeyCommand("page-up", "pageup", "page(-1)", "", "move one screen up"),
    KeyCommand("first", "home", "end(-1)", "", "go to the first photo"),
    KeyCommand("last", "end", "end(1)", "", "go to the last photo"),
)

_REVIEW: tuple[KeyCommand, ...] = (
    KeyCommand("review-find", "slash", PALETTE, "find", "find a class by its name, to label with"),
    KeyCommand(
        "accept", "a", "accept", "accept", "take the label that is suggested, the surest, and go on"
    ),
    KeyCommand(
        "confirm", "r,f4", "confirm", "confirm", "the label is right: no opinion disputes it again"
    ),
    KeyCommand("facts", "e,f2", "facts", "edit", "set or correct subject, session and group"),
    KeyCommand("trash", "x,delete", "trash", "trash", "move it to the trash"),
    KeyCommand("review-flag", "f", "flag", "flag", "set or remove the flag"),
    KeyCommand("range", "v", "range", "range", "start a range here; keys then work on all of it"),
    KeyCommand("choose-all", "ctrl+a", "choose_all", "choose all", "choose all that is shown"),
    KeyCommand("enlarge", "enter", "enlarge", "enlarge", "show one photo as large as the screen"),
    KeyCommand("review-undo", "u,backspace", "undo", "undo", "undo the last step"),
    KeyCommand("review-redo", "ctrl+y", "redo", "redo", "do again what was undone"),
    KeyCommand("see-trash", "t,f8", "see_trash", "removed", "see the trash: restore, or delete"),
    *_MOVES,
    KeyCommand("only-class", "c", "only_class", "class", "show only one class"),
    KeyCommand("only-subject", "s", "only_subject", "subject", "show only one person"),
    KeyCommand("only-session", "n", "only_session", "session", "show only one session"),
    KeyCommand("only-group", "p,f6", "only_group", "group", "show only one group"),
    KeyCommand("only-origin", "i,f7", "only_origin", "origin", "show only one split of the source"),
    KeyCommand("only-flagged", "m", "only_flagged", "flagged", "show only flagged photos"),
    KeyCommand(
        "only-disputed", "d", "only_disputed", "disputed", "show only where an opinion disagrees"
    ),
    KeyCommand("all", "0", "show_all", "all", "show all photos again"),
    KeyCommand(
        "order", "o", "order", "order", "sort: newest, sharpness, certainty, look-alikes, harm"
    ),
    KeyCommand("larger", "plus,equals_sign", "zoom(1)", "zoom", "show larger pictures"),
    KeyCommand("smaller", "minus", "zoom(-1)", "", "show smaller pictures"),
    KeyCommand("review-help", "question_mark", "help", "help", "show this page"),
    KeyCommand("back", "g,escape,q", "back", "back", "go back to where you came from"),
)

_TRASH: tuple[KeyCommand, ...] = (
    KeyCommand("trash-find", "slash", PALETTE, "find", "find a class by its name, to restore into"),
    KeyCommand("restore", "r,f4", "restore", "restore", "bring it back into its class"),
    KeyCommand("delete", "x,delete", "delete", "delete", "delete it for good; asks first"),
    KeyCommand("trash-range", "v", "range", "range", "start a range here; keys work on all of it"),
    KeyCommand("trash-all", "ctrl+a", "choose_all", "choose all", "choose all that is shown"),
    KeyCommand("restore-all", "R,f5", "restore_all", "restore all", "bring all photos back"),
    KeyCommand("empty", "E,f9", "empty", "empty", "delete all of it for good; asks first"),
    KeyCommand("trash-enlarge", "enter", "enlarge", "enlarge", "show one photo large"),
    KeyCommand("trash-undo", "u,backspace", "undo", "undo", "undo the last step"),
    KeyCommand("trash-redo", "ctrl+y", "redo", "redo", "do again what was undone"),
    *(replace(each, name=f"trash-{each.name}") for each in _MOVES),
    KeyCommand("trash-larger", "plus,equals_sign", "zoom(1)", "zoom", "show larger pictures"),
    KeyCommand("trash-smaller", "minus", "zoom(-1)", "", "show smaller pictures"),
    KeyCommand("trash-help", "question_mark", "help", "help", "show this page"),
    KeyCommand("trash-back", "t,escape,q,g", "back", "back", "go back to the gallery"),
)
_GIVE_WAY = frozenset(
    ("confirm", "facts", "see-trash", "only-group", "only-origin", *(each.name for each in _TRASH))
)
"""Commands with a second key: they leave the first to a class, or to whom the user gave it."""

_KEY_WORDS = {
    "question_mark": "?",
    "slash": "/",
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


def capture_commands(
    scheme: Scheme, changes: Mapping[str, str] | None = None
) -> tuple[KeyCommand, ...]:
    """Return the keys of the camera: one for each class that has one, then all others.

    Args:
        scheme: The classes.
        changes: Keys that the user has chosen, by name of the command; see `collector.key_file`.
    """
    classes = _class_commands(scheme, "shoot", "shoot", "shoot into {}; hold for a burst")
    return _yielding(_with_changes((*classes, *_CAPTURE), changes or {}), changes or {})


def picture_commands(commands: Sequence[KeyCommand]) -> tuple[KeyCommand, ...]:
    """Return the keys of the camera with those in the footer that a folder of pictures needs."""
    shown = {"skip": "skip", "reject": "reject", "whole": "all of it"}
    hidden = {"burst", "timer", "session", "mirror", "pause"}
    return tuple(
        replace(c, short="" if c.name in hidden else shown.get(c.name, c.short)) for c in commands
    )


def review_commands(
    scheme: Scheme, changes: Mapping[str, str] | None = None
) -> tuple[KeyCommand, ...]:
    """Return the keys of the gallery; see `capture_commands`."""
    classes = _class_commands(scheme, "label", "relabel", "label it {} and go on")
    return _with_changes((*classes, *_REVIEW), changes or {})


def trash_commands(
    scheme: Scheme, changes: Mapping[str, str] | None = None
) -> tuple[KeyCommand, ...]:
    """Return the keys of the trash; see `capture_commands`."""
    classes = _class_commands(scheme, "restore", "restore_as", "restore it as {}")
    return _with_changes((*classes, *_TRASH), changes or {})


def class_keys(commands: Sequence[KeyCommand]) -> dict[str, str]:
    """Return the first key of each class that has one, as people read it."""
    return {c.label: c.first_key for c in commands if c.label is not None and c.keys}


def name_class_keys(commands: Sequence[KeyCommand]) -> str:
    """Return what to press for a class, in words: "1, 2, 3 or 4", "1 to 9 or /", "/"."""
    keys = list(class_keys(commands).values())
    if all(c.keys for c in commands if c.label is not None) and len(keys) <= 4:
        return f"{', '.join(keys[:-1])} or {keys[-1]}"
    find = next(c.first_key for c in commands if c.action == PALETTE)
    rows = [f"{row[0]} to {row[-1]}" if len(row) > 2 else ", ".join(row) for row in _rows_of(keys)]
    return " or ".join(filter(None, (", ".join(rows), find)))


def shorten_keys(keys: Sequence[str], longest: int = 1) -> str:
    """Return keys for a narrow line: "1-9" for more than `longest` digits in a row, else each."""
    rows = _rows_of(keys)
    return " ".join(f"{row[0]}-{row[-1]}" if len(row) > longest else " ".join(row) for row in rows)


def _rows_of(keys: Sequence[str]) -> list[list[str]]:
    """Part keys where no digit follows the one before: 1 2 3, f5, w."""
    rows: list[list[str]] = []
    for key in keys:
        if rows and len(key) == 1 and rows[-1][-1] + key in "123456789":
            rows[-1].append(key)
        else:
            rows.append([key])
    return rows


def show_keys(keys: str) -> str:
    """Return key names as people read them: "u,backspace" as "u ⌫", "ctrl+y" as "^y"."""
    return " ".join(map(_show_key, keys.split(",")))


def key_name(character: str) -> str:
    """Return the name of the key that types a character: "a", "comma" for ","."""
    from textual.keys import KEY_NAME_REPLACEMENTS

    if character.isalnum():
        return character
    name = unicodedata.name(character, character).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


def command_names(verb: str, folder: str, scheme: Scheme) -> tuple[str, ...]:
    """Return the names of a class's command in the key file, the one for messages first.

    "_" may be written as "-" unless another class has that name: `shoot-mask-old`.
    """
    exact, easy = f"{verb}-{folder}", f"{verb}-{folder.replace('_', '-')}"
    twins = [label for label in scheme.labels if label.replace("_", "-") == easy[len(verb) + 1 :]]
    return tuple(dict.fromkeys((easy, exact))) if len(twins) == 1 else (exact,)


def _class_commands(scheme: Scheme, verb: str, action: str, text: str) -> list[KeyCommand]:
    return [
        KeyCommand(
            command_names(verb, each.folder, scheme)[0],
            key_name(each.key) if each.key else "",
            f"{action}({number})",
            "",
            text.format(shown_text(each.title)),
            each.folder,
        )
        for number, each in enumerate(scheme)
    ]


def _with_changes(
    commands: Sequence[KeyCommand], changes: Mapping[str, str]
) -> tuple[KeyCommand, ...]:
    changed = [replace(c, keys=changes.get(c.name, c.keys)) for c in commands]
    firm = [c for c in changed if c.name not in _GIVE_WAY or c.name in changes]
    taken = {key for command in firm for key in command.keys.split(",")}
    return tuple(c if c in firm else _give_way(c, taken) for c in changed)


def _give_way(command: KeyCommand, taken: Container[str]) -> KeyCommand:
    """Leave the keys of others to them, as long as one is left."""
    own = [key for key in command.keys.split(",") if key not in taken]
    return replace(command, keys=",".join(own)) if own else command


def _yielding(
    commands: tuple[KeyCommand, ...], changes: Mapping[str, str]
) -> tuple[KeyCommand, ...]:
    """Take the keys from the commands of folders that a user gave to others, before they came."""
    is_late = {c.name: c.name in ("reject", "whole") and c.name not in changes for c in commands}
    taken = {key for c in commands if not is_late[c.name] for key in c.keys.split(",")}
    return tuple(
        replace(c, keys=",".join(key for key in c.keys.split(",") if key not in taken))
        if is_late[c.name]
        else c
        for c in commands
    )


def _show_key(key: str) -> str:
    from textual.keys import key_to_character

    if key in _KEY_WORDS or not key:
        return _KEY_WORDS.get(key, key)
    character = key_to_character(key)
    is_seen = character is not None and character.isprintable() and character != " "
    return character if is_seen and character else key.replace("ctrl+", "^")
