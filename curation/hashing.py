"""Perceptual hashes: 64 bits that stay nearly the same when a picture is scaled or compressed."""

from collections.abc import Sequence

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from collector.records import RgbImage

HASH_SIDE = 8
# imagehash shrinks to four times the hash's side before its cosine transform.
SHRUNK_SIDE = HASH_SIDE * 4


def hash_pixels(pixels: RgbImage) -> tuple[int, int]:
    """pHash of a picture and of its mirror image, as 64-bit numbers.

    Args:
        pixels: RGB uint8, shape (H, W, 3).

    Returns:
        The very bits of `imagehash.phash` of the picture, and those of the mirrored picture.
    """
    return hash_grey(Image.fromarray(pixels).convert("L"))


def hash_grey(grey: Image.Image) -> tuple[int, int]:
    """As `hash_pixels`, of a picture of mode "L". Shrunk once: shrinking and mirroring commute."""
    shrunk = grey.resize((SHRUNK_SIDE, SHRUNK_SIDE), Image.Resampling.LANCZOS)
    return _bits(shrunk), _bits(shrunk.transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def hash_array(values: Sequence[int]) -> NDArray[np.uint64]:
    """Hashes as a uint64 array, shape (N,), for the search."""
    return np.array(values, dtype=np.uint64)


def _bits(image: Image.Image) -> int:
    found = imagehash.phash(image, hash_size=HASH_SIDE).hash
    return int.from_bytes(np.packbits(found).tobytes(), "big")
