"""predictions.csv: a run's answer to each test photo.

path,actual,predicted,<class>,...    one row for each photo, and the probability of each class

Paths are relative to the folder that was evaluated, written by `path_to_text`; classes are written
by `path_to_cell`, as the folders that they are.
"""

import csv
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.errors import DatasetError
from maskage.outside_text import cell_to_path, path_to_cell
from maskage.system.files import open_private

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PREDICTIONS_FILE = "predictions.csv"

_FIRST = ("path", "actual", "predicted")


@dataclass(frozen=True)
class Prediction:
    """A photo and a model's answer to it.

    Attributes:
        path: Path in the folder that was evaluated, POSIX.
        actual: Label of the class folder.
        predicted: Label with the largest probability.
        probabilities: One for each class, in class order.
    """

    path: str
    actual: str
    predicted: str
    probabilities: tuple[float, ...]

    @property
    def is_right(self) -> bool:
        """True if the answer is the photo's label."""
        return self.actual == self.predicted


def predictions_of(
    paths: Sequence[str],
    actual: "NDArray[np.int64]",
    probabilities: "NDArray[np.floating]",
    labels: Sequence[str],
) -> list[Prediction]:
    """Join photos with their answers.

    Args:
        paths: Path of each photo, N of them.
        actual: Class numbers, shape (N,).
        probabilities: Shape (N, C).
        labels: The C classes, in class order.
    """
    predicted = probabilities.argmax(axis=1)
    return [
        Prediction(
            path,
            labels[right],
            labels[answer],
            tuple(map(float, row)),
        )
        for path, right, answer, row in zip(paths, actual, predicted, probabilities, strict=True)
    ]


def write_predictions(run: Path, predictions: Iterable[Prediction], labels: Sequence[str]) -> None:
    """Write the answers of the run in the folder `run`.

    Args:
        run: Folder of the run.
        predictions: The answers.
        labels: Classes, in the order of their probabilities.

    Raises:
        OSError: The disk refused.
    """
    with open_private(run / PREDICTIONS_FILE) as file:
        writer = csv.writer(file)
        writer.writerow([*_FIRST, *map(path_to_cell, labels)])
        for each in predictions:
            chances = (f"{value:.6f}" for value in each.probabilities)
            answers = path_to_cell(each.actual), path_to_cell(each.predicted)
            writer.writerow([each.path, *answers, *chances])


def read_predictions(run: Path) -> list[Prediction]:
    """Read the answers of the run in the folder `run`.

    Raises:
        DatasetError: The file is missing or damaged.
    """
    path = run / PREDICTIONS_FILE
    try:
        return _read_rows(path)
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as fault:
        raise DatasetError(
            f"{path}: cannot be read as the answers of a run ({type(fault).__name__}: {fault}). "
            f"Train the run again, or name another one."
        ) from fault


def read_right_answers(run: Path) -> dict[str, bool]:
    """Return by path if each answer was right; empty if the file is missing or damaged."""
    try:
        return {each.path: each.is_right for each in read_predictions(run)}
    except DatasetError:
        return {}


def count_predicted(run: Path, paths: Container[str]) -> int:
    """Count the answers to these photos: "test/mask_old/a.jpg" is mask_old/a.jpg.

    Args:
        run: Folder of the run; without readable answers it counts as 0.
        paths: Paths in the dataset.
    """
    try:
        named = [cell_to_path(each.path) for each in _read_rows(run / PREDICTIONS_FILE)]
    except (OSError, ValueError, KeyError, csv.Error):
        return 0
    return sum("/".join(path.split("/")[-2:]) in paths for path in named)


def _read_rows(path: Path) -> list[Prediction]:
    """Read the rows by position: a class may be named like one of the first columns."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    if not rows or rows[0][: len(_FIRST)] != list(_FIRST):
        raise KeyError(", ".join(_FIRST))
    return [_prediction_of(row, len(rows[0])) for row in rows[1:]]


def _prediction_of(row: list[str], columns: int) -> Prediction:
    if len(row) != columns:
        raise ValueError(f"a row has {len(row)} cells, not {columns}")
    path, actual, predicted, *chances = row
    answers = cell_to_path(actual), cell_to_path(predicted)
    return Prediction(path, *answers, tuple(map(float, chances)))
