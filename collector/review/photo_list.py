"""The photos under review and their order; independent of any screen.

`ReviewList` follows edits as they are made, so that a large dataset is filtered and sorted once,
not after every key.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
from maskage.dataset.edits import Edit
from maskage.pictures.hamming import find_close_pairs
from maskage.pictures.perceptual_hash import SAME_PICTURE_BITS
from maskage.records import Photo


class ReviewOrder(StrEnum):
    """The orders of the gallery."""

    NEWEST = "newest"
    LEAST_SHARP = "least sharp"
    LEAST_CERTAIN = "least certain"
    LOOK_ALIKES = "look-alikes together"
    MOST_HARMFUL = "most harmful label first"


NOT_SET = ""
"""Value of a fact, in a filter, of the photos that have none."""


class PhotoSequence(Protocol):
    """Photos in an order, as a screen shows them."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Photo: ...

    def slice(self, start: int, end: int) -> list[Photo]:
        """Return the photos from `start` up to `end`, as far as there are any."""

    def find(self, path: str) -> int | None:
        """Return the index of the photo with this path, or None."""


@dataclass(frozen=True)
class ReviewFilter:
    """The filter of the gallery: a photo is shown that meets every condition that is set.

    Attributes:
        label: Only photos of this class; None for any.
        subject: Only photos of this person; `NOT_SET` for those that name nobody, None for any.
        session: Only photos of this session; likewise.
        only_flagged: Only those with the flag.
        only_disputed: Only those that a model or the label check takes for another class.
        group: Only photos of this group; likewise.
        origin: Only photos of this split of their source; likewise.
    """

    label: str | None = None
    subject: str | None = None
    session: str | None = None
    only_flagged: bool = False
    only_disputed: bool = False
    group: str | None = None
    origin: str | None = None

    def admits(self, photo: Photo) -> bool:
        """Return whether this photo is shown."""
        return (
            (self.label is None or photo.label == self.label)
            and (self.subject is None or (photo.subject or NOT_SET) == self.subject)
            and (self.session is None or (photo.session or NOT_SET) == self.session)
            and (self.group is None or (photo.group or NOT_SET) == self.group)
            and (self.origin is None or (photo.origin or NOT_SET) == self.origin)
            and (not self.only_flagged or photo.is_flagged)
            and (not self.only_disputed or photo.is_disputed)
        )

    def describe(self, scheme: Scheme) -> str:
        """Return the filter in words: "mask, old · flagged"."""
        words = [
            scheme.title(self.label) if self.label else "",
            _in_words(self.subject, "of {}", "no subject"),
            _in_words(self.session, "session {}", "no session"),
            _in_words(self.group, "group {}", "no group"),
            _in_words(self.origin, "from {}", "no origin"),
            "flagged" if self.only_flagged else "",
            "suggestion disagrees" if self.only_disputed else "",
        ]
        return " · ".join(word for word in words if word) or "all photos"


def _in_words(value: str | None, words: str, none: str) -> str:
    return "" if value is None else words.format(value) if value else none


class ReviewList:
    """The photos that are shown, in order.

    Args:
        photos: All photos of the dataset.
        chosen: Which are shown.
        order: The order they are sorted in.
        alike: Ranks as `rank_look_alikes` gives them, for that order; followed and kept up to
            date, so that they need not be found again. Without them they are found here.
    """

    def __init__(
        self,
        photos: Sequence[Photo],
        chosen: ReviewFilter,
        order: ReviewOrder,
        alike: dict[str, float] | None = None,
    ) -> None:
        self._filter = chosen
        shown = [photo for photo in photos if chosen.admits(photo)]
        if alike is None:
            alike = rank_look_alikes(shown) if order is ReviewOrder.LOOK_ALIKES else {}
        self._alike = alike
        self._key, self._is_descending = self._choose_key(order)
        self._photos = sorted(shown, key=self._key, reverse=self._is_descending)

    def __len__(self) -> int:
        return len(self._photos)

    def __getitem__(self, index: int) -> Photo:
        return self._photos[index]

    def slice(self, start: int, end: int) -> list[Photo]:
        """The photos from `start` up to `end`, as far as there are any."""
        return self._photos[max(0, start) : max(0, end)]

    def find(self, path: str) -> int | None:
        """Return the index of the photo with this path, or None."""
        return next((at for at, photo in enumerate(self._photos) if photo.path == path), None)

    @property
    def expected_wrong(self) -> float:
        """Number of the labels shown that the label check expects to be wrong."""
        opinions = (each for photo in self._photos for each in photo.disputes)
        return sum(each.confidence for each in opinions if each.cost is not None)

    def follow(self, edits: Iterable[Edit], cursor: int) -> int:
        """Take edits over; returns where the cursor then stands on the photo it stood on.

        Photos that no longer meet the filter leave, those that meet it again come back to their
        place. Where the photo at the cursor leaves, the cursor stands on the next.
        """
        changes = {edit.before.path: edit.after for edit in edits if edit.before is not None}
        appearing = {e.after.path: e.after for e in edits if e.before is None and e.after}
        for before, after in changes.items():
            if after is not None and before in self._alike:
                self._alike[after.path] = self._alike[before]
        kept: list[Photo] = []
        moved_cursor = cursor
        for at, photo in enumerate(self._photos):
            after = changes.pop(photo.path, photo)
            if after is not None and self._filter.admits(after):
                kept.append(after)
            elif at < cursor:
                moved_cursor -= 1
        self._photos = kept
        # What was not shown before may be now.
        appearing |= {after.path: after for after in changes.values() if after is not None}
        was_empty = not kept
        for photo in appearing.values():
            if self._filter.admits(photo) and self._insert(photo) <= moved_cursor:
                moved_cursor += not was_empty
        return max(0, min(moved_cursor, len(self._photos) - 1))

    def _insert(self, photo: Photo) -> int:
        key = self._key(photo)
        for at, other in enumerate(self._photos):
            other_key = self._key(other)
            if other_key < key if self._is_descending else key < other_key:
                self._photos.insert(at, photo)
                return at
        self._photos.append(photo)
        return len(self._photos) - 1

    def _choose_key(
        self, order: ReviewOrder
    ) -> tuple[Callable[[Photo], tuple[float, str, str]], bool]:
        unknown = float("inf")

        def newest(photo: Photo) -> tuple[float, str, str]:
            return 0, photo.taken_at or "", _name(photo)

        def sharpness(photo: Photo) -> tuple[float, str, str]:
            return photo.quality.sharpness if photo.quality else unknown, "", _name(photo)

        def certainty(photo: Photo) -> tuple[float, str, str]:
            opinion = photo.suggestion or photo.check
            return opinion.confidence if opinion else unknown, "", _name(photo)

        def harm(photo: Photo) -> tuple[float, str, str]:
            costs = [-each.cost for each in photo.disputes if each.cost is not None]
            return min(costs, default=unknown), "", _name(photo)

        def alike(photo: Photo) -> tuple[float, str, str]:
            return self._alike.get(photo.path, unknown), "", _name(photo)

        keys = {
            ReviewOrder.NEWEST: newest,
            ReviewOrder.LEAST_SHARP: sharpness,
            ReviewOrder.LEAST_CERTAIN: certainty,
            ReviewOrder.LOOK_ALIKES: alike,
            ReviewOrder.MOST_HARMFUL: harm,
        }
        return keys[order], order is ReviewOrder.NEWEST


def _name(photo: Photo) -> str:
    """Return the key that orders equal photos: not the class, which changes during a review."""
    label, _, name = photo.path.partition("/")
    return f"{name}/{label}"


def rank_look_alikes(photos: Sequence[Photo]) -> dict[str, float]:
    """Return a rank for each path that puts near-identical photos side by side.

    The largest groups come first, in each the sharpest; then photos that look like no other; then
    those without a fingerprint, which have no rank.

    Source:
        Groups are connected at 4 bits of pHash (DESIGN.md, Curation's measured facts).
    """
    known = [photo for photo in photos if photo.fingerprint is not None]
    if not known:
        return {}
    hashes = np.array([photo.fingerprint for photo in known], dtype=np.uint64)
    groups: dict[int, list[Photo]] = {}
    for number, photo in zip(_connect(hashes), known, strict=True):
        groups.setdefault(number, []).append(photo)
    ordered = sorted(groups.values(), key=lambda group: (-len(group), group[0].path))
    return {
        photo.path: float(rank)
        for rank, photo in enumerate(
            photo for group in ordered for photo in sorted(group, key=_sharpest_first)
        )
    }


def _connect(hashes: NDArray[np.uint64]) -> list[int]:
    """Return the group number of each hash; a group is connected by steps of few bits."""
    # SciPy takes a fifth of a second to import: only who asks for this order waits for it.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = find_close_pairs(hashes, SAME_PICTURE_BITS)
    links = coo_array(
        (np.ones(len(pairs), np.uint8), (pairs.first, pairs.second)),
        shape=(len(hashes), len(hashes)),
    )
    numbers: list[int] = connected_components(links, directed=False)[1].tolist()
    return numbers


def _sharpest_first(photo: Photo) -> tuple[float, str]:
    return -(photo.quality.sharpness if photo.quality else 0.0), photo.path
