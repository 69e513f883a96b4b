"""Photos on disk to pixels at the network's size, read by threads ahead of who wants them."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from maskage.formats.curated_set import CuratedPhoto
from maskage.pictures.images import read_image, resize_square
from maskage.records import RgbImage

KEPT_BYTES = 1 << 30
"""Decoded photos are kept up to this much memory; what is over is decoded each time."""


def worker_count() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class PixelReader:
    """Reads photos at the network's size, and keeps those that fit into memory.

    Args:
        size: Side, px.
        kept_bytes: Memory for decoded photos.
    """

    def __init__(self, size: int, kept_bytes: int = KEPT_BYTES) -> None:
        self.size = size
        self._room = kept_bytes // (size * size * 3)
        self._kept: dict[str, RgbImage] = {}

    def read(self, photo: CuratedPhoto) -> RgbImage:
        """RGB uint8, shape (size, size, 3).

        Raises:
            UnreadableImageError: The file is not a whole picture.
        """
        name = str(photo.path)
        pixels = self._kept.get(name)
        if pixels is None:
            pixels = resize_square(read_image(photo.path), self.size)
            if len(self._kept) < self._room:
                self._kept[name] = pixels
        return pixels


def plain_batches(
    photos: Sequence[CuratedPhoto], reader: PixelReader, batch_size: int = 32
) -> Iterator[NDArray[np.uint8]]:
    """Photos as they are, in order: uint8 (B, size, size, 3), the next batch read meanwhile.

    Raises:
        UnreadableImageError: A file is not a whole picture.
    """
    with ThreadPoolExecutor(worker_count()) as pool:
        pending: list[list[Future[RgbImage]]] = []
        try:
            for start in range(0, len(photos), batch_size):
                part = photos[start : start + batch_size]
                pending.append([pool.submit(reader.read, photo) for photo in part])
                if len(pending) > 2:
                    yield np.stack([future.result() for future in pending.pop(0)])
            while pending:
                yield np.stack([future.result() for future in pending.pop(0)])
        finally:
            pool.shutdown(cancel_futures=True)
