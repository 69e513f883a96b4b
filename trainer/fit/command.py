"""`trainer fit`: its options, and what it prints at the end."""

import argparse
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskage.commands.options import add_metadata, add_runs, add_seed
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command
from maskage.console import INTERRUPTED, say, show
from maskage.errors import EnvironmentProblemError, UsageError
from trainer.options import add_curated, add_network, add_recipe
from trainer.recipe import HEADS
from trainer.settings import PRECISIONS, FitSettings, option_of

if TYPE_CHECKING:
    from maskage.classes.scheme import Scheme

NEWEST = Path()
"""The value of --resume without a run."""

_WITH_RESUME = {"name", "runs"}


def _add_fit_options(parser: CommandParser) -> None:
    # An option that is not given leaves no attribute.
    parser.argument_default = argparse.SUPPRESS
    add_curated(parser)
    add_runs(parser)
    parser.add_argument("--name", help="name of the run (default: model and time)")
    parser.add_argument("--resume", type=Path, nargs="?", const=NEWEST, default=None,
                        metavar="RUN", help="go on with a run that was stopped or killed "
                        "(default: the newest that is not finished)")  # fmt: skip
    parser.add_argument("--from", dest="from_run", type=Path, metavar="RUN",
                        help="start from the network of an earlier run, of the same classes or "
                        "fewer; few epochs are enough, and the report says what the new photos "
                        "bought; a folder or a name in --runs")  # fmt: skip
    add_recipe(parser)
    add_network(parser)
    parser.add_argument("--weights", metavar="imagenet|none|PATH",
                        help="start of the network (default: imagenet); none trains the whole "
                        "network; PATH is an .h5 file without top")  # fmt: skip
    add_seed(parser, "seed of the training")
    add_metadata(parser, "source, subject, session", "to measure each by itself in the report")
    _add_course(parser.add_argument_group("course of the training"))
    _add_machine(parser.add_argument_group("machine"))


def _add_course(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--epochs", type=int, metavar="N",
                       help="epochs of the head; with --weights none of the whole "
                       "network")  # fmt: skip
    group.add_argument("--fine-tune-epochs", type=int, metavar="N",
                       help="epochs with the upper blocks open; 0 leaves this phase "
                       "out")  # fmt: skip
    group.add_argument("--batch-size", type=int, metavar="N", help="photos a step, in all phases")
    group.add_argument("--heads", choices=HEADS,
                       help="what the head answers: the classes, or each factor (mask, age) by "
                       "itself, multiplied to the classes (default: the recipe's)")  # fmt: skip
    group.add_argument("--learning-curve", action="store_true",
                       help="also train heads on parts of the photos, which shows whether more of "
                       "them would help; takes seconds")  # fmt: skip
    group.add_argument("--find-rate", action="store_true",
                       help="search the learning rate of fine-tuning, or of training from random "
                       "weights, in place of the recipe's")  # fmt: skip
    group.add_argument("--tensorboard", action="store_true",
                       help="also write the epochs for TensorBoard (RUN/tensorboard)")  # fmt: skip


def _add_machine(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--devices", metavar="all|cpu|N",
                       help="devices to train on: every GPU, no GPU, or that many (default: "
                       "all)")  # fmt: skip
    group.add_argument("--precision", choices=PRECISIONS,
                       help="mixed computes in 16 bits and keeps weights in 32; products computes "
                       "only the products of convolutions in 16 bits, on a CPU that is made for it "
                       "(default: auto, mixed on a GPU that is made for it)")  # fmt: skip


def _run_fit(arguments: argparse.Namespace) -> int:
    names = [field.name for field in fields(FitSettings)]
    given = {name: value for name in names if (value := getattr(arguments, name, None)) is not None}
    if arguments.resume is not None:
        return _tell(lambda: _resume(arguments.resume, given))
    return _tell(lambda: _begin(given))


def _begin(given: dict[str, Any]) -> Path:
    # Bad arguments and a missing dataset are reported before TensorFlow's seconds are spent.
    from maskage.formats.curated.curated_set import list_left_out, read_curated, require_all_read
    from maskage.pictures.picture_files import report_left_out

    settings, base, earlier = FitSettings(**given), None, None
    if settings.from_run is not None:
        from trainer.fit.earlier_run import read_earlier_run, require_work, settle

        earlier = read_earlier_run(settings.from_run, settings.runs)
        settings, base = settle(settings, earlier, given), earlier.shortened
    settings.recipe(base)
    scheme = read_curated(settings.curated, may_lack_test=True).scheme
    recipe = settings.recipe_for(scheme, base)
    if earlier is not None:
        require_work(settings, recipe, earlier, scheme)
    labels = scheme.labels
    left_out = list_left_out(settings.curated, labels)
    report_left_out(left_out)
    require_all_read(settings.curated, left_out, "trained on", labels)
    if settings.metadata is not None:
        from trainer.evaluation.photo_facts import read_metadata

        read_metadata(settings.metadata, say)
    say("Loading Keras ...")
    from trainer.fit.fit import fit
    from trainer.progress import ProgressPrinter

    with ProgressPrinter() as report:
        return fit(settings, report)


def _resume(named: Path, given: dict[str, Any]) -> Path:
    from maskage.formats.run.run_folder import RunFolder, newest_unfinished

    others = [name for name in given if name not in _WITH_RESUME]
    if others:
        words = ", ".join(
            str(given[name]) if name == "curated" else option_of(name) for name in others
        )
        raise UsageError(
            f"--resume goes on with what the run was begun with; found {words}. Leave that out, or "
            f"train a new run."
        )
    runs = given.get("runs", FitSettings.runs)
    if named != NEWEST:
        path = named
    else:
        path = runs / given["name"] if "name" in given else newest_unfinished(runs)
    if RunFolder(path).is_finished:
        say(f"{path} is finished already.")
        return path
    if not (path / "args.yaml").is_file():
        found = "a folder without args.yaml" if path.is_dir() else "no such folder"
        raise EnvironmentProblemError(
            f"--resume {path}: {found}, so there is nothing to go on with. Name a folder that "
            f"`trainer fit` made, or leave the name out for the newest unfinished run."
        )
    say(f"Going on with {path}. Loading Keras ...")
    from trainer.fit.fit import resume
    from trainer.progress import ProgressPrinter

    with ProgressPrinter() as report:
        return resume(path, report)


def _tell(train: Callable[[], Path]) -> int:
    from maskage.formats.run.run_folder import RunFolder
    from trainer.pages.report import read_learning_curve
    from trainer.progress import TrainingStoppedError

    try:
        run = train()
    except TrainingStoppedError as stopped:
        say(str(stopped))
        return INTERRUPTED
    if not run.is_dir():
        say("This process has done its part. The first one packs and writes the run.")
        return 0
    metrics = RunFolder(run).read_metrics()
    show(*_describe_run(run, metrics))
    _show_gains(metrics, RunFolder(run).scheme)
    if (curve := read_learning_curve(RunFolder(run))) is not None:
        show(f"learning curve: {curve['summary']}")
    return 0


def _show_gains(metrics: dict[str, Any], scheme: "Scheme") -> None:
    from trainer.evaluation.gains import format_gains, read_gains

    if (gains := read_gains(metrics)) is not None:
        show(*format_gains(gains, scheme))


def _describe_run(run: Path, metrics: dict[str, Any]) -> list[str]:
    low, high = metrics["accuracy_interval"]
    stages = ", ".join(f"{stage} {spent:.1f} s" for stage, spent in metrics["seconds"].items())
    from trainer.evaluation.accuracies import read_factor_accuracies

    factors = (f", {name} {value:.2%}" for name, value in read_factor_accuracies(metrics).items())
    # A run of an earlier version has neither key.
    is_tested = metrics.get("evaluated_on", "test") == "test"
    caveat = metrics.get("caveat")
    lines = [
        str(run),
        None if is_tested else "not tested: the set has no test photos",
        f"{'test' if is_tested else 'validation'} accuracy {metrics['accuracy']:.2%} (95% interval "
        f"{low:.2%} to {high:.2%})" + "".join(factors),
        stages,
        f"Look at {run / 'report.html'}, then try: detector live --model {run}",
        f"Careful: {caveat}" if caveat else None,
    ]
    return [line for line in lines if line is not None]


FIT = Command(
    "fit",
    "train a model on curated photos",
    "Train a model: a head on features that the frozen backbone computes once, then the upper "
    "blocks with it. Ctrl-C stops and keeps the best so far; --resume goes on, also after a crash.",
    _add_fit_options,
    _run_fit,
)
