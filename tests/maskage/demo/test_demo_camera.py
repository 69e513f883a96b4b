"""The demo camera: what it shows, what it says about it, and that a seed decides both."""

import time
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from maskage.cameras.sources import Camera, open_camera
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import AGE, MASK, NONE, OLD, WORN, YOUNG
from maskage.demo.camera import DEMO_SUBJECTS, DemoCamera, DemoFace
from maskage.demo.painting.hair.styles import STYLES
from maskage.demo.painting.masks import MASK_KINDS
from maskage.errors import UsageError
from maskage.faces.finder import crop_face, guide_box
from maskage.pictures.images import encode_jpeg, resize_square
from maskage.pictures.quality import find_faults, measure_quality

SCENE_FRAMES = 90
KNOWN = {subject.subject_id: subject for subject in DEMO_SUBJECTS}


def small_camera(**settings: object) -> DemoCamera:
    """A camera that renders fast: 160x120 px, scenes of 4 frames."""
    defaults: dict[str, object] = {"pace": False, "size": (160, 120), "fps": 4.0, "scene_s": 1.0}
    return DemoCamera(**{**defaults, **settings})  # type: ignore[arg-type]


def has_mask(face: DemoFace) -> bool:
    return face.mask in MASK_KINDS


def test_it_knows_at_least_24_people_half_of_them_old() -> None:
    assert len(DEMO_SUBJECTS) >= 24
    assert len(KNOWN) == len(DEMO_SUBJECTS)
    assert sum(subject.is_old for subject in DEMO_SUBJECTS) == len(DEMO_SUBJECTS) / 2
    assert all(a.is_old != b.is_old for a, b in pairwise(DEMO_SUBJECTS))
    assert {subject.hair for subject in DEMO_SUBJECTS} <= set(STYLES)


def test_it_knows_at_least_8_kinds_of_mask() -> None:
    assert len(MASK_KINDS) >= 8
    assert {kind.cut for kind in MASK_KINDS.values()} == {"surgical", "ffp2", "cloth"}
    assert sum(bool(kind.pattern) for kind in MASK_KINDS.values()) >= 3


def test_the_same_seed_gives_the_same_frames_in_any_order() -> None:
    first, second = small_camera(seed=3), small_camera(seed=3)
    forwards = [first.read().pixels for _ in range(10)]
    backwards = [second.render(index) for index in reversed(range(10))][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forwards, backwards, strict=True))
    assert first.faces_at(57) == second.faces_at(57)


def test_another_seed_gives_other_scenes_and_other_frames() -> None:
    first, second = small_camera(seed=1), small_camera(seed=2)
    cast = [[camera.faces_at(i * 4)[0] for i in range(12)] for camera in (first, second)]
    assert cast[0] != cast[1]
    assert not np.array_equal(first.render(0), second.render(0))


def test_people_move_within_a_scene() -> None:
    camera = small_camera()
    frames = [camera.render(index).astype(int) for index in range(4)]
    assert all(np.abs(a - b).mean() > 1 for a, b in pairwise(frames))


@pytest.mark.parametrize("people", [1, 3])
def test_the_truth_about_a_face_agrees_with_itself(people: int) -> None:
    camera = DemoCamera(seed=5, pace=False, people=people)
    for index in range(0, 40 * SCENE_FRAMES, 31):
        faces = camera.faces_at(index)
        assert len({face.subject_id for face in faces}) == people
        assert [face.box.x for face in faces] == sorted(face.box.x for face in faces)
        for face in faces:
            age = OLD if KNOWN[face.subject_id].is_old else YOUNG
            state = WORN if face.mask in MASK_KINDS else NONE
            assert face.label == MASK_AGE.find({MASK: state, AGE: age})
            assert face.box.x >= 0
            assert face.box.y >= 0
            assert face.box.x + face.box.width <= 640
            assert face.box.y + face.box.height <= 480
            assert min(face.box.width, face.box.height) >= 60


def test_a_mask_on_the_chin_is_no_mask() -> None:
    camera = DemoCamera(pace=False)
    faces = [camera.faces_at(scene * SCENE_FRAMES)[0] for scene in range(64)]
    on_chin = [face for face in faces if face.mask.startswith("chin ")]
    assert on_chin
    assert {face.label for face in on_chin} <= {"nomask_old", "nomask_young"}
    assert all(face.mask.removeprefix("chin ") in MASK_KINDS for face in on_chin)


def test_in_two_rounds_everyone_appears_with_and_without_a_mask() -> None:
    camera = DemoCamera(seed=9, pace=False)
    faces = [camera.faces_at(s * SCENE_FRAMES)[0] for s in range(2 * len(DEMO_SUBJECTS))]
    seen = {(face.subject_id, has_mask(face)) for face in faces}
    assert seen == {(name, masked) for name in KNOWN for masked in (True, False)}


def test_the_classes_take_turns() -> None:
    camera = DemoCamera(seed=4, pace=False)
    labels = [camera.faces_at(s * SCENE_FRAMES)[0].label for s in range(64)]
    assert Counter(labels) == dict.fromkeys(MASK_AGE.labels, 16)
    assert all(set(labels[i : i + 4]) == set(MASK_AGE.labels) for i in range(0, 64, 4))


def test_only_the_cast_appears() -> None:
    cast = ["demo-04", "demo-07", "demo-12"]
    camera = DemoCamera(seed=2, pace=False, cast=cast)
    assert {camera.faces_at(i * SCENE_FRAMES)[0].subject_id for i in range(6)} == set(cast)
    both = DemoCamera(seed=2, pace=False, cast=cast, people=3).faces_at(0)
    assert {face.subject_id for face in both} == set(cast)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"cast": ["demo-99"]}, "demo-99"),
        ({"cast": []}, "nobody"),
        ({"cast": ["demo-01", "demo-01"]}, "demo-01, demo-01"),
        ({"cast": ["demo-01"], "people": 2}, "2 people"),
        ({"people": 0}, "0 people"),
        ({"size": (8, 8)}, "8x8"),
        ({"fps": 0.0}, "0.0 fps"),
        ({"seed": -1}, "seed -1"),
    ],
)
def test_what_cannot_be_shown_is_refused_by_name(settings: dict[str, object], found: str) -> None:
    with pytest.raises(UsageError, match=found):
        small_camera(**settings)


def test_a_scene_lasts_as_long_as_asked() -> None:
    camera = DemoCamera(pace=False, fps=10.0, scene_s=0.5)
    shown = [camera.faces_at(index)[0].subject_id for index in range(10)]
    assert len(set(shown[:5])) == 1
    assert len(set(shown[5:])) == 1
    assert shown[0] != shown[5]


def test_without_pace_every_frame_comes_at_once() -> None:
    camera = small_camera(fps=1.0, scene_s=100.0)
    started_s = time.monotonic()
    frames = [camera.read() for _ in range(6)]
    assert time.monotonic() - started_s < 5
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4, 5]
    assert [frame.position_s for frame in frames] == [0, 1, 2, 3, 4, 5]
    assert not camera.is_live


def test_with_pace_it_keeps_time_and_a_frame_not_read_is_lost() -> None:
    camera = small_camera(pace=True, fps=20.0, scene_s=100.0)
    camera.read()  # paints the scene
    indices = [camera.read().index for _ in range(3)]
    assert camera.is_live
    assert indices == sorted(set(indices))
    time.sleep(0.5)
    late = camera.read()
    assert late.index >= indices[-1] + 9
    started_s = time.monotonic()
    next_one = camera.read()
    assert next_one.index > late.index
    assert time.monotonic() - started_s < 1


def test_it_is_the_camera_behind_source_demo() -> None:
    camera: Camera = open_camera("demo", pace=False, seed=6)
    frame = camera.read()
    assert frame is not None
    assert frame.pixels.shape == (480, 640, 3)
    assert camera.frame_count is None
    assert np.array_equal(frame.pixels, DemoCamera(seed=6, pace=False).render(0))
    camera.close()
    camera.close()


@pytest.mark.slow
def test_a_shot_through_the_guide_shows_a_whole_good_face_of_everyone() -> None:
    camera = DemoCamera(seed=1, pace=False)
    guide = guide_box(640, 480)
    for index in range(20, len(DEMO_SUBJECTS) * SCENE_FRAMES, SCENE_FRAMES):
        pixels, face = camera.render(index), camera.faces_at(index)[0]
        assert find_faults(measure_quality(crop_face(pixels, guide), guide)) == [], face
        assert find_faults(measure_quality(crop_face(pixels, face.box), face.box)) == [], face
        assert guide.iou(face.box) > 0.5, face


def test_frames_of_one_scene_are_not_the_same_photo() -> None:
    camera = DemoCamera(seed=1, pace=False)
    guide = guide_box(640, 480)
    crops = [crop_face(camera.render(index), guide) for index in (0, 1)]
    assert encode_jpeg(crops[0]) != encode_jpeg(crops[1])


def test_a_mask_changes_the_lower_face_and_leaves_the_eyes() -> None:
    """The same person, masked in one round and bare in another."""
    camera = DemoCamera(seed=0, pace=False, cast=["demo-13"])
    faces = [camera.faces_at(s * SCENE_FRAMES)[0] for s in range(2)]
    assert {has_mask(face) for face in faces} == {True, False}
    halves = []
    for scene, face in enumerate(faces):
        crop = resize_square(crop_face(camera.render(scene * SCENE_FRAMES), face.box, 0.0), 64)
        halves.append((crop[:28].astype(int), crop[34:].astype(int)))
    upper = np.abs(halves[0][0] - halves[1][0]).mean()
    lower = np.abs(halves[0][1] - halves[1][1]).mean()
    assert lower > 1.3 * upper
