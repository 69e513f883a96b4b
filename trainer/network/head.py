"""The head on cached features: dropout and a dense softmax layer, trained in numpy.

The gradient of a linear layer is one matrix product, so 100 epochs on thousands of photos take
seconds and nothing is compiled. The weights are then copied into the Keras model's `logits` layer.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
from trainer.network.classes import merge_matrix, one_hot
from trainer.network.training_state import PhaseState
from trainer.recipe import Phase, Recipe

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class HeadData:
    """The features and labels that a head is trained on.

    Attributes:
        train: Features of the training photos, float32, shape (N, views, depth).
        train_labels: Class numbers, shape (N,).
        val: Features of the validation photos, float32, shape (M, depth).
        val_labels: Class numbers, shape (M,).
        class_weights: Weight of a training photo of each class, shape (C,).
        scheme: The C classes.
    """

    train: Matrix
    train_labels: NDArray[np.int64]
    val: Matrix
    val_labels: NDArray[np.int64]
    class_weights: Matrix
    scheme: Scheme


@dataclass(frozen=True, kw_only=True)
class EpochFigures:
    """The figures of one epoch, as `results.csv` holds them: accuracies 0 to 1, losses in nats.

    The validation loss of whole networks is at the temperature that fits best, see `validation`.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float


@dataclass(frozen=True, eq=False)
class TrainedHead:
    """The head at its best epoch: answers = features @ kernel + bias, logits = answers @ merge.

    Attributes:
        kernel: Weights, float32, shape (depth, K); see `merge_matrix` for K.
        bias: Bias, float32, shape (K,).
        merge: Matrix from answers to logits, float32, shape (K, C).
        best_epoch: Number of the best epoch, from 1.
        epochs: Number of epochs run.
    """

    kernel: Matrix
    bias: Matrix
    merge: Matrix
    best_epoch: int
    epochs: int

    def logits(self, features: Matrix) -> Matrix:
        """Return the logits of the classes (N, C) for features (N, depth)."""
        return np.asarray((features @ self.kernel + self.bias) @ self.merge, np.float32)


def train_head(
    data: HeadData,
    recipe: Recipe,
    *,
    seed: int,
    on_epoch: Callable[[EpochFigures], bool] = lambda _: True,
    on_state: Callable[[PhaseState], object] | None = None,
    start: PhaseState | None = None,
) -> TrainedHead:
    """Train until the epochs or the patience end, and keep the epoch of least validation loss.

    Args:
        data: Features and labels; the features are standardised here, and the result is folded
            back.
        recipe: Recipe, of which the head phase, the label smoothing and the kind of head are used.
        seed: Seed of order, views and dropout.
        on_epoch: Called with the figures of each epoch; returns False to stop.
        on_state: Called with the state after each epoch.
        start: State to continue from; the result is then the same as without a break.

    Returns:
        The head of the best epoch, for features that are not standardised.
    """
    phase = recipe.head
    mean = data.train.mean(axis=(0, 1))
    scale = 1 / (data.train.std(axis=(0, 1)) + 1e-3)
    merge = merge_matrix(recipe.heads, data.scheme)
    trainer = _Trainer(data.train.shape[2], phase, len(data.train_labels), seed, merge)
    val = (data.val - mean) * scale
    train = (data.train - mean) * scale
    targets = one_hot(data.train_labels, len(data.scheme)) * (1 - recipe.label_smoothing)
    targets += recipe.label_smoothing / targets.shape[1]
    weights = data.class_weights[data.train_labels]
    state = start if start is not None else PhaseState(0, 0, math.inf, {"best": trainer.copy()})
    if start is not None:
        trainer.restore(start)
    is_wanted = True
    while is_wanted and not state.is_done(phase.epochs, phase.patience):
        loss = trainer.run_epoch(train, targets, weights)
        figures = trainer.measure(state.epoch + 1, loss, train[:, 0], val, data)
        state = trainer.state_after(state, figures.val_loss)
        is_wanted = on_epoch(figures)
        if on_state is not None:
            on_state(state)
    kernel, bias = state.arrays["best"]
    folded = kernel * scale[:, None]
    return TrainedHead(
        folded.astype(np.float32),
        bias - mean @ folded,
        trainer.merge,
        state.best_epoch,
        state.epoch,
    )


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the probabilities (N, C) of logits (N, C)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float64)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def cross_entropy(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Return the mean negative log likelihood of the labels (N,), in nats."""
    chosen = softmax(logits)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


class _Trainer:
    """AdamW on one dense layer, with a rate that falls along a cosine."""

    _BETAS = (0.9, 0.999)

    def __init__(self, depth: int, phase: Phase, photos: int, seed: int, merge: Matrix) -> None:
        self._random = np.random.default_rng(seed)
        self._phase = phase
        self._epoch_steps = max(1, -(-photos // phase.batch_size))
        self._steps = self._epoch_steps * max(1, phase.epochs)
        self._step = 0
        self.merge = merge
        self._kernel = np.zeros((depth, len(self.merge)), np.float32)
        self._bias = np.zeros(len(self.merge), np.float32)
        self._means = [np.zeros_like(self._kernel), np.zeros_like(self._bias)]
        self._squares = [np.zeros_like(self._kernel), np.zeros_like(self._bias)]

    @property
    def rate(self) -> float:
        return self._phase.learning_rate * 0.5 * (1 + math.cos(math.pi * self._step / self._steps))

    def logits(self, features: Matrix) -> Matrix:
        return np.asarray((features @ self._kernel + self._bias) @ self.merge, np.float32)

    def copy(self) -> list[Matrix]:
        return [self._kernel.copy(), self._bias.copy()]

    def state_after(self, before: PhaseState, val_loss: float) -> PhaseState:
        """Return the state of the training after one more epoch."""
        now = [self._kernel, self._bias, *self._means, *self._squares]
        arrays = {"head": [each.copy() for each in now], "best": before.arrays["best"]}
        best_epoch, best_loss = before.best_epoch, before.best_loss
        if val_loss <= best_loss:
            best_epoch, best_loss, arrays["best"] = before.epoch + 1, val_loss, self.copy()
        drawn = dict(self._random.bit_generator.state)
        return PhaseState(before.epoch + 1, best_epoch, best_loss, arrays, drawn)

    def restore(self, state: PhaseState) -> None:
        self._kernel, self._bias, *moments = (each.copy() for each in state.arrays["head"])
        self._means, self._squares = moments[:2], moments[2:]
        self._step = state.epoch * self._epoch_steps
        if state.random is not None:
            self._random.bit_generator.state = state.random

    def run_epoch(self, train: Matrix, targets: Matrix, weights: Matrix) -> float:
        """Train for one epoch, with one view of each photo, and return the mean loss."""
        photos, views, _ = train.shape
        order = self._random.permutation(photos)
        view = self._random.integers(views, size=(photos,))
        losses = []
        for start in range(0, photos, self._phase.batch_size):
            members = order[start : start + self._phase.batch_size]
            batch = train[members, view[members]]
            losses.append(self._run_step(batch, targets[members], weights[members]))
        return float(np.mean(losses))

    def measure(
        self, epoch: int, loss: float, train: Matrix, val: Matrix, data: HeadData
    ) -> EpochFigures:
        logits = self.logits(val)
        right = (self.logits(train).argmax(axis=1) == data.train_labels).mean()
        return EpochFigures(
            epoch=epoch,
            loss=loss,
            accuracy=float(right),
            val_loss=cross_entropy(logits, data.val_labels),
            val_accuracy=float((logits.argmax(axis=1) == data.val_labels).mean()),
            learning_rate=self.rate,
        )

    def _run_step(self, batch: Matrix, targets: Matrix, weights: Matrix) -> float:
        if hidden := self._phase.dropout:
            kept = self._random.random(batch.shape, dtype=np.float32) >= hidden
            batch = batch * kept / np.float32(1 - hidden)
        chances = softmax(self.logits(batch))
        loss = -(targets * np.log(chances + 1e-12)).sum(axis=1) @ weights / len(batch)
        slope = ((chances - targets) * weights[:, None] / len(batch)).astype(np.float32)
        slope = slope @ self.merge.T
        self._descend([batch.T @ slope, slope.sum(axis=0)])
        return float(loss)

    def _descend(self, gradients: list[Matrix]) -> None:
        rate, (first, second) = self.rate, self._BETAS
        self._step += 1
        self._kernel *= np.float32(1 - rate * self._phase.weight_decay)
        parts = [self._kernel, self._bias]
        moments = zip(parts, gradients, self._means, self._squares, strict=True)
        for part, gradient, mean, square in moments:
            mean += (1 - first) * (gradient - mean)
            square += (1 - second) * (gradient**2 - square)
            unbiased = square / (1 - second**self._step)
            step = rate / (1 - first**self._step) * mean / (np.sqrt(unbiased) + 1e-7)
            part -= step.astype(np.float32)
