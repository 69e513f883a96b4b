import pytest

from maskage.classes.ready_made import MASK_AGE, READY_MADE, plain_scheme
from maskage.dataset.importing.sources.near_classes import close_classes, sure_class


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Mask_Old", "mask_old"),
        ("maskold", "mask_old"),
        ("MaskOld", "mask_old"),
        ("with mask old", "mask_old"),
        ("masks-old", "mask_old"),
        ("old mask", "mask_old"),
        ("Without Mask, Young", "nomask_young"),
        ("no_mask_young", "nomask_young"),
        ("photos of old faces without mask", "nomask_old"),
    ],
)
def test_a_name_that_is_spelled_like_one_class_is_sure(name: str, label: str) -> None:
    assert sure_class(name, MASK_AGE) == label
    assert close_classes(name, MASK_AGE) == (label,)


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("with_mask", ("mask_old", "mask_young")),
        ("without_mask", ("nomask_old", "nomask_young")),
        ("old", ("mask_old", "nomask_old")),
        ("mask_oldd", ("mask_old", "nomask_old")),
        ("helmet", ()),
        ("train", ()),
        ("", ()),
        ("no", ()),
        ("\N{GRINNING FACE}", ()),
        ("=1+1", ()),
    ],
)
def test_a_name_that_may_be_several_or_none_is_never_sure(
    name: str, close: tuple[str, ...]
) -> None:
    assert sure_class(name, MASK_AGE) is None
    assert close_classes(name, MASK_AGE) == close


def test_a_mask_is_never_taken_for_none() -> None:
    mask = READY_MADE["mask"]
    assert sure_class("with_mask", mask) == "mask"
    assert sure_class("without_mask", mask) == "nomask"
    assert sure_class("non masked", mask) is None


def test_a_name_like_two_classes_is_not_sure() -> None:
    twins = plain_scheme(["Mask", "mask", "other"])
    assert sure_class("MASK", twins) is None
    assert close_classes("MASK", twins) == ("Mask", "mask")
