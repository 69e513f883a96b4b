"""What one face costs."""

import statistics
import time

from trainer.bundle import golden_images
from trainer.onnx_engine import OnnxEngine

WARM_UP_RUNS = 5
TIMED_RUNS = 50


def measure_ms(engine: OnnxEngine, size: int) -> float:
    """Milliseconds that the network takes for one face by itself: the median of some runs.

    Args:
        engine: The network.
        size: Side of its input, px.
    """
    image = golden_images(size)[:1]
    # The first runs lay out memory.
    for _ in range(WARM_UP_RUNS):
        engine.run(image)
    times = []
    for _ in range(TIMED_RUNS):
        started_s = time.perf_counter()
        engine.run(image)
        times.append((time.perf_counter() - started_s) * 1000)
    return statistics.median(times)
