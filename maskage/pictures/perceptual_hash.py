"""The one perceptual hash: 64 bits, nearly the same when a picture is scaled or compressed.

Capture, import, curation and forgetting all use it. The bits are those of `imagehash.phash`, which
hashes the files of a dataset. It loads SciPy, half a second that a first key press has not; so
crops of the camera, and mirrored pictures, get the same bits from the transform below.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskage.records import RgbImage

SAME_PICTURE_BITS = 4
"""Distance within which two crops are one picture; different people's were at least 10 apart
(DESIGN.md, Curation's measured facts)."""

GROUP_BITS = 8
"""Radius of grouping: different people's tight crops were at least 10 bits apart (4,950 pairs)."""

_HASH_SIDE = 8
# imagehash shrinks to four times the hash's side before its cosine transform.
_SHRUNK_SIDE = _HASH_SIDE * 4
# The rows of a cosine transform (DCT-II) that the hash needs, shape (8, 32).
_COSINES = np.cos(
    np.pi / _SHRUNK_SIDE * np.outer(np.arange(_HASH_SIDE), np.arange(_SHRUNK_SIDE) + 0.5)
)


def hash_crop(pixels: RgbImage) -> int:
    """Return the perceptual hash of a picture, 64 bits.

    Args:
        pixels: RGB uint8, shape (H, W, 3).

    Source:
        Hashes in manifests of version 0.1 came from a slightly different transform: 0 bits apart
        on 1,972 of 2,562 photos, 2 bits on 568, 4 bits on 22. On 2,946 copies (halved, at 160 px,
        at JPEG quality 50) they were at most 4 bits from the copy's hash, so they stay in use.
    """
    return _bits(_transform(_shrink(Image.fromarray(pixels).convert("L"))))


def hash_grey(grey: Image.Image) -> tuple[int, int]:
    """Return the hash of a picture of mode "L", and that of its mirror image.

    Mirrored, a picture has the same cosines across, the odd ones of them negated. A JPEG decoded at
    a fraction of its size (`images.decode_grey`) has a hash at most 2 bits away from that of all
    its pixels (33 of 2,562 photos; the others had none).
    """
    import imagehash

    shrunk = _shrink(grey)
    plain = imagehash.phash(shrunk, hash_size=_HASH_SIDE).hash
    cosines = _transform(shrunk)
    cosines[:, 1::2] *= -1
    return int.from_bytes(np.packbits(plain).tobytes(), "big"), _bits(cosines)


def hash_array(values: Sequence[int]) -> NDArray[np.uint64]:
    """Return hashes as a uint64 array, shape (N,), for the search."""
    return np.array(values, dtype=np.uint64)


def is_same_picture(one: int, other: int) -> bool:
    """Return whether two hashes are those of near-identical pictures."""
    return (one ^ other).bit_count() <= SAME_PICTURE_BITS


def _shrink(grey: Image.Image) -> Image.Image:
    return grey.resize((_SHRUNK_SIDE, _SHRUNK_SIDE), Image.Resampling.LANCZOS)


def _transform(shrunk: Image.Image) -> NDArray[np.float64]:
    """Return the lowest cosines of a shrunk picture, float64, shape (8, 8)."""
    # Rounded: in an even picture all but the first are zero, and not the noise of their sums.
    return np.round(_COSINES @ np.asarray(shrunk, np.float64) @ _COSINES.T, 6)


def _bits(cosines: NDArray[np.float64]) -> int:
    """Return a bit for each coefficient: whether it is above the median of all."""
    middle = _HASH_SIDE * _HASH_SIDE // 2
    # What np.median does, without its checks, which take longer.
    median = np.partition(cosines.ravel(), (middle - 1, middle))[middle - 1 : middle + 1].mean()
    return int.from_bytes(np.packbits(cosines > median).tobytes(), "big")
