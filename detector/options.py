"""Options, and checks of them, that several `detector` commands share."""

import argparse
from pathlib import Path

from maskage.console import say_block, show_block
from maskage.errors import UsageError


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """`--model` and `--face-model`."""
    parser.add_argument(
        "--model", type=Path, metavar="RUN", help="run or bundle folder (default: the newest run)"
    )
    parser.add_argument(
        "--face-model",
        type=Path,
        metavar="ONNX",
        help="a copy of YuNet (default: $FACE_MODEL, else fetched once)",
    )


def add_seed_option(parser: argparse.ArgumentParser) -> None:
    """`--seed`, for the demo camera."""
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="who the demo camera shows (default: 0)"
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
        raise UsageError(f"{option} is a share from 0 to 1; found {value}.")


def require_one_stdout(arguments: argparse.Namespace) -> bool:
    """Whether `--json` or `--csv` takes stdout.

    Raises:
        UsageError: Both do.
    """
    taken = [out for out in (arguments.json, arguments.csv) if str(out) == "-"]
    if len(taken) > 1:
        raise UsageError("--json - and --csv - both write to stdout. Name a file for one of them.")
    return bool(taken)


def tell_summary(summary: str, *, is_stdout_taken: bool) -> None:
    """A summary is a result, unless stdout carries another one."""
    if is_stdout_taken:
        say_block(summary)
    else:
        show_block(summary)
