"""Epochs of fine-tuning where there are variants, and a training that continues after each."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from maskage.classes.ready_made import MASK_AGE
from trainer.data.dataset import read_training_photos
from trainer.data.pixels import PixelReader
from trainer.fit.callbacks import PhaseHooks
from trainer.fit.phases import NetworkPhase
from trainer.network.backbones import BACKBONES, Network, build_around, open_upper_blocks
from trainer.network.backend import keras
from trainer.network.head import EpochFigures
from trainer.network.training_state import PhaseState
from trainer.recipe import Phase, load_recipe, with_overrides

SIZE = 64
PHASE = Phase(
    epochs=4,
    batch_size=16,
    learning_rate=0.01,
    weight_decay=0.01,
    patience=4,
    dropout=0.5,
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
    own = list(photos.train.photos)
    # More than an epoch draws, so that no two epochs draw the same.
    train_photos = [*own, *(replace(photo, parent=photo.path.name) for photo in own[::2])]
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
    run.run(train_photos, photos.val.photos, PixelReader(SIZE), hooks, start=start)
    return network.weights, states, figures


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_training_continues_exactly(epoch: int, curated: Path, tmp_path: Path) -> None:
    whole, states, figures = train(curated, tmp_path, PHASE)
    resumed, _, later = train(curated, tmp_path, PHASE, start=states[epoch - 1])
    assert later == figures[epoch:]
    for one, other in zip(whole, resumed, strict=True):
        assert np.array_equal(one, other)


def test_a_stop_ends_the_epoch_that_was_begun(curated: Path, tmp_path: Path) -> None:
    _, _, figures = train(curated, tmp_path, PHASE, stop_after=1)
    assert [each.epoch for each in figures] == [1, 2]


def test_variants_add_no_steps(curated: Path, tmp_path: Path) -> None:
    photos = read_training_photos(curated)
    own = list(photos.train.photos)
    varied = [replace(photo, parent=photo.path.name) for photo in own]
    taken: list[tuple[int, int]] = []
    hooks = PhaseHooks(lambda _: None, on_step=lambda *step: taken.append(step))
    steps = []
    for each in (own, [*own, *varied]):
        network = build_small()
        open_upper_blocks(network)
        run = make_phase(curated, tmp_path / "best.weights.h5", PHASE, network)
        taken.clear()
        run.run(each, photos.val.photos, PixelReader(SIZE), hooks)
        steps.append(len(taken))
    assert steps[0] == steps[1] > 0
