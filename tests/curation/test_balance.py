from collections import Counter

import numpy as np

from collector.records import Label
from curation.augment import make_pipeline, vary_photo
from curation.balance import MAX_VARIANTS, plan_variants
from curation.plan import PlannedPhoto
from tests.conftest import draw_noise


def planned(label: Label, count: int, split: str = "train") -> list[PlannedPhoto]:
    return [
        PlannedPhoto(f"{label}/{split}{k}.png", label, kept=True, group=f"g{k}", split=split)
        for k in range(count)
    ]


def test_every_class_reaches_the_largest_and_parents_take_turns() -> None:
    photos = planned(Label.MASK_OLD, 4) + planned(Label.MASK_YOUNG, 13)
    variants = plan_variants([*photos, *planned(Label.MASK_OLD, 9, "val")], seed=1)
    assert len(variants) == 9
    turns = Counter(variant.parent for variant in variants)
    assert sorted(turns.values()) == [2, 2, 2, 3]
    assert all(variant.split == "train" and variant.kept for variant in variants)
    assert {variant.path for variant in variants if "train0" in variant.path} >= {
        "mask_old/train0__aug1.jpg",
        "mask_old/train0__aug2.jpg",
    }


def test_a_photo_gets_only_so_many_variants() -> None:
    photos = planned(Label.MASK_OLD, 2) + planned(Label.MASK_YOUNG, 100)
    assert len(plan_variants(photos, seed=1)) == 2 * MAX_VARIANTS


def test_variant_names_are_free() -> None:
    taken = PlannedPhoto(
        "mask_old/train0__AUG1.jpg", Label.MASK_OLD, kept=False, reason="unreadable: x"
    )
    twin = PlannedPhoto("mask_old/train0.jpg", Label.MASK_OLD, kept=True, split="train")
    photos = [*planned(Label.MASK_OLD, 1), taken, twin, *planned(Label.MASK_YOUNG, 4)]
    paths = [variant.path for variant in plan_variants(photos, seed=1)]
    assert sorted(paths) == ["mask_old/train0__aug2.jpg", "mask_old/train0__aug3.jpg"]


def test_a_balanced_dataset_needs_no_variants() -> None:
    assert plan_variants(planned(Label.MASK_OLD, 3) + planned(Label.MASK_YOUNG, 3), 1) == []


def test_a_variant_depends_on_its_seed_only() -> None:
    pixels = draw_noise(4, 80)[:60]
    pipeline = make_pipeline()
    first = vary_photo(pipeline, pixels, "1 a")
    vary_photo(pipeline, pixels, "1 b")
    assert np.array_equal(vary_photo(pipeline, pixels, "1 a"), first)
    assert np.array_equal(vary_photo(make_pipeline(), pixels, "1 a"), first)
    assert not np.array_equal(vary_photo(pipeline, pixels, "1 b"), first)
    assert first.shape == pixels.shape
    assert first.dtype == np.uint8


def test_variants_stay_close_to_their_photo() -> None:
    """Nothing is cut out or painted over: half of the pixels change by little in every variant."""
    pixels = draw_noise(4, 96)
    pipeline = make_pipeline()
    for number in range(40):
        varied = vary_photo(pipeline, pixels, str(number)).astype(int)
        changes = [
            np.median(np.abs(varied - shown.astype(int))) for shown in (pixels, pixels[:, ::-1])
        ]
        assert min(changes) < 60
