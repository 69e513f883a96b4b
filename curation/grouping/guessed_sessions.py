"""Sessions guessed from the times at which photos were taken, where nobody recorded any.

Whoever stands before a camera is photographed many times in a few minutes, in one light and before
one background. Such a burst is a session, and a split must not cut it. Each of the limits below
keeps photos apart that chance or a program brought together in time.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median

from maskage.records import Photo

LEAST_PHOTOS = 3
USUAL_GAP_S = 120.0
"""Largest median of the seconds between photos of a burst. In a large collection of strangers'
photos some lie within minutes of each other by chance, and seldom three in a row."""
MOST_OF_A_TIME = 3
"""Most photos of one and the same second; more of them have it from a program that saved them."""
LARGEST_SHARE = 0.25
"""Largest share of a class. A larger burst is a day at one camera, of many people perhaps: to tie
it would leave nothing to hold out."""


def guess_sessions(photos: Sequence[Photo], gap_s: float) -> list[int | None]:
    """Guess the session of photos that have a time; the others have none.

    Args:
        photos: The photos whose people and sessions nobody recorded.
        gap_s: Seconds without a photo after which another session begins.

    Returns:
        Number of the session of each photo, from 0 in the order of their times; None for none.
    """
    times = [read_time(photo) for photo in photos]
    shared = Counter(int(time) for time in times if time is not None)
    timed = sorted(
        (time, index)
        for index, time in enumerate(times)
        if time is not None and shared[int(time)] <= MOST_OF_A_TIME
    )
    in_class = Counter(photo.label for photo in photos)
    sessions: list[int | None] = [None] * len(photos)
    count = 0
    for burst in _bursts(timed, gap_s):
        gaps = [later - earlier for (earlier, _), (later, _) in pairwise(burst)]
        if len(burst) < LEAST_PHOTOS or median(gaps) > USUAL_GAP_S:
            continue
        held = Counter(photos[index].label for _, index in burst)
        if any(number > LARGEST_SHARE * in_class[label] for label, number in held.items()):
            continue
        for _, index in burst:
            sessions[index] = count
        count += 1
    return sessions


def read_time(photo: Photo) -> float | None:
    """Return the time when a photo was taken, s since 1970; None where it is not known."""
    try:
        return datetime.fromisoformat(photo.taken_at).timestamp() if photo.taken_at else None
    except (ValueError, OverflowError):
        return None


def _bursts(timed: Sequence[tuple[float, int]], gap_s: float) -> list[list[tuple[float, int]]]:
    bursts: list[list[tuple[float, int]]] = []
    for time, index in timed:
        if not bursts or time - bursts[-1][-1][0] > gap_s:
            bursts.append([])
        bursts[-1].append((time, index))
    return bursts
