"""A disk that fills up while a model is written: said, nothing half is left, and it goes on."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskage.formats.run.run_folder import RunFolder
from maskage.security.keras_archive import archive_model, read_archived_weights, save_checkpoint
from tests.maskage.dataset.saving_checks import small_disk

ROOT = Path(__file__).parents[3]
MEGABYTE = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 megabytes, to be filled by `fill_up`."""
    try:
        with small_disk(tmp_path / "disk", 16) as folder:
            yield folder
    except PermissionError as fault:
        pytest.skip(f"no small disk can be mounted here: {fault}")


def fill_up(disk: Path, but: int) -> Path:
    """Leave so many bytes of room; returns the file that takes the rest."""
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * (16 * MEGABYTE - but))
    return ballast


def run_trainer(*words: str, cache: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "trainer.cli", *words],
        env={"PATH": "", "HOME": str(cache), "MASKAGE_CACHE": str(cache), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def build_model() -> Any:
    from trainer.network.backend import keras

    keras.utils.set_random_seed(5)
    images = keras.Input((8,))
    return keras.Model(images, keras.layers.Dense(200)(keras.layers.Dense(2000)(images)))


def test_a_checkpoint_is_what_keras_loads(tmp_path: Path) -> None:
    model, other = build_model(), build_model()
    first = other.get_weights()[0] + 1
    other.layers[1].set_weights([first, *other.layers[1].get_weights()[1:]])
    save_checkpoint(model, tmp_path / "best.weights.h5")
    other.load_weights(tmp_path / "best.weights.h5")
    for mine, its in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)
    assert read_archived_weights(archive_model(model), 10 * MEGABYTE)


@pytest.mark.parametrize("room", [0, 4096, 300_000, MEGABYTE])
def test_a_full_disk_leaves_the_last_checkpoint(disk: Path, room: int) -> None:
    path = disk / "best.weights.h5"
    path.write_bytes(b"the last one")
    ballast = fill_up(disk, room + 4096)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(build_model(), path)
    assert path.read_bytes() == b"the last one"
    assert sorted(disk.iterdir()) == [ballast, path]


@pytest.mark.slow
def test_a_training_on_a_full_disk_ends_with_5_and_goes_on_when_there_is_room(
    disk: Path, curated: Path, backbone_weights: Path, tmp_path: Path
) -> None:
    ballast = fill_up(disk, MEGABYTE)
    run = disk / "runs" / "small"
    words = ["--weights", str(backbone_weights), "--epochs", "2", "--fine-tune-epochs", "0",
             "--image-size", "64", "--alpha", "0.35", "--name", "small"]  # fmt: skip
    cache = tmp_path / "cache"
    done = run_trainer("fit", str(curated), "--runs", str(run.parent), *words, cache=cache)
    assert_full(done, run, "checkpoints/best.weights.h5")
    # Now there is room for the training, and none for its bundle.
    ballast = fill_up(disk, 3 * MEGABYTE)
    done = run_trainer("fit", "--resume", str(run), cache=cache)
    assert_full(done, run, "bundle/model.onnx")
    ballast.unlink()
    done = run_trainer("fit", "--resume", str(run), cache=cache)
    assert done.returncode == 0, done.stderr
    assert RunFolder(run).is_finished


def assert_full(done: "subprocess.CompletedProcess[str]", run: Path, file: str) -> None:
    """Assert that it ended with 5 at this file of the run, and with what to do next."""
    assert done.returncode == 5, done.stderr
    assert f"the disk is full ({run / file})" in done.stderr
    assert f"trainer fit --resume {run}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_disk_that_is_full_before_anything_is_trained_leaves_no_run(
    disk: Path, curated: Path, backbone_weights: Path, tmp_path: Path
) -> None:
    fill_up(disk, 500_000)
    words = ["--weights", str(backbone_weights), "--image-size", "64", "--alpha", "0.35"]
    runs, cache = disk / "runs", disk / "cache"
    done = run_trainer("fit", str(curated), "--runs", str(runs), *words, cache=cache)
    assert done.returncode == 5, done.stderr
    assert "Nothing was trained yet" in done.stderr
    assert list(runs.iterdir()) == []
