"""Duplicates: photos that show the same picture, and the decision which of them stays.

Removing follows a leader rule: the best photo stays, its direct neighbours go, and so on. Connected
components would chain: a head turn of 200 frames became one component whose ends differ by 38 bits.
Photos of different classes are never compared for removal: pHash cannot see the class (a masked and
an unmasked crop of one pose are often within 2 bits). Source: DESIGN.md, Curation's measured facts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.checks import find_flaws
from curation.grouping.look_alikes import LookAlikes
from curation.limits import CheckLimits
from maskage.dataset.photo_scan import PhotoScan


@dataclass(frozen=True)
class Duplicate:
    """A photo that shows what another shows.

    Attributes:
        index: Index of the photo that goes.
        leader: Index of the photo that stays.
        bits: In how many bits of the pHash they differ.
        is_copy: The files are the same, byte for byte.
        is_mirrored: One shows the other's mirror image.
    """

    index: int
    leader: int
    bits: int
    is_copy: bool
    is_mirrored: bool = False


def find_duplicates(
    scans: Sequence[PhotoScan],
    groups: Sequence[int],
    alike: LookAlikes,
    limits: CheckLimits | None = None,
) -> list[Duplicate]:
    """Decide which photos go because a better one of their class and group shows the same.

    Args:
        scans: The usable photos.
        groups: Group number of each (see `curation.grouping.groups`).
        alike: Which of them are near enough to be the same picture.
        limits: Limits of the flaws that make a photo worse (see `rank_key`).

    Returns:
        The photos that go, sorted by index. Every one of them looks like its leader, and no two
        photos that stay look alike in one class, group and subject.
    """
    leader_of: dict[int, Duplicate] = {}
    stays = np.zeros(len(scans), bool)
    for leader in sorted(range(len(scans)), key=lambda i: rank_key(scans[i], limits)):
        if leader in leader_of:
            continue
        stays[leader] = True
        for near in alike.neighbours(leader):
            settled = stays[near.index] or near.index in leader_of
            if not settled and _is_comparable(scans, groups, near.index, leader):
                is_copy = scans[near.index].file_scan.sha256 == scans[leader].file_scan.sha256
                leader_of[near.index] = Duplicate(
                    near.index, leader, near.bits, is_copy, near.is_mirrored
                )
    return [leader_of[index] for index in sorted(leader_of)]


def rank_key(scan: PhotoScan, limits: CheckLimits | None = None) -> tuple[int, float, int, str]:
    """Sort key, the best photo first: fewest flaws, sharp and well exposed, large face, name."""
    quality = scan.file_scan.quality
    sharp = quality.sharpness * (1 - quality.clipped)
    flaws = find_flaws(scan.file_scan, limits or CheckLimits())
    return len(flaws), -sharp, -quality.face_px, scan.path


def _is_comparable(
    scans: Sequence[PhotoScan], groups: Sequence[int], index: int, leader: int
) -> bool:
    one, other = scans[index].photo, scans[leader].photo
    # Two people whom the manifest knows apart are two, however alike the shots of them.
    is_one_person = None in (one.subject, other.subject) or one.subject == other.subject
    return one.label == other.label and groups[index] == groups[leader] and is_one_person
