"""Candidates with answers that are known, without any network."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from maskage.classes.ready_made import MASK_AGE
from maskage.formats.run.search_file import CandidateRecord, SearchRecord, TrialRecord
from trainer.search.ranking import JudgedPhotos, Ranking, rank


def make_judged(groups: int = 60, each: int = 2, folds: int = 3) -> JudgedPhotos:
    """Photos in groups of two; the classes and the folds take turns from group to group."""
    group = np.repeat(np.arange(groups), each)
    labels = group % 4
    return JudgedPhotos(labels, group, (group // 4) % folds, MASK_AGE)


def answer(judged: JudgedPhotos, wrong: Sequence[int]) -> tuple[int, ...]:
    """Answers that are right except for some photos, whose mask is right and age is wrong."""
    answers = judged.labels.copy()
    answers[list(wrong)] ^= 1
    return tuple(int(each) for each in answers)


def make_candidate(
    judged: JudgedPhotos,
    took_ms: float,
    wrong: Sequence[int],
    *,
    recipe: str = "mobilenetv2",
    heads: str = "classes",
    trials: Sequence[int] = (),
) -> CandidateRecord:
    """A candidate that is wrong on some photos, frozen and in its trials."""
    answers = np.array(answer(judged, wrong))
    return CandidateRecord(
        recipe=recipe,
        image_size=64,
        alpha=1.0,
        heads=heads,
        milliseconds=took_ms,
        frozen=tuple(int(each) for each in answers),
        trials=tuple(
            TrialRecord(fold, 5, tuple(int(at) for at in answers[judged.folds == fold]), 30.0)
            for fold in trials
        ),
    )


def rank_candidates(judged: JudgedPhotos, candidates: Mapping[str, CandidateRecord]) -> Ranking:
    """The ranking of a search that has these candidates."""
    record = SearchRecord(
        curated=Path("/set"),
        dataset_digest="0" * 64,
        seed=1,
        folds=tuple(int(fold) for fold in judged.folds),
        candidates=candidates,
    )
    found = rank(record, judged)
    assert found is not None
    return found
