"""Small pictures of photos, decoded in the background and kept in memory only.

What is wanted last is decoded first: after a jump through a large dataset nothing is waited for
that is no longer on the screen. Nothing is written to disk, so there is nothing there to forget.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from maskage.errors import UnreadableImageError
from maskage.pictures.images import read_image, resize_square
from maskage.records import RgbImage

SMALL_PX, SMALL_KEPT = 64, 4000
"""Thumbnails of a gallery: 50 MB at most."""
LARGE_PX, LARGE_KEPT = 512, 32
"""Pictures to look at one by one: 25 MB at most."""

_PADDING = 20


class ThumbLoader:
    """A loader of thumbnails with threads of its own.

    Args:
        root: The dataset.
        on_ready: Called from a thread when thumbnails have come, once until `notice` is called.
        side_px: Side of a thumbnail.
        kept: How many are kept, those looked at last.
        workers: Decoding threads.
    """

    def __init__(
        self,
        root: Path,
        on_ready: Callable[[], None],
        side_px: int = SMALL_PX,
        kept: int = SMALL_KEPT,
        workers: int = 2,
    ) -> None:
        self._root = root
        self._on_ready = on_ready
        self._side_px, self._kept = side_px, kept
        self._thumbs: OrderedDict[str, RgbImage | None] = OrderedDict()
        self._wanted: list[str] = []
        self._running: set[str] = set()
        self._is_announced = self._is_closed = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, name=f"thumbs-{number}", daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def want(self, paths: Sequence[str]) -> None:
        """Decode these next, in this order; what was wanted before and is not among them is not."""
        with self._changed:
            self._wanted = [path for path in paths if path not in self._thumbs]
            self._changed.notify_all()

    def get(self, path: str) -> RgbImage | None:
        """The thumbnail, RGB uint8 (side_px, side_px, 3), or None while it is not there."""
        with self._changed:
            thumb = self._thumbs.get(path)
            if thumb is not None:
                self._thumbs.move_to_end(path)
            return thumb

    def is_broken(self, path: str) -> bool:
        """Return whether the photo was found to be unreadable."""
        with self._changed:
            return path in self._thumbs and self._thumbs[path] is None

    def notice(self) -> None:
        """Note that the thumbnails were drawn, so that the next one is announced."""
        with self._changed:
            self._is_announced = False

    def rename(self, before: str, after: str) -> None:
        """A photo moved: its thumbnail goes with it."""
        with self._changed:
            if before in self._thumbs:
                self._thumbs[after] = self._thumbs.pop(before)

    def close(self) -> None:
        """Stop the threads."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=10)

    def _work(self) -> None:
        while (path := self._next()) is not None:
            thumb = self._decode(path)
            with self._changed:
                self._running.discard(path)
                self._thumbs[path] = thumb
                while len(self._thumbs) > self._kept:
                    self._thumbs.popitem(last=False)
                must_tell, self._is_announced = not self._is_announced, True
            if must_tell and not self._is_closed:
                self._on_ready()

    def _next(self) -> str | None:
        with self._changed:
            while not self._is_closed:
                while self._wanted:
                    path = self._wanted.pop(0)
                    if path not in self._thumbs and path not in self._running:
                        self._running.add(path)
                        return path
                self._changed.wait()
        return None

    def _decode(self, path: str) -> RgbImage | None:
        try:
            return fit_square(read_image(self._root / path), self._side_px)
        except UnreadableImageError:
            return None


def fit_square(pixels: RgbImage, side_px: int) -> RgbImage:
    """Scale a picture into a square, its aspect kept: RGB uint8, shape (side_px, side_px, 3)."""
    height, width = pixels.shape[:2]
    if height == width:
        return resize_square(pixels, side_px)
    side = max(height, width)
    square = np.full((side, side, 3), _PADDING, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = pixels
    return resize_square(square, side_px)
