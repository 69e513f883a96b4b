"""Whether photos that are tested on were learned from: the same file, or nearly the same picture.

What is alike is found by curation's perceptual hash, mirrored pictures too.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from maskage.dataset.photo_scan import Sight, look_at
from maskage.formats.curated_set import CuratedPhoto
from maskage.pictures.hamming import find_close_pairs
from maskage.pictures.perceptual_hash import GROUP_BITS, hash_array
from trainer.data.pixels import worker_count


@dataclass(frozen=True)
class Twin:
    """A tested photo and the photo that was learned from and looks most like it.

    Attributes:
        tested: Position among the tested photos.
        learned: Position among those learned from.
        bits: In how many bits of 64 their hashes differ.
        is_mirrored: Whether one is the other's mirror image.
        is_same_file: Whether their files are equal byte for byte.
    """

    tested: int
    learned: int
    bits: int
    is_mirrored: bool
    is_same_file: bool


@dataclass(frozen=True)
class LeakCheck:
    """What tested photos have in common with those learned from.

    Attributes:
        tested: How many photos were tested.
        learned: How many were learned from.
        radius: Bits within which two count as near-duplicates.
        twins: One for each tested photo that has any, the closest first.
    """

    tested: int
    learned: int
    radius: int
    twins: tuple[Twin, ...]

    @cached_property
    def same_files(self) -> int:
        """Tested photos whose very file was learned from."""
        return sum(twin.is_same_file for twin in self.twins)

    def as_dict(self) -> dict[str, Any]:
        """As `leak_check` in `metrics.json`."""
        return {
            "tested": self.tested,
            "learned": self.learned,
            "radius": self.radius,
            "same_files": self.same_files,
            "near_duplicates": len(self.twins) - self.same_files,
        }


def look_at_photos(photos: Sequence[CuratedPhoto]) -> tuple[Sight, ...]:
    """Hash, size and sharpness of each photo, by threads; a fault becomes the sight's `fault`."""
    with ThreadPoolExecutor(worker_count(), thread_name_prefix="look") as pool:
        return tuple(pool.map(lambda photo: look_at(photo.path, photo.path.name), photos))


def check_leak(
    tested: Sequence[Sight], learned: Sequence[Sight], radius: int = GROUP_BITS
) -> LeakCheck:
    """Find what tested photos have in common with those learned from.

    Args:
        tested, learned: Sights of photos; what could not be read has no twin.
        radius: Bits, 0 to 64. Different people's crops were 10 and more apart (see
            `maskage.pictures.perceptual_hash.GROUP_BITS`).
    """
    ours = [at for at, sight in enumerate(tested) if sight.fault is None]
    theirs = [at for at, sight in enumerate(learned) if sight.fault is None]
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
