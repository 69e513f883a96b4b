"""All pairs of 64-bit hashes within a Hamming radius, exactly, by sorting in numpy.

Cut the hashes into m blocks: two that differ in at most r bits are equal in at least m - r blocks.
So for every choice of m - r blocks, move those to the top and sort: each such pair comes to lie in
one run of equal tops, and a popcount throws out the rest of the run. Values are sorted, not
indices: numpy sorts plain numbers with vector instructions, and nothing is looked up at random.

Source: Manku, Jain, Das Sarma, "Detecting Near-Duplicates for Web Crawling", 2007.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb, log2

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Indices = NDArray[np.int64]

BITS = 64
MAX_BLOCKS = 16
"""More blocks mean more choices to sort for than a search of any size repays."""
CHUNK = 1 << 18
"""Rows looked at in one go: bounds memory, and their numbers stay in the processor's cache."""
COMPARED_AT_ONCE = 1 << 22


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
    keys = _search(hashes, asked, radius, among=queries is None)
    # One number a pair: sorting rows takes ten times as long.
    keys.sort()
    first, second = keys >> 32, keys & 0xFFFFFFFF
    return ClosePairs(first, second, np.bitwise_count(hashes[first] ^ asked[second]))


def _search(hashes: Hashes, asked: Hashes, radius: int, among: bool) -> Indices:
    """Each pair once, in no order, as first << 32 | second."""
    blocks = _choose_blocks(len(hashes), len(asked), radius, among)
    if blocks is None:
        return _concatenate(_compare_all(hashes, asked, radius, among))
    of_hashes = _Places(hashes)
    of_asked = of_hashes if among else _Places(asked)
    parts = []
    if among:
        repeated = np.flatnonzero(of_hashes.counts > 1)
        parts.append(_join(of_hashes, of_hashes, repeated, repeated, among))
    for ones, others in _close_values(of_hashes.values, of_asked.values, radius, blocks, among):
        one = np.searchsorted(of_hashes.values, ones)
        other = np.searchsorted(of_asked.values, others)
        parts.append(_join(of_hashes, of_asked, one, other, among))
        if among:
            parts.append(_join(of_hashes, of_hashes, other, one, among))
    return _concatenate(parts)


def _choose_blocks(hashes: int, asked: int, radius: int, among: bool) -> int | None:
    """The cheapest number of blocks, or None where comparing all with all is cheaper."""
    # Nanoseconds, as measured; only their proportions count.
    best, cheapest = None, 1.0 * hashes * asked
    values = hashes if among else hashes + asked
    pairs = hashes * asked / 2 if among else hashes * asked
    sort = values * (2.6 * log2(values + 1) + 5)
    for blocks in range(radius + 1, MAX_BLOCKS + 1):
        width = BITS * (blocks - radius) // blocks
        cost = comb(blocks, radius) * (60_000 + sort + 8 * pairs / 2**width)
        if cost < cheapest:
            best, cheapest = blocks, cost
    return best


def _compare_all(hashes: Hashes, asked: Hashes, radius: int, among: bool) -> Iterator[Indices]:
    rows = max(1, COMPARED_AT_ONCE // max(1, len(hashes)))
    for start in range(0, len(asked), rows):
        distances = np.bitwise_count(asked[start : start + rows, None] ^ hashes[None, :])
        second, first = np.nonzero(distances <= radius)
        second += start
        keep = first < second if among else slice(None)
        yield (first[keep] << 32) | second[keep]


def _close_values(
    values: Hashes, asked: Hashes, radius: int, blocks: int, among: bool
) -> Iterator[Hashes]:
    """Yield pairs of distinct values within the radius, shape (2, P), each pair once.

    Among the values themselves a pair has two different ones, in either order.
    """
    edges = np.linspace(0, BITS, blocks + 1).astype(int).tolist()
    masks = [(1 << high) - (1 << low) for low, high in pairwise(edges)]
    for chosen in combinations(range(blocks), blocks - radius):
        moves = _moves_to_top(masks, chosen)
        moved = np.sort(_move(values, moves))
        wanted = moved if among else np.sort(_move(asked, moves))
        back = [(mask << shift if shift > 0 else mask >> -shift, -shift) for mask, shift in moves]
        free = BITS - sum(masks[block].bit_count() for block in chosen)
        # A pair equal in more blocks turns up for several choices: it counts for the first.
        earlier = [masks[block] for block in range(chosen[-1]) if block not in chosen]
        found = np.concatenate(
            [np.empty((2, 0), np.uint64), *_runs(moved, wanted, free, radius, among)], axis=1
        )
        pairs = _move(found.ravel(), back).reshape(2, -1)
        differs = pairs[0] ^ pairs[1]
        keep = np.ones(len(differs), bool)
        for mask in earlier:
            keep &= (differs & np.uint64(mask)) != 0
        yield pairs[:, keep]


def _moves_to_top(masks: Sequence[int], chosen: Sequence[int]) -> list[tuple[int, int]]:
    """(mask, shift to the left) for each set of bits that moves as one."""
    order = [block for block in range(len(masks)) if block not in chosen] + list(chosen)
    moves: dict[int, int] = {}
    low = 0
    for block in order:
        shift = low - ((masks[block] & -masks[block]).bit_length() - 1)
        moves[shift] = moves.get(shift, 0) | masks[block]
        low += masks[block].bit_count()
    return [(mask, shift) for shift, mask in moves.items()]


def _move(values: Hashes, moves: Sequence[tuple[int, int]]) -> Hashes:
    moved = np.zeros_like(values)
    for start in range(0, len(values), CHUNK):
        rows = slice(start, start + CHUNK)
        for mask, shift in moves:
            part = values[rows] & np.uint64(mask)
            if shift < 0:
                part >>= np.uint64(-shift)
            else:
                part <<= np.uint64(shift)
            moved[rows] |= part
    return moved


def _runs(values: Hashes, asked: Hashes, free: int, radius: int, among: bool) -> Iterator[Hashes]:
    """Pairs within the radius, shape (2, P), of sorted values equal above their `free` low bits."""
    limit = np.uint64(1 << free)
    for start in range(0, len(asked), CHUNK):
        part = asked[start : start + CHUNK]
        # Where the run of equal tops begins; among the values, each meets those after it.
        if among:
            slots = np.arange(start + 1, start + 1 + len(part))
        else:
            slots = np.searchsorted(values, part & ~(limit - np.uint64(1)))
        while len(part):
            inside = int(np.searchsorted(slots, len(values)))
            part, slots = part[:inside], slots[:inside]
            differs = values[slots] ^ part
            same = differs < limit
            part, slots, differs = part[same], slots[same], differs[same]
            near = np.bitwise_count(differs) <= radius
            yield np.stack([values[slots[near]], part[near]])
            slots += 1


class _Places:
    """The distinct values of an array, sorted, and where each stands: a run of `order`."""

    def __init__(self, array: Hashes) -> None:
        self.order = np.argsort(array, kind="stable")
        ordered = array[self.order]
        # np.unique goes through a hash table: ten times as long.
        self.starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        self.values = ordered[self.starts]
        self.counts = np.diff(self.starts, append=len(array))


def _join(hashes: _Places, asked: _Places, ones: Indices, others: Indices, among: bool) -> Indices:
    """Each index of a hash with each of a query, for pairs of values, as first << 32 | second."""
    widths = asked.counts[others]
    counts = hashes.counts[ones] * widths
    pair = np.repeat(np.arange(len(ones)), counts)
    nth = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
    row, column = np.divmod(nth, widths[pair])
    first = hashes.order[hashes.starts[ones[pair]] + row]
    second = asked.order[asked.starts[others[pair]] + column]
    keys = (first << 32) | second
    return keys[first < second] if among else keys


def _concatenate(parts: Sequence[Indices] | Iterator[Indices]) -> Indices:
    return np.concatenate([np.empty(0, np.int64), *parts])
