"""The key file: the keys that a user has chosen, and whether each key gives one command.

A small TOML file, one line a command: `undo = "z"`, or `undo = "z,u"`. A class is named by its
folder: `shoot-mask-old = "a"`, `"label-my class" = "f5"`.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.keys import (
    KeyCommand,
    capture_commands,
    command_names,
    key_name,
    review_commands,
    show_keys,
    trash_commands,
)
from maskage.classes.scheme import Scheme
from maskage.errors import UsageError

_VERBS = ("shoot", "label", "restore")


@dataclass(frozen=True)
class KeyFile:
    """The keys that a user has chosen.

    Attributes:
        changes: Keys by name of the command.
        unused: Names of classes that the dataset does not have: one file serves all datasets.
    """

    changes: dict[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()


def key_file_path() -> Path:
    """Return the path of the key file, whether it is there or not."""
    from platformdirs import user_config_path

    return user_config_path("maskage") / "keys.toml"


def read_key_file(path: Path, scheme: Scheme) -> KeyFile:
    """Read the user's key file, and check that every key gives one command.

    Args:
        path: The file; it may be missing.
        scheme: The classes of the dataset, whose keys count too.

    Raises:
        UsageError: Not TOML, an unknown command, or one key for two commands.
    """
    found = _read(path, scheme) if path.is_file() else KeyFile()
    tables = {
        "": capture_commands(scheme, found.changes),
        " in the gallery": review_commands(scheme, found.changes),
        " in the trash": trash_commands(scheme, found.changes),
    }
    for where, commands in tables.items():
        _check_clashes(path, commands, where, found)
    return found


def _read(path: Path, scheme: Scheme) -> KeyFile:
    try:
        lines = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise UsageError(
            f"{path}: cannot be read as TOML ({fault}). Correct or remove it."
        ) from fault
    names = _names_of_commands(scheme)
    changes: dict[str, str] = {}
    unused: list[str] = []
    for line, keys in lines.items():
        is_class = line.startswith(tuple(f"{verb}-" for verb in _VERBS))
        if not isinstance(keys, str) or not keys or not (line in names or is_class):
            raise UsageError(_describe_bad_line(path, line, keys, names))
        chosen = ",".join(_check_key(path, line, keys, key.strip()) for key in keys.split(","))
        if line not in names:
            unused.append(line)
        elif names[line] in changes:
            raise UsageError(
                f"{path}: two lines give the keys of {names[line]}, the second is {line!r}. "
                f"Remove one of them."
            )
        else:
            changes[names[line]] = chosen
    return KeyFile(changes, tuple(unused))


def _names_of_commands(scheme: Scheme) -> dict[str, str]:
    """Return the command that each name in the file stands for."""
    commands = (
        *capture_commands(scheme),
        *review_commands(scheme),
        *trash_commands(scheme),
    )
    names = {command.name: command.name for command in commands}
    for verb in _VERBS:
        for folder in scheme.labels:
            own = command_names(verb, folder, scheme)
            names |= dict.fromkeys(own, own[0])
    return names


def _describe_bad_line(path: Path, line: str, keys: Any, names: dict[str, str]) -> str:
    known = sorted(set(names.values()))
    return (
        f'{path}: a line names a command and its keys, like `undo = "z"`; found '
        f"{line} = {keys!r}. A name with a dot, a blank or a sign stands in quotes. Commands: "
        f"{', '.join(known)}."
    )


def _check_key(path: Path, line: str, keys: str, key: str) -> str:
    if not _is_key(key):
        raise UsageError(
            f"{path}: {line} = {keys!r}: no terminal sends a key {key!r}. Write letters "
            f"and digits as they are, other keys by name: space, f5, ctrl+z, question_mark."
        )
    return key_name(key) if len(key) == 1 else key


def _is_key(key: str) -> bool:
    """Return whether Textual has a key of this name: a letter, "f5", or a character's name."""
    from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character

    bare = key.rpartition("+")[2]
    if len(bare) == 1:
        return True
    named = {known.value.rpartition("+")[2] for known in Keys}
    is_named = bare in named or bare in KEY_NAME_REPLACEMENTS.values()
    return is_named or key_to_character(bare) is not None


def _check_clashes(path: Path, commands: Sequence[KeyCommand], where: str, found: KeyFile) -> None:
    owners: dict[str, KeyCommand] = {}
    for command in commands:
        for key in filter(None, command.keys.split(",")):
            if key in owners:
                raise UsageError(_describe_clash(path, key, (owners[key], command), where, found))
            owners[key] = command


def _describe_clash(
    path: Path, key: str, owners: tuple[KeyCommand, KeyCommand], where: str, found: KeyFile
) -> str:
    first, second = owners
    if first.name in found.changes or second.name in found.changes or first.label is None:
        return (
            f"{path}: the key {key!r} stands for both {first.name} and {second.name}. "
            f"Give one of them another key."
        )
    # Classes come first in a table, so the other one is a command.
    is_bare = first.name.isascii() and first.name.replace("-", "").replace("_", "").isalnum()
    name = first.name if is_bare else repr(first.name)
    return (
        f"The class {first.label!r} has the key {show_keys(key)!r}, which is the key of "
        f"{second.name}{where}: {second.text}. Give the class another `key` in the classes.toml of "
        f'the dataset, or one of the two another key in {path}, with a line like {name} = "f5" or '
        f'{second.name} = "f6".'
    )
