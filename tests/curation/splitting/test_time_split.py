"""Splits by time and by session: what holds of every one of them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.grouping.groups import group_photos, join_sources
from curation.grouping.guessed_sessions import read_time
from curation.grouping.look_alikes import find_look_alikes
from curation.settings import DEFAULT_RATIO, Shares
from curation.splitting.time_split import (
    Placement,
    assign_by_time,
    cut_times,
    natural_key,
)
from maskage.dataset.photo_scan import FileScan, PhotoScan
from maskage.formats.curated.curated_set import SPLITS
from maskage.pictures.perceptual_hash import GROUP_BITS
from maskage.records import Photo, Quality

LABELS = ("smile", "frown", "other")
START = datetime(2026, 11, 27, 9, tzinfo=UTC)
TENTHS = Quality(60.0, 120.0, 0.0, 0)


@dataclass(frozen=True)
class Shot:
    """One drawn photo: its class, session and time, and a hash near one of a few."""

    label: str
    session: str | None
    subject: str | None
    tenths: int | None
    center: int
    flips: tuple[int, ...]
    group: str | None


def draw_shots(seed: int) -> list[Shot]:
    """Draw a dense dataset: in a short one, no two classes of a session meet in time."""
    chance = random.Random(seed)
    times = [chance.randint(0, 900) if chance.random() < 0.8 else None for _ in range(50)]
    return [
        Shot(
            chance.choice(LABELS),
            chance.choice([None, "s1", "s2"]),
            chance.choice([None, "anna"]),
            tenths,
            chance.randint(0, 40),
            tuple(chance.sample(range(64), chance.randint(0, 3))),
            chance.choice([None, None, None, None, "g1", "g2"]),
        )
        for tenths in times
    ]


SHOTS = st.integers(0, 1_000_000).map(draw_shots)
SHARES = st.sampled_from([DEFAULT_RATIO, (0.5, 0.25, 0.25), (0.9, 0.1)])
GAPS = st.sampled_from([0.0, 0.5, 2.0, 10.0])
RADII = st.sampled_from([0, 4, 8])


def scan_of(path: str, shot: Shot) -> PhotoScan:
    phash = random.Random(shot.center).getrandbits(64)
    mirror = random.Random(1000 + shot.center).getrandbits(64)
    for bit in shot.flips:
        phash, mirror = phash ^ 1 << bit, mirror ^ 1 << (bit * 7 % 64)
    taken = None if shot.tenths is None else START + timedelta(seconds=shot.tenths / 10)
    photo = Photo(
        path,
        shot.label,
        subject=shot.subject,
        session=shot.session,
        group=shot.group,
        taken_at=None if taken is None else taken.isoformat(timespec="milliseconds"),
    )
    return PhotoScan(photo, FileScan(path, phash, mirror, TENTHS, 200, 200))


def scans_of(shots: Sequence[Shot]) -> list[PhotoScan]:
    scans = [scan_of(f"{shot.label}/{k:03d}.jpg", shot) for k, shot in enumerate(shots)]
    return sorted(scans, key=lambda scan: scan.path)


def place(scans: Sequence[PhotoScan], shares: Shares, gap_s: float, radius: int) -> Placement:
    return assign_by_time(scans, find_look_alikes(scans, radius), shares, gap_s)


def bits_between(one: PhotoScan, other: PhotoScan) -> int:
    pairs = (
        (one.file_scan.phash, other.file_scan.phash),
        (one.file_scan.phash, other.file_scan.mirror),
        (one.file_scan.mirror, other.file_scan.phash),
    )
    return min((a ^ b).bit_count() for a, b in pairs)


@settings(deadline=None, max_examples=120)
@given(SHOTS, SHARES, GAPS, RADII)
def test_the_gap_is_kept_in_every_session_and_no_look_alikes_or_sources_straddle(
    shots: list[Shot], shares: Shares, gap_s: float, radius: int
) -> None:
    scans = scans_of(shots)
    placement = place(scans, shares, gap_s, radius)
    assert all(
        (split in SPLITS[: len(shares)]) != bool(reason)
        for split, reason in zip(placement.splits, placement.reasons, strict=True)
    )
    assert all(reason.startswith("between splits: ") for reason in placement.reasons if reason)
    sources = join_sources(scans, min(shares))
    for one, other in combinations(range(len(scans)), 2):
        sides = {placement.splits[one], placement.splits[other]}
        if len(sides) < 2 or "" in sides:
            continue
        assert bits_between(scans[one], scans[other]) > radius
        assert sources[one] != sources[other]
        mine, theirs = scans[one].photo, scans[other].photo
        times = read_time(mine), read_time(theirs)
        is_session = mine.session == theirs.session and (
            mine.session is not None or mine.subject == theirs.subject
        )
        if is_session and times[0] is not None and times[1] is not None:
            assert abs(times[0] - times[1]) >= gap_s - 1e-6


@settings(deadline=None, max_examples=60)
@given(SHOTS, SHARES, GAPS, RADII)
def test_each_class_of_a_session_is_cut_into_parts_that_follow_each_other(
    shots: list[Shot], shares: Shares, gap_s: float, radius: int
) -> None:
    scans = scans_of(shots)
    placement = place(scans, shares, gap_s, radius)
    for one, other in combinations(range(len(scans)), 2):
        mine, theirs = scans[one].photo, scans[other].photo
        early, late = read_time(mine), read_time(theirs)
        owners = [(p.label, p.session, p.session or p.subject) for p in (mine, theirs)]
        places = [SPLITS.index(s) for k in (one, other) if (s := placement.splits[k])]
        if early is None or late is None or owners[0] != owners[1] or len(set(places)) < 2:
            continue
        assert (early <= late) if places[0] < places[1] else (early >= late)
    assert place(scans, shares, gap_s, radius) == placement


@pytest.mark.parametrize(
    ("times", "shares", "gap_s", "expected"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], DEFAULT_RATIO, 0, [0] * 8 + [1, 2]),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], DEFAULT_RATIO, 2, [0] * 6 + [-1, 1, -1, 2]),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], (0.9, 0.1), 2, [0] * 8 + [-1, 1]),
        ([0, 0, 0, 0], DEFAULT_RATIO, 1, [0] * 4),
        ([0, 5], DEFAULT_RATIO, 0, [0, 0]),
        ([0, 50, 100], DEFAULT_RATIO, 10, [0, 1, 2]),
        ([], DEFAULT_RATIO, 1, []),
    ],
)
def test_a_row_is_cut_at_its_shares_with_gaps(
    times: list[float], shares: Shares, gap_s: float, expected: list[int]
) -> None:
    assert cut_times(np.array(times, np.float64), shares, gap_s) == expected


def test_names_are_in_the_order_of_their_numbers_where_no_time_is_known() -> None:
    assert sorted(["a10", "a9", "a1"], key=natural_key) == ["a1", "a9", "a10"]
    shots = [Shot("smile", "s1", None, None, k, (), None) for k in range(20)]
    scans = [scan_of(f"smile/frame{k}.jpg", shot) for k, shot in enumerate(shots)]
    placement = place(sorted(scans, key=lambda scan: scan.path), DEFAULT_RATIO, 0, 0)
    found = dict(zip(sorted(scan.path for scan in scans), placement.splits, strict=True))
    assert [found[f"smile/frame{k}.jpg"] for k in range(20)] == (
        ["train"] * 16 + ["val"] * 2 + ["test"] * 2
    )


def test_a_time_that_is_none_is_unknown() -> None:
    assert read_time(Photo("a/b.jpg", "a", taken_at="yesterday")) is None
    assert read_time(Photo("a/b.jpg", "a")) is None
    assert read_time(Photo("a/b.jpg", "a", taken_at="1970-01-01T00:00:02.500+00:00")) == 2.5


def test_of_look_alikes_on_both_sides_as_few_as_possible_go() -> None:
    # The last photo looks like all of train: it goes, and not they.
    shots = [Shot("smile", "s1", None, 50 * k, 0, (k, k + 20), None) for k in range(8)]
    shots += [Shot("smile", "s1", None, 50 * k, k, (), None) for k in (8, 9, 10)]
    shots += [Shot("smile", "s1", None, 50 * 11, 0, (), None)]
    scans = scans_of(shots)
    placement = place(scans, (0.7, 0.1, 0.2), 2.0, 4)
    assert placement.splits == ["train"] * 8 + ["val"] + ["test"] * 2 + [""]
    assert placement.reasons[-1] == "between splits: 2 bits from smile/000.jpg, in train"


@settings(deadline=None, max_examples=80)
@given(SHOTS, RADII)
def test_by_session_no_session_straddles_and_a_person_may(shots: list[Shot], radius: int) -> None:
    scans = scans_of(shots)
    alike = find_look_alikes(scans, max(GROUP_BITS, radius))
    numbers = group_photos(scans, alike, radius, by_session=True)
    for one, other in combinations(range(len(scans)), 2):
        mine, theirs = scans[one].photo, scans[other].photo
        is_tied = (
            (mine.session is not None and mine.session == theirs.session)
            or (mine.group is not None and mine.group == theirs.group)
            or (
                mine.session is None
                and theirs.session is None
                and mine.subject is not None
                and mine.subject == theirs.subject
            )
            or bits_between(scans[one], scans[other]) <= radius
        )
        if is_tied:
            assert numbers[one] == numbers[other]


def test_a_manifest_group_of_a_whole_class_is_cut_and_a_small_one_stays_whole() -> None:
    shots = [Shot("smile", None, None, 50 * k, k, (), "all") for k in range(20)]
    placement = place(scans_of(shots), DEFAULT_RATIO, 2.0, 4)
    assert set(placement.splits) == set(SPLITS)
    apart = [replace(shot, group=f"picture {k}") for k, shot in enumerate(shots)]
    assert place(scans_of(apart), DEFAULT_RATIO, 2.0, 4).splits == placement.splits
    pair = [replace(shot, group=f"pair {k // 2}", session="s1") for k, shot in enumerate(shots)]
    placement = place(scans_of(pair), (0.55, 0.25, 0.2), 2.0, 4)
    sides = [set(placement.splits[k : k + 2]) for k in range(0, 20, 2)]
    assert {"train", "test"} not in sides
    assert sides.count({"val", ""}) + sides.count({"train", ""}) == 1


def test_by_session_look_alikes_of_two_sessions_are_apart_and_of_unknown_ones_together() -> None:
    near = (1, 2, 3, 4, 5, 6)
    for session, subject, count in (("s2", "anna", 2), (None, "anna", 2), (None, None, 1)):
        shots = [
            Shot("smile", "s1", "anna", 0, 0, (), None),
            Shot("smile", session, subject, 0, 0, near, None),
        ]
        scans = scans_of(shots)
        alike = find_look_alikes(scans, GROUP_BITS)
        assert len(set(group_photos(scans, alike, by_session=True))) == count


def test_two_sessions_of_a_person_are_two_groups_by_session_and_one_otherwise() -> None:
    shots = [Shot("smile", f"s{k % 2}", "anna", 10 * k, k, (), None) for k in range(6)]
    scans = scans_of(shots)
    alike = find_look_alikes(scans, GROUP_BITS)
    assert len(set(group_photos(scans, alike))) == 1
    assert len(set(group_photos(scans, alike, by_session=True))) == 2
