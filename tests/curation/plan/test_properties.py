"""Whole plans of random datasets: what holds of every one of them.

The datasets are drawn as looks at photos, so that no picture is drawn, hashed or written.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from curation.build.verify import find_leaks
from curation.grouping.duplicates import find_duplicates, rank_key
from curation.grouping.groups import group_photos
from curation.grouping.look_alikes import find_look_alikes
from curation.plan.balance import choose_drops, plan_variants
from curation.plan.plan import PlannedPhoto
from curation.settings import AUGMENT, DEFAULT_RATIO, CurationSettings
from curation.splitting.split import assign_groups
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.photo_scan import FileScan, PhotoScan
from maskage.formats.curated.curated_set import SPLITS
from maskage.pictures.perceptual_hash import GROUP_BITS
from maskage.records import Photo, Quality

LONERS = 4
"""Photos of each class that nothing ties to others: with them there is always a split."""


@dataclass(frozen=True)
class Pose:
    """One drawn photo: near one of a few hashes, perhaps mirrored, perhaps of a known person."""

    label: str
    center: int
    flips: tuple[int, ...]
    is_mirrored: bool
    subject: str | None
    session: str | None
    sharpness: int
    is_copy: bool


POSES = st.lists(
    st.builds(
        Pose,
        label=st.sampled_from(MASK_AGE.labels),
        center=st.integers(0, 5),
        flips=st.lists(st.integers(0, 63), max_size=4).map(tuple),
        is_mirrored=st.booleans(),
        subject=st.sampled_from([None, None, "anna", "bert", "cleo"]),
        session=st.sampled_from([None, None, None, "s1", "s2"]),
        sharpness=st.integers(60, 64),
        is_copy=st.booleans(),
    ),
    max_size=28,
)
RADII = st.integers(0, 12)
SEEDS = st.integers(0, 3)
CHANCE = st.randoms(use_true_random=False)


def hash_of(number: int) -> int:
    return random.Random(number).getrandbits(64)


def scan_of(path: str, pose: Pose) -> PhotoScan:
    one, other = hash_of(2 * pose.center), hash_of(2 * pose.center + 1)
    phash, mirror = (other, one) if pose.is_mirrored else (one, other)
    for bit in pose.flips:
        # What changes a picture changes its mirror image, though not in the same bits.
        phash, mirror = phash ^ 1 << bit, mirror ^ 1 << (bit * 7 % 64)
    facts = (pose.center, pose.flips, pose.is_mirrored)
    digest = str(facts) if pose.is_copy else path
    quality = Quality(float(pose.sharpness), 120.0, 0.0, 0)
    photo = Photo(path, pose.label, subject=pose.subject, session=pose.session)
    return PhotoScan(photo, FileScan(digest, phash, mirror, quality, 200, 200))


def scans_of(poses: Sequence[Pose]) -> list[PhotoScan]:
    """The drawn photos and the loners, sorted by path."""
    scans = [scan_of(f"{p.label}/{k:03d}.jpg", p) for k, p in enumerate(poses)]
    for number in range(LONERS * len(MASK_AGE)):
        label = MASK_AGE.labels[number % len(MASK_AGE)]
        pose = Pose(label, 100 + number, (), False, None, None, 70, False)
        scans.append(scan_of(f"{label}/loner {number:03d}.jpg", pose))
    return sorted(scans, key=lambda scan: scan.path)


def bits_between(one: PhotoScan, other: PhotoScan) -> int:
    """In how many bits two pictures differ, or one and the other's mirror image."""
    pairs = (
        (one.file_scan.phash, other.file_scan.phash),
        (one.file_scan.phash, other.file_scan.mirror),
        (one.file_scan.mirror, other.file_scan.phash),
    )
    return min((a ^ b).bit_count() for a, b in pairs)


def group_of(scans: Sequence[PhotoScan], radius: int) -> dict[str, int]:
    alike = find_look_alikes(scans, max(GROUP_BITS, radius))
    numbers = group_photos(scans, alike, radius)
    return {scan.path: number for scan, number in zip(scans, numbers, strict=True)}


def leaders_of(
    scans: Sequence[PhotoScan], groups: Mapping[str, int], radius: int
) -> dict[str, str]:
    """Of each photo that goes as a near-duplicate, the one that stays in its place."""
    numbers = [groups[scan.path] for scan in scans]
    found = find_duplicates(scans, numbers, find_look_alikes(scans, radius))
    return {scans[one.index].path: scans[one.leader].path for one in found}


def plan_of(
    scans: Sequence[PhotoScan], radius: int, seed: int, *, dedupe: bool
) -> list[PlannedPhoto]:
    """Group, dedupe and split, as `curation.plan.planning` does; the photos that stay."""
    groups = group_of(scans, radius)
    gone = leaders_of(scans, groups, radius) if dedupe else {}
    usable = [scan for scan in scans if scan.path not in gone]
    numbers = [groups[scan.path] for scan in usable]
    splits = assign_groups(
        [scan.photo for scan in usable], numbers, MASK_AGE.labels, DEFAULT_RATIO, seed
    )
    return [
        PlannedPhoto(
            scan.path,
            scan.photo.label,
            kept=True,
            group=f"g{number:03d}",
            split=split,
            subject=scan.photo.subject,
            file_scan=scan.file_scan,
        )
        for scan, number, split in zip(usable, numbers, splits, strict=True)
    ]


def partition_of(groups: Mapping[str, int]) -> set[frozenset[str]]:
    """Groups without their numbers."""
    members: dict[int, set[str]] = {}
    for path, number in groups.items():
        members.setdefault(number, set()).add(path)
    return set(map(frozenset, members.values()))


@settings(deadline=None, max_examples=60)
@given(POSES, RADII, SEEDS, st.booleans())
def test_no_pair_within_the_radius_and_no_known_tie_is_in_two_splits(
    poses: list[Pose], radius: int, seed: int, dedupe: bool
) -> None:
    scans = scans_of(poses)
    planned = plan_of(scans, radius, seed, dedupe=dedupe)
    split_of = {photo.path: photo.split for photo in planned}
    assert len(split_of) == len(planned)
    assert set(split_of.values()) == set(SPLITS)
    counts = Counter((photo.split, photo.label) for photo in planned)
    assert all(counts[split, label] for split in SPLITS for label in MASK_AGE.labels)
    stay = [scan for scan in scans if scan.path in split_of]
    group_of_path = {photo.path: photo.group for photo in planned}
    apart, leaks = [], []
    for one, other in combinations(stay, 2):
        is_tied = bits_between(one, other) <= radius or any(
            (mine := getattr(one.photo, name)) is not None and mine == getattr(other.photo, name)
            for name in ("subject", "session")
        )
        if is_tied or one.file_scan.sha256 == other.file_scan.sha256:
            pair = one.path, other.path
            apart += [pair] if group_of_path[pair[0]] != group_of_path[pair[1]] else []
            leaks += [pair] if split_of[pair[0]] != split_of[pair[1]] else []
    assert apart == []
    assert leaks == []
    assert find_leaks(planned, radius) == []


@settings(deadline=None, max_examples=60)
@given(POSES, RADII, CHANCE)
def test_the_look_for_leaks_finds_every_pair_that_a_slow_one_does(
    poses: list[Pose], radius: int, chance: random.Random
) -> None:
    scans = scans_of(poses)
    scattered = [
        PlannedPhoto(
            s.path, s.photo.label, kept=True, split=chance.choice(SPLITS), file_scan=s.file_scan
        )
        for s in scans
    ]
    expected = {
        frozenset((one.path, other.path))
        for (one, mine), (other, theirs) in combinations(zip(scans, scattered, strict=True), 2)
        if mine.split != theirs.split and bits_between(one, other) <= radius
    }
    found = find_leaks(scattered, radius)
    assert {frozenset((one.path, other.path)) for one, other in found} == expected
    assert len(found) == len(expected)


@settings(deadline=None, max_examples=60)
@given(POSES, RADII, SEEDS, st.booleans(), CHANCE)
def test_a_plan_does_not_depend_on_the_order_of_the_photos(
    poses: list[Pose], radius: int, seed: int, dedupe: bool, chance: random.Random
) -> None:
    scans = scans_of(poses)
    shuffled = chance.sample(scans, len(scans))
    groups, again = group_of(scans, radius), group_of(shuffled, radius)
    assert partition_of(groups) == partition_of(again)
    assert leaders_of(scans, groups, radius) == leaders_of(shuffled, again, radius)
    splits = [
        {photo.path: photo.split for photo in plan_of(order, radius, seed, dedupe=dedupe)}
        for order in (scans, shuffled)
    ]
    assert splits[0] == splits[1]


@settings(deadline=None, max_examples=80)
@given(POSES, RADII)
def test_of_every_neighbourhood_in_a_class_and_group_the_best_stays_and_no_two_that_are_alike(
    poses: list[Pose], radius: int
) -> None:
    scans = scans_of(poses)
    groups = group_of(scans, radius)
    leader_of = leaders_of(scans, groups, radius)
    by_path = {scan.path: scan for scan in scans}

    def are_twins(one: PhotoScan, other: PhotoScan) -> bool:
        people = {one.photo.subject, other.photo.subject}
        is_near = bits_between(one, other) <= radius
        is_one_kind = one.photo.label == other.photo.label
        is_one_person = None in people or len(people) == 1
        return is_near and is_one_kind and is_one_person and groups[one.path] == groups[other.path]

    for path, leader in leader_of.items():
        assert leader not in leader_of
        assert are_twins(by_path[path], by_path[leader])
        assert rank_key(by_path[leader]) < rank_key(by_path[path])
    stay = [scan for scan in scans if scan.path not in leader_of]
    assert not any(are_twins(one, other) for one, other in combinations(stay, 2))
    everywhere = {(scan.photo.label, groups[scan.path]) for scan in scans}
    assert {(scan.photo.label, groups[scan.path]) for scan in stay} == everywhere


@settings(deadline=None, max_examples=60)
@given(POSES, SEEDS, CHANCE)
def test_thinning_out_takes_from_train_alone_and_the_last_of_no_group_before_others_have_one(
    poses: list[Pose], seed: int, chance: random.Random
) -> None:
    planned = plan_of(scans_of(poses), 4, seed, dedupe=False)
    order = chance.sample(planned, len(planned))
    rank = {photo.path: place for place, photo in enumerate(order)}
    drops = choose_drops(planned, MASK_AGE.labels, rank)
    assert choose_drops(order, MASK_AGE.labels, rank) == drops
    gone = {photo.path for photo in drops}
    assert all(photo.split == "train" for photo in drops)
    train = [photo for photo in planned if photo.split == "train"]
    smallest = min(Counter(photo.label for photo in train).values())
    for label in MASK_AGE.labels:
        before = Counter(photo.group for photo in train if photo.label == label)
        after = Counter(
            photo.group for photo in train if photo.label == label and photo.path not in gone
        )
        assert sum(after.values()) == smallest > 0
        # Whoever lost photos has as many as anybody, or one fewer for the round that was cut.
        losers = [after[group] for group in before if after[group] < before[group]]
        assert all(max(after.values()) - count <= 1 for count in losers)


@settings(deadline=None, max_examples=60)
@given(
    POSES,
    SEEDS,
    st.sampled_from([None, AUGMENT]),
    st.one_of(st.none(), st.integers(1, 60)),
    st.integers(1, 6),
    CHANCE,
)
def test_variants_are_of_train_and_shared_out_evenly_under_names_of_their_own(
    poses: list[Pose],
    seed: int,
    balance: str | None,
    expand: int | None,
    most: int,
    chance: random.Random,
) -> None:
    planned = plan_of(scans_of(poses), 4, seed, dedupe=False)
    # Names that a variant would take are taken already, in another case too.
    planned[0] = replace(planned[0], path=planned[0].path.replace(".jpg", "__AUG1.JPG"))
    wishes = CurationSettings(balance=balance, expand=expand, max_variants=most, seed=seed)
    variants = plan_variants(planned, MASK_AGE.labels, wishes)
    assert plan_variants(chance.sample(planned, len(planned)), MASK_AGE.labels, wishes) == variants
    names = [photo.path.casefold() for photo in (*planned, *variants)]
    assert len(set(names)) == len(names)
    by_path = {photo.path: photo for photo in planned}
    made = Counter(variant.parent for variant in variants)
    for variant in variants:
        parent = by_path[variant.parent or ""]
        assert parent.split == variant.split == "train"
        assert parent.kept
        assert variant.kept
        assert (variant.label, variant.group) == (parent.label, parent.group)
    train = [photo for photo in planned if photo.split == "train"]
    largest = max(Counter(photo.label for photo in train).values())
    wanted = max(expand or 0, largest if balance else 0)
    for label in MASK_AGE.labels:
        of_label = [photo for photo in train if photo.label == label]
        counts = [made[photo.path] for photo in of_label]
        assert max(counts) - min(counts) <= 1
        assert sum(counts) == max(0, min(wanted - len(of_label), most * len(of_label)))
