"""The drawing is readable: in its place, mirrored where asked, and not by colour alone."""

from itertools import combinations

import numpy as np
import pytest

from detector.drawing.overlay import (
    Readout,
    draw_result,
    drawn_size,
)
from detector.drawing.styles import AGE_NOTICE
from detector.drawing.tags import describe_face, place_tags
from detector.drawing.text import wrap
from detector.tracking.pipeline import FrameResult, Timings
from detector.tracking.tracker import TrackedFace
from maskage.classes.ready_made import MASK_AGE
from maskage.records import FaceBox, Frame, RgbImage

GREY = 128


def make_face(
    label: str = "mask_young",
    box: FaceBox | None = None,
    *,
    confidence: float = 0.93,
    is_sure: bool = True,
) -> TrackedFace:
    rest = (1 - confidence) / 3
    probabilities = tuple(confidence if x == label else rest for x in MASK_AGE.labels)
    where = box or FaceBox(100, 200, 120, 150)
    return TrackedFace(3, where, label, probabilities, probabilities, is_sure, scheme=MASK_AGE)


def make_result(*faces: TrackedFace, width: int = 640, height: int = 480) -> FrameResult:
    pixels = np.full((height, width, 3), GREY, dtype=np.uint8)
    return FrameResult(Frame(pixels, 0), faces, Timings(1, 1, 1, 1), MASK_AGE)


def test_a_face_is_described_in_words() -> None:
    assert describe_face(make_face()) == "#3 mask, young 93%"
    assert describe_face(make_face("nomask_old")) == "#3 no mask, old 93%"
    assert describe_face(make_face(confidence=0.41, is_sure=False)) == "#3 unsure 41%"


def test_the_status_line_tells_rate_age_stale_and_paused() -> None:
    assert Readout(fps=24.4, age_ms=31.2).text == "24 frames/s   frame age 31 ms"
    assert Readout(stale_s=4.2, age_ms=4200).text == "STALE: no picture for 4 s"
    assert Readout(is_paused=True, message="saved x.jpg").text == "PAUSED   saved x.jpg"


def test_drawing_leaves_the_frame_as_it_was() -> None:
    result = make_result(make_face())
    drawn = draw_result(result)
    assert (result.frame.pixels == GREY).all()
    assert (drawn != GREY).any()


def test_the_box_is_drawn_around_the_face() -> None:
    drawn = draw_result(make_result(make_face("mask_old")))
    assert tuple(drawn[275, 100]) == MASK_AGE["mask_old"].rgb
    assert tuple(drawn[275, 160]) == (GREY, GREY, GREY)


def test_a_mirrored_drawing_mirrors_the_box_and_not_the_words() -> None:
    drawn = draw_result(make_result(make_face("mask_old")), is_mirrored=True)
    assert tuple(drawn[275, 640 - 100]) == MASK_AGE["mask_old"].rgb
    status = slice(440, 480)
    plain = draw_result(make_result(make_face("mask_old")))
    np.testing.assert_array_equal(drawn[status], plain[status])


def test_mask_no_mask_and_unsure_differ_in_shape_too() -> None:
    drawn = [
        draw_result(make_result(face))
        for face in (
            make_face("mask_old"),
            make_face("nomask_old"),
            make_face(is_sure=False),
        )
    ]
    middle_of_left_edge = [tuple(picture[275, 100]) != (GREY,) * 3 for picture in drawn]
    corner = [tuple(picture[200, 100]) != (GREY,) * 3 for picture in drawn]
    left_edge = [int((picture[205:345, 100] != GREY).any(axis=1).sum()) for picture in drawn]
    assert corner == [True, True, True]
    assert middle_of_left_edge[:2] == [True, False]
    assert left_edge[0] > left_edge[2] > 20
    assert left_edge[0] > left_edge[1] > 20


def test_class_colours_are_told_apart_with_every_common_colour_blindness() -> None:
    # Viénot, Brettel and Mollon 1999, on linear RGB: protanopia and deuteranopia.
    simulations = [
        np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
        np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
    ]
    for matrix in simulations:
        seen = [
            np.clip(matrix @ (np.array(color) / 255) ** 2.2, 0, 1) ** (1 / 2.2) * 255
            for color in (each.rgb for each in MASK_AGE)
        ]
        assert min(np.abs(a - b).max() for a, b in combinations(seen, 2)) > 40


@pytest.mark.parametrize(
    "box",
    [
        FaceBox(0, 0, 640, 480),
        FaceBox(600, 0, 40, 40),
        FaceBox(0, 440, 40, 40),
        FaceBox(638, 478, 2, 2),
        FaceBox(-20, -20, 60, 60),
    ],
)
def test_a_face_at_any_edge_gets_its_tag_within_the_picture(box: FaceBox) -> None:
    drawn = draw_result(make_result(make_face("nomask_young", box)))
    tag = (drawn == MASK_AGE["nomask_young"].rgb).all(axis=2)
    assert drawn.shape == (480, 640, 3)
    assert tag.sum() > 1000


def test_a_small_picture_is_enlarged_until_its_text_can_be_read() -> None:
    assert drawn_size(640, 480) == (640, 480)
    assert drawn_size(388, 218) == (776, 436)
    assert drawn_size(1, 1) == (8, 8)
    assert draw_result(make_result(width=388, height=218)).shape == (436, 776, 3)


def test_the_notice_on_age_is_always_there() -> None:
    drawn = draw_result(make_result())
    assert (drawn[455:480] > 200).any()
    assert "Age" in AGE_NOTICE


def test_long_notices_are_broken_into_lines() -> None:
    lines = wrap("one two three four five six seven eight", 16, 120)
    assert len(lines) > 1
    assert " ".join(lines) == "one two three four five six seven eight"


def count_rows(drawn: RgbImage, label: str, left: int, width: int) -> int:
    """Rows of a strip of a drawing that hold a tag of a class from side to side."""
    strip = (drawn[:, left : left + width] == MASK_AGE[label].rgb).all(axis=2)
    return int(strip.all(axis=1).sum())


def test_a_tag_gives_way_to_another_face() -> None:
    above = make_face("mask_old", FaceBox(200, 150, 120, 110))
    beneath = make_face("nomask_old", FaceBox(205, 265, 115, 110))
    alone = draw_result(make_result(beneath))
    together = draw_result(make_result(above, beneath))
    # Alone its tag lies above its box, over what would be the other face's chin.
    assert count_rows(alone[200:265], "nomask_old", 210, 4) > 0
    assert count_rows(together[152:260], "nomask_old", 210, 4) == 0
    assert count_rows(together[376:], "nomask_old", 210, 4) > 0


def test_a_face_that_fills_the_picture_keeps_its_words() -> None:
    close = make_face("mask_old", FaceBox(10, 10, 620, 460))
    (tag,) = place_tags(make_result().frame.pixels, [close], [close.box], None)
    assert tag.words == "#3 mask, old 93%"


def test_a_face_far_off_moves_no_tag() -> None:
    near = make_face("mask_old", FaceBox(200, 200, 160, 180))
    far = make_face("nomask_old", FaceBox(240, 165, 24, 28))
    drawn = draw_result(make_result(near, far))
    assert count_rows(drawn[150:199], "mask_old", 205, 4) > 0


def test_in_a_crowd_only_the_number_stands_where_the_words_would_hide_others() -> None:
    row = [make_face("mask_old", FaceBox(40 + 70 * n, 200, 60, 70)) for n in range(8)]
    drawn = draw_result(make_result(*row))
    is_tag = (drawn[:300] == MASK_AGE["mask_old"].rgb).all(axis=2)
    covered = [is_tag[204:266, face.box.x + 5 : face.box.x + 55].mean() for face in row]
    assert max(covered) < 0.05
    tags = place_tags(drawn, row, [face.box for face in row], None)
    assert {tag.words for tag in tags} == {"#3", "#3 mask, old 93%"}
    for at, tag in enumerate(tags):
        others = [each.place for each in tags[:at]] + [f.box for f in row if f is not row[at]]
        hidden = sum(tag.place.overlap(other) for other in others)
        assert tag.words == "#3" or hidden <= 0.1 * tag.place.width * tag.place.height
