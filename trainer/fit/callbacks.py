"""Keras callbacks that run between the steps and epochs of a training."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.errors import EnvironmentProblemError
from trainer.fit.learning_rates import last_rate, unscaled
from trainer.fit.validation import Validation
from trainer.network.backend import keras
from trainer.network.head import EpochFigures
from trainer.network.training_state import PhaseState


@dataclass(frozen=True)
class PhaseHooks:
    """Functions that a phase calls.

    Attributes:
        on_epoch: Called with the figures of each epoch.
        on_state: Called with the state after each complete epoch, after `on_epoch`.
        should_stop: Called after each batch; if it returns True, the epoch so far is validated and
            counts.
        on_step: Called after each batch with its number in the epoch, from 1, and their number.
    """

    on_epoch: Callable[[EpochFigures], object]
    on_state: Callable[[PhaseState], object] = lambda _: None
    should_stop: Callable[[], bool] = lambda: False
    on_step: Callable[[int, int], object] = lambda step, steps: None


class Snapshot(keras.callbacks.Callback):  # type: ignore[misc]
    """A copy of what training continues with: weights, moments, averages, state of dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.arrays: dict[str, list[NDArray[Any]]] = {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Copy the arrays after each epoch."""
        self.arrays = {
            kind: [np.array(keras.ops.convert_to_numpy(each)) for each in variables]
            for kind, variables in _variables(self.model).items()
        }


class AveragedWeights(keras.callbacks.Callback):  # type: ignore[misc]
    """Puts the optimizer's averages into the model between the end of an epoch and the next one.

    Keras' own `SwapEMAWeights` swaps by adding and subtracting, which rounds the weights each time:
    a training that continued from a snapshot ended 1e-5 off. The optimizer keeps its averages here,
    because at the end of each `fit` Keras overwrites the weights with what the optimizer has.
    """

    def __init__(self) -> None:
        super().__init__()
        self._trained: list[NDArray[Any]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Put the trained weights back."""
        if self._trained:
            for weight, trained in zip(self.model.trainable_variables, self._trained, strict=True):
                weight.assign(trained)
        self._trained = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Put the averages into the model."""
        averages = unscaled(self.model.optimizer)._model_variables_moving_average
        weights = self.model.trainable_variables
        self._trained = [np.array(keras.ops.convert_to_numpy(weight)) for weight in weights]
        for weight, average in zip(weights, averages, strict=True):
            weight.assign(keras.ops.convert_to_numpy(average))


def restore(trainee: Any, state: PhaseState) -> None:
    """Restore a compiled model and its optimizer from the state of a `Snapshot`.

    Raises:
        EnvironmentProblemError: Another version wrote the state.
    """
    if not trainee.optimizer.built:
        trainee.optimizer.build(trainee.trainable_variables)
    for kind, variables in _variables(trainee).items():
        if len(variables) != len(state.arrays[kind]):
            raise EnvironmentProblemError(
                f"The state of this training has {len(state.arrays[kind])} arrays of the {kind}, "
                f"and {len(variables)} are expected: another version wrote it. Train a new run."
            )
        for variable, value in zip(variables, state.arrays[kind], strict=True):
            variable.assign(value)


def _variables(trainee: Any) -> dict[str, list[Any]]:
    # The rate is computed in each step, and is a variable on one backend only. Without it the state
    # is the same list on both.
    rate = unscaled(trainee.optimizer).learning_rate
    optimizer = [each for each in trainee.optimizer.variables if each is not rate]
    return {"model": trainee.variables, "optimizer": optimizer}


class BestKeeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Validation after each epoch, which keeps the best weights and stops when they do not improve.

    Args:
        validation: Validation of the network whose weights are kept.
        start: State in which the phase begins or continues.
        snapshot: Callback that runs before this one, and before weights are averaged.
        hooks: Functions to call.
        patience: Number of epochs without a better one until training stops.
        unsettled: Number of first epochs in which the newest one counts as the best.
    """

    def __init__(
        self,
        validation: Validation,
        start: PhaseState,
        snapshot: Snapshot,
        hooks: PhaseHooks,
        *,
        patience: int,
        unsettled: int,
    ) -> None:
        super().__init__()
        self._validation, self._snapshot, self._hooks = validation, snapshot, hooks
        self._patience, self._unsettled = patience, unsettled
        self._best_loss = start.best_loss
        self._is_cut = False
        self.best_epoch = start.best_epoch
        self.best_weights = start.arrays.get("best")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Report the step, and stop training where a hook asks for it."""
        self._hooks.on_step(batch + 1, self.params["steps"])
        if self._hooks.should_stop():
            self.model.stop_training = True
            self._is_cut = batch + 1 < self.params["steps"]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Validate, keep the weights if they are the best, and call the hooks."""
        right, loss = self._validation.measure()
        is_settled = epoch + 1 > self._unsettled
        if not is_settled or loss <= self._best_loss or self.best_weights is None:
            self._best_loss = loss if is_settled else math.inf
            self.best_epoch = epoch + 1
            self.best_weights = self._validation.network.weights
        rate = last_rate(self.model.optimizer)
        self._hooks.on_epoch(
            EpochFigures(
                epoch=epoch + 1,
                loss=float(logs["loss"]),
                accuracy=float(logs["accuracy"]),
                val_loss=loss,
                val_accuracy=right,
                learning_rate=rate,
            )
        )
        if not self._is_cut:
            arrays = {**self._snapshot.arrays, "best": self.best_weights}
            self._hooks.on_state(PhaseState(epoch + 1, self.best_epoch, self._best_loss, arrays))
        if epoch + 1 - self.best_epoch >= self._patience:
            self.model.stop_training = True
