"""The folder of a run: what was asked for, what happened, how good the result is.

args.yaml  results.csv  metrics.json  predictions.csv  environment.json  model_card.md
confusion_matrix.png  curves.png  report.html  checkpoints/  bundle/  classes.toml
learning_curve.csv  learning_curve.json  learning_curve.png    if they were asked for

metrics.json and environment.json are read and written here; the tables and args.yaml have modules
of their own (`results_file`, `predictions_file`, `run_arguments`).
"""

import json
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maskage.classes.scheme import Scheme
from maskage.environment import describe_environment
from maskage.errors import DatasetError, EnvironmentProblemError, InUseError, UsageError
from maskage.formats.bundle import BUNDLE_FILE
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme, read_scheme
from maskage.formats.output_log import Kind, Output, log_output
from maskage.formats.run.datasets_behind import datasets_behind
from maskage.formats.run.predictions_file import Prediction, read_predictions, write_predictions
from maskage.formats.run.results_file import EpochRow, append_result, read_results, replace_results
from maskage.formats.run.run_arguments import (
    ARGS_FILE,
    CACHES_KEY,
    read_arguments,
    read_run,
    write_arguments,
)
from maskage.system.files import replace_file
from maskage.system.lock import FolderLock

METRICS_FILE = "metrics.json"


class RunFolder:
    """A run's folder, and what is in it.

    Args:
        path: The folder, which exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def bundle(self) -> Path:
        """The folder of the model that the detector loads."""
        return self.path / "bundle"

    @property
    def checkpoint(self) -> Path:
        """The file of the best weights."""
        return self.path / "checkpoints" / "best.weights.h5"

    @property
    def state(self) -> Path:
        """The file that an interrupted training goes on from; removed when it is finished."""
        return self.path / "checkpoints" / "state.npz"

    @property
    def is_trained(self) -> bool:
        """True if there are weights to go on from; a first epoch cut short leaves some."""
        return self.state.is_file() or self.checkpoint.is_file()

    @property
    def is_finished(self) -> bool:
        """True if the run was trained to its end and all of it is there."""
        if not (self.bundle / BUNDLE_FILE).is_file():
            return False
        return not self.read_metrics().get("is_stopped", False)

    @property
    def scheme(self) -> Scheme:
        """The classes that the run was trained with.

        Raises:
            DatasetError: Its classes.toml is damaged.
        """
        return read_scheme(self.path)

    def write_scheme(self, scheme: Scheme) -> None:
        """Write `classes.toml`, whole or not at all."""
        self.write_text(CLASSES_FILE, format_scheme(scheme))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other trainings out of the folder.

        Raises:
            InUseError: Another training uses it.
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

    def write_args(self, values: Mapping[str, Any]) -> None:
        """Write `args.yaml`, whole or not at all."""
        write_arguments(self.path, values)

    def read_args(self) -> dict[str, Any]:
        """Return what `args.yaml` holds; empty if it is missing or something else."""
        return read_arguments(self.path)

    def note_cache(self, folder: Path) -> None:
        """Remember where features of the photos are kept, in `args.yaml` and in the dataset."""
        args, folder = self.read_args(), folder.resolve()
        caches = args.get(CACHES_KEY)
        known = caches if isinstance(caches, list) else []
        if args and str(folder) not in known:
            self.write_args({**args, CACHES_KEY: [*known, str(folder)]})
        log_output(datasets_behind([self.path]), Output(folder, Kind.CACHE))

    def append_result(self, row: EpochRow) -> None:
        """Add one epoch to `results.csv`."""
        append_result(self.path, row)

    def read_results(self) -> list[EpochRow]:
        """Return the whole epochs of `results.csv`."""
        return read_results(self.path)

    def keep_results(self, epochs: Mapping[str, int]) -> None:
        """Keep the first epochs of each phase in `results.csv`; `epochs` holds their numbers."""
        rows = [row for row in self.read_results() if row.epoch <= epochs.get(row.phase, 0)]
        replace_results(self.path, rows)

    def write_metrics(self, values: Mapping[str, Any]) -> None:
        """Write `metrics.json`, whole or not at all."""
        self.write_text(METRICS_FILE, json.dumps(values, indent=2) + "\n")

    def read_metrics(self) -> dict[str, Any]:
        """Return what `metrics.json` holds.

        Raises:
            EnvironmentProblemError: The run has none; it was not finished.
        """
        try:
            values = json.loads((self.path / METRICS_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as fault:
            raise EnvironmentProblemError(
                f"{self.path}: not a finished run (no readable metrics.json). {self._way_on()}"
            ) from fault
        return dict(values)

    def _way_on(self) -> str:
        if (self.path / ARGS_FILE).is_file():
            return f"Go on with `trainer fit --resume {self.path}`, or name another run."
        return "Train one with `trainer fit`, or name another run."

    def write_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Write `predictions.csv`."""
        write_predictions(self.path, predictions, self.scheme.labels)

    def read_predictions(self) -> list[Prediction]:
        """Return the answers to the test photos.

        Raises:
            DatasetError: `predictions.csv` is missing or damaged.
        """
        return read_predictions(self.path)

    def write_environment(self) -> None:
        """Write the machine and the library versions to `environment.json`."""
        text = json.dumps(describe_environment(), indent=2) + "\n"
        self.write_text("environment.json", text)

    def write_text(self, name: str, text: str) -> None:
        """Write one of the run's files, whole or not at all; `name` is its name in the folder."""
        replace_file(self.path / name, text.encode(errors="backslashreplace"))


def create_run(
    runs: Path,
    name: str | None,
    model: str,
    args: dict[str, Any],
    scheme: Scheme | None = None,
) -> RunFolder:
    """Make the folder of a new run: it is there with its first files, or not at all.

    Args:
        runs: Folder of the runs; made if it is missing.
        name: Name of the run; None for model and time.
        model: Name of the model, for that case.
        args: Content of `args.yaml`.
        scheme: Its classes; None for the four, without a file.

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
        if scheme is not None:
            new.write_scheme(scheme)
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
    """Check that a run can have this name; None, a name not chosen yet, passes.

    Raises:
        UsageError: The name is taken, or is not a plain folder name.
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
    """Return the folder of the unfinished run that was begun last.

    Raises:
        UsageError: There is no unfinished run.
    """
    begun = sorted(runs.glob(f"[!.]*/{ARGS_FILE}"), key=lambda path: path.stat().st_mtime)
    for path in reversed(begun):
        if not RunFolder(path.parent).is_finished:
            return path.parent
    raise UsageError(f"No unfinished run in {runs}. Name one with --resume RUN.")


def unfinished_runs(runs: Path) -> list[Path]:
    """List the folders of the runs that were begun and have no metrics yet, sorted by name."""
    begun = sorted(path.parent for path in runs.glob(f"[!.]*/{ARGS_FILE}"))
    return [path for path in begun if not (path / METRICS_FILE).is_file()]


def _advice(run: RunFolder) -> str:
    if run.is_finished or not run.read_args():
        return "Choose another --name, or remove it."
    return f"It is not finished: go on with `trainer fit --resume {run.path}`, or remove it."


def finished_runs(runs: Path) -> list[RunFolder]:
    """List the finished runs, sorted by name.

    Raises:
        EnvironmentProblemError: There is no finished run.
    """
    found = [RunFolder(path.parent) for path in sorted(runs.glob(f"*/{METRICS_FILE}"))]
    if not found:
        raise EnvironmentProblemError(f"No finished run in {runs}. Train one with `trainer fit`.")
    return found


def trained_on(bundle: Path) -> Path:
    """Return the curated folder that a run's bundle was trained on, as its `args.yaml` says.

    Raises:
        DatasetError: The folder is gone.
        UsageError: There is no such file beside the bundle.
    """
    run = read_run(bundle.parent.resolve())
    if run is None:
        raise UsageError(
            f"{bundle} does not say what it was trained on (no args.yaml beside it). Name the "
            f"photos with --data FOLDER."
        )
    if not run.trained_on.is_dir():
        raise DatasetError(
            f"{bundle.parent}: this run was trained on {run.trained_on}, which is gone. Name its "
            f"new place, or other photos, with --data FOLDER."
        )
    return run.trained_on


def describe_phases(metrics: dict[str, Any]) -> str:
    """Describe a training: "50 epochs head, 2 epochs fine-tune, then stopped before its end"."""
    parts = [
        f"{count} epoch{'s' * (count != 1)} {phase.replace('_', '-')}"
        for phase, count in metrics["epochs"].items()
    ]
    if metrics.get("is_stopped"):
        parts.append("then stopped before its end")
    return ", ".join(parts)
