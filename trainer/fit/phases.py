"""Train the network itself: the upper blocks after the head, or all of it from random weights.

The rate falls along a cosine after a short rise. The average of the weights over the last steps is
validated and kept, and the epoch of least calibrated validation loss is chosen.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.security.keras_archive import save_checkpoint
from trainer.data.augment import Augmenter, vary_colour, vary_framing
from trainer.data.batches import TrainingBatches
from trainer.data.dataset import count_drawn
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
"""Momentum of the weight average, which covers about the last 50 steps."""

UNSETTLED = 0.6
"""Share of the epochs from random weights in which the newest one is kept, whatever its loss.

While the rate is high, an epoch can be best on few validation photos by luck: of 100 epochs the
32nd was kept, with which 89% of the frames of unseen rendered people were right; with the last
epoch of another training on the same photos it was 96%.
"""


class NetworkPhase:
    """A phase that trains the open layers of a network.

    Args:
        network: Network whose trainable layers are trained.
        phase: Epochs, batch size, rate, decay and patience.
        label_smoothing: Share of a label that is spread over all classes, 0 to 1.
        is_scratch: True to start from random weights: with side heads and much colour, and without
            averaging, because batch norm's running figures would belong to other weights.
        seed: Seed of order and variants.
        checkpoint: Path that the best weights are written to at the end.
        class_weights: Weight of a training photo of each class, shape (C,).
        products: Type that open convolutions multiply in, see `precision.choose_products`.
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
        products: str | None = None,
    ) -> None:
        self._network, self._phase, self._products = network, phase, products
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
        """Train until the network has the weights of the best epoch.

        Args:
            train: Training photos.
            val: Validation photos.
            reader: Reader of the photos.
            hooks: Functions to call.
            start_logits: Logits of the validation photos before training, which an epoch must
                improve on; None where the network is random.
            start: State to continue from; the result is then the same as without a break.

        Returns:
            The number of the best epoch, from 1; 0 where none was better than the start.

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
        # The averaged weights are for validation. Training continues with the others, so the
        # snapshot copies them first.
        averaging = [] if self._is_scratch else [AveragedWeights()]
        try:
            if not start.is_done(self._phase.epochs, self._phase.patience):
                trainee.fit(
                    batches,
                    epochs=self._phase.epochs,
                    initial_epoch=start.epoch,
                    verbose=0,
                    # The batches have their own order, and are prepared in it.
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
        """Search the learning rate; the network's weights are the same afterwards."""
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
            scheme=self._network.scheme,
            weights=self._class_weights,
            augment=Augmenter(vary_colour if self._is_scratch else vary_framing),
            seed=self._seed,
            epoch_photos=None if self._is_scratch else count_drawn(train),
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
        trainee = build_trainee(self._network, self._is_scratch, products=self._products)
        trainee.compile(optimizer, make_loss(self._smoothing), metrics=[accuracy])
        self._build(trainee)
        return trainee

    def _build(self, trainee: Any) -> None:
        """Create the variables of optimizer, loss and metrics, for which `fit` would take a batch.

        Batches that its threads had prepared by then came into the first epochs. Their number
        depended on the threads, so that no training could be repeated.
        """
        shape = (1, *self._network.logits.input_shape[1:])
        photo = (np.zeros(shape, np.uint8), np.zeros((1, len(self._network.scheme)), np.float32))
        # TensorFlow's method builds under a strategy only; on one device it needs no batch.
        build = getattr(trainee, "_maybe_symbolic_build", trainee._symbolic_build)
        build(data_batch=(*photo, np.ones(1, np.float32)))
