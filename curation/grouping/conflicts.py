"""Find pictures that lie in several classes, where at least one label is wrong.

The same file is found by its digest. The same picture in another file (scaled, saved again,
mirrored) is found by its hash and then by its pixels, because the hash alone cannot separate a
masked from an unmasked face in the same pose.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from curation.grouping.look_alikes import LookAlikes
from maskage.dataset.photo_scan import PhotoScan
from maskage.pictures.images import decode_grey

CONFLICT_BITS = 2
"""Number of bits within which pictures are compared by pixels; saving again changes no more."""
THUMB_PX = 32
SAME_MEAN, SAME_WORST = 4.0, 32.0
"""Levels of 255 by which the same picture may differ at 32 px, on average and at its worst pixel.

Source: Of 1,757 photos saved again at half the size and JPEG quality 50, 83% are recognised. Of the
frames of a film half a second apart, 0-4% count as one picture, and none a whole second apart
(`benchmarks/curation/label_conflicts.py`).
"""

Thumb = NDArray[np.int16]


@dataclass(frozen=True)
class LabelConflict:
    """A picture that lies in several classes.

    Attributes:
        indices: Indices of the photos, sorted.
        is_file: True if the files are the same, byte for byte.
    """

    indices: tuple[int, ...]
    is_file: bool = True


def find_label_conflicts(
    scans: Sequence[PhotoScan], alike: LookAlikes, read: Callable[[PhotoScan], bytes]
) -> list[LabelConflict]:
    """Find pictures that lie in more than one class.

    Args:
        scans: Usable photos.
        alike: Pairs of them that are within `CONFLICT_BITS` or more.
        read: Function that returns the bytes of a photo's file.

    Returns:
        The conflicts, sorted.
    """
    same_file = [members for members in _by_content(scans) if _labels(scans, members) > 1]
    links = [*_links(same_file), *_same_pictures(scans, alike.within(CONFLICT_BITS), read)]
    conflicts = []
    for members in _components(links):
        digests = {scans[index].file_scan.sha256 for index in members}
        conflicts.append(LabelConflict(tuple(members), is_file=len(digests) == 1))
    return conflicts


def make_thumb(data: bytes) -> Thumb:
    """Return the picture in a file, small and grey, int16, shape (32, 32)."""
    grey = np.asarray(decode_grey(data, min_side=THUMB_PX).image)
    small = cv2.resize(grey, (THUMB_PX, THUMB_PX), interpolation=cv2.INTER_AREA)
    return small.astype(np.int16)


def is_same_picture(one: Thumb, other: Thumb) -> bool:
    """Return whether two thumbs show the same picture, saved twice."""
    difference = np.abs(one - other)
    return float(difference.mean()) <= SAME_MEAN and float(difference.max()) <= SAME_WORST


def _same_pictures(
    scans: Sequence[PhotoScan], alike: LookAlikes, read: Callable[[PhotoScan], bytes]
) -> Iterator[tuple[int, int]]:
    # Cached for this search: a photo has many neighbours where a camera stood still.
    thumb = cache(lambda index: make_thumb(read(scans[index])))
    settled: set[int] = set()
    for index, scan in enumerate(scans):
        for near in alike.neighbours(index):
            other = scans[near.index]
            if near.index < index or other.photo.label == scan.photo.label:
                continue
            if index in settled and near.index in settled:
                continue
            shown = thumb(near.index)[:, ::-1] if near.is_mirrored else thumb(near.index)
            if is_same_picture(thumb(index), shown):
                settled |= {index, near.index}
                yield index, near.index


def _by_content(scans: Sequence[PhotoScan]) -> list[list[int]]:
    found: dict[str, list[int]] = {}
    for index, scan in enumerate(scans):
        found.setdefault(scan.file_scan.sha256, []).append(index)
    return list(found.values())


def _labels(scans: Sequence[PhotoScan], members: Sequence[int]) -> int:
    return len({scans[index].photo.label for index in members})


def _links(sets: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    for members in sets:
        yield from pairwise(members)


def _components(links: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return the connected components of links, each sorted, in the order of their first index."""
    if not links:
        return []
    nodes, ends = np.unique(np.array(links), return_inverse=True)
    ends = ends.reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), (len(nodes),) * 2)
    numbers = connected_components(graph, directed=False)[1]
    found: dict[int, list[int]] = {}
    for node, number in zip(nodes.tolist(), numbers.tolist(), strict=True):
        found.setdefault(number, []).append(node)
    return sorted(found.values())
