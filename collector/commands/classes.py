"""`collector classes`: list the classes of a dataset, add one, rename one, remove one."""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.commands.options import add_data, add_json, require_target
from maskage.commands.parser import CommandParser, suggest
from maskage.commands.program import Command
from maskage.console import say, show
from maskage.errors import UsageError
from maskage.shell_words import join_words

if TYPE_CHECKING:
    from maskage.classes.scheme import Scheme

_OF_ADD = ("key", "color", "target", "factor")
"""Options that only describe a class that is added."""


def _add_options(parser: CommandParser) -> None:
    add_data(parser)
    add_json(parser)
    parser.add_argument("--add", metavar="CLASS", help="add a class: the name of its folder")
    parser.add_argument(
        "--rename",
        nargs=2,
        metavar=("OLD", "NEW"),
        help="rename a class with its folder, or follow a folder that was renamed by hand; the "
        "photos keep all that is known of them",
    )
    parser.add_argument("--remove", metavar="CLASS", help="remove a class that has no photos")
    parser.add_argument("--title", metavar="TEXT", help="title of the added or renamed class")
    parser.add_argument("--key", metavar="K", help="key of the added class (default: the next)")
    parser.add_argument(
        "--color", metavar="#RRGGBB", help="colour of the added class (default: the next)"
    )
    parser.add_argument("--target", type=int, metavar="N", help="photos wanted of the added class")
    parser.add_argument(
        "--factor",
        action="append",
        metavar="NAME=VALUE",
        help="value that the added class has of a factor, such as mask=worn; one for each factor",
    )


def _run_classes(arguments: argparse.Namespace) -> int:
    given = [name for name in ("add", "rename", "remove") if getattr(arguments, name) is not None]
    if len(given) > 1:
        raise UsageError(f"One change at a time: --{given[0]} or --{given[1]}.")
    _check_options(arguments, given[0] if given else None)
    from maskage.dataset.class_change_steps import finish_change
    from maskage.formats.classes.classes_file import read_scheme

    root: Path = arguments.data
    finish_change(root)
    if not given:
        return _list(root, read_scheme(root), is_json=arguments.json)
    scheme = {"add": _add, "rename": _rename, "remove": _remove}[given[0]](arguments)
    if _has_outputs(root):
        say(
            "Curated sets and runs that exist keep the classes that they were made with; make new "
            f"ones with: {join_words(['curate', str(root)])}"
        )
    return _list(root, scheme, is_json=arguments.json)


def _has_outputs(root: Path) -> bool:
    """Return True if there is a curated set or a run of the dataset, or one beside it."""
    from maskage.formats.curated.curation_file import CURATION_FILE
    from maskage.formats.curated.plan_file import PLAN_FILE
    from maskage.formats.output_log import read_outputs
    from maskage.formats.run.run_arguments import ARGS_FILE

    beside = root.resolve().parent
    names = (f"*/{PLAN_FILE}", f"*/{CURATION_FILE}", f"*/*/{ARGS_FILE}")
    return bool(read_outputs(root)) or any(True for name in names for _ in beside.glob(name))


def _check_options(arguments: argparse.Namespace, action: str | None) -> None:
    named = [name for name in (*_OF_ADD, "title") if getattr(arguments, name) is not None]
    wrong = [name for name in named if action != "add" and (name != "title" or action != "rename")]
    if wrong:
        needed = "--add or --rename" if wrong[0] == "title" else "--add"
        raise UsageError(
            f"--{wrong[0]} goes with {needed}. What a class has already is changed in classes.toml."
        )
    if arguments.target is not None:
        require_target(arguments.target)


def _add(arguments: argparse.Namespace) -> "Scheme":
    from collector.commands.new_classes import make_class, require_free_key
    from maskage.dataset.class_changes import add_class
    from maskage.formats.classes.classes_file import read_scheme

    before = read_scheme(arguments.data)
    new = make_class(
        before,
        arguments.add,
        title=arguments.title,
        key=arguments.key,
        color=arguments.color,
        target=arguments.target,
        factors=read_factors(arguments.factor or ()),
    )
    if arguments.key:
        require_free_key(new)
    scheme = add_class(arguments.data, new)
    for name, value in new.factors.items():
        if value not in before.factors[name]:
            known = ", ".join(before.factors[name])
            say(f"Note: {value!r} is a new value of the factor {name} (so far {known}).")
    _note_name(arguments.add, scheme)
    return scheme


def _rename(arguments: argparse.Namespace) -> "Scheme":
    from maskage.dataset.class_changes import rename_class
    from maskage.dataset.outside_folders import is_renamed_by_hand

    old, new = arguments.rename
    root: Path = arguments.data
    _require_class(root, old)
    is_by_hand = is_renamed_by_hand(root, old, new)
    scheme = rename_class(root, old, new, arguments.title)
    if is_by_hand:
        say(f"The photos that lay in {new} already are those of the class now.")
    _note_name(new, scheme)
    return scheme


def _remove(arguments: argparse.Namespace) -> "Scheme":
    from maskage.dataset.class_changes import remove_class

    _require_class(arguments.data, arguments.remove)
    return remove_class(arguments.data, arguments.remove)


def read_factors(texts: Iterable[str]) -> dict[str, str]:
    """Return the values of factors that several `--factor` name.

    Raises:
        UsageError: One is not NAME=VALUE, or a factor is named twice.
    """
    from maskage.dataset.outside_folders import PLACEHOLDER

    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name or not value:
            raise UsageError(f"--factor {text}: write NAME=VALUE, such as --factor mask=worn.")
        if name in values:
            raise UsageError(f"--factor: {name} is given twice.")
        if value == PLACEHOLDER:
            raise UsageError(
                f"--factor {text}: write a value where {PLACEHOLDER} stands, such as "
                f"--factor mask=worn. Nothing was changed."
            )
        values[name] = value
    return values


def _require_class(root: Path, label: str) -> None:
    """Refuse a class that there is not, with the one that was probably meant."""
    from maskage.dataset.importing.sources.near_classes import close_classes
    from maskage.dataset.outside_folders import require_dataset
    from maskage.formats.classes.classes_file import read_scheme

    scheme = read_scheme(root)
    require_dataset(root, scheme)
    if label not in scheme:
        near = close_classes(label, scheme)
        hint = f" Did you mean {' or '.join(near[:3])}?" if near else suggest(label, scheme.labels)
        raise UsageError(
            f"{root}: there is no class {label!r}. The classes are {', '.join(scheme.labels)}."
            f"{hint} Nothing was changed."
        )


def _note_name(folder: str, scheme: "Scheme") -> None:
    from maskage.dataset.new_dataset import name_notes

    for note in name_notes(scheme.labels):
        if repr(folder) in note:
            say(f"Note: {note}")


def _list(root: Path, scheme: "Scheme", *, is_json: bool) -> int:
    from collector.commands.class_list import class_as_json, list_classes
    from maskage.dataset.outside_folders import describe_outside, find_outside
    from maskage.dataset.photo_files import list_files
    from maskage.formats.classes.classes_file import CLASSES_FILE
    from maskage.outside_text import path_to_text

    photos = dict.fromkeys(scheme.labels, 0)
    for label in list_files(root, scheme.labels).values():
        photos[label] += 1
    outside = find_outside(root, scheme)
    if is_json:
        answer = {
            "dataset": path_to_text(str(root)),
            "factors": {name: list(values) for name, values in scheme.factors.items()},
            "classes": [class_as_json(each) | {"photos": photos[each.folder]} for each in scheme],
            "outside": {path_to_text(name): count for name, count in outside.items()},
        }
        show(json.dumps(answer))
        return 0
    has_file = (root / CLASSES_FILE).exists()
    origin = f"listed in {root / CLASSES_FILE}" if has_file else f"the default; no {CLASSES_FILE}"
    show(f"{root}: {len(scheme)} classes, {origin}", *list_classes(scheme, photos))
    if outside:
        show(f"note: {describe_outside(root, scheme, outside)}.")
    return 0


CLASSES = Command(
    "classes",
    "list, add, rename and remove classes",
    "List the classes of a dataset: key, folder, title, factors, target, photos and colour; or add "
    "one, rename one with its photos, or remove an empty one. Each change is all or nothing.",
    _add_options,
    _run_classes,
    epilog="What a class has beside its folder (title, key, colour, target, factors) is changed in "
    "classes.toml in the dataset; `collector init --help` shows what it holds.",
)
