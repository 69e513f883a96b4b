"""`collector doctor`: hold folders and manifest against each other, and mend what differs."""

import json
from pathlib import Path

from maskage.console import CommandParser, show, show_block, show_progress
from maskage.errors import GateFailedError


def run_doctor(words: list[str]) -> int:
    """Examine the dataset, mend it where asked to, and tell; returns the exit code.

    Raises:
        GateFailedError: Something is left to mend, and --strict was given.
    """
    parser = CommandParser(
        prog="collector doctor",
        description="Find what is not as it should be in a dataset: photos put in, moved or "
        "changed by hand, rows without photos, damaged photos, leftovers of a crash, a lost or "
        "damaged manifest. Changes nothing without --fix, and never deletes a photo.",
        epilog="Notes are for you to decide and are no faults: one picture under two labels, "
        "pictures outside the four folders, consents that are missing or have ended.",
    )
    parser.add_argument(
        "data", type=Path, nargs="?", default=Path("data"), help="dataset folder (default: data)"
    )
    parser.add_argument("--fix", action="store_true", help="mend what was found")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--strict", action="store_true", help="exit 3 if anything is left to mend")
    arguments = parser.parse_args(words)
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
                "See why above, and mend by hand."
                if arguments.fix
                else f"Mend with `collector doctor {arguments.data} --fix`."
            )
        )
    return 0
