"""Sessions guessed from times, copies by name, and who is named."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from curation.caveats import KnownPeople
from curation.grouping.guessed_sessions import guess_sessions
from curation.grouping.ties import count_known, find_ties
from curation.settings import CurationSettings
from maskage.dataset.naming.copies import find_copies
from maskage.errors import UsageError
from maskage.records import Photo

START = datetime(2024, 5, 6, 8, tzinfo=UTC)


def taken(*seconds: float) -> list[Photo]:
    """Photos at these times among many others of their class that have none."""
    others = [Photo(f"mask_old/x{n}.jpg", "mask_old") for n in range(100)]
    return [
        Photo(f"mask_old/{n}.jpg", "mask_old", taken_at=(START + timedelta(seconds=at)).isoformat())
        for n, at in enumerate(seconds)
    ] + others


def guessed(photos: Sequence[Photo]) -> list[int | None]:
    return guess_sessions(photos, 1800)[: len(photos) - 100]


def test_a_gap_begins_another_session() -> None:
    assert guessed(taken(0, 20, 50, 9000, 9010, 9030, 5)) == [0, 0, 0, 1, 1, 1, 0]


def test_photos_that_chance_brought_together_are_no_session() -> None:
    assert guessed(taken(0, 20)) == [None, None]
    assert guessed(taken(0, 900, 2000, 3200, 4500)) == [None] * 5


def test_photos_with_one_time_have_it_from_a_program() -> None:
    assert guessed(taken(*[60.0] * 8, 61, 62)) == [None] * 10


def test_a_burst_that_is_a_large_part_of_a_class_is_not_tied() -> None:
    assert guessed(taken(*range(0, 400, 10))) == [None] * 40
    assert guess_sessions([], 1800) == []


@pytest.mark.parametrize(
    ("names", "copies"),
    [
        (["face_crop_0001", "face_crop_0002", "face_dark_2"], [None] * 3),
        (["mask_old_crop_1", "mask_old_blur_7"], [None] * 2),
        (["train_crop_1", "batch1_dark_2", "batch1_blur_2"], [None] * 3),
        (["anna", "anna_flip", "anna_dark_2"], [None, "anna", "anna"]),
        (["img12_flip", "img12_rot90"], ["img12", "img12"]),
        (
            ["img1_aug_0", "img1_aug_1", "img2_aug_0", "img3_aug_0"],
            ["img1", "img1", "img2", "img3"],
        ),
        (["img1_aug_0", "img2_aug_0"], [None, None]),
        (["face", "face_flip"], [None, "face"]),
        (["face", *(f"face_crop_{n}" for n in range(40))], [None] * 41),
        (["x__aug1", f"y_jpg.rf.{'0a' * 16}"], ["x", "y"]),
    ],
)
def test_marks_tie_the_copies_of_one_photo_only(names: list[str], copies: list[str | None]) -> None:
    paths = [f"mask_old/{name}.jpg" for name in names]
    assert find_copies(paths, ["mask_old"] * len(paths)) == copies


def test_names_that_contradict_known_subjects_name_nobody() -> None:
    photos = [
        Photo(f"{label}/{who}_{n}.jpg", label, subject=f"{who}{n}" if is_known else None)
        for label in ("mask", "bare")
        for who in ("anna", "bert", "carla", "dirk")
        for n in range(4)
        for is_known in [label == "mask"]
    ]
    assert find_ties(photos, CurationSettings()).names is None
    unknown = [Photo(photo.path, photo.label) for photo in photos]
    assert find_ties(unknown, CurationSettings()).people["mask/anna_0.jpg"] == "anna"


def test_photos_are_counted_by_what_they_say() -> None:
    photos = [
        Photo("a/1.jpg", "a", subject="anna", session="s"),
        Photo("a/2.jpg", "a", session="s"),
        Photo("a/3.jpg", "a", group="g"),
        Photo("a/4.jpg", "a"),
    ]
    known = count_known(photos, find_ties(photos, CurationSettings()))
    assert known == KnownPeople(photos=4, subjects=1, names=0, others=2)
    assert str(known) == "3 of 4 photos name their person or session"


@pytest.mark.parametrize("bad", [{"people": "some"}, {"session_gap": -1.0}])
def test_settings_that_mean_nothing_are_usage_faults(bad: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        CurationSettings(**bad)  # type: ignore[arg-type]
