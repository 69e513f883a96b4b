"""The `trainer` program: the table of its commands, and those that measure."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from maskage.commands.options import (
    add_json,
    add_metadata,
    add_page,
    add_run,
    add_runs,
    require_share,
)
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command, Program
from maskage.console import say, show, show_block, show_progress
from maskage.errors import GateFailedError
from trainer.exports.command import EXPORT
from trainer.fit.command import FIT
from trainer.search.command import SEARCH
from trainer.studies.command import CROSS_VALIDATE, LEAK


def _add_evaluate_options(parser: CommandParser) -> None:
    add_run(parser)
    parser.add_argument("--data", type=Path, metavar="FOLDER",
                        help="curated folder, or any folder of the model's class folders (default: "
                        "the photos that the run was trained on)")  # fmt: skip
    parser.add_argument("--split", choices=("train", "val", "test"), default="test",
                        help="part of a curated folder (default: test)")  # fmt: skip
    parser.add_argument("--corruptions", action="store_true",
                        help="also on blurred, noisy, dark, compressed and small copies; runs the "
                        "model eleven times more")  # fmt: skip
    add_metadata(parser, "source, subject, session", "to measure each by itself")
    parser.add_argument("--fail-under", type=float, metavar="X",
                        help="exit with 3 where accuracy is under X, 0 to 1")  # fmt: skip
    add_page(parser)
    add_json(parser)


def _add_compare_options(parser: CommandParser) -> None:
    parser.add_argument("run", type=Path, nargs="*", metavar="RUN",
                        help="run folders (default: all)")  # fmt: skip
    add_runs(parser)
    add_page(parser)
    add_json(parser, "run")


def _run_evaluate(arguments: argparse.Namespace) -> int:
    gate = arguments.fail_under
    require_share("--fail-under", gate)
    from maskage.formats.curated.curated_set import require_all_read
    from maskage.pictures.picture_files import report_left_out
    from trainer.evaluate import evaluate_run, write_evaluation

    result = evaluate_run(
        arguments.run,
        arguments.data,
        arguments.split,
        arguments.runs,
        has_corruptions=arguments.corruptions,
        metadata=arguments.metadata,
        progress=show_progress,
    )
    report_left_out(result.left_out)
    if arguments.page is not None:
        result = write_evaluation(result, arguments.page)
        _log_page(arguments.page, [result.bundle, result.data])
        say(f"Look at {arguments.page}")
    show_block(json.dumps(result.as_dict()) if arguments.json else result)
    accuracy = result.evaluation.accuracy
    if gate is not None and accuracy < gate:
        raise GateFailedError(
            f"Accuracy {accuracy:.2%} is under {gate:.2%}. Look at the mistakes in the run's "
            f"report.html, or lower --fail-under."
        )
    require_all_read(result.data, result.left_out, "measured", result.evaluation.labels)
    return 0


def _run_compare(arguments: argparse.Namespace) -> int:
    from trainer.evaluation.compare import comparison_lines, format_comparison, summarise_runs

    summaries = summarise_runs(arguments.run, arguments.runs)
    if arguments.page is not None:
        from trainer.pages.comparison import write_comparison

        write_comparison(summaries, arguments.page)
        _log_page(arguments.page, [each.path for each in summaries])
        say(f"Look at {arguments.page}")
    if arguments.json:
        for line in comparison_lines(summaries):
            show(json.dumps(line))
    else:
        show_block(format_comparison(summaries))
    return 0


def _log_page(page: Path, places: Sequence[Path]) -> None:
    from maskage.formats.output_log import Kind, Output, log_output
    from maskage.formats.run.datasets_behind import datasets_behind

    log_output(datasets_behind(places), Output(page, Kind.PAGE))


PROGRAM = Program(
    "trainer",
    "Train, measure and compare classifiers.",
    (
        FIT,
        SEARCH,
        Command(
            "evaluate",
            "measure a trained model",
            "Precision, recall and F1 of each class with their averages, accuracy with its 95% "
            "intervals, the confusion matrix, calibration, and what abstaining would gain.",
            _add_evaluate_options,
            _run_evaluate,
        ),
        Command(
            "compare",
            "print trained models side by side",
            "Print a table of trained models, the best first.",
            _add_compare_options,
            _run_compare,
        ),
        EXPORT,
        LEAK,
        CROSS_VALIDATE,
    ),
)

main = PROGRAM.main

if __name__ == "__main__":
    sys.exit(main())
