"""The trainings of a measurement in a kept folder: each is done once, by the commands of a user.

asked.json               the question, so that no other one is continued here
curated/NAME             set of a fold, made by `curate`
runs/NAME-seed-N         run of a fold
answers/NAME-seed-N      predictions.csv of the photos held out; facts.json, written last
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.trainer.unseen.cases import Case
from benchmarks.trainer.unseen.folds import Fold
from benchmarks.trainer.unseen.layout import copy_by_split, write_groups
from maskage.classes.ready_made import MASK_AGE
from maskage.formats.bundle import load_bundle
from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.formats.curated.plan_file import PLAN_FILE
from maskage.formats.run.predictions_file import (
    Prediction,
    predictions_of,
    read_predictions,
    write_predictions,
)
from maskage.formats.run.run_folder import RunFolder
from maskage.inference.onnx_engine import OnnxEngine
from maskage.inference.timing import measure_ms
from trainer.data.pixels import PixelReader, plain_batches

ROOT = Path(__file__).parents[3]
PRODUCT = ("maskage", "collector", "curation", "trainer")
SEEDS = (1337, 1, 2, 3, 4, 5, 6, 7)
"""Seeds of repeated trainings, in their order."""
FACTS = "facts.json"


@dataclass(frozen=True)
class Facts:
    """How an answered training was made.

    Attributes:
        seconds: Duration of the parts of `trainer fit`, s, by name.
        load: Higher load of the machine at its begin and its end; over its cores, times say little.
        milliseconds: Median time of the bundle for one face, ms.
        trained_on: Number of photos of train.
        variants: Number of made photos of train.
        revision: Revision of the programs; "+" where they were changed since.
        made_at: Date, ISO 8601.
        machine: Processor and its cores.
    """

    seconds: dict[str, float]
    load: float
    milliseconds: float
    trained_on: int
    variants: int
    revision: str
    made_at: str
    machine: str


@dataclass(frozen=True)
class Answered:
    """The answers of one training to photos that it never saw."""

    fold: str
    seed: int
    answers: tuple[Prediction, ...]
    facts: Facts


@dataclass(frozen=True)
class WorkFolder:
    """A kept folder with the trainings of one measurement.

    Attributes:
        path: The folder.
        curate: Options of `curate`.
        fit: Options of `trainer fit`.
    """

    path: Path
    curate: tuple[str, ...] = ()
    fit: tuple[str, ...] = ()

    def answer(
        self, fold: str, seed: int, make_set: Callable[[Path], None], cases: Sequence[Case]
    ) -> Answered:
        """Train unless that is done, and predict photos unless that is done.

        Args:
            fold: Name of the set.
            seed: Seed of the training.
            make_set: Function that makes the curated set in a folder that it is given.
            cases: The photos to predict, none of which the set trains on.
        """
        name = f"{fold}-seed-{seed}"
        kept = read_answered(self.path, fold, seed)
        if kept is not None and {each.path for each in kept.answers} == {c.key for c in cases}:
            return kept
        run = self._train(self.prepare(fold, make_set), name, seed)
        folder = self.path / "answers" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FACTS).unlink(missing_ok=True)
        answers = predict(run.bundle, cases)
        write_predictions(folder, answers, MASK_AGE.labels)
        facts = self._collect_facts(run)
        write_whole(folder / FACTS, asdict(facts))
        return Answered(fold, seed, tuple(answers), facts)

    def prepare(self, fold: str, make_set: Callable[[Path], None]) -> Path:
        """Return the curated set of a fold, and make it where it is missing."""
        curated = self.path / "curated" / fold
        if not (curated / PLAN_FILE).is_file():
            shutil.rmtree(curated, ignore_errors=True)
            make_set(curated)
        return curated

    def _train(self, curated: Path, name: str, seed: int) -> RunFolder:
        """Run `trainer fit`, or go on with one that was interrupted."""
        run = RunFolder(self.path / "runs" / name)
        if run.is_finished:
            return run
        words = ["--resume", str(run.path)]
        if not run.is_trained:
            shutil.rmtree(run.path, ignore_errors=True)
            words = [str(curated), "--name", name, "--runs", str(run.path.parent)]
            words += ["--seed", str(seed), *self.fit]
            begun = {"load": read_load(), **describe_programs()}
            write_whole(self.path / "begun" / f"{name}.json", begun)
        run_tool("trainer.cli", "fit", *words, cache=self.path / "features")
        if not run.is_finished:
            sys.exit(f"{run.path} was stopped before its end. The same command goes on with it.")
        return run

    def _collect_facts(self, run: RunFolder) -> Facts:
        metrics = run.read_metrics()
        bundle = load_bundle(run.bundle)
        begun = read_json(self.path / "begun" / f"{run.path.name}.json")
        return Facts(
            seconds=metrics["seconds"],
            load=round(max(begun["load"], read_load()), 1),
            milliseconds=round(measure_ms(OnnxEngine(bundle.onnx_path), bundle.input_size), 2),
            trained_on=count_photos(metrics, "train"),
            variants=count_photos(metrics, "variants"),
            **{key: begun[key] for key in ("revision", "made_at", "machine")},
        )


def make_fold_set(work: WorkFolder, cases: Sequence[Case], fold: Fold, curated: Path) -> None:
    """Make the set of a fold as a user would who has the split: import it, and `curate` it."""
    source = work.path / "import" / fold.name
    shutil.rmtree(source, ignore_errors=True)
    copy_by_split(source / "photos", cases, fold)
    write_groups(source / "groups.csv", cases, fold)
    data = source / "data"
    table = ("--metadata", str(source / "groups.csv"))
    run_tool("collector.cli", "import", str(source / "photos"), str(data), *table)
    made = curated.with_name(f".{curated.name}")
    shutil.rmtree(made, ignore_errors=True)
    made.parent.mkdir(parents=True, exist_ok=True)
    run_tool("curation.cli", str(data), "--split", "given", "--out", str(made), *work.curate)
    made.rename(curated)
    shutil.rmtree(source)


def run_tool(module: str, *words: str, cache: Path | None = None) -> None:
    """Run a command of this checkout; what it prints goes to stderr."""
    own = {} if cache is None else {"MASKAGE_CACHE": str(cache)}
    environment = {**own, **os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", module, *words]
    done = subprocess.run(command, env=environment, stdout=sys.stderr, check=False)
    if done.returncode:
        print(f"`{module.split('.')[0]} {' '.join(words)}` failed.", file=sys.stderr)
        sys.exit(done.returncode)


def predict(bundle_folder: Path, cases: Sequence[Case]) -> list[Prediction]:
    """Return the answers of a bundle, named by the keys of the photos."""
    bundle = load_bundle(bundle_folder)
    photos = [CuratedPhoto(case.file, case.photo.label, str(case.group)) for case in cases]
    batches = plain_batches(photos, PixelReader(bundle.input_size, 0))
    chances = OnnxEngine(bundle.onnx_path).run_batches(batches)
    order = [bundle.labels.index(label) for label in MASK_AGE.labels]
    actual = np.array([MASK_AGE.index(photo.label) for photo in photos], np.int64)
    names = [case.key for case in cases]
    return predictions_of(names, actual, chances[:, order], MASK_AGE.labels)


def read_answered(work: Path, fold: str, seed: int) -> Answered | None:
    """Return kept answers; None where there are none, or not all of them."""
    folder = work / "answers" / f"{fold}-seed-{seed}"
    if not (folder / FACTS).is_file():
        return None
    facts = Facts(**read_json(folder / FACTS))
    return Answered(fold, seed, tuple(read_predictions(folder)), facts)


def read_all_answered(work: Path) -> list[Answered]:
    """Return all kept answers of a folder, by name."""
    found = []
    for path in sorted(work.glob(f"answers/*-seed-*/{FACTS}")):
        fold, _, seed = path.parent.name.rpartition("-seed-")
        kept = read_answered(work, fold, int(seed))
        found += [kept] if kept else []
    return found


def require_same_question(work: Path, asked: dict[str, Any]) -> None:
    """Exit if something else was measured in a folder."""
    path = work / "asked.json"
    if path.is_file() and read_json(path) != asked:
        sys.exit(f"{path} shows that something else was measured here. Choose another --work.")
    write_whole(path, asked)


def write_whole(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file: several may start side by side, and none must read an incomplete file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
    temporary.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object of a JSON file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def read_load() -> float:
    """Return the load of the machine over the last minute; 0 where it is not known."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def describe_programs() -> dict[str, str]:
    """Return the revision of the programs, the date and the machine."""
    made_at = datetime.now(UTC).date().isoformat()
    return {"revision": find_revision(), "made_at": made_at, "machine": describe_machine()}


def find_revision() -> str:
    """Return the short name of the commit, with "+" where the programs were changed since."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(ROOT), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", *PRODUCT)
        return git("rev-parse", "--short", "HEAD") + "+" * bool(changed)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def describe_machine() -> str:
    """Return the name of the processor and the number of its cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        name = next(iter(names), name)
    return f"{name}, {cores} cores"


def count_photos(metrics: dict[str, Any], part: str) -> int:
    """Return the number of photos of a part; the counts may be by class."""
    counts = metrics.get("class_counts", {}).get(part, 0)
    return sum(counts.values()) if isinstance(counts, dict) else int(counts)


def report_progress(done: Sequence[Answered], total: int, next_name: str, began_s: float) -> None:
    """Print which training comes next, and how long the rest takes by those done so far."""
    spent = [each.facts.seconds["total"] for each in done]
    left = ""
    if spent:
        minutes = sum(spent) / len(spent) / 60
        left = (
            f", {minutes:.0f} min each so far, about {minutes * (total - len(done)):.0f} min left"
        )
    ran = (time.monotonic() - began_s) / 60
    print(
        f"-- {next_name}: training {len(done) + 1} of {total}{left} ({ran:.0f} min in this call)",
        file=sys.stderr,
        flush=True,
    )
