"""Run every backbone from photos to a live label, to show that all parts fit together.

    python benchmarks/detector/wiring.py CURATED [--model xception ...]
        [--image-size 96] [--frames 20]

For each recipe of the package, a weights file of random numbers is written with the name and layout
of Keras; `trainer fit` finds it in the cache and trains a head and one epoch of fine-tuning;
`trainer fit --weights none` trains one epoch of the whole network; `trainer export` writes every
format; `detector live` labels frames of the demo camera. It prints one JSON object. The accuracy
means nothing here.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import WIRING
from maskage.classes.ready_made import MASK_AGE

ROOT = Path(__file__).parents[2]
FORMATS = ("onnx", "tflite", "openvino", "keras")


def main() -> int:
    """Run the backbones, print, and return the exit code."""
    from trainer.recipe import recipe_names

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("curated", type=Path)
    parser.add_argument("--model", nargs="*", default=recipe_names(), metavar="RECIPE")
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--frames", type=int, default=20)
    arguments = parser.parse_args()
    figures = {}
    for model in arguments.model:
        with tempfile.TemporaryDirectory() as work:
            figures[model] = try_out(model, arguments, Path(work))
    return finish(figures, WIRING)


def try_out(model: str, arguments: argparse.Namespace, work: Path) -> dict[str, object]:
    """Train, export and run one backbone, and return its figures."""
    curated, size = str(arguments.curated.resolve()), str(arguments.image_size)
    home = {"KERAS_HOME": str(work / "keras")}
    write_weights(model, arguments.image_size, work / "keras" / "models")
    common = [curated, "--model", model, "--image-size", size, "--batch-size", "8"]
    started_s = time.monotonic()
    run("trainer", "fit", *common, "--name", "cached", "--epochs", "2", "--fine-tune-epochs", "1",
        work=work, more=home)  # fmt: skip
    cached_s = time.monotonic() - started_s
    run("trainer", "fit", *common, "--name", "scratch", "--weights", "none", "--epochs", "1",
        work=work)  # fmt: skip
    words = [word for name in FORMATS for word in ("--to", name)]
    exported = run("trainer", "export", "runs/scratch", *words, "--json", work=work)
    live = run("detector", "live", "--source", "demo", "--model", "runs/scratch", "--headless",
               "--frames", str(arguments.frames), "--json", "-", work=work)  # fmt: skip
    frames = [json.loads(line) for line in live.splitlines() if line.startswith("{")]
    metrics = json.loads((work / "runs" / "scratch" / "metrics.json").read_text())
    return {
        "model": model,
        "seconds_from_cache": round(cached_s, 1),
        "seconds_from_random": metrics["seconds"],
        "export_difference": metrics["export_difference"],
        "milliseconds_per_photo": round(metrics["milliseconds_per_photo"], 2),
        "exports": [json.loads(line) for line in exported.splitlines() if line.startswith("{")],
        "frames": len(frames),
        "labelled_faces": sum(len(frame["faces"]) for frame in frames),
    }


def write_weights(model: str, size: int, folder: Path) -> None:
    """Write a weights file without top, as Keras' cache holds it."""
    from tests.trainer.network.legacy_weights import write_legacy_weights
    from trainer.network.backbones import build_network
    from trainer.network.weights import imagenet_names
    from trainer.recipe import load_recipe, with_overrides

    recipe = with_overrides(load_recipe(model), image_size=size)
    network = build_network(recipe, MASK_AGE)
    folder.mkdir(parents=True)
    write_legacy_weights(network.backbone, folder / imagenet_names(network.row, recipe)[-1])


def run(package: str, *words: str, work: Path, more: dict[str, str] | None = None) -> str:
    """Run a command of the toolchain and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", f"{package}.cli", *words],
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(more or {})},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
