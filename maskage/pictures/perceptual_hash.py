"""Perceptual hashes of crops: whether two shots show the same picture."""

import cv2
import numpy as np

from maskage.records import RgbImage

SAME_PICTURE_BITS = 4
"""pHash distance within which two crops are one picture; different people's were at least 10 apart
(DESIGN.md, Curation's measured facts)."""

GROUP_BITS = 8
"""Radius of grouping: different people's tight crops were at least 10 bits apart (4,950 pairs)."""


def hash_crop(crop: RgbImage) -> int:
    """Perceptual hash of a crop, 64 bits: the low frequencies of its 32 px DCT over their median.

    Source:
        The pHash of imagehash, whose import (SciPy) would cost the start of the screen a second.
    """
    grey = cv2.cvtColor(
        cv2.resize(crop, (32, 32), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
    )
    low = cv2.dct(grey.astype(np.float32))[:8, :8]
    bits = np.packbits((low > np.median(low)).ravel())
    return int.from_bytes(bits.tobytes(), "big")


def is_same_picture(one: int, other: int) -> bool:
    """Whether two `hash_crop` values are near-identical."""
    return (one ^ other).bit_count() <= SAME_PICTURE_BITS
