"""The bundle: a folder with the model and what is needed to trust and run it. No TensorFlow.

bundle/model.onnx     images uint8 RGB (N, size, size, 3) -> probabilities float32 (N, classes)
                      and, where `strange_above` is not null, strangeness float32 (N, 1)
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
from maskage.formats.classes.classes_file import (
    CLASSES_FILE,
    LARGEST_CLASSES,
    format_scheme,
    parse_scheme,
)
from maskage.formats.sums import LARGEST_SUMS, SUMS_FILE, format_sums, parse_sums
from maskage.security.files import (
    UnsafeFileError,
    parse_strict_json,
    read_known_file,
    read_regular_file,
)
from maskage.system.files import replace_file

SCHEMA_VERSION = 4
LAST_WITHOUT_STRANGENESS = 3
"""The last version whose networks do not measure how strange a face is to them."""
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
        strange_above: Strangeness above which a face is shown as unsure, because it is unlike the
            faces that were learned; None where the network does not measure it.
        golden_strangeness: Strangeness of `golden_images(input_size)`; None as before.
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
    strange_above: float | None = None
    golden_strangeness: tuple[float, ...] | None = None

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
        limit, strange = self.strange_above, self.golden_strangeness
        _require((limit is None) == (strange is None), "it lists half of what strangeness needs")
        _require(limit is None or 0 < limit < 1000, f"its limit of strangeness is {limit}")
        is_golden = strange is None or (
            len(strange) == _GOLDEN_IMAGES and all(0 < each < 1e6 for each in strange)
        )
        _require(is_golden, f"its golden strangeness is {str(strange)[:60]}")

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
    # Field by field: `asdict` would copy the scheme, which it cannot without factors.
    values = {"labels": list(bundle.labels), **vars(bundle)}
    values["files"] = {name: asdict(file) for name, file in listed.items()}
    del values["folder"], values["scheme"]
    data = f"{json.dumps({'schema_version': SCHEMA_VERSION, **values}, indent=2)}\n".encode()
    digests = {name: file.sha256 for name, file in bundle.files.items()}
    digests[BUNDLE_FILE] = hashlib.sha256(data).hexdigest()
    replace_file(bundle.folder / SUMS_FILE, format_sums(digests))
    replace_file(bundle.folder / BUNDLE_FILE, data)


def describe_file(path: Path) -> BundledFile:
    """Return the digest and size of a file, as a bundle lists them."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return BundledFile(digest, path.stat().st_size)


def dataset_digests(folder: Path) -> set[str]:
    """Return the digests of the sets that the bundle or export in `folder` was trained on.

    Nothing is checked: a damaged or foreign file has none.
    """
    found = set()
    for name in MODEL_FILES:
        try:
            values = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        digest = values.get("dataset_digest") if isinstance(values, dict) else None
        found |= {digest} if isinstance(digest, str) else set()
    return found


def _bundle_at(model: Path) -> Path:
    for folder in (model, model / "bundle"):
        if (folder / BUNDLE_FILE).is_file():
            return folder
    if not model.exists():
        raise EnvironmentProblemError(
            f"No model at {model}. Name a run folder (runs/NAME) or a bundle folder, or leave "
            f"it out for the newest run."
        )
    raise ModelRefusedError(
        f"{model}: not a run or bundle folder (no {BUNDLE_FILE} in it). Only bundles that "
        f"`trainer fit` made are run; name such a folder."
    )


def _bundle_of(folder: Path, values: dict[str, Any], scheme: Scheme) -> ModelBundle:
    return ModelBundle(
        folder=folder,
        scheme=scheme,
        input_size=_number(values["input_size"], int),
        crop_margin=_number(values["crop_margin"], float),
        temperature=_number(values["temperature"], float),
        unsure_below=_number(values["unsure_below"], float),
        dataset_digest=str(values["dataset_digest"]),
        metrics={str(key): float(value) for key, value in values["metrics"].items()},
        versions={str(key): str(value) for key, value in values["versions"].items()},
        files={str(name): _listed(file) for name, file in values["files"].items()},
        golden=tuple(tuple(float(value) for value in row) for row in values["golden"]),
        **_read_strangeness(values),
    )


def _read_strangeness(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields on strangeness; older versions have none."""
    if values["schema_version"] <= LAST_WITHOUT_STRANGENESS:
        return {}
    if (limit := values["strange_above"]) is None and values["golden_strangeness"] is None:
        return {}
    golden = tuple(_number(value, float) for value in values["golden_strangeness"])
    return {"strange_above": _number(limit, float), "golden_strangeness": golden}


def _require_version(version: Any) -> None:
    # True is 1 to Python.
    is_read = version in range(1, SCHEMA_VERSION + 1) and not isinstance(version, bool)
    _require(is_read, f"its schema is {version}, this version reads 1 to {SCHEMA_VERSION}")


def _read_classes(folder: Path, values: dict[str, Any]) -> Scheme:
    """Return the classes in a bundle's own file, which must be those that bundle.json lists."""
    labels = tuple(map(str, values["labels"]))
    if values["schema_version"] <= FOUR_CLASSES_VERSION:
        scheme = MASK_AGE
    else:
        listed = _listed(values["files"][CLASSES_FILE])
        _require(listed.size <= LARGEST_CLASSES, f"its {CLASSES_FILE} has {listed.size:,} bytes")
        scheme = parse_scheme(read_known_file(folder / CLASSES_FILE, listed.sha256, listed.size))
    _require(labels == scheme.labels, f"its classes are {[name[:40] for name in labels[:64]]}")
    return scheme


def _listed(file: dict[str, Any]) -> BundledFile:
    return BundledFile(str(file["sha256"]), _number(file["size"], int))


def _check_seal(folder: Path, data: bytes, version: int) -> None:
    """Compare the bytes of `bundle.json` with the digest beside it."""
    if version == UNSEALED_VERSION and not (folder / SUMS_FILE).exists():
        _warn_unsealed(folder)
        return
    try:
        sums = parse_sums(read_regular_file(folder / SUMS_FILE, LARGEST_SUMS))
    except UnsafeFileError as fault:
        raise ModelRefusedError(_refusal(folder, f"{SUMS_FILE}: {fault}")) from fault
    if sums.get(BUNDLE_FILE) != hashlib.sha256(data).hexdigest():
        raise ModelRefusedError(
            f"{folder}: {BUNDLE_FILE} was changed after the training (its sha256 is not the one in "
            f"{SUMS_FILE}), so its crop margin, its threshold and the rest are not reliable. Copy "
            f"the bundle again as a whole, or train a new one with `trainer fit`. Another "
            f"threshold needs no change here: `detector live --threshold`."
        )


@cache
def _warn_unsealed(folder: Path) -> None:
    """Warn once, however often the bundle is read."""
    say(
        f"{folder}: a bundle of an earlier version, without a digest that shows whether "
        f"{BUNDLE_FILE} was changed. It is used as it is; new bundles of `trainer fit` have one."
    )


def _number(value: Any, kind: type[Any]) -> Any:
    if isinstance(value, bool) or not isinstance(value, int if kind is int else (int, float)):
        raise ValueError(f"{str(value)[:40]!r} is not a number")  # noqa: TRY004  one fault for all of these
    return kind(value)


def _is_inside(name: str) -> bool:
    return Path(name).name == name and not name.startswith(".") and "\\" not in name


def _refusal(folder: Path, reason: str) -> str:
    return (
        f"{folder}: this bundle is refused: {reason}. Copy it again as a whole, or train a new "
        f"one with `trainer fit`."
    )


def _reason(fault: BaseException) -> str:
    if isinstance(fault, KeyError):
        return f"{BUNDLE_FILE} has no {fault}"
    return str(fault)[:200]


def _require(holds: bool, found: str) -> None:
    if not holds:
        raise ValueError(found)
