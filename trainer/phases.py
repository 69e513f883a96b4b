"""Training through the network itself: the upper blocks after the head, or all of it from scratch.

The rate falls along a cosine after a short rise; what is validated and kept is the average of the
weights over the last steps; the epoch of least calibrated validation loss wins.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.records import LABELS
from curation.curated import CuratedPhoto
from trainer.augment import Augmenter, vary_colour, vary_framing
from trainer.backend import keras
from trainer.batches import TrainingBatches
from trainer.calibration import fit_temperature
from trainer.classes import class_numbers
from trainer.head import EpochFigures, cross_entropy
from trainer.networks import Network
from trainer.pixels import PixelReader, plain_batches
from trainer.recipe import Phase
from trainer.supervision import accuracy, build_trainee, make_loss

WARM_UP = 0.1
"""Part of the steps over which the rate rises."""

AVERAGING = 0.98
"""Momentum of the weight average: over the last 50 steps or so."""

UNSETTLED = 0.6
"""Part of the epochs from random weights in which the newest is kept, whatever validation says.

While the rate is high an epoch shines on a few validation photos by luck: of 100 epochs the 32nd
was kept, and 89% of the frames of unseen rendered people were right with it; 96% with the last of
another training on the same photos.
"""

CHECKPOINT_S = 10.0
"""Between two savings of the best weights, at least: small networks' epochs are as short as one."""

PREDICT_BATCH = 32


class NetworkPhase:
    """One phase that trains the layers of `network` that are open.

    Args:
        network: Its trainable layers are trained.
        phase: Epochs, batch size, rate, decay, patience.
        label_smoothing: Spread over all classes.
        is_scratch: Whether it starts from random weights: side heads and wide colours then, and no
            averaging, since batch norm's running figures would belong to other weights.
        seed: Of order and variants.
        checkpoint: File that the best weights are written to, now and then and at the end.
        class_weights: What a training photo of each class counts, shape (4,).
    """

    def __init__(
        self,
        network: Network,
        phase: Phase,
        *,
        label_smoothing: float,
        is_scratch: bool,
        seed: int,
        checkpoint: Path,
        class_weights: NDArray[np.float32],
    ) -> None:
        self._network, self._phase = network, phase
        self._smoothing, self._is_scratch = label_smoothing, is_scratch
        self._seed, self._checkpoint = seed, checkpoint
        self._class_weights = class_weights

    def run(
        self,
        train: Sequence[CuratedPhoto],
        val: Sequence[CuratedPhoto],
        reader: PixelReader,
        on_epoch: Callable[[EpochFigures], object],
        should_stop: Callable[[], bool],
        start_logits: NDArray[np.float32] | None = None,
    ) -> int:
        """Train; the network ends with the weights of the best epoch.

        Args:
            train, val: Photos.
            reader: Reads them.
            on_epoch: Told the figures of each.
            should_stop: Asked after each batch; the epoch so far is then validated and counts.
            start_logits: Of the validation photos by the network as it is, which an epoch must
                beat; None where it knows nothing yet.

        Returns:
            The best epoch, from 1; 0 where none beat the start.

        Raises:
            UnreadableImageError: A file is not a whole picture.
        """
        batches = TrainingBatches(
            train,
            reader,
            self._phase.batch_size,
            self._class_weights,
            Augmenter(vary_colour if self._is_scratch else vary_framing),
            self._seed,
        )
        unsettled = int(UNSETTLED * self._phase.epochs) if self._is_scratch else 0
        keeper = _BestKeeper(self, val, reader, on_epoch, should_stop, start_logits, unsettled)
        average = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
        rate = _CosineRate(self._phase.learning_rate, len(batches) * self._phase.epochs)
        callbacks = [rate, keeper] if self._is_scratch else [rate, average, keeper]
        trainee = self._compile()
        try:
            trainee.fit(batches, epochs=self._phase.epochs, verbose=0, callbacks=callbacks)
        finally:
            batches.close()
            if keeper.best_weights is not None:
                self._network.logits.set_weights(keeper.best_weights)
                self.save_checkpoint()
        return keeper.best_epoch

    def validate(
        self, photos: Sequence[CuratedPhoto], reader: PixelReader
    ) -> tuple[NDArray[np.float32], float]:
        """Logits (N, 4) of photos, and their loss as it will be once calibrated."""
        logits = predict_logits(self._network, photos, reader)
        return logits, calibrated_loss(logits, class_numbers(photos))

    def save_checkpoint(self) -> None:
        """Write the weights beside the last ones, then put them in their place."""
        temporary = self._checkpoint.with_name(f"saving-{self._checkpoint.name}")
        self._network.logits.save_weights(str(temporary))
        temporary.replace(self._checkpoint)

    @property
    def weights(self) -> list[NDArray[np.float32]]:
        return list(self._network.logits.get_weights())

    @property
    def patience(self) -> int:
        return self._phase.patience

    def _compile(self) -> Any:
        optimizer = keras.optimizers.AdamW(
            self._phase.learning_rate,
            weight_decay=self._phase.weight_decay,
            clipnorm=5.0,
            use_ema=not self._is_scratch,
            ema_momentum=AVERAGING,
        )
        self._network.logits.get_layer("dropout").rate = self._phase.dropout
        trainee = build_trainee(self._network, has_sides=self._is_scratch)
        trainee.compile(optimizer, make_loss(self._smoothing), metrics=[accuracy])
        return trainee


class _CosineRate(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the learning rate of each step: a rise over `WARM_UP` of them, then a cosine.

    Keras' own schedules are drawn into the graph once for each weight that decays: tracing
    MobileNetV2 then took 31 s instead of 20.
    """

    def __init__(self, peak: float, steps: int) -> None:
        super().__init__()
        self._peak, self._steps = peak, steps
        self._step = 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.model.optimizer.learning_rate = cosine_rate(self._peak, self._step / self._steps)
        self._step += 1


def cosine_rate(peak: float, progress: float) -> float:
    """The learning rate when `progress`, 0 to 1, of the steps are done."""
    if progress < WARM_UP:
        return peak * (0.1 + 0.9 * progress / WARM_UP)
    fallen = 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))
    return peak * (0.02 + 0.98 * fallen)


class _BestKeeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Validates after each epoch, keeps the best weights, and ends what no longer helps."""

    def __init__(
        self,
        owner: NetworkPhase,
        val: Sequence[CuratedPhoto],
        reader: PixelReader,
        on_epoch: Callable[[EpochFigures], object],
        should_stop: Callable[[], bool],
        start_logits: NDArray[np.float32] | None,
        unsettled: int,
    ) -> None:
        super().__init__()
        self._owner, self._val, self._reader = owner, val, reader
        self._tell, self._should_stop = on_epoch, should_stop
        self._labels = class_numbers(val)
        self._unsettled = unsettled
        self._saved_s = float("-inf")
        self._best_loss = np.inf
        if start_logits is not None:
            self._best_loss = calibrated_loss(start_logits, self._labels)
        self.best_epoch = 0
        self.best_weights: list[NDArray[np.float32]] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        if np.isfinite(self._best_loss):
            self.best_weights = self._owner.weights

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._should_stop():
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logits, loss = self._owner.validate(self._val, self._reader)
        right = float((logits.argmax(axis=1) == self._labels).mean())
        is_settled = epoch + 1 > self._unsettled
        if not is_settled or loss <= self._best_loss or self.best_weights is None:
            self._best_loss = loss if is_settled else np.inf
            self.best_epoch = epoch + 1
            self.best_weights = self._owner.weights
            self._save_now_and_then()
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self._tell(
            EpochFigures(epoch + 1, float(logs["loss"]), float(logs["accuracy"]), loss, right, rate)
        )
        if epoch + 1 - self.best_epoch >= self._owner.patience:
            self.model.stop_training = True

    def _save_now_and_then(self) -> None:
        now_s = time.monotonic()
        if now_s - self._saved_s >= CHECKPOINT_S:
            self._owner.save_checkpoint()
            self._saved_s = now_s


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


class EpochClock:
    """Epochs, or photos, a second since it was made."""

    def __init__(self) -> None:
        self._started_s = self._last_s = time.perf_counter()

    def rate(self, done: int) -> float:
        return done / max(1e-6, time.perf_counter() - self._started_s)

    def lap_s(self) -> float:
        """Seconds since it was asked last."""
        before, self._last_s = self._last_s, time.perf_counter()
        return self._last_s - before
