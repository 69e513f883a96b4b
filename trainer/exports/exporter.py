"""Export a run's model in other formats, each compared with the Keras model before it is kept.

RUN/exports/<format>/model.*        the model: `images` uint8 RGB in, `probabilities` of classes out
RUN/exports/<format>/...            its classes, examples and description (see `description`)
"""

import secrets
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.errors import EnvironmentProblemError
from maskage.formats.bundle import golden_images
from maskage.formats.classes.classes_file import require_same_classes
from maskage.formats.curated.curated_set import CuratedPhoto, read_curated
from maskage.formats.int8_export import LARGEST_LOSS
from maskage.formats.run.run_folder import trained_on
from maskage.inference.timing import measure_by_turns
from maskage.outside_text import join_lines
from maskage.system.swap_folder import swap_in
from trainer.data.pixels import PixelReader, plain_batches
from trainer.exports.description import write_description
from trainer.exports.formats import (
    ExportFormat,
    ExportSource,
    Images,
    Predict,
    Probabilities,
)
from trainer.exports.rebuild import rebuild_model
from trainer.network.classes import class_numbers
from trainer.network.to_onnx import TOLERANCE

CALIBRATION_PHOTOS, MOST_CALIBRATION_PHOTOS = 50, 400
"""Number of training photos that calibrate integers: of each class, and of all in about."""

BATCH_SIZE = 32


@dataclass(frozen=True, kw_only=True)
class ExportFigures:
    """The figures of one export beside the Keras model.

    Attributes:
        format: Name of the format, as `--to` takes it.
        largest_difference: Largest difference of a probability on the validation photos.
        accuracy, keras_accuracy: Accuracy of both on the photos of `evaluated_on`, 0 to 1.
        size: Size of the model's files, bytes.
        milliseconds, keras_milliseconds: Time for one photo of both, measured by turns.
        note: What was chosen, and what to know for running it.
        refused: Why it was not kept; None if it was kept.
        evaluated_on: "test", or "val" where the set has no test.
    """

    format: str
    largest_difference: float
    accuracy: float
    keras_accuracy: float
    size: int
    milliseconds: float
    keras_milliseconds: float
    note: str
    refused: str | None
    evaluated_on: str = "test"

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        change = self.accuracy - self.keras_accuracy
        return {**asdict(self), "accuracy_change": round(change, 6)}


class Exporter:
    """An exporter of one run.

    Args:
        bundle_folder: Bundle folder of the run.
        data: Curated folder with its photos; None for the one it was trained on.
        out: Folder for the exports; None for `exports` in the run folder.

    Raises:
        ModelRefusedError, UsageError: See `rebuild_model`.
        DatasetError: The photos are not usable, or of other classes than the model's.
    """

    def __init__(self, bundle_folder: Path, data: Path | None, out: Path | None) -> None:
        curated = read_curated(
            data if data is not None else trained_on(bundle_folder), may_lack_test=True
        )
        self.rebuilt = rebuild_model(bundle_folder)
        scheme = self.rebuilt.bundle.scheme
        require_same_classes(
            curated.scheme, scheme.labels, str(curated.folder), f"the model in {bundle_folder}"
        )
        self.out = out if out is not None else bundle_folder.parent / "exports"
        size = self.rebuilt.bundle.input_size
        reader = PixelReader(size, 0)
        # The gradient among the golden images holds both 0 and 255.
        calibration = [golden_images(size), _read(_some_of_each(curated.photos("train")), reader)]
        val, test = curated.photos("val"), curated.photos("test")
        # Without a test the validation photos show just as well what an export changes.
        self._split, test = ("test", test) if test else ("val", val)
        photos, self._test_photos = _read(val, reader), _read(test, reader)
        self._test_labels = class_numbers(test, scheme)
        self._keras: Predict = lambda images: np.asarray(
            self.rebuilt.model.predict_on_batch(images), np.float32
        )
        self._source = ExportSource(
            self.rebuilt,
            np.concatenate(calibration),
            photos,
            class_numbers(val, scheme),
            _answer(self._keras, photos),
        )
        self._keras_accuracy = _accuracy(self._keras, self._test_photos, self._test_labels)

    def export(self, format: ExportFormat) -> ExportFigures:
        """Write one format to a temporary folder, compare it, and keep it if it passes.

        Raises:
            EnvironmentProblemError: The folder cannot be written to.
        """
        temporary = self.out / f".{format.name}-{secrets.token_hex(4)}"
        try:
            temporary.mkdir(parents=True)
            figures = self._compare(format, temporary)
            if figures.refused is None:
                self._describe(format, figures, temporary)
                swap_in(temporary, self.out / format.name)
            return figures
        except OSError as fault:
            raise EnvironmentProblemError(
                f"{self.out}: the export cannot be written ({fault.strerror or fault}). Make room, "
                f"or choose another --out."
            ) from fault
        finally:
            # This folder now holds an incomplete, a refused or the former export.
            shutil.rmtree(temporary, ignore_errors=True)

    def _compare(self, format: ExportFormat, folder: Path) -> ExportFigures:
        note = format.write(self._source, folder)
        if self.rebuilt.bundle.strange_above is not None and not format.has_strangeness:
            note += "; without the strangeness, which onnx and openvino have: every face is known"
        run = format.open(self.rebuilt, folder)
        answers = _answer(run, self._source.photos)
        difference = float(np.abs(answers - self._source.answers).max())
        accuracy = _accuracy(run, self._test_photos, self._test_labels)
        keras_ms, own_ms = measure_by_turns((self._keras, run), self._source.photos[:1])
        return ExportFigures(
            format=format.name,
            largest_difference=difference,
            accuracy=accuracy,
            keras_accuracy=self._keras_accuracy,
            size=sum(file.stat().st_size for file in folder.iterdir()),
            milliseconds=own_ms,
            keras_milliseconds=keras_ms,
            note=note,
            evaluated_on=self._split,
            refused=explain_refusal(
                format.is_quantised,
                difference,
                accuracy,
                self._keras_accuracy,
                instead=format.name.removesuffix("-int8"),
            ),
        )

    def _describe(self, format: ExportFormat, figures: ExportFigures, folder: Path) -> None:
        beside = ("format", "note", "refused")
        values = {key: value for key, value in figures.as_dict().items() if key not in beside}
        write_description(format, self.rebuilt, folder, figures.note, values)


def explain_refusal(
    is_quantised: bool,
    difference: float,
    accuracy: float,
    keras_accuracy: float,
    *,
    instead: str = "tflite",
) -> str | None:
    """Return why an export is refused, with what to do, or None if it passes.

    Args:
        is_quantised: True to check the accuracy, False to check the difference.
        difference: Largest difference of a probability.
        accuracy: Accuracy of the export, 0 to 1.
        keras_accuracy: Accuracy of the Keras model, 0 to 1.
        instead: Format in floats to use instead of a quantised one.
    """
    loss = keras_accuracy - accuracy
    # Written so that NaN is refused, and that half a point passes whatever it is in binary.
    if is_quantised and not loss <= LARGEST_LOSS + 1e-9:
        return (
            f"it loses {100 * loss:.2f} points of accuracy ({keras_accuracy:.2%} to "
            f"{accuracy:.2%}), and at most {100 * LARGEST_LOSS:g} is accepted; use --to "
            f"{instead}, or train with more photos like those that the report lists as unsure"
        )
    if not is_quantised and not difference <= TOLERANCE:
        return (
            f"a probability is off by {difference:.2g}, and at most {TOLERANCE:g} is accepted; use "
            f"another format, and report this with the versions in environment.json"
        )
    return None


def format_exports(exports: Sequence[ExportFigures]) -> str:
    """Return the figures as a table of text."""
    lines = [
        f"{'format':<12} {'difference':>10} {'accuracy':>9} {'change':>7} {'size MB':>8} "
        f"{'ms':>7} {'Keras ms':>9} {'ratio':>6}"
    ]
    for each in exports:
        change = 100 * (each.accuracy - each.keras_accuracy)
        lines.append(
            f"{each.format:<12} {each.largest_difference:>10.2g} {each.accuracy:>9.2%} "
            f"{change:>+7.2f} {each.size / 1e6:>8.2f} {each.milliseconds:>7.1f} "
            f"{each.keras_milliseconds:>9.1f} {each.milliseconds / each.keras_milliseconds:>6.2f}"
        )
    notes = (
        ["The set has no test photos, so accuracy is that on its validation photos."]
        if any(each.evaluated_on != "test" for each in exports)
        else []
    )
    notes += [
        f"{each.format}: {'refused, ' + each.refused if each.refused else each.note}"
        for each in exports
    ]
    return join_lines([*lines, "", *notes])


def _some_of_each(photos: Sequence[CuratedPhoto]) -> list[CuratedPhoto]:
    """Return some photos of each class, evenly spread."""
    chosen: list[CuratedPhoto] = []
    labels = sorted({photo.label for photo in photos})
    count = min(CALIBRATION_PHOTOS, MOST_CALIBRATION_PHOTOS // len(labels))
    for label in labels:
        members = [photo for photo in photos if photo.label == label]
        chosen += members[:: max(1, len(members) // count)][:count]
    return chosen


def _read(photos: Sequence[CuratedPhoto], reader: PixelReader) -> Images:
    return np.concatenate(list(plain_batches(photos, reader)))


def _answer(run: Predict, photos: Images) -> Probabilities:
    parts = [run(photos[start : start + BATCH_SIZE]) for start in range(0, len(photos), BATCH_SIZE)]
    return np.concatenate(parts)


def _accuracy(run: Predict, photos: Images, labels: NDArray[np.int64]) -> float:
    return float((_answer(run, photos).argmax(axis=1) == labels).mean())
