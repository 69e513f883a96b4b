"""The links between look-alikes that finding conflicts, grouping and deduplicating start from.

Photos of equal hashes are one node: a still camera that saved a thousand equal frames would give
half a million pairs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from maskage.dataset.photo_scan import PhotoScan
from maskage.pictures.hamming import find_close_pairs
from maskage.pictures.perceptual_hash import hash_array

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Neighbour:
    """A photo that looks like another: which, in how many bits, and whether mirrored."""

    index: int
    bits: int
    is_mirrored: bool


@dataclass(frozen=True, eq=False)
class LookAlikes:
    """Nodes of photos with equal hashes, and the pairs of nodes that are close.

    Attributes:
        node_of: Node of each photo, shape (N,).
        first, second: Nodes of each pair, first < second, shape (P,).
        bits: In how many bits they differ, the picture or its mirror image, shape (P,).
        is_mirrored: The mirror image is closer, shape (P,).
    """

    node_of: Indices
    first: Indices
    second: Indices
    bits: NDArray[np.uint8]
    is_mirrored: NDArray[np.bool_]

    @cached_property
    def members(self) -> list[list[int]]:
        """The photos of each node, in their order."""
        found: list[list[int]] = [[] for _ in range(int(self.node_of.max(initial=-1)) + 1)]
        for index, node in enumerate(self.node_of.tolist()):
            found[node].append(index)
        return found

    def within(self, radius: int) -> "LookAlikes":
        """The pairs that differ in at most `radius` bits."""
        keep = self.bits <= radius
        return LookAlikes(
            self.node_of,
            self.first[keep],
            self.second[keep],
            self.bits[keep],
            self.is_mirrored[keep],
        )

    def neighbours(self, index: int) -> Iterator[Neighbour]:
        """Every photo that looks like photo `index`, those of equal hashes first."""
        node = int(self.node_of[index])
        for other in self.members[node]:
            if other != index:
                yield Neighbour(other, 0, False)
        for pair, other_node in self._adjacent.get(node, ()):
            for other in self.members[other_node]:
                yield Neighbour(other, int(self.bits[pair]), bool(self.is_mirrored[pair]))

    @cached_property
    def _adjacent(self) -> dict[int, list[tuple[int, int]]]:
        """For each node with close ones: the pair, and the node at its other end."""
        found: dict[int, list[tuple[int, int]]] = {}
        ends = zip(self.first.tolist(), self.second.tolist(), strict=True)
        for pair, (one, other) in enumerate(ends):
            found.setdefault(one, []).append((pair, other))
            found.setdefault(other, []).append((pair, one))
        return found


def find_look_alikes(scans: Sequence[PhotoScan], radius: int) -> LookAlikes:
    """Every pair of photos within `radius` bits, as they are or with one of them mirrored.

    Args:
        scans: The usable photos.
        radius: Bits, 0 to 64.
    """
    nodes: dict[tuple[int, int], int] = {}
    node_of = [nodes.setdefault((s.file_scan.phash, s.file_scan.mirror), len(nodes)) for s in scans]
    hashes = hash_array([phash for phash, _ in nodes])
    mirrors = hash_array([mirror for _, mirror in nodes])
    plain = find_close_pairs(hashes, radius)
    turned = find_close_pairs(hashes, radius, mirrors)
    distinct = turned.first != turned.second
    first = np.concatenate([plain.first, np.minimum(turned.first, turned.second)[distinct]])
    second = np.concatenate([plain.second, np.maximum(turned.first, turned.second)[distinct]])
    bits = np.concatenate([plain.bits, turned.bits[distinct]])
    is_mirrored = np.arange(len(first)) >= len(plain)
    # Of a pair that was found in several ways, the closest stays; unmirrored where they are equal.
    order = np.lexsort((is_mirrored, bits, second, first))
    keys = (first[order] << 32) | second[order]
    kept = order[np.unique(keys, return_index=True)[1]]
    return LookAlikes(
        np.array(node_of, np.int64), first[kept], second[kept], bits[kept], is_mirrored[kept]
    )
