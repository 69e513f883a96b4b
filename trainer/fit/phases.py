"""Training through the network itself: the upper blocks after the head, or all of it from scratch.

The rate falls along a cosine after a short rise; what is validated and kept is the average of the
weights over the last steps; the epoch of least calibrated validation loss wins.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.formats.curated_set import CuratedPhoto
from maskage.records import LABELS
from maskage.security.keras_archive import save_checkpoint
from trainer.data.augment import Augmenter, vary_colour, vary_framing
from trainer.data.batches import TrainingBatches
from trainer.data.pixels import PixelReader
from trainer.fit.callbacks import AveragedWeights, BestKeeper, PhaseHooks, Snapshot, restore
from trainer.fit.learning_rates import CosineSchedule, rate_callbacks, rate_for_optimizer
from trainer.fit.rate_search import RateSearch, search_rate
from trainer.fit.side_heads import accuracy, build_trainee, make_loss
from trainer.fit.validation import Validation, calibrated_loss
from trainer.network.backbones import Network
from trainer.network.backend import keras
from trainer.network.training_state import PhaseState
from trainer.recipe import Phase

AVERAGING = 0.98
"""Momentum of the weight average: over the last 50 steps or so."""

UNSETTLED = 0.6
"""Part of the epochs from random weights in which the newest is kept, whatever validation says.

While the rate is high an epoch shines on a few validation photos by luck: of 100 epochs the 32nd
was kept, and 89% of the frames of unseen rendered people were right with it; 96% with the last of
another training on the same photos.
"""


class NetworkPhase:
    """One phase that trains the layers of `network` that are open.

    Args:
        network: Its trainable layers are trained.
        phase: Epochs, batch size, rate, decay, patience.
        label_smoothing: Spread over all classes.
        is_scratch: Whether it starts from random weights: side heads and wide colours then, and no
            averaging, since batch norm's running figures would belong to other weights.
        seed: Of order and variants.
        checkpoint: File that the best weights are written to at the end.
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
        hooks: PhaseHooks,
        *,
        start_logits: NDArray[np.float32] | None = None,
        start: PhaseState | None = None,
    ) -> int:
        """Train; the network ends with the weights of the best epoch.

        Args:
            train, val: Photos.
            reader: Reads them.
            hooks: Told and asked.
            start_logits: Of the validation photos by the network as it is, which an epoch must
                beat; None where it knows nothing yet.
            start: Where to go on from; the end is then the same as without a break.

        Returns:
            The best epoch, from 1; 0 where none beat the start.

        Raises:
            UnreadableImageError: A file is not a whole picture.
        """
        batches = self._batches(train, reader, start.epoch if start is not None else 0)
        peak, steps = self._phase.learning_rate, len(batches) * self._phase.epochs
        trainee = self._compile(rate_for_optimizer(peak, steps))
        validation = Validation(self._network, val, reader)
        if start is None:
            start = self._first_state(start_logits, validation)
        else:
            restore(trainee, start)
        snapshot = Snapshot()
        unsettled = int(UNSETTLED * self._phase.epochs) if self._is_scratch else 0
        keeper = BestKeeper(
            validation, start, snapshot, hooks, patience=self._phase.patience, unsettled=unsettled
        )
        pacing = rate_callbacks(peak, steps, len(batches) * start.epoch)
        # Averaged weights are for validation; what is trained on, and taken up again, are the
        # others, so they are copied first.
        averaging = [] if self._is_scratch else [AveragedWeights()]
        try:
            if not start.is_done(self._phase.epochs, self._phase.patience):
                trainee.fit(
                    batches,
                    epochs=self._phase.epochs,
                    initial_epoch=start.epoch,
                    verbose=0,
                    # The batches have an order of their own, and draw ahead along it.
                    shuffle=False,
                    callbacks=[*pacing, snapshot, *averaging, keeper],
                )
        finally:
            batches.close()
            if keeper.best_weights is not None:
                self._network.logits.set_weights(keeper.best_weights)
                save_checkpoint(self._network.logits, self._checkpoint)
        return keeper.best_epoch

    def search_rate(self, train: Sequence[CuratedPhoto], reader: PixelReader) -> RateSearch:
        """Try out learning rates; the network's weights are as before when this returns."""
        before = self._network.weights
        batches = self._batches(train, reader, 0)
        try:
            return search_rate(self._compile(self._phase.learning_rate), batches)
        finally:
            batches.close()
            self._network.logits.set_weights(before)

    def _batches(
        self, train: Sequence[CuratedPhoto], reader: PixelReader, first_epoch: int
    ) -> TrainingBatches:
        return TrainingBatches(
            train,
            reader,
            batch_size=self._phase.batch_size,
            weights=self._class_weights,
            augment=Augmenter(vary_colour if self._is_scratch else vary_framing),
            seed=self._seed,
            first_epoch=first_epoch,
        )

    def _first_state(
        self, logits: NDArray[np.float32] | None, validation: Validation
    ) -> PhaseState:
        if logits is None:
            return PhaseState(0, 0, math.inf, {})
        loss = calibrated_loss(logits, validation.labels)
        return PhaseState(0, 0, loss, {"best": self._network.weights})

    def _compile(self, rate: float | CosineSchedule) -> Any:
        optimizer = keras.optimizers.AdamW(
            rate,
            weight_decay=self._phase.weight_decay,
            clipnorm=5.0,
            use_ema=not self._is_scratch,
            ema_momentum=AVERAGING,
        )
        self._network.logits.get_layer("dropout").rate = self._phase.dropout
        trainee = build_trainee(self._network, has_sides=self._is_scratch)
        trainee.compile(optimizer, make_loss(self._smoothing), metrics=[accuracy])
        self._build(trainee)
        return trainee

    def _build(self, trainee: Any) -> None:
        """Make the variables of optimizer, loss and figures, where `fit` would draw a batch for it.

        Those that its threads had drawn ahead by then came into the first epochs, before the
        batches of these; how many hung on the threads, so that no training was the same again.
        """
        shape = (1, *self._network.logits.input_shape[1:])
        photo = (np.zeros(shape, np.uint8), np.zeros((1, len(LABELS)), np.float32))
        # TensorFlow's builds under a strategy only; on one device it needs no batch.
        build = getattr(trainee, "_maybe_symbolic_build", trainee._symbolic_build)
        build(data_batch=(*photo, np.ones(1, np.float32)))
