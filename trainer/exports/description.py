"""Write what lies beside an exported model: its classes, programs that run it, its description.

labels.txt     the class folders, one a line, in the order of the outputs
example.py     a short program that classifies a picture; example.mjs beside ONNX is for Node.js
export.json    the description: ends, classes, files, figures beside Keras'
"""

import json
from dataclasses import asdict
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from maskage.environment import library_versions
from maskage.formats.bundle import EXPORT_FILE, describe_file
from trainer.exports.ends import End
from trainer.exports.formats import ExportFormat
from trainer.exports.rebuild import RebuiltModel
from trainer.exports.tflite_metadata import LABELS_FILE, format_labels
from trainer.network.onnx_metadata import factor_values


def write_description(
    format: ExportFormat, rebuilt: RebuiltModel, folder: Path, note: str, figures: dict[str, Any]
) -> None:
    """Write `labels.txt`, the examples and `export.json` into the folder of an export.

    Args:
        format: The format.
        rebuilt: The model that was exported.
        folder: Folder that holds the model's files, and nothing else.
        note: What was chosen, and what to know for running it.
        figures: Figures of the export beside the Keras model.
    """
    bundle = rebuilt.bundle
    ends = format.read_ends(folder / format.file)
    values = {
        "format": format.name,
        "model": rebuilt.recipe.backbone,
        "file": format.file,
        "files": {file.name: asdict(describe_file(file)) for file in sorted(folder.iterdir())},
        "labels_file": LABELS_FILE,
        "examples": list(format.examples),
        "input": _describe_end(ends.input, ", RGB, face crops as the bundle's crop_margin says"),
        "output": _describe_end(ends.output),
        "labels": list(bundle.labels),
        "titles": [each.title for each in bundle.scheme],
        "factors": factor_values(bundle.scheme),
        "crop_margin": bundle.crop_margin,
        "temperature": bundle.temperature,
        "unsure_below": bundle.unsure_below,
        # Null, too, where the file has no output `strangeness`.
        "strange_above": bundle.strange_above if format.has_strangeness else None,
        "dataset_digest": bundle.dataset_digest,
        "note": note,
        "figures": figures,
        "versions": library_versions() | _runtime_version(format),
    }
    # As bytes, so that lines end alike on every system.
    (folder / LABELS_FILE).write_bytes(format_labels(bundle.labels).encode())
    for name, source in format.examples.items():
        (folder / name).write_bytes((files("trainer") / "exports/examples" / source).read_bytes())
    (folder / EXPORT_FILE).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _describe_end(end: End, meaning: str = "") -> dict[str, Any]:
    return {"name": end.name, "shape": list(end.shape), "type": end.type + meaning}


def _runtime_version(format: ExportFormat) -> dict[str, str]:
    if format.needs is None:
        return {}
    name = format.needs.replace("_", "-")
    return {name: version(name)}
