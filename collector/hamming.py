"""All pairs of 64-bit hashes within a Hamming radius, exactly, by multi-index hashing in numpy.

Cut both hashes into m bands: if they differ in at most r bits, one band differs in at most r // m.
So a table of one band, asked for every value within that many flips, finds every pair; a popcount
throws out the rest. How many bands is cheapest depends on how many hashes there are.

Source: Norouzi, Punjani, Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", 2012.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Indices = NDArray[np.int64]

BITS = 64
MAX_BAND_BITS = 24
"""A table of 2**24 offsets takes 128 MB; wider bands would take more than they save."""
CHUNK = 1 << 22
"""Candidate pairs held at once: bounds memory, however alike the hashes are."""


@dataclass(frozen=True, eq=False)
class ClosePairs:
    """Pairs of close hashes.

    Attributes:
        first: Indices into the hashes, shape (P,).
        second: Indices into the hashes, or into the queries where there were any, shape (P,).
        bits: In how many bits each pair differs, shape (P,).
    """

    first: Indices
    second: Indices
    bits: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.first)


def find_close_pairs(hashes: Hashes, radius: int, queries: Hashes | None = None) -> ClosePairs:
    """Find every pair that differs in at most `radius` bits.

    Args:
        hashes: uint64, shape (N,).
        radius: Bits, 0 to 64.
        queries: uint64, shape (M,): pairs of a hash with a query instead of among the hashes.

    Returns:
        Each pair once, sorted by first, then second; among the hashes, first < second.
    """
    if not 0 <= radius <= BITS:
        raise ValueError(f"A Hamming radius is 0 to {BITS} bits; found {radius}.")
    asked = hashes if queries is None else queries
    parts = list(_search(hashes, asked, radius, among=queries is None))
    pairs = np.concatenate([np.empty((0, 2), np.int64), *parts])
    # One number a pair: sorting rows takes ten times as long.
    keys = np.unique((pairs[:, 0] << 32) | pairs[:, 1])
    first, second = keys >> 32, keys & 0xFFFFFFFF
    return ClosePairs(first, second, np.bitwise_count(hashes[first] ^ asked[second]))


def _search(hashes: Hashes, asked: Hashes, radius: int, among: bool) -> Iterator[Indices]:
    bands = _choose_bands(len(hashes), len(asked), radius)
    if bands is None:
        yield from _compare_all(hashes, asked, radius, among)
        return
    edges = np.linspace(0, BITS, bands + 1).astype(int)
    for low, high in pairwise(edges.tolist()):
        width = high - low
        keys = _band(hashes, low, width)
        order = np.argsort(keys, kind="stable")
        starts = np.zeros((1 << width) + 1, np.int64)
        np.cumsum(np.bincount(keys, minlength=1 << width), out=starts[1:])
        wanted = _band(asked, low, width)
        for flips in _masks(width, radius // bands):
            near = wanted ^ flips
            for second, slots in _expand(starts[near], starts[near + 1]):
                yield _verified(hashes, asked, order[slots], second, radius, among)


def _choose_bands(hashes: int, asked: int, radius: int) -> int | None:
    """The cheapest number of bands, or None where comparing all with all is cheaper."""
    best, cheapest = None, 0.25 * hashes * asked
    for bands in range(1, radius + 2):
        width = -(-BITS // bands)
        if width <= MAX_BAND_BITS:
            probes = sum(comb(width, flips) for flips in range(radius // bands + 1))
            # A table costs about as much as that many lookups, a candidate as two.
            cost = bands * ((1 << width) + asked * probes * (1 + 2 * hashes / (1 << width)))
            if cost < cheapest:
                best, cheapest = bands, cost
    return best


def _compare_all(hashes: Hashes, asked: Hashes, radius: int, among: bool) -> Iterator[Indices]:
    rows = max(1, CHUNK // max(1, len(hashes)))
    for start in range(0, len(asked), rows):
        distances = np.bitwise_count(asked[start : start + rows, None] ^ hashes[None, :])
        second, first = np.nonzero(distances <= radius)
        second += start
        keep = first < second if among else slice(None)
        yield np.column_stack([first[keep], second[keep]])


def _band(hashes: Hashes, low: int, width: int) -> Indices:
    shifted = hashes >> np.uint64(low)
    return (shifted & np.uint64((1 << width) - 1)).astype(np.int64)


def _masks(width: int, flips: int) -> Iterator[int]:
    for count in range(flips + 1):
        for bits in combinations(range(width), count):
            yield sum(1 << bit for bit in bits)


def _expand(starts: Indices, ends: Indices) -> Iterator[tuple[Indices, Indices]]:
    """For rows of [start, end) slots: (row, slot) of each slot, at most about `CHUNK` at a time."""
    counts = ends - starts
    rows = np.flatnonzero(counts)
    total = np.cumsum(counts[rows])
    while len(rows):
        cut = max(1, int(np.searchsorted(total, CHUNK, side="right")))
        taken, n = rows[:cut], counts[rows[:cut]]
        before = np.cumsum(n) - n
        slots = np.arange(n.sum()) - np.repeat(before - starts[taken], n)
        yield np.repeat(taken, n), slots
        rows, total = rows[cut:], total[cut:] - total[cut - 1]


def _verified(
    hashes: Hashes, asked: Hashes, first: Indices, second: Indices, radius: int, among: bool
) -> Indices:
    keep = np.bitwise_count(hashes[first] ^ asked[second]) <= radius
    if among:
        keep &= first < second
    return np.column_stack([first[keep], second[keep]])
