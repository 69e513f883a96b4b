"""Masks are planned for faces that can get one, and the others are counted."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from curation.masks.painting import Wearing
from curation.plan.mask_plan import PaintedMasks, plan_painted_masks
from curation.plan.plan import PlannedPhoto
from curation.settings import PaintingSettings
from maskage.classes.ready_made import MASK_AGE, READY_MADE
from maskage.classes.scheme import MASK, MISWORN, NONE, WORN, Scheme

pytestmark = pytest.mark.usefixtures("shared")


def paths_of(shared: Path, folder: str, worn: Sequence[str], count: int) -> list[str]:
    """Return some photos of a class that wear their mask in one of some ways, "" for none."""
    with (shared / "faces" / "labels.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["path"].startswith(f"{folder}/")]
    found = [row["path"] for row in rows if row["mask_worn"] in worn]
    return found[:: max(1, len(found) // count)][:count]


def plan(shared: Path, paths: Sequence[str], scheme: Scheme = MASK_AGE) -> PaintedMasks:
    """Return the painted masks of photos that are all in train."""
    photos = [
        PlannedPhoto(path=path, label=path.split("/")[0], kept=True, group=path, split="train")
        for path in paths
    ]
    model = shared / "weights" / "face_detection_yunet_2026may.onnx"
    settings = PaintingSettings(1.0, model)
    return plan_painted_masks(shared / "faces", photos, scheme, settings, seed=3)


def test_a_face_that_wears_a_mask_below_its_nose_gets_no_second_one(shared: Path) -> None:
    misworn = paths_of(shared, "nomask_old", ["nose_out", "chin"], 15)
    masks = plan(shared, [*misworn, *paths_of(shared, "nomask_old", [""], 20)])
    assert masks.covered >= 12
    painted_on = {variant.parent for variant in masks.variants}
    assert len(painted_on & set(misworn)) <= 3
    assert len(painted_on - set(misworn)) >= 16


def test_the_masks_of_photos_are_pulled_where_a_bare_face_can_show(shared: Path) -> None:
    masked = paths_of(shared, "mask_old", ["worn"], 16)
    bare = paths_of(shared, "nomask_old", [""], 12)
    masks = plan(shared, [*masked, *bare])
    pulled = [each for each in masks.variants if each.painting and each.painting.is_pulled]
    assert masks.masked == 16
    assert {each.parent for each in pulled} <= set(masked)
    assert len({each.parent for each in pulled}) == masks.masked - masks.unpulled > 4
    for each in pulled:
        assert each.painting is not None
        assert each.painting.lender is not None
        assert each.painting.lender.path in bare
        is_worn = each.painting.wearing is Wearing.WORN
        assert each.label == ("mask_old" if is_worn else "nomask_old")
    assert masks == plan(shared, [*bare, *masked])


def test_no_mask_is_pulled_where_no_bare_face_of_that_age_is_in_train(shared: Path) -> None:
    masked = paths_of(shared, "mask_old", ["worn"], 6)
    masks = plan(shared, [*masked, *paths_of(shared, "nomask_young", [""], 4)])
    assert masks.unpulled == masks.masked == 6
    assert not any(each.painting and each.painting.is_pulled for each in masks.variants)


@pytest.mark.parametrize("name", sorted(READY_MADE))
def test_every_ready_made_scheme_gets_the_class_that_a_way_of_wearing_means(
    shared: Path, name: str
) -> None:
    scheme = READY_MADE[name]
    if not (scheme.labels_with(MASK, NONE) and scheme.labels_with(MASK, WORN)):
        pytest.skip("The scheme has no classes of bare and of masked faces.")
    photos = []
    for value, folder, worn in ((NONE, "nomask_young", ""), (WORN, "mask_young", "worn")):
        for label in scheme.labels_with(MASK, value):
            paths = paths_of(shared, folder, [worn], 14)
            photos += [
                PlannedPhoto(path=path, label=label, kept=True, group=path, split="train")
                for path in paths
            ]
    model = shared / "weights" / "face_detection_yunet_2026may.onnx"
    settings = PaintingSettings(1.0, model)
    masks = plan_painted_masks(shared / "faces", photos, scheme, settings, seed=3)
    wrong = MISWORN if MISWORN in scheme.factors[MASK] else NONE
    assert {each.painting.wearing for each in masks.variants if each.painting} == set(Wearing)
    for each in masks.variants:
        assert each.painting is not None
        is_worn = each.painting.wearing is Wearing.WORN
        assert scheme.has(each.label, MASK, WORN if is_worn else wrong), each.path
