"""Trainings on an accelerator: how fast they are there, and what comes of the long ones.

    python benchmarks/trainer/gpu_training.py FACES --weights FILE [--metadata CSV]
        [--parts scratch folds precision painted] [--folds 5] [--only FOLD ...]
        [--paint-masks SHARE] [--repeats 1] [--answers FOLDER] [--seconds LIMIT]

FACES and the CSV are those of `accuracy.py`, and so are the folds: groups of photos never straddle.

- scratch: each of --models from random weights by its recipe, on the first fold. Where the time has
  an end, a trial of a few epochs comes first, and as many of the recipe's are trained as will fit:
  the learning rate then falls to its end, which it does not in a training that is cut.
- folds: MobileNetV2 from the weights file with both forms of the head, fold by fold, so that a cut
  leaves pairs; after each pair the difference over all photos held out so far.
- precision: one fine-tuning in float32, one in mixed precision, on the first fold.
- painted: MobileNetV2 from the weights file without and with painted masks in train, fold by fold;
  after each pair the difference over all photos held out so far, which stay as photographed. With
  --repeats every fold is trained again from other seeds, and a photo counts as often as it is
  right.

With --answers what whole trainings answered is kept, and none whose answers are there is done
again: folds may so be trained side by side (--only) and counted together by a last call.

Trainings are those of `trainer fit` up to the trained network. Nothing is exported or packed, which
needs TensorFlow: photos are judged by the network in Keras, and with JAX this runs without it where
a module of that name answers `trainer.network.backend`. On a CPU features too need an export: use
`fit`.

Prints a JSON line after each training. Its photos and steps a second are those of whole epochs,
validation and the saved state included, without the first epoch, which compiles
(JAX_COMPILATION_CACHE_DIR spares the next one that). When --seconds are over the training under way
stops as by Ctrl-C, is judged, and none is begun after it; none is begun either that would not end
in time if it took as long as the longest of its kind so far.
"""

import argparse
import gc
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.trainer.head_forms import describe
from benchmarks.trainer.unseen.cases import Case, list_cases
from benchmarks.trainer.unseen.folds import Fold, folds_by_group
from benchmarks.trainer.unseen.layout import add_painting, choose_painting, lay_out
from benchmarks.trainer.unseen.scores import score
from benchmarks.trainer.unseen.trainings import require_same_question
from curation.options import ALL_FACES
from curation.settings import PaintingSettings
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import AGE, MASK, OLD, WORN
from maskage.defaults import DEFAULT_SEED
from maskage.formats.run.predictions_file import predictions_of
from maskage.formats.run.run_folder import create_run
from trainer.data.dataset import read_training_photos, relative_names
from trainer.evaluation.intervals import estimate, number_groups, resample_means
from trainer.fit.packing import TrainingOutcome
from trainer.fit.training import FINE_TUNE, SCRATCH, Training
from trainer.fit.validation import predict_logits
from trainer.network.backbones import build_network, find_backbone
from trainer.network.backend import keras
from trainer.network.classes import class_numbers
from trainer.network.devices import choose_hardware
from trainer.network.head import softmax
from trainer.network.weights import load_backbone_weights, obtain_weights
from trainer.progress import ProgressPrinter, StopSwitch, TrainingStoppedError
from trainer.recipe import HEADS, Recipe, load_recipe
from trainer.settings import NONE, FitSettings

PARTS = ("scratch", "folds", "precision", "painted")
FROM_SCRATCH = ("xception", "densenet169")
FINE_TUNED = "mobilenetv2"
PRECISIONS = ("float32", "mixed")
PLAIN, PAINTED = "plain", "painted"
HALVES = ("accuracy", "mask_accuracy", "age_accuracy")
"""Rows of `Trained.right`."""
ASKED = ("faces", "weights", "folds", "fine_tune_epochs", "image_size")
"""What the names of kept answers do not say."""
TRIAL_EPOCHS = 3
"""The first compiles; the others say how long one takes."""
RESERVED_S = 30.0
"""Of the limit, left for judging what was trained until then, which compiles once more."""


class TimedSwitch(StopSwitch):
    """Asks for a stop at Ctrl-C, and when the time is over.

    Args:
        end_s: Of the time, on `time.monotonic`'s clock.
    """

    def __init__(self, end_s: float) -> None:
        self._end_s = end_s
        self._is_asked = False
        super().__init__()

    @property
    def is_requested(self) -> bool:
        return self._is_asked or time.monotonic() >= self._end_s

    @is_requested.setter
    def is_requested(self, value: bool) -> None:
        self._is_asked = value


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of one training.

    Attributes:
        figures: Its line.
        right: Whether class, mask half and age half of each held-out photo are right, 0 or 1,
            shape (3, N).
        groups: Of each held-out photo.
        is_whole: Whether it ran to its end.
        took_s: Seconds, all in all.
    """

    figures: dict[str, Any]
    right: NDArray[np.float64]
    groups: tuple[str, ...]
    is_whole: bool
    took_s: float

    def write(self, path: Path) -> None:
        """Keep it, at once whole."""
        kept = {**vars(self), "right": self.right.astype(int).tolist()}
        temporary = path.with_name(f".{path.name}")
        temporary.write_text(json.dumps(kept), encoding="utf-8")
        temporary.replace(path)


def read_trained(path: Path) -> Trained:
    """What `Trained.write` kept."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    right = np.array(kept.pop("right"), np.float64)
    return Trained(**{**kept, "right": right, "groups": tuple(kept["groups"])})


class Bench:
    """The folds, laid out when they are asked for, and the time that there is.

    Args:
        asked: The command line.
        work: A folder for runs, features and curated folders.
        end_s: When nothing may train any longer, on `time.monotonic`'s clock.
    """

    def __init__(self, asked: argparse.Namespace, work: Path, end_s: float) -> None:
        self._faces, self._work, self._end_s = asked.faces.resolve(), work, end_s
        self._asked = asked
        self._cases = list_cases(self._faces, asked.metadata)
        folds = folds_by_group(self._cases, asked.folds)
        self.folds = [fold for fold in folds if fold.name in (asked.only or [fold.name])]
        self._longest_s: dict[tuple[str, str, bool], float] = {}
        self._is_stopped = False

    @property
    def left_s(self) -> float:
        """Seconds in which there may still be training."""
        return self._end_s - time.monotonic()

    def train(
        self, part: str, fold: Fold, painting: PaintingSettings | None = None, **chosen: Any
    ) -> Trained | None:
        """Train on a fold, judge what it holds out, and print the line.

        Args:
            part: Of the benchmark.
            fold: Of `folds`.
            painting: Masks to be painted on faces of its train part.
            chosen: Settings of the training, beside those of the command line.

        Returns:
            None where there was no time for it, or it was stopped before anything was trained.
        """
        kind = (part, chosen["model"], painting is not None)
        longest_s = self._longest_s.get(kind, 0.0)
        chosen = {"epochs": self._asked.epochs, **chosen}
        told = [str(v) for key, v in chosen.items() if key not in ("model", "weights") and v]
        painted = [] if painting is None else [f"painted{painting.share:g}"]
        name = "-".join([part, fold.name, Path(chosen["model"]).stem, *told, *painted])
        answers = self._asked.answers and self._asked.answers / f"{name}.json"
        if answers and answers.is_file():
            return read_trained(answers)
        if self._is_stopped or longest_s > self.left_s:
            return None
        settings = FitSettings(
            curated=self._curated(fold, painting),
            runs=self._work / "runs",
            name=name,
            fine_tune_epochs=None if chosen["weights"] == NONE else self._asked.fine_tune_epochs,
            image_size=self._asked.image_size,
            **chosen,
        )
        with TimedSwitch(self._end_s) as switch:
            try:
                trained = train_and_judge(settings, switch, self._cases, fold)
                if answers and trained.is_whole:
                    trained.write(answers)
            except TrainingStoppedError as stop:
                self._is_stopped = True
                print_line({"part": part, "name": name, "stopped": str(stop)})
                return None
            self._is_stopped = switch.is_requested
        self._longest_s[kind] = max(longest_s, trained.took_s)
        print_line({"part": part, **trained.figures})
        return trained

    def _curated(self, fold: Fold, painting: PaintingSettings | None) -> Path:
        folder = self._work / ("painted" if painting else "curated") / fold.name
        if not folder.is_dir():
            lay_out(self._faces, folder, self._cases, fold, painting)
        return folder


def main() -> int:
    """Train, judge and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--metadata", type=Path)
    parser.add_argument("--weights", type=Path, required=True, help="of MobileNetV2, without top")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--models", nargs="+", default=list(FROM_SCRATCH), help="of scratch")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", nargs="+", metavar="FOLD", help="names of folds")
    add_painting(parser)
    parser.add_argument("--repeats", type=int, default=1, help="of painted")
    parser.add_argument("--answers", type=Path, help="kept; what is there is not done again")
    parser.add_argument("--seconds", type=float, default=math.inf, help="of all of it")
    parser.add_argument("--epochs", type=int, help="of heads, and from random weights")
    parser.add_argument("--fine-tune-epochs", type=int)
    parser.add_argument("--image-size", type=int, help="side of every network's input, px")
    asked = parser.parse_args()
    if asked.folds < 3:
        parser.error("--folds is at least 3: one is held out, the others teach and validate")
    if not asked.weights.is_file():
        parser.error(f"--weights {asked.weights}: no such file")
    if asked.repeats < 1:
        parser.error("--repeats is at least 1")
    names = [f"fold-{number + 1}" for number in range(asked.folds)]
    if not set(asked.only or names) <= set(names):
        parser.error(f"--only takes names of folds: {', '.join(names)}")
    if asked.answers:
        asked.answers.mkdir(parents=True, exist_ok=True)
        told = {key: getattr(asked, key) for key in ASKED}
        paths = {key: str(told[key].resolve()) for key in ("faces", "weights")}
        require_same_question(asked.answers, {**told, **paths})
    end_s = time.monotonic() + asked.seconds - RESERVED_S
    parts: dict[str, Callable[[Bench, argparse.Namespace], None]] = {
        "scratch": train_from_scratch,
        "folds": compare_heads,
        "precision": compare_precisions,
        "painted": compare_painted,
    }
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(asked, Path(temporary), end_s)
        for part in asked.parts:
            parts[part](bench, asked)
    return 0


def train_from_scratch(bench: Bench, asked: argparse.Namespace) -> None:
    for number, model in enumerate(asked.models):
        epochs = asked.epochs
        if epochs is None and math.isfinite(bench.left_s):
            share_s = bench.left_s / (len(asked.models) - number)
            end_s = time.monotonic() + share_s
            trial = bench.train(
                "trial", bench.folds[0], model=model, weights=NONE, epochs=TRIAL_EPOCHS
            )
            if trial is None or not trial.is_whole:
                return
            epochs = epochs_that_fit(trial, load_recipe(model), end_s - time.monotonic())
        bench.train("scratch", bench.folds[0], model=model, weights=NONE, epochs=epochs)


def epochs_that_fit(trial: Trained, recipe: Recipe, left_s: float) -> int:
    """How many of the recipe's epochs can be trained in some seconds, at least one."""
    epoch_s = trial.figures["epoch_s"]
    start_s = trial.took_s - TRIAL_EPOCHS * epoch_s
    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        # Tracing is left: MobileNetV2's first epoch took 31 s after 55 s without the cache.
        start_s /= 2
    return max(1, min(recipe.scratch.epochs, int((left_s - start_s) / epoch_s)))


def compare_heads(bench: Bench, asked: argparse.Namespace) -> None:
    """Both forms of the head on every fold, and the difference over the folds so far."""
    pairs: list[dict[str, Trained]] = []
    for fold in bench.folds:
        pair: dict[str, Trained] = {}
        for heads in HEADS:
            trained = bench.train(
                "folds", fold, model=FINE_TUNED, weights=str(asked.weights), heads=heads
            )
            if trained is None or not trained.is_whole:
                return
            pair[heads] = trained
        pairs.append(pair)
        print_line(summarise(pairs))


def compare_precisions(bench: Bench, asked: argparse.Namespace) -> None:
    for precision in PRECISIONS:
        bench.train(
            "precision",
            bench.folds[0],
            model=FINE_TUNED,
            weights=str(asked.weights),
            precision=precision,
        )


def compare_painted(bench: Bench, asked: argparse.Namespace) -> None:
    """Every fold without and with painted masks, and the difference over the pairs so far."""
    painting = choose_painting(asked.paint_masks or ALL_FACES)
    pairs: dict[str, list[dict[str, Trained]]] = {}
    for repeat in range(asked.repeats):
        for fold in bench.folds:
            pair: dict[str, Trained] = {}
            for kind, painted in ((PLAIN, None), (PAINTED, painting)):
                trained = bench.train(
                    "painted",
                    fold,
                    painted,
                    model=FINE_TUNED,
                    weights=str(asked.weights),
                    seed=DEFAULT_SEED + repeat,
                )
                if trained is None or not trained.is_whole:
                    break
                pair[kind] = trained
            else:
                pairs.setdefault(fold.name, []).append(pair)
                print_line(summarise_painted(pairs))


def train_and_judge(
    settings: FitSettings, switch: StopSwitch, cases: Sequence[Case], fold: Fold
) -> Trained:
    """Train as `trainer fit` does, and let the network itself answer to the held-out photos.

    Raises:
        TrainingStoppedError: It was stopped before anything was trained.
    """
    # What the training before this one left would go on filling the device's memory.
    keras.utils.clear_session()
    gc.collect()
    started_s = time.perf_counter()
    recipe = settings.recipe()
    hardware = choose_hardware(settings.devices, settings.precision)
    photos = read_training_photos(settings.curated)
    weights = obtain_weights(find_backbone(recipe), recipe, settings.weights)
    keras.utils.set_random_seed(settings.seed)
    network = build_network(recipe, photos.scheme)
    if weights is not None:
        load_backbone_weights(network, weights)
    args = settings.as_args(recipe)
    run = create_run(settings.runs, settings.name, recipe.name, args, photos.scheme)
    with run.lock():
        training = Training(
            settings=settings,
            recipe=recipe,
            photos=photos,
            network=network,
            run=run,
            switch=switch,
            on_progress=ProgressPrinter(),
            hardware=hardware,
        )
        outcome = training.run_phases(weights)
    held_out = photos.test.photos
    logits = predict_logits(network, held_out, outcome.reader)
    took_s = time.perf_counter() - started_s
    actual = class_numbers(held_out, photos.scheme)
    names = relative_names(photos.folder / "test", held_out)
    answers = predictions_of(names, actual, softmax(logits), MASK_AGE.labels)
    case_of = {cases[at].photo.path: cases[at] for at in fold.held_out}
    said = logits.argmax(axis=1)
    halves = np.array(
        [
            [MASK_AGE.has(label, MASK, WORN), MASK_AGE.has(label, AGE, OLD)]
            for label in MASK_AGE.labels
        ]
    )
    figures = {
        "model": recipe.name,
        "heads": recipe.heads,
        "image_size": recipe.image_size,
        "fold": fold.name,
        "weights": NONE if weights is None else weights.name,
        "hardware": str(hardware),
        "device": getattr(hardware.devices[0], "device_kind", str(hardware.devices[0])),
        "policy": hardware.policy,
        "is_stopped": outcome.is_stopped,
        "epochs": outcome.epochs,
        "seconds": {key: round(value, 2) for key, value in outcome.watch.seconds.items()},
        "took_s": round(took_s, 1),
        **describe_speed(outcome),
        "seed": settings.seed,
        "trained_on": len(photos.train),
        "variants": sum(photo.parent is not None for photo in photos.train.photos),
        "validation_photos": len(photos.val),
        "validation_accuracy": validation_accuracy(outcome),
        "temperature": round(outcome.temperature, 3),
        "held_out": score([(case_of[answer.path], answer) for answer in answers]),
    }
    return Trained(
        figures=figures,
        right=np.array([said == actual, *(halves[said] == halves[actual]).T], np.float64),
        groups=tuple(photo.group for photo in held_out),
        is_whole=not outcome.is_stopped,
        took_s=took_s,
    )


def describe_speed(outcome: TrainingOutcome) -> dict[str, float | None]:
    """Of the network's own phase; nothing where no whole epoch came after the first."""
    phase = SCRATCH if SCRATCH in outcome.epochs else FINE_TUNE
    rows = [row for row in outcome.run.read_results() if row.phase == phase]
    # A stop comes in the middle of the last.
    laps = [row.seconds for row in (rows[1:-1] if outcome.is_stopped else rows[1:])]
    first = {"first_epoch_s": round(rows[0].seconds, 2) if rows else None}
    if not laps:
        return {**first, "epoch_s": None, "photos_a_second": None, "steps_a_second": None}
    asked = outcome.recipe.scratch if phase == SCRATCH else outcome.recipe.fine_tune
    batch = min(asked.batch_size, len(outcome.photos.train))
    steps = len(outcome.photos.train) // batch * len(laps)
    return {
        **first,
        "epoch_s": round(sum(laps) / len(laps), 3),
        "photos_a_second": round(steps * batch / sum(laps), 1),
        "steps_a_second": round(steps / sum(laps), 2),
    }


def validation_accuracy(outcome: TrainingOutcome) -> float:
    labels = class_numbers(outcome.photos.val.photos, outcome.photos.scheme)
    return round(float((outcome.val_logits.argmax(axis=1) == labels).mean()), 4)


def summarise(pairs: Sequence[dict[str, Trained]]) -> dict[str, Any]:
    """Both forms over all photos of some folds, and their paired difference over groups."""
    right = {
        heads: np.concatenate([pair[heads].right for pair in pairs], axis=1) for heads in HEADS
    }
    groups = [group for pair in pairs for group in pair[HEADS[0]].groups]
    return {
        "part": "folds",
        "pairs": len(pairs),
        "photos": len(groups),
        "groups": len(set(groups)),
        **describe(right, number_groups(groups), [*MASK_AGE.factors]),
    }


def summarise_painted(pairs: Mapping[str, Sequence[dict[str, Trained]]]) -> dict[str, Any]:
    """With painted masks less without, over all photos of some folds and in each of them."""
    right = {
        kind: [
            np.mean([pair[kind].right for pair in of_fold], axis=0) for of_fold in pairs.values()
        ]
        for kind in (PLAIN, PAINTED)
    }
    groups = [group for of_fold in pairs.values() for group in of_fold[0][PLAIN].groups]
    gaps = [painted - plain for plain, painted in zip(right[PLAIN], right[PAINTED], strict=True)]
    pooled = np.concatenate(gaps, axis=1)
    resampled = resample_means(pooled, number_groups(groups), 1)
    return {
        "part": "painted",
        "pairs": sum(len(of_fold) for of_fold in pairs.values()),
        "photos": len(groups),
        "groups": len(set(groups)),
        **{kind: name_halves(np.concatenate(rows, axis=1)) for kind, rows in right.items()},
        "painted_minus_plain": {
            name: {k: round(v, 4) for k, v in estimate(float(row.mean()), drawn).as_dict().items()}
            for name, row, drawn in zip(HALVES, pooled, resampled.T, strict=True)
        },
        "folds": {name: name_halves(gap) for name, gap in zip(pairs, gaps, strict=True)},
    }


def name_halves(rows: NDArray[np.float64]) -> dict[str, float]:
    """The mean of each row, shape (3, N), by its name."""
    return dict(zip(HALVES, rows.mean(axis=1).round(4).tolist(), strict=True))


def print_line(figures: dict[str, Any]) -> None:
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    sys.exit(main())
