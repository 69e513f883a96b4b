"""`collector doctor`: compare folders and manifest, and repair what differs."""

import argparse
import json

from maskage.commands.options import add_data, add_json
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command
from maskage.console import show, show_block, show_progress
from maskage.errors import DatasetError, GateFailedError


def _add_options(parser: CommandParser) -> None:
    add_data(parser)
    parser.add_argument("--fix", action="store_true", help="repair what was found")
    parser.add_argument("--strict", action="store_true", help="exit with 3 where a fault is left")
    add_json(parser)


def _run_doctor(arguments: argparse.Namespace) -> int:
    from maskage.dataset.doctor.examine import examine
    from maskage.dataset.doctor.repair import Left, repair_dataset
    from maskage.dataset.doctor.report import diagnosis_as_json, diagnosis_as_text

    left: Left | None = None
    if arguments.fix:
        mended = repair_dataset(arguments.data, show_progress)
        diagnosis, left = mended.diagnosis, mended.left
    else:
        diagnosis = examine(arguments.data, show_progress)
    if arguments.json:
        show(json.dumps(diagnosis_as_json(diagnosis, left)))
    else:
        show_block(diagnosis_as_text(diagnosis, left))
    remaining = len(diagnosis.findings) if left is None else len(left)
    if arguments.strict and remaining:
        raise GateFailedError(
            f"--strict: {remaining} {'fault is' if remaining == 1 else 'faults are'} left in "
            f"{arguments.data}. "
            + (
                "See why above, and repair them by hand."
                if arguments.fix
                else f"Repair them with `collector doctor {arguments.data} --fix`."
            )
        )
    if left:
        raise DatasetError(
            f"{remaining} {'fault is' if remaining == 1 else 'faults are'} left in "
            f"{arguments.data}, which --fix cannot repair. See why above, and repair them by hand."
        )
    return 0


DOCTOR = Command(
    "doctor",
    "find and repair faults of the dataset",
    "Find faults of a dataset: photos that were added, moved or changed by hand, rows without "
    "photos, damaged photos, leftovers of a crash, a lost or damaged manifest. Changes nothing "
    "without --fix, and never deletes a photo.",
    _add_options,
    _run_doctor,
    epilog="Notes are no faults and are left to you: one picture under two labels, pictures "
    "outside the class folders, consents that are missing or have ended.",
)
