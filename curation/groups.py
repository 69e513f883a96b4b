"""What must stay on one side of a split: photos of one subject, one session, one source, one pose.

Groups are connected components over those links, across classes: a person with and without a mask
is one person.
"""

import re
from collections.abc import Hashable, Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from collector.hamming import find_close_pairs
from collector.records import Photo
from curation.hashing import PhotoScan, hash_array

GROUP_BITS = 8
"""Radius of grouping: different people's tight crops were at least 10 bits apart (4,950 pairs)."""

# How augmentation tools name their copies; what is left is the name of the photo they came from.
_COPY_MARKS = (
    re.compile(r"__aug\d+$"),  # ours
    re.compile(r"[_.](jpe?g|png)\.rf\.[0-9a-f]{32}$", re.IGNORECASE),  # Roboflow
    re.compile(r"\.(jpe?g|png|bmp)_[0-9a-f-]{36}$", re.IGNORECASE),  # Augmentor, see below
)
_AUGMENTOR_PREFIX = re.compile(r"^.+?_original_")


def group_photos(scans: Sequence[PhotoScan], radius: int = GROUP_BITS) -> list[int]:
    """Number the group of each photo, from 0, in the order of their first photos.

    Linked are photos of one subject, session or manifest group, the same file, copies that an
    augmentation tool named after one photo, and near-duplicates, mirrored ones too. Two photos of
    different known subjects are not linked by looking alike: the manifest knows better.

    Args:
        scans: The usable photos, sorted by path.
        radius: Most bits between linked near-duplicates.
    """
    links = [*_links_by_fact(scans), *_links_by_look(scans, radius)]
    pairs = np.concatenate([np.empty((0, 2), np.int64), *links])
    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), (len(scans),) * 2)
    return _numbered(connected_components(graph, directed=False)[1].tolist())


def source_stem(path: str) -> str | None:
    """The name of the photo that an augmented copy was made from, or None for another name."""
    stem = PurePosixPath(path).stem
    for mark in _COPY_MARKS:
        shorter = mark.sub("", stem)
        if shorter != stem:
            return _AUGMENTOR_PREFIX.sub("", shorter)
    return None


def describe_links(photos: Sequence[Photo]) -> str:
    """What ties a group together, for messages: "subject anna, sessions s1 and s2"."""
    words = []
    for name in ("subject", "session", "group"):
        values = sorted({value for photo in photos if (value := getattr(photo, name))})
        if values:
            shown = ", ".join(values[:3]) + (f" and {len(values) - 3} more" if values[3:] else "")
            words.append(f"{name if len(values) == 1 else name + 's'} {shown}")
    return "; ".join(words) or "near-duplicate pictures"


def _links_by_fact(scans: Sequence[PhotoScan]) -> Iterator[NDArray[np.int64]]:
    """Chains: each photo to the last one before it that shares a fact."""
    last: dict[Hashable, int] = {}
    pairs = []
    for index, scan in enumerate(scans):
        for fact in _facts_of(scan):
            if fact in last:
                pairs.append((last[fact], index))
            last[fact] = index
    yield np.array(pairs, np.int64).reshape(-1, 2)


def _facts_of(scan: PhotoScan) -> Iterator[Hashable]:
    photo = scan.photo
    yield "content", scan.sha256
    # Of one class only: people number the photos of every class from 1.
    yield "name", photo.label, source_stem(photo.path) or PurePosixPath(photo.path).stem
    for name in ("subject", "session", "group"):
        # Only what is known links: photos of nobody in particular are not one person.
        if value := getattr(photo, name):
            yield name, value


def _links_by_look(scans: Sequence[PhotoScan], radius: int) -> Iterator[NDArray[np.int64]]:
    nodes: dict[tuple[int, int, str | None], int] = {}
    same = []
    for index, scan in enumerate(scans):
        # Equal frames of a still camera are one node: a thousand would give half a million pairs.
        first = nodes.setdefault((scan.phash, scan.mirror, scan.photo.subject), index)
        same.append((first, index))
    yield np.array(same, np.int64).reshape(-1, 2)
    chosen = np.array(list(nodes.values()), np.int64)
    known = {name: number for number, name in enumerate(sorted({s for *_, s in nodes if s}))}
    person = np.array([known.get(subject or "", -1) for *_, subject in nodes], np.int64)
    hashes = hash_array([phash for phash, *_ in nodes])
    for queries in (None, hash_array([mirror for _, mirror, _ in nodes])):
        pairs = find_close_pairs(hashes, radius, queries)
        one, other = person[pairs.first], person[pairs.second]
        linked = (one < 0) | (other < 0) | (one == other)
        yield np.column_stack([chosen[pairs.first[linked]], chosen[pairs.second[linked]]])


def _numbered(components: Sequence[int]) -> list[int]:
    numbers: dict[int, int] = {}
    return [numbers.setdefault(component, len(numbers)) for component in components]
