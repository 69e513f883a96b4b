"""`collector capture` and `collector review`: the two screens in the terminal."""

import argparse
from pathlib import Path

from maskage.commands.options import (
    add_data,
    add_demo_seed,
    add_face_model,
    add_source,
    add_target,
    add_who,
    require_target,
)
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command
from maskage.demo.address import is_demo
from maskage.formats.set_aside_file import PassedOver


def _add_capture_options(parser: CommandParser) -> None:
    add_data(parser, _read_dataset)
    add_source(parser)
    add_who(parser)
    parser.add_argument(
        "--gate",
        choices=["strict", "warn", "off"],
        default="warn",
        help="how to treat a blurred, dark or faceless shot: strict refuses it, warn saves it with "
        "a warning, off saves it (default: warn)",
    )
    add_target(parser)
    parser.add_argument(
        "--whole",
        action="store_true",
        help="of a folder of pictures, label all of each picture and not a face in it",
    )
    parser.add_argument(
        "--show-again",
        action="append",
        choices=[how.value for how in PassedOver],
        default=[],
        help="of a folder of pictures, show those too that were skipped, or rejected, before",
    )
    add_demo_seed(parser)
    add_face_model(parser)


def _read_dataset(text: str) -> Path:
    """Return the folder that is given as DATA, unless a source was given in its place."""
    is_webcam = text.isdigit() and len(text) < 3
    if (is_demo(text) or is_webcam or "://" in text) and not Path(text).exists():
        raise argparse.ArgumentTypeError(
            f"{text} is a source. Give it as --source. A folder of this name is written ./{text}"
        )
    return Path(text)


def _run_capture_command(arguments: argparse.Namespace) -> int:
    require_target(arguments.target)
    from collector.app import run_capture

    return run_capture(
        arguments.data,
        arguments.source,
        arguments.subject,
        arguments.face_model,
        gate=arguments.gate,
        target=arguments.target,
        seed=arguments.seed,
        is_self=arguments.is_self,
        is_whole=arguments.whole,
        shown_again=[PassedOver(how) for how in arguments.show_again],
    )


def _run_review_command(arguments: argparse.Namespace) -> int:
    from collector.app import run_review

    return run_review(arguments.data)


CAPTURE = Command(
    "capture",
    "photograph and label faces",
    "Photograph and label faces in a terminal. Each shot is saved in the folder of its class.",
    _add_capture_options,
    _run_capture_command,
)

REVIEW = Command(
    "review",
    "look through the photos: relabel, flag, remove",
    "Look through the photos in a gallery: relabel, flag, move to the trash, undo.",
    add_data,
    _run_review_command,
)
