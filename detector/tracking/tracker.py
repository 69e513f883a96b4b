"""The tracks of faces from frame to frame, with steadied labels.

Boxes are matched greedily by overlap, then by nearness. Each track averages its probabilities,
older ones fading with time, changes its label only when another class leads clearly, and is sure
again only when its confidence is clearly over the threshold. Its strangeness, where the model
measures it, is averaged and held against its limit in the same way.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
from maskage.inference.picture_faces import UnsureReason, find_unsure_reason
from maskage.records import FaceBox

FADE_S = 0.4
"""Time constant of the average: a face whose mask goes on is relabelled after about as long."""

LABEL_LEAD = 0.2
"""Lead in probability with which another label replaces the present one."""

SURE_LEAD = 0.1
"""Lead over the threshold with which an unsure face is sure again."""

STRANGE_LEAD = 0.05
"""Share of the limit by which the strangeness of an unfamiliar face must fall below it again."""

MOST_STRANGE = 1.5
"""Multiple of the limit that counts at most, so that one odd frame does not outweigh its track."""

KEEP_S = 1.0
"""Time for which a lost face keeps its track: a turned head, a hand before the face."""

YOUNG_S = 0.5
"""Time after its appearance in which a face is classified in every frame: its label settles."""

LEAST_IOU = 0.2
NEAR_SIDES = 0.75
"""A face may jump this fraction of its own side between two frames and is still the same."""


@dataclass(frozen=True)
class TrackedFace:
    """One face of a frame, as it is shown.

    Attributes:
        track: Number of the person's track, from 1; never used twice in a session.
        box: Its position in this frame.
        label: The label, steadied over the track.
        probabilities: Averages over the track, in class order, adding up to 1.
        instant: Probabilities of the one frame that was classified last.
        is_sure: Both the confidence reaches the threshold, and the face is familiar; after it did
            not, or was not, by a lead.
        is_guide: No face was looked for: the guide was classified.
        strangeness: Average over the track of how unlike the faces that were learned it is; None
            where the model does not measure it.
        is_familiar: False where the strangeness is above its limit.
        scheme: The classes.
    """

    track: int
    box: FaceBox
    label: str
    probabilities: tuple[float, ...]
    instant: tuple[float, ...]
    is_sure: bool
    is_guide: bool = False
    strangeness: float | None = None
    is_familiar: bool = True
    scheme: Scheme = field(kw_only=True, repr=False, compare=False)

    @property
    def confidence(self) -> float:
        """Averaged probability of `label`, 0 to 1."""
        return self.probabilities[self.scheme.index(self.label)]

    @property
    def shown_confidence(self) -> float:
        """The confidence for bars; 0 for an unfamiliar face, of which it means nothing."""
        return self.confidence if self.is_familiar else 0.0

    @property
    def unsure_reason(self) -> UnsureReason | None:
        """Why it is unsure; None where it is sure."""
        return find_unsure_reason(is_sure=self.is_sure, is_familiar=self.is_familiar)

    @property
    def instant_label(self) -> str:
        """The label by that one frame alone."""
        return self.scheme.labels[_best(self.instant)]


@dataclass
class Track:
    """One person's face over time.

    Attributes:
        number: The number, from 1.
        box: Its last position.
        begun_s: Time of the first frame with it.
        seen_s: Time of the last frame with it.
        classified_s: Time of the last frame in which it was classified.
        average: Its probabilities, older ones fading.
        weight: The evidence in the average; it grows to a steady state and fades.
        best: The number of the steadied label's class.
        instant: Probabilities of the last classification.
        is_sure: The label is shown.
        is_confident: The confidence reaches the threshold.
        strangeness: Average of its strangeness, like `average`; None where it is not measured.
        is_familiar: The strangeness is within its limit.
    """

    number: int
    box: FaceBox
    begun_s: float
    seen_s: float
    classified_s: float
    average: NDArray[np.float64]
    weight: float
    best: int
    instant: tuple[float, ...]
    is_sure: bool = True
    is_confident: bool = True
    strangeness: float | None = None
    is_familiar: bool = True

    @property
    def confidence(self) -> float:
        """Averaged probability of the steadied label, 0 to 1."""
        return float(self.average[self.best])

    @property
    def is_contested(self) -> bool:
        """True if the last classification gave another label."""
        return _best(self.instant) != self.best


class FaceTracker:
    """The tracks of one source.

    For each frame `place` finds the track of each box, `due` chooses those to classify, and
    `answer` takes their probabilities in.

    Args:
        scheme: The classes; the bundle's.
        unsure_below: Confidence under which a face is not sure; the bundle's.
        fade_s: Time constant of the average in seconds; 0 takes each frame by itself.
        strange_above: Strangeness above which a face is unfamiliar; None for the bundle that does
            not measure it, or to take every face for familiar.
        numbers: Gives each new track its number; trackers of several sources that share it never
            use a number twice. None counts from 1.
    """

    def __init__(
        self,
        scheme: Scheme,
        unsure_below: float,
        fade_s: float = FADE_S,
        strange_above: float | None = None,
        numbers: Iterator[int] | None = None,
    ) -> None:
        self._scheme = scheme
        self._unsure_below = unsure_below
        self._fade_s = fade_s
        self._strange_above = strange_above
        self._tracks: list[Track] = []
        self._numbers = itertools.count(1) if numbers is None else numbers
        self._tracks_begun = 0

    @property
    def tracks_begun(self) -> int:
        """Number of tracks so far."""
        return self._tracks_begun

    @property
    def unsure_below(self) -> float:
        """Confidence under which a face is not sure, 0 to 1."""
        return self._unsure_below

    def set_threshold(self, unsure_below: float) -> None:
        """Set the confidence, 0 to 1, under which a face is not sure, from the next frame on."""
        self._unsure_below = unsure_below

    def place(self, boxes: Sequence[FaceBox], now_s: float) -> list[Track | None]:
        """Return the track that each box continues; None for a new face.

        Tracks that have been lost for too long end here.

        Args:
            boxes: Faces of the frame.
            now_s: Time of the frame in seconds, on any clock that only grows.
        """
        self._tracks = [t for t in self._tracks if now_s - t.seen_s <= KEEP_S]
        matches = match_boxes([track.box for track in self._tracks], boxes)
        placed = [self._tracks[matches[at]] if at in matches else None for at in range(len(boxes))]
        for box, track in zip(boxes, placed, strict=True):
            if track is not None:
                track.box, track.seen_s = box, now_s
        return placed

    def due(self, placed: Sequence[Track | None], now_s: float, period_s: float) -> list[int]:
        """Return which of the faces to classify in this frame.

        New, young and doubtful faces always. Of the settled ones those that were not classified
        for `period_s`, the longest ago first; a third of them at most, so that the work is spread
        over frames. With a period of 0 it is all of them.

        Args:
            placed: The return value of `place`.
            now_s: Time of the frame.
            period_s: Time between two classifications of a settled face.

        Returns:
            Positions in `placed`, rising.
        """
        if period_s <= 0:
            return list(range(len(placed)))
        lively = [at for at, track in enumerate(placed) if self._is_lively(track, now_s)]
        settled = [
            (track.classified_s, at)
            for at, track in enumerate(placed)
            if track is not None and not self._is_lively(track, now_s)
        ]
        late = [
            at for classified_s, at in sorted(settled) if now_s - classified_s >= period_s - 1e-6
        ]
        most = -(-len(settled) // 3)
        return sorted([*lively, *late[:most]])

    def answer(
        self,
        boxes: Sequence[FaceBox],
        placed: Sequence[Track | None],
        rows: Mapping[int, NDArray[np.float32]],
        now_s: float,
        strangeness: Mapping[int, float] | None = None,
    ) -> tuple[TrackedFace, ...]:
        """Take in the probabilities of a frame, and return every face with its steadied label.

        Args:
            boxes: Faces of the frame.
            placed: The return value of `place` for them.
            rows: Probabilities (classes,) by position; there is one for every new face.
            now_s: Time of the frame.
            strangeness: Strangeness by position, like `rows`; None where it is not measured.

        Returns:
            One face for each box, in the same order.
        """
        faces = []
        strange = strangeness or {}
        for at, (box, known) in enumerate(zip(boxes, placed, strict=True)):
            if known is None:
                track = self._begin(box, rows[at], now_s, strange.get(at))
            else:
                track = known
                if at in rows:
                    self._advance(track, rows[at], now_s, strange.get(at))
            faces.append(self._face_of(track))
        return tuple(faces)

    def forget(self) -> None:
        """End all tracks: the next frame is of another scene."""
        self._tracks = []

    def _is_lively(self, track: Track | None, now_s: float) -> bool:
        return (
            track is None
            or now_s - track.begun_s < YOUNG_S
            or track.is_contested
            or not track.is_sure
        )

    def _begin(
        self, box: FaceBox, row: NDArray[np.float32], now_s: float, strangeness: float | None
    ) -> Track:
        track = Track(
            next(self._numbers),
            box,
            begun_s=now_s,
            seen_s=now_s,
            classified_s=now_s,
            average=row.astype(np.float64),
            weight=1.0,
            best=int(row.argmax()),
            instant=tuple(float(value) for value in row),
            strangeness=self._capped(strangeness),
        )
        self._tracks_begun += 1
        self._tracks.append(track)
        return track

    def _advance(
        self, track: Track, row: NDArray[np.float32], now_s: float, strangeness: float | None
    ) -> None:
        elapsed_s = max(0.0, now_s - track.classified_s)
        kept = math.exp(-elapsed_s / self._fade_s) if self._fade_s > 0 else 0.0
        weight = track.weight * kept
        track.average = (track.average * weight + row) / (weight + 1.0)
        capped = self._capped(strangeness)
        if capped is not None and track.strangeness is not None:
            capped = (track.strangeness * weight + capped) / (weight + 1.0)
        track.strangeness = capped
        track.weight = weight + 1.0
        track.classified_s = now_s
        track.instant = tuple(float(value) for value in row)
        best = int(track.average.argmax())
        lead = track.average[best] - track.average[track.best]
        if lead >= (LABEL_LEAD if self._fade_s > 0 else 0.0):
            track.best = best

    def _face_of(self, track: Track) -> TrackedFace:
        # Around the threshold the label would come and go.
        lead = 0.0 if track.is_confident or self._fade_s <= 0 else SURE_LEAD
        track.is_confident = track.confidence >= min(1.0, self._unsure_below + lead)
        track.is_familiar = self._is_familiar(track)
        track.is_sure = track.is_confident and track.is_familiar
        return TrackedFace(
            track.number,
            track.box,
            self._scheme.labels[track.best],
            tuple(float(value) for value in track.average),
            track.instant,
            is_sure=track.is_sure,
            strangeness=track.strangeness,
            is_familiar=track.is_familiar,
            scheme=self._scheme,
        )

    def _is_familiar(self, track: Track) -> bool:
        limit = self._strange_above
        if limit is None or track.strangeness is None:
            return True
        lead = 0.0 if track.is_familiar or self._fade_s <= 0 else STRANGE_LEAD
        return track.strangeness <= limit * (1 - lead)

    def _capped(self, strangeness: float | None) -> float | None:
        """Return a strangeness as it counts in the average of a track."""
        if strangeness is None or self._strange_above is None or self._fade_s <= 0:
            return strangeness
        return min(strangeness, MOST_STRANGE * self._strange_above)


def _best(row: Sequence[float]) -> int:
    """Return the position of the largest probability."""
    return max(range(len(row)), key=row.__getitem__)


def match_boxes(known: Sequence[FaceBox], found: Sequence[FaceBox]) -> dict[int, int]:
    """Match each of the `found` boxes with the `known` one that it continues.

    The greatest overlap is matched first; the rest is matched by nearness, for faces that move
    fast or frames that come slowly.

    Args:
        known: Last boxes of the tracks.
        found: Boxes of the frame.

    Returns:
        Index in `found` to index in `known`, each at most once.

    Source:
        Greedy IoU matching as in SORT (Bewley 2016), without its motion model.
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
    """Return over 1 by overlap, 0 to 1 by nearness, 0 if they cannot be one face."""
    overlap = old.iou(new)
    if overlap >= LEAST_IOU:
        return 1.0 + overlap
    if not 0.5 <= old.side_px / new.side_px <= 2.0:
        return 0.0
    (old_x, old_y), (new_x, new_y) = old.center, new.center
    jump = math.hypot(old_x - new_x, old_y - new_y) / max(old.side_px, new.side_px)
    return max(0.0, 1.0 - jump / NEAR_SIDES)
