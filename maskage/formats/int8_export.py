"""The record beside a network of 8 bits: what it was made from, and how it did on photos.

RUN/exports/onnx-int8/model.onnx    the bundle's network in 8 bits, with the same ends
RUN/exports/onnx-int8/int8.json     this record
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.errors import ModelRefusedError
from maskage.formats.bundle import ONNX_FILE, BundledFile, ModelBundle, describe_file
from maskage.security.files import UnsafeFileError, parse_strict_json, read_known_file
from maskage.security.files import read_regular_file as read_regular
from maskage.system.files import replace_file

INT8_FORMAT = "onnx-int8"
RECORD_FILE = "int8.json"
SCHEMA_VERSION = 1

LARGEST_LOSS = 0.005
"""Loss of accuracy on validation photos that is accepted: half a point."""

LARGEST_MOVE = 0.01
"""Change of the share of validation photos that are unfamiliar that is accepted: one point."""

_LARGEST_RECORD = 1 << 20


@dataclass(frozen=True, kw_only=True)
class PhotoFigures:
    """The figures of a network on the run's validation photos.

    Attributes:
        accuracy: Share of photos with the right class.
        log_loss: Mean negative logarithm of the probability of the right class: it grows where
            probabilities are not calibrated.
        strange_share: Share of photos that are unfamiliar; None if strangeness is not measured.
    """

    accuracy: float
    log_loss: float
    strange_share: float | None


@dataclass(frozen=True, kw_only=True)
class Int8Export:
    """A network of 8 bits beside a bundle.

    Attributes:
        made_from: Digest of the bundle's network.
        model: Digest and size of the file.
        golden: Its own probabilities of the golden images.
        golden_strangeness: Its own strangeness of them; None if it is not measured.
        photos: Number of validation photos.
        int8, floats: Figures of both networks on them.
    """

    made_from: str
    model: BundledFile
    golden: tuple[tuple[float, ...], ...]
    golden_strangeness: tuple[float, ...] | None
    photos: int
    int8: PhotoFigures
    floats: PhotoFigures

    @property
    def golden_probabilities(self) -> NDArray[np.float32]:
        """The probabilities of the golden images, float32, shape (3, classes)."""
        return np.array(self.golden, dtype=np.float32)

    @property
    def disagreement(self) -> str | None:
        """Why it must not stand in for the bundle's network; None if it may."""
        loss = self.floats.accuracy - self.int8.accuracy
        # Written so that NaN is refused.
        if not loss <= LARGEST_LOSS + 1e-9:
            return (
                f"it loses {100 * loss:.2f} points of accuracy on {self.photos} validation photos, "
                f"at most {100 * LARGEST_LOSS:g} is accepted"
            )
        moved = abs((self.floats.strange_share or 0.0) - (self.int8.strange_share or 0.0))
        if not moved <= LARGEST_MOVE + 1e-9:
            return (
                f"the share of unfamiliar validation photos moves by {100 * moved:.2f} points, at "
                f"most {100 * LARGEST_MOVE:g} is accepted"
            )
        return None

    def __str__(self) -> str:
        now, before = self.int8, self.floats
        text = (
            f"{self.photos} validation photos: accuracy {now.accuracy:.2%} ({before.accuracy:.2%} "
            f"in 32 bits), log loss {now.log_loss:.3f} ({before.log_loss:.3f})"
        )
        if now.strange_share is None or before.strange_share is None:
            return text
        return f"{text}, unfamiliar {now.strange_share:.1%} ({before.strange_share:.1%})"


def int8_folder(bundle: Path) -> Path:
    """Return the folder of the export in 8 bits of the run that a bundle folder lies in."""
    return bundle.parent / "exports" / INT8_FORMAT


def write_int8(folder: Path, export: Int8Export) -> None:
    """Write the record beside the network."""
    text = json.dumps({"schema_version": SCHEMA_VERSION, **asdict(export)}, indent=2)
    replace_file(folder / RECORD_FILE, f"{text}\n".encode())


def read_int8(bundle: ModelBundle) -> Int8Export | None:
    """Return the export in 8 bits of a bundle's run; None if there is none.

    Raises:
        ModelRefusedError: Its record is damaged, or it was made from another network.
    """
    path = int8_folder(bundle.folder) / RECORD_FILE
    if not path.is_file():
        return None
    try:
        export = _parse(read_regular(path, _LARGEST_RECORD))
    except (UnsafeFileError, ValueError, TypeError, KeyError, AttributeError) as fault:
        raise _refuse(path.parent, f"its {RECORD_FILE} is damaged ({str(fault)[:100]})") from fault
    if export.made_from != bundle.files[ONNX_FILE].sha256:
        raise _refuse(path.parent, "it was made from another network than the bundle's")
    expected = bundle.golden_probabilities.shape
    if export.golden_probabilities.shape != expected:
        raise _refuse(path.parent, f"it has not the bundle's {expected[1]} classes")
    return export


def read_int8_model(bundle: ModelBundle, export: Int8Export) -> bytes:
    """Read and check the network of an export.

    Raises:
        ModelRefusedError: The file is missing or was changed.
    """
    folder = int8_folder(bundle.folder)
    try:
        return read_known_file(folder / ONNX_FILE, export.model.sha256, export.model.size)
    except UnsafeFileError as fault:
        raise _refuse(folder, f"{ONNX_FILE}: {fault}") from fault


def describe_int8(folder: Path) -> BundledFile:
    """Return digest and size of the network in a folder."""
    return describe_file(folder / ONNX_FILE)


def _parse(data: bytes) -> Int8Export:
    values = parse_strict_json(data)
    if values["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"its schema is {values['schema_version']}, not {SCHEMA_VERSION}")
    strange = values["golden_strangeness"]
    return Int8Export(
        made_from=str(values["made_from"]),
        model=BundledFile(str(values["model"]["sha256"]), int(values["model"]["size"])),
        golden=tuple(tuple(map(float, row)) for row in values["golden"]),
        golden_strangeness=None if strange is None else tuple(map(float, strange)),
        photos=int(values["photos"]),
        int8=_figures(values["int8"]),
        floats=_figures(values["floats"]),
    )


def _figures(values: dict[str, float | None]) -> PhotoFigures:
    accuracy, log_loss, strange = (
        values[name] for name in ("accuracy", "log_loss", "strange_share")
    )
    if accuracy is None or log_loss is None:
        raise ValueError("a figure is missing")
    return PhotoFigures(
        accuracy=float(accuracy),
        log_loss=float(log_loss),
        strange_share=None if strange is None else float(strange),
    )


def _refuse(folder: Path, reason: str) -> ModelRefusedError:
    return ModelRefusedError(
        f"{folder}: this export is refused: {reason}. Write it again with `trainer export --to "
        f"{INT8_FORMAT}`, or remove the folder."
    )
