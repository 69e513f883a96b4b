"""Rank what a search has measured: accuracy by group, the front of the best, what is recommended.

The accuracy of a candidate is that of its fine-tunings, where it has any, else that of its heads on
the frozen backbone. Every answer was given by a network that saw no photo of its group, and none is
of the test part.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
from maskage.formats.run.search_file import CandidateRecord, SearchRecord
from trainer.evaluation.accuracies import Accuracies
from trainer.evaluation.intervals import Estimate, estimate, estimate_accuracy, resample_means

_Numbers = NDArray[np.int64]

UNASKED = -1
"""Stands for the answer to a photo that was not asked."""


@dataclass(frozen=True, eq=False)
class JudgedPhotos:
    """The photos that candidates are judged on: train and val without variants.

    Attributes:
        labels: Class numbers, shape (N,).
        groups: Numbers of their groups, from 0, shape (N,).
        folds: Their folds, shape (N,).
        scheme: The classes.
    """

    labels: _Numbers
    groups: _Numbers
    folds: _Numbers
    scheme: Scheme

    def spread(self, candidate: CandidateRecord) -> _Numbers:
        """Return the answers of a candidate's trials, shape (N,), `UNASKED` where it has none."""
        answers = np.full(len(self.labels), UNASKED, np.int64)
        for trial in candidate.trials:
            answers[self.folds == trial.fold] = trial.answers
        return answers


@dataclass(frozen=True, eq=False)
class Standing:
    """A measured candidate.

    Attributes:
        name: Name of the candidate.
        candidate: Its record.
        photos: The photos.
        answers: Its answers, shape (N,), `UNASKED` where it was not asked.
    """

    name: str
    candidate: CandidateRecord
    photos: JudgedPhotos
    answers: _Numbers

    @property
    def is_tuned(self) -> bool:
        """True if the answers are those of fine-tuned networks."""
        return bool(self.candidate.trials)

    @property
    def epochs(self) -> int:
        """Number of epochs of fine-tuning, 0 for heads on the frozen backbone."""
        return max((trial.epochs for trial in self.candidate.trials), default=0)

    @property
    def milliseconds(self) -> float:
        """Time for one face alone; infinite where it was not measured."""
        took_ms = self.candidate.milliseconds
        return float("inf") if took_ms is None else took_ms

    @property
    def is_asked(self) -> NDArray[np.bool_]:
        """True for each photo that it answered, shape (N,)."""
        return np.asarray(self.answers != UNASKED)

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """True for each photo that it has right, shape (N,)."""
        return np.asarray(self.answers == self.photos.labels)

    @cached_property
    def accuracies(self) -> Accuracies:
        """Accuracies of the classes and of each factor on the photos that it answered."""
        said, labels = self.answers[self.is_asked], self.photos.labels[self.is_asked]
        scheme = self.photos.scheme
        values = {name: np.array(scheme.factor_numbers(name)) for name in scheme.factors}
        factors = {name: float((of[said] == of[labels]).mean()) for name, of in values.items()}
        return Accuracies(float((said == labels).mean()), factors)

    @cached_property
    def accuracy(self) -> Estimate:
        """Accuracy with its 95% interval over whole groups."""
        groups = _renumber(self.photos.groups[self.is_asked])
        right = self.is_right[self.is_asked].astype(np.float64)
        drawn = resample_means(right[None], groups, seed=1337)[:, 0]
        return estimate_accuracy(float(right.mean()), drawn, groups)

    def restricted(self, asked: NDArray[np.bool_]) -> "Standing":
        """Return the same candidate as if only some photos had been asked, shape (N,)."""
        return replace(self, answers=np.where(asked, self.answers, UNASKED))

    def accuracy_on(self, asked: NDArray[np.bool_]) -> float:
        """Return the accuracy on some photos, all of which it answered."""
        return float(self.is_right[asked].mean())


@dataclass(frozen=True)
class Lead:
    """How much better the best candidate is than another, on the photos that both answered.

    Attributes:
        name: Name of the other.
        gap: Accuracy of the best minus that of the other, paired, by group; None where no photo
            was answered by both.
        photos: Number of these photos.
    """

    name: str
    gap: Estimate | None
    photos: int

    @property
    def is_clear(self) -> bool:
        """True if the interval of the difference leaves out zero."""
        return self.gap is not None and self.gap.low > 0


@dataclass(frozen=True, eq=False)
class Ranking:
    """All measured candidates in order.

    Attributes:
        standings: Those fine-tuned first, by how far they came and their accuracy.
        leads: What the best is better by than each other of its kind, fine-tuned or frozen.
    """

    standings: tuple[Standing, ...]
    leads: tuple[Lead, ...]

    @property
    def best(self) -> Standing:
        """The candidate with the highest accuracy."""
        return self.standings[0]

    @property
    def peers(self) -> list[Standing]:
        """The candidates that are compared with the best: fine-tuned ones, if there are any."""
        return [each for each in self.standings if each.is_tuned == self.best.is_tuned]

    @cached_property
    def side_by_side(self) -> list[Standing]:
        """All candidates by the photos that every one of them answered, in their order."""
        asked = np.logical_and.reduce([each.is_asked for each in self.standings])
        if not asked.any():
            return list(self.standings)
        return [each.restricted(asked) for each in self.standings]

    @property
    def not_told_apart(self) -> list[Standing]:
        """The peers that these photos cannot tell from the best, the fastest first."""
        alike = {lead.name for lead in self.leads if lead.gap is not None and not lead.is_clear}
        found = [each for each in self.peers if each.name in alike]
        return sorted(found, key=lambda each: (each.milliseconds, -each.accuracy.value, each.name))

    @property
    def recommended(self) -> Standing:
        """The fastest candidate that these photos cannot tell from the best."""
        kinds = {each.candidate.network for each in [self.best, *self.not_told_apart]}
        fastest = min(
            [self.best, *self.not_told_apart], key=lambda each: (each.milliseconds, each.name)
        )
        if len(kinds) == 1:
            return self.best
        # Of the heads of one network, which take the same time, the better one.
        same = [
            each
            for each in [self.best, *self.not_told_apart]
            if each.candidate.network == fastest.candidate.network
        ]
        return max(same, key=lambda each: (each.accuracy.value, each.name))


def rank(record: SearchRecord, photos: JudgedPhotos) -> Ranking | None:
    """Rank what was measured; None where nothing was."""
    found = [
        standing
        for name, candidate in record.candidates.items()
        if (standing := stand(name, candidate, photos)) is not None
    ]
    if not found:
        return None
    found.sort(key=lambda each: (-len(each.candidate.trials), -each.accuracy.value, each.name))
    tuned = [each for each in found if each.is_tuned]
    best = _best_of(tuned or found)
    others = [each for each in found if each is not best]
    leads = [lead_over(best, each) for each in others if each.is_tuned == best.is_tuned]
    return Ranking((best, *others), tuple(leads))


def stand(
    name: str, candidate: CandidateRecord, photos: JudgedPhotos, *, frozen: bool = False
) -> Standing | None:
    """Return the standing of a candidate, None if it was not measured.

    Args:
        name: Name of the candidate.
        candidate: Its record.
        photos: The photos.
        frozen: True for the heads on its frozen backbone, whatever its trials.
    """
    if candidate.trials and not frozen:
        return Standing(name, candidate, photos, photos.spread(candidate))
    if candidate.frozen is None:
        return None
    shown = CandidateRecord(**{**vars(candidate), "trials": ()})
    return Standing(name, shown, photos, np.array(candidate.frozen, np.int64))


def lead_over(best: Standing, other: Standing) -> Lead:
    """Compare two candidates on the photos that both answered."""
    both = best.is_asked & other.is_asked
    if not both.any():
        return Lead(other.name, None, 0)
    right = np.stack([each.is_right[both].astype(np.float64) for each in (best, other)])
    drawn = resample_means(right, _renumber(best.photos.groups[both]), seed=1337)
    gap = estimate(float(right[0].mean() - right[1].mean()), drawn[:, 0] - drawn[:, 1])
    return Lead(other.name, gap, int(both.sum()))


def find_front(standings: Sequence[Standing]) -> list[Standing]:
    """Return the candidates than which no other is as fast and more often right, fastest first."""
    front: list[Standing] = []
    for each in sorted(standings, key=lambda each: (each.milliseconds, -each.accuracy.value)):
        if not front or each.accuracy.value > front[-1].accuracy.value:
            front.append(each)
    return front


def _best_of(found: Sequence[Standing]) -> Standing:
    """Return the best of those with the most trials, on the photos that all of these answered."""
    most = max(len(each.candidate.trials) for each in found)
    last = [each for each in found if len(each.candidate.trials) == most]
    asked = np.logical_and.reduce([each.is_asked for each in last])
    if not asked.any():
        return max(last, key=lambda each: (each.accuracy.value, -each.milliseconds))
    return max(last, key=lambda each: (each.accuracy_on(asked), -each.milliseconds))


def _renumber(groups: _Numbers) -> _Numbers:
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)
