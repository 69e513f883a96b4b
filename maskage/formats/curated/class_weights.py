"""class_weights.json of a curated set: what a photo of each class counts in training."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from maskage.errors import DatasetError
from maskage.system.files import write_private

WEIGHTS_FILE = "class_weights.json"


def write_class_weights(folder: Path, weights: Mapping[str, float]) -> None:
    """Write what a photo of each class counts in training."""
    text = json.dumps({label: round(weight, 6) for label, weight in weights.items()})
    write_private(folder / WEIGHTS_FILE, f"{text}\n")


def read_class_weights(folder: Path, labels: Sequence[str]) -> dict[str, float] | None:
    """Read what a photo of each class counts in training; None if the set has no such file.

    Raises:
        DatasetError: The file is damaged, or a weight is missing or not above 0.
    """
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        weights = {label: float(values[label]) for label in labels}
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise DatasetError(
            f"{path}: cannot be read as class weights ({type(fault).__name__}: {fault}). It is one "
            f"object with a number for each of {', '.join(labels)}: curate again, or remove it."
        ) from fault
    if not all(0 < weight < math.inf for weight in weights.values()):
        raise DatasetError(f"{path}: weights are above 0; found {values}. Curate again.")
    return weights
