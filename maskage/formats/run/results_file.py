"""results.csv: the epochs of a run, one row each, appended as they end."""

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from maskage.system.files import make_private, replace_file

RESULTS_FILE = "results.csv"


@dataclass(frozen=True)
class EpochRow:
    """One epoch. Losses are in nats, accuracies 0 to 1."""

    phase: str
    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float


_COLUMNS = tuple(field.name for field in fields(EpochRow))


def append_result(run: Path, row: EpochRow) -> None:
    """Add one epoch to the results of the run in the folder `run`.

    Raises:
        OSError: The disk refused.
    """
    path = run / RESULTS_FILE
    is_new = not path.exists()
    make_private(path)
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(_COLUMNS)
        writer.writerow(round(v, 6) if isinstance(v, float) else v for v in astuple(row))


def read_results(run: Path) -> list[EpochRow]:
    """Return every epoch of a run; empty if there are no results.

    A last line that was cut short when the power failed is left out.
    """
    path = run / RESULTS_FILE
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        return [row for line in csv.DictReader(file) if (row := _row_of(line)) is not None]


def replace_results(run: Path, rows: Iterable[EpochRow]) -> None:
    """Replace the results of a run, whole or not at all.

    Raises:
        OSError: The disk refused; the former results are as they were.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    writer.writerows(astuple(row) for row in rows)
    replace_file(run / RESULTS_FILE, text.getvalue().encode())


def _row_of(line: dict[str, str]) -> EpochRow | None:
    try:
        figures = [float(line[name]) for name in _COLUMNS[2:]]
        return EpochRow(line["phase"], int(line["epoch"]), *figures)
    except (TypeError, ValueError, KeyError):
        return None
