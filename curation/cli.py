"""The `curate` command: from a folder of photos to train, val and test that do not leak."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from collector.console import CommandParser, run_command, say, show_progress
from collector.errors import GateFailedError

if TYPE_CHECKING:
    from curation.plan import CurationPlan, CurationSettings

DEFAULT_DATA = Path("data")
DEFAULT_OUT = Path("curated")


def main(argv: list[str] | None = None) -> int:
    """Run `curate` with these arguments (of the process, by default); returns the exit code."""
    return run_command(lambda: _curate(argv))


def _curate(argv: list[str] | None) -> int:
    arguments = _make_parser().parse_args(argv)
    settings = _settings_of(arguments)
    from curation.materialise import materialise_plan, require_replaceable
    from curation.planning import make_plan
    from curation.report import render_report

    require_replaceable(arguments.out, arguments.data.resolve())
    plan = make_plan(arguments.data, settings, show_progress)
    faults = [notice.text for notice in plan.notices if notice.is_fault]
    is_written = not arguments.dry_run and not (arguments.strict and faults)
    if is_written:
        report = render_report(plan, arguments.out.resolve())
        materialise_plan(plan, arguments.out, report, show_progress)
    _tell(plan, arguments, is_written)
    if arguments.strict and faults:
        raise GateFailedError(
            f"--strict: {len(faults)} fault{'s' if len(faults) > 1 else ''} found "
            f"({faults[0]}) Nothing was written; what was there before is untouched."
        )
    return 0


def _make_parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="curate",
        description="Turn four folders of photos into train, val and test that do not leak. "
        "The dataset is only read; the result replaces a former one whole.",
    )
    parser.add_argument("data", type=Path, nargs="?", default=DEFAULT_DATA, help="dataset folder")
    parser.add_argument(
        "--dedupe", action="store_true", help="set near-duplicates aside; the best photo stays"
    )
    parser.add_argument(
        "--balance",
        action="store_true",
        help="fill up the smaller classes of train with augmented variants",
    )
    parser.add_argument(
        "--out", type=Path, default=DEFAULT_OUT, help="folder of the result (default: curated)"
    )
    parser.add_argument(
        "--ratio",
        type=float,
        nargs=3,
        default=(0.8, 0.1, 0.1),
        metavar=("TRAIN", "VAL", "TEST"),
        help="shares, which sum to 1 (default: .8 .1 .1)",
    )
    parser.add_argument("--seed", type=int, default=1337, help="(default: 1337)")
    parser.add_argument(
        "--split",
        choices=["group", "random"],
        default="group",
        help="keep people, sessions and near-duplicates on one side, or do as split-folders does "
        "by itself (default: group)",
    )
    parser.add_argument(
        "--radius",
        type=int,
        default=4,
        metavar="BITS",
        help="pHash bits within which a photo is a near-duplicate for --dedupe (default: 4)",
    )
    parser.add_argument("--dry-run", action="store_true", help="print the plan, write nothing")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument(
        "--strict", action="store_true", help="on any fault in the photos write nothing, exit 3"
    )
    return parser


def _settings_of(arguments: argparse.Namespace) -> "CurationSettings":
    from curation.plan import CurationSettings

    return CurationSettings(
        dedupe=arguments.dedupe,
        balance=arguments.balance,
        ratio=tuple(arguments.ratio),
        seed=arguments.seed,
        split=arguments.split,
        radius=arguments.radius,
    )


def _tell(plan: "CurationPlan", arguments: argparse.Namespace, is_written: bool) -> None:
    from curation.summary import plan_as_json, plan_as_table

    out = arguments.out if is_written else None
    for notice in plan.notices:
        say(f"{'fault' if notice.is_fault else 'note'}: {notice.text}")
    if arguments.json:
        print(json.dumps(plan_as_json(plan, out, with_photos=arguments.dry_run)))
        return
    print(plan_as_table(plan, with_photos=arguments.dry_run))
    if is_written:
        print(f"written to {arguments.out}; look at {arguments.out / 'report.html'}")
        print(f"Next: trainer fit {arguments.out}")
    elif arguments.dry_run:
        print("Nothing was written (--dry-run).")


if __name__ == "__main__":
    sys.exit(main())
