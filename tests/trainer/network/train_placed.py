"""A few steps of a tiny network on the hardware that is asked for; a program for tests to run.

    python train_placed.py CURATED FOLDER HARDWARE ... [--logical-cpus 1]

HARDWARE is "1:float32", "2:mixed": so many devices, and a precision. For each, and for fine_tune
and scratch, FOLDER/scratch-1-float32.npz gets the plain network's weights, how far they moved, its
logits of the validation photos, each epoch's loss, and the photos this process drew.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from maskage.classes.ready_made import MASK_AGE
from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.records import RgbImage
from trainer.data.dataset import TrainingPhotos, read_training_photos
from trainer.data.pixels import PixelReader
from trainer.fit.callbacks import PhaseHooks
from trainer.fit.phases import NetworkPhase
from trainer.fit.validation import predict_logits
from trainer.network.backbones import (
    BACKBONES,
    Network,
    build_around,
    open_upper_blocks,
    prepare_scratch,
)
from trainer.network.backend import backend_name, keras
from trainer.network.devices import choose_hardware
from trainer.network.head import EpochFigures
from trainer.recipe import load_recipe, with_overrides

EPOCHS = 2
SIZE = 32
PHASES = ("fine_tune", "scratch")

_RECIPE = with_overrides(load_recipe("mobilenetv2"), image_size=SIZE)


class RecordingReader(PixelReader):
    """Notes the training photos that are read, in order."""

    def __init__(self) -> None:
        super().__init__(SIZE)
        self.drawn: list[str] = []

    def read(self, photo: CuratedPhoto) -> RgbImage:
        if "train" in photo.path.parts:
            self.drawn.append(f"{photo.path.parent.name}/{photo.path.name}")
        return super().read(photo)


def build_tiny() -> Network:
    """Two blocks with batch norm; the second is what fine-tuning opens."""
    layers = keras.layers
    images = keras.Input((SIZE, SIZE, 3))
    maps: Any = images
    for number, filters in ((1, 8), (2, 16)):
        maps = layers.Conv2D(filters, 3, strides=2, name=f"conv{number}")(maps)
        maps = layers.BatchNormalization(name=f"norm{number}")(maps)
        maps = layers.ReLU(name=f"block{number}")(maps)
    row = replace(
        BACKBONES["mobilenetv2"], open_from="conv2", side_heads=("block1",), branch_norms=("norm2",)
    )
    return build_around(keras.Model(images, maps), row, _RECIPE, MASK_AGE)


def train(photos: TrainingPhotos, phase: str, devices: str, precision: str, out: Path) -> None:
    """Train the same network, with the same batches, and write what came of it."""
    hardware = choose_hardware(devices, precision)
    keras.utils.set_random_seed(1)
    network = build_tiny()
    before = network.logits.get_weights()
    figures: list[EpochFigures] = []
    reader, val = RecordingReader(), photos.val.photos
    with hardware.place(network, build_tiny) as placed:
        is_scratch = phase == "scratch"
        (prepare_scratch if is_scratch else open_upper_blocks)(placed)
        before = placed.logits.get_weights()
        # Side heads begin at random too.
        keras.utils.set_random_seed(2)
        NetworkPhase(
            placed,
            # Dropout draws other numbers on each device.
            replace(
                getattr(_RECIPE, phase),
                epochs=EPOCHS,
                batch_size=16,
                dropout=0.0,
                learning_rate=1e-2,
            ),
            label_smoothing=0.1,
            is_scratch=is_scratch,
            seed=1,
            checkpoint=out.with_suffix(".weights.h5"),
            class_weights=photos.class_weights,
        ).run(photos.train.photos, val, reader, PhaseHooks(figures.append))
    after = network.logits.get_weights()
    np.savez(
        out,
        *after,
        moved=max(float(np.abs(a - b).max()) for a, b in zip(after, before, strict=True)),
        logits=predict_logits(network, val, reader),
        losses=[each.loss for each in figures],
        hardware=str(hardware),
        drawn=reader.drawn,
    )  # fmt: skip


def divide_cpu(parts: int) -> None:
    """Let TensorFlow have so many devices on the CPU."""
    import tensorflow

    config = tensorflow.config
    config.set_logical_device_configuration(
        config.list_physical_devices("CPU")[0], [config.LogicalDeviceConfiguration()] * parts
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("curated", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("hardware", nargs="+")
    parser.add_argument("--logical-cpus", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.logical_cpus > 1 and backend_name() == "tensorflow":
        divide_cpu(arguments.logical_cpus)
    photos = read_training_photos(arguments.curated)
    for hardware in arguments.hardware:
        devices, precision = hardware.split(":")
        for phase in PHASES:
            out = arguments.folder / f"{phase}-{devices}-{precision}.npz"
            train(photos, phase, devices, precision, out)


if __name__ == "__main__":
    main()
