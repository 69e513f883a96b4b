"""The findings on a model: everything that its pages show."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.console import Progress, no_progress
from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.inference.onnx_engine import OnnxEngine
from trainer.evaluation.accuracies import Accuracies
from trainer.evaluation.evaluated_photos import EvaluatedPhotos
from trainer.evaluation.gains import Gains
from trainer.evaluation.leak_check import LeakCheck
from trainer.evaluation.metrics import count_confusion, measure_accuracies
from trainer.evaluation.rejection import Rejection, measure_rejection
from trainer.evaluation.robustness import CorruptedAccuracy, measure_corruptions
from trainer.network.classes import class_numbers
from trainer.network.strangeness import LEAST_PHOTOS

CORRUPTED_PHOTOS = 50
"""Most test photos that a training tries the corruptions on, so that they cost 550 predictions."""

NOT_TESTED = (
    "Not tested: the set has no test photos. The figures are of the validation photos, on which "
    "the best epoch and the temperature were chosen, so they are too good."
)

_KINDS = {"test": "test", "val": "validation", "train": "training"}


@dataclass(frozen=True)
class WorsePhotos:
    """The accuracy that is left when photos get worse.

    Attributes:
        photos: Number of photos it was measured on.
        clean: Accuracies on the same photos unchanged.
        corrupted: The same figures under each corruption.
    """

    photos: int
    clean: Accuracies
    corrupted: tuple[CorruptedAccuracy, ...]

    def as_dict(self) -> list[dict[str, Any]]:
        """Return the value of `corruptions` in `--json`."""
        return [each.as_dict() for each in self.corrupted]


@dataclass(frozen=True, eq=False, kw_only=True)
class Findings:
    """The findings about a model that a page shows.

    Attributes:
        judged: The photos with the model's answers.
        model: Path of the ONNX file.
        size: Side of the model's input, px.
        unsure_below: Confidence below which an answer is shown as unsure, 0 to 1.
        milliseconds_per_photo: Time for one photo, one at a time, on this machine.
        worse: Accuracy on worse photos; None where it was not asked for.
        learned: Photos that the model was trained on; empty where they are not available.
        leak: Near-duplicates between these and the evaluated photos; None where not checked.
        split: Split that the evaluated photos are; None where they are no split.
        is_tested: False where the figures are of photos that chose the model, for want of a test.
        caveat: How little these figures say, for people; None if nothing is known against them.
        gains: What the run won over the one that it was started from; None if it was from none.
        rejection: Photos that are rejected as unlike those that were learned; None where the model
            does not measure it.
    """

    judged: EvaluatedPhotos
    model: Path
    size: int
    unsure_below: float
    milliseconds_per_photo: float
    worse: WorsePhotos | None = None
    learned: Sequence[CuratedPhoto] = ()
    leak: LeakCheck | None = None
    split: str | None = "test"
    is_tested: bool = True
    caveat: str | None = None
    gains: Gains | None = None
    rejection: Rejection | None = None

    @property
    def kind(self) -> str:
        """The kind of the evaluated photos, as a word: "test", "validation" or "training"."""
        return _KINDS.get(self.split or "", "evaluated")

    @property
    def rejection_lines(self) -> list[str]:
        """Sentences on the photos that are rejected, or on why none is."""
        if self.rejection is None:
            return [
                f"It does not measure whether a face is unlike those it learned: that takes "
                f"{LEAST_PHOTOS} training and {LEAST_PHOTOS} validation photos, and a version of "
                f"`trainer fit` that does."
            ]
        return self.rejection.describe(self.kind)

    @property
    def doubts(self) -> list[str]:
        """The reasons not to rely on the figures, a sentence or two each; mostly none."""
        return [
            *([] if self.is_tested else [NOT_TESTED]),
            *([] if self.caveat is None else [self.caveat]),
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return the part of `metrics.json` that holds the findings."""
        return {
            **self.judged.evaluation.as_dict(),
            "milliseconds_per_photo": self.milliseconds_per_photo,
            "breakdown": [each.as_dict() for each in self.judged.breakdowns if each.parts],
            "corruptions": None if self.worse is None else self.worse.as_dict(),
            "corrupted_photos": 0 if self.worse is None else self.worse.photos,
            "leak_check": None if self.leak is None else self.leak.as_dict(),
            "caveat": self.caveat,
            "earlier_run": None if self.gains is None else self.gains.as_dict(),
            "rejection": None if self.rejection is None else self.rejection.as_dict(),
        }


def judge_rejection(
    found: Findings, strangeness: NDArray[np.float32] | None, strange_above: float | None
) -> Findings:
    """Return findings with the rejection of their photos, where the model measures it.

    Args:
        found: The findings.
        strangeness: Strangeness of each of their photos, shape (N,); None where not measured.
        strange_above: Limit of the strangeness; None where not measured.
    """
    if strangeness is None or strange_above is None:
        return found
    judged = found.judged
    return replace(
        found,
        rejection=measure_rejection(
            strangeness,
            strange_above,
            right=np.array([each.is_right for each in judged.predictions]),
            confidence=judged.probabilities.max(axis=1).astype(np.float64),
            groups=[photo.group for photo in judged.photos],
        ),
    )


def measure_worse(
    engine: OnnxEngine,
    judged: EvaluatedPhotos,
    size: int,
    most: int | None = None,
    progress: Progress = no_progress,
) -> WorsePhotos:
    """Run a model on photos that are made worse.

    Args:
        engine: The model, with probabilities as output.
        judged: The photos with the model's answers.
        size: Side of the model's input, px.
        most: Most photos to take, spread evenly over all; None for all.
        progress: Shows the number of corruptions done.
    """
    count = len(judged.photos) if most is None else min(most, len(judged.photos))
    chosen = np.unique(np.linspace(0, len(judged.photos) - 1, count).astype(int))
    photos = [judged.photos[at] for at in chosen]
    scheme, predicted = judged.scheme, judged.probabilities[chosen].argmax(axis=1)
    counts = count_confusion(class_numbers(photos, scheme), predicted, len(scheme))
    return WorsePhotos(
        photos=len(photos),
        clean=measure_accuracies(counts, scheme),
        corrupted=measure_corruptions(engine, photos, size, progress=progress, scheme=scheme),
    )
