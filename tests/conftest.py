"""What all tests share: small real pictures, and where the photographs for measuring may lie."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from maskage.pictures.images import encode_jpeg
from maskage.records import LABELS, RgbImage

SHARED = Path(__file__).parents[1].parent / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-snapshots", action="store_true", help="write the snapshots of screens anew"
    )


@pytest.fixture
def shared() -> Path:
    """The folder of real photographs, videos and weights, beside the checkout; never in it."""
    if not (SHARED / "faces").is_dir():
        pytest.skip("needs the photographs for measuring in ../shared, which are not published")
    return SHARED


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is cached for a test, also by the commands that it starts, is nobody else's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(autouse=True)
def own_umask() -> Iterator[None]:
    """A command that is run in this process changes its umask: undone for the next test."""
    umask = os.umask(0o022)
    os.umask(umask)
    yield
    os.umask(umask)


def draw_noise(seed: int, size: int = 96) -> RgbImage:
    """A coloured pattern: distinct for each seed, stable under JPEG, sharp by its fine checks."""
    import cv2

    small = np.random.default_rng(seed).integers(40, 216, (6, 6, 3), dtype=np.uint8)
    smooth = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    rows, columns = np.indices((size, size)) * 24 // size
    checks = np.where((rows + columns) % 2, 10, -10)[..., None]
    return (smooth + checks).clip(0, 255).astype(np.uint8)


@pytest.fixture
def four_folders(tmp_path: Path) -> Callable[..., Path]:
    """Makes `photos` distinct pictures in each of the four class folders."""

    def make(photos: int = 3, name: str = "source") -> Path:
        root = tmp_path / name
        for class_number, label in enumerate(LABELS):
            (root / label).mkdir(parents=True)
            for number in range(photos):
                pixels = draw_noise(1000 * class_number + number)
                (root / label / f"{label}_{number:03d}.jpg").write_bytes(encode_jpeg(pixels))
        return root

    return make
