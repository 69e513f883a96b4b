"""Training on one device, two, two processes, another backend and in mixed precision, side by side.

    python benchmarks/trainer/devices.py [--curated FOLDER] [--epochs 3] [--image-size 96]
        [--only NAME ...]

Every row is a `trainer fit` of its own, MobileNetV2 0.35 from random weights on drawn photos (or
those of --curated), as a user would start it. Prints one JSON object, by row: seconds of an epoch,
of the whole, how far the exported model's answers are from the trained one's, and, of two
processes, whether the first alone wrote a run. On a CPU all devices are the same cores: nothing can
be faster there, and what many devices cost is what is seen.
"""

import argparse
import csv
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import DEVICES

ROOT = Path(__file__).parents[2]

# TensorFlow divides the CPU by a call, not by a variable.
DIVIDE = (
    "import sys, tensorflow as tf; c = tf.config; "
    "c.set_logical_device_configuration(c.list_physical_devices('CPU')[0], "
    "[c.LogicalDeviceConfiguration()] * int(sys.argv.pop(1))); "
    "from trainer.cli import main; sys.exit(main(sys.argv[1:]))"
)

ROWS = {
    "tensorflow": ("tensorflow", 1, 1, "float32"),
    "tensorflow, 2 devices": ("tensorflow", 2, 1, "float32"),
    "tensorflow, mixed": ("tensorflow", 1, 1, "mixed"),
    "jax": ("jax", 1, 1, "float32"),
    "jax, 2 devices": ("jax", 2, 1, "float32"),
    "jax, 2 processes": ("jax", 1, 2, "float32"),
    "jax, mixed": ("jax", 1, 1, "mixed"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--curated", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        curated = arguments.curated or draw_photos(Path(folder))
        figures: dict[str, Any] = {
            name: measure(name, curated, Path(folder), arguments) for name in arguments.only
        }
    figures["failed"] = sum("failed" in row for row in figures.values())
    return finish(figures, DEVICES)


def draw_photos(folder: Path) -> Path:
    """The drawn faces of the tests, 160 of them to train on."""
    from tests.trainer.conftest import make_curated

    return make_curated(folder / "curated", train=40, held_out=8)


def measure(
    name: str, curated: Path, folder: Path, arguments: argparse.Namespace
) -> dict[str, object]:
    """Run one row and read what it left."""
    backend, devices, processes, precision = ROWS[name]
    run = name.replace(", ", "-").replace(" ", "")
    command = [
        "fit", str(curated), "--runs", str(folder / "runs"), "--name", run,
        "--weights", "none", "--alpha", "0.35", "--batch-size", "32",
        "--epochs", str(arguments.epochs), "--image-size", str(arguments.image_size),
        "--precision", precision,
    ]  # fmt: skip
    parts = devices if backend == "tensorflow" else 1
    started_s = time.perf_counter()
    trainings = [
        subprocess.Popen(
            [sys.executable, "-c", DIVIDE, str(parts), *command],
            env=environment(backend, devices, processes, index, address),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for address in [free_address()]
        for index in range(processes)
    ]
    said = [training.communicate()[0] for training in trainings]
    seconds = time.perf_counter() - started_s
    if any(training.returncode for training in trainings):
        return {"failed": [text[-1000:] for text in said]}
    path = folder / "runs" / run
    with (path / "results.csv").open(newline="") as file:
        epochs = list(csv.DictReader(file))
    metrics = json.loads((path / "metrics.json").read_text())
    hardware = (path / "args.yaml").read_text().partition("\nhardware: ")[2].splitlines()[0]
    return {
        "hardware": hardware,
        "epoch_s": round(min(float(row["seconds"]) for row in epochs[1:] or epochs), 2),
        "first_epoch_s": round(float(epochs[0]["seconds"]), 1),
        "whole_s": round(seconds, 1),
        "losses": [round(float(row["loss"]), 4) for row in epochs],
        "export_difference": metrics["export_difference"],
        "runs_written": len(list((folder / "runs").glob(f"{run}*/bundle/bundle.json"))),
        "last_lines": [text.strip().splitlines()[-1] for text in said],
    }


def environment(
    backend: str, devices: int, processes: int, index: int, address: str
) -> dict[str, str]:
    """Of one process of a row."""
    values = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    if backend == "jax":
        values["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
    if processes > 1:
        values["KERAS_DISTRIBUTION_JOB_ADDRESSES"] = address
        values["KERAS_DISTRIBUTION_NUM_PROCESSES"] = str(processes)
        values["KERAS_DISTRIBUTION_PROCESS_ID"] = str(index)
    return values


def free_address() -> str:
    """An address on loopback with a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


if __name__ == "__main__":
    sys.exit(main())
