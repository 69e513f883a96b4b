"""Finish a training: export the model, evaluate the exported file, and write the run's pages."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.dataset.photo_scan import FileScan
from maskage.environment import library_versions
from maskage.faces.finder import CROP_MARGIN
from maskage.formats.bundle import (
    BUNDLE_FILE,
    KERAS_FILE,
    ONNX_FILE,
    UNSURE_BELOW,
    ModelBundle,
    describe_file,
    golden_images,
    write_bundle,
)
from maskage.formats.run.photos_file import write_run_photos
from maskage.formats.run.run_folder import RunFolder
from maskage.inference.onnx_engine import Answers, OnnxEngine
from maskage.inference.timing import measure_ms
from maskage.security.keras_archive import archive_model
from maskage.system.files import replace_file
from trainer.data.dataset import TEST, TrainingPhotos
from trainer.data.known_photos import count_changes, list_photos
from trainer.data.pixels import PixelReader, plain_batches
from trainer.evaluation.accuracies import name_accuracies
from trainer.evaluation.evaluated_photos import EvaluatedPhotos, evaluate_photos
from trainer.evaluation.findings import (
    CORRUPTED_PHOTOS,
    Findings,
    judge_rejection,
    measure_worse,
)
from trainer.evaluation.gains import Gains, measure_gains
from trainer.evaluation.leak_check import check_leak, scan_files
from trainer.evaluation.metrics import expected_calibration_error
from trainer.evaluation.photo_facts import read_metadata
from trainer.fit.rejecting import add_reject
from trainer.fit.warm_start import WarmStart
from trainer.network.backbones import Network, build_deliverable
from trainer.network.classes import class_numbers
from trainer.network.head import softmax
from trainer.network.onnx_metadata import describe_network, write_metadata
from trainer.network.to_onnx import check_export, export_onnx
from trainer.pages.model_card import write_card
from trainer.pages.report import write_report
from trainer.pages.training_preview import TrainingPreview, preview_epochs, preview_views
from trainer.progress import Stopwatch
from trainer.recipe import Recipe

COMPARED_PHOTOS = 16


@dataclass(frozen=True, eq=False)
class TrainingOutcome:
    """The outcome of a training, before it is packed.

    Attributes:
        run: Folder of the run.
        recipe: Recipe with the user's changes.
        weights: Weights that the training started from, as the user named them.
        network: Network with the best weights.
        photos: Photos of the training.
        reader: Reader of the photos.
        temperature: Temperature fitted on the validation photos.
        val_logits: Logits of the validation photos, float32, shape (N, C).
        epochs: Number of epochs in each phase.
        watch: Stopwatch of the parts so far; packing adds its own.
        is_stopped: True if Ctrl-C ended the training.
        start: What the run keeps of the earlier run that it was started from; None for none.
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
    start: WarmStart | None = None


def pack_run(outcome: TrainingOutcome) -> None:
    """Export the model, evaluate the exported file on the test photos, and write everything.

    Of a set without a test it is evaluated on the validation photos, and all that is written says
    so.

    Raises:
        ToolchainError: The exported model differs from the trained one.
    """
    folder = outcome.run.bundle
    folder.mkdir(exist_ok=True)
    # A run that was stopped before has no bundle while it is packed again.
    (folder / BUNDLE_FILE).unlink(missing_ok=True)
    with outcome.watch.measure("export"):
        difference = _export(outcome, folder)
    with outcome.watch.measure("reject"):
        strange_above = add_reject(folder / ONNX_FILE, outcome.photos, outcome.reader)
    engine = OnnxEngine(folder / ONNX_FILE)
    with outcome.watch.measure("evaluate"):
        photos = outcome.photos.measured.photos
        answers = engine.answer_batches(plain_batches(photos, outcome.reader))
    with outcome.watch.measure("checks"):
        found = _evaluate(outcome, folder / ONNX_FILE, engine, answers)
        found = judge_rejection(found, answers.strangeness, strange_above)
    metrics = _metrics(outcome, found, difference)
    outcome.run.write_predictions(found.judged.predictions)
    with outcome.watch.measure("report"):
        write_report(outcome.run, found, metrics, _preview(outcome))
        outcome.run.write_text("model_card.md", write_card(outcome.run, found, metrics))
    # The page was written before its own time was known.
    outcome.run.write_metrics({**metrics, "seconds": _seconds(outcome.watch)})
    # The bundle comes last: the detector takes a run only when all of it is there.
    _seal(outcome, folder, engine, found, strange_above)


def _evaluate(
    outcome: TrainingOutcome, model: Path, engine: OnnxEngine, answers: Answers
) -> Findings:
    """Evaluate the photos measured on, try worse copies of them, and check for leaks."""
    photos, size = outcome.photos, outcome.network.size
    metadata = outcome.run.read_args().get("metadata")
    judged = evaluate_photos(
        photos.folder,
        photos.measured.photos,
        answers.probabilities,
        outcome.temperature,
        read_metadata(Path(metadata)) if metadata else None,
        scheme=photos.scheme,
    )
    learned = photos.learned
    scans = scan_files(learned)
    _list_photos(outcome, [*judged.file_scans, *scans])
    return Findings(
        judged=judged,
        model=model,
        size=size,
        unsure_below=UNSURE_BELOW,
        milliseconds_per_photo=measure_ms(engine, size),
        worse=measure_worse(engine, judged, size, CORRUPTED_PHOTOS),
        learned=learned,
        leak=check_leak(judged.file_scans, scans),
        split=photos.measured_split,
        is_tested=photos.measured_split == TEST,
        caveat=photos.caveat,
        gains=_measure_gains(outcome, judged),
    )


def _list_photos(outcome: TrainingOutcome, scans: Sequence[FileScan]) -> None:
    """Write which photos the network knows, now with what they look like."""
    known_before = outcome.start.photos if outcome.start is not None else ()
    by_digest = {scan.sha256: scan for scan in scans}
    write_run_photos(outcome.run.path, list_photos(outcome.photos, known_before, by_digest))


def _measure_gains(outcome: TrainingOutcome, judged: EvaluatedPhotos) -> Gains | None:
    """Return what was won over the earlier run; None if the run was started from none."""
    start, photos = outcome.start, outcome.photos
    if start is None:
        return None
    return measure_gains(
        start.name,
        start.answers,
        judged.predictions,
        [photo.group for photo in judged.photos],
        former=start.scheme,
        scheme=photos.scheme,
        changes=count_changes(photos, start.photos),
        split=photos.measured_split,
    )


def _preview(outcome: TrainingOutcome) -> TrainingPreview | None:
    """Return variants of training photos as this training drew them; None if it drew none."""
    train, reader, epochs = outcome.photos.train, outcome.reader, outcome.epochs
    scheme = outcome.photos.scheme
    seed = int(outcome.run.read_args()["seed"])
    for phase in ("scratch", "fine_tune"):
        if phase in epochs:
            is_scratch = phase == "scratch"
            return preview_epochs(
                train, reader, epochs[phase], seed, is_scratch=is_scratch, scheme=scheme
            )
    views = outcome.recipe.views
    return preview_views(train, reader, views, scheme=scheme) if views > 1 else None


def _export(outcome: TrainingOutcome, folder: Path) -> float:
    model = build_deliverable(outcome.network, outcome.temperature)
    path = folder / ONNX_FILE
    export_onnx(model, path, output="probabilities")
    described = describe_network(
        outcome.photos.scheme,
        input_size=outcome.network.size,
        crop_margin=CROP_MARGIN,
        version=library_versions().get("maskage", ""),
    )
    replace_file(path, write_metadata(path.read_bytes(), described))
    some = outcome.photos.val.photos[:COMPARED_PHOTOS]
    images = [golden_images(outcome.network.size), *plain_batches(some, outcome.reader)]
    difference = check_export(model, path, np.concatenate(images))
    replace_file(folder / KERAS_FILE, archive_model(model))
    return difference


def _seal(
    outcome: TrainingOutcome,
    folder: Path,
    engine: OnnxEngine,
    found: Findings,
    strange_above: float | None,
) -> None:
    golden = engine.answer(golden_images(outcome.network.size))
    strange = golden.strangeness
    write_bundle(
        ModelBundle(
            folder=folder,
            scheme=outcome.photos.scheme,
            input_size=outcome.network.size,
            crop_margin=CROP_MARGIN,
            temperature=outcome.temperature,
            unsure_below=UNSURE_BELOW,
            dataset_digest=outcome.photos.digest,
            metrics=_sealed_metrics(found),
            versions=library_versions(),
            files={name: describe_file(folder / name) for name in (ONNX_FILE, KERAS_FILE)},
            golden=tuple(tuple(float(value) for value in row) for row in golden.probabilities),
            strange_above=strange_above,
            golden_strangeness=None if strange is None else tuple(map(float, strange)),
        )
    )


def _sealed_metrics(found: Findings) -> dict[str, float]:
    """Return the figures of the bundle; under other names where the model was not tested."""
    evaluation = found.judged.evaluation
    if not found.is_tested:
        return {"val_accuracy": evaluation.accuracy, "val_photos": float(evaluation.photos)}
    return {
        "accuracy": evaluation.accuracy,
        **name_accuracies(evaluation.accuracies.factors),
        "photos": float(evaluation.photos),
    }


def _metrics(outcome: TrainingOutcome, found: Findings, difference: float) -> dict[str, Any]:
    labels = class_numbers(outcome.photos.val.photos, outcome.photos.scheme)
    before, after = (
        expected_calibration_error(labels, softmax(outcome.val_logits / temperature))
        for temperature in (1.0, outcome.temperature)
    )
    return {
        **found.as_dict(),
        "split": found.split,
        "evaluated_on": found.split,
        "model": outcome.recipe.backbone,
        "alpha": outcome.recipe.alpha,
        "image_size": outcome.recipe.image_size,
        "parameters": int(outcome.network.logits.count_params()),
        "weights": outcome.weights,
        "epochs": outcome.epochs,
        "seconds": _seconds(outcome.watch),
        "counts": outcome.photos.counts,
        "class_counts": _class_counts(outcome.photos),
        "dataset_digest": outcome.photos.digest,
        "val_calibration_error": {"before": before, "after": after},
        "export_difference": difference,
        "is_stopped": outcome.is_stopped,
    }


def _seconds(watch: Stopwatch) -> dict[str, float]:
    return {**watch.seconds, "total": round(sum(watch.seconds.values()), 3)}


def _class_counts(photos: TrainingPhotos) -> dict[str, dict[str, int]]:
    """Count each class in each split; "variants" are the photos of train that curation made."""
    splits = {
        "train": photos.train.photos,
        "val": photos.val.photos,
        "test": photos.test.photos,
        "variants": [photo for photo in photos.train.photos if photo.parent is not None],
    }
    found = {name: Counter(photo.label for photo in each) for name, each in splits.items()}
    return {
        name: {label: counts[label] for label in photos.scheme.labels}
        for name, counts in found.items()
    }
