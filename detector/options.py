"""Options, and checks of them, that several `detector` commands share."""

import argparse
from pathlib import Path

from maskage.console import say_block, show_block
from maskage.errors import UsageError


def add_event_options(parser: argparse._ActionsContainer) -> None:
    """Add `--json` and `--csv`, where the labelled faces go."""
    for option, row in (("--json", "one JSON object for each frame"), ("--csv", "one row a face")):
        parser.add_argument(option, type=Path, metavar="FILE", help=f"write {row}; '-' is stdout")


def add_frames_option(parser: argparse._ActionsContainer) -> None:
    """Add `--frames`, which ends early; `--max-frames` is its other name."""
    parser.add_argument(
        "--frames", "--max-frames", type=int, metavar="N", help="stop after N labelled frames"
    )


def add_strange_above(parser: argparse._ActionsContainer) -> None:
    """Add `--strange-above`, the limit of the strangeness."""
    parser.add_argument(
        "--strange-above",
        type=float,
        metavar="X",
        help="a face is called unsure where it is stranger than this to the model; 1 is the limit "
        "of most models, 'inf' takes every face as known (default: the model's)",
    )


def require_strange_above(value: float | None) -> None:
    """Refuse a limit of the strangeness that is not above 0; infinity is one.

    Raises:
        UsageError: It is not.
    """
    if value is not None and not value > 0:
        raise UsageError(f"--strange-above is a number above 0, or 'inf'; found {value:g}.")


def require_one_stdout(arguments: argparse.Namespace) -> bool:
    """Return whether `--json` or `--csv` takes stdout.

    Raises:
        UsageError: Both do.
    """
    taken = [out for out in (arguments.json, arguments.csv) if str(out) == "-"]
    if len(taken) > 1:
        raise UsageError("--json - and --csv - both write to stdout. Name a file for one of them.")
    return bool(taken)


def print_summary(summary: str, *, is_stdout_taken: bool) -> None:
    """Print a summary: as a result, unless stdout carries another one."""
    if is_stdout_taken:
        say_block(summary)
    else:
        show_block(summary)
