"""`collector status` and `collector cameras`: the dataset and the cameras that are there."""

import argparse
import json
import shlex

from maskage.commands.options import add_data, add_json, add_target, require_target
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command
from maskage.console import say, show, show_block


def _add_status_options(parser: CommandParser) -> None:
    add_data(parser)
    add_target(parser)
    add_json(parser)


def _run_status(arguments: argparse.Namespace) -> int:
    require_target(arguments.target)
    from maskage.dataset.status.dataset_status import read_status
    from maskage.formats.dataset_folder import manifest_path

    status = read_status(arguments.data, arguments.target)
    if any(status.counts.values()) and not manifest_path(arguments.data).is_file():
        say(
            f"{arguments.data}: there is no manifest, so nobody knows whose the photos are. If "
            f"there was one: collector doctor {shlex.quote(str(arguments.data))} --fix"
        )
    show_block(json.dumps(status.to_json()) if arguments.json else status)
    return 0


def _run_cameras(arguments: argparse.Namespace) -> int:
    from maskage.cameras.sources import find_webcams

    found = find_webcams()
    for webcam in found:
        show(f"{webcam.index}     {webcam}: collector --source {webcam.index}")
    show("demo  rendered people, no camera needed: collector --source demo")
    if not found:
        say("No webcam was found. A video file, a stream's URL or a folder of pictures also works.")
    return 0


STATUS = Command(
    "status",
    "count the photos, and say what to photograph next",
    "Count the photos of each class and person, and say what to photograph next.",
    _add_status_options,
    _run_status,
)

CAMERAS = Command(
    "cameras",
    "list the cameras of this machine",
    "List the cameras of this machine, with the command that uses each.",
    lambda parser: None,
    _run_cameras,
)
