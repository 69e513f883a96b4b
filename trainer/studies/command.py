"""`trainer leak` and `trainer cross-validate`: their options, and what they print."""

import argparse
import json
from collections.abc import Callable
from typing import Any

from maskage.commands.options import add_json, add_runs, add_seed
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command
from maskage.console import show_block
from trainer.options import add_backbone_weights, add_curated, add_network, add_recipe


def _add_leak_options(parser: CommandParser) -> None:
    add_curated(parser)
    add_runs(parser)
    add_recipe(parser)
    add_network(parser)
    add_backbone_weights(parser)
    add_seed(parser, "seed of the splits and the heads")
    add_json(parser)


def _add_folds_options(parser: CommandParser) -> None:
    add_curated(parser)
    add_runs(parser)
    parser.add_argument("--folds", type=int, metavar="N",
                        help="parts that are judged in turn (default: 5, or as many as the "
                        "rarest class has groups)")  # fmt: skip
    add_recipe(parser)
    add_network(parser)
    add_backbone_weights(parser)
    add_seed(parser, "seed of the folds and the heads")
    add_json(parser)


def _run_leak(arguments: argparse.Namespace) -> int:
    from trainer.studies.leak import measure_leak

    return _run_study(arguments, measure_leak)


def _run_folds(arguments: argparse.Namespace) -> int:
    from trainer.studies.group_validation import validate_by_group

    return _run_study(arguments, validate_by_group, folds=arguments.folds)


def _run_study(arguments: argparse.Namespace, study: Callable[..., Any], **more: object) -> int:
    """Run a study of a curated folder with its progress, and print what it found."""
    from maskage.formats.curated.curated_set import list_left_out, require_all_read, scheme_of_set
    from maskage.pictures.picture_files import report_left_out
    from trainer.progress import ProgressPrinter
    from trainer.recipe import load_recipe, with_overrides

    recipe = with_overrides(
        load_recipe(arguments.model), image_size=arguments.image_size, alpha=arguments.alpha
    )
    with ProgressPrinter() as report:
        found = study(
            arguments.curated,
            recipe,
            weights=arguments.weights,
            runs=arguments.runs,
            seed=arguments.seed,
            on_progress=report,
            **more,
        )
    labels = scheme_of_set(arguments.curated).labels
    left_out = list_left_out(arguments.curated, labels)
    report_left_out(left_out)
    show_block(json.dumps(found.as_dict()) if arguments.json else found)
    require_all_read(arguments.curated, left_out, "measured", labels)
    return 0


LEAK = Command(
    "leak",
    "measure what a split photo by photo would leak",
    "Judge all photos of a curated folder by heads on the frozen backbone, split photo by "
    "photo and split by group, and print the two scores side by side. Trains no backbone.",
    _add_leak_options,
    _run_leak,
)

CROSS_VALIDATE = Command(
    "cross-validate",
    "judge each photo by a head trained on other people",
    "Judge all photos of a curated folder by heads on the frozen backbone, each photo by a head "
    "that saw no photo of its group: with two people, each by what was learned from the other. "
    "For sets too small for a test. Trains no backbone and writes no model.",
    _add_folds_options,
    _run_folds,
)
