"""How far a network has come: its answers to the validation photos, and their loss."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskage.formats.curated_set import CuratedPhoto
from maskage.records import LABELS
from trainer.data.pixels import PixelReader, plain_batches
from trainer.evaluation.calibration import fit_temperature
from trainer.network.backbones import Network
from trainer.network.classes import class_numbers
from trainer.network.head import cross_entropy
from trainer.network.multiprocess import broadcast_from_first

PREDICT_BATCH = 32


class Validation:
    """The validation photos and the network that answers to them.

    Args:
        network: As it is when it is asked.
        photos: At least one.
        reader: Reads them.
    """

    def __init__(
        self, network: Network, photos: Sequence[CuratedPhoto], reader: PixelReader
    ) -> None:
        self.network = network
        self._photos, self._reader = photos, reader
        self.labels = class_numbers(photos)

    def logits(self) -> NDArray[np.float32]:
        """Of every photo, shape (N, 4); the same in all processes that train together."""
        return broadcast_from_first([predict_logits(self.network, self._photos, self._reader)])[0]

    def measure(self) -> tuple[float, float]:
        """Accuracy, 0 to 1, and calibrated loss, nats."""
        logits = self.logits()
        right = float((logits.argmax(axis=1) == self.labels).mean())
        return right, calibrated_loss(logits, self.labels)


def calibrated_loss(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Cross entropy at the temperature that fits best.

    Epochs are judged by it because the temperature is fitted to what is delivered: late epochs,
    which are right more often but too sure, would lose by the plain loss.
    """
    return cross_entropy(logits / fit_temperature(logits, labels), labels)


def predict_logits(
    network: Network, photos: Sequence[CuratedPhoto], reader: PixelReader
) -> NDArray[np.float32]:
    """Logits float32 (N, 4) of photos as they are, through Keras."""
    parts = [
        # One shape for all batches, or the graph is traced again for the last.
        np.asarray(network.logits.predict_on_batch(_padded(batch)))[: len(batch)]
        for batch in plain_batches(photos, reader, PREDICT_BATCH)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, len(LABELS)), np.float32)


def _padded(batch: NDArray[np.uint8]) -> NDArray[np.uint8]:
    missing = PREDICT_BATCH - len(batch)
    return np.pad(batch, ((0, missing), (0, 0), (0, 0), (0, 0))) if missing else batch
