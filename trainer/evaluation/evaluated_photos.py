"""Labelled photos with a model's answers, and everything known about the photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
from maskage.dataset.photo_scan import FileScan
from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.formats.run.predictions_file import Prediction, predictions_of
from trainer.data.dataset import relative_names
from trainer.evaluation.breakdown import Breakdown, break_down_by_facts
from trainer.evaluation.leak_check import scan_files
from trainer.evaluation.metrics import Evaluation, evaluate_answers
from trainer.evaluation.photo_facts import PhotoFacts, gather_facts
from trainer.network.classes import class_numbers


@dataclass(frozen=True, eq=False, kw_only=True)
class EvaluatedPhotos:
    """Photos with a model's answer to each.

    Attributes:
        folder: Folder that the paths of the predictions are relative to.
        photos: The photos, in the order of all other attributes.
        scheme: The C classes of the model.
        probabilities: Probabilities of the classes, float, shape (N, C).
        predictions: The answers, as `predictions.csv` holds them.
        file_scans: Hash, size and quality of each file.
        facts: Subject, session and so on of each photo.
        evaluation: Scores over all answers.
        breakdowns: Scores of parts of the photos.
    """

    folder: Path
    photos: tuple[CuratedPhoto, ...]
    scheme: Scheme
    probabilities: NDArray[np.floating]
    predictions: tuple[Prediction, ...]
    file_scans: tuple[FileScan, ...]
    facts: tuple[PhotoFacts, ...]
    evaluation: Evaluation
    breakdowns: tuple[Breakdown, ...]

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """Confidence of each answer, 0 to 1, shape (N,)."""
        return np.asarray(self.probabilities.max(axis=1), dtype=np.float64)

    @cached_property
    def is_right(self) -> NDArray[np.bool_]:
        """True for each right answer, shape (N,)."""
        return np.array([each.is_right for each in self.predictions])

    @property
    def mistakes(self) -> list[int]:
        """Indices of the wrong answers, the surest first."""
        wrong = np.flatnonzero(~self.is_right).tolist()
        return sorted(wrong, key=lambda at: (-self.confidence[at], self.predictions[at].path))

    @property
    def least_certain(self) -> list[int]:
        """Indices of all answers, the least sure first."""
        places = range(len(self.predictions))
        return sorted(places, key=lambda at: (self.confidence[at], self.predictions[at].path))


def evaluate_photos(
    folder: Path,
    photos: Sequence[CuratedPhoto],
    probabilities: NDArray[np.floating],
    temperature: float,
    metadata: Mapping[str, PhotoFacts] | None = None,
    *,
    scheme: Scheme,
) -> EvaluatedPhotos:
    """Score a model's answers, over all photos and over parts of them.

    Args:
        folder: Folder that holds the photos, absolute.
        photos: The photos, at least one.
        probabilities: Probabilities of the C classes, shape (N, C).
        temperature: Temperature that is inside the probabilities.
        metadata: Content of a metadata file (see `photo_facts`).
        scheme: The C classes of the model.

    Raises:
        DatasetError: The metadata names none of the photos, or the manifest is damaged.
    """
    actual = class_numbers(photos, scheme)
    names = relative_names(folder, photos)
    groups = [photo.group for photo in photos]
    file_scans = scan_files(photos)
    facts = gather_facts(names, [file_scan.sha256 for file_scan in file_scans], folder, metadata)
    predicted = probabilities.argmax(axis=1)
    return EvaluatedPhotos(
        folder=folder,
        photos=tuple(photos),
        scheme=scheme,
        probabilities=probabilities,
        predictions=tuple(predictions_of(names, actual, probabilities, scheme.labels)),
        file_scans=file_scans,
        facts=facts,
        evaluation=evaluate_answers(actual, probabilities, groups, temperature, scheme=scheme),
        breakdowns=break_down_by_facts(facts, groups, file_scans, actual, predicted, scheme=scheme),
    )
