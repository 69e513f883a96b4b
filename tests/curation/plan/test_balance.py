from collections import Counter

import numpy as np

from curation.build.augment import make_pipeline, vary_photo
from curation.masks.painting import MaskPainting, Wearing
from curation.plan.balance import choose_drops, plan_variants, weigh_classes
from curation.plan.plan import PlannedPhoto
from curation.plan.variants import variant_of
from curation.settings import AUGMENT, MAX_VARIANTS, CurationSettings
from maskage.classes.ready_made import MASK_AGE
from maskage.faces.finder import FaceLandmarks
from maskage.records import FaceBox
from tests.conftest import draw_noise

LABELS = MASK_AGE.labels
EVEN = CurationSettings(balance=AUGMENT, seed=1)


def planned(label: str, count: int, split: str = "train") -> list[PlannedPhoto]:
    return [
        PlannedPhoto(f"{label}/{split}{k}.png", label, kept=True, group=f"g{k}", split=split)
        for k in range(count)
    ]


def test_every_class_reaches_the_largest_and_parents_take_turns() -> None:
    photos = planned("mask_old", 4) + planned("mask_young", 13)
    variants = plan_variants([*photos, *planned("mask_old", 9, "val")], LABELS, EVEN)
    assert len(variants) == 9
    turns = Counter(variant.parent for variant in variants)
    assert sorted(turns.values()) == [2, 2, 2, 3]
    assert all(variant.split == "train" and variant.kept for variant in variants)
    assert {variant.path for variant in variants if "train0" in variant.path} >= {
        "mask_old/train0__aug1.jpg",
        "mask_old/train0__aug2.jpg",
    }


def test_a_photo_gets_only_so_many_variants() -> None:
    photos = planned("mask_old", 2) + planned("mask_young", 100)
    assert len(plan_variants(photos, LABELS, EVEN)) == 2 * MAX_VARIANTS


def test_variant_names_are_free() -> None:
    taken = PlannedPhoto(
        "mask_old/train0__AUG1.jpg", "mask_old", kept=False, reason="unreadable: x"
    )
    twin = PlannedPhoto("mask_old/train0.jpg", "mask_old", kept=True, split="train")
    photos = [*planned("mask_old", 1), taken, twin, *planned("mask_young", 4)]
    paths = [variant.path for variant in plan_variants(photos, LABELS, EVEN)]
    assert sorted(paths) == ["mask_old/train0__aug2.jpg", "mask_old/train0__aug3.jpg"]


def test_painted_masks_count_but_are_no_parents() -> None:
    photos = planned("mask_old", 2) + planned("mask_young", 8)
    landmarks = FaceLandmarks(FaceBox(0, 0, 9, 9), (4, 2), (4, 4), (4, 6))
    painted = [
        variant_of(
            photos[-1],
            f"mask_old/worn{number}.jpg",
            "mask_old",
            MaskPainting(Wearing.WORN, landmarks),
        )
        for number in range(3)
    ]
    variants = plan_variants([*photos, *painted], LABELS, EVEN)
    turns = Counter(variant.parent for variant in variants)
    assert sorted(turns.values()) == [1, 2]
    assert set(turns) == {"mask_old/train0.png", "mask_old/train1.png"}


def test_a_balanced_dataset_needs_no_variants() -> None:
    assert plan_variants(planned("mask_old", 3) + planned("mask_young", 3), LABELS, EVEN) == []


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


def test_every_class_grows_to_the_number_asked_for() -> None:
    photos = [*planned("mask_old", 4), *planned("mask_young", 13)]
    grown = Counter(p.label for p in plan_variants(photos, LABELS, CurationSettings(expand=20)))
    assert grown == {"mask_old": 16, "mask_young": 7}
    few = Counter(p.label for p in plan_variants(photos, LABELS, CurationSettings(expand=10)))
    assert few == {"mask_old": 6}
    both = CurationSettings(expand=10, balance=AUGMENT)
    assert Counter(p.label for p in plan_variants(photos, LABELS, both)) == {"mask_old": 9}
    capped = CurationSettings(expand=20, max_variants=2)
    assert (
        Counter(p.parent for p in plan_variants(photos, LABELS, capped)).most_common(1)[0][1] == 2
    )


def test_what_is_dropped_is_the_worst_of_who_has_most_and_everybody_keeps_their_best() -> None:
    large = [
        PlannedPhoto(f"mask_old/{group}{k}.jpg", "mask_old", True, group=group, split="train")
        for group, count in (("a", 6), ("b", 2), ("c", 1))
        for k in range(count)
    ]
    small = [photo for label in MASK_AGE.labels[1:] for photo in planned(label, 4)]
    val = planned("mask_old", 3, "val")
    # The last letter of a name says its rank, but for b, whose second photo is its best.
    rank = {photo.path: int(photo.path[-5]) for photo in [*large, *small, *val]}
    rank["mask_old/b0.jpg"], rank["mask_old/b1.jpg"] = 9, 0
    dropped = [photo.path for photo in choose_drops([*large, *small, *val], LABELS, rank)]
    assert dropped == [f"mask_old/{name}.jpg" for name in ("a2", "a3", "a4", "a5", "b0")]


def test_all_classes_count_alike_and_a_handful_does_not_lead() -> None:
    counts = dict(zip(MASK_AGE.labels, (100, 50, 25, 25), strict=True))
    weights = weigh_classes(counts)
    assert len({round(weights[label] * counts[label], 9) for label in MASK_AGE.labels}) == 1
    assert sum(weights[label] * counts[label] for label in MASK_AGE.labels) == 200
    few = weigh_classes(dict(zip(MASK_AGE.labels, (1, 100, 100, 100), strict=True)))
    assert few[MASK_AGE.labels[0]] / few[MASK_AGE.labels[1]] < 6
