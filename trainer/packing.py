"""The end of a training: export, compare, evaluate what is delivered, and write the run's pages."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.faces import CROP_MARGIN
from collector.records import LABELS
from trainer.bundle import (
    KERAS_FILE,
    ONNX_FILE,
    UNSURE_BELOW,
    ModelBundle,
    describe_file,
    golden_images,
    write_bundle,
)
from trainer.classes import class_numbers
from trainer.dataset import TrainingPhotos, relative_names
from trainer.export import check_export, export_onnx
from trainer.head import softmax
from trainer.metrics import Evaluation, evaluate_answers, expected_calibration_error
from trainer.model_card import write_card
from trainer.networks import Network, build_deliverable
from trainer.onnx_engine import OnnxEngine
from trainer.pixels import PixelReader, plain_batches
from trainer.progress import Stopwatch
from trainer.recipe import Recipe
from trainer.report import write_report
from trainer.runs import RunFolder, library_versions, predictions_of
from trainer.timing import measure_ms

COMPARED_PHOTOS = 16


@dataclass(frozen=True, eq=False)
class TrainingOutcome:
    """What a training leaves to be packed.

    Attributes:
        run: Its folder.
        recipe: With what the user asked for.
        weights: What it started from, as asked for.
        network: With the best weights.
        photos: What it was trained on.
        reader: Reads them.
        temperature: Fitted on the validation photos.
        val_logits: Of the validation photos, float32 (N, 4).
        epochs: Run in each phase.
        watch: Seconds so far; packing adds its own.
        is_stopped: Whether Ctrl-C ended it.
    """

    run: RunFolder
    recipe: Recipe
    weights: str
    network: Network
    photos: TrainingPhotos
    reader: PixelReader
    temperature: float
    val_logits: NDArray[np.float32]
    epochs: dict[str, int]
    watch: Stopwatch
    is_stopped: bool


def pack_run(outcome: TrainingOutcome) -> None:
    """Export the model, evaluate the exported file on the test photos, and write everything.

    Raises:
        ToolchainError: The exported model differs from the trained one.
    """
    folder = outcome.run.bundle
    folder.mkdir(exist_ok=True)
    with outcome.watch.measure("export"):
        difference = _export(outcome, folder)
    engine = OnnxEngine(folder / ONNX_FILE)
    test = outcome.photos.test.photos
    actual = class_numbers(test)
    with outcome.watch.measure("evaluate"):
        chances = engine.run_batches(plain_batches(test, outcome.reader))
    groups = [photo.group for photo in test]
    evaluation = evaluate_answers(actual, chances, groups, outcome.temperature)
    names = relative_names(outcome.photos.folder, test)
    predictions = predictions_of(names, actual, chances)
    metrics = _metrics(outcome, evaluation, difference, measure_ms(engine, outcome.network.size))
    outcome.run.write_predictions(predictions)
    write_report(outcome.run, evaluation, predictions, outcome.photos.folder, metrics)
    outcome.run.write_text("model_card.md", write_card(outcome.run.path.name, evaluation, metrics))
    outcome.run.write_metrics(metrics)
    # Last: a run is offered to the detector when all of it is there.
    _seal(outcome, folder, engine, evaluation)


def _export(outcome: TrainingOutcome, folder: Path) -> float:
    model = build_deliverable(outcome.network, outcome.temperature)
    path = folder / ONNX_FILE
    export_onnx(model, path, output="probabilities")
    some = outcome.photos.val.photos[:COMPARED_PHOTOS]
    images = [golden_images(outcome.network.size), *plain_batches(some, outcome.reader)]
    difference = check_export(model, path, np.concatenate(images))
    model.save(str(folder / KERAS_FILE))
    return difference


def _seal(
    outcome: TrainingOutcome, folder: Path, engine: OnnxEngine, evaluation: Evaluation
) -> None:
    golden = engine.run(golden_images(outcome.network.size))
    write_bundle(
        ModelBundle(
            folder=folder,
            labels=LABELS,
            input_size=outcome.network.size,
            crop_margin=CROP_MARGIN,
            temperature=outcome.temperature,
            unsure_below=UNSURE_BELOW,
            dataset_digest=outcome.photos.digest,
            metrics={
                "accuracy": evaluation.accuracy,
                "mask_accuracy": evaluation.mask_accuracy,
                "age_accuracy": evaluation.age_accuracy,
                "photos": float(evaluation.photos),
            },
            versions=library_versions(),
            files={name: describe_file(folder / name) for name in (ONNX_FILE, KERAS_FILE)},
            golden=tuple(tuple(float(value) for value in row) for row in golden),
        )
    )


def _metrics(
    outcome: TrainingOutcome, evaluation: Evaluation, difference: float, milliseconds: float
) -> dict[str, Any]:
    seconds = outcome.watch.seconds
    labels = class_numbers(outcome.photos.val.photos)
    before, after = (
        expected_calibration_error(labels, softmax(outcome.val_logits / temperature))
        for temperature in (1.0, outcome.temperature)
    )
    return {
        **evaluation.as_dict(),
        "split": "test",
        "model": outcome.recipe.backbone,
        "alpha": outcome.recipe.alpha,
        "image_size": outcome.recipe.image_size,
        "weights": outcome.weights,
        "epochs": outcome.epochs,
        "seconds": {**seconds, "total": round(sum(seconds.values()), 3)},
        "counts": outcome.photos.counts,
        "dataset_digest": outcome.photos.digest,
        "temperature": outcome.temperature,
        "val_calibration_error": {"before": before, "after": after},
        "export_difference": difference,
        "milliseconds_per_photo": milliseconds,
        "is_stopped": outcome.is_stopped,
    }
