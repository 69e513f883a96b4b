"""The learning rate of each step, and who works it out."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from trainer.fit.learning_rates import CosineSchedule, cosine_rate

PROGRAM = Path(__file__).with_name("train_resumed.py")

EPOCHS, PHOTOS, STEPS, PEAK = 3, 48, 12, 0.01
"""Of the program: epochs, training photos, steps an epoch, the highest rate."""

needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")


OPTIMIZERS = {"float32": "AdamW", "mixed_float16": "LossScaleOptimizer"}
"""The optimizer of each policy."""


def train_and_resume(curated: Path, folder: Path, backend: str) -> dict[str, Any]:
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(curated), str(folder), *OPTIMIZERS],
        env={**os.environ, "PYTHONPATH": str(PROGRAM.parents[3]), "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def trained(curated: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the program prints on each backend, for every policy in one process."""
    root = tmp_path_factory.mktemp("resumed")
    return {name: train_and_resume(curated, root / name, name) for name in ("jax", "tensorflow")}


def test_the_rate_rises_to_its_peak_and_falls_along_a_cosine() -> None:
    assert cosine_rate(2.0, 0.0) == pytest.approx(0.2)
    assert cosine_rate(2.0, 0.05) == pytest.approx(1.1)
    assert cosine_rate(2.0, 0.1) == pytest.approx(2.0)
    assert cosine_rate(2.0, 0.55) == pytest.approx(1.02)
    assert cosine_rate(2.0, 1.0) == pytest.approx(0.04)


@pytest.mark.parametrize("steps", [1, 2, 7, 30, 333])
def test_the_schedule_is_the_same_curve_at_every_step(steps: int) -> None:
    schedule = CosineSchedule.from_config(CosineSchedule(0.003, steps).get_config())
    for step in range(steps):
        assert float(schedule(step)) == pytest.approx(cosine_rate(0.003, step / steps), rel=1e-6)


def test_the_schedule_loses_no_digits_in_a_long_training() -> None:
    steps = 200_000
    schedule = CosineSchedule(0.003, steps)
    for step in (0, 1, 19_999, 20_000, 20_001, 110_000, 180_001, steps - 2, steps - 1):
        assert float(schedule(step)) == pytest.approx(cosine_rate(0.003, step / steps), rel=1e-6)


@needs_jax
@pytest.mark.slow
@pytest.mark.parametrize("policy", OPTIMIZERS)
def test_on_jax_no_step_brings_the_state_back_and_a_training_goes_on_exactly(
    policy: str, trained: dict[str, dict[str, Any]]
) -> None:
    on_jax, on_tensorflow = trained["jax"][policy], trained["tensorflow"][policy]
    assert on_jax["optimizers"] == [OPTIMIZERS[policy]]
    assert on_jax["synced_after"] == [STEPS * epoch for epoch in range(1, EPOCHS + 1)]
    # Nothing is drawn before the first epoch, to be mixed into it.
    drawn = on_jax["drawn"]
    assert len(drawn) == EPOCHS * PHOTOS
    assert len(set(drawn[:PHOTOS])) == PHOTOS
    # A state of either backend fits the other.
    assert on_jax["state"] == on_tensorflow["state"]
    last_steps = [STEPS * epoch - 1 for epoch in range(1, EPOCHS + 1)]
    rates = [cosine_rate(PEAK, step / (STEPS * EPOCHS)) for step in last_steps]
    for found in (on_jax, on_tensorflow):
        assert found["rates"] == pytest.approx(rates, rel=1e-6)
        assert found["moved"] > 0
        assert found["is_told_the_same"]
        assert found["apart"] == 0
