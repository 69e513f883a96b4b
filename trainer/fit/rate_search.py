"""Search the learning rate of a network and its photos, in a short training with a rising rate.

The rate grows by the same factor at each step. The loss stays while the rate is too low, then it
falls, and it rises steeply when the rate is too high. The rate that is chosen is a fraction of the
rate with the least smoothed loss: there the loss falls fast, and there is still room above.

Source: Smith, Cyclical learning rates for training neural networks, WACV 2017, section 3.3.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.network.backend import keras

STEPS = 60
LOWEST, HIGHEST = 1e-6, 1e-1
REACH = 3
"""Number of steps on either side that a loss is averaged with, as batches differ."""

TOO_HIGH = 2.0
"""Ratio of the smoothed loss to the least one that ends the search."""

ROOM = 4.0
"""Ratio of the rate of least loss to the rate that is chosen."""


@dataclass(frozen=True)
class RateSearch:
    """The result of a search.

    Attributes:
        rates: Learning rate of each step.
        losses: Smoothed loss of each step, nats.
        rate: Peak rate to train with.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    rate: float

    def as_table(self) -> str:
        """Return the text of `learning_rate.csv`."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["learning_rate", "smoothed_loss"])
        writer.writerows(zip(self.rates, self.losses, strict=True))
        return text.getvalue()


def search_rate(trainee: Any, batches: Any) -> RateSearch:
    """Train for some steps with growing rates, which spoils the model.

    Args:
        trainee: Compiled Keras model.
        batches: A PyDataset of training batches.
    """
    growth = _GrowingRate()
    epochs = -(-STEPS // len(batches))
    trainee.fit(batches, epochs=epochs, verbose=0, shuffle=False, callbacks=[growth])
    rates, losses = growth.rates[: len(growth.losses)], smooth(growth.losses)
    return RateSearch(tuple(rates), tuple(losses.tolist()), choose_rate(rates, losses))


def smooth(losses: Sequence[float]) -> NDArray[np.float64]:
    """Average each loss with its neighbours on both sides, shape (N,)."""
    return np.array(
        [np.mean(losses[max(0, at - REACH) : at + REACH + 1]) for at in range(len(losses))]
    )


def choose_rate(rates: Sequence[float], losses: NDArray[np.float64]) -> float:
    """Return the rate to train with, from rates (N,) and smoothed losses (N,), N at least 1."""
    return float(rates[int(np.argmin(losses))] / ROOM)


class _GrowingRate(keras.callbacks.Callback):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.rates = np.geomspace(LOWEST, HIGHEST, STEPS).tolist()
        self.losses: list[float] = []
        self._sum = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._sum = 0.0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.model.optimizer.learning_rate = self.rates[min(len(self.losses), STEPS - 1)]

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        # Keras reports the mean since the epoch began.
        total = float(logs["loss"]) * (batch + 1)
        self.losses.append(total - self._sum)
        self._sum = total
        smoothed = smooth(self.losses)
        is_wild = not np.isfinite(self.losses[-1]) or smoothed[-1] > TOO_HIGH * smoothed.min()
        if len(self.losses) >= STEPS or is_wild:
            self.model.stop_training = True
