"""`collector init`: a new dataset with classes of one's own."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.commands.options import add_data, require_target
from maskage.commands.parser import CommandParser, offer_words, suggest
from maskage.commands.program import Command
from maskage.console import say, show
from maskage.defaults import DEFAULT_DATA, DEFAULT_TARGET
from maskage.errors import UsageError
from maskage.shell_words import join_words

if TYPE_CHECKING:
    from maskage.classes.scheme import Scheme
    from maskage.dataset.new_dataset import FoundClasses

_DEFAULT = "mask-age"


def _add_init_options(parser: CommandParser) -> None:
    from maskage.classes.ready_made import READY_MADE

    add_data(parser)
    classes = parser.add_argument(
        "--classes",
        metavar="CLASSES",
        help=f"{', '.join(READY_MADE)}, or names of folders with commas between: "
        f"helmet,no_helmet (default: {_DEFAULT})",
    )
    offer_words(classes, READY_MADE)
    parser.add_argument(
        "--from",
        dest="origin",
        type=Path,
        metavar="FOLDER",
        help="take the folders with pictures in FOLDER, or in a ZIP archive, as the classes, also "
        "those in train, val and test",
    )
    parser.add_argument(
        "--target",
        type=int,
        metavar="N",
        help=f"photos wanted in each class (default: {DEFAULT_TARGET}, or what a command is given)",
    )


def _run_init(arguments: argparse.Namespace) -> int:
    if arguments.target is not None:
        require_target(arguments.target)
    if arguments.classes is not None and arguments.origin is not None:
        raise UsageError(
            "The classes are given by --classes or by --from, not by both. To bring photos of "
            "folders with other names into the classes of --classes, leave --from out and use "
            "`collector import` then: it says which folder may be which class."
        )
    from maskage.dataset.new_dataset import (
        make_dataset,
        name_notes,
        with_targets,
    )
    from maskage.dataset.outside_folders import find_outside

    root: Path = arguments.data
    found = _find_classes(arguments.origin) if arguments.origin is not None else None
    text = _DEFAULT if arguments.classes is None else arguments.classes
    scheme = found.scheme if found else read_classes(text)
    if arguments.target is not None:
        scheme = with_targets(scheme, arguments.target)
    make_dataset(root, scheme)
    if found:
        say(f"{arguments.origin}: the classes are {found.origin}.")
    _note_ready_made(scheme, arguments.classes)
    for note in name_notes(scheme.labels):
        say(f"Note: {note}")
    if others := find_outside(root, scheme):
        listed = ", ".join(f"{name} ({count})" for name, count in others.items())
        say(f"Note: pictures in {root} in folders that are no classes: {listed}.")
    _show_made(root, scheme, arguments.origin)
    return 0


def _find_classes(origin: Path) -> "FoundClasses":
    """Find the classes of a folder, or of a ZIP archive of one."""
    from maskage.dataset.importing.sources.unpacked import unpacked
    from maskage.dataset.new_dataset import find_classes
    from maskage.system.archives import is_zip

    if not is_zip(origin):
        return find_classes(origin)
    with unpacked(origin) as (folder, _):
        return find_classes(folder)


def read_classes(text: str) -> "Scheme":
    """Return the scheme that `--classes` names: a ready-made one, or a list of folders.

    Raises:
        UsageError: It is neither.
    """
    from maskage.classes.ready_made import READY_MADE, plain_scheme

    if scheme := READY_MADE.get(text.strip()):
        return scheme
    names = [name.strip() for name in text.split(",")]
    if len(names) < 2:
        raise UsageError(
            f"--classes {text}: there is no such scheme; known are {', '.join(READY_MADE)}."
            f"{suggest(text, READY_MADE)} For classes of your own write two or more names of "
            f"folders with commas between: --classes helmet,no_helmet"
        )
    try:
        return plain_scheme(names)
    except ValueError as fault:
        raise UsageError(
            f"--classes {text}: {fault}. Write two or more names of folders with commas between: "
            f"--classes helmet,no_helmet"
        ) from fault


def _note_ready_made(scheme: "Scheme", text: str | None) -> None:
    """Say that plain classes with these folders are known with their factors."""
    from maskage.classes.ready_made import READY_MADE

    for name, known in READY_MADE.items():
        if text is not None and not scheme.factors and set(known.labels) == set(scheme.labels):
            say(
                f"Note: these are the folders of {name}, which also knows what each class shows "
                f"({', '.join(known.factors)}). These here are plain classes."
            )


def _show_made(root: Path, scheme: "Scheme", origin: Path | None) -> None:
    from collector.commands.class_list import list_classes
    from maskage.formats.classes.classes_file import CLASSES_FILE

    show(f"{root}: a dataset with {len(scheme)} classes, listed in {root / CLASSES_FILE}")
    show(*list_classes(scheme))
    if origin is not None and origin.resolve() != root.resolve():
        show(f"Next: {join_words(['collector', 'import', str(origin), str(root)])}")
    else:
        data = [] if root == DEFAULT_DATA else [str(root)]
        show(f"Next: {join_words(['collector', *data])}")


_EPILOG = """\
The classes are listed in classes.toml in the dataset, which you may edit. Only
folder is required:

  [factors]                 # each factor with its values; none if plain
  mask = ["worn", "none"]

  [[class]]
  folder = "mask"           # name of the class folder; it is the label
  title = "mask"            # name on screens and pages
  key = "1"                 # key that shoots and labels, one character
  color = "#7cc7f0"         # colour on screens and pages
  target = 200              # photos wanted; goes before --target
  factors = { mask = "worn" }

A name with a comma is written there by hand. Later, classes are added, renamed
and removed with `collector classes`."""

INIT = Command(
    "init",
    "make a dataset with classes of your own",
    "Make a dataset: its class folders, and classes.toml, which lists the classes. Without "
    "--classes and --from they are mask_old, mask_young, nomask_old and nomask_young. What is "
    "there already is never overwritten.",
    _add_init_options,
    _run_init,
    epilog=_EPILOG,
)
