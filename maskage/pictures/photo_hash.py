"""Perceptual hashes: 64 bits that stay nearly the same when a picture is scaled or compressed."""

from collections.abc import Sequence

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskage.records import RgbImage

HASH_SIDE = 8
# imagehash shrinks to four times the hash's side before its cosine transform.
SHRUNK_SIDE = HASH_SIDE * 4
# The rows of a cosine transform (DCT-II) that the hash needs, shape (8, 32).
_COSINES = np.cos(
    np.pi / SHRUNK_SIDE * np.outer(np.arange(HASH_SIDE), np.arange(SHRUNK_SIDE) + 0.5)
)


def hash_pixels(pixels: RgbImage) -> tuple[int, int]:
    """pHash of a picture and of its mirror image, as 64-bit numbers.

    Args:
        pixels: RGB uint8, shape (H, W, 3).

    Returns:
        The very bits of `imagehash.phash` of the picture, and those of the mirrored picture.
    """
    return hash_grey(Image.fromarray(pixels).convert("L"))


def hash_grey(grey: Image.Image) -> tuple[int, int]:
    """As `hash_pixels`, of a picture of mode "L".

    It is shrunk and transformed once: mirrored, it has the same cosines across, the odd ones of
    them negated.
    """
    shrunk = grey.resize((SHRUNK_SIDE, SHRUNK_SIDE), Image.Resampling.LANCZOS)
    plain = imagehash.phash(shrunk, hash_size=HASH_SIDE).hash
    # Rounded: in an even picture all but the first are zero, and not the noise of their sums.
    cosines = np.round(_COSINES @ np.asarray(shrunk, np.float64) @ _COSINES.T, 6)
    cosines[:, 1::2] *= -1
    middle = HASH_SIDE * HASH_SIDE // 2
    # What np.median does, without its checks, which take longer.
    median = np.partition(cosines.ravel(), (middle - 1, middle))[middle - 1 : middle + 1].mean()
    return _bits(plain), _bits(cosines > median)


def hash_array(values: Sequence[int]) -> NDArray[np.uint64]:
    """Hashes as a uint64 array, shape (N,), for the search."""
    return np.array(values, dtype=np.uint64)


def _bits(found: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(found).tobytes(), "big")
