"""Split photos by time: each session's first part is train, then val, then test, with gaps between.

For a dataset of too few people to hold some of them out. Every class of a session is cut by itself,
because people shoot one class after another. Two photos of a session that are nearer in time than
the gap are never on two sides, whatever their classes, nor are two that look alike: what stands in
the way is set aside.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import NDArray

from curation.grouping.groups import join_sources
from curation.grouping.guessed_sessions import read_time
from curation.grouping.look_alikes import LookAlikes
from curation.settings import Shares
from maskage.dataset.photo_scan import PhotoScan
from maskage.formats.curated.curated_set import SPLITS
from maskage.records import Photo

Seconds = NDArray[np.float64]

BETWEEN = "between splits"
"""Kind of the reason of every photo that is set aside here."""

_NUMBER = re.compile("([0-9]+)")


@dataclass(frozen=True)
class Placement:
    """The splits of photos.

    Attributes:
        splits: Split of each photo; "" for one that is set aside.
        reasons: Why a photo is set aside; "" for the others.
        notice: What to say of the split, for people; "" for nothing.
    """

    splits: list[str]
    reasons: list[str]
    notice: str = ""


def assign_by_time(
    scans: Sequence[PhotoScan], alike: LookAlikes, shares: Shares, gap_s: float
) -> Placement:
    """Cut each session into a first part, a middle and an end.

    Args:
        scans: Photos to split, sorted by path.
        alike: Those of them that look alike and must not be in two splits.
        shares: Shares of train, val and test, or of train and val.
        gap_s: Least time between two photos of a session in two splits, seconds.

    Returns:
        The splits. A class of a session that is too short to be cut is in train.
    """
    draft = _Draft(scans)
    timelines = _timelines([scan.photo for scan in scans])
    gap = f"{BETWEEN}: nearer in time to another split than the gap (--gap {gap_s:g})"
    for timeline in timelines:
        for indices in timeline.by_label(scans):
            sides = cut_times(timeline.times(indices), shares, gap_s)
            for index, side in zip(indices, sides, strict=True):
                draft.splits[index] = SPLITS[side] if side >= 0 else ""
                draft.reasons[index] = "" if side >= 0 else gap
    for timeline in timelines:
        for index in _too_near(timeline, draft.splits, gap_s):
            draft.set_aside(index, gap)
    _separate_sources(draft, min(shares))
    _separate_look_alikes(draft, alike)
    return Placement(draft.splits, draft.reasons)


def cut_times(times: Seconds, shares: Shares, gap_s: float) -> list[int]:
    """Cut a row of photos into parts that are at least a gap apart.

    Args:
        times: Time of each photo, s, in rising order, shape (N,).
        shares: Share of each part.
        gap_s: Least time between two parts, s.

    Returns:
        The part of each photo, from 0; -1 for a photo in a gap. All are in part 0 where the row is
        too short for all parts.
    """
    count = len(times)
    # The first photo that may be in the next part, if this one is the last of its own.
    after = np.maximum(np.searchsorted(times, times + gap_s), np.arange(count) + 1)
    after = np.append(after, count)
    sides, start = [0] * count, 0
    for part in range(len(shares) - 1):
        end = _best_end(after, start, shares[part:])
        if end is None:
            return [0] * count
        start = int(after[end])
        sides[end + 1 : start] = [-1] * (start - end - 1)
        sides[start:] = [part + 1] * (count - start)
    return sides


def _best_end(after: NDArray[np.int64], start: int, shares: Shares) -> int | None:
    """Return the last photo of the part from `start`, with the best share of those that stay."""
    count = len(after) - 1
    ends = np.arange(start, count)
    nexts = after[ends]
    last = nexts
    for _ in range(len(shares) - 2):
        last = after[last]
    ends, nexts = ends[last < count], nexts[last < count]
    if not len(ends):
        return None
    taken = ends + 1 - start
    misfit = np.abs(taken / (taken + count - nexts) - shares[0] / sum(shares))
    return int(ends[int(misfit.argmin())])


@dataclass(frozen=True)
class _Timeline:
    """The photos of a session in their order: indices of photos, and the time of each, s."""

    indices: NDArray[np.int64]
    at: Mapping[int, float]

    def times(self, indices: Iterable[int]) -> Seconds:
        return np.array([self.at[index] for index in indices], np.float64)

    def by_label(self, scans: Sequence[PhotoScan]) -> list[list[int]]:
        found: dict[str, list[int]] = {}
        for index in self.indices.tolist():
            found.setdefault(scans[index].photo.label, []).append(index)
        return list(found.values())


def _timelines(photos: Sequence[Photo]) -> list[_Timeline]:
    """Return the photos of each session in the order of their times.

    Photos without a time are in the order of their names, one each second, and the classes of a
    session are apart: the names of one class say nothing about those of another.
    """
    known = [read_time(photo) for photo in photos]
    sessions: dict[tuple[Hashable, str | None], list[int]] = defaultdict(list)
    for index, (photo, time) in enumerate(zip(photos, known, strict=True)):
        owner = next((name for name in ("session", "subject") if getattr(photo, name)), "")
        session = owner, getattr(photo, owner, None)
        sessions[session, None if time is not None else photo.label].append(index)
    timelines = []
    for (_, label), indices in sessions.items():
        if label is None:
            order = sorted(indices, key=lambda index: (known[index] or 0.0, photos[index].path))
            at = {index: known[index] or 0.0 for index in order}
        else:
            order = sorted(indices, key=lambda index: natural_key(photos[index].path))
            at = {index: float(place) for place, index in enumerate(order)}
        timelines.append(_Timeline(np.array(order, np.int64), at))
    return timelines


def natural_key(name: str) -> tuple[object, ...]:
    """Return a key that sorts "photo 10" behind "photo 9"."""
    parts = _NUMBER.split(name)
    return (*(int(part) if place % 2 else part for place, part in enumerate(parts)), name)


class _Draft:
    """A placement in progress."""

    def __init__(self, scans: Sequence[PhotoScan]) -> None:
        self.scans = scans
        self.splits = [""] * len(scans)
        self.reasons = [""] * len(scans)

    def set_aside(self, index: int, reason: str) -> None:
        self.splits[index], self.reasons[index] = "", reason

    def label(self, index: int) -> str:
        return self.scans[index].photo.label


def _too_near(timeline: _Timeline, splits: Sequence[str], gap_s: float) -> Iterator[int]:
    """Yield the photos of a session that are too near to a later split's, of any class."""
    placed = [index for index in timeline.indices.tolist() if splits[index]]
    times = timeline.times(placed)
    side = np.array([SPLITS.index(splits[index]) for index in placed], np.int64)
    is_kept = np.ones(len(placed), bool)
    for later in range(len(SPLITS) - 1, 0, -1):
        fixed = times[(side == later) & is_kept]
        if not len(fixed):
            continue
        place = np.searchsorted(fixed, times)
        before = times - fixed[np.maximum(place - 1, 0)]
        behind = fixed[np.minimum(place, len(fixed) - 1)] - times
        near = np.minimum(np.abs(before), np.abs(behind)) < gap_s
        is_kept &= ~(near & (side < later))
    for index, kept in zip(placed, is_kept.tolist(), strict=True):
        if not kept:
            yield index


def _separate_sources(draft: _Draft, most: float) -> None:
    """Keep the photos of one source or manifest group in one split, where most of them are.

    A manifest group that is too large for the smallest split is cut like a session instead.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for index, number in enumerate(join_sources(draft.scans, most)):
        if draft.splits[index]:
            members[number].append(index)
    for indices in members.values():
        _keep_majority(draft, indices)


def _keep_majority(draft: _Draft, indices: Sequence[int]) -> None:
    """Set aside those of some photos that are not in the split of most of them."""
    counts = Counter(draft.splits[index] for index in indices if draft.splits[index])
    if len(counts) < 2:
        return
    chosen = max(counts, key=lambda split: (counts[split], SPLITS.index(split)))
    first = next(index for index in indices if draft.splits[index] == chosen)
    for index in indices:
        if draft.splits[index] not in ("", chosen):
            draft.set_aside(index, f"{BETWEEN}: the same as {draft.scans[first].path}, in {chosen}")


def _separate_look_alikes(draft: _Draft, alike: LookAlikes) -> None:
    """Set photos aside until no two that look alike are in two splits; as few as it can."""
    for indices in alike.members:
        _keep_majority(draft, indices)
    _Conflicts(draft, alike).solve()


class _Conflicts:
    """Nodes of photos with equal hashes in one split that look like nodes in another split."""

    def __init__(self, draft: _Draft, alike: LookAlikes) -> None:
        self._draft = draft
        self._members = {
            node: [index for index in indices if draft.splits[index]]
            for node, indices in enumerate(alike.members)
        }
        self._rivals: dict[int, dict[int, int]] = defaultdict(dict)
        ends = (alike.first.tolist(), alike.second.tolist(), alike.bits.tolist())
        for one, other, bits in zip(*ends, strict=True):
            if self._side(one) and self._side(other) and self._side(one) != self._side(other):
                self._rivals[one][other] = self._rivals[other][one] = bits
        self._left = Counter(
            (split, draft.label(index)) for index, split in enumerate(draft.splits) if split
        )

    def solve(self) -> None:
        """Set aside the node with the most rivals for its size, again and again."""
        queue = [(self._cost(node), node) for node in self._rivals]
        heapify(queue)
        while queue:
            cost, node = heappop(queue)
            if not self._rivals[node]:
                continue
            # A cost only grows while other nodes go.
            if (now := self._cost(node)) != cost:
                heappush(queue, (now, node))
                continue
            self._remove(node)

    def _side(self, node: int) -> str:
        members = self._members[node]
        return self._draft.splits[members[0]] if members else ""

    def _cost(self, node: int) -> tuple[bool, float, int, str]:
        members = self._members[node]
        labels = Counter(self._draft.label(index) for index in members)
        side = self._side(node)
        empties = any(self._left[side, label] <= count for label, count in labels.items())
        rivals = sum(len(self._members[rival]) for rival in self._rivals[node])
        path = self._draft.scans[members[0]].path
        return empties, -rivals / len(members), SPLITS.index(side), path

    def _remove(self, node: int) -> None:
        rival = min(self._rivals[node], key=lambda other: self._members[other][0])
        bits, other = self._rivals[node][rival], self._members[rival][0]
        place = f"{self._draft.scans[other].path}, in {self._draft.splits[other]}"
        for index in self._members[node]:
            self._left[self._draft.splits[index], self._draft.label(index)] -= 1
            self._draft.set_aside(index, f"{BETWEEN}: {bits} bits from {place}")
        for near in self._rivals.pop(node):
            self._rivals[near].pop(node, None)
        self._rivals[node] = {}
