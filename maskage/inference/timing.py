"""What one face costs."""

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
    """Milliseconds that the network takes for one face by itself: the median of some runs.

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
    """Median milliseconds of each; by turns, so that a busy moment of the machine hits all.

    Args:
        runs: Networks.
        images: What each is given, uint8 (N, size, size, 3).
        turns: Timed; the first few before them lay out memory.
    """
    spent: list[list[float]] = [[] for _ in runs]
    for turn in range(WARM_UP_RUNS + turns):
        for run, times in zip(runs, spent, strict=True):
            started_s = time.perf_counter()
            run(images)
            if turn >= WARM_UP_RUNS:
                times.append((time.perf_counter() - started_s) * 1000)
    return [statistics.median(times) for times in spent]
