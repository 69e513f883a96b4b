"""Read the names, shapes and types of a network's input and output from an exported file."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskage.system.process import suppress_native_output

INPUT, OUTPUT = "images", "probabilities"
"""Names of the two ends in every format."""


@dataclass(frozen=True)
class End:
    """An input or output, as it is in the file.

    Attributes:
        name: Name that a runtime knows it by.
        shape: Sides; None for any number.
        type: Type of a number, as numpy names it.
    """

    name: str
    shape: tuple[int | None, ...]
    type: str


@dataclass(frozen=True)
class Ends:
    """The input and the output of a network."""

    input: End
    output: End


def read_onnx_ends(path: Path) -> Ends:
    """Return the ends of an ONNX file."""
    import onnx

    graph = onnx.load(path).graph

    def end(info: Any) -> End:
        tensor = info.type.tensor_type
        sides = (
            side.dim_value if side.HasField("dim_value") else None for side in tensor.shape.dim
        )
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        return End(info.name, tuple(sides), str(dtype))

    return Ends(end(graph.input[0]), end(graph.output[0]))


def read_tflite_ends(path: Path) -> Ends:
    """Return the ends of a TFLite file: its tensors, not the names in its signature."""
    from ai_edge_litert.interpreter import Interpreter

    with suppress_native_output():
        interpreter = Interpreter(model_content=path.read_bytes())

    def end(details: Any) -> End:
        shape = tuple(int(side) for side in details["shape"])
        return End(details["name"], shape, details["dtype"].__name__)

    return Ends(end(interpreter.get_input_details()[0]), end(interpreter.get_output_details()[0]))


def read_openvino_ends(path: Path) -> Ends:
    """Return the ends of an OpenVINO model, by its .xml file."""
    import openvino

    with suppress_native_output():
        model = openvino.Core().read_model(path)

    def end(port: Any) -> End:
        sides = (side.get_length() if side.is_static else None for side in port.partial_shape)
        return End(port.any_name, tuple(sides), str(port.element_type.to_dtype()))

    return Ends(end(model.input(0)), end(model.output(0)))


def read_keras_ends(path: Path) -> Ends:
    """Return the ends of a .keras file that we wrote, which are layers."""
    with zipfile.ZipFile(path) as archive:
        network = json.loads(archive.read("config.json"))["config"]
    layers = {layer["name"]: layer for layer in network["layers"]}
    first, last = (layers[network[end][0]] for end in ("input_layers", "output_layers"))
    # A layer is described with what it is given; a softmax answers in the same shape.
    answer = last["inbound_nodes"][0]["args"][0]["config"]
    given = first["config"]
    return Ends(
        End(first["name"], tuple(given["batch_shape"]), given["dtype"]),
        End(last["name"], tuple(answer["shape"]), answer["dtype"]),
    )
