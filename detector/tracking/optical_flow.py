"""Faces followed by optical flow since they were found, at a fraction of the finder's cost.

A grid of points is laid over each face and followed from frame to frame; the box goes where the
median point goes, and grows as the median distance between points grows.

Source: Kalal, Mikolajczyk, Matas, "Forward-backward error: automatic detection of tracking
failures", ICPR 2010 (Median Flow); the check here is that the points agree and still look as they
did, which costs half.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from maskage.records import FaceBox, RgbImage

FLOW_SIDE_PX = 320
"""Longer side to which frames are shrunk before they are compared."""

GRID = 5
"""Points a side of each face."""

LEAST_AGREEING = 0.6
"""Part of a face's points that must move together; with less the face counts as lost."""

AGREEMENT = 0.12
"""Distance that a point may stray from the motion of the box, in sides of the face."""

MOST_CHANGE = 12.0
"""Difference of a point's surroundings from before, in grey levels of 255; with more it is lost.

Source: over two frames of three recordings 99% of faces changed by less than 9 (windows of 15 px:
12), and faces that were covered by another part of the picture by 16 and more in 99%.
"""

_WINDOW_PX = 11
_LEVELS = 2

_INNER = np.stack(
    np.meshgrid(np.linspace(0.15, 0.85, GRID), np.linspace(0.15, 0.85, GRID)), axis=-1
).reshape(-1, 2)
"""Positions of the points, as parts of the box: not at its edge, where the background begins."""

Points = NDArray[np.float32]


class FaceFollower:
    """The faces of one source between two runs of the finder."""

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._boxes: list[NDArray[np.float64]] = []
        self._scores: list[float] = []
        self._step = 1

    def start(self, pixels: RgbImage, boxes: Sequence[FaceBox]) -> None:
        """Remember the faces that were found.

        Args:
            pixels: RGB uint8, shape (H, W, 3).
            boxes: Faces in it.
        """
        self._step = max(1, round(max(pixels.shape[:2]) / FLOW_SIDE_PX))
        self._last = _shrink(pixels, self._step)
        self._boxes = [np.array([b.x, b.y, b.width, b.height], np.float64) for b in boxes]
        self._scores = [box.score for box in boxes]

    def follow(self, pixels: RgbImage) -> list[FaceBox] | None:
        """Return where the faces are now, in the order in which they were found.

        Args:
            pixels: The next frame, RGB uint8 (H, W, 3).

        Returns:
            A box for each; None if one was lost, or the frame has another size.
        """
        small = _shrink(pixels, self._step)
        last, self._last = self._last, small
        if last is None or last.shape != small.shape:
            return None
        if not self._boxes:
            return []
        starts = _lay_grids(np.stack(self._boxes) / self._step)
        ends, found = _flow(last, small, starts)
        moved = []
        for box, start, end, is_found in zip(self._boxes, starts, ends, found, strict=True):
            now = _move(box, start, end, is_found, self._step)
            if now is None:
                return None
            moved.append(now)
        self._boxes = moved
        placed = [
            _to_face(box, score, pixels.shape[1], pixels.shape[0])
            for box, score in zip(moved, self._scores, strict=True)
        ]
        boxes = [box for box in placed if box is not None]
        return boxes if len(boxes) == len(placed) else None


def _shrink(pixels: RgbImage, step: int) -> NDArray[np.uint8]:
    """Return the green of every `step`th pixel: flow needs neither colour nor smoothness."""
    return np.ascontiguousarray(pixels[::step, ::step, 1])


def _lay_grids(boxes: NDArray[np.float64]) -> Points:
    """Lay points (faces, GRID * GRID, 2) into the inner part of each box (faces, 4)."""
    return (boxes[:, None, :2] + _INNER * boxes[:, None, 2:]).astype(np.float32)


def _flow(
    last: NDArray[np.uint8], now: NDArray[np.uint8], starts: Points
) -> tuple[Points, NDArray[np.bool_]]:
    """Return where points (faces, N, 2) went, and which were found there (faces, N)."""
    # OpenCV's stubs do not know that the output points may be None.
    ends, status, change = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
        last,
        now,
        starts.reshape(-1, 1, 2),
        None,
        winSize=(_WINDOW_PX, _WINDOW_PX),
        maxLevel=_LEVELS,
        criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.03),
    )
    # A covered point is "found" too: at the place that is least unlike it.
    is_found = (status == 1) & (change <= MOST_CHANGE)
    return ends.reshape(starts.shape), is_found.reshape(starts.shape[:2])


def _move(
    box: NDArray[np.float64],
    start: Points,
    end: Points,
    is_found: NDArray[np.bool_],
    step: int,
) -> NDArray[np.float64] | None:
    """Move a box with its points, in pixels of the frame; None if they do not agree."""
    if is_found.mean() < LEAST_AGREEING:
        return None
    sure, sure_now = start[is_found].astype(np.float64), end[is_found].astype(np.float64)
    middle, gone_to = _median(sure), _median(sure_now)
    spread, spread_now = sure - middle, sure_now - gone_to
    before, after = _lengths(spread), _lengths(spread_now)
    is_apart = before > 1.0
    growth = float(_median(after[is_apart] / before[is_apart])) if is_apart.any() else 1.0
    # A face comes nearer by some percent a frame; more is noise of a small face's few pixels.
    growth = min(1.1, max(0.9, growth))
    strays = _lengths(spread_now - growth * spread)
    side = max(box[2], box[3]) / step
    if (strays <= AGREEMENT * side).sum() < LEAST_AGREEING * len(is_found):
        return None
    size = box[2:] * growth
    center = gone_to * step + growth * (box[:2] + box[2:] / 2 - middle * step)
    return np.concatenate([center - size / 2, size])


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median along axis 0, of two the upper; numpy's own takes ten times as long."""
    return np.sort(values, axis=0)[len(values) // 2]  # type: ignore[no-any-return]


def _lengths(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lengths of vectors (N, 2)."""
    return np.hypot(vectors[:, 0], vectors[:, 1])


def _to_face(
    box: NDArray[np.float64], score: float, frame_width: int, frame_height: int
) -> FaceBox | None:
    """Clip a box to the frame; None if less than half of it lies inside."""
    left, top = max(0, round(box[0])), max(0, round(box[1]))
    right = min(frame_width, round(box[0] + box[2]))
    bottom = min(frame_height, round(box[1] + box[3]))
    if (right - left) * (bottom - top) < 0.5 * box[2] * box[3] or right <= left or bottom <= top:
        return None
    return FaceBox(left, top, right - left, bottom - top, score)
