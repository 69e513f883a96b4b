import math
from typing import Any

import numpy as np
import pytest

from trainer.fit.callbacks import BestKeeper, PhaseHooks, Snapshot
from trainer.fit.validation import calibrated_loss
from trainer.network.head import cross_entropy
from trainer.network.training_state import PhaseState


def test_confidence_alone_makes_no_epoch_better_or_worse() -> None:
    chance = np.random.default_rng(1)
    labels = chance.integers(0, 4, 200)
    logits = (np.eye(4)[labels] + chance.normal(0, 0.8, (200, 4))).astype(np.float32)
    assert calibrated_loss(3 * logits, labels) == pytest.approx(
        calibrated_loss(logits, labels), rel=1e-3
    )
    assert calibrated_loss(3 * logits, labels) < cross_entropy(3 * logits, labels)


def test_each_step_of_an_epoch_is_reported() -> None:
    steps: list[tuple[int, int]] = []
    hooks = PhaseHooks(
        on_epoch=lambda _: None, on_step=lambda step, count: steps.append((step, count))
    )
    nothing: Any = None
    start = PhaseState(0, 0, math.inf, {})
    keeper = BestKeeper(nothing, start, Snapshot(), hooks, patience=1, unsettled=0)
    keeper.set_params({"steps": 2})
    keeper.on_train_batch_end(0)
    keeper.on_train_batch_end(1)
    assert steps == [(1, 2), (2, 2)]
