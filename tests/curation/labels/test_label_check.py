from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from curation.labels.check import LEAST_SHARE_PLAIN, MIN_WRONG, Doubt, find_doubtful_labels
from curation.labels.embedding import WEIGHTS_FILE, describe_plainly, embed_pictures
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import AGE, MASK, OLD, WORN
from maskage.errors import DatasetError
from maskage.records import RgbImage

SHOTS = 12


def doubts_of(
    features: NDArray[np.float32], labels: Sequence[str], groups: Sequence[int]
) -> list[Doubt]:
    return list(find_doubtful_labels(features, labels, groups, MASK_AGE.labels).doubts)


def make_bursts(
    bursts: int = 15, seed: int = 0
) -> tuple[NDArray[np.float32], list[str], list[int]]:
    """Bursts of each class: shots lie near their burst's middle, bursts around their class's."""
    chance = np.random.default_rng(seed)
    features: list[NDArray[np.float64]] = []
    labels: list[str] = []
    groups: list[int] = []
    for label in MASK_AGE.labels:
        center = chance.normal(0, 1.5, 64)
        for _ in range(bursts):
            middle = center + chance.normal(0, 1, 64)
            features.append(middle + chance.normal(0, 0.1, (SHOTS, 64)))
            groups += [groups[-1] + 1 if groups else 0] * SHOTS
            labels += [label] * SHOTS
    return np.concatenate(features).astype(np.float32), labels, groups


def mislabel(labels: list[str], groups: Sequence[int], group: int, label: str) -> set[int]:
    """Give a whole group another label, in place; returns its indices."""
    wrong = {index for index, number in enumerate(groups) if number == group}
    for index in wrong:
        labels[index] = label
    return wrong


def test_a_wholly_mislabelled_burst_is_found_and_its_right_label_suggested() -> None:
    features, labels, groups = make_bursts()
    wrong = mislabel(labels, groups, 3, "nomask_young")
    wrong |= mislabel(labels, groups, 40, "mask_old")
    doubts = doubts_of(features, labels, groups)
    assert {doubt.index for doubt in doubts} == wrong
    assert {doubt.suggested for doubt in doubts if groups[doubt.index] == 3} == {MASK_AGE.labels[0]}
    assert {doubt.suggested for doubt in doubts if groups[doubt.index] == 40} == {
        MASK_AGE.labels[2]
    }


def test_folds_that_tear_bursts_apart_would_not_find_it() -> None:
    features, labels, groups = make_bursts()
    wrong = mislabel(labels, groups, 3, "nomask_young")
    alone = list(range(len(labels)))
    found = {doubt.index for doubt in doubts_of(features, labels, alone)}
    assert len(found & wrong) < SHOTS / 2


def test_a_single_wrong_photo_of_a_right_burst_is_found() -> None:
    features, labels, groups = make_bursts()
    labels[30] = "nomask_old"
    (doubt,) = doubts_of(features, labels, groups)
    assert (doubt.index, doubt.suggested) == (30, "mask_old")
    assert doubt.confidence > doubt.given
    assert doubt.wrong > MIN_WRONG


def overlapping(spread: float) -> tuple[NDArray[np.float32], list[str], list[int]]:
    """Bursts whose shots differ so much that some lie nearer to another class."""
    features, labels, groups = make_bursts()
    noise = np.random.default_rng(1).normal(0, spread, features.shape)
    return features + noise.astype(np.float32), labels, groups


def test_shots_bear_each_other_out() -> None:
    features, labels, groups = overlapping(3)
    wrong = mislabel(labels, groups, 3, "nomask_young")
    assert wrong <= {doubt.index for doubt in doubts_of(features, labels, groups)}
    # The same photos, in groups of their own: some say too little by themselves.
    alone = {doubt.index for doubt in doubts_of(features, labels, range(len(labels)))}
    assert not wrong <= alone


def test_a_photo_that_is_hard_to_tell_is_doubted_only_where_many_labels_are_wrong() -> None:
    features, labels, _ = overlapping(5)
    alone = range(len(labels))
    few = doubts_of(features, labels, alone)
    chance = np.random.default_rng(2)
    wrong = set(chance.choice(len(labels), 72, replace=False).tolist())
    for index in wrong:
        labels[index] = "nomask_young" if labels[index] != "nomask_young" else "mask_old"
    many = doubts_of(features, labels, alone)
    right = sum(doubt.index in wrong for doubt in many)
    assert right > 0.5 * len(wrong)
    assert len(few) < len(many) - right
    # The share that is expected to be wrong is near the share that is.
    assert sum(doubt.wrong for doubt in many) == pytest.approx(right, rel=0.25)


def test_right_labels_raise_no_doubt() -> None:
    assert doubts_of(*make_bursts()) == []


def test_the_most_certain_come_first() -> None:
    features, labels, groups = make_bursts()
    for group in (3, 20, 40):
        mislabel(labels, groups, group, "nomask_young")
    wrong = [doubt.wrong for doubt in doubts_of(features, labels, groups)]
    assert len(wrong) == 3 * SHOTS
    assert wrong == sorted(wrong, reverse=True)


def test_neither_the_order_of_photos_nor_the_numbers_of_groups_matter() -> None:
    # Classes that overlap, so that doubts are near the threshold.
    features, labels, groups = make_bursts()
    features += np.random.default_rng(1).normal(0, 2, features.shape).astype(np.float32)
    mislabel(labels, groups, 3, "nomask_young")
    expected = doubts_of(features, labels, groups)
    assert expected
    order = np.random.default_rng(2).permutation(len(labels))
    shuffled = doubts_of(
        features[order], [labels[index] for index in order], [1000 - groups[i] for i in order]
    )
    told = [(int(order[doubt.index]), doubt.suggested, doubt.confidence) for doubt in shuffled]
    assert sorted(told) == sorted((d.index, d.suggested, d.confidence) for d in expected)


def test_too_few_groups_are_told_with_the_class_and_what_to_do() -> None:
    features, labels, groups = make_bursts(bursts=2)
    with pytest.raises(DatasetError, match="mask_old from 2, mask_young from 2") as told:
        doubts_of(features, labels, groups)
    assert "--check-labels" in str(told.value)
    with pytest.raises(DatasetError, match="mask_old from 0"):
        doubts_of(np.empty((0, 8), np.float32), [], [])


def test_three_groups_a_class_are_enough() -> None:
    assert doubts_of(*make_bursts(bursts=3)) == []


def test_people_who_appear_in_every_class_stay_whole() -> None:
    features, labels, groups = make_bursts(bursts=4)
    people = [group % 4 for group in groups]
    assert doubts_of(features, labels, people) == []


def draw_face(label: str, seed: int) -> RgbImage:
    """A disc with grey or dark hair above, and a blue mask below where there is one."""
    chance = np.random.default_rng([seed, MASK_AGE.index(label)])
    side = int(chance.integers(90, 200))
    pixels = np.full((side, side, 3), chance.integers(60, 200, 3), np.uint8)
    middle = (side // 2 + int(chance.integers(-4, 5)), side // 2 + int(chance.integers(-4, 5)))
    cv2.circle(pixels, middle, side // 3, (224, 180, 150), -1)
    hair = (225, 225, 225) if MASK_AGE.has(label, AGE, OLD) else (60, 40, 30)
    cv2.ellipse(pixels, middle, (side // 3, side // 3), 0, 180, 360, hair, -1)
    if MASK_AGE.has(label, MASK, WORN):
        corner = (middle[0] + side // 4, middle[1] + side // 3)
        cv2.rectangle(pixels, (middle[0] - side // 4, middle[1] + 4), corner, (60, 90, 220), -1)
    return np.clip(pixels + chance.normal(0, 5, pixels.shape), 0, 255).astype(np.uint8)


def test_the_plain_descriptor_tells_drawn_faces_apart() -> None:
    labels = [label for label in MASK_AGE.labels for _ in range(20)]
    pictures = [draw_face(label, seed) for seed, label in enumerate(labels)]
    labels[7] = "nomask_old"
    features = describe_plainly(pictures)
    assert features.shape == (80, 1956)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    doubts = find_doubtful_labels(
        features, labels, range(80), MASK_AGE.labels, least_share=LEAST_SHARE_PLAIN
    ).doubts
    assert [(doubt.index, doubt.suggested) for doubt in doubts] == [(7, "mask_old")]


def test_an_even_picture_is_described_by_numbers() -> None:
    black = np.zeros((40, 60, 3), np.uint8)
    assert np.isfinite(describe_plainly([black])).all()


@pytest.fixture
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine where the weights neither lie nor can be fetched; returns its KERAS_HOME."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    # The discard port: refused at once.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    return tmp_path


def test_without_weights_the_descriptor_stands_in_and_says_so(no_weights: Path) -> None:
    pictures = [draw_face(label, seed) for seed, label in enumerate(MASK_AGE.labels * 10)]
    embedding = embed_pictures(iter(pictures), len(pictures))
    assert np.array_equal(embedding.features, describe_plainly(pictures))
    assert embedding.notice is not None
    assert str(no_weights / "models" / WEIGHTS_FILE) in embedding.notice
    assert "could not be downloaded" in embedding.notice
    assert "KERAS_HOME" in embedding.notice


def test_damaged_weights_are_told_by_their_path(no_weights: Path) -> None:
    path = no_weights / "models" / WEIGHTS_FILE
    path.parent.mkdir()
    path.write_bytes(b"cut short")
    embedding = embed_pictures([draw_face(MASK_AGE.labels[0], 1)], 1)
    assert embedding.notice is not None
    assert f"{path} is damaged" in embedding.notice
    assert "Remove it" in embedding.notice


@pytest.mark.slow
def test_the_network_sees_each_picture_alike_in_any_batch(shared: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(shared / "weights" / "keras_home"))
        pictures = [draw_face(label, seed) for seed, label in enumerate(MASK_AGE.labels * 9)]
        whole = embed_pictures(iter(pictures), len(pictures))
        one = embed_pictures(pictures[-1:], 1)
    assert whole.notice is None
    assert whole.features.shape == (36, 1856)
    assert np.allclose(whole.features[-1:], one.features, atol=1e-4)


def test_no_pictures_have_no_features(no_weights: Path) -> None:
    assert embed_pictures([], 0).features.shape == (0, 0)
