"""The demo camera with other classes than the four, and the masks that are worn wrongly."""

from collections import Counter

import numpy as np
import pytest

from maskage.cameras.sources import open_camera, read_frames
from maskage.classes.ready_made import MASK_AGE, READY_MADE, plain_scheme
from maskage.classes.scheme import AGE, MASK, MISWORN, NONE, OLD, WORN, YOUNG, PhotoClass, Scheme
from maskage.demo.camera import DEMO_SUBJECTS, DemoCamera, DemoFace
from maskage.demo.painting.features import EyeState
from maskage.demo.painting.masks import (
    BELOW_NOSE,
    MASK_KINDS,
    MISWORN_WAYS,
    NO_MASK,
    mask_state,
    split_mask,
    wear,
)
from maskage.demo.sprites import PersonSprites
from maskage.errors import CameraError
from maskage.records import RgbImage

PLAIN = plain_scheme(["cat", "dog"])
AGES = Scheme(
    tuple(
        PhotoClass(value, value, color, factors={AGE: value})
        for value, color in ((OLD, "#2f8fd0"), (YOUNG, "#7cc7f0"))
    ),
    {AGE: (OLD, YOUNG)},
)
STATES = READY_MADE["mask-state"]
STATES_AGES = READY_MADE["mask-state-age"]


def faces_of(scheme: Scheme, scenes: int, seed: int = 0) -> list[DemoFace]:
    camera = DemoCamera(seed=seed, pace=False, fps=1.0, scene_s=1.0, scheme=scheme)
    return [camera.faces_at(scene)[0] for scene in range(scenes)]


def head_of(mask: str, subject: int = 0) -> RgbImage:
    """The upright head of a person, over a grey ground; 60 px in a head unit."""
    sprites = PersonSprites(DEMO_SUBJECTS[subject], mask, 60.0, 3.0)
    layer = sprites.head(EyeState(), 0.0)
    rest = 1 - layer.pixels[..., 3:].astype(float) / 255
    return np.clip(layer.pixels[..., :3] + 128 * rest, 0, 255).astype(np.uint8)


def window(head: RgbImage, left: float, top: float, right: float, bottom: float) -> RgbImage:
    """A part of `head_of`, in head units from the point between the eyes."""
    x, y = int(1.7 * 60), int(1.75 * 60)
    return head[round(y + top * 60) : round(y + bottom * 60), round(x + left * 60) :][
        :, : round((right - left) * 60)
    ]


def difference(one: RgbImage, other: RgbImage) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def test_the_four_classes_show_the_people_that_they_always_showed() -> None:
    shown = [(face.label, face.subject_id, face.mask) for face in faces_of(MASK_AGE, 6)]
    assert shown == [
        ("nomask_old", "demo-90", "chin cat"),
        ("mask_old", "demo-64", "checks"),
        ("mask_young", "demo-71", "cat"),
        ("nomask_young", "demo-01", "none"),
        ("nomask_old", "demo-78", "none"),
        ("mask_old", "demo-48", "surgical-green"),
    ]
    faces = faces_of(MASK_AGE, 2 * len(DEMO_SUBJECTS))
    assert {split_mask(face.mask)[0] for face in faces} == {"", "chin"}


@pytest.mark.parametrize("name", READY_MADE)
def test_each_class_of_a_ready_made_scheme_is_shown_as_often_as_the_others(name: str) -> None:
    scheme = READY_MADE[name]
    scenes = 96
    counts = Counter(face.label for face in faces_of(scheme, scenes))
    assert set(counts) == set(scheme.labels)
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("scheme", [STATES, STATES_AGES])
def test_the_class_says_how_the_mask_is_worn(scheme: Scheme) -> None:
    ages = {subject.subject_id: OLD if subject.is_old else YOUNG for subject in DEMO_SUBJECTS}
    for face in faces_of(scheme, 3 * len(DEMO_SUBJECTS)):
        assert face.label is not None
        assert scheme.value(face.label, MASK) == mask_state(face.mask)
        assert scheme.value(face.label, AGE) in (None, ages[face.subject_id])
        assert (mask_state(face.mask) == MISWORN) == face.mask.startswith(MISWORN_WAYS)


def test_in_three_rounds_everyone_wears_a_mask_a_misworn_one_and_none() -> None:
    faces = faces_of(STATES, 3 * len(DEMO_SUBJECTS), seed=5)
    seen = {(face.subject_id, face.label) for face in faces}
    assert len(seen) == 3 * len(DEMO_SUBJECTS)
    misworn = [face.mask for face in faces if face.label == "misworn"]
    assert {split_mask(mask)[0] for mask in misworn} == set(MISWORN_WAYS)
    assert {split_mask(mask)[1] for mask in misworn} == set(MASK_KINDS)


def test_two_classes_of_masks_show_the_frames_of_the_four() -> None:
    four, two = (
        DemoCamera(pace=False, size=(160, 120), fps=1.0, scene_s=1.0, scheme=scheme)
        for scheme in (MASK_AGE, READY_MADE["mask"])
    )
    for index in range(4):
        assert np.array_equal(four.render(index), two.render(index))
        label = four.faces_at(index)[0].label
        assert label is not None
        assert two.faces_at(index)[0].label == label.partition("_")[0]


def test_classes_without_masks_show_the_people_of_the_four_and_only_ages_are_known() -> None:
    four = faces_of(MASK_AGE, 12)
    for scheme, labels in ((PLAIN, {None}), (AGES, {OLD, YOUNG})):
        faces = faces_of(scheme, 12)
        assert [(f.subject_id, f.mask) for f in faces] == [(f.subject_id, f.mask) for f in four]
        assert {face.label for face in faces} == labels


def test_a_class_that_a_scheme_lacks_is_not_shown() -> None:
    kept = tuple(each for each in STATES_AGES if each.folder != "misworn_young")
    scheme = Scheme(kept, STATES_AGES.factors)
    faces = faces_of(scheme, 2 * len(DEMO_SUBJECTS))
    assert {face.label for face in faces} == set(scheme.labels)
    nobody = Scheme(kept[2:3] + kept[3:4], {MASK: (WORN, MISWORN, NONE), AGE: (OLD, YOUNG)})
    assert {face.label for face in faces_of(nobody, 96)} >= set(nobody.labels)


@pytest.mark.parametrize("way", MISWORN_WAYS)
@pytest.mark.parametrize("subject", [0, 1, 16])
def test_a_misworn_mask_is_seen_and_leaves_the_nose_bare(way: str, subject: int) -> None:
    bare, misworn = (head_of(mask, subject) for mask in (NO_MASK, wear(way, "ffp2-black")))
    nose = (-0.12, 0.05, 0.12, 0.4)
    assert difference(window(bare, *nose), window(misworn, *nose)) < 1
    worn = head_of("ffp2-black", subject)
    assert difference(window(bare, *nose), window(worn, *nose)) > 30
    assert difference(bare, misworn) > 1


def test_below_the_nose_the_mouth_is_covered_and_elsewhere_it_is_not() -> None:
    mouth = (-0.2, 0.56, 0.2, 0.68)
    bare = window(head_of(NO_MASK), *mouth)
    for way in MISWORN_WAYS:
        shown = window(head_of(wear(way, "cloth-black")), *mouth)
        assert (difference(bare, shown) > 30) is (way == BELOW_NOSE), way


def test_a_source_names_its_classes() -> None:
    named = open_camera("demo:mask-state", pace=False, seed=2)
    given = open_camera("demo", pace=False, seed=2, scheme=STATES)
    expected = DemoCamera(seed=2, pace=False, scheme=STATES)
    first = expected.render(0)
    for camera in (named, given):
        frame = camera.read()
        assert frame is not None
        assert np.array_equal(frame.pixels, first)
    (frame,) = read_frames("demo:mask-state", limit=1, seed=2)
    assert np.array_equal(frame.pixels, first)


def test_the_classes_that_a_source_names_go_before_those_of_the_dataset() -> None:
    camera = open_camera("demo:mask-state", pace=False, scheme=MASK_AGE)
    assert isinstance(camera, DemoCamera)
    assert camera.faces_at(0)[0].label in STATES


def test_unknown_classes_of_a_source_are_refused_and_the_known_ones_named() -> None:
    with pytest.raises(CameraError, match="no ready-made classes 'helmets'") as fault:
        open_camera("demo:helmets")
    assert "demo:mask-state-age" in str(fault.value)


@pytest.mark.parametrize("source", ["demo:anna:secret@cam", "demo://anna:secret@cam"])
def test_a_password_after_demo_is_not_repeated(source: str) -> None:
    with pytest.raises(CameraError) as fault:
        open_camera(source)
    assert "secret" not in str(fault.value)
