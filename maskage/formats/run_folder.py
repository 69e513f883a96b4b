"""The folder of one training: what was asked, what happened, how good it is.

args.yaml  results.csv  metrics.json  predictions.csv  environment.json  model_card.md
confusion_matrix.png  curves.png  report.html  checkpoints/  bundle/
learning_curve.csv  learning_curve.json  learning_curve.png    where they were asked for
"""

import csv
import io
import json
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from maskage.environment import describe_environment
from maskage.errors import DatasetError, EnvironmentProblemError, InUseError, UsageError
from maskage.formats.datasets_behind import datasets_behind
from maskage.formats.output_log import Kind, Output, log_output
from maskage.formats.run_arguments import CACHES_KEY
from maskage.records import LABELS
from maskage.system.files import make_private, open_private, replace_file
from maskage.system.lock import FolderLock


@dataclass(frozen=True)
class EpochRow:
    """One line of `results.csv`. Losses in nats, accuracies 0 to 1."""

    phase: str
    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class Prediction:
    """One line of `predictions.csv`: a photo and what the model says of it.

    Attributes:
        path: Relative to the folder that was evaluated, POSIX.
        actual, predicted: Labels.
        probabilities: In class order.
    """

    path: str
    actual: str
    predicted: str
    probabilities: tuple[float, ...]

    @property
    def is_right(self) -> bool:
        return self.actual == self.predicted


class RunFolder:
    """One run's files.

    Args:
        path: The folder, which is there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def bundle(self) -> Path:
        return self.path / "bundle"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoints" / "best.weights.h5"

    @property
    def state(self) -> Path:
        """Where the training stands, for going on with it; gone when it is finished."""
        return self.path / "checkpoints" / "state.npz"

    @property
    def is_trained(self) -> bool:
        """Whether there is anything of a training in it; a first epoch cut short leaves weights."""
        return self.state.is_file() or self.checkpoint.is_file()

    @property
    def is_finished(self) -> bool:
        """Whether it was trained to its end and all of it is there."""
        if not (self.bundle / "bundle.json").is_file():
            return False
        return not self.read_metrics().get("is_stopped", False)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other trainings out of the folder.

        Raises:
            InUseError: Another one is in it.
        """
        try:
            lock = FolderLock(self.path / "checkpoints" / "lock")
        except InUseError as fault:
            raise InUseError(
                f"{self.path}: another program trains this run ({fault}). Wait for it, or stop it."
            ) from fault
        try:
            yield
        finally:
            lock.close()

    def write_args(self, values: dict[str, Any]) -> None:
        self._write("args.yaml", yaml.safe_dump(values, sort_keys=False))

    def read_args(self) -> dict[str, Any]:
        """What `args.yaml` holds; empty where it is missing or not YAML."""
        try:
            values = yaml.safe_load((self.path / "args.yaml").read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError, UnicodeDecodeError):
            return {}
        return values if isinstance(values, dict) else {}

    def note_cache(self, folder: Path) -> None:
        """Remember where features of the photos are kept, in `args.yaml` and in the dataset."""
        args, folder = self.read_args(), folder.resolve()
        caches = args.get(CACHES_KEY)
        known = caches if isinstance(caches, list) else []
        if args and str(folder) not in known:
            self.write_args({**args, CACHES_KEY: [*known, str(folder)]})
        log_output(datasets_behind([self.path]), Output(folder, Kind.CACHE))

    def append_result(self, row: EpochRow) -> None:
        """Add one epoch to `results.csv`; it is on disk when this returns."""
        path = self.path / "results.csv"
        is_new = not path.exists()
        make_private(path)
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow([field.name for field in fields(EpochRow)])
            values = (round(v, 6) if isinstance(v, float) else v for v in astuple(row))
            writer.writerow(values)

    def read_results(self) -> list[EpochRow]:
        """Every epoch of `results.csv`; empty where there is none.

        A last line that was cut short with the machine's power is left out.
        """
        path = self.path / "results.csv"
        if not path.is_file():
            return []
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            return [row for line in csv.DictReader(file) if (row := _row_of(line)) is not None]

    def keep_results(self, epochs: dict[str, int]) -> None:
        """Leave in `results.csv` so many epochs of each phase; others are trained again."""
        rows = [row for row in self.read_results() if row.epoch <= epochs.get(row.phase, 0)]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([field.name for field in fields(EpochRow)])
        writer.writerows(astuple(row) for row in rows)
        self._write("results.csv", text.getvalue())

    def write_metrics(self, values: dict[str, Any]) -> None:
        self._write("metrics.json", json.dumps(values, indent=2) + "\n")

    def read_metrics(self) -> dict[str, Any]:
        """What `metrics.json` holds.

        Raises:
            EnvironmentProblemError: The run has none; it was not finished.
        """
        try:
            values = json.loads((self.path / "metrics.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as fault:
            raise EnvironmentProblemError(
                f"{self.path}: not a finished run (no readable metrics.json). {self._way_on()}"
            ) from fault
        return dict(values)

    def _way_on(self) -> str:
        if (self.path / "args.yaml").is_file():
            return f"Go on with `trainer fit --resume {self.path}`, or name another run."
        return "Train one with `trainer fit`, or name another run."

    def write_predictions(self, predictions: Sequence[Prediction]) -> None:
        with open_private(self.path / "predictions.csv") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "actual", "predicted", *LABELS])
            for each in predictions:
                chances = (f"{value:.6f}" for value in each.probabilities)
                writer.writerow([each.path, each.actual, each.predicted, *chances])

    def write_environment(self) -> None:
        self._write("environment.json", json.dumps(describe_environment(), indent=2) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Write one of the run's pages."""
        self._write(name, text)

    def _write(self, name: str, text: str) -> None:
        replace_file(self.path / name, text.encode(errors="backslashreplace"))


def create_run(runs: Path, name: str | None, model: str, args: dict[str, Any]) -> RunFolder:
    """Make the folder of a new run: it is there with its `args.yaml`, or not at all.

    Args:
        runs: Where runs lie; made where it is missing.
        name: Of the run; None for model and time.
        model: What to name it by then.
        args: What `args.yaml` is to hold.

    Raises:
        UsageError: The name is taken, or is not a plain folder name.
        EnvironmentProblemError: The folder cannot be made.
    """
    name = name if name is not None else f"{model}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    check_name(runs, name)
    path = runs / name
    new = RunFolder(runs / f".new-{secrets.token_hex(8)}")
    try:
        runs.mkdir(parents=True, exist_ok=True)
        new.path.mkdir(mode=0o700)
        (new.path / "checkpoints").mkdir()
        new.write_args({**args, "name": name})
        new.write_environment()
        new.path.rename(path)
    except OSError as fault:
        shutil.rmtree(new.path, ignore_errors=True)
        raise EnvironmentProblemError(
            f"{path}: the run folder cannot be made ({fault.strerror}). Choose another --runs."
        ) from fault
    log_output(datasets_behind([path]), Output(path, Kind.RUN))
    return RunFolder(path)


def check_name(runs: Path, name: str | None) -> None:
    """See that a run can have this name; None is one that is not known yet.

    Raises:
        UsageError: It is taken, or is not a plain folder name.
    """
    if name is None:
        return
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}", name):
        raise UsageError(
            f"A run's name is made of the letters a to z, digits, '_', '-', '+' and '.'; found "
            f"'{name}'. Choose another --name."
        )
    path = runs / name
    if path.exists():
        raise UsageError(f"There is a run {path} already. {_advice(RunFolder(path))}")


def newest_unfinished(runs: Path) -> Path:
    """The run under `runs` that was begun last and is not finished.

    Raises:
        UsageError: There is none.
    """
    begun = sorted(runs.glob("[!.]*/args.yaml"), key=lambda path: path.stat().st_mtime)
    for path in reversed(begun):
        if not RunFolder(path.parent).is_finished:
            return path.parent
    raise UsageError(f"No unfinished run in {runs}. Name one with --resume RUN.")


def unfinished_runs(runs: Path) -> list[Path]:
    """Every run under `runs` that was begun and has no metrics yet, sorted by name."""
    begun = sorted(path.parent for path in runs.glob("[!.]*/args.yaml"))
    return [path for path in begun if not (path / "metrics.json").is_file()]


def _advice(run: RunFolder) -> str:
    if run.is_finished or not run.read_args():
        return "Choose another --name, or remove it."
    return f"It is not finished: go on with `trainer fit --resume {run.path}`, or remove it."


def _row_of(line: dict[str, str]) -> EpochRow | None:
    try:
        figures = [float(line[field.name]) for field in fields(EpochRow)[2:]]
        return EpochRow(line["phase"], int(line["epoch"]), *figures)
    except (TypeError, ValueError, KeyError):
        return None


def finished_runs(runs: Path) -> list[RunFolder]:
    """Every finished run under `runs`, sorted by name.

    Raises:
        DatasetError: There is none.
    """
    found = [RunFolder(path.parent) for path in sorted(runs.glob("*/metrics.json"))]
    if not found:
        raise DatasetError(f"No finished run in {runs}. Train one with `trainer fit`.")
    return found


def trained_on(bundle: Path) -> Path:
    """The curated folder that a run's bundle was trained on, as its `args.yaml` says.

    Raises:
        UsageError: Nothing says so.
    """
    curated = RunFolder(bundle.parent).read_args().get("curated")
    if not isinstance(curated, str):
        raise UsageError(
            f"{bundle} does not say what it was trained on (no args.yaml beside it). Name the "
            f"photos with --data FOLDER."
        )
    return Path(curated)


def tell_phases(metrics: dict[str, Any]) -> str:
    """What was trained: "50 epochs head, 2 epochs fine-tune, then stopped before its end"."""
    parts = [
        f"{count} epoch{'s' * (count != 1)} {phase.replace('_', '-')}"
        for phase, count in metrics["epochs"].items()
    ]
    if metrics.get("is_stopped"):
        parts.append("then stopped before its end")
    return ", ".join(parts)


def predictions_of(
    paths: Sequence[str], actual: NDArray[np.int64], probabilities: NDArray[np.floating]
) -> list[Prediction]:
    """Join photos (N), class numbers (N,) and probabilities (N, 4)."""
    said = probabilities.argmax(axis=1)
    return [
        Prediction(path, LABELS[is_].value, LABELS[says].value, tuple(float(p) for p in row))
        for path, is_, says, row in zip(paths, actual, said, probabilities, strict=True)
    ]
