"""Compare finished runs, and say whether their test photos can separate them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

from maskage.console import say
from maskage.defaults import DEFAULT_RUNS
from maskage.errors import EnvironmentProblemError
from maskage.formats.bundle import ONNX_FILE
from maskage.formats.run.predictions_file import read_right_answers
from maskage.formats.run.run_folder import RunFolder, finished_runs, unfinished_runs
from maskage.outside_text import join_lines, shown_text
from trainer.evaluation.accuracies import name_accuracies, read_factor_accuracies
from trainer.evaluation.paired import compare_answers

Interval = tuple[float, float]

TEST = "test"
CAVEAT_MARK = "*"

_SHOWN_CLASSES = 6


@dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """One run in the comparison.

    Attributes:
        path: Path of the run folder.
        model: Name of the backbone.
        epochs: Number of epochs in each phase.
        accuracy: Accuracy on its test photos, 0 to 1; on those of validation without a test.
        wilson: 95% Wilson interval of the accuracy, as if photos were independent.
        by_group: The same interval over whole groups; None where a run does not state it.
        labels: The classes.
        factor_accuracies: Accuracy of each factor by itself, 0 to 1, by its name.
        photos: Number of photos that the accuracy is on.
        seconds: Duration of the whole training.
        milliseconds: Time for one face on the machine that trained it.
        megabytes: Size of the ONNX file.
        parameters: Number of weights of the network; None where a run does not state it.
        dataset_digest: Digest of the photos; runs on other photos cannot be compared.
        is_stopped: True if Ctrl-C ended it early.
        evaluated_on: "test", or "val" where its set has no test.
        caveat: How little its accuracy says, for people; None if nothing is known against it.
        started_from: Name of the run that it was started from; None for none.
    """

    path: Path
    model: str
    epochs: dict[str, int]
    accuracy: float
    wilson: Interval
    by_group: Interval | None
    labels: tuple[str, ...]
    factor_accuracies: Mapping[str, float]
    photos: int
    seconds: float
    milliseconds: float
    megabytes: float
    parameters: int | None
    dataset_digest: str
    is_stopped: bool = False
    evaluated_on: str = TEST
    caveat: str | None = None
    started_from: str | None = None

    @property
    def is_tested(self) -> bool:
        """True if the accuracy is on test photos."""
        return self.evaluated_on == TEST

    @property
    def name(self) -> str:
        """Name of the run folder."""
        return self.path.name

    @property
    def interval(self) -> Interval:
        """The wider of the two intervals."""
        known = [self.wilson] if self.by_group is None else [self.wilson, self.by_group]
        return max(known, key=lambda interval: interval[1] - interval[0])

    @cached_property
    def right_answers(self) -> Mapping[str, bool]:
        """True for each test photo with a right answer, by path; empty where that is unknown."""
        return read_right_answers(self.path)

    def has_classes_of(self, other: "ComparedRun") -> bool:
        """Return whether both runs have the same classes, in whatever order."""
        return set(self.labels) == set(other.labels)

    def overlaps(self, other: "ComparedRun") -> bool:
        """Return whether the intervals of two tested runs with the same classes overlap."""
        if not (self.is_tested and other.is_tested and self.has_classes_of(other)):
            return False
        return self.interval[0] <= other.interval[1] and other.interval[0] <= self.interval[1]

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {
            "run": self.name,
            "model": self.model,
            "epochs": self.epochs,
            "accuracy": self.accuracy,
            "accuracy_interval": list(self.wilson),
            "accuracy_interval_by_group": None if self.by_group is None else list(self.by_group),
            **name_accuracies(self.factor_accuracies),
            "factor_accuracies": dict(self.factor_accuracies),
            "labels": list(self.labels),
            "photos": self.photos,
            "seconds": self.seconds,
            "milliseconds_per_photo": self.milliseconds,
            "megabytes": self.megabytes,
            "parameters": self.parameters,
            "dataset_digest": self.dataset_digest,
            "is_stopped": self.is_stopped,
            "evaluated_on": self.evaluated_on,
            "caveat": self.caveat,
            "started_from": self.started_from,
        }


def summarise_runs(paths: list[Path], runs: Path = DEFAULT_RUNS) -> list[ComparedRun]:
    """Read finished runs and sort them, the best first.

    Args:
        paths: Run folders; an empty list means all under `runs`.
        runs: Folder that holds all runs.

    Raises:
        EnvironmentProblemError: There is no finished run, or a folder is not one.
    """
    if paths:
        return sort_runs([_read(RunFolder(path)) for path in paths])
    found = []
    for run in finished_runs(runs):
        try:
            found.append(_read(run))
        except EnvironmentProblemError as fault:
            say(f"Skipped: {fault}")
    for path in unfinished_runs(runs):
        say(f"Skipped: {path} is not finished. Continue it with `trainer fit --resume {path}`.")
    if not found:
        raise EnvironmentProblemError(
            f"There is no finished run in {runs}. Train one with `trainer fit`."
        )
    return sort_runs(found)


def _read(run: RunFolder) -> ComparedRun:
    return summarise(run, run.read_metrics())


def sort_runs(summaries: Sequence[ComparedRun]) -> list[ComparedRun]:
    """Sort runs by accuracy, those not tested last; runs with the same classes stay together."""
    ranked = sorted(summaries, key=lambda run: (not run.is_tested, -run.accuracy, run.name))
    parts = sorted(group_by_classes(ranked), key=lambda runs: (-len(runs), sorted(runs[0].labels)))
    return [run for runs in parts for run in runs]


def group_by_classes(summaries: Sequence[ComparedRun]) -> list[list[ComparedRun]]:
    """Return the runs in one list for each set of classes, in their order."""
    parts: dict[frozenset[str], list[ComparedRun]] = {}
    for run in summaries:
        parts.setdefault(frozenset(run.labels), []).append(run)
    return list(parts.values())


def summarise(run: RunFolder, values: Mapping[str, Any]) -> ComparedRun:
    """Return a run as a line of the comparison.

    Args:
        run: The run folder.
        values: Content of its `metrics.json`, written already or not.

    Raises:
        EnvironmentProblemError: The values are not the metrics of a training.
    """
    model = run.bundle / ONNX_FILE
    try:
        by_group = values.get("accuracy_interval_by_group")
        parameters, caveat = values.get("parameters"), values.get("caveat")
        earlier = values.get("earlier_run")
        return ComparedRun(
            # The name of "." is its folder's.
            path=run.path.resolve(),
            model=str(values["model"]),
            epochs={str(phase): int(count) for phase, count in values["epochs"].items()},
            accuracy=float(values["accuracy"]),
            wilson=_interval(values["accuracy_interval"]),
            by_group=None if by_group is None else _interval(by_group),
            labels=tuple(map(str, values.get("labels") or run.scheme.labels)),
            factor_accuracies=read_factor_accuracies(values),
            photos=int(values["photos"]),
            seconds=float(values["seconds"]["total"]),
            milliseconds=float(values["milliseconds_per_photo"]),
            megabytes=model.stat().st_size / 1e6 if model.is_file() else 0.0,
            parameters=None if parameters is None else int(parameters),
            dataset_digest=str(values["dataset_digest"]),
            is_stopped=bool(values.get("is_stopped", False)),
            evaluated_on=str(values.get("evaluated_on", TEST)),
            caveat=None if caveat is None else str(caveat),
            started_from=None if earlier is None else str(earlier["name"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise EnvironmentProblemError(
            f"{run.path}: its metrics.json was not written by `trainer fit` ({fault}). Train the "
            f"run again, or leave it out."
        ) from fault


def format_comparison(summaries: list[ComparedRun]) -> str:
    """Return the table of runs, followed by notes on it."""
    names = [shown_text(each.name) for each in summaries]
    width = max(len("run"), *map(len, names))
    model = max(len("model"), *(len(each.model) for each in summaries)) + 2
    head = f"{'run':<{width}}  {'model':<{model}}{'epochs':>8}{'test accuracy':>15}"
    is_mixed = len(group_by_classes(summaries)) > 1
    head += f"{'classes':>9}" if is_mixed else ""
    lines = [f"{head}{'95% interval':>18}{'photos':>8}{'MB':>7}{'ms':>8}{'training':>10}"]
    for name, each in zip(names, summaries, strict=True):
        low, high = each.interval
        span = f"{low:.2%}-{high:.2%}" if each.is_tested else ""
        photos = each.photos if each.is_tested else 0
        lines.append(
            f"{name:<{width}}  {each.model:<{model}}{format_epochs(each):>8}"
            f"{format_accuracy(each, summaries):>15}"
            f"{f'{len(each.labels):>9}' if is_mixed else ''}{span:>18}"
            f"{photos:>8}{each.megabytes:>7.1f}{each.milliseconds:>8.1f}"
            f"{each.seconds:>9.0f}s"
        )
    notes = (line for note in notes_on(summaries) for line in ("", note))
    return join_lines([*lines, *notes])


def format_accuracy(each: ComparedRun, summaries: Sequence[ComparedRun]) -> str:
    """Return the test accuracy, or "not tested", with a mark where there is a caveat.

    Args:
        each: The run.
        summaries: All runs of the table; where none has a caveat, no place is kept for the mark.
    """
    text = f"{each.accuracy:.2%}" if each.is_tested else "not tested"
    has_marks = any(run.caveat for run in summaries)
    return text + (CAVEAT_MARK if each.caveat else " " if has_marks else "")


def format_epochs(each: ComparedRun) -> str:
    """Return the epochs of each phase as text, such as "50+12"."""
    return "+".join(str(count) for count in each.epochs.values())


def comparison_lines(summaries: Sequence[ComparedRun]) -> list[dict[str, Any]]:
    """Return the objects of `--json`: each run with those that its interval overlaps."""
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
    """Return what the table does not show: stopped runs, other photos, intervals that overlap."""
    notes = []
    if stopped := [each.name for each in summaries if each.is_stopped]:
        notes.append(f"These runs were stopped before their end: {', '.join(stopped)}.")
    notes += [
        f"{each.name} was started from the run {each.started_from}, whose training is not in its "
        f"time."
        for each in summaries
        if each.started_from is not None
    ]
    notes += _notes_on_caveats(summaries)
    parts = group_by_classes([each for each in summaries if each.is_tested])
    if len(parts) > 1:
        notes.append(
            "These runs have different classes, so their accuracies cannot be compared: "
            + "; ".join(f"{_names(runs)} with {_classes_of(runs[0])}" for runs in parts)
            + "."
        )
    elif len({each.dataset_digest for each in summaries if each.is_tested}) > 1:
        notes.append(
            "These runs were tested on different photos, so their accuracies cannot be compared."
        )
    alike = [f"{a.name} and {b.name}" for a, b in combinations(summaries, 2) if a.overlaps(b)]
    if alike:
        notes.append(
            "These intervals overlap, so the accuracies alone do not show which run is better: "
            + ", ".join(alike)
            + "."
        )
    notes += [note for runs in parts for note in _photo_by_photo(runs)]
    if any(each.interval != each.wilson for each in summaries if each.is_tested):
        notes.append(
            "Where the interval over whole groups of photos is the wider one, it is shown: photos "
            "of one group are not independent."
        )
    return notes


def _notes_on_caveats(summaries: Sequence[ComparedRun]) -> list[str]:
    """Return how little some accuracies say, each caveat once."""
    notes = [
        f"{each.name} was not tested, because its set has no test photos. Of its {each.photos:,} "
        f"validation photos, which chose its epoch, {each.accuracy:.2%} are right: too good to be "
        f"compared."
        for each in summaries
        if not each.is_tested
    ]
    caveats = dict.fromkeys(each.caveat for each in summaries if each.caveat)
    for caveat in caveats:
        runs = [each for each in summaries if each.caveat == caveat]
        notes.append(f"{CAVEAT_MARK} {_names(runs)}: {caveat}")
    return notes


def _photo_by_photo(summaries: Sequence[ComparedRun]) -> list[str]:
    """Compare the best run with each other one photo by photo, which says more than intervals."""
    notes = []
    for other in summaries[1:]:
        best = summaries[0]
        if other.dataset_digest == best.dataset_digest:
            found = compare_answers(best.right_answers, other.right_answers)
            if found is not None:
                notes.append(
                    f"Photo by photo: of {found.photos} photos, only {best.name} is right on "
                    f"{found.first_alone}, and only {other.name} on {found.second_alone} (sign "
                    f"test, p {found.p_value:.2g}"
                    f"{'' if found.p_value < 0.05 else ': may be chance'})."
                )
    return notes


def _names(runs: Sequence[ComparedRun]) -> str:
    return ", ".join(run.name for run in runs)


def _classes_of(run: ComparedRun) -> str:
    """Return the number of a run's classes and their names, of many only the first."""
    shown = ", ".join(run.labels[:_SHOWN_CLASSES])
    more = ", ..." if len(run.labels) > _SHOWN_CLASSES else ""
    return f"{len(run.labels)} classes ({shown}{more})"


def _interval(values: Sequence[Any]) -> Interval:
    low, high = values
    return float(low), float(high)
