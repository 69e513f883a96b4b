"""Which learning rate suits a network and its photos: a short training with an ever higher one.

The rate grows by the same factor at each step. While it is too low the loss stays, then it falls,
and where the rate is too high it shoots up. What is taken lies a few times under the rate at which
the smoothed loss was least: there it falls fast, with room until it no longer does.

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
"""Steps on either side that a loss is averaged with; batches differ more than rates do."""

TOO_HIGH = 2.0
"""A smoothed loss so many times the least ends the search."""

ROOM = 4.0
"""How far under the rate of least loss to stay."""


@dataclass(frozen=True)
class RateSearch:
    """What a search found.

    Attributes:
        rates: Of each step.
        losses: Smoothed, nats.
        rate: To train with, at its peak.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    rate: float

    def as_table(self) -> str:
        """As `learning_rate.csv` holds it."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["learning_rate", "smoothed_loss"])
        writer.writerows(zip(self.rates, self.losses, strict=True))
        return text.getvalue()


def search_rate(trainee: Any, batches: Any) -> RateSearch:
    """Train for some steps with growing rates. The model is worthless after that.

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
    """Each loss with its neighbours on both sides, shape (N,), so that no rate is told late."""
    return np.array(
        [np.mean(losses[max(0, at - REACH) : at + REACH + 1]) for at in range(len(losses))]
    )


def choose_rate(rates: Sequence[float], losses: NDArray[np.float64]) -> float:
    """The rate to train with, of rates (N,) and their smoothed losses (N,), N at least 1."""
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
        # Keras tells the mean since the epoch began.
        total = float(logs["loss"]) * (batch + 1)
        self.losses.append(total - self._sum)
        self._sum = total
        smoothed = smooth(self.losses)
        is_wild = not np.isfinite(self.losses[-1]) or smoothed[-1] > TOO_HIGH * smoothed.min()
        if len(self.losses) >= STEPS or is_wild:
            self.model.stop_training = True
