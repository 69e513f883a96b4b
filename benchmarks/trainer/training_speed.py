"""Measure the speed of training beside a plain Keras script that runs the backbone in every epoch.

    python benchmarks/trainer/training_speed.py FACES [--epochs 50] [--plain-epochs 3] [--size 192]
        [--parts fit plain engines batches steps]

FACES is a folder of the four classes, which is laid out as train, val and test for both. The parts:

- fit: `trainer fit` without fine-tuning, the whole command from photos to bundle; again with the
  features cached; and the head's epochs beside the features.
- plain: the frozen backbone, average, dropout and softmax in `model.fit`, reading the same photos
  by `image_dataset_from_directory`. Some epochs after the first one are timed and the others are
  estimated from them, unless --plain-epochs equals --epochs. Once with TensorFlow's defaults, once
  with oneDNN switched on, as `trainer` does.
- engines: photos per second through the frozen backbone, ONNX Runtime beside TensorFlow.
- batches: time that fine-tuning waits for augmented photos.
- steps: time of a step of fine-tuning, with batch norm as Keras computes it, folded, with 16-bit
  products, and on smaller photos; on TensorFlow with a CPU.

ImageNet weights come from Keras' cache (KERAS_HOME) or its download. It prints one JSON object.
"""

import argparse
import csv
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import TRAINING_SPEED
from benchmarks.trainer.unseen.cases import Case, list_cases
from benchmarks.trainer.unseen.folds import Fold, allot
from benchmarks.trainer.unseen.layout import lay_out
from maskage.formats.curated.curated_set import SPLITS, read_curated

ROOT = Path(__file__).parents[2]
MODEL = "mobilenetv2"
BATCH = 64
"""Photos in a step, of the recipe's head and of the plain script."""
ENGINE_BATCHES, ROUNDS = 4, 4
Measured = TypeVar("Measured")
PARTS = ("fit", "plain", "engines", "batches", "steps")
STEPS_BATCH = 32
"""Photos in a step of the recipe's fine-tuning."""


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--metadata", type=Path)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--plain-epochs", type=int, default=3, help="epochs to time")
    parser.add_argument("--size", type=int, default=192, help="side of the network's input, px")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    asked = parser.parse_args()
    if asked.plain_epochs < 2:
        parser.error(
            "--plain-epochs must be at least 2, because the first one includes the start-up"
        )
    figures: dict[str, Any] = {"cores": os.cpu_count(), "size": asked.size, "batch": BATCH}
    if hasattr(os, "getloadavg"):
        # Load of other programs; more than a little makes the figures doubtful.
        figures["load_before"] = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        cases = list_cases(asked.faces.resolve(), asked.metadata)
        figures["photos"] = len(cases)
        lay_out_thirds(asked.faces.resolve(), work / "curated", cases)
        for part in asked.parts:
            figures[part] = measure_part(part, work, asked)
            print(json.dumps({part: figures[part]}), file=sys.stderr, flush=True)
    if {"fit", "plain"} <= set(asked.parts):
        figures["times_faster"] = compare(figures["fit"], figures["plain"])
    return finish(figures, TRAINING_SPEED)


def lay_out_thirds(faces: Path, curated: Path, cases: list[Case]) -> None:
    """Lay out all photos as train, val and test, 80 to 10 to 10."""
    part_of = allot(cases, range(len(cases)), [0.8, 0.1, 0.1])
    split_of = {at: SPLITS[part] for at, part in part_of.items()}
    lay_out(faces, curated, cases, Fold("all", (), split_of))


def measure_part(part: str, work: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Measure one part and return its figures."""
    curated = work / "curated"
    if part == "fit":
        return measure_fit(work, asked.epochs, asked.size)
    if part == "engines":
        return in_own_process(measure_engines, {}, curated, asked.size)
    if part == "batches":
        return in_own_process(measure_batches, {}, curated, asked.size, work)
    if part == "steps":
        return in_own_process(measure_steps, {}, asked.size)
    tensorflow = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    weights = in_own_process(find_weights, {}, asked.size)
    words = (curated, weights, asked.size, asked.epochs, asked.plain_epochs)
    onednn = {**tensorflow, "TF_ENABLE_ONEDNN_OPTS": "1"}
    return {
        "as_it_comes": in_own_process(train_plainly, tensorflow, *words),
        "with_onednn": in_own_process(train_plainly, onednn, *words),
    }


def in_own_process(
    measure: Callable[..., Measured], environment: dict[str, str], *words: Any
) -> Measured:
    """Call a function in a new interpreter, so that one import does not speed up the next."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            return pool.submit(measure, *words).result()
    finally:
        os.environ.clear()
        os.environ.update(before)


def measure_fit(work: Path, epochs: int, size: int) -> dict[str, Any]:
    """Measure the frozen phase as a user runs it: first with nothing cached, then with features."""
    first = run_fit(work, "first", epochs, size)
    again = run_fit(work, "again", epochs, size)
    hundred = run_fit(work, "hundred", 100, size)
    head_s = 100 * hundred["head_epoch_s"]
    return {
        "first": first,
        "again": again,
        "head_of_100_epochs_s": round(head_s, 2),
        "head_of_100_epochs_per_features": round(head_s / first["seconds"]["features"], 3),
    }


def run_fit(work: Path, name: str, epochs: int, size: int) -> dict[str, Any]:
    """Run `trainer fit` and return its times."""
    words = ["fit", "curated", "--name", name, "--model", MODEL, "--epochs", str(epochs)]
    words += ["--fine-tune-epochs", "0", "--image-size", str(size), "--batch-size", str(BATCH)]
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "MASKAGE_CACHE": str(work / "features")
    }  # fmt: skip
    started_s = time.perf_counter()
    command = [sys.executable, "-P", "-m", "trainer.cli", *words]
    subprocess.run(command, cwd=work, env=environment, stdout=sys.stderr, check=True)
    whole_s = time.perf_counter() - started_s
    run = work / "runs" / name
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    with (run / "results.csv").open(newline="", encoding="utf-8") as file:
        trained = sum(1 for row in csv.DictReader(file) if row["phase"] == "head")
    return {
        "command_s": round(whole_s, 1),
        "seconds": {key: round(value, 2) for key, value in metrics["seconds"].items()},
        "head_epochs": trained,
        "head_epoch_s": round(metrics["seconds"]["head"] / trained, 4),
        "accuracy": round(metrics["accuracy"], 4),
    }


def find_weights(size: int) -> Path | None:
    """Return the file of ImageNet weights that `trainer` takes at this size."""
    from trainer.network.backbones import find_backbone
    from trainer.network.weights import obtain_weights
    from trainer.recipe import load_recipe, with_overrides

    recipe = with_overrides(load_recipe(MODEL), image_size=size)
    return obtain_weights(find_backbone(recipe), recipe, "imagenet")


def train_plainly(
    curated: Path, weights: Path | None, size: int, epochs: int, timed: int
) -> dict[str, Any]:
    """Train as in most scripts, with the frozen backbone in the model, run in every epoch."""
    started_s = time.perf_counter()
    import keras

    def read(split: str) -> Any:
        return keras.utils.image_dataset_from_directory(
            str(curated / split),
            image_size=(size, size),
            batch_size=BATCH,
            label_mode="categorical",
            seed=1337,
            verbose=False,
        )

    backbone = keras.applications.MobileNetV2(
        include_top=False, input_shape=(size, size, 3), weights=weights and str(weights)
    )
    backbone.trainable = False
    images = keras.Input((size, size, 3))
    maps = backbone(keras.applications.mobilenet_v2.preprocess_input(images), training=False)
    features = keras.layers.GlobalAveragePooling2D()(maps)
    kept = keras.layers.Dropout(0.5)(features)
    model = keras.Model(images, keras.layers.Dense(4, activation="softmax")(kept))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    train, val = read("train"), read("val")
    ready_s = time.perf_counter() - started_s
    laps = [time.perf_counter()]
    lap = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: laps.append(time.perf_counter())
    )
    model.fit(train, validation_data=val, epochs=timed, callbacks=[lap], verbose=0)
    first_s, *later_s = np.diff(laps).tolist()
    each_s = float(np.mean(later_s))
    return {
        "start_s": round(ready_s, 1),
        "first_epoch_s": round(first_s, 1),
        "later_epochs_s": [round(value, 1) for value in later_s],
        "epochs": epochs,
        "epochs_measured": timed,
        "all_epochs_s": round(ready_s + first_s + sum(later_s) + (epochs - timed) * each_s, 1),
        "is_reckoned": timed < epochs,
    }


def compare(fit: dict[str, Any], plain: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return the ratio of the plain script's time to that of each way of running ours.

    "command" is all of `trainer fit`: imports, features, head, evaluation, ONNX export and report,
    of which the plain script has only the imports and the training. "training" is features and
    head.
    """
    first, again = fit["first"], fit["again"]
    spent = {
        "command": first["command_s"],
        "command_with_cached_features": again["command_s"],
        "training": first["seconds"]["features"] + first["seconds"]["head"],
        "training_with_cached_features": again["seconds"]["features"] + again["seconds"]["head"],
    }
    return {
        name: {key: round(taken["all_epochs_s"] / value, 1) for key, value in spent.items()}
        for name, taken in plain.items()
    }


def measure_engines(curated: Path, size: int) -> dict[str, Any]:
    """Measure photos per second through the frozen backbone, from decoded photos to features."""
    from maskage.inference.onnx_engine import OnnxEngine
    from trainer.data.pixels import PixelReader, plain_batches
    from trainer.network.to_onnx import export_onnx

    network = load_pretrained(size)
    photos = read_curated(curated).photos("train")[: ENGINE_BATCHES * BATCH]
    batches = list(plain_batches(photos, PixelReader(size), BATCH))
    with tempfile.TemporaryDirectory() as folder:
        export_onnx(network.features, Path(folder) / "network.onnx", output="features")
        engine = OnnxEngine(Path(folder) / "network.onnx")
        features = engine.run_batches(batches)
        runs: dict[str, Callable[[Any], Any]] = {
            "onnxruntime": engine.run,
            "tensorflow_predict_on_batch": network.features.predict_on_batch,
            "tensorflow_predict": lambda batch: network.features.predict(batch, verbose=0),
        }
        found = photos_a_second(runs, batches)
    gap = np.abs(features[:BATCH] - network.features.predict_on_batch(batches[0]))
    return {**found, "largest_difference": float(gap.max())}


def load_pretrained(size: int) -> Any:
    """Return the network with ImageNet weights and a random head."""
    from maskage.classes.ready_made import MASK_AGE
    from trainer.network.backbones import build_network
    from trainer.network.weights import load_backbone_weights
    from trainer.recipe import load_recipe, with_overrides

    network = build_network(with_overrides(load_recipe(MODEL), image_size=size), MASK_AGE)
    weights = find_weights(size)
    if weights is not None:
        load_backbone_weights(network, weights)
    return network


def photos_a_second(runs: dict[str, Callable[[Any], Any]], batches: list[Any]) -> dict[str, float]:
    """Return the best rate of several rounds in turn, so that other load affects all alike."""
    found = dict.fromkeys(runs, 0.0)
    for run in runs.values():
        run(batches[0])
    for _ in range(ROUNDS):
        for name, run in runs.items():
            started_s = time.perf_counter()
            for batch in batches:
                run(batch)
            rate = sum(map(len, batches)) / (time.perf_counter() - started_s)
            found[name] = max(found[name], round(rate, 1))
    return found


def measure_batches(curated: Path, size: int, work: Path) -> dict[str, Any]:
    """Fine-tune some epochs, and record when each batch was ready and when it was asked for.

    Batches are prepared ahead; the network waits for one that is ready only after the previous step
    has ended.
    """
    from trainer.data.augment import Augmenter, vary_framing
    from trainer.data.batches import TrainingBatches
    from trainer.data.pixels import PixelReader
    from trainer.fit import phases
    from trainer.fit.callbacks import PhaseHooks
    from trainer.network.backbones import open_upper_blocks
    from trainer.network.classes import class_numbers, class_weights
    from trainer.recipe import load_recipe, with_overrides

    recipe = with_overrides(load_recipe(MODEL), image_size=size, fine_tune_epochs=6)
    network = load_pretrained(size)
    open_upper_blocks(network)
    ready_s: list[dict[int, float]] = [{}]
    asked_s: list[list[float]] = []

    class TimedBatches(TrainingBatches):
        def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
            batch = super().__getitem__(index)
            ready_s[-1][index] = time.perf_counter()
            return batch

        def on_epoch_begin(self) -> None:
            super().on_epoch_begin()
            asked_s.append([time.perf_counter()])

        def on_epoch_end(self) -> None:
            super().on_epoch_end()
            ready_s.append({})

    def note_step() -> bool:
        asked_s[-1].append(time.perf_counter())
        return False

    photos = read_curated(curated)
    reader = PixelReader(size)
    vars(phases)["TrainingBatches"] = TimedBatches
    phase = phases.NetworkPhase(
        network,
        recipe.fine_tune,
        label_smoothing=recipe.label_smoothing,
        is_scratch=False,
        seed=1337,
        checkpoint=work / "best.weights.h5",
        class_weights=class_weights(
            class_numbers(photos.photos("train"), photos.scheme), len(photos.scheme)
        ),
    )
    hooks = PhaseHooks(on_epoch=lambda _: None, should_stop=note_step)
    phase.run(photos.photos("train"), photos.photos("val"), reader, hooks)
    epochs = []
    # Keras reads a few batches first, which are not an epoch.
    whole = [ready for ready in ready_s if len(ready) == max(map(len, ready_s))]
    # The first epoch also traces the graph and reads the photos from disk.
    for ready, asked in list(zip(whole, asked_s, strict=True))[1:]:
        gaps = [ready[index] - at for index, at in enumerate(asked[: len(ready)])]
        waits = np.maximum(0, np.array(gaps))
        whole_s = asked[-1] - asked[0]
        epochs.append(
            {
                "steps": len(ready),
                "step_ms": round(1000 * whole_s / len(ready), 1),
                "waited_s": round(float(waits.sum()), 3),
                "waited_share": round(float(waits.sum()) / whole_s, 4),
                "waited_for_first_s": round(float(waits[0]), 3),
                "batches_waited_for": int((waits > 0).sum()),
            }
        )
    pixels = [reader.read(photo) for photo in photos.photos("train")[:200]]
    augment = Augmenter(vary_framing)
    started_s = time.perf_counter()
    for seed, picture in enumerate(pixels):
        augment(picture, seed)
    each_ms = 1000 * (time.perf_counter() - started_s) / len(pixels)
    return {
        "batch": recipe.fine_tune.batch_size,
        "epochs": epochs,
        "augmenting_a_photo_ms": round(each_ms, 2),
    }


def measure_steps(size: int) -> dict[str, Any]:
    """Measure a step of fine-tuning in each form, in turn, so that other load affects all alike.

    "core_ms" is the time of all cores together, which other load changes less than that on the
    clock.
    """
    from trainer.network.backbones import open_upper_blocks

    network = load_pretrained(size)
    open_upper_blocks(network)
    forms: dict[str, tuple[bool, str | None]] = {
        "as_keras_builds_it": (False, None),
        "folded": (True, None),
        "folded_bfloat16_products": (True, "bfloat16"),
    }
    steps = {name: make_step(network, *form) for name, form in forms.items()}
    clock_ms: dict[str, list[float]] = {name: [] for name in steps}
    core_ms: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(2 * ROUNDS):
        for name, step in steps.items():
            started_s, started_core_s = time.perf_counter(), time.process_time()
            step()
            clock_ms[name].append(1000 * (time.perf_counter() - started_s))
            core_ms[name].append(1000 * (time.process_time() - started_core_s))
    first = float(np.median(core_ms["as_keras_builds_it"]))
    return {
        name: {
            "clock_ms": round(min(clock_ms[name])),
            "core_ms": round(float(np.median(core_ms[name]))),
            "ratio": round(float(np.median(core_ms[name])) / first, 3),
        }
        for name in steps
    }


def make_step(network: Any, is_folded: bool, products: str | None) -> Callable[[], object]:
    """Return a function that takes a training step, which has been taken once."""
    from trainer.fit import side_heads
    from trainer.network.backend import keras

    before = side_heads.is_folding_faster
    vars(side_heads)["is_folding_faster"] = lambda: is_folded
    try:
        trainee = side_heads.build_trainee(network, False, products=products)
    finally:
        vars(side_heads)["is_folding_faster"] = before
    optimizer = keras.optimizers.AdamW(1e-4, clipnorm=5.0, use_ema=True)
    trainee.compile(optimizer, side_heads.make_loss(0.05))
    chance = np.random.default_rng(1)
    images = chance.integers(0, 256, (STEPS_BATCH, network.size, network.size, 3), dtype=np.uint8)
    labels = np.eye(4, dtype=np.float32)[chance.integers(0, 4, STEPS_BATCH)]
    trainee.train_on_batch(images, labels)
    return lambda: trainee.train_on_batch(images, labels)


if __name__ == "__main__":
    sys.exit(main())
