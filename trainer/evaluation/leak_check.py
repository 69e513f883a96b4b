"""A check for test photos that were also trained on: the same file, or a near-duplicate.

Near-duplicates are found by the perceptual hash that curation uses, mirrored pictures too.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from maskage.dataset.photo_scan import FileScan, scan_file
from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.pictures.hamming import find_close_pairs
from maskage.pictures.perceptual_hash import GROUP_BITS, hash_array
from trainer.data.pixels import worker_count


@dataclass(frozen=True)
class Twin:
    """A test photo and the training photo that looks most like it.

    Attributes:
        tested: Index among the test photos.
        learned: Index among the training photos.
        bits: Number of bits, of 64, in which their hashes differ.
        is_mirrored: True if one is the mirror image of the other.
        is_same_file: True if the files are equal byte for byte.
    """

    tested: int
    learned: int
    bits: int
    is_mirrored: bool
    is_same_file: bool


@dataclass(frozen=True)
class LeakCheck:
    """The test photos that are near-duplicates of training photos.

    Attributes:
        tested: Number of test photos.
        learned: Number of training photos.
        radius: Number of bits within which two photos count as near-duplicates.
        twins: The closest pair of each test photo that has one, the closest first.
    """

    tested: int
    learned: int
    radius: int
    twins: tuple[Twin, ...]

    @cached_property
    def same_files(self) -> int:
        """Number of test photos whose exact file was trained on."""
        return sum(twin.is_same_file for twin in self.twins)

    def as_dict(self) -> dict[str, Any]:
        """Return the value of `leak_check` in `metrics.json`."""
        return {
            "tested": self.tested,
            "learned": self.learned,
            "radius": self.radius,
            "same_files": self.same_files,
            "near_duplicates": len(self.twins) - self.same_files,
        }


def scan_files(photos: Sequence[CuratedPhoto]) -> tuple[FileScan, ...]:
    """Read hash, size and sharpness of each photo in threads; `FileScan.fault` holds an error."""
    with ThreadPoolExecutor(worker_count(), thread_name_prefix="look") as pool:
        return tuple(pool.map(lambda photo: scan_file(photo.path, photo.path.name), photos))


def check_leak(
    tested: Sequence[FileScan], learned: Sequence[FileScan], radius: int = GROUP_BITS
) -> LeakCheck:
    """Find test photos that are near-duplicates of training photos.

    Args:
        tested: Test photos; unreadable ones are skipped.
        learned: Training photos; unreadable ones are skipped.
        radius: Number of bits, 0 to 64. Crops of different people were at least 10 bits apart (see
            `maskage.pictures.perceptual_hash.GROUP_BITS`).

    Returns:
        The check, with one pair for each test photo that has a near-duplicate.
    """
    ours = [at for at, file_scan in enumerate(tested) if file_scan.fault is None]
    theirs = [at for at, file_scan in enumerate(learned) if file_scan.fault is None]
    hashes = hash_array([learned[at].phash for at in theirs])
    closest: dict[int, tuple[int, bool, int]] = {}
    for is_mirrored in (False, True):
        asked = [tested[at].mirror if is_mirrored else tested[at].phash for at in ours]
        pairs = find_close_pairs(hashes, radius, hash_array(asked))
        ends = zip(pairs.first.tolist(), pairs.second.tolist(), pairs.bits.tolist(), strict=True)
        for first, second, bits in ends:
            found = (bits, is_mirrored, theirs[first])
            closest[ours[second]] = min(closest.get(ours[second], found), found)
    by_digest = {learned[at].sha256: at for at in reversed(theirs)}
    twins = []
    for at in ours:
        same = by_digest.get(tested[at].sha256)
        if same is not None:
            twins.append(Twin(at, same, 0, False, True))
        elif at in closest:
            bits, is_mirrored, other = closest[at]
            twins.append(Twin(at, other, bits, is_mirrored, False))
    twins.sort(key=lambda twin: (not twin.is_same_file, twin.bits, twin.tested))
    return LeakCheck(len(tested), len(learned), radius, tuple(twins))
