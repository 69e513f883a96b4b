"""Validate a network: its logits for the validation photos, and their loss."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskage.formats.curated.curated_set import CuratedPhoto
from trainer.data.pixels import PixelReader, plain_batches
from trainer.evaluation.calibration import fit_temperature
from trainer.network.backbones import PREDICT_BATCH, Network
from trainer.network.classes import class_numbers
from trainer.network.head import cross_entropy
from trainer.network.multiprocess import broadcast_from_first


class Validation:
    """The validation photos and the network that is measured on them.

    Args:
        network: The network, measured with its current weights.
        photos: The photos, at least one.
        reader: Reader of the photos.
    """

    def __init__(
        self, network: Network, photos: Sequence[CuratedPhoto], reader: PixelReader
    ) -> None:
        self.network = network
        self._photos, self._reader = photos, reader
        self.labels = class_numbers(photos, network.scheme)

    def logits(self) -> NDArray[np.float32]:
        """Return the logits (N, C), the same in all processes that train together."""
        return broadcast_from_first([predict_logits(self.network, self._photos, self._reader)])[0]

    def measure(self) -> tuple[float, float]:
        """Return the accuracy, 0 to 1, and the calibrated loss, nats."""
        logits = self.logits()
        right = float((logits.argmax(axis=1) == self.labels).mean())
        return right, calibrated_loss(logits, self.labels)


def calibrated_loss(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the cross entropy, nats, at the temperature that fits best.

    It chooses the epoch because the delivered model has such a temperature. By the plain loss, late
    epochs would lose, which are right more often but too sure.
    """
    return cross_entropy(logits / fit_temperature(logits, labels), labels)


def predict_logits(
    network: Network, photos: Sequence[CuratedPhoto], reader: PixelReader
) -> NDArray[np.float32]:
    """Return the logits, float32 (N, C), of unchanged photos through Keras."""
    parts = [network.predict(batch)[1] for batch in plain_batches(photos, reader, PREDICT_BATCH)]
    return np.concatenate(parts) if parts else np.zeros((0, len(network.scheme)), np.float32)
