"""The `curate` program: from a folder of photos to train, val and test that do not leak."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from curation.export.command import EXPORT
from curation.options import add_curate_options, settings_of, spell_out, workers_of
from maskage.commands.program import Command, Program
from maskage.console import say, show, show_block, show_progress
from maskage.defaults import DEFAULT_CURATED
from maskage.errors import GateFailedError

if TYPE_CHECKING:
    from curation.plan.plan import CurationPlan


def _run_curate(arguments: argparse.Namespace) -> int:
    settings, workers = settings_of(arguments), workers_of(arguments)
    from curation.build.materialise import materialise_plan, require_replaceable
    from curation.build.report import render_report
    from curation.build.suggestions import flag_doubts
    from curation.plan.planning import make_plan
    from maskage.formats.output_log import Kind, Output, log_output

    require_replaceable(arguments.out, arguments.data)
    out = None if arguments.out == DEFAULT_CURATED else arguments.out
    plan = make_plan(arguments.data, settings, show_progress, workers, out)
    faults = [notice.text for notice in plan.notices if notice.is_fault]
    flagged = None
    is_written = not arguments.dry_run and not (arguments.strict and faults)
    if is_written:
        report = render_report(plan, arguments.out.resolve())
        materialise_plan(plan, arguments.out, report, show_progress)
        log_output([plan.root], Output(arguments.out, Kind.CURATED))
        flagged = flag_doubts(plan)
    _tell(plan, arguments, is_written)
    if flagged is not None:
        say(f"note: {flagged.text}")
    if arguments.strict and faults:
        raise GateFailedError(
            f"--strict: {len(faults)} fault{'s' if len(faults) > 1 else ''} found "
            f"({faults[0]}) Nothing was written; what was there before is untouched."
        )
    return 0


def _tell(plan: "CurationPlan", arguments: argparse.Namespace, is_written: bool) -> None:
    from curation.summary import plan_as_json, plan_as_table

    out = arguments.out if is_written else None
    for notice in plan.notices:
        say(f"{'fault' if notice.is_fault else 'note'}: {notice.text}")
    if arguments.json:
        show(json.dumps(plan_as_json(plan, out, with_photos=arguments.dry_run)))
        return
    show_block(plan_as_table(plan, with_photos=arguments.dry_run))
    if is_written:
        show(f"written to {arguments.out}; look at {arguments.out / 'report.html'}")
        show(f"Next: trainer fit {arguments.out}")
    elif arguments.dry_run:
        show("Nothing was written (--dry-run).")


CURATE = Command(
    "split",
    "split photos into train, val and test",
    "Turn class folders of photos into train, val and test that do not leak. No photo of the "
    "dataset is changed; the result replaces a former one as a whole.",
    add_curate_options,
    _run_curate,
    spell_out=spell_out,
)

PROGRAM = Program("curate", CURATE.description, (CURATE, EXPORT), default=CURATE)

main = PROGRAM.main

if __name__ == "__main__":
    sys.exit(main())
