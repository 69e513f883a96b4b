"""Whether a training that is killed ends where an unbroken one does.

    python benchmarks/trainer/resume.py CURATED [--kills 20] [-- TRAINER OPTIONS]

Trains CURATED once without a break. Then trains it again and again, each time killed (SIGKILL) at
another moment, the moments spread evenly over the whole run, and gone on with by `--resume` until
it is finished. Prints how many epochs each kill cost and whether predictions, epochs and weights
are the same in the end; ends with 3 where they are not.

With `--self-test` one training is killed after its second epoch, and what goes on forgets the
weights that it was at: that must be noticed.
"""

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import find_missed, finish
from benchmarks.common.goals import RESUME, SELF_TEST

ROOT = Path(__file__).parents[2]
TRAINER = "import sys; from trainer.cli import main; sys.exit(main(sys.argv[1:]))"
FORGETS_WEIGHTS = """
from trainer.network import head
from trainer.fit import phases
phases.restore = lambda trainee, state: None
head._Trainer.restore = lambda trainer, state: None
"""
"""Spoils what a training that goes on takes from its last state."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("curated", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--work", type=Path, help="kept; a temporary folder otherwise")
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    arguments = parser.parse_args(words[:cut])
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        if not arguments.self_test:
            return finish(
                measure(arguments.curated, arguments.kills, work, words[cut + 1 :]), RESUME
            )
        figures = measure(arguments.curated, 1, work, words[cut + 1 :], FORGETS_WEIGHTS)
        missed = find_missed(figures, RESUME)
        unnoticed = int(not any("not_the_same" in line for line in missed))
        name = "weights are forgotten"
        return finish({"self-test": {name: {"unnoticed": unnoticed, "noticed": missed}}}, SELF_TEST)


def measure(
    curated: Path, kills: int, work: Path, options: list[str], saboteur: str = ""
) -> dict[str, object]:
    begin = [str(curated.resolve()), "--runs", str(work / "runs"), *options]
    unbroken = work / "runs" / "unbroken"
    started_s = time.monotonic()
    train([*begin, "--name", "unbroken"], work / "cache-unbroken").wait()
    whole_s = time.monotonic() - started_s
    trials = []
    for number in range(kills):
        name = f"killed-{number + 1}"
        cache = work / f"cache-{number + 1}"
        moment_s = whole_s * (number + 0.5) / kills
        run = work / "runs" / name
        trial = try_kill(run, [*begin, "--name", name], cache, moment_s, saboteur)
        trial |= compare(work / "runs" / name, unbroken)
        print(json.dumps(trial), file=sys.stderr, flush=True)
        trials.append(trial)
    return summarise(trials, whole_s)


def summarise(trials: Sequence[dict[str, object]], whole_s: float) -> dict[str, object]:
    """Count what became of the trainings that were killed."""
    same = ("same_predictions", "same_epochs", "same_weights")
    return {
        "not_the_same": sum(
            trial["exit_code"] != 0 or not all(trial[name] for name in same) for trial in trials
        ),
        "seconds_unbroken": round(whole_s, 1),
        "kills": sum(bool(trial["is_killed"]) for trial in trials),
        "stages": sorted({str(trial["stage"]) for trial in trials}),
        "most_epochs_lost": max(int(str(trial["epochs_lost"])) for trial in trials),
        "same_predictions": sum(bool(trial["same_predictions"]) for trial in trials),
        "same_epochs": sum(bool(trial["same_epochs"]) for trial in trials),
        "same_weights": sum(bool(trial["same_weights"]) for trial in trials),
    }


def try_kill(
    run: Path, begin: list[str], cache: Path, moment_s: float, saboteur: str = ""
) -> dict[str, object]:
    """Train, kill after so many seconds, and go on until it is finished."""
    process = train(begin, cache)
    if saboteur:
        # What is forgotten must have been learned and kept: the state of an epoch is written
        # after its line, so the second line tells that the first epoch's is there.
        while process.poll() is None and len(read_epochs(run)) < 2:
            time.sleep(0.002)
        moment_s = 0.0
    try:
        process.wait(moment_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    is_killed = process.returncode == -signal.SIGKILL
    epochs_before = len(read_epochs(run))
    stage = stage_of(run)
    # Before there is a folder there is nothing to go on with: the user begins again.
    again = ["--resume", str(run)] if run.is_dir() else begin
    going_on = train(again, cache, saboteur)
    kept = epochs_before
    while going_on.poll() is None:
        # The lines of lost epochs are taken out before the first is trained again.
        kept = min(kept, len(read_epochs(run))) if run.is_dir() else 0
        time.sleep(0.002)
    return {
        "after_s": round(moment_s, 1),
        "is_killed": is_killed,
        "stage": stage,
        "epochs_before": epochs_before,
        "epochs_lost": epochs_before - kept,
        "exit_code": going_on.returncode,
    }


def stage_of(run: Path) -> str:
    if not run.is_dir():
        return "before the folder"
    if (run / "bundle" / "bundle.json").is_file():
        return "finished"
    epochs = read_epochs(run)
    if (run / "bundle").is_dir():
        return "packing"
    return epochs[-1][0] if epochs else "features"


def compare(run: Path, unbroken: Path) -> dict[str, bool]:
    return {
        "same_predictions": read(run / "predictions.csv") == read(unbroken / "predictions.csv"),
        "same_epochs": read_epochs(run) == read_epochs(unbroken),
        "same_weights": weights_are_same(run, unbroken),
    }


def read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def read_epochs(run: Path) -> list[list[str]]:
    """Every line of `results.csv` but for its seconds."""
    path = run / "results.csv"
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [line[:-1] for line in list(csv.reader(file))[1:]]


def weights_are_same(run: Path, other: Path) -> bool:
    found = [read_weights(each / "checkpoints" / "best.weights.h5") for each in (run, other)]
    return found[0].keys() == found[1].keys() and all(
        np.array_equal(found[0][name], found[1][name]) for name in found[0]
    )


def read_weights(path: Path) -> dict[str, np.ndarray]:
    values: dict[str, np.ndarray] = {}
    if path.is_file():
        with h5py.File(path, "r") as file:
            file.visititems(
                lambda name, item: (
                    values.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
                )
            )
    return values


def train(arguments: list[str], cache: Path, saboteur: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", saboteur + TRAINER, "fit", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "MASKAGE_CACHE": str(cache)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    sys.exit(main())
