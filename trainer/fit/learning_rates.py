"""The learning rate of each step of a network's training: a short rise, then a cosine.

TensorFlow is told the rate by a callback before each step. On JAX the optimizer works it out from
the number of steps it has taken, inside the compiled step: for a callback that so much as looks at
the model, Keras brings the whole state of training back into it. On an H100 steps took 59 ms with
the 579 variables of Xception and 117 ms with the 1,887 of DenseNet-169, most of it for that.
"""

import math
from typing import Any

from trainer.network.backend import backend_name, keras

WARM_UP = 0.1
"""Part of the steps over which the rate rises."""

LOWEST_RISING, LOWEST_FALLING = 0.1, 0.02
"""Where the rise begins and the cosine ends, as parts of the peak."""


def cosine_rate(peak: float, progress: float) -> float:
    """The learning rate when `progress`, 0 to 1, of the steps are done."""
    if progress < WARM_UP:
        return peak * (LOWEST_RISING + (1 - LOWEST_RISING) * progress / WARM_UP)
    fallen = 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))
    return peak * (LOWEST_FALLING + (1 - LOWEST_FALLING) * fallen)


def rate_for_optimizer(peak: float, steps: int) -> "float | CosineSchedule":
    """What the optimizer of a training of so many steps is made with.

    Args:
        peak: The highest rate.
        steps: Of all epochs.
    """
    return CosineSchedule(peak, steps) if _is_scheduled() else peak


def rate_callbacks(peak: float, steps: int, steps_done: int) -> list[Any]:
    """Who tells that optimizer the rate of each step: nobody where it has a schedule.

    Args:
        peak: The highest rate.
        steps: Of all epochs.
        steps_done: Of the epochs before the training goes on. A schedule needs no such number: the
            optimizer's own count comes back with its state.
    """
    return [] if _is_scheduled() else [CosineRate(peak, steps, steps_done)]


def last_rate(optimizer: Any) -> float:
    """The learning rate of the step that an optimizer took last."""
    optimizer = unscaled(optimizer)
    rate = optimizer._learning_rate
    if isinstance(rate, CosineSchedule):
        # By the optimizer's property it would be that of the next step.
        taken = int(keras.ops.convert_to_numpy(optimizer.iterations))
        rate = rate(max(0, taken - 1))
    return float(keras.ops.convert_to_numpy(rate))


def unscaled(optimizer: Any) -> Any:
    """The optimizer that averages and has the rate; loss scaling (float16) wraps it."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _is_scheduled() -> bool:
    return backend_name() == "jax"


class CosineSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """`cosine_rate` as a part of the compiled step.

    Not on TensorFlow, where a schedule is drawn into the graph once for each weight that decays:
    tracing MobileNetV2 then took 31 s instead of 20.

    Under loss scaling a step whose gradients overflow is none that the optimizer counts, so the
    rate waits for it.
    """

    def __init__(self, peak: float, steps: int) -> None:
        super().__init__()
        self._peak, self._steps = peak, steps

    def __call__(self, step: Any) -> Any:
        """The rate, float32 (), of a step, from 0."""
        ops = keras.ops
        rising = WARM_UP * self._steps
        done = ops.cast(step, "float32")
        # From the end, and as a square: 1 + cos loses the digits of the lowest rates in float32.
        left = ops.cast(self._steps - step, "float32")
        fallen = ops.square(ops.sin(left * (math.pi / 2 / (self._steps - rising))))
        low, high = LOWEST_RISING * self._peak, (1 - LOWEST_RISING) * self._peak
        rise = low + done * (high / rising)
        low, high = LOWEST_FALLING * self._peak, (1 - LOWEST_FALLING) * self._peak
        return ops.where(done < rising, rise, low + high * fallen)

    def get_config(self) -> dict[str, Any]:
        return {"peak": self._peak, "steps": self._steps}


class CosineRate(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets `cosine_rate` before each step; see `CosineSchedule` for where and why."""

    def __init__(self, peak: float, steps: int, steps_done: int) -> None:
        super().__init__()
        self._peak, self._steps, self._step = peak, steps, steps_done

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.model.optimizer.learning_rate = cosine_rate(self._peak, self._step / self._steps)
        self._step += 1
