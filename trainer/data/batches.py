"""Batches of augmented photos, prepared by threads ahead of the network."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.records import RgbImage
from trainer.data.augment import Augmenter, seed_of_draw
from trainer.data.pixels import PixelReader, worker_count
from trainer.network.backend import keras
from trainer.network.classes import class_numbers, one_hot
from trainer.network.devices import current_batch_share


class TrainingBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of augmented photos, in an order that the seed sets anew for each epoch.

    Each item is (images uint8 (B, size, size, 3), one-hot float32 (B, C), weights float32 (B,)).
    Where an epoch draws fewer photos than there are, the next one goes on with the others: no photo
    is drawn again before all were.

    The last, smaller batch is left out, because batch norm suffers from a batch of few photos.
    Where several processes train together, each draws its own part of every batch.

    Args:
        photos: The training photos.
        reader: Reader of the photos.
        batch_size: Number of photos in an item.
        scheme: The C classes.
        weights: Weight of a photo of each class, shape (C,).
        augment: Augmentation that draws the variants.
        seed: Seed of order and variants.
        epoch_photos: Number of photos that an epoch draws, at most all; None for all.
        first_epoch: Number of epochs done in an earlier training, which are not drawn again.
    """

    LOOKAHEAD = 3

    def __init__(
        self,
        photos: Sequence[CuratedPhoto],
        reader: PixelReader,
        *,
        batch_size: int,
        scheme: Scheme,
        weights: NDArray[np.float32],
        augment: Augmenter,
        seed: int,
        epoch_photos: int | None = None,
        first_epoch: int = 0,
    ) -> None:
        # With one worker Keras leaves prefetching to tf.data's autotuning. The first batch of every
        # second epoch then came up to an epoch late, while no core was busy.
        super().__init__(workers=2)
        self._lock = threading.Lock()
        self._photos, self._reader, self._weights = photos, reader, weights
        self._share = current_batch_share()
        self._drawn = epoch_photos or len(photos)
        self._batch_size = self._share.batch_size(batch_size, self._drawn)
        self._seed, self._epoch = seed, first_epoch
        self._labels = class_numbers(photos, scheme)
        self._augment = augment
        self._pool = ThreadPoolExecutor(worker_count(), thread_name_prefix="augment")
        self._pending: dict[int, list[Future[RgbImage]]] = {}
        self._next = 0
        self._order = self._draw_order()

    def __len__(self) -> int:
        return self._drawn // self._batch_size

    def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
        with self._lock:
            for ahead in range(index, min(index + self.LOOKAHEAD, len(self))):
                if ahead >= self._next:
                    self._pending[ahead] = self._submit(ahead)
                    self._next = ahead + 1
            drawn = self._pending.pop(index, None) or self._submit(index)
        images = np.stack([future.result() for future in drawn])
        labels = self._labels[self._members(index)]
        return images, one_hot(labels, len(self._weights)), self._weights[labels]

    def on_epoch_end(self) -> None:
        """Draw the order of the next epoch."""
        self._pending.clear()
        self._next = 0
        self._epoch += 1
        self._order = self._draw_order()

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _draw_order(self) -> NDArray[np.int64]:
        first, photos = self._epoch * self._drawn, len(self._photos)
        rounds = range(first // photos, -(-(first + self._drawn) // photos))
        orders = [np.random.default_rng((self._seed, turn)).permutation(photos) for turn in rounds]
        at = first - rounds[0] * photos
        return np.concatenate(orders)[at : at + self._drawn]

    def _members(self, index: int) -> NDArray[np.int64]:
        whole = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        return self._share.part_of(whole)

    def _submit(self, index: int) -> list[Future[RgbImage]]:
        epoch = self._epoch
        return [self._pool.submit(self._draw, int(at), epoch) for at in self._members(index)]

    def _draw(self, at: int, epoch: int) -> RgbImage:
        pixels = self._reader.read(self._photos[at])
        return self._augment(pixels, seed_of_draw(self._seed, epoch, at))
