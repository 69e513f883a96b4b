"""How good a finished run is on any labelled photos. Runs the bundle, needs no TensorFlow."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.console import Progress, no_progress
from collector.errors import UsageError
from curation.curated import SPLITS, CuratedPhoto, read_curated, read_four_folders
from trainer.bundle import find_bundle, load_bundle
from trainer.classes import class_numbers
from trainer.metrics import Evaluation, evaluate_answers
from trainer.onnx_engine import OnnxEngine
from trainer.pixels import PixelReader, plain_batches
from trainer.progress import Stopwatch
from trainer.robustness import CorruptedAccuracy, format_corruptions, measure_corruptions
from trainer.runs import RunFolder
from trainer.timing import measure_ms


@dataclass(frozen=True)
class RunEvaluation:
    """An evaluation with what it was made of.

    Attributes:
        evaluation: The numbers.
        bundle: The model's folder.
        data: The folder of photos.
        split: "train", "val" or "test", or None where the folder has no splits.
        seconds: That each part took.
        milliseconds_per_photo: Of the network, one photo at a time, on this machine.
        corruptions: The accuracy on worse photos; None where nobody asked.
    """

    evaluation: Evaluation
    bundle: Path
    data: Path
    split: str | None
    seconds: dict[str, float]
    milliseconds_per_photo: float
    corruptions: tuple[CorruptedAccuracy, ...] | None

    def as_dict(self) -> dict[str, Any]:
        """As one object of `--json`: what `metrics.json` holds of an evaluation."""
        return {
            **self.evaluation.as_dict(),
            "bundle": str(self.bundle),
            "data": str(self.data),
            "split": self.split,
            "seconds": self.seconds,
            "milliseconds_per_photo": self.milliseconds_per_photo,
            "corruptions": None
            if self.corruptions is None
            else [each.as_dict() for each in self.corruptions],
        }

    def __str__(self) -> str:
        where = f"{self.data}" + (f", split {self.split}" if self.split else "")
        parts = [f"{self.bundle} on {where}", str(self.evaluation)]
        if self.corruptions is not None:
            whole = self.evaluation
            clean = (whole.accuracy, whole.mask_accuracy, whole.age_accuracy)
            parts.append(format_corruptions(clean, self.corruptions))
        parts.append(f"{self.milliseconds_per_photo:.1f} ms a face, one at a time")
        return "\n\n".join(parts)


def evaluate_run(
    model: Path | None,
    data: Path | None,
    split: str,
    runs: Path = Path("runs"),
    has_corruptions: bool = False,
    progress: Progress = no_progress,
) -> RunEvaluation:
    """Run a model on labelled photos and count its answers.

    Args:
        model: A run or bundle folder; None for the newest run.
        data: A curated folder, or one with the four class folders; None for the one that the run
            was trained on.
        split: Of a curated folder: "train", "val" or "test".
        runs: Where the newest run is looked for.
        has_corruptions: Whether to run it again on worse photos, once for each corruption.
        progress: Shows how many of them are done.

    Raises:
        ModelRefusedError: The bundle is not whole.
        DatasetError: The photos are not usable.
        UsageError: The run does not say what it was trained on.
    """
    folder = find_bundle(model, runs)
    bundle = load_bundle(folder)
    data = data if data is not None else _trained_on(folder)
    photos, found_split = _read_photos(data, split)
    engine = OnnxEngine(bundle.onnx_path)
    watch = Stopwatch()
    with watch.measure("evaluate"):
        chances = engine.run_batches(plain_batches(photos, PixelReader(bundle.input_size, 0)))
    milliseconds = measure_ms(engine, bundle.input_size)
    corruptions = None
    if has_corruptions:
        with watch.measure("corruptions"):
            corruptions = measure_corruptions(engine, photos, bundle.input_size, progress=progress)
    groups = [photo.group for photo in photos]
    return RunEvaluation(
        evaluation=evaluate_answers(class_numbers(photos), chances, groups, bundle.temperature),
        bundle=folder,
        data=data,
        split=found_split,
        seconds=watch.seconds,
        milliseconds_per_photo=milliseconds,
        corruptions=corruptions,
    )


def _read_photos(data: Path, split: str) -> tuple[list[CuratedPhoto], str | None]:
    if any((data / name).is_dir() for name in SPLITS):
        return read_curated(data).photos(split), split
    return read_four_folders(data), None


def _trained_on(bundle: Path) -> Path:
    curated = RunFolder(bundle.parent).read_args().get("curated")
    if not isinstance(curated, str):
        raise UsageError(
            f"{bundle} does not say what it was trained on (no args.yaml beside it). Name the "
            f"photos with --data FOLDER."
        )
    return Path(curated)
