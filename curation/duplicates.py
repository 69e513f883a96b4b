"""Which photos are the same picture twice, and which of them stays.

Removing follows a leader rule: the best photo stays, its direct neighbours go, and so on. Connected
components would chain: a head turn of 200 frames became one component whose ends differ by 38 bits.
Photos of different classes are never compared for removal: pHash cannot see the class (a masked and
an unmasked crop of one pose are often within 2 bits). Source: DESIGN.md, Curation's measured facts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collector.hamming import find_close_pairs
from collector.quality import find_faults
from collector.records import Label
from curation.hashing import PhotoScan, hash_array

REMOVE_BITS = 4
"""Radius of removal: different people's tight crops were at least 10 bits apart (4,950 pairs)."""


@dataclass(frozen=True)
class Duplicate:
    """A photo that shows what another shows.

    Attributes:
        index: Of the photo that goes.
        leader: Of the photo that stays.
        bits: In how many bits of the pHash they differ.
        is_copy: The files are the same, byte for byte.
    """

    index: int
    leader: int
    bits: int
    is_copy: bool


@dataclass(frozen=True)
class LabelConflict:
    """The same file in several classes: one label at least is wrong, and nobody knows which."""

    indices: tuple[int, ...]


def find_duplicates(
    scans: Sequence[PhotoScan], groups: Sequence[int], radius: int = REMOVE_BITS
) -> list[Duplicate]:
    """Decide which photos go because a better one of their class and group shows the same.

    Args:
        scans: The usable photos.
        groups: Group number of each (see `curation.groups`).
        radius: Most bits between a photo that goes and the one that stays.

    Returns:
        The photos that go, sorted by index. Every one of them lies within `radius` of its leader,
        and no two photos that stay lie within `radius` of each other in one class and group.
    """
    hashes = hash_array([scan.phash for scan in scans])
    near = _Neighbours(hashes, radius)
    leader_of: dict[int, Duplicate] = {}
    stays = np.zeros(len(scans), bool)
    for leader in sorted(range(len(scans)), key=lambda i: rank_key(scans[i])):
        if leader in leader_of:
            continue
        stays[leader] = True
        for index, bits in near.of(leader):
            settled = stays[index] or index in leader_of
            if not settled and _kind(scans, groups, index) == _kind(scans, groups, leader):
                is_copy = scans[index].sha256 == scans[leader].sha256
                leader_of[index] = Duplicate(index, leader, bits, is_copy)
    return [leader_of[index] for index in sorted(leader_of)]


def find_label_conflicts(scans: Sequence[PhotoScan]) -> list[LabelConflict]:
    """Files that lie, byte for byte the same, in more than one class; sorted."""
    by_content: dict[str, list[int]] = {}
    for index, scan in enumerate(scans):
        by_content.setdefault(scan.sha256, []).append(index)
    return [
        LabelConflict(tuple(indices))
        for indices in by_content.values()
        if len({scans[index].photo.label for index in indices}) > 1
    ]


def rank_key(scan: PhotoScan) -> tuple[int, float, int, str]:
    """Sort key, the best photo first: exposed well, sharp, large face; then by name."""
    quality = scan.quality
    sharp = quality.sharpness * (1 - quality.clipped)
    return len(find_faults(quality)), -sharp, -quality.face_px, scan.photo.path


class _Neighbours:
    """Who lies within a radius of whom. Equal hashes are searched for once: a still camera that
    saved a thousand equal frames would give half a million pairs."""

    def __init__(self, hashes: NDArray[np.uint64], radius: int) -> None:
        unique, self._place = np.unique(hashes, return_inverse=True)
        self._members: list[list[int]] = [[] for _ in unique]
        for index, place in enumerate(self._place.tolist()):
            self._members[place].append(index)
        self._near: list[list[tuple[int, int]]] = [[(place, 0)] for place in range(len(unique))]
        pairs = find_close_pairs(unique, radius)
        for first, second, bits in zip(
            pairs.first.tolist(), pairs.second.tolist(), pairs.bits.tolist(), strict=True
        ):
            self._near[first].append((second, bits))
            self._near[second].append((first, bits))

    def of(self, index: int) -> Iterator[tuple[int, int]]:
        """Each photo within the radius of photo `index`, itself among them, and how many bits."""
        for place, bits in self._near[int(self._place[index])]:
            for other in self._members[place]:
                yield other, bits


def _kind(scans: Sequence[PhotoScan], groups: Sequence[int], index: int) -> tuple[Label, int]:
    return scans[index].photo.label, groups[index]
