"""Finished runs side by side, and whether the test photos can tell them apart."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from collector.errors import EnvironmentProblemError
from trainer.runs import RunFolder, finished_runs


@dataclass(frozen=True)
class RunSummary:
    """One line of the comparison.

    Attributes:
        name: Of the run.
        model: Backbone.
        epochs: In each phase.
        accuracy: On its test photos, 0 to 1.
        interval: 95% Wilson interval of it.
        photos: Test photos.
        seconds: Of the whole training.
        milliseconds: A photo on the machine that trained it.
        megabytes: Of the ONNX file.
        dataset_digest: Of the photos; runs on other photos do not compare.
    """

    name: str
    model: str
    epochs: dict[str, int]
    accuracy: float
    interval: tuple[float, float]
    photos: int
    seconds: float
    milliseconds: float
    megabytes: float
    dataset_digest: str

    def as_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "run": self.name,
            "model": self.model,
            "epochs": self.epochs,
            "accuracy": self.accuracy,
            "accuracy_interval": list(self.interval),
            "photos": self.photos,
            "seconds": self.seconds,
            "milliseconds_per_photo": self.milliseconds,
            "megabytes": self.megabytes,
            "dataset_digest": self.dataset_digest,
        }


def summarise_runs(paths: list[Path], runs: Path = Path("runs")) -> list[RunSummary]:
    """Read finished runs, the best first.

    Args:
        paths: Run folders; empty for all under `runs`.
        runs: Where they lie.

    Raises:
        DatasetError: There is no finished run.
        EnvironmentProblemError: A folder is not a finished run.
    """
    folders = [RunFolder(path) for path in paths] or finished_runs(runs)
    return sorted((_summary(run) for run in folders), key=lambda run: (-run.accuracy, run.name))


def format_comparison(summaries: list[RunSummary]) -> str:
    """The table, and what to make of it."""
    width = max(len("run"), *(len(each.name) for each in summaries))
    head = f"{'run':<{width}}  {'model':<12}{'epochs':>8}{'test accuracy':>15}"
    lines = [f"{head}{'95% interval':>18}{'photos':>8}{'MB':>7}{'ms':>8}{'training':>10}"]
    for each in summaries:
        low, high = each.interval
        epochs = "+".join(str(count) for count in each.epochs.values())
        span = f"{low:.2%}-{high:.2%}"
        lines.append(
            f"{each.name:<{width}}  {each.model:<12}{epochs:>8}{each.accuracy:>15.2%}{span:>18}"
            f"{each.photos:>8}{each.megabytes:>7.1f}{each.milliseconds:>8.1f}"
            f"{each.seconds:>9.0f}s"
        )
    return "\n".join([*lines, *(f"\n{note}" for note in notes_on(summaries))])


def notes_on(summaries: list[RunSummary]) -> list[str]:
    """What the table does not say by itself."""
    notes = []
    if len({each.dataset_digest for each in summaries}) > 1:
        notes.append("These runs were tested on different photos: their accuracies do not compare.")
    alike = [
        f"{a.name} and {b.name}"
        for a, b in combinations(summaries, 2)
        if a.interval[0] <= b.interval[1] and b.interval[0] <= a.interval[1]
    ]
    if alike:
        notes.append(
            "Intervals overlap, so these photos cannot tell them apart: " + ", ".join(alike) + "."
        )
    return notes


def _summary(run: RunFolder) -> RunSummary:
    values = run.read_metrics()
    model = run.bundle / "model.onnx"
    try:
        low, high = values["accuracy_interval"]
        return RunSummary(
            name=run.path.name,
            model=str(values["model"]),
            epochs={str(phase): int(count) for phase, count in values["epochs"].items()},
            accuracy=float(values["accuracy"]),
            interval=(float(low), float(high)),
            photos=int(values["photos"]),
            seconds=float(values["seconds"]["total"]),
            milliseconds=float(values["milliseconds_per_photo"]),
            megabytes=model.stat().st_size / 1e6 if model.is_file() else 0.0,
            dataset_digest=str(values["dataset_digest"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise EnvironmentProblemError(
            f"{run.path}: its metrics.json is not one that `trainer fit` wrote ({fault}). Train "
            f"the run again, or leave it out."
        ) from fault
