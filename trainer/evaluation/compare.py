"""Finished runs side by side, and whether the test photos can tell them apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

from maskage.console import say
from maskage.defaults import DEFAULT_RUNS
from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.formats.bundle import ONNX_FILE
from maskage.formats.run_folder import RunFolder, finished_runs, unfinished_runs
from maskage.outside_text import join_lines, shown_text
from trainer.evaluation.paired import compare_answers, read_right_answers

Interval = tuple[float, float]


@dataclass(frozen=True)
class ComparedRun:
    """One line of the comparison.

    Attributes:
        path: Of the run.
        model: Backbone.
        epochs: In each phase.
        accuracy: On its test photos, 0 to 1.
        wilson: 95% Wilson interval of it, as if photos were independent.
        by_group: The same over whole groups; None where a run does not say.
        mask_accuracy, age_accuracy: Of the halves of the class, 0 to 1.
        photos: Test photos.
        seconds: Of the whole training.
        milliseconds: A face on the machine that trained it.
        megabytes: Of the ONNX file.
        parameters: Weights of the network; None where a run does not say.
        dataset_digest: Of the photos; runs on other photos do not compare.
        is_stopped: Whether Ctrl-C ended it early.
    """

    path: Path
    model: str
    epochs: dict[str, int]
    accuracy: float
    wilson: Interval
    by_group: Interval | None
    mask_accuracy: float
    age_accuracy: float
    photos: int
    seconds: float
    milliseconds: float
    megabytes: float
    parameters: int | None
    dataset_digest: str
    is_stopped: bool = False

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def interval(self) -> Interval:
        """The wider of the two: neither is wide enough where it is the narrower."""
        known = [self.wilson] if self.by_group is None else [self.wilson, self.by_group]
        return max(known, key=lambda interval: interval[1] - interval[0])

    @cached_property
    def right_answers(self) -> Mapping[str, bool]:
        """Whether each test photo's answer was right, by path; empty where nothing says."""
        return read_right_answers(self.path / "predictions.csv")

    def overlaps(self, other: "ComparedRun") -> bool:
        """Whether the intervals have a value in common."""
        return self.interval[0] <= other.interval[1] and other.interval[0] <= self.interval[1]

    def as_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "run": self.name,
            "model": self.model,
            "epochs": self.epochs,
            "accuracy": self.accuracy,
            "accuracy_interval": list(self.wilson),
            "accuracy_interval_by_group": None if self.by_group is None else list(self.by_group),
            "mask_accuracy": self.mask_accuracy,
            "age_accuracy": self.age_accuracy,
            "photos": self.photos,
            "seconds": self.seconds,
            "milliseconds_per_photo": self.milliseconds,
            "megabytes": self.megabytes,
            "parameters": self.parameters,
            "dataset_digest": self.dataset_digest,
            "is_stopped": self.is_stopped,
        }


def summarise_runs(paths: list[Path], runs: Path = DEFAULT_RUNS) -> list[ComparedRun]:
    """Read finished runs, the best first.

    Args:
        paths: Run folders; empty for all under `runs`.
        runs: Where they lie.

    Raises:
        DatasetError: There is no finished run.
        EnvironmentProblemError: A folder is not a finished run.
    """
    if paths:
        return sort_runs([_read(RunFolder(path)) for path in paths])
    found = []
    for run in finished_runs(runs):
        try:
            found.append(_read(run))
        except EnvironmentProblemError as fault:
            say(f"left out: {fault}")
    for path in unfinished_runs(runs):
        say(f"left out: {path} is not finished. Go on with `trainer fit --resume {path}`.")
    if not found:
        raise DatasetError(f"No whole run in {runs}. Train one with `trainer fit`.")
    return sort_runs(found)


def _read(run: RunFolder) -> ComparedRun:
    return summarise(run, run.read_metrics())


def sort_runs(summaries: Sequence[ComparedRun]) -> list[ComparedRun]:
    """The best first."""
    return sorted(summaries, key=lambda run: (-run.accuracy, run.name))


def summarise(run: RunFolder, values: Mapping[str, Any]) -> ComparedRun:
    """One run's line.

    Args:
        run: The run.
        values: What its `metrics.json` holds, or will.

    Raises:
        EnvironmentProblemError: These are not the metrics of a training.
    """
    model = run.bundle / ONNX_FILE
    try:
        by_group = values.get("accuracy_interval_by_group")
        parameters = values.get("parameters")
        return ComparedRun(
            # The name of "." is its folder's.
            path=run.path.resolve(),
            model=str(values["model"]),
            epochs={str(phase): int(count) for phase, count in values["epochs"].items()},
            accuracy=float(values["accuracy"]),
            wilson=_interval(values["accuracy_interval"]),
            by_group=None if by_group is None else _interval(by_group),
            mask_accuracy=float(values["mask_accuracy"]),
            age_accuracy=float(values["age_accuracy"]),
            photos=int(values["photos"]),
            seconds=float(values["seconds"]["total"]),
            milliseconds=float(values["milliseconds_per_photo"]),
            megabytes=model.stat().st_size / 1e6 if model.is_file() else 0.0,
            parameters=None if parameters is None else int(parameters),
            dataset_digest=str(values["dataset_digest"]),
            is_stopped=bool(values.get("is_stopped", False)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise EnvironmentProblemError(
            f"{run.path}: its metrics.json is not one that `trainer fit` wrote ({fault}). Train "
            f"the run again, or leave it out."
        ) from fault


def format_comparison(summaries: list[ComparedRun]) -> str:
    """The table, and what to make of it."""
    names = [shown_text(each.name) for each in summaries]
    width = max(len("run"), *map(len, names))
    model = max(len("model"), *(len(each.model) for each in summaries)) + 2
    head = f"{'run':<{width}}  {'model':<{model}}{'epochs':>8}{'test accuracy':>15}"
    lines = [f"{head}{'95% interval':>18}{'photos':>8}{'MB':>7}{'ms':>8}{'training':>10}"]
    for name, each in zip(names, summaries, strict=True):
        low, high = each.interval
        span = f"{low:.2%}-{high:.2%}"
        lines.append(
            f"{name:<{width}}  {each.model:<{model}}{tell_epochs(each):>8}"
            f"{each.accuracy:>15.2%}{span:>18}"
            f"{each.photos:>8}{each.megabytes:>7.1f}{each.milliseconds:>8.1f}"
            f"{each.seconds:>9.0f}s"
        )
    notes = (line for note in notes_on(summaries) for line in ("", note))
    return join_lines([*lines, *notes])


def tell_epochs(each: ComparedRun) -> str:
    """ "50+12": of each phase."""
    return "+".join(str(count) for count in each.epochs.values())


def comparison_lines(summaries: Sequence[ComparedRun]) -> list[dict[str, Any]]:
    """The objects of `--json`: each run with those it is not told apart from."""
    return [
        {
            **each.as_dict(),
            "overlaps_with": [
                other.name for other in summaries if other is not each and each.overlaps(other)
            ],
            "notes": notes_on(summaries),
        }
        for each in summaries
    ]


def notes_on(summaries: Sequence[ComparedRun]) -> list[str]:
    """What the table does not say by itself."""
    notes = []
    if stopped := [each.name for each in summaries if each.is_stopped]:
        notes.append(f"Stopped before their end: {', '.join(stopped)}.")
    if len({each.dataset_digest for each in summaries}) > 1:
        notes.append("These runs were tested on different photos: their accuracies do not compare.")
    alike = [f"{a.name} and {b.name}" for a, b in combinations(summaries, 2) if a.overlaps(b)]
    if alike:
        notes.append(
            "Intervals overlap, so these accuracies alone do not tell them apart: "
            + ", ".join(alike)
            + "."
        )
    notes += _photo_by_photo(summaries)
    if any(each.interval != each.wilson for each in summaries):
        notes.append(
            "An interval is over whole groups of photos where that is the wider: photos of one "
            "group are not independent."
        )
    return notes


def _photo_by_photo(summaries: Sequence[ComparedRun]) -> list[str]:
    """The best run against each other on the same photos: that tells more than two intervals."""
    notes = []
    for other in summaries[1:]:
        best = summaries[0]
        if other.dataset_digest == best.dataset_digest:
            found = compare_answers(best.right_answers, other.right_answers)
            if found is not None:
                notes.append(
                    f"Photo by photo: {best.name} alone is right on {found.first_alone}, "
                    f"{other.name} alone on {found.second_alone} of {found.photos} (sign test, "
                    f"p {found.p_value:.2g}{'' if found.p_value < 0.05 else ': may be chance'})."
                )
    return notes


def _interval(values: Sequence[Any]) -> Interval:
    low, high = values
    return float(low), float(high)
