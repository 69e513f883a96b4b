"""Measure the time that a network takes for one face."""

import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from maskage.formats.bundle import golden_images
from maskage.inference.onnx_engine import OnnxEngine

WARM_UP_RUNS = 5
TIMED_RUNS = 50


def measure_ms(engine: OnnxEngine, size: int) -> float:
    """Return the milliseconds for one face alone: the median of `TIMED_RUNS` runs.

    Args:
        engine: The network.
        size: Side of its input, px.
    """
    (took_ms,) = measure_by_turns([engine.run], golden_images(size)[:1])
    return took_ms


def measure_by_turns(
    runs: Sequence[Callable[[NDArray[np.uint8]], object]],
    images: NDArray[np.uint8],
    turns: int = TIMED_RUNS,
) -> list[float]:
    """Return the median milliseconds of each network.

    The networks run by turns, so that a busy moment of the machine slows all of them.

    Args:
        runs: Functions that run a network.
        images: Input of each, uint8, shape (N, size, size, 3).
        turns: Number of timed turns, after `WARM_UP_RUNS` that allocate memory.
    """
    spent: list[list[float]] = [[] for _ in runs]
    for turn in range(WARM_UP_RUNS + turns):
        for run, times in zip(runs, spent, strict=True):
            started_s = time.perf_counter()
            run(images)
            if turn >= WARM_UP_RUNS:
                times.append((time.perf_counter() - started_s) * 1000)
    return [statistics.median(times) for times in spent]
