"""Both checks of labels, merged: the factor, the reason, the class suggested, and the cost."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from curation.labels.check import Doubt
from curation.labels.face_views import MaskState
from curation.labels.factor_check import LabelledPhotos, has_masks, merge_doubts
from curation.labels.wearing import STATES, WearingFigures
from maskage.classes.ready_made import MASK_AGE, READY_MADE, plain_scheme
from maskage.classes.scheme import Scheme
from maskage.records import RgbImage, Suggestion


def read_nothing(index: int) -> RgbImage:
    raise AssertionError(f"photo {index} was read")


def photos_of(
    labels: Sequence[str], scheme: Scheme = MASK_AGE, groups: Sequence[int] | None = None
) -> LabelledPhotos:
    return LabelledPhotos(labels, groups or list(range(len(labels))), scheme, read_nothing)


def figures_of(*photos: Mapping[MaskState, float]) -> WearingFigures:
    return WearingFigures(
        {
            index: np.array([states.get(state, 0.0) for state in STATES])
            for index, states in enumerate(photos)
        }
    )


NOSE_OUT = {MaskState.WORN: 0.125, MaskState.NOSE_OUT: 0.625, MaskState.BARE: 0.25}
WORN = {MaskState.WORN: 0.75, MaskState.NOSE_OUT: 0.25}


def test_a_nose_that_is_out_moves_the_photo_to_the_class_without_a_mask() -> None:
    found = merge_doubts(photos_of(["mask_old", "mask_young"]), (), figures_of(NOSE_OUT, WORN))
    assert list(found) == [0]
    assert found[0].label == "nomask_old"
    assert found[0].reason == "mask? nose seems out"


def test_where_the_scheme_knows_misworn_masks_that_class_is_suggested() -> None:
    chin = {MaskState.ON_CHIN: 0.9, MaskState.WORN: 0.1}
    bare = {MaskState.BARE: 0.9, MaskState.WORN: 0.1}
    scheme = READY_MADE["mask-state"]
    found = merge_doubts(photos_of(["worn", "worn"], scheme), (), figures_of(chin, bare))
    assert [(each.label, each.reason) for each in found.values()] == [
        ("misworn", "mask? seems on the chin"),
        ("none", "mask? seems not there"),
    ]


def test_a_doubt_of_the_age_names_its_factor_and_keeps_the_mask() -> None:
    doubt = Doubt(0, "mask_old", 0.8, 0.1, 0.6)
    (found,) = merge_doubts(photos_of(["mask_young"]), [doubt], figures_of(WORN)).values()
    assert (found.label, found.reason) == ("mask_old", "age? seems old")
    assert found.confidence == 0.6


def test_a_mask_that_looks_a_little_wrong_is_seldom_wrong() -> None:
    # Of 17 photos at 0.5 to 0.6 three were wrong, of 24 above 0.9 all but one.
    looks = [{MaskState.WORN: 1 - p, MaskState.NOSE_OUT: p} for p in (0.54, 0.56, 0.95)]
    found = merge_doubts(photos_of(["mask_old"] * 3), (), figures_of(*looks))
    assert list(found) == [1, 2]
    assert found[1].confidence == pytest.approx(0.22, abs=0.02)
    assert found[2].confidence == pytest.approx(0.94, abs=0.02)


def test_more_is_asked_where_no_mask_seems_to_be_there() -> None:
    looks = [{MaskState.WORN: 1 - p, MaskState.BARE: p} for p in (0.8, 0.9)]
    found = merge_doubts(photos_of(["mask_old"] * 2), (), figures_of(*looks))
    assert {index: each.reason for index, each in found.items()} == {1: "mask? seems not there"}


def test_doubts_of_mask_and_age_are_merged_into_one_suggestion() -> None:
    doubt = Doubt(0, "mask_old", 0.8, 0.1, 0.6)
    (found,) = merge_doubts(photos_of(["mask_young"]), [doubt], figures_of(NOSE_OUT)).values()
    assert (found.label, found.reason) == ("nomask_old", "mask? nose seems out; age? seems old")
    of_both = Doubt(0, "nomask_old", 0.8, 0.1, 0.6)
    (found,) = merge_doubts(photos_of(["mask_young"]), [of_both], figures_of(NOSE_OUT)).values()
    assert (found.label, found.reason) == ("nomask_old", "mask? nose seems out; age? seems old")


def test_plain_classes_have_no_factor_to_name() -> None:
    scheme = plain_scheme(["cat", "dog"])
    doubt = Doubt(0, "dog", 0.8, 0.1, 0.6)
    (found,) = merge_doubts(photos_of(["cat"], scheme), [doubt], WearingFigures({})).values()
    assert (found.label, found.reason) == ("dog", None)
    assert not has_masks(scheme)
    assert has_masks(MASK_AGE)


def test_a_wrong_burst_costs_more_than_a_photo_and_a_small_class_more_than_a_large_one() -> None:
    labels = ["mask_old"] * 4 + ["mask_young"] * 8
    groups = [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    doubts = [Doubt(index, "nomask_old", 0.75, 0.1, 0.5) for index in (0, 1, 2, 4)]
    found = merge_doubts(photos_of(labels, groups=groups), doubts, WearingFigures({}))
    costs = {index: each.cost for index, each in found.items()}
    assert costs[0] == costs[1] == pytest.approx(2 * (costs[2] or 0))
    assert costs[2] == pytest.approx(2 * (costs[4] or 0))


def test_no_photos_have_no_doubts() -> None:
    assert merge_doubts(photos_of([]), (), WearingFigures({})) == {}
    assert Suggestion("a", 0.5).reason is None
