"""Allocate groups to splits: greedily by class shares, then by local search.

scikit-learn's StratifiedGroupKFold left errors of 6 to 28 points in class shares where a greedy
allocation left 1 to 8 (DESIGN.md). A local search from several greedy starts improves on that.
"""

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STARTS = 8
"""Number of greedy starts in different orders; with hundreds of groups one is enough."""
MANY_GROUPS = 400
EMPTY_CLASS_COST = 1e6
"""Cost of a class with no photo in a split, higher than any misfit of shares."""

Counts = NDArray[np.float64]


def allocate_groups(
    contents: Counts, ratio: Sequence[float], seed: int, held: Counts | None = None
) -> NDArray[np.int64]:
    """Choose a split for each group so that every class is divided as `ratio` says.

    Args:
        contents: Number of photos of each class in each group, shape (G, C).
        ratio: Share of each split, shape (S,); sums to 1.
        seed: Seed that breaks ties.
        held: Number of photos of each class that each split has already, shape (S, C); they count
            for the shares. None for none.

    Returns:
        The index of each group's split, shape (G,).
    """
    if not len(contents):
        return np.zeros(0, np.int64)
    rng = random.Random(seed)
    shares = np.array(ratio, np.float64)
    best, lowest = np.zeros(len(contents), np.int64), np.inf
    for start in range(STARTS if len(contents) <= MANY_GROUPS else 1):
        order = list(range(len(contents)))
        rng.shuffle(order)
        # The first start takes the largest groups first, which are the hardest to place.
        if start == 0:
            order.sort(key=lambda group: -contents[group].sum())
        allocation = _Allocation(contents, shares, held)
        for group in order:
            allocation.place(group)
        allocation.improve()
        if (cost := allocation.cost()) < lowest - 1e-9:
            best, lowest = allocation.chosen.copy(), cost
    return best


class _Allocation:
    """Groups placed in splits, and the distance of the class shares from what is wanted."""

    def __init__(self, contents: Counts, ratio: Counts, held: Counts | None) -> None:
        self._contents = contents
        self._held = np.zeros((len(ratio), contents.shape[1])) if held is None else held.copy()
        total = contents.sum(axis=0) + self._held.sum(axis=0)
        self._wanted = ratio[:, None] * total[None, :]
        self.chosen = np.full(len(contents), -1, np.int64)

    def cost(self) -> float:
        return float(self._costs(self._held, self._wanted).sum())

    def place(self, group: int) -> None:
        """Put a group into the split where it reduces the misfit most."""
        with_it = self._held + self._contents[group]
        gain = (self._misfit(with_it, self._wanted) - self._misfit(self._held, self._wanted)).sum(1)
        self._move(group, int(np.argmin(gain)))

    def improve(self) -> None:
        """Move one group, or swap two, as long as that reduces the cost."""
        for _ in range(4 * len(self._contents)):
            if not (self._move_best() or self._swap_best()):
                return

    @staticmethod
    def _misfit(held: Counts, wanted: Counts) -> Counts:
        """Return chi-squared terms, in which one photo too many weighs more in a small split."""
        return (held - wanted) ** 2 / np.maximum(wanted, 1e-9)

    def _costs(self, held: Counts, wanted: Counts) -> Counts:
        is_empty: Counts = ((held == 0) & (wanted > 0)).astype(np.float64)
        return self._misfit(held, wanted) + EMPTY_CLASS_COST * is_empty

    def _deltas(self) -> tuple[Counts, Counts]:
        """Return the change of cost when a group leaves (G,), and when it joins a split (G, S)."""
        now = self._costs(self._held, self._wanted).sum(axis=1)
        source = self.chosen
        left = self._held[source] - self._contents
        out = self._costs(left, self._wanted[source]).sum(axis=1) - now[source]
        joined = self._held[None] + self._contents[:, None]
        into = self._costs(joined, self._wanted[None]).sum(axis=2) - now[None]
        into[np.arange(len(source)), source] = -out
        return out, into

    def _move_best(self) -> bool:
        out, into = self._deltas()
        change = out[:, None] + into
        group, split = np.unravel_index(int(np.argmin(change)), change.shape)
        if change[group, split] >= -1e-9:
            return False
        self._move(int(group), int(split))
        return True

    def _swap_best(self) -> bool:
        """Swap the best pair of groups, where there are few groups: all pairs are compared."""
        if len(self._contents) > MANY_GROUPS:
            return False
        best, lowest = (0, 0), -1e-9
        for group, split in enumerate(self.chosen):
            gained = self._contents - self._contents[group]
            here = self._costs(self._held[split] + gained, self._wanted[split])
            there = self._costs(self._held[self.chosen] - gained, self._wanted[self.chosen])
            now = self._costs(self._held, self._wanted).sum(axis=1)
            change = (here + there).sum(axis=1) - now[split] - now[self.chosen]
            change[self.chosen == split] = 0
            other = int(np.argmin(change))
            if change[other] < lowest:
                best, lowest = (group, other), float(change[other])
        if lowest == -1e-9:
            return False
        one, two = best
        splits = int(self.chosen[one]), int(self.chosen[two])
        self._move(one, splits[1])
        self._move(two, splits[0])
        return True

    def _move(self, group: int, split: int) -> None:
        if self.chosen[group] >= 0:
            self._held[self.chosen[group]] -= self._contents[group]
        self._held[split] += self._contents[group]
        self.chosen[group] = split
