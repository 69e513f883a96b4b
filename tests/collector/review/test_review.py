"""What the gallery shows and where its cursor goes: pure functions, literal expectations."""

from dataclasses import replace
from pathlib import Path

import pytest

from collector.review.gallery_layout import Grid, fit_side
from collector.review.photo_list import (
    NOT_SET,
    ReviewFilter,
    ReviewList,
    ReviewOrder,
    rank_look_alikes,
)
from collector.review.trash_list import TrashList
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.edits import Edit, confirming, describing, flagging, trashing
from maskage.dataset.trash import TrashedPhoto
from maskage.records import Photo, Quality, Suggestion

OLD, YOUNG = "mask_old", "mask_young"


def photo(
    name: str,
    label: str = OLD,
    *,
    taken: int | None = 0,
    sharpness: float = 100.0,
    says: str | None = None,
    confidence: float = 0.9,
    fingerprint: int | None = None,
    subject: str | None = None,
    session: str | None = None,
    is_flagged: bool = False,
) -> Photo:
    return Photo(
        f"{label}/{name}",
        label,
        subject=subject,
        session=session,
        taken_at=None if taken is None else f"2026-01-01T00:00:{taken:02d}.000+00:00",
        quality=Quality(sharpness, 100, 0, 90),
        fingerprint=fingerprint,
        is_flagged=is_flagged,
        suggestion=Suggestion(says, confidence) if says else None,
    )


def names(shown: ReviewList) -> list[str]:
    return [p.path.partition("/")[2] for p in shown.slice(0, len(shown))]


A = photo("a", taken=1, sharpness=30, says=OLD, confidence=0.9, subject="p1", session="s1")
B = photo("b", taken=3, sharpness=10, says=YOUNG, confidence=0.5, subject="p2", session="s2")
C = photo("c", YOUNG, taken=2, sharpness=20, subject="p1", session="s3", is_flagged=True)
D = photo("d", YOUNG, taken=None, sharpness=40, says=YOUNG, confidence=0.7)
ALL = [A, B, C, D]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (ReviewOrder.NEWEST, ["b", "c", "a", "d"]),
        (ReviewOrder.LEAST_SHARP, ["b", "c", "a", "d"]),
        (ReviewOrder.LEAST_CERTAIN, ["b", "d", "a", "c"]),
    ],
)
def test_orders(order: ReviewOrder, expected: list[str]) -> None:
    assert names(ReviewList(ALL, ReviewFilter(), order)) == expected


def test_the_most_harmful_label_comes_first_and_what_has_no_cost_last() -> None:
    dear, cheap = (
        replace(one, check=Suggestion(YOUNG, 0.6, "age? seems young", cost))
        for one, cost in ((A, 0.25), (D, 0.125))
    )
    dear, cheap = replace(dear, label=OLD), replace(cheap, label=OLD)
    shown = ReviewList([C, cheap, dear], ReviewFilter(), ReviewOrder.MOST_HARMFUL)
    assert names(shown) == ["a", "d", "c"]
    assert shown.expected_wrong == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (ReviewFilter(), ["b", "c", "a", "d"]),
        (ReviewFilter(label=YOUNG), ["c", "d"]),
        (ReviewFilter(subject="p1"), ["c", "a"]),
        (ReviewFilter(session="s2"), ["b"]),
        (ReviewFilter(only_flagged=True), ["c"]),
        (ReviewFilter(only_disputed=True), ["b"]),
        (ReviewFilter(label=YOUNG, subject="p2"), []),
    ],
)
def test_filters(chosen: ReviewFilter, expected: list[str]) -> None:
    assert names(ReviewList(ALL, chosen, ReviewOrder.NEWEST)) == expected


def test_a_filter_names_itself() -> None:
    assert ReviewFilter().describe(MASK_AGE) == "all photos"
    assert (
        ReviewFilter(OLD, "p1", "s1", True, True).describe(MASK_AGE)
        == "mask, old · of p1 · session s1 · flagged · suggestion disagrees"
    )


def test_look_alikes_stand_together_the_largest_group_and_its_sharpest_first() -> None:
    photos = [
        photo("single", fingerprint=0xFF << 40),
        photo("pair1", sharpness=5, fingerprint=(1 << 64) - 1),
        photo("three1", sharpness=1, fingerprint=0),
        photo("unknown", fingerprint=None),
        photo("pair2", sharpness=9, fingerprint=(1 << 64) - 4),
        photo("three2", sharpness=3, fingerprint=0b11),
        # Six bits from the first of them, but two from the second: a chain.
        photo("three3", sharpness=2, fingerprint=0b111111),
    ]
    shown = ReviewList(photos, ReviewFilter(), ReviewOrder.LOOK_ALIKES)
    assert names(shown) == ["three2", "three3", "three1", "pair2", "pair1", "single", "unknown"]
    assert rank_look_alikes([]) == {}


def test_relabelled_photos_stay_in_place_or_leave_with_the_filter() -> None:
    moved = Edit(C, photo("c", OLD, taken=2))
    everything = ReviewList(ALL, ReviewFilter(), ReviewOrder.NEWEST)
    assert everything.follow([moved], cursor=2) == 2
    assert names(everything) == ["b", "c", "a", "d"]
    assert everything[1].label == OLD
    young = ReviewList(ALL, ReviewFilter(label=YOUNG), ReviewOrder.NEWEST)
    # The cursor has gone on to "d", and stays on it.
    assert young.follow([moved], cursor=1) == 0
    assert names(young) == ["d"]


def test_what_comes_back_comes_back_to_its_place() -> None:
    shown = ReviewList(ALL, ReviewFilter(), ReviewOrder.NEWEST)
    assert shown.follow([trashing(C), trashing(B)], cursor=2) == 0
    assert names(shown) == ["a", "d"]
    assert shown.follow([trashing(B).inverse, trashing(C).inverse], cursor=0) == 2
    assert names(shown) == ["b", "c", "a", "d"]


def test_a_photo_that_meets_the_filter_again_appears() -> None:
    shown = ReviewList([A, B], ReviewFilter(only_flagged=True), ReviewOrder.NEWEST)
    assert len(shown) == 0
    shown.follow([flagging(A, is_flagged=True)], cursor=0)
    assert names(shown) == ["a"]
    shown.follow([flagging(A, is_flagged=True).inverse], cursor=0)
    assert names(shown) == []


def test_the_cursor_ends_on_the_last_photo_when_the_last_is_trashed() -> None:
    shown = ReviewList(ALL, ReviewFilter(), ReviewOrder.NEWEST)
    assert shown.follow([trashing(D)], cursor=3) == 2


def test_a_grid_counts_its_tiles() -> None:
    grid = Grid(columns=83, rows=33, side=18)
    assert (grid.across, grid.down, grid.shown) == (4, 3, 12)
    assert (grid.tile_columns, grid.tile_rows) == (19, 10)
    assert Grid(5, 2, 18).shown == 1


@pytest.mark.parametrize(
    ("size", "wanted", "side"),
    [
        (
            (
                83,
                33,
            ),
            18,
            20,
        ),
        ((76, 33), 18, 18),
        ((83, 30), 18, 19),
        ((10, 5), 18, 10),
    ],
)
def test_tiles_fill_the_width_and_lose_no_line(
    size: tuple[int, int], wanted: int, side: int
) -> None:
    assert fit_side(*size, wanted) == side


@pytest.mark.parametrize(
    ("cursor", "columns", "rows", "expected"),
    [
        (0, 1, 0, 1),
        (0, -1, 0, 0),
        (3, 1, 0, 4),
        (9, 1, 0, 9),
        (1, 0, 1, 5),
        (5, 0, -1, 1),
        (1, 0, -1, 1),
        # The last line has two tiles: from the third column down goes to the last of them.
        (6, 0, 1, 9),
        (9, 0, 1, 9),
        (0, 0, 7, 9),
    ],
)
def test_steps(cursor: int, columns: int, rows: int, expected: int) -> None:
    assert Grid(83, 33, 18).step(cursor, 10, columns, rows) == expected


def test_a_step_in_an_empty_gallery_stays() -> None:
    assert Grid(83, 33, 18).step(0, 0, 1, 0) == 0


@pytest.mark.parametrize(("first", "cursor", "expected"), [(0, 11, 0), (0, 12, 4), (8, 3, 0)])
def test_the_gallery_scrolls_as_little_as_it_must(first: int, cursor: int, expected: int) -> None:
    assert Grid(83, 33, 18).scroll_to(first, cursor) == expected


def test_each_fact_is_a_filter_and_so_is_its_absence() -> None:
    grouped = replace(A, group="g1", origin="test")
    shown = [grouped, B, D]
    assert names(ReviewList(shown, ReviewFilter(group="g1"), ReviewOrder.NEWEST)) == ["a"]
    assert names(ReviewList(shown, ReviewFilter(origin="test"), ReviewOrder.NEWEST)) == ["a"]
    assert names(ReviewList(shown, ReviewFilter(group=NOT_SET), ReviewOrder.NEWEST)) == ["b", "d"]
    assert names(ReviewList(shown, ReviewFilter(subject=NOT_SET), ReviewOrder.NEWEST)) == ["d"]
    words = ReviewFilter(subject=NOT_SET, group="g1", origin=NOT_SET).describe(MASK_AGE)
    assert words == "no subject · group g1 · no origin"


def test_a_photo_leaves_and_joins_a_filter_as_its_facts_change() -> None:
    shown = ReviewList(ALL, ReviewFilter(subject=NOT_SET), ReviewOrder.NEWEST)
    named = describing(D, subject="p9")
    shown.follow([named], 0)
    assert names(shown) == []
    shown.follow([named.inverse], 0)
    assert names(shown) == ["d"]
    disputed = ReviewList(ALL, ReviewFilter(only_disputed=True), ReviewOrder.NEWEST)
    assert names(disputed) == ["b"]
    disputed.follow([confirming(B)], 0)
    assert names(disputed) == []


def test_the_trash_is_listed_as_it_was_given() -> None:
    trashed = [TrashedPhoto(photo, time, Path("x")) for photo, time in ((B, "2026"), (A, None))]
    shown = TrashList(trashed)
    assert [len(shown), shown[1], shown.slice(-1, 1)] == [2, A, [B]]
    assert [shown.find(A.path), shown.find("gone")] == [1, None]
    assert [shown.removed_at(B.path), shown.removed_at(A.path)] == ["2026", None]
    assert shown.trashed([A, C]) == [trashed[1]]
    assert len(TrashList()) == 0
