"""Read photos at the size of the network's input, in threads ahead of their use."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.pictures.images import read_image, resize_square
from maskage.records import RgbImage

KEPT_BYTES = 1 << 30
"""Memory for decoded photos, bytes; photos beyond it are decoded each time."""


def worker_count() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class PixelReader:
    """A reader of photos at the size of the network's input that keeps those that fit into memory.

    Args:
        size: Side of the result, px.
        kept_bytes: Memory for decoded photos, bytes.
    """

    def __init__(self, size: int, kept_bytes: int = KEPT_BYTES) -> None:
        self.size = size
        self._room = kept_bytes // (size * size * 3)
        self._kept: dict[str, RgbImage] = {}

    def read(self, photo: CuratedPhoto) -> RgbImage:
        """Return a photo as RGB uint8, shape (size, size, 3).

        Raises:
            UnreadableImageError: The file is not a complete picture.
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
    """Yield unchanged photos in order, as uint8 (B, size, size, 3), and read ahead meanwhile.

    Raises:
        UnreadableImageError: A file is not a complete picture.
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
