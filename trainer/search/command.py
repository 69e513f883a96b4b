"""`trainer search`: its options, and what it prints."""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.commands.options import add_runs, add_seed
from maskage.commands.parser import CommandParser, offer_words
from maskage.commands.program import Command
from maskage.console import INTERRUPTED, say, show_block
from maskage.defaults import DEFAULT_CURATED, DEFAULT_RUNS, DEFAULT_SEED
from maskage.errors import UsageError
from maskage.shell_words import join_words
from trainer.options import add_curated
from trainer.recipe import load_recipe, recipe_names
from trainer.search.budget import parse_budget
from trainer.settings import PRECISIONS, FitSettings

if TYPE_CHECKING:
    from trainer.progress import OnProgress
    from trainer.search.summary import SearchSummary

DEFAULT_BUDGET = "15m"

NEWEST = Path()
"""The value of --resume without a search."""

_ONLY_NEW = ("curated", "name", "model", "image_size", "seed", "devices", "precision")
"""Options that a search was begun with, and keeps."""


def _add_options(parser: CommandParser) -> None:
    # An option that is not given leaves no attribute.
    parser.argument_default = argparse.SUPPRESS
    add_curated(parser)
    parser.add_argument("--budget", metavar="TIME", default=DEFAULT_BUDGET,
                        help="how long it may take, such as 15m or 1h30m (default: "
                        f"{DEFAULT_BUDGET})")  # fmt: skip
    add_runs(parser)
    parser.add_argument("--name", help="name of the search folder (default: search and time); the "
                        "chosen network becomes the run NAME-best")  # fmt: skip
    parser.add_argument("--resume", type=Path, nargs="?", const=NEWEST, default=None,
                        metavar="RUN", help="go on with the search in this folder (default: "
                        "the newest), with a new budget; what is done is not repeated")  # fmt: skip
    action = parser.add_argument("--model", action="append", metavar="RECIPE",
                                 help=f"try only this recipe, {', '.join(recipe_names())}, or your "
                                 "own .toml; may be repeated (default: all)")  # fmt: skip
    offer_words(action, recipe_names())
    parser.add_argument("--image-size", type=int, action="append", metavar="PX",
                        help="try only this side of the input; may be repeated (default: each "
                        "recipe's own, and some others)")  # fmt: skip
    parser.add_argument("--download", action="store_true", default=False,
                        help="also try networks whose ImageNet weights must be fetched (default: "
                        "those at hand)")  # fmt: skip
    add_seed(parser, "seed of the folds and of all trainings")
    parser.add_argument("--devices", metavar="all|cpu|N", help="devices to train on (default: all)")
    parser.add_argument("--precision", choices=PRECISIONS,
                        help="as for `trainer fit` (default: auto)")  # fmt: skip
    parser.add_argument("--json", action="store_true", default=False,
                        help="print one JSON object, for other programs")  # fmt: skip


def _run_search(arguments: argparse.Namespace) -> int:
    # Bad arguments and a missing dataset are reported before TensorFlow's seconds are spent.
    budget_s = parse_budget(arguments.budget)
    resumed = arguments.resume
    folder = _find(arguments) if resumed is not None else _begin(arguments)
    say(f"{'Going on with' if resumed is not None else 'Searching in'} {folder}. Loading Keras ...")
    from trainer.progress import ProgressPrinter, TrainingStoppedError

    try:
        with ProgressPrinter() as report:
            summary = _search(folder, budget_s, report, arguments.download)
    except KeyboardInterrupt as stopped:
        if isinstance(stopped, TrainingStoppedError) and stopped.run is not None:
            say("The training was stopped.")
        again = join_words(["trainer", "search", "--resume", str(folder)])
        say(f"Stopped. What was measured is kept; go on with `{again}`.")
        return INTERRUPTED
    show_block(json.dumps(summary.as_dict()) if arguments.json else summary)
    return 0


def _search(
    folder: Path, budget_s: float, report: "OnProgress", may_download: bool
) -> "SearchSummary":
    from trainer.search.search import run_search

    return run_search(folder, budget_s, report, may_download=may_download)


def _begin(arguments: argparse.Namespace) -> Path:
    from maskage.formats.curated.curated_set import list_left_out, read_curated, require_all_read
    from maskage.pictures.picture_files import report_left_out
    from trainer.search.begin import SearchSettings, begin_search

    curated = getattr(arguments, "curated", None) or DEFAULT_CURATED
    models = tuple(_model_of(name) for name in dict.fromkeys(getattr(arguments, "model", [])))
    settings = SearchSettings(
        curated=curated,
        runs=getattr(arguments, "runs", DEFAULT_RUNS),
        name=getattr(arguments, "name", None) or f"search-{datetime.now(UTC):%Y%m%d-%H%M%S}",
        models=models,
        image_sizes=tuple(dict.fromkeys(getattr(arguments, "image_size", []))),
        seed=getattr(arguments, "seed", DEFAULT_SEED),
        devices=getattr(arguments, "devices", "all"),
        precision=getattr(arguments, "precision", "auto"),
    )
    FitSettings(devices=settings.devices, seed=settings.seed).recipe()
    labels = read_curated(curated, may_lack_test=True).scheme.labels
    left_out = list_left_out(curated, labels)
    report_left_out(left_out)
    require_all_read(curated, left_out, "searched with", labels)
    return begin_search(settings)


def _model_of(name: str) -> str:
    """Return a recipe's name, or the whole path of a .toml file, that a later sitting finds."""
    load_recipe(name)
    return name if name in recipe_names() else str(Path(name).resolve())


def _find(arguments: argparse.Namespace) -> Path:
    from maskage.formats.run.search_file import newest_search

    given = [name for name in _ONLY_NEW if getattr(arguments, name, None) is not None]
    if given:
        words = ", ".join(
            str(arguments.curated) if name == "curated" else f"--{name.replace('_', '-')}"
            for name in given
        )
        raise UsageError(
            f"--resume goes on with what the search was begun with; found {words}. Leave that out, "
            f"or begin a new search."
        )
    if arguments.resume == NEWEST:
        return newest_search(getattr(arguments, "runs", DEFAULT_RUNS))
    named: Path = arguments.resume
    return named


SEARCH = Command(
    "search",
    "choose a network for curated photos",
    "Measure networks with weights at hand on curated photos within a budget of time: first heads "
    "on features, then the best few fine-tuned. Prints how right and how fast each is, and trains "
    "the fastest one that the photos cannot tell from the best. The test photos take no part in "
    "the choice. Ctrl-C keeps what is done; --resume goes on.",
    _add_options,
    _run_search,
)
