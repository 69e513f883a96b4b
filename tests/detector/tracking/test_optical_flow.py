"""Faces are followed between two looks of the finder, and given up where they cannot be."""

import cv2
import numpy as np
import pytest

from detector.tracking.optical_flow import FaceFollower, _to_face
from maskage.records import FaceBox, RgbImage

FPS = 30
FACE_PX = 96


def draw_texture(seed: int, width: int, height: int, cell_px: int = 6) -> RgbImage:
    """A pattern with edges in every direction, as skin, hair and rooms have them."""
    cells = (-(-height // cell_px), -(-width // cell_px), 3)
    coarse = np.random.default_rng(seed).integers(30, 226, cells, dtype=np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth, np.uint8)


class Scene:
    """Textured patches, placed with fractions of a pixel, before a textured wall.

    Each picture has a camera's noise of its own.
    """

    def __init__(self, width: int = 640, height: int = 480, faces: int = 1) -> None:
        self._wall = draw_texture(1000, width, height, cell_px=20) // 2 + 60
        self._faces = [draw_texture(number, FACE_PX, FACE_PX) for number in range(faces)]
        self._noise = np.random.default_rng(7)

    def draw(self, *places: tuple[float, float, float]) -> RgbImage:
        """A picture with each face at its (x, y, side)."""
        pixels = self._wall.copy()
        height, width = pixels.shape[:2]
        for face, (x, y, side) in zip(self._faces, places, strict=True):
            scale = side / FACE_PX
            matrix = np.array([[scale, 0, x], [0, scale, y]])
            inside = np.full(face.shape[:2], 255, np.uint8)
            cover = cv2.warpAffine(inside, matrix, (width, height)) > 127
            pixels[cover] = cv2.warpAffine(
                face, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE
            )[cover]
        noise = self._noise.normal(0, 5, pixels.shape)
        return np.asarray((pixels + noise).clip(0, 255), np.uint8)


def box_at(x: float, y: float, side: float, score: float = 0.9) -> FaceBox:
    return FaceBox(round(x), round(y), round(side), round(side), score)


def distance_px(box: FaceBox, x: float, y: float, side: float) -> float:
    """Between the centres of a box and of what was drawn."""
    return float(np.hypot(box.center[0] - x - side / 2, box.center[1] - y - side / 2))


def test_a_moving_face_is_followed_to_the_pixel() -> None:
    scene, follower = Scene(), FaceFollower()
    follower.start(scene.draw((100, 120, 110)), [box_at(100, 120, 110)])
    for number in range(1, 16):
        x, y = 100 + 7.3 * number, 120 + 4.6 * number
        boxes = follower.follow(scene.draw((x, y, 110)))
        assert boxes is not None
        assert distance_px(boxes[0], x, y, 110) < 4
        assert boxes[0].side_px == pytest.approx(110, rel=0.1)
        assert boxes[0].score == 0.9


def test_a_face_at_rest_stays_where_it_is() -> None:
    scene, follower = Scene(), FaceFollower()
    follower.start(scene.draw((300, 200, 90)), [box_at(300, 200, 90)])
    for _ in range(15):
        boxes = follower.follow(scene.draw((300, 200, 90)))
        assert boxes is not None
        assert distance_px(boxes[0], 300, 200, 90) < 3
        assert boxes[0].side_px == pytest.approx(90, rel=0.08)


@pytest.mark.parametrize("growth", [1.03, 0.97])
def test_a_face_that_comes_nearer_or_goes_away_changes_its_size(growth: float) -> None:
    scene, follower = Scene(), FaceFollower()
    side = 120.0
    follower.start(scene.draw((320 - 60, 240 - 60, side)), [box_at(260, 180, side)])
    for _ in range(12):
        side *= growth
        x, y = 320 - side / 2, 240 - side / 2
        boxes = follower.follow(scene.draw((x, y, side)))
        assert boxes is not None
        assert boxes[0].side_px == pytest.approx(side, rel=0.12)
        assert distance_px(boxes[0], x, y, side) < 5


@pytest.mark.parametrize(("width", "height", "side"), [(320, 240, 60), (1280, 720, 200)])
def test_frames_of_any_size_are_followed(width: int, height: int, side: int) -> None:
    scene, follower = Scene(width, height), FaceFollower()
    step = side / 20
    follower.start(scene.draw((40, 50, side)), [box_at(40, 50, side)])
    for number in range(1, 9):
        boxes = follower.follow(scene.draw((40 + step * number, 50, side)))
        assert boxes is not None
        assert distance_px(boxes[0], 40 + step * number, 50, side) < side / 20


def test_several_faces_are_followed_each_by_itself_and_keep_their_order() -> None:
    scene, follower = Scene(faces=3), FaceFollower()

    def places(n: int) -> list[tuple[float, float, float]]:
        return [(40 + 5 * n, 60, 100), (300, 60 + 4 * n, 80), (480 - 6 * n, 320, 120)]

    follower.start(scene.draw(*places(0)), [box_at(*place, 0.5 + n / 10)
                                            for n, place in enumerate(places(0))])  # fmt: skip
    for number in range(1, 13):
        boxes = follower.follow(scene.draw(*places(number)))
        assert boxes is not None
        assert [box.score for box in boxes] == [0.5, 0.6, 0.7]
        for box, place in zip(boxes, places(number), strict=True):
            assert distance_px(box, *place) < 5


def test_a_face_that_is_covered_is_lost() -> None:
    scene, hand = Scene(), draw_texture(99, 130, 130, cell_px=9)
    follower = FaceFollower()
    follower.start(scene.draw((200, 150, 110)), [box_at(200, 150, 110)])
    assert follower.follow(scene.draw((203, 150, 110))) is not None
    covered = scene.draw((206, 150, 110))
    covered[140:270, 195:325] = hand
    assert follower.follow(covered) is None


def test_a_face_that_jumps_is_lost() -> None:
    scene, follower = Scene(), FaceFollower()
    follower.start(scene.draw((100, 150, 100)), [box_at(100, 150, 100)])
    assert follower.follow(scene.draw((400, 200, 100))) is None


def test_one_lost_face_of_several_makes_the_finder_look() -> None:
    scene, follower = Scene(faces=2), FaceFollower()
    follower.start(
        scene.draw((60, 100, 100), (400, 200, 100)), [box_at(60, 100, 100), box_at(400, 200, 100)]
    )
    assert follower.follow(scene.draw((65, 100, 100), (200, 330, 100))) is None


def test_a_face_that_leaves_the_frame_is_followed_to_its_edge_and_no_further() -> None:
    scene, follower = Scene(), FaceFollower()
    x = 450.0
    follower.start(scene.draw((x, 150, 100)), [box_at(x, 150, 100)])
    places = []
    while x < 640:
        x += 8
        boxes = follower.follow(scene.draw((x, 150, 100)))
        if boxes is None:
            break
        places.append((x, boxes[0]))
        assert 0 <= boxes[0].x < boxes[0].x + boxes[0].width <= 640
    # Up to the edge it is in full sight; and with less than half of it there it is gone.
    assert places[-1][0] >= 520
    assert x <= 610
    for x, box in places:
        if x <= 540:
            assert distance_px(box, x, 150, 100) < 5


def test_of_a_face_over_the_edge_the_part_inside_is_told_while_it_is_half_of_it() -> None:
    assert _to_face(np.array([580.0, 100, 100, 80]), 0.7, 640, 480) == FaceBox(
        580, 100, 60, 80, 0.7
    )
    assert _to_face(np.array([-40.0, -10, 100, 80]), 0.7, 640, 480) == FaceBox(0, 0, 60, 70, 0.7)
    assert _to_face(np.array([600.0, 100, 100, 80]), 0.7, 640, 480) is None
    assert _to_face(np.array([700.0, 100, 100, 80]), 0.7, 640, 480) is None


def test_a_frame_of_another_size_is_not_compared() -> None:
    small, large = Scene(320, 240), Scene(1280, 720)
    follower = FaceFollower()
    follower.start(small.draw((100, 100, 60)), [box_at(100, 100, 60)])
    assert follower.follow(large.draw((100, 100, 60))) is None


def test_before_the_first_look_there_is_nothing_to_follow() -> None:
    assert FaceFollower().follow(Scene().draw((100, 100, 60))) is None


def test_no_faces_stay_no_faces() -> None:
    scene, follower = Scene(faces=0), FaceFollower()
    follower.start(scene.draw(), [])
    assert follower.follow(scene.draw()) == []


def test_a_new_look_of_the_finder_takes_the_place_of_what_was_followed() -> None:
    scene, follower = Scene(), FaceFollower()
    follower.start(scene.draw((100, 120, 110)), [box_at(100, 120, 110)])
    follower.follow(scene.draw((108, 120, 110)))
    follower.start(scene.draw((300, 220, 110)), [box_at(300, 220, 110)])
    boxes = follower.follow(scene.draw((306, 220, 110)))
    assert boxes is not None
    assert distance_px(boxes[0], 306, 220, 110) < 4


def test_the_picture_is_left_as_it_was() -> None:
    scene, follower = Scene(), FaceFollower()
    first, second = scene.draw((100, 120, 110)), scene.draw((104, 120, 110))
    copies = first.copy(), second.copy()
    follower.start(first, [box_at(100, 120, 110)])
    follower.follow(second)
    assert np.array_equal(first, copies[0])
    assert np.array_equal(second, copies[1])
