"""Recognise what the toolchain made itself, where it lies in a folder of photos: by names alone.

Photos are never taken from there by accident: a dataset's photos would come in again, and a
curated set holds variants that `curate` made.
"""

from collections.abc import Collection
from enum import Enum
from pathlib import Path

from maskage.formats.bundle import BUNDLE_FILE, EXPORT_FILE
from maskage.formats.classes.classes_file import CLASSES_FILE
from maskage.formats.curated.curation_file import CURATION_FILE
from maskage.formats.curated.export_file import RECORD_FILE
from maskage.formats.curated.plan_file import PLAN_FILE, has_plan
from maskage.formats.dataset_folder import manifest_path
from maskage.formats.run.run_arguments import ARGS_FILE
from maskage.formats.run.run_folder import METRICS_FILE

_OF_RUNS = (METRICS_FILE, "checkpoints", "bundle", "results.csv")
"""What lies beside the args.yaml of a run; other programs use that name too."""


_MODELS = frozenset({"model.onnx", "model.tflite", "model.keras", "model.xml"})
"""Files of which one lies beside the export.json of a model."""


class OwnOutput(Enum):
    """The kinds of folders that the toolchain makes; the value says what it is, for people."""

    DATASET = "a dataset of its own; name it as SOURCE to import from it"
    CURATED = "a curated set, made of photos of a dataset; name it as SOURCE to import from it"
    EXPORT = "an export of a curated set; name it as SOURCE to import from it"
    RUN = "a training run, not photos"
    MODEL = "a trained model, not photos"


def find_own_output(folder: Path, names: Collection[str]) -> OwnOutput | None:
    """Return what the toolchain made of a folder; None for anybody's folder.

    Args:
        folder: The folder.
        names: Names of what lies in it.
    """
    if CURATION_FILE in names or (PLAN_FILE in names and has_plan(folder)):
        return OwnOutput.CURATED
    if RECORD_FILE in names:
        return OwnOutput.EXPORT
    if _is_model(names):
        return OwnOutput.MODEL
    if CLASSES_FILE in names:
        return OwnOutput.DATASET
    if ".dataset" in names and manifest_path(folder).is_file():
        return OwnOutput.DATASET
    if ARGS_FILE in names and any(name in names for name in _OF_RUNS):
        return OwnOutput.RUN
    return None


def _is_model(names: Collection[str]) -> bool:
    """Return True for the names of a bundle, or of a model that was exported from one.

    An `export.json` alone is anybody's: annotation tools give their exports that name.
    """
    return BUNDLE_FILE in names or (EXPORT_FILE in names and not _MODELS.isdisjoint(names))
