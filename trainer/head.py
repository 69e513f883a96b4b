"""The head on cached features: dropout and a dense softmax layer, trained in numpy.

A linear layer's gradient is one matrix product, so 100 epochs on thousands of photos take seconds,
with nothing to compile. The result goes into the Keras model's `logits` layer as it is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.classes import one_hot
from trainer.recipe import Phase

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class HeadData:
    """Features and labels.

    Attributes:
        train: float32, shape (N, views, depth).
        train_labels: Class numbers, shape (N,).
        val: float32, shape (M, depth).
        val_labels: Class numbers, shape (M,).
        class_weights: What a training photo of each class counts, shape (4,).
    """

    train: Matrix
    train_labels: NDArray[np.int64]
    val: Matrix
    val_labels: NDArray[np.int64]
    class_weights: Matrix


@dataclass(frozen=True)
class EpochFigures:
    """One epoch, as `results.csv` holds it. Accuracies are 0 to 1, losses in nats.

    The validation loss of whole networks is at the temperature that fits best, see `phases`.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float


@dataclass(frozen=True, eq=False)
class TrainedHead:
    """The head at its best epoch: logits = features @ kernel + bias.

    Attributes:
        kernel: float32, shape (depth, 4).
        bias: float32, shape (4,).
        best_epoch: From 1.
    """

    kernel: Matrix
    bias: Matrix
    best_epoch: int


def train_head(
    data: HeadData,
    phase: Phase,
    *,
    label_smoothing: float,
    seed: int,
    on_epoch: Callable[[EpochFigures], bool],
) -> TrainedHead:
    """Train until the epochs or the patience run out; keeps the epoch of least validation loss.

    Args:
        data: Features are standardised here, and the result is folded back.
        phase: Epochs, batch size, AdamW's rate and decay, patience, dropout.
        label_smoothing: Spread over all classes.
        seed: Of order, views and dropout.
        on_epoch: Told the figures of each; returns False to stop.

    Returns:
        The best epoch's head, for features as they were given.
    """
    mean = data.train.mean(axis=(0, 1))
    scale = 1 / (data.train.std(axis=(0, 1)) + 1e-3)
    trainer = _Trainer(data.train.shape[2], phase, len(data.train_labels), seed)
    val = (data.val - mean) * scale
    train = (data.train - mean) * scale
    targets = one_hot(data.train_labels) * (1 - label_smoothing)
    targets += label_smoothing / targets.shape[1]
    weights = data.class_weights[data.train_labels]
    best, best_loss, best_epoch = trainer.copy(), np.inf, 0
    for epoch in range(1, phase.epochs + 1):
        loss = trainer.run_epoch(train, targets, weights)
        figures = _figures(epoch, loss, trainer, train[:, 0], val, data)
        if figures.val_loss <= best_loss:
            best, best_loss, best_epoch = trainer.copy(), figures.val_loss, epoch
        if not on_epoch(figures) or epoch - best_epoch >= phase.patience:
            break
    kernel, bias = best
    folded = kernel * scale[:, None]
    return TrainedHead(folded.astype(np.float32), bias - mean @ folded, best_epoch)


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Logits (N, 4) to probabilities (N, 4)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float64)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def cross_entropy(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Mean negative log likelihood of the labels (N,), in nats."""
    chosen = softmax(logits)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


class _Trainer:
    """AdamW on one dense layer, its rate falling along a cosine."""

    _BETAS = (0.9, 0.999)

    def __init__(self, depth: int, phase: Phase, photos: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._phase = phase
        self._steps = max(1, -(-photos // phase.batch_size)) * max(1, phase.epochs)
        self._step = 0
        self.kernel = np.zeros((depth, 4), np.float32)
        self.bias = np.zeros(4, np.float32)
        self._means = [np.zeros_like(self.kernel), np.zeros_like(self.bias)]
        self._squares = [np.zeros_like(self.kernel), np.zeros_like(self.bias)]

    @property
    def rate(self) -> float:
        return self._phase.learning_rate * 0.5 * (1 + math.cos(math.pi * self._step / self._steps))

    def copy(self) -> tuple[Matrix, Matrix]:
        return self.kernel.copy(), self.bias.copy()

    def run_epoch(self, train: Matrix, targets: Matrix, weights: Matrix) -> float:
        """One pass; each photo is met in one of its views. Returns the mean loss."""
        photos, views, _ = train.shape
        order = self._random.permutation(photos)
        view = self._random.integers(views, size=(photos,))
        losses = []
        for start in range(0, photos, self._phase.batch_size):
            members = order[start : start + self._phase.batch_size]
            batch = train[members, view[members]]
            losses.append(self._run_step(batch, targets[members], weights[members]))
        return float(np.mean(losses))

    def _run_step(self, batch: Matrix, targets: Matrix, weights: Matrix) -> float:
        if hidden := self._phase.dropout:
            kept = self._random.random(batch.shape, dtype=np.float32) >= hidden
            batch = batch * kept / np.float32(1 - hidden)
        chances = softmax(batch @ self.kernel + self.bias)
        loss = -(targets * np.log(chances + 1e-12)).sum(axis=1) @ weights / len(batch)
        slope = ((chances - targets) * weights[:, None] / len(batch)).astype(np.float32)
        self._descend([batch.T @ slope, slope.sum(axis=0)])
        return float(loss)

    def _descend(self, gradients: list[Matrix]) -> None:
        rate, (first, second) = self.rate, self._BETAS
        self._step += 1
        self.kernel *= np.float32(1 - rate * self._phase.weight_decay)
        parts = [self.kernel, self.bias]
        moments = zip(parts, gradients, self._means, self._squares, strict=True)
        for part, gradient, mean, square in moments:
            mean += (1 - first) * (gradient - mean)
            square += (1 - second) * (gradient**2 - square)
            unbiased = square / (1 - second**self._step)
            step = rate / (1 - first**self._step) * mean / (np.sqrt(unbiased) + 1e-7)
            part -= step.astype(np.float32)


def _figures(
    epoch: int, loss: float, trainer: _Trainer, train: Matrix, val: Matrix, data: HeadData
) -> EpochFigures:
    kernel, bias = trainer.copy()
    logits = val @ kernel + bias
    right = ((train @ kernel + bias).argmax(axis=1) == data.train_labels).mean()
    return EpochFigures(
        epoch=epoch,
        loss=loss,
        accuracy=float(right),
        val_loss=cross_entropy(logits, data.val_labels),
        val_accuracy=float((logits.argmax(axis=1) == data.val_labels).mean()),
        learning_rate=trainer.rate,
    )
