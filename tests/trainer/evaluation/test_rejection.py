"""Rejection: known photos that are rejected, and what is answered without them."""

import numpy as np
import pytest

from trainer.evaluation.rejection import measure_rejection


def test_rejected_photos_are_counted_and_not_answered() -> None:
    strangeness = np.array([0.5, 1.2, 0.9, 1.0, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8])
    right = np.array([True, False, False, True, True, True, True, True, True, True])
    confidence = np.array([0.9, 0.99, 0.6, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9])
    found = measure_rejection(
        strangeness, 1.0, right=right, confidence=confidence, groups=list("abcdefghij")
    )
    assert (found.photos, found.rejected, found.share) == (10, 1, 0.1)
    assert found.share_interval[0] <= 0.1 <= found.share_interval[1]
    # The surest mistake is rejected, the other is the least sure: eight of ten are answered.
    assert found.answered_99 == 0.8
    known, answered = found.describe("test")
    assert known.startswith("1 of the 10 test photos (10.0%, 95% interval ")
    assert "80.0% of all are answered" in answered


def test_without_rejected_photos_nothing_changes_and_none_right_is_said() -> None:
    nothing = np.zeros(4)
    found = measure_rejection(
        nothing, 1.0, right=np.zeros(4, bool), confidence=np.full(4, 0.9), groups=list("aabb")
    )
    assert (found.rejected, found.share, found.answered_99) == (0, 0.0, None)
    assert found.share_interval[0] == 0
    assert "no confidence" in found.describe("test")[1]


def test_all_rejected_is_no_fault() -> None:
    found = measure_rejection(
        np.full(3, 2.0), 1.0, right=np.ones(3, bool), confidence=np.ones(3), groups=list("abc")
    )
    assert (found.share, found.answered_99) == (1.0, None)
    assert found.share_interval[1] == pytest.approx(1.0)
