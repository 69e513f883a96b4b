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
