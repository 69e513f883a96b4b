"""What one face costs in each format that a model was exported to, on this machine."""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.errors import ModelRefusedError
from maskage.formats.bundle import EXPORT_FILE, ONNX_FILE, BundledFile
from maskage.inference.onnx_engine import OnnxEngine
from maskage.inference.timing import measure_by_turns
from maskage.installation import explain_install
from maskage.security.files import (
    UnsafeFileError,
    parse_strict_json,
    read_known_file,
    read_regular_file,
)

SEVERAL = 8
"""Faces that are given at once beside one by itself."""

_TURNS = 20
_LARGEST_RECORD = 1 << 20


@dataclass(frozen=True)
class FormatTime:
    """One format beside the bundle's own.

    Attributes:
        format: As `trainer export --to` names it; "bundle" is what the detector runs.
        size_mb: Of its files.
        one_ms: For one face, the median.
        each_of_several_ms: For each of `SEVERAL` faces given at once.
        largest_difference: Of a probability from the bundle's, on these faces.
    """

    format: str
    size_mb: float
    one_ms: float
    each_of_several_ms: float
    largest_difference: float

    def __str__(self) -> str:
        return (
            f"{self.format:<14}{self.size_mb:9.2f}{self.one_ms:9.2f}{self.each_of_several_ms:12.2f}"
            f"{self.largest_difference:13.2g}"
        )


HEADER = f"{'format':<14}{'MB':>9}{'ms':>9}{f'ms, of {SEVERAL}':>12}{'difference':>13}"


def compare_formats(bundle: Path, faces: NDArray[np.uint8]) -> tuple[list[FormatTime], list[str]]:
    """Run every export that lies in the run's folder on the same faces, by turns.

    Args:
        bundle: The run's bundle.
        faces: Crops as the network takes them, uint8 (N, size, size, 3); N from 1.

    Returns:
        The bundle first, then the exports; and what was left out, with the reason.

    Raises:
        ModelRefusedError: An export is not what it was when it was written.
        UsageError: The run's recipe is not beside the bundle.
    """
    # Loads Keras, which takes seconds. Its export is built by our code, whatever networks are
    # trained with here.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from trainer.exports.formats import FORMATS, Run
    from trainer.exports.rebuild import rebuild_model

    own = bundle / ONNX_FILE
    runs: dict[str, tuple[Run, int]] = {"bundle": (OnnxEngine(own).run, own.stat().st_size)}
    left_out = []
    rebuilt = None
    for name, form in FORMATS.items():
        folder = bundle.parent / "exports" / name
        if not (folder / EXPORT_FILE).is_file():
            left_out.append(f"{name}: not exported (`trainer export --to {name}`)")
        elif form.needs is not None and importlib.util.find_spec(form.needs) is None:
            left_out.append(f"{name}: {form.needs} is not installed ({explain_install('export')})")
        else:
            size = _check_files(folder, EXPORT_FILE)
            rebuilt = rebuilt or rebuild_model(bundle)
            runs[name] = (form.open(rebuilt, folder), size)
    several = np.resize(faces, (SEVERAL, *faces.shape[1:]))
    answers = {name: run(several) for name, (run, _) in runs.items()}
    networks = [run for run, _ in runs.values()]
    one = measure_by_turns(networks, faces[:1], _TURNS)
    of_several = measure_by_turns(networks, several, _TURNS)
    times = [
        FormatTime(
            name,
            size / 1e6,
            one_ms,
            several_ms / SEVERAL,
            float(np.abs(answers[name] - answers["bundle"]).max()),
        )
        for (name, (_, size)), one_ms, several_ms in zip(runs.items(), one, of_several, strict=True)
    ]
    return times, left_out


def _check_files(folder: Path, record: str) -> int:
    """Bytes of an export's files, all of which are as they were written.

    Raises:
        ModelRefusedError: One is not.
    """
    try:
        values = parse_strict_json(read_regular_file(folder / record, _LARGEST_RECORD))
        files = {Path(name).name: BundledFile(**known) for name, known in values["files"].items()}
        for name, known in files.items():
            read_known_file(folder / name, known.sha256, known.size)
    except (UnsafeFileError, KeyError, TypeError, AttributeError) as fault:
        raise ModelRefusedError(
            f"{folder}: this export is refused ({fault}). Export it again with `trainer export`."
        ) from fault
    return sum(known.size for known in files.values())
