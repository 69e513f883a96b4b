"""The `trainer` command: fit, evaluate, compare, leak."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from maskage.console import CommandParser, run_command, say, show, show_block, show_progress
from maskage.errors import GateFailedError, UsageError
from maskage.installation import ShowVersion
from trainer.exports.command import add_export_options, run_export
from trainer.fit.command import add_fit_options, run_fit
from trainer.recipe import recipe_names

DEFAULT_CURATED = Path("curated")
DEFAULT_RUNS = Path("runs")


def main(argv: list[str] | None = None) -> int:
    """Run `trainer` with these arguments (of the process, by default); returns the exit code."""
    return run_command(lambda: _dispatch(argv))


def _dispatch(argv: list[str] | None) -> int:
    arguments = _make_parser().parse_args(argv)
    command: object = arguments.command
    if command == "fit":
        return run_fit(arguments)
    if command == "evaluate":
        return _evaluate(arguments)
    if command == "export":
        return run_export(arguments)
    if command == "leak":
        return _leak(arguments)
    return _compare(arguments)


def _make_parser() -> argparse.ArgumentParser:
    parser = CommandParser(prog="trainer", description="Train, measure and compare classifiers.")
    parser.add_argument("--version", action=ShowVersion)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    fit = commands.add_parser("fit", help="train a model on curated photos")
    add_fit_options(fit)
    _add_runs(fit)
    _add_evaluate(commands.add_parser("evaluate", help="measure a trained model"))
    _add_compare(commands.add_parser("compare", help="trained models side by side"))
    export = commands.add_parser("export", help="a trained model in other formats")
    add_export_options(export)
    _add_runs(export)
    _add_leak(commands.add_parser("leak", help="what a split photo by photo would leak"))
    return parser


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Precision, recall and F1 of each class with their averages, accuracy with its "
        "95% intervals, the confusion matrix, calibration, and what abstaining would gain."
    )
    parser.add_argument("run", type=Path, nargs="?", help="run or bundle folder (default: newest)")
    parser.add_argument("--data", type=Path, metavar="FOLDER",
                        help="curated folder, or any four class folders (default: what the run "
                        "was trained on)")  # fmt: skip
    parser.add_argument("--split", choices=("train", "val", "test"), default="test",
                        help="of a curated folder (default: test)")  # fmt: skip
    parser.add_argument("--corruptions", action="store_true",
                        help="also on blurred, noisy, dark, compressed and small copies; runs the "
                        "model eleven times more")  # fmt: skip
    parser.add_argument("--metadata", type=Path, metavar="CSV",
                        help="a table of path and any of source, subject, session, to measure each "
                        "by itself")  # fmt: skip
    parser.add_argument("--report", type=Path, metavar="FILE.html",
                        help="also write a page with the photos, the mistakes and why")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--fail-under", type=float, metavar="X",
                        help="exit with 3 where accuracy is under X, 0 to 1")  # fmt: skip
    _add_runs(parser)


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.description = "A table of trained models, the best first."
    parser.add_argument("run", type=Path, nargs="*", help="run folders (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--html", type=Path, metavar="FILE.html",
                        help="also write them as a page")  # fmt: skip
    _add_runs(parser)


def _add_leak(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "The leak, shown: all photos of a curated folder judged by heads on the frozen backbone, "
        "split photo by photo and by group, two scores side by side. Trains no backbone."
    )
    parser.add_argument("curated", type=Path, nargs="?", default=DEFAULT_CURATED,
                        help="folder that `curate` made (default: curated)")  # fmt: skip
    parser.add_argument("--model", default="mobilenetv2", metavar="RECIPE",
                        help=f"{', '.join(recipe_names())}, or your own .toml "
                        "(default: mobilenetv2)")  # fmt: skip
    parser.add_argument("--weights", default="imagenet", metavar="imagenet|PATH",
                        help="of the backbone (default: imagenet); PATH is an .h5 file without "
                        "top")  # fmt: skip
    parser.add_argument("--image-size", type=int, metavar="PX", help="side of the network's input")
    parser.add_argument("--alpha", type=float, help="width of mobilenetv2: 1.0, 0.35, ...")
    parser.add_argument("--seed", type=int, default=1337, help="(default: 1337)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    _add_runs(parser)


def _add_runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=Path, default=DEFAULT_RUNS, metavar="FOLDER",
                        help="where runs lie (default: runs)")  # fmt: skip


def _evaluate(arguments: argparse.Namespace) -> int:
    gate = arguments.fail_under
    if gate is not None and not 0 <= gate <= 1:
        raise UsageError(f"--fail-under is 0 to 1; found {gate:g}. For 90% write 0.9.")
    from maskage.formats.curated_set import require_all_read
    from maskage.pictures.picture_files import tell_left_out
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
    tell_left_out(result.left_out)
    if arguments.report is not None:
        result = write_evaluation(result, arguments.report)
        _log_page(arguments.report, [result.bundle, result.data])
        say(f"Look at {arguments.report}")
    show_block(json.dumps(result.as_dict()) if arguments.json else result)
    accuracy = result.evaluation.accuracy
    if gate is not None and accuracy < gate:
        raise GateFailedError(
            f"Accuracy {accuracy:.2%} is under {gate:.2%}. Look at the mistakes in the run's "
            f"report.html, or lower --fail-under."
        )
    require_all_read(result.data, result.left_out, "measured")
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from trainer.evaluation.compare import comparison_lines, format_comparison, summarise_runs

    summaries = summarise_runs(arguments.run, arguments.runs)
    if arguments.html is not None:
        from trainer.pages.comparison import write_comparison

        write_comparison(summaries, arguments.html)
        _log_page(arguments.html, [each.path for each in summaries])
        say(f"Look at {arguments.html}")
    if arguments.json:
        for line in comparison_lines(summaries):
            show(json.dumps(line))
    else:
        show_block(format_comparison(summaries))
    return 0


def _log_page(page: Path, places: Sequence[Path]) -> None:
    from maskage.formats.datasets_behind import datasets_behind
    from maskage.formats.output_log import Kind, Output, log_output

    log_output(datasets_behind(places), Output(page, Kind.PAGE))


def _leak(arguments: argparse.Namespace) -> int:
    from maskage.formats.curated_set import list_left_out, require_all_read
    from maskage.pictures.picture_files import tell_left_out
    from trainer.evaluation.leak import measure_leak
    from trainer.progress import ProgressPrinter
    from trainer.recipe import load_recipe, with_overrides

    recipe = with_overrides(
        load_recipe(arguments.model), image_size=arguments.image_size, alpha=arguments.alpha
    )
    with ProgressPrinter() as report:
        leak = measure_leak(
            arguments.curated,
            recipe,
            weights=arguments.weights,
            runs=arguments.runs,
            seed=arguments.seed,
            on_progress=report,
        )
    left_out = list_left_out(arguments.curated)
    tell_left_out(left_out)
    show_block(json.dumps(leak.as_dict()) if arguments.json else leak)
    require_all_read(arguments.curated, left_out, "measured")
    return 0


if __name__ == "__main__":
    sys.exit(main())
