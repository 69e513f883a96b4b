"""The bundle: a folder with the model and what is needed to trust and run it. No TensorFlow.

bundle/model.onnx     images uint8 RGB (N, size, size, 3) -> probabilities float32 (N, classes)
bundle/model.keras    the same, for Keras
bundle/classes.toml   the classes (`classes_file`); in versions 1 and 2 they were the four
bundle/SHA256SUMS     the digest of each file here, bundle.json's too: `sha256sum -c SHA256SUMS`
bundle/bundle.json    the rest, written last: a folder without it is no bundle

The digests find what was damaged or changed after the training. They cannot stop somebody who
changes a file together with its digest: users must know whose bundles they run.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import Scheme
from maskage.console import say
from maskage.defaults import DEFAULT_RUNS
from maskage.errors import EnvironmentProblemError, ModelRefusedError
from maskage.formats.classes_file import CLASSES_FILE, LARGEST_CLASSES, format_scheme, parse_scheme
from maskage.formats.sums import LARGEST_SUMS, SUMS_FILE, format_sums, parse_sums
from maskage.security.files import (
    UnsafeFileError,
    parse_strict_json,
    read_known_file,
    read_regular_file,
)
from maskage.system.files import replace_file

SCHEMA_VERSION = 3
FOUR_CLASSES_VERSION = 2
"""The last version without a classes.toml."""
UNSEALED_VERSION = 1
"""The version of bundles from before `bundle.json` had a digest; they are still read."""

BUNDLE_FILE = "bundle.json"
ONNX_FILE = "model.onnx"
KERAS_FILE = "model.keras"
EXPORT_FILE = "export.json"
"""Written by `trainer export` beside a model in another format; it names the dataset too."""

MODEL_FILES = (BUNDLE_FILE, EXPORT_FILE)

UNSURE_BELOW = 0.5
"""Below a confidence of one half all other classes together are at least as likely."""

LARGEST_FILE = 2_000_000_000
"""Most bytes of a file; the largest network of the recipes has 83 million."""

_LISTED = (ONNX_FILE, KERAS_FILE, CLASSES_FILE)
_LARGEST_JSON = 1 << 20
_GOLDEN_IMAGES = 3


@dataclass(frozen=True)
class BundledFile:
    """A file of the bundle: its `sha256` in 64 hex digits, its `size` in bytes."""

    sha256: str
    size: int

    def __post_init__(self) -> None:
        _require(bool(re.fullmatch(r"[0-9a-f]{64}", self.sha256)), "it lists no sha256 of a file")
        _require(0 < self.size <= LARGEST_FILE, f"it lists a file of {self.size} bytes")


@dataclass(frozen=True)
class ModelBundle:
    """A trained model, as the detector loads it.

    Attributes:
        folder: Path of the bundle.
        scheme: Classes, in the order of the outputs.
        input_size: Side of the input, px.
        crop_margin: Border around a face box in the training photos, as a share of its longer side.
        temperature: Divisor of the logits that calibrates the probabilities, inside the graph.
        unsure_below: Confidence below which an answer is shown as unsure, 0 to 1.
        dataset_digest: Digest of the photos the model was trained on, 64 hex digits.
        metrics: Some values of `metrics.json`.
        versions: Versions of the libraries it was made with.
        files: Digest and size of each file, by name.
        golden: Probabilities of `golden_images(input_size)`, three rows.
    """

    folder: Path
    scheme: Scheme
    input_size: int
    crop_margin: float
    temperature: float
    unsure_below: float
    dataset_digest: str
    metrics: dict[str, float]
    versions: dict[str, str]
    files: dict[str, BundledFile]
    golden: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        _require(16 <= self.input_size <= 4096, f"its input is {self.input_size} px")
        _require(0 <= self.crop_margin <= 1, f"its crop margin is {self.crop_margin}")
        _require(0 < self.temperature < 100, f"its temperature is {self.temperature}")
        _require(0 <= self.unsure_below <= 1, f"its unsure threshold is {self.unsure_below}")
        for name in self.files:
            _require(_is_inside(name), f"it lists a file outside itself: {name!r}")
            _require(name in _LISTED, f"it lists an unknown file: {name[:60]!r}")
        _require(ONNX_FILE in self.files, f"it lists no {ONNX_FILE}")
        shape = np.shape(self.golden)
        _require(shape == (_GOLDEN_IMAGES, len(self.scheme)), f"its golden rows are {shape}")
        sums = self.golden_probabilities.sum(axis=1)
        _require(bool(np.all(np.abs(sums - 1) < 0.01)), "its golden rows are no probabilities")

    @property
    def labels(self) -> tuple[str, ...]:
        """The class folders, in the order of the outputs."""
        return self.scheme.labels

    @property
    def onnx_path(self) -> Path:
        """The path of the network that the detector runs."""
        return self.folder / ONNX_FILE

    @property
    def golden_probabilities(self) -> NDArray[np.float32]:
        """The probabilities of `golden_images`, float32, shape (3, classes)."""
        return np.array(self.golden, dtype=np.float32)


def golden_images(size: int) -> NDArray[np.uint8]:
    """Compute three pictures from a formula, the same on every machine.

    Args:
        size: Side, px, at least 2.

    Returns:
        uint8, shape (3, size, size, 3): a colour gradient, a moire, a chequerboard.
    """
    y, x = np.mgrid[0:size, 0:size].astype(np.int64)
    last = size - 1
    gradient = np.stack([x * 255 // last, y * 255 // last, (x + y) * 255 // (2 * last)], axis=-1)
    moire = np.stack([(x * x + y * 3) % 256, (x * 5 + y * y) % 256, (x * y) % 256], axis=-1)
    cells = (x * 8 // size + y * 8 // size) % 2
    chequers = np.stack([cells * 200 + 20, 240 - cells * 180, cells * 90 + 60], axis=-1)
    return np.stack([gradient, moire, chequers]).astype(np.uint8)


def find_bundle(model: Path | None = None, runs: Path = DEFAULT_RUNS) -> Path:
    """Return the bundle folder that `--model` means.

    Args:
        model: A run folder or a bundle folder; None for the newest run.
        runs: Folder of the runs.

    Raises:
        ModelRefusedError: `model` is neither.
        EnvironmentProblemError: `model` does not exist, or no run has a bundle.
    """
    if model is not None:
        return _bundle_at(model)
    found = sorted(
        runs.glob(f"*/bundle/{BUNDLE_FILE}"), key=lambda path: (path.stat().st_mtime_ns, path)
    )
    if not found:
        raise EnvironmentProblemError(
            f"No trained model: there is no run with a bundle in {runs}. Train one with "
            f"`trainer fit`, or name a run or bundle folder."
        )
    return found[-1].parent


def load_bundle(folder: Path) -> ModelBundle:
    """Read a bundle and check every file in it.

    Args:
        folder: Bundle folder; see `find_bundle`.

    Raises:
        ModelRefusedError: The bundle is not whole, was changed, or is of an unknown version.
    """
    try:
        data = read_regular_file(folder / BUNDLE_FILE, _LARGEST_JSON)
        values = parse_strict_json(data)
        _require_version(values["schema_version"])
        _check_seal(folder, data, values["schema_version"])
        bundle = _bundle_of(folder, values, _read_classes(folder, values))
    except UnsafeFileError as fault:
        raise ModelRefusedError(_refusal(folder, f"{BUNDLE_FILE}: {fault}")) from fault
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as fault:
        raise ModelRefusedError(_refusal(folder, _reason(fault))) from fault
    for name in bundle.files:
        read_file(bundle, name)
    return bundle


def read_file(bundle: ModelBundle, name: str) -> bytes:
    """Read and check a file of a bundle. Use these bytes: the file may change after the check.

    Args:
        bundle: The bundle, from `load_bundle`.
        name: `ONNX_FILE` or `KERAS_FILE`.

    Raises:
        ModelRefusedError: The file is not listed, is missing, or was changed.
    """
    expected = bundle.files.get(name)
    if expected is None:
        raise ModelRefusedError(_refusal(bundle.folder, f"it lists no {name}"))
    try:
        return read_known_file(bundle.folder / name, expected.sha256, expected.size)
    except UnsafeFileError as fault:
        raise ModelRefusedError(_refusal(bundle.folder, f"{name}: {fault}")) from fault


def write_bundle(bundle: ModelBundle) -> None:
    """Write `classes.toml`, `bundle.json` and the digests beside the files that the bundle lists.

    Each is written whole or not at all, `bundle.json` last.
    """
    replace_file(bundle.folder / CLASSES_FILE, format_scheme(bundle.scheme).encode())
    listed = {**bundle.files, CLASSES_FILE: describe_file(bundle.folder / CLASSES_FILE)}
    bundle = replace(bundle, files=listed)
