"""One pass over the photos: decode, hash, measure. The only part that grows with their number.

It is a pure map that leaves a few bytes a photo, so it runs in threads (Pillow lets go of the
interpreter while it decodes).
"""

import hashlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image

from collector.errors import UnreadableImageError
from collector.images import decode_image
from collector.quality import measure_quality
from collector.records import Photo, Quality, RgbImage

HASH_SIDE = 8
# imagehash shrinks to four times the hash's side before its cosine transform.
SHRUNK_SIDE = HASH_SIDE * 4


@dataclass(frozen=True)
class PhotoScan:
    """What one look at a photo gives.

    Attributes:
        photo: The photo.
        sha256: Of the file; empty where it could not be read at all.
        phash: imagehash's 64-bit pHash, its first bit the highest.
        mirror: pHash of the mirrored picture.
        quality: Figures of the picture; the face size is the manifest's, where it knows it.
        fault: Why it cannot be used, or None.
    """

    photo: Photo
    sha256: str
    phash: int
    mirror: int
    quality: Quality
    fault: str | None = None


def hash_pixels(pixels: RgbImage) -> tuple[int, int]:
    """pHash of a picture and of its mirror image, as 64-bit numbers.

    Args:
        pixels: RGB uint8, shape (H, W, 3).

    Returns:
        The very bits of `imagehash.phash` of the picture, and those of the mirrored picture. The
        picture is shrunk once: shrinking and mirroring commute.
    """
    grey = Image.fromarray(pixels).convert("L")
    shrunk = grey.resize((SHRUNK_SIDE, SHRUNK_SIDE), Image.Resampling.LANCZOS)
    return _bits(shrunk), _bits(shrunk.transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def scan_photo(root: Path, photo: Photo) -> PhotoScan:
    """Read, decode, hash and measure one photo; a fault in the file becomes its `fault`."""
    nothing = Quality(sharpness=0.0, brightness=0.0, clipped=0.0, face_px=0)
    try:
        data = (root / photo.path).read_bytes()
    except OSError as fault:
        return PhotoScan(photo, "", 0, 0, nothing, f"cannot be read ({fault.strerror})")
    digest = hashlib.sha256(data).hexdigest()
    try:
        pixels = decode_image(data, photo.path)
    except UnreadableImageError as fault:
        reason = str(fault).removeprefix(f"{photo.path}: ")
        return PhotoScan(photo, digest, 0, 0, nothing, reason)
    phash, mirror = hash_pixels(pixels)
    return PhotoScan(photo, digest, phash, mirror, measure_quality(pixels, photo.box))


def scan_photos(
    root: Path, photos: Sequence[Photo], workers: int | None = None
) -> Iterator[PhotoScan]:
    """Scan photos in parallel; yields them in their order, as they are done.

    Args:
        root: The dataset.
        photos: What to scan.
        workers: Threads; one for each core by default.
    """
    workers = workers or os.cpu_count() or 1
    waiting: deque[Future[PhotoScan]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="scan") as pool:
        try:
            for photo in photos:
                waiting.append(pool.submit(scan_photo, root, photo))
                # A bounded queue: what is decoded ahead, not the dataset, sets the memory.
                if len(waiting) > 4 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def hash_array(values: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Hashes as a uint64 array, shape (N,), for the search."""
    return np.array(values, dtype=np.uint64)


def _bits(image: Image.Image) -> int:
    found = imagehash.phash(image, hash_size=HASH_SIDE).hash
    return int.from_bytes(np.packbits(found).tobytes(), "big")
