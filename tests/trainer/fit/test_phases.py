import numpy as np
import pytest

from trainer.fit.validation import calibrated_loss
from trainer.network.head import cross_entropy


def test_confidence_alone_makes_no_epoch_better_or_worse() -> None:
    chance = np.random.default_rng(1)
    labels = chance.integers(0, 4, 200)
    logits = (np.eye(4)[labels] + chance.normal(0, 0.8, (200, 4))).astype(np.float32)
    assert calibrated_loss(3 * logits, labels) == pytest.approx(
        calibrated_loss(logits, labels), rel=1e-3
    )
    assert calibrated_loss(3 * logits, labels) < cross_entropy(3 * logits, labels)
