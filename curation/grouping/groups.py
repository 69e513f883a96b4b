"""Groups that stay on one side of a split: one subject, one session, one source, one pose.

Groups are connected components over those links, across classes: a person with and without a mask
is one person. In a split by session, a person may be on several sides.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from curation.grouping.look_alikes import LookAlikes
from curation.grouping.ties import Ties
from curation.settings import REMOVE_BITS
from maskage.dataset.naming.copies import find_copies
from maskage.dataset.photo_scan import PhotoScan
from maskage.records import Photo

Links = NDArray[np.int64]
"""Pairs of photos that belong together, shape (P, 2)."""


def group_photos(
    scans: Sequence[PhotoScan],
    alike: LookAlikes,
    same_bits: int = REMOVE_BITS,
    *,
    by_session: bool = False,
    ties: Ties | None = None,
) -> list[int]:
    """Number the group of each photo, from 0, in the order of their first photos.

    Linked are photos of one subject, session or manifest group, the same file, copies that an
    augmentation tool named after one photo, and near-duplicates, mirrored ones too. Two photos of
    different known subjects are linked only where they are as good as the same picture: the
    manifest knows people better than a hash, but no picture may be in two splits.

    Args:
        scans: The usable photos, sorted by path.
        alike: Which of them look alike (see `GROUP_BITS`).
        same_bits: Within so many bits two photos are the same picture.
        by_session: True to link the photos of a session and not those of a subject, and to treat
            sessions as subjects are treated above. Photos of a subject without a session are one.
        ties: People whom names name, who are linked like subjects, and guessed sessions.
    """
    tied = ties or Ties()
    facts = [
        [*of_source, *_people_facts(scan.photo, by_session, tied)]
        for scan, of_source in zip(scans, _source_facts(scans), strict=True)
    ]
    owners = [_session_of(scan.photo) if by_session else scan.photo.subject for scan in scans]
    pairs = [_links_by_fact(facts), _links_by_look(owners, alike, same_bits)]
    return _components(np.concatenate(pairs), len(scans))


def join_sources(scans: Sequence[PhotoScan], most: float) -> list[int]:
    """Number the photos that come from one picture or small manifest group, from 0.

    Linked are the same file, copies that an augmentation tool named after one photo, and photos of
    a manifest group.

    Args:
        scans: The photos.
        most: Share of a class that a manifest group holds at most; a larger one is left out, as if
            it were a session.
    """
    in_class = Counter(scan.photo.label for scan in scans)
    in_group = Counter((scan.photo.group, scan.photo.label) for scan in scans)
    large = {group for (group, label), count in in_group.items() if count > most * in_class[label]}
    facts = [
        [fact for fact in of_source if fact != ("group", scan.photo.group)]
        if scan.photo.group in large
        else of_source
        for scan, of_source in zip(scans, _source_facts(scans), strict=True)
    ]
    return _components(_links_by_fact(facts), len(scans))


def describe_links(photos: Sequence[Photo], ties: Ties | None = None) -> str:
    """Describe what ties a group together, for messages: "subject anna, sessions s1 and s2"."""
    tied = ties or Ties()
    found: dict[str, Iterable[str]] = {
        name: {value for photo in photos if (value := getattr(photo, name))}
        for name in ("subject", "session", "group")
    }
    found["file name"] = {tied.people[photo.path] for photo in photos if photo.path in tied.people}
    words = []
    for name, unsorted in found.items():
        values = sorted(unsorted)
        if values:
            shown = ", ".join(values[:3]) + (f" and {len(values) - 3} more" if values[3:] else "")
            words.append(f"{name if len(values) == 1 else name + 's'} {shown}")
    if any(photo.path in tied.sessions for photo in photos):
        words.append("a session guessed from the times of its photos")
    if words:
        return "; ".join(words)
    return "near-duplicate pictures" if len(photos) > 1 else "one photo"


def _components(pairs: Links, count: int) -> list[int]:
    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), (count,) * 2)
    return _numbered(connected_components(graph, directed=False)[1].tolist())


def _links_by_fact(facts: Sequence[Sequence[Hashable]]) -> Links:
    """Chains: each photo to the last one before it that shares a fact."""
    last: dict[Hashable, int] = {}
    pairs = []
    for index, of_photo in enumerate(facts):
        for fact in of_photo:
            if fact in last:
                pairs.append((last[fact], index))
            last[fact] = index
    return np.array(pairs, np.int64).reshape(-1, 2)


def _source_facts(scans: Sequence[PhotoScan]) -> list[list[Hashable]]:
    """Return what says that photos come from one picture, for each photo."""
    photos = [scan.photo for scan in scans]
    copies = find_copies([photo.path for photo in photos], [photo.label for photo in photos])
    found: list[list[Hashable]] = []
    for scan, photo, copy in zip(scans, photos, copies, strict=True):
        facts: list[Hashable] = [("content", scan.file_scan.sha256)]
        # Of one class only: people number the photos of every class from 1.
        facts.append(("name", photo.label, copy or PurePosixPath(photo.path).stem))
        if photo.group:
            facts.append(("group", photo.group))
        found.append(facts)
    return found


def _people_facts(photo: Photo, by_session: bool, ties: Ties) -> Iterator[Hashable]:
    # Only what is known links: photos of nobody in particular are not one person.
    if photo.path in ties.sessions:
        yield "guessed session", ties.sessions[photo.path]
    if by_session:
        if session := _session_of(photo):
            yield session
        return
    if photo.path in ties.people:
        # A subject of this name in the manifest is the same person.
        yield "subject", ties.people[photo.path]
    for name in ("subject", "session"):
        if value := getattr(photo, name):
            yield name, value


def _session_of(photo: Photo) -> tuple[str, str] | None:
    """Return the session of a photo, or the subject that has no session; None without both."""
    if photo.session:
        return "session", photo.session
    return ("subject", photo.subject) if photo.subject else None


def _links_by_look(owners: Sequence[Hashable], alike: LookAlikes, same_bits: int) -> Links:
    first_of = np.array([members[0] for members in alike.members], np.int64)
    within = np.column_stack([first_of[alike.node_of], np.arange(len(owners))])
    numbers = {owner: number for number, owner in enumerate(set(owners))}
    person = np.array([_person(owners, members, numbers) for members in alike.members], np.int64)
    one, other = person[alike.first], person[alike.second]
    linked = (alike.bits <= same_bits) | (one < 0) | (other < 0) | (one == other)
    between = np.column_stack([first_of[alike.first[linked]], first_of[alike.second[linked]]])
    return np.concatenate([within, between])


def _person(
    owners: Sequence[Hashable], members: Sequence[int], numbers: Mapping[Hashable, int]
) -> int:
    """The number of the one known owner of these photos; -1 where it is not one, or unknown."""
    found = {owners[index] for index in members}
    return -1 if len(found) > 1 or None in found else numbers[found.pop()]


def _numbered(components: Sequence[int]) -> list[int]:
    numbers: dict[int, int] = {}
    return [numbers.setdefault(component, len(numbers)) for component in components]
