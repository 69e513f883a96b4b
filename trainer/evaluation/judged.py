"""A model's answers to labelled photos, with all that is known of the photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.dataset.photo_scan import Sight
from maskage.formats.curated_set import CuratedPhoto
from maskage.formats.predictions_file import Prediction, predictions_of
from trainer.data.dataset import relative_names
from trainer.evaluation.breakdown import Breakdown, break_down_by_facts
from trainer.evaluation.leak_check import look_at_photos
from trainer.evaluation.metrics import Evaluation, evaluate_answers
from trainer.evaluation.photo_facts import PhotoFacts, gather_facts
from trainer.network.classes import class_numbers


@dataclass(frozen=True, eq=False)
class JudgedPhotos:
    """Photos, and what a model said of each.

    Attributes:
        folder: What the predictions' paths are relative to.
        photos: In the order of all else.
        probabilities: Float, shape (N, 4).
        predictions: The answers.
        sights: What each file shows.
        facts: What is known of each.
        evaluation: The answers, counted.
        breakdowns: The answers, part by part.
    """

    folder: Path
    photos: tuple[CuratedPhoto, ...]
    probabilities: NDArray[np.floating]
    predictions: tuple[Prediction, ...]
    sights: tuple[Sight, ...]
    facts: tuple[PhotoFacts, ...]
    evaluation: Evaluation
    breakdowns: tuple[Breakdown, ...]

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """Of each answer, shape (N,)."""
        return np.asarray(self.probabilities.max(axis=1), dtype=np.float64)

    @cached_property
    def is_right(self) -> NDArray[np.bool_]:
        """Whether each answer is, shape (N,)."""
        return np.array([each.is_right for each in self.predictions])

    @property
    def mistakes(self) -> list[int]:
        """Positions of the wrong answers, the surest first."""
        wrong = np.flatnonzero(~self.is_right).tolist()
        return sorted(wrong, key=lambda at: (-self.confidence[at], self.predictions[at].path))

    @property
    def least_certain(self) -> list[int]:
        """Positions of all answers, the least sure first."""
        places = range(len(self.predictions))
        return sorted(places, key=lambda at: (self.confidence[at], self.predictions[at].path))


def judge_photos(
    folder: Path,
    photos: Sequence[CuratedPhoto],
    probabilities: NDArray[np.floating],
    temperature: float,
    metadata: Mapping[str, PhotoFacts] | None = None,
) -> JudgedPhotos:
    """Count a model's answers, whole and part by part.

    Args:
        folder: That holds the photos, absolute.
        photos: At least one.
        probabilities: Shape (N, 4).
        temperature: That is inside the probabilities.
        metadata: What a metadata file says (see `photo_facts`).

    Raises:
        DatasetError: The metadata names none of the photos, or the manifest is damaged.
    """
    actual = class_numbers(photos)
    names = relative_names(folder, photos)
    groups = [photo.group for photo in photos]
    sights = look_at_photos(photos)
    facts = gather_facts(names, [sight.sha256 for sight in sights], folder, metadata)
    predicted = probabilities.argmax(axis=1)
    return JudgedPhotos(
        folder=folder,
        photos=tuple(photos),
        probabilities=probabilities,
        predictions=tuple(predictions_of(names, actual, probabilities)),
        sights=sights,
        facts=facts,
        evaluation=evaluate_answers(actual, probabilities, groups, temperature),
        breakdowns=break_down_by_facts(facts, groups, sights, actual, predicted),
    )
