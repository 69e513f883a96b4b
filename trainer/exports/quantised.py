"""Turn the bundle's network into one of 8 bits, and compare both on the validation photos."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.formats.bundle import ONNX_FILE, BundledFile, ModelBundle, golden_images
from maskage.formats.int8_export import Int8Export, PhotoFigures
from maskage.inference.onnx_engine import Answers, OnnxEngine
from maskage.system.process import suppress_native_output

OPERATORS = ("Conv", "Add", "Clip", "Relu")
"""Operators that compute in 8 bits. The head and the strangeness stay in floats.

Source:
    On MobileNetV2 at 192 px and 271 photos that it had not learned from: 98.9% of the labels stayed
    with these, 87.5% with "Conv" alone, whose activations then have ranges from before the clip.
"""

_BATCH = 25


def quantise(data: bytes, calibration: NDArray[np.uint8]) -> bytes:
    """Return a network with weights and activations of 8 bits, a scale for each channel.

    Args:
        data: Bytes of the bundle's ONNX file.
        calibration: Training photos of all classes, uint8 (N, size, size, 3), which show the range
            of the numbers between the layers.
    """
    # Here since it brings tools that running a network does not need.
    from onnxruntime.quantization import (  # noqa: TID251  reports are off since onnx_runtime
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import (  # noqa: TID251
        quant_pre_process,
    )

    with (
        tempfile.TemporaryDirectory() as temporary,
        suppress_native_output(),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        folder = Path(temporary)
        given, prepared, written = (folder / f"{name}.onnx" for name in ("a", "b", "c"))
        given.write_bytes(data)
        quant_pre_process(str(given), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(written),
            _photo_reader(calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(OPERATORS),
            nodes_to_exclude=_strangeness_nodes(prepared),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        return _as_plain_network(written, data)


def compare_int8(
    bundle: ModelBundle,
    floats: bytes,
    int8: bytes,
    photos: NDArray[np.uint8],
    labels: NDArray[np.int64],
) -> Int8Export:
    """Run both networks on the validation photos, and return the record of the smaller.

    Args:
        bundle: The bundle that `floats` comes from.
        floats: Bytes of its network.
        int8: Bytes of the network made from it.
        photos: Validation photos, uint8 (N, size, size, 3).
        labels: Their class numbers.
    """
    import hashlib

    engine = OnnxEngine(int8)
    golden = engine.answer(golden_images(bundle.input_size))
    strange = golden.strangeness
    return Int8Export(
        made_from=bundle.files[ONNX_FILE].sha256,
        model=BundledFile(hashlib.sha256(int8).hexdigest(), len(int8)),
        golden=tuple(tuple(map(float, row)) for row in golden.probabilities),
        golden_strangeness=None if strange is None else tuple(map(float, strange)),
        photos=len(photos),
        int8=_figures(_answer(engine, photos), labels, bundle.strange_above),
        floats=_figures(_answer(OnnxEngine(floats), photos), labels, bundle.strange_above),
    )


def _answer(engine: OnnxEngine, photos: NDArray[np.uint8]) -> Answers:
    return engine.answer_batches(
        photos[start : start + _BATCH] for start in range(0, len(photos), _BATCH)
    )


def _figures(answers: Answers, labels: NDArray[np.int64], limit: float | None) -> PhotoFigures:
    rows = answers.probabilities
    right = rows[np.arange(len(labels)), labels]
    strange = answers.strangeness
    return PhotoFigures(
        accuracy=float((rows.argmax(axis=1) == labels).mean()),
        log_loss=float(-np.log(np.clip(right, 1e-9, 1)).mean()),
        strange_share=None if strange is None or limit is None else float((strange > limit).mean()),
    )


def _photo_reader(photos: NDArray[np.uint8]) -> Any:
    """Return a reader of batches, as ONNX Runtime's quantiser asks for them."""
    from onnxruntime.quantization import CalibrationDataReader  # noqa: TID251

    batches = iter([photos[start : start + _BATCH] for start in range(0, len(photos), _BATCH)])

    class Reader(CalibrationDataReader):  # type: ignore[misc, unused-ignore]
        """The photos, a batch at each call; None at their end."""

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            batch = next(batches, None)
            return None if batch is None else {"images": batch}

    return Reader()


def _strangeness_nodes(path: Path) -> list[str]:
    """Return the operators that compute the strangeness, which floats alone can hold."""
    import onnx

    nodes = onnx.load(path).graph.node
    return [
        node.name
        for node in nodes
        if any(name.startswith("strangeness") for name in (node.name, *node.output))
    ]


def _as_plain_network(path: Path, own: bytes) -> bytes:
    """Return the written network with the text of the bundle's own, and none of the quantiser's."""
    import onnx

    model = onnx.load(path)
    del model.metadata_props[:]
    model.metadata_props.extend(onnx.load_model_from_string(own).metadata_props)
    declared = {node.domain for node in model.graph.node} | {""}
    kept = [each for each in model.opset_import if each.domain in declared]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return bytes(model.SerializeToString())
