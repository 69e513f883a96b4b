"""Follows faces from frame to frame and steadies their labels.

Boxes are matched greedily by overlap, then by nearness. Each track averages its probabilities,
older ones fading with time, and changes its label only when another class leads clearly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from collector.records import LABELS, FaceBox, Label

FADE_S = 0.4
"""Time constant of the average: a face whose mask goes on is relabelled after about as long."""

LABEL_LEAD = 0.2
"""How much likelier than the present label another must be to replace it."""

KEEP_S = 1.0
"""How long a face that is not found is remembered: a turned head, a hand before the face."""

LEAST_IOU = 0.2
NEAR_SIDES = 0.75
"""A face may jump this fraction of its own side between two frames and is still the same."""


@dataclass(frozen=True)
class TrackedFace:
    """One face of a frame, as it is shown.

    Attributes:
        track: Number of the person's track, from 1; never used twice in a session.
        box: Where it is in this frame.
        label: Steadied over the track.
        probabilities: Averaged over the track, in the order of `LABELS`, adding up to 1.
        instant: Probabilities of this frame alone.
        is_sure: Whether the confidence reaches the bundle's threshold.
        is_guide: Nobody looked for a face: the guide was classified.
    """

    track: int
    box: FaceBox
    label: Label
    probabilities: tuple[float, ...]
    instant: tuple[float, ...]
    is_sure: bool
    is_guide: bool = False

    @property
    def confidence(self) -> float:
        """Averaged probability of `label`, 0 to 1."""
        return self.probabilities[LABELS.index(self.label)]

    @property
    def instant_label(self) -> Label:
        """What this frame alone would say."""
        return LABELS[max(range(len(LABELS)), key=self.instant.__getitem__)]


@dataclass
class _Track:
    number: int
    box: FaceBox
    seen_s: float
    average: NDArray[np.float64]
    label: Label
    # How much evidence the average holds; it grows to a steady state and fades with time.
    weight: float = field(default=1.0)


class FaceTracker:
    """Keeps the tracks of one source.

    Args:
        unsure_below: Confidence under which a face is not sure; the bundle's.
        fade_s: Time constant of the average in seconds; 0 takes each frame by itself.
        keep_s: How long a lost face keeps its track.
    """

    def __init__(self, unsure_below: float, fade_s: float = FADE_S, keep_s: float = KEEP_S) -> None:
        self.unsure_below = unsure_below
        self._fade_s = fade_s
        self._keep_s = keep_s
        self._tracks: list[_Track] = []
        self._next_number = 1

    @property
    def tracks_begun(self) -> int:
        """How many faces were told apart so far."""
        return self._next_number - 1

    def update(
        self, boxes: Sequence[FaceBox], probabilities: NDArray[np.float32], now_s: float
    ) -> tuple[TrackedFace, ...]:
        """Take the faces of the next frame in.

        Args:
            boxes: Faces of the frame.
            probabilities: Float32, shape (len(boxes), 4).
            now_s: Time of the frame in seconds, on any clock that only grows.

        Returns:
            One face for each box, in the same order.
        """
        self._tracks = [t for t in self._tracks if now_s - t.seen_s <= self._keep_s]
        matches = match_boxes([track.box for track in self._tracks], boxes)
        followed = list(self._tracks)
        faces = []
        for index, (box, row) in enumerate(zip(boxes, probabilities, strict=True)):
            if index in matches:
                track = followed[matches[index]]
                self._advance(track, box, row, now_s)
            else:
                track = self._begin(box, row, now_s)
            faces.append(self._face_of(track, row))
        return tuple(faces)

    def forget(self) -> None:
        """End all tracks: the next frame has nothing to do with the last."""
        self._tracks = []

    def _begin(self, box: FaceBox, row: NDArray[np.float32], now_s: float) -> _Track:
        average = row.astype(np.float64)
        label = LABELS[int(average.argmax())]
        track = _Track(self._next_number, box, now_s, average, label)
        self._next_number += 1
        self._tracks.append(track)
        return track

    def _advance(self, track: _Track, box: FaceBox, row: NDArray[np.float32], now_s: float) -> None:
        elapsed_s = max(0.0, now_s - track.seen_s)
        kept = math.exp(-elapsed_s / self._fade_s) if self._fade_s > 0 else 0.0
        weight = track.weight * kept
        track.average = (track.average * weight + row) / (weight + 1.0)
        track.weight = weight + 1.0
        track.box, track.seen_s = box, now_s
        best = LABELS[int(track.average.argmax())]
        lead = track.average.max() - track.average[LABELS.index(track.label)]
        if lead >= (LABEL_LEAD if self._fade_s > 0 else 0.0):
            track.label = best

    def _face_of(self, track: _Track, row: NDArray[np.float32]) -> TrackedFace:
        face = TrackedFace(
            track.number,
            track.box,
            track.label,
            tuple(float(value) for value in track.average),
            tuple(float(value) for value in row),
            is_sure=True,
        )
        return replace(face, is_sure=face.confidence >= self.unsure_below)


def match_boxes(known: Sequence[FaceBox], found: Sequence[FaceBox]) -> dict[int, int]:
    """Which of the `known` boxes each of the `found` ones continues.

    The greatest overlap is matched first; what is left is matched by nearness, for faces that
    move fast or frames that come slowly. Source: greedy IoU matching as in SORT (Bewley 2016),
    without its motion model.

    Returns:
        Index in `found` to index in `known`, each at most once.
    """
    pairs = [
        (score, k, f)
        for k, old in enumerate(known)
        for f, new in enumerate(found)
        if (score := _likeness(old, new)) > 0
    ]
    matches: dict[int, int] = {}
    for _, k, f in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if f not in matches and k not in matches.values():
            matches[f] = k
    return matches


def _likeness(old: FaceBox, new: FaceBox) -> float:
    """Above 1 by overlap, 0 to 1 by nearness, 0 where they cannot be one face."""
    overlap = old.iou(new)
    if overlap >= LEAST_IOU:
        return 1.0 + overlap
    if not 0.5 <= old.side_px / new.side_px <= 2.0:
        return 0.0
    (old_x, old_y), (new_x, new_y) = old.center, new.center
    jump = math.hypot(old_x - new_x, old_y - new_y) / max(old.side_px, new.side_px)
    return max(0.0, 1.0 - jump / NEAR_SIDES)
