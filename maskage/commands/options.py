"""The options that several commands share: one name, one place and one help for each."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maskage.commands.parser import CommandParser, offer_words
from maskage.defaults import DEFAULT_DATA, DEFAULT_RUNS, DEFAULT_SEED, DEFAULT_TARGET
from maskage.errors import UsageError


def add_data(parser: CommandParser, read: Callable[[str], Path] = Path) -> None:
    """Add DATA, the dataset.

    Args:
        parser: Parser of the command.
        read: Function that returns the folder, or raises `argparse.ArgumentTypeError`.
    """
    parser.add_word(
        "--data",
        type=read,
        default=DEFAULT_DATA,
        metavar="DATA",
        help=f"dataset folder (default: {DEFAULT_DATA})",
    )


def add_source(parser: argparse._ActionsContainer, more: str = "", **settings: Any) -> None:
    """Add `--source`, a camera.

    Args:
        parser: Parser or group of options.
        more: What follows in the help.
        settings: What else `add_argument` takes; the default is the first webcam.
    """
    action = parser.add_argument(
        "--source",
        metavar="SOURCE",
        help=f"webcam number, video, stream URL, folder of pictures, 'demo', or 'demo:CLASSES' "
        f"such as demo:mask-state (default: 0){more}",
        **{"default": "0", **settings},
    )
    offer_words(action, ["demo"])


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add `--target`; `require_target` checks it."""
    parser.add_argument(
        "--target",
        type=int,
        default=DEFAULT_TARGET,
        metavar="N",
        help=f"photos wanted in each class without a target of its own (default: {DEFAULT_TARGET})",
    )


def require_target(target: int) -> None:
    """Refuse a target that no class can reach or miss.

    Raises:
        UsageError: It is under 1.
    """
    if target < 1:
        raise UsageError(f"--target is at least 1; found {target}.")


def add_run(parser: CommandParser) -> None:
    """Add RUN, a trained model, and `--runs`."""
    parser.add_word("--model", dest="run", type=Path, metavar="RUN", help=_RUN_HELP)
    add_runs(parser)


def add_model(parser: argparse._ActionsContainer) -> None:
    """Add `--model`, a trained model."""
    parser.add_argument("--model", type=Path, metavar="RUN", help=_RUN_HELP)


_RUN_HELP = "run or bundle folder (default: the newest run)"


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Add `--runs`, the folder of all runs."""
    parser.add_argument(
        "--runs",
        type=Path,
        default=DEFAULT_RUNS,
        metavar="FOLDER",
        help=f"folder of the runs (default: {DEFAULT_RUNS})",
    )


def add_face_model(parser: argparse._ActionsContainer) -> None:
    """Add `--face-model`, a copy of YuNet."""
    parser.add_argument(
        "--face-model",
        type=Path,
        metavar="ONNX",
        help="a copy of YuNet, which finds faces (default: $FACE_MODEL, else it is fetched once)",
    )


def add_seed(parser: argparse._ActionsContainer, what: str, default: int = DEFAULT_SEED) -> None:
    """Add `--seed`.

    Args:
        parser: Parser or group of options.
        what: What is drawn with it, for the help.
        default: The seed where none is given.
    """
    is_left_out = parser.argument_default is argparse.SUPPRESS
    parser.add_argument(
        "--seed",
        type=int,
        default=argparse.SUPPRESS if is_left_out else default,
        metavar="N",
        help=f"{what} (default: {default})",
    )


def add_demo_seed(parser: argparse._ActionsContainer) -> None:
    """Add `--seed`, for the demo camera."""
    add_seed(parser, "seed of the people that the demo camera shows", 0)


def add_json(parser: argparse.ArgumentParser, for_each: str = "") -> None:
    """Add `--json`, for results as JSON on stdout.

    Args:
        parser: Parser of the command.
        for_each: What has an object of its own, such as "run"; an empty string for one object.
    """
    one = f"one JSON object for each {for_each}" if for_each else "one JSON object"
    parser.add_argument("--json", action="store_true", help=f"print {one}, for other programs")


def add_page(parser: argparse.ArgumentParser) -> None:
    """Add `--report`, a page of the results; `--html` is its other name."""
    parser.add_argument(
        "--report",
        "--html",
        dest="page",
        type=Path,
        metavar="FILE.html",
        help="also write a page with tables, figures and photos",
    )


def add_metadata(parser: argparse.ArgumentParser, columns: str, use: str) -> None:
    """Add `--metadata`, a table about photos.

    Args:
        parser: Parser of the command.
        columns: Names of the columns that are read beside `path`.
        use: What it is for.
    """
    parser.add_argument(
        "--metadata",
        type=Path,
        metavar="CSV",
        help=f"a table (CSV or JSON Lines) of path and any of {columns}, {use}",
    )


def add_who(parser: argparse._ActionsContainer) -> None:
    """Add `--subject` and `--self`: who is in front of the camera."""
    parser.add_argument("--subject", metavar="ID", help="pseudonym of who is in front of it")
    parser.add_argument(
        "--self",
        action="store_true",
        dest="is_self",
        help="it is you: that is your consent, and it is put on record",
    )


def require_positive(option: str, value: float | None) -> None:
    """Refuse what is not a finite number above 0.

    Raises:
        UsageError: It is not.
    """
    if value is not None and not 0 < value < float("inf"):
        raise UsageError(f"{option} is a number above 0; found {value:g}.")


def require_share(option: str, value: float | None) -> None:
    """Refuse what is not from 0 to 1.

    Raises:
        UsageError: It is not.
    """
    if value is not None and not 0 <= value <= 1:
        raise UsageError(f"{option} is a share from 0 to 1; found {value:g}. For 90% write 0.9.")
