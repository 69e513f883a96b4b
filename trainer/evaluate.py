"""How good a finished run is on any labelled photos. Runs the bundle, needs no TensorFlow."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.errors import UsageError
from curation.curated import SPLITS, CuratedPhoto, read_curated, read_four_folders
from trainer.bundle import find_bundle, load_bundle
from trainer.classes import class_numbers
from trainer.metrics import Evaluation, evaluate_answers
from trainer.onnx_engine import OnnxEngine
from trainer.pixels import PixelReader, plain_batches
from trainer.runs import RunFolder


@dataclass(frozen=True)
class RunEvaluation:
    """An evaluation with what it was made of.

    Attributes:
        evaluation: The numbers.
        bundle: The model's folder.
        data: The folder of photos.
        split: "train", "val" or "test", or None where the folder has no splits.
        seconds: That the photos took.
    """

    evaluation: Evaluation
    bundle: Path
    data: Path
    split: str | None
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """As one object of `--json`: what `metrics.json` holds of an evaluation."""
        return {
            **self.evaluation.as_dict(),
            "bundle": str(self.bundle),
            "data": str(self.data),
            "split": self.split,
            "seconds": {"evaluate": round(self.seconds, 3)},
        }

    def __str__(self) -> str:
        where = f"{self.data}" + (f", split {self.split}" if self.split else "")
        return f"{self.bundle} on {where}\n\n{self.evaluation}"


def evaluate_run(
    model: Path | None, data: Path | None, split: str, runs: Path = Path("runs")
) -> RunEvaluation:
    """Run a model on labelled photos and count its answers.

    Args:
        model: A run or bundle folder; None for the newest run.
        data: A curated folder, or one with the four class folders; None for the one that the run
            was trained on.
        split: Of a curated folder: "train", "val" or "test".
        runs: Where the newest run is looked for.

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
    started_s = time.perf_counter()
    chances = engine.run_batches(plain_batches(photos, PixelReader(bundle.input_size, 0)))
    return RunEvaluation(
        evaluation=evaluate_answers(class_numbers(photos), chances),
        bundle=folder,
        data=data,
        split=found_split,
        seconds=time.perf_counter() - started_s,
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
