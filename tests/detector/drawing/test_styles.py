"""Each class has its colour, line and words, whatever the classes are."""

import numpy as np
import pytest

from detector.drawing.overlay import draw_result
from detector.drawing.styles import (
    AGE_NOTICE,
    PAPER,
    Line,
    age_notice,
    class_line,
    contrast,
    face_color,
    face_line,
    ink_on,
    unsure_word,
)
from detector.drawing.tags import describe_face
from detector.drawing.text import shorten, text_width
from detector.tracking.pipeline import FrameResult, Timings
from detector.tracking.tracker import TrackedFace
from maskage.classes.ready_made import MASK_AGE, plain_scheme
from maskage.classes.scheme import Scheme
from maskage.records import FaceBox, Frame, RgbImage
from tests.detector.schemes import AGE_ONLY, MANY, MASK_ODD_VALUE, MASK_STATE, ODD

BOX = FaceBox(200, 120, 120, 140)


def face(scheme: Scheme, label: str, *, is_sure: bool = True, track: int = 3) -> TrackedFace:
    rest = 0.1 / (len(scheme) - 1)
    row = tuple(0.9 if each == label else rest for each in scheme.labels)
    return TrackedFace(track, BOX, label, row, row, is_sure, scheme=scheme)


def draw(scheme: Scheme, *faces: TrackedFace) -> RgbImage:
    pixels = np.full((480, 640, 3), 128, dtype=np.uint8)
    return draw_result(FrameResult(Frame(pixels, 0), faces, Timings(1, 1, 1, 1), scheme))


def is_drawn(picture: RgbImage, x: int, y: int, color: tuple[int, int, int]) -> bool:
    return bool((picture[y - 2 : y + 3, x - 2 : x + 3] == color).all(axis=2).any())


@pytest.mark.parametrize(
    ("scheme", "label", "line"),
    [
        (MASK_AGE, "mask_old", Line.CLOSED),
        (MASK_AGE, "nomask_young", Line.CORNERS),
        (MASK_STATE, "worn", Line.CLOSED),
        (MASK_STATE, "misworn", Line.OPEN_BELOW),
        (MASK_STATE, "none", Line.CORNERS),
        (MASK_ODD_VALUE, "beard", Line.CLOSED),
        (AGE_ONLY, "old", Line.CLOSED),
        # Named like a value, without being one.
        (plain_scheme(["none", "misworn"]), "none", Line.CLOSED),
    ],
)
def test_the_line_follows_the_mask_factor(scheme: Scheme, label: str, line: Line) -> None:
    assert class_line(scheme, label) is line
    assert face_line(face(scheme, label)) is line
    assert face_line(face(scheme, label, is_sure=False)) is Line.DOTTED


@pytest.mark.parametrize(
    ("label", "below", "middle"),
    [("worn", True, True), ("misworn", False, True), ("none", False, False)],
)
def test_three_mask_values_are_drawn_in_three_ways(
    label: str, *, below: bool, middle: bool
) -> None:
    drawn = draw(MASK_STATE, face(MASK_STATE, label))
    color = MASK_STATE[label].rgb
    assert is_drawn(drawn, BOX.x + 2, BOX.y + BOX.height, color)
    assert is_drawn(drawn, BOX.x + BOX.width // 2, BOX.y + BOX.height, color) is below
    assert is_drawn(drawn, BOX.x, BOX.y + BOX.height // 2, color) is middle


@pytest.mark.parametrize("label", ODD.labels)
def test_every_name_is_drawn_in_the_colour_of_its_class(label: str) -> None:
    drawn = draw(ODD, face(ODD, label))
    assert face_color(face(ODD, label)) == ODD[label].rgb
    assert (drawn == ODD[label].rgb).all(axis=2).sum() > 1000


def test_each_of_sixty_four_classes_is_drawn() -> None:
    pictures = {draw(MANY, face(MANY, label)).tobytes() for label in MANY.labels}
    assert len(pictures) == 64


def test_a_long_name_keeps_its_ends_and_leaves_room() -> None:
    drawn = draw(ODD, face(ODD, ODD.labels[-1]))
    columns = (drawn[: BOX.y - 2] == ODD[ODD.labels[-1]].rgb).all(axis=2).any(axis=0).nonzero()[0]
    assert columns[-1] - columns[0] <= 340  # of 640
    shortened = shorten("#3 a name that is far too long for it 93%", 20, 200)
    assert shortened.startswith("#3 a na")
    assert shortened.endswith("93%")
    assert "…" in shortened
    assert text_width(shortened, 20) <= 200
    assert shorten("#3 short 93%", 20, 200) == "#3 short 93%"
    assert shorten("no room", 20, 1) == "…"


@pytest.mark.parametrize("level", range(0, 256, 5))
def test_ink_can_be_read_on_any_colour(level: int) -> None:
    for color in ((level, level, level), (level, 0, 255 - level), (0, level, 40)):
        assert contrast(color, ink_on(color)) >= 4.5


def test_ink_is_black_on_light_and_white_on_dark() -> None:
    assert ink_on((255, 240, 0)) == (0, 0, 0)
    assert ink_on((60, 0, 80)) == PAPER


def test_the_notice_on_age_is_there_only_where_classes_have_an_age() -> None:
    assert age_notice(MASK_AGE) == age_notice(AGE_ONLY) == AGE_NOTICE
    assert age_notice(MASK_STATE) == age_notice(ODD) == ""
    # Without it nothing darkens the foot of the picture.
    assert draw(MASK_STATE)[479, 639].tolist() == [128, 128, 128]
    assert draw(AGE_ONLY)[479, 639].tolist() == [32, 32, 32]


def test_unsure_is_another_word_where_a_class_is_called_so() -> None:
    assert unsure_word(MASK_AGE) == "unsure"
    assert unsure_word(ODD) == "not sure"
    assert unsure_word(plain_scheme(["Unsure", "not sure"])) == "below the threshold"
    assert describe_face(face(ODD, "unsure")) == "#3 unsure 90%"
    assert describe_face(face(ODD, "unsure", is_sure=False)) == "#3 not sure 90%"
