import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from curation.settings import CurationSettings, Ratio
from curation.splitting.split import (
    assign_at_random,
    assign_groups,
    find_straddlers,
    require_enough_groups,
    require_full_splits,
)
from maskage.classes.ready_made import MASK_AGE
from maskage.errors import DatasetError
from maskage.formats.curated.curated_set import SPLITS
from maskage.records import Photo

# For each group, how many photos of each class.
GROUPS = st.lists(st.tuples(*[st.integers(0, 6)] * 4).filter(any), min_size=1, max_size=14)
RATIOS = st.sampled_from([(0.8, 0.1, 0.1), (0.6, 0.2, 0.2), (0.34, 0.33, 0.33)])


def photos_of(contents: Sequence[tuple[int, ...]]) -> tuple[list[Photo], list[int]]:
    photos, groups = [], []
    for group, counts in enumerate(contents):
        for label, count in zip(MASK_AGE.labels, counts, strict=True):
            for number in range(count):
                photos.append(Photo(f"{label}/g{group:03d}_{number:03d}.jpg", label))
                groups.append(group)
    return photos, groups


@settings(deadline=None, max_examples=60)
@given(GROUPS, RATIOS, st.integers(0, 5), st.randoms(use_true_random=False))
def test_splits_are_complete_whole_and_stable_under_reordering(
    contents: list[tuple[int, ...]], ratio: Ratio, seed: int, rng: random.Random
) -> None:
    photos, groups = photos_of(contents)
    try:
        require(photos, groups)
    except DatasetError:
        # Only where a class comes from too few groups.
        of_class = [sum(counts[k] > 0 for counts in contents) for k in range(4)]
        assert min(of_class) < 3
        assume(False)
    splits = assign_groups(photos, groups, MASK_AGE.labels, ratio, seed)
    assert len(splits) == len(photos)
    assert set(splits) <= set(SPLITS)
    assert find_straddlers(groups, splits) == []
    order = list(range(len(photos)))
    rng.shuffle(order)
    # Groups are only names: renumbering them changes nothing either.
    renamed = {group: rng.random() for group in set(groups)}
    numbers = {g: k for k, g in enumerate(sorted(set(groups), key=lambda g: renamed[g]))}
    again = assign_groups(
        [photos[k] for k in order],
        [numbers[groups[k]] for k in order],
        MASK_AGE.labels,
        ratio,
        seed,
    )
    assert again == [splits[k] for k in order]


def test_a_subject_never_straddles_splits_and_shares_are_near() -> None:
    rng = random.Random(3)
    contents = [
        (0, rng.randint(2, 30), 0, rng.randint(2, 30))
        if subject % 2
        else (rng.randint(2, 30), 0, rng.randint(2, 30), 0)
        for subject in range(40)
    ]
    photos, groups = photos_of(contents)
    splits = assign_groups(photos, groups, MASK_AGE.labels)
    assert find_straddlers(groups, splits) == []
    counts = Counter((s, p.label) for s, p in zip(splits, photos, strict=True))
    for label in MASK_AGE.labels:
        total = sum(counts[split, label] for split in SPLITS)
        for split, wanted in zip(SPLITS, (0.8, 0.1, 0.1), strict=True):
            assert abs(counts[split, label] / total - wanted) < 0.02


def test_photos_that_nothing_ties_are_shared_out_exactly() -> None:
    photos = [Photo(f"{label}/{k:03d}.jpg", label) for label in MASK_AGE.labels for k in range(50)]
    counts = Counter(assign_groups(photos, list(range(200)), MASK_AGE.labels))
    assert counts == {"train": 160, "val": 20, "test": 20}


def test_three_people_a_class_fill_every_split() -> None:
    contents = [(5, 0, 5, 0)] * 3 + [(0, 9, 0, 3)] * 3
    photos, groups = photos_of(contents)
    splits = assign_groups(photos, groups, MASK_AGE.labels)
    require_full_splits(photos, splits, MASK_AGE.labels, CurationSettings())


def require(photos: Sequence[Photo], groups: Sequence[int]) -> None:
    require_enough_groups(photos, groups, MASK_AGE.labels, CurationSettings())


def test_one_person_is_told_how_many_others_to_bring() -> None:
    photos = [
        Photo(f"{label}/{k}.jpg", label, subject="me")
        for label in MASK_AGE.labels
        for k in range(9)
    ]
    with pytest.raises(DatasetError) as caught:
        require(photos, [0] * len(photos))
    for words in (
        "mask_old from 1",
        "subject me",
        "--subject NAME",
        "36 of 36",
        "from 2 more people",
        "about 9 photos of each",
    ):
        assert words in str(caught.value)


def test_two_people_of_one_class_are_named_as_too_few() -> None:
    photos, groups = photos_of([(3, 3, 3, 3)] * 2 + [(0, 3, 3, 3)] * 3)
    with pytest.raises(DatasetError, match=r"mask_old from 2 groups") as caught:
        require(photos, groups)
    assert "Collect mask_old from 1 more person, about 3 photos of each" in str(caught.value)


def test_a_random_split_is_the_shuffled_list_cut_at_the_ratio() -> None:
    photos = [Photo(f"{'mask_old'}/{k:02d}.jpg", "mask_old") for k in range(10)]
    splits = assign_at_random(photos, MASK_AGE.labels)
    names = [f"{'mask_old'}/{k:02d}.jpg" for k in range(10)]
    random.Random(1337).shuffle(names)
    assert [p.path for p, s in zip(photos, splits, strict=True) if s == "val"] == [names[8]]
    assert [p.path for p, s in zip(photos, splits, strict=True) if s == "test"] == [names[9]]


def test_a_random_split_of_few_photos_says_how_many_it_needs() -> None:
    photos = [Photo(f"{label}/{k}.jpg", label) for label in MASK_AGE.labels for k in range(4)]
    splits = assign_at_random(photos, MASK_AGE.labels)
    with pytest.raises(DatasetError, match="at least 10 photos in each class"):
        require_full_splits(photos, splits, MASK_AGE.labels, CurationSettings(split="random"))


def test_straddlers_are_named() -> None:
    assert find_straddlers([0, 0, 1, 2, 2], ["train", "val", "test", "val", "val"]) == [0]
