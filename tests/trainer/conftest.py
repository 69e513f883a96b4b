"""Small drawn datasets that a network can learn, and one small run that many tests look at."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import AGE, MASK, OLD, WORN, PhotoClass, Scheme
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme
from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage
from tests.conftest import make_once


def draw_face(label: str, seed: int, size: int = 64) -> RgbImage:
    """A disc with a light (old) or dark (young) top, and a blue band below where it is masked."""
    chance = np.random.default_rng(seed)
    pixels = np.full((size, size, 3), chance.integers(90, 160, 3), np.uint8)
    middle = (size // 2 + int(chance.integers(-4, 5)), size // 2 + int(chance.integers(-4, 5)))
    cv2.circle(pixels, middle, size // 3, (224, 180, 150), -1)
    hair = (235, 235, 235) if MASK_AGE.has(label, AGE, OLD) else (50, 30, 20)
    cv2.ellipse(pixels, middle, (size // 3, size // 3), 0, 180, 360, hair, -1)
    if MASK_AGE.has(label, MASK, WORN):
        low = (middle[0] - size // 4, middle[1] + 4)
        cv2.rectangle(
            pixels, low, (middle[0] + size // 4, middle[1] + size // 3), (60, 90, 220), -1
        )
    noise = chance.normal(0, 6, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def make_curated(root: Path, train: int = 12, held_out: int = 4) -> Path:
    """Write train, val and test with so many photos a class; returns `root`."""
    for split_number, (split, count) in enumerate(
        (("train", train), ("val", held_out), ("test", held_out))
    ):
        for class_number, label in enumerate(MASK_AGE.labels):
            folder = root / split / label
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = draw_face(label, 10_000 * split_number + 100 * class_number + number)
                (folder / f"{number:03d}.jpg").write_bytes(encode_jpeg(pixels))
    return root


@pytest.fixture(scope="session")
def curated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A curated folder of drawn faces; read only."""
    return make_once(tmp_path_factory, "drawn", lambda at: make_curated(at / "curated")) / "curated"


MOOD = "=mood|"

OWN = Scheme(
    tuple(
        PhotoClass(folder, title, color, factors={"glasses": glasses, MOOD: mood})
        for folder, title, color, glasses, mood in (
            ("=1+1", "no glasses, calm", "#2f8fd0", "off", "calm"),
            ("Mask", "clear <b>, calm", "#e0651f", "clear", "calm"),
            ("mask", "clear, glad", "#1fa884", "clear", "glad"),
            ("smile \U0001f600", "sun, calm", "#d08fb5", "sun", "calm"),
            ("micro", "sun, glad", "#e9dc4a", "sun", "glad"),
        )
    ),
    {"glasses": ("off", "clear", "sun"), MOOD: ("calm", "glad")},
)
"""Classes with odd names, a factor of three values, and a combination that is missing."""


def draw_sign(number: int, seed: int, size: int = 64) -> RgbImage:
    """A disc with a bar, whose height and colours say which class it is."""
    chance = np.random.default_rng(seed)
    pixels = np.full((size, size, 3), chance.integers(90, 160, 3), np.uint8)
    colour = (60 + 45 * (number % 5), 30 + 60 * (number % 4), 220 - 50 * (number % 3))
    cv2.circle(pixels, (size // 2, size // 2), size // 3, (224, 180, 150), -1)
    top = 8 + 7 * (number % 7)
    cv2.rectangle(pixels, (8, top), (size - 8, top + 8), colour, -1)
    noise = chance.normal(0, 6, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def make_own_set(root: Path, scheme: Scheme, train: int = 6, held_out: int = 3) -> Path:
    """Write train, val and test of drawn signs with their classes.toml; returns `root`."""
    for split_number, (split, count) in enumerate(
        (("train", train), ("val", held_out), ("test", held_out))
    ):
        for class_number, label in enumerate(scheme.labels):
            folder = root / split / label
            folder.mkdir(parents=True)
            for number in range(count):
                seed = 10_000 * split_number + 100 * class_number + number
                (folder / f"{number:03d}.jpg").write_bytes(
                    encode_jpeg(draw_sign(class_number, seed))
                )
    (root / CLASSES_FILE).write_text(format_scheme(scheme))
    return root


def write_backbone_weights(path: Path) -> None:
    """Write an .h5 file without top for MobileNetV2 0.35: random, but laid out as Keras does."""
    from trainer.network.backend import keras

    keras.utils.set_random_seed(3)
    network = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(64, 64, 3), alpha=0.35
    )
    # Without running figures that fit, fifty layers leave nothing of a picture.
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    faces = np.stack([draw_face(label, seed) for label in MASK_AGE.labels for seed in range(6)])
    network(faces.astype(np.float32) / 127.5 - 1, training=True)
    network.save_weights(str(path))


@pytest.fixture(scope="session")
def backbone_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of `write_backbone_weights`; read only."""
    name = "small.weights.h5"
    folder = make_once(tmp_path_factory, "weights", lambda at: write_backbone_weights(at / name))
    return folder / name


@pytest.fixture(scope="session")
def small_run(
    curated: Path, backbone_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A finished run: features and head on a random backbone, then one epoch of fine-tuning."""

    def train(folder: Path) -> None:
        from trainer.fit.fit import fit
        from trainer.settings import FitSettings

        fit(
            FitSettings(
                curated=curated,
                runs=folder / "runs",
                name="small",
                weights=str(backbone_weights),
                epochs=60,
                fine_tune_epochs=1,
                image_size=64,
                alpha=0.35,
                batch_size=16,
            )
        )

    return make_once(tmp_path_factory, "trained", train) / "runs" / "small"


@pytest.fixture(scope="session")
def own_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A curated folder with the classes of `OWN`; read only."""
    folder = make_once(tmp_path_factory, "own", lambda at: make_own_set(at / "curated", OWN))
    return folder / "curated"


@pytest.fixture(scope="session")
def own_run(
    own_set: Path, backbone_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A finished run with a head of factors for the classes of `OWN`; read only."""

    def train(folder: Path) -> None:
        from trainer.fit.fit import fit
        from trainer.settings import FitSettings

        fit(
            FitSettings(
                curated=own_set,
                runs=folder / "runs",
                name="own",
                weights=str(backbone_weights),
                epochs=10,
                fine_tune_epochs=0,
                image_size=64,
                alpha=0.35,
                heads="factors",
                learning_curve=True,
            )
        )

    return make_once(tmp_path_factory, "own-run", train) / "runs" / "own"


@pytest.fixture
def copied_bundle(small_run: Path, tmp_path: Path) -> Callable[[], Path]:
    """Makes a copy of the small run's bundle that may be damaged."""
    import shutil

    def copy() -> Path:
        return Path(shutil.copytree(small_run / "bundle", tmp_path / "bundle"))

    return copy
