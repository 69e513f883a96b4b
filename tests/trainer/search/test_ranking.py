from pathlib import Path

import numpy as np
import pytest

from maskage.formats.run.search_file import CandidateRecord, SearchRecord
from tests.trainer.search.conftest import make_candidate, make_judged, rank_candidates
from trainer.search.ranking import Ranking, find_front, rank, stand

JUDGED = make_judged()


def rank_these(**candidates: CandidateRecord) -> Ranking:
    return rank_candidates(JUDGED, candidates)


def test_nothing_measured_is_no_ranking() -> None:
    record = SearchRecord(curated=Path("/s"), dataset_digest="0", seed=1, folds=())
    assert rank(record, JUDGED) is None


def test_accuracy_has_its_interval_over_groups_and_its_factors() -> None:
    found = stand("a", make_candidate(JUDGED, 5, range(12)), JUDGED)
    assert found is not None
    assert found.accuracy.value == pytest.approx(0.9)
    assert found.accuracy.low < 0.9 < found.accuracy.high
    assert found.accuracies.factors == {"mask": 1.0, "age": pytest.approx(0.9)}
    # Twelve wrong photos in six groups say less than twelve in as many.
    alone = stand("b", make_candidate(JUDGED, 5, range(0, 24, 2)), JUDGED)
    assert alone is not None
    assert alone.accuracy.high - alone.accuracy.low < found.accuracy.high - found.accuracy.low


def test_the_fastest_that_cannot_be_told_from_the_best_is_recommended() -> None:
    found = rank_these(
        slow=make_candidate(JUDGED, 60, range(4), recipe="xception"),
        middle=make_candidate(JUDGED, 8, range(6)),
        fast=make_candidate(JUDGED, 2, range(60), recipe="small"),
    )
    assert found.best.name == "slow"
    assert [each.name for each in found.not_told_apart] == ["middle"]
    assert found.recommended.name == "middle"
    assert {lead.name: lead.is_clear for lead in found.leads} == {"middle": False, "fast": True}
    gap = next(lead.gap for lead in found.leads if lead.name == "fast")
    assert gap is not None
    assert gap.value == pytest.approx(56 / 120)


def test_a_best_that_is_told_from_all_is_recommended() -> None:
    found = rank_these(
        best=make_candidate(JUDGED, 60, [], recipe="xception"),
        fast=make_candidate(JUDGED, 2, range(40)),
    )
    assert found.not_told_apart == []
    assert found.recommended is found.best


def test_of_two_heads_of_the_fastest_network_the_better_is_recommended() -> None:
    found = rank_these(
        slow=make_candidate(JUDGED, 60, range(2), recipe="xception"),
        factors=make_candidate(JUDGED, 8, range(6), heads="factors"),
        classes=make_candidate(JUDGED, 8, range(8)),
    )
    assert found.recommended.name == "factors"


def test_fine_tuned_candidates_are_compared_on_the_photos_that_both_answered() -> None:
    fold = np.flatnonzero(JUDGED.folds == 0)
    found = rank_these(
        twice=make_candidate(JUDGED, 60, fold[:4].tolist(), recipe="xception", trials=(0, 1)),
        once=make_candidate(JUDGED, 8, fold[:6].tolist(), trials=(0,)),
        frozen=make_candidate(JUDGED, 2, [], recipe="small"),
    )
    # The frozen one was asked everything and has it right, but is no peer of fine-tuned ones.
    assert found.best.name == "twice"
    assert [each.name for each in found.peers] == ["twice", "once"]
    (lead,) = found.leads
    assert (lead.name, lead.photos) == ("once", len(fold))
    assert int(found.best.is_asked.sum()) == int((JUDGED.folds < 2).sum())


def test_the_front_holds_what_no_other_beats_in_both() -> None:
    found = rank_these(
        a=make_candidate(JUDGED, 2, range(30), recipe="a"),
        b=make_candidate(JUDGED, 4, range(40), recipe="b"),
        c=make_candidate(JUDGED, 8, range(10), recipe="c"),
        d=make_candidate(JUDGED, 60, range(10), recipe="d"),
        e=make_candidate(JUDGED, 90, range(4), recipe="e"),
    )
    assert [each.name for each in find_front(found.standings)] == ["a", "c", "e"]
    assert find_front([]) == []
