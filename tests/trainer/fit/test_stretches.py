"""First epochs on smaller photos, and a training that continues before, at and after the change."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from maskage.classes.ready_made import MASK_AGE
from trainer.data.augment import Augmenter, vary_framing
from trainer.data.batches import TrainingBatches
from trainer.data.dataset import read_training_photos
from trainer.data.pixels import PixelReader
from trainer.fit import phases
from trainer.fit.callbacks import PhaseHooks
from trainer.fit.phases import NetworkPhase, Stretch
from trainer.network.backbones import BACKBONES, Network, build_around, open_upper_blocks
from trainer.network.backend import keras
from trainer.network.head import EpochFigures
from trainer.network.training_state import PhaseState
from trainer.recipe import Phase, load_recipe, with_overrides

SIZE, EARLY = 64, 32
PHASE = Phase(
    epochs=4,
    batch_size=16,
    learning_rate=0.01,
    weight_decay=0.01,
    patience=4,
    dropout=0.5,
    early_share=0.5,
    early_scale=0.5,
)


def build_small() -> Network:
    """Three layers and batch norm, the last of which is what fine-tuning opens."""
    layers = keras.layers
    maps: Any = keras.Input((SIZE, SIZE, 3))
    images = maps
    for number in (1, 2):
        maps = layers.Conv2D(8 * number, 3, strides=2, name=f"conv{number}")(maps)
        maps = layers.BatchNormalization(name=f"norm{number}")(maps)
        maps = layers.ReLU(name=f"block{number}")(maps)
    row = replace(BACKBONES["mobilenetv2"], open_from="conv2")
    recipe = with_overrides(load_recipe("mobilenetv2"), image_size=SIZE)
    return build_around(keras.Model(images, maps), row, recipe, MASK_AGE)


def make_phase(curated: Path, checkpoint: Path, phase: Phase, network: Network) -> NetworkPhase:
    return NetworkPhase(
        network,
        phase,
        label_smoothing=0.05,
        is_scratch=False,
        seed=4,
        checkpoint=checkpoint,
        class_weights=read_training_photos(curated).class_weights,
    )


def train(
    curated: Path,
    folder: Path,
    phase: Phase,
    start: PhaseState | None = None,
    stop_after: int | None = None,
) -> tuple[list[NDArray[np.float32]], list[PhaseState], list[EpochFigures]]:
    """Fine-tune; return the weights of the best epoch, the states and the figures."""
    photos = read_training_photos(curated)
    # Another seed where it continues: nothing of the end may depend on it.
    keras.utils.set_random_seed(1 if start is None else 99)
    network = build_small()
    open_upper_blocks(network)
    states: list[PhaseState] = []
    figures: list[EpochFigures] = []
    hooks = PhaseHooks(
        on_epoch=figures.append,
        on_state=states.append,
        should_stop=lambda: stop_after is not None and len(figures) >= stop_after,
    )
    run = make_phase(curated, folder / "best.weights.h5", phase, network)
    run.run(photos.train.photos, photos.val.photos, PixelReader(SIZE), hooks, start=start)
    return network.weights, states, figures


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sides of the images of each batch that a training was given, in order."""
    seen: list[int] = []

    class Watched(TrainingBatches):
        def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
            batch = super().__getitem__(index)
            seen.append(batch[0].shape[1])
            return batch

    monkeypatch.setattr(phases, "TrainingBatches", Watched)
    return seen


def test_first_epochs_have_smaller_photos_and_the_others_full_ones(
    curated: Path, tmp_path: Path, sizes: list[int]
) -> None:
    _, _, figures = train(curated, tmp_path, PHASE)
    assert [each.epoch for each in figures] == [1, 2, 3, 4]
    half = len(sizes) // 2
    assert set(sizes[:half]) == {EARLY}
    assert set(sizes[half:]) == {SIZE}


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_training_continues_exactly_on_both_sides_of_the_change(
    epoch: int, curated: Path, tmp_path: Path
) -> None:
    whole, states, figures = train(curated, tmp_path, PHASE)
    resumed, _, later = train(curated, tmp_path, PHASE, start=states[epoch - 1])
    assert later == figures[epoch:]
    for one, other in zip(whole, resumed, strict=True):
        assert np.array_equal(one, other)


def test_the_rate_falls_on_through_the_change(curated: Path, tmp_path: Path) -> None:
    _, _, small = train(curated, tmp_path, PHASE)
    _, _, full = train(curated, tmp_path, replace(PHASE, early_share=0.0))
    assert [each.learning_rate for each in small] == [each.learning_rate for each in full]


def test_a_stop_in_the_smaller_epochs_does_not_go_on_with_full_ones(
    curated: Path, tmp_path: Path
) -> None:
    _, _, figures = train(curated, tmp_path, PHASE, stop_after=1)
    assert [each.epoch for each in figures] == [1, 2]


@pytest.mark.parametrize(
    ("phase", "done", "expected"),
    [
        (PHASE, 0, [Stretch(32, 0, 2), Stretch(64, 2, 4)]),
        (PHASE, 1, [Stretch(32, 1, 2), Stretch(64, 2, 4)]),
        (PHASE, 2, [Stretch(64, 2, 4)]),
        (PHASE, 4, [Stretch(64, 4, 4)]),
        (replace(PHASE, early_share=0.0), 0, [Stretch(64, 0, 4)]),
        # 0.9 of 64 px rounds to 64.
        (replace(PHASE, early_scale=0.9), 0, [Stretch(64, 0, 4)]),
        # Never under what the backbone takes.
        (replace(PHASE, early_scale=0.1), 0, [Stretch(32, 0, 2), Stretch(64, 2, 4)]),
        (replace(PHASE, epochs=1), 0, [Stretch(64, 0, 1)]),
    ],
)
def test_stretches_follow_from_the_recipe(
    phase: Phase, done: int, expected: list[Stretch], curated: Path, tmp_path: Path
) -> None:
    made = make_phase(curated, tmp_path / "best.weights.h5", phase, build_small())
    assert made._stretches(done) == expected


def test_variants_add_no_steps(curated: Path, tmp_path: Path, sizes: list[int]) -> None:
    photos = read_training_photos(curated)
    own = list(photos.train.photos)
    varied = [replace(photo, parent=photo.path.name) for photo in own]
    steps = []
    for each in (own, [*own, *varied]):
        network = build_small()
        open_upper_blocks(network)
        run = make_phase(curated, tmp_path / "best.weights.h5", PHASE, network)
        sizes.clear()
        run.run(each, photos.val.photos, PixelReader(SIZE), PhaseHooks(lambda figures: None))
        steps.append(len(sizes))
    assert steps[0] == steps[1] > 0


@pytest.mark.parametrize(
    ("first", "end", "expected"), [(0, 4, 2.5), (0, 1, 0.25), (1, 3, 1.25), (2, 4, 2.0), (4, 4, 0)]
)
def test_an_early_epoch_is_less_work(first: int, end: int, expected: float) -> None:
    assert PHASE.work_of(first, end) == expected
    assert replace(PHASE, early_share=0.0).work_of(first, end) == end - first


def test_smaller_photos_are_augmented_at_their_own_size(curated: Path) -> None:
    photos = read_training_photos(curated)
    batches = TrainingBatches(
        photos.train.photos,
        PixelReader(SIZE),
        batch_size=4,
        scheme=MASK_AGE,
        weights=photos.class_weights,
        augment=Augmenter(vary_framing),
        seed=1,
        size=EARLY,
    )
    try:
        images, _, _ = batches[0]
    finally:
        batches.close()
    assert images.shape == (4, EARLY, EARLY, 3)


@pytest.mark.parametrize("wrong", [{"early_share": 1.0}, {"early_scale": 0.0}, {"early_scale": 2}])
def test_a_recipe_whose_early_epochs_make_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="early_"):
        replace(PHASE, **wrong)  # type: ignore[arg-type]
