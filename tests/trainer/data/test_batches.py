"""Which photos an epoch draws, where there are variants that it need not draw each time."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.formats.curated.curated_set import CuratedPhoto
from trainer.data.augment import Augmenter, vary_framing
from trainer.data.batches import TrainingBatches
from trainer.data.dataset import count_variants, photos_per_epoch, read_training_photos
from trainer.data.pixels import PixelReader


def draw(photos: list[CuratedPhoto], epochs: int, *, first: int = 0, drawn: int) -> list[list[int]]:
    """Return the places of the photos that each epoch draws, in order."""
    batches = TrainingBatches(
        photos,
        PixelReader(32),
        batch_size=2,
        scheme=MASK_AGE,
        weights=np.ones(4, np.float32),
        augment=Augmenter(vary_framing),
        seed=3,
        epoch_photos=drawn,
        first_epoch=first,
    )
    orders = []
    try:
        for _ in range(epochs):
            assert len(batches) == drawn // 2
            orders.append([int(at) for at in batches._order])
            batches.on_epoch_end()
    finally:
        batches.close()
    return orders


@pytest.fixture
def photos(curated: Path) -> list[CuratedPhoto]:
    return list(read_training_photos(curated).train.photos[:9])


def test_no_photo_is_drawn_again_before_all_were(photos: list[CuratedPhoto]) -> None:
    orders = draw(photos, 9, drawn=4)
    assert [len(order) for order in orders] == [4] * 9
    whole = [at for order in orders for at in order]
    for first in range(0, len(whole), 9):
        assert sorted(whole[first : first + 9]) == list(range(9))
    assert whole[:9] != whole[9:18]
    assert Counter(whole) == dict.fromkeys(range(9), 4)


def test_a_training_that_continues_draws_what_it_would_have_drawn(
    photos: list[CuratedPhoto],
) -> None:
    assert draw(photos, 2, first=3, drawn=4) == draw(photos, 5, drawn=4)[3:]


def test_without_variants_an_epoch_draws_every_photo(photos: list[CuratedPhoto]) -> None:
    for order in draw(photos, 2, drawn=len(photos)):
        assert sorted(order) == list(range(9))


@pytest.mark.parametrize(
    ("photographed", "variants", "expected"),
    [(100, 0, 100), (100, 60, 100), (100, 100, 100), (10, 91, 51), (0, 3, 2), (0, 0, 0)],
)
def test_variants_take_turns_with_the_photos(
    photographed: int, variants: int, expected: int
) -> None:
    assert photos_per_epoch(photographed, variants) == expected


def test_variants_are_counted_by_the_photo_that_they_were_made_from(
    photos: list[CuratedPhoto],
) -> None:
    varied = [replace(photo, parent="a/b.jpg") for photo in photos[:4]]
    assert count_variants([*photos, *varied]) == 4
