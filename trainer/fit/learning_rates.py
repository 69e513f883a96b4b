"""The learning rate of each step of a network's training: a short rise, then a cosine.

On TensorFlow a callback sets the rate before each step. On JAX the optimizer computes it from the
number of steps it has taken, inside the compiled step: for any callback that accesses the model,
Keras copies the whole state of training back into it. On an H100 steps took 59 ms with the 579
variables of Xception and 117 ms with the 1,887 of DenseNet-169, most of it for that.
"""

import math
from typing import Any

from trainer.network.backend import backend_name, keras

WARM_UP = 0.1
"""Share of the steps over which the rate rises."""

LOWEST_RISING, LOWEST_FALLING = 0.1, 0.02
"""Rates at which the rise begins and the cosine ends, as fractions of the peak."""


def cosine_rate(peak: float, progress: float) -> float:
    """Return the learning rate when a share `progress`, 0 to 1, of the steps is done."""
    if progress < WARM_UP:
        return peak * (LOWEST_RISING + (1 - LOWEST_RISING) * progress / WARM_UP)
    fallen = 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))
    return peak * (LOWEST_FALLING + (1 - LOWEST_FALLING) * fallen)


def rate_for_optimizer(peak: float, steps: int) -> "float | CosineSchedule":
    """Return the rate, or the schedule, to create the optimizer with.

    Args:
        peak: The highest rate.
        steps: Number of steps of all epochs.
    """
    return CosineSchedule(peak, steps) if _is_scheduled() else peak


def rate_callbacks(peak: float, steps: int, steps_done: int) -> list[Any]:
    """Return the callbacks that set the optimizer's rate; none where it has a schedule.

    Args:
        peak: The highest rate.
        steps: Number of steps of all epochs.
        steps_done: Number of steps of the epochs before the training continues. A schedule does not
            need it, because the optimizer's own count is restored with its state.
    """
    return [] if _is_scheduled() else [CosineRate(peak, steps, steps_done)]


def last_rate(optimizer: Any) -> float:
    """Return the learning rate of the last step of an optimizer."""
    optimizer = unscaled(optimizer)
    rate = optimizer._learning_rate
    if isinstance(rate, CosineSchedule):
        # The optimizer's property would give the rate of the next step.
        taken = int(keras.ops.convert_to_numpy(optimizer.iterations))
        rate = rate(max(0, taken - 1))
    return float(keras.ops.convert_to_numpy(rate))


def unscaled(optimizer: Any) -> Any:
    """Return the optimizer inside loss scaling (float16), which has the averages and the rate."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _is_scheduled() -> bool:
    return backend_name() == "jax"


class CosineSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A schedule that computes `cosine_rate` in the compiled step.

    It is not used on TensorFlow, which adds a schedule to the graph once for each weight that
    decays: tracing MobileNetV2 then took 31 s instead of 20.

    Under loss scaling the optimizer does not count a step whose gradients overflow, and the rate
    stays the same.
    """

    def __init__(self, peak: float, steps: int) -> None:
        super().__init__()
        self._peak, self._steps = peak, steps

    def __call__(self, step: Any) -> Any:
        """Return the rate, float32 of shape (), of a step, from 0."""
        ops = keras.ops
        rising = WARM_UP * self._steps
        done = ops.cast(step, "float32")
        # Counted from the end, and as a square: 1 + cos loses the digits of the lowest rates in
        # float32.
        left = ops.cast(self._steps - step, "float32")
        fallen = ops.square(ops.sin(left * (math.pi / 2 / (self._steps - rising))))
        low, high = LOWEST_RISING * self._peak, (1 - LOWEST_RISING) * self._peak
        rise = low + done * (high / rising)
        low, high = LOWEST_FALLING * self._peak, (1 - LOWEST_FALLING) * self._peak
        return ops.where(done < rising, rise, low + high * fallen)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, as Keras saves them."""
        return {"peak": self._peak, "steps": self._steps}


class CosineRate(keras.callbacks.Callback):  # type: ignore[misc]
    """A callback that sets `cosine_rate` before each step; see `CosineSchedule`."""

    def __init__(self, peak: float, steps: int, steps_done: int) -> None:
        super().__init__()
        self._peak, self._steps, self._step = peak, steps, steps_done

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Set the rate of the next step."""
        self.model.optimizer.learning_rate = cosine_rate(self._peak, self._step / self._steps)
        self._step += 1
