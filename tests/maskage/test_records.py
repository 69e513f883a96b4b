import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import AGE, MASK, NONE, OLD, WORN
from maskage.records import FaceBox, Frame


def test_class_order_is_that_of_the_folders() -> None:
    assert [str(label) for label in MASK_AGE.labels] == [
        "mask_old",
        "mask_young",
        "nomask_old",
        "nomask_young",
    ]
    assert sorted(MASK_AGE.labels) == list(MASK_AGE.labels)


def test_a_label_knows_its_two_factors() -> None:
    assert [MASK_AGE.has(label, MASK, WORN) for label in MASK_AGE.labels] == [
        True,
        True,
        False,
        False,
    ]
    assert [MASK_AGE.has(label, AGE, OLD) for label in MASK_AGE.labels] == [
        True,
        False,
        True,
        False,
    ]
    assert MASK_AGE.find({MASK: NONE, AGE: OLD}) == "nomask_old"
    assert MASK_AGE.title("nomask_young") == "no mask, young"


def test_overlap_of_boxes() -> None:
    box = FaceBox(0, 0, 10, 10)
    assert box.overlap(FaceBox(5, 8, 10, 10)) == FaceBox(5, 8, 10, 10).overlap(box) == 10
    assert box.overlap(FaceBox(2, 3, 4, 5)) == 20
    assert box.overlap(FaceBox(10, 0, 10, 10)) == box.overlap(FaceBox(0, 10, 10, 10)) == 0
    assert FaceBox(-5, -5, 5, 20).overlap(box) == 0


def test_iou_of_boxes() -> None:
    box = FaceBox(0, 0, 10, 10)
    assert box.iou(box) == 1.0
    assert box.iou(FaceBox(5, 0, 10, 10)) == pytest.approx(50 / 150)
    assert box.iou(FaceBox(10, 0, 10, 10)) == 0.0


def test_an_empty_box_and_a_grey_frame_are_refused() -> None:
    with pytest.raises(ValueError, match="0x5"):
        FaceBox(0, 0, 0, 5)
    with pytest.raises(ValueError, match="RGB"):
        Frame(np.zeros((4, 4), np.uint8), 0)
