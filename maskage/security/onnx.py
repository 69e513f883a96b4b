"""Check that an ONNX file is a network like ours, before ONNX Runtime loads it.

Everything must be inside the file, every operator known and plain. The size of every array and the
work for one image are computed from the file, so a small file cannot ask for much memory or time.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import onnx
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, shape_inference

from maskage.security.files import UnsafeFileError

# fmt: off
OPERATORS = frozenset((
    "Abs", "Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Constant", "Conv",
    "DequantizeLinear", "Div", "Erf", "Exp", "Flatten", "Gather", "Gemm", "GlobalAveragePool",
    "HardSigmoid", "HardSwish", "Identity", "Log", "LogSoftmax", "MatMul", "Max", "MaxPool", "Min",
    "Mul", "Neg", "Pad", "Pow", "QuantizeLinear", "Reciprocal", "ReduceMax", "ReduceMean",
    "ReduceSum", "Relu", "Reshape", "Shape", "Sigmoid", "Slice", "Softmax", "Split", "Sqrt",
    "Squeeze", "Sub", "Sum", "Tanh", "Transpose", "Unsqueeze",
))
# fmt: on
"""Accepted operators of the standard domain.

Our networks use about twenty of them, those of 8 bits two more. None loops, branches, draws random
numbers, reads a file, or holds a graph of its own.
"""

ITEM_BYTES: dict[int, int] = {
    TensorProto.FLOAT: 4,
    TensorProto.FLOAT16: 2,
    TensorProto.UINT8: 1,
    TensorProto.INT8: 1,
    TensorProto.INT32: 4,
    TensorProto.INT64: 8,
    TensorProto.BOOL: 1,
}
"""Size, bytes, of the element types that an array may have."""

BYTES_A_PIXEL, SPARE_BYTES = 512, 32 << 20
"""Largest array, bytes: for each pixel of the input, and in addition.

Of our networks Xception needs most, 128 bytes for each pixel.
"""

WORK_A_PIXEL, SPARE_WORK = 2_000_000, 1_000_000_000
"""Most multiplications for one image: for each pixel of the input, and in addition.

Xception needs 94,000 for each pixel.
"""

MOST_NODES, MOST_WEIGHTS, MOST_DIMENSIONS = 5_000, 10_000, 8

METADATA_KEYS = frozenset(
    ("classes", "titles", "factors", "names", "input_size", "color_order", "crop_margin", "version",
     "strange_above")
)  # fmt: skip
"""Keys of the text beside the network that we write; files of earlier versions have none.

No other is accepted: ONNX Runtime can take its own settings from the key `ort_config`.
"""

LARGEST_METADATA = 1 << 20
"""Most characters of all that text. 64 classes with names of 200 bytes need 60,000."""

STRANGENESS = "strangeness"
"""Name of the second output, which a network may have: one float for each image."""

_STANDARD_DOMAINS = ("", "ai.onnx")
# tf2onnx declares it in every file; its operators are refused like those of other domains.
_DECLARED_DOMAINS = (*_STANDARD_DOMAINS, "ai.onnx.ml")
_PLAIN_ATTRIBUTES = (
    AttributeProto.FLOAT,
    AttributeProto.INT,
    AttributeProto.STRING,
    AttributeProto.TENSOR,
    AttributeProto.FLOATS,
    AttributeProto.INTS,
    AttributeProto.STRINGS,
)

Shape = tuple[int, ...]


def check_onnx(data: bytes) -> int:
    """Refuse anything but a network like those we export.

    Args:
        data: Bytes of the file, from which the session must then be loaded.

    Returns:
        Side of the input, px.

    Raises:
        UnsafeFileError: It is anything else.
    """
    model = _parse(data)
    graph = model.graph
    _require(not model.functions, "it defines functions of its own")
    _require(not model.training_info, "it holds instructions for training")
    _require(not graph.sparse_initializer, "it holds sparse weights")
    _require(not graph.quantization_annotation, "it holds notes on quantisation")
    _check_metadata(model)
    for opset in model.opset_import:
        _require(
            opset.domain in _DECLARED_DOMAINS, f"it wants operators of '{_printable(opset.domain)}'"
        )
    _require(len(graph.node) <= MOST_NODES, f"it has {len(graph.node):,} operators")
    _require(len(graph.initializer) <= MOST_WEIGHTS, f"it has {len(graph.initializer):,} weights")
    size = _check_ends(model)
    for tensor in graph.initializer:
        _check_tensor(tensor)
    for node in graph.node:
        _check_node(node)
    _check_sizes(model, size)
    return size


def _parse(data: bytes) -> ModelProto:
    try:
        # Not onnx.load, which would read external data.
        model = onnx.load_model_from_string(data)
    except Exception as fault:
        # protobuf's exceptions differ between its implementations.
        raise UnsafeFileError("it is not an ONNX file, or is truncated") from fault
    _require(bool(model.graph.node), "it is not an ONNX file, or is empty")
    return model


def _check_metadata(model: ModelProto) -> None:
    """Check that the text beside the network is what we write: known keys, each once, not long."""
    keys = [entry.key for entry in model.metadata_props]
    for key in keys:
        _require(key in METADATA_KEYS, f"it holds text under the key '{_printable(key)}'")
        _require(keys.count(key) == 1, f"it holds text under the key '{key}' twice")
    values = [entry.value for entry in model.metadata_props]
    _require(all(isinstance(value, str) for value in values), "its metadata is not text")
    length = sum(map(len, values))
    _require(length <= LARGEST_METADATA, f"its metadata has {length:,} characters")


def _check_ends(model: ModelProto) -> int:
    """Check for one square uint8 RGB input and float outputs, and return the input's side."""
    graph = model.graph
    ends = len(graph.input), len(graph.output)
    _require(
        ends in ((1, 1), (1, 2)),
        f"it has {ends[0]} inputs and {ends[1]} outputs, not one each and at most '{STRANGENESS}'",
    )
    is_text = all(isinstance(end.name, str) for end in (*graph.input, *graph.output))
    _require(is_text, "the names of its input and output are not text")
    _check_second_output(model)
    given, answer = graph.input[0].type.tensor_type, graph.output[0].type.tensor_type
    sides = [side.dim_value for side in given.shape.dim]
    _require(
        given.elem_type == TensorProto.UINT8
        and len(sides) == 4
        and sides[1] == sides[2]
        and 16 <= sides[1] <= 4096
        and sides[3] == 3,
        f"its input is {sides} of type {given.elem_type}, not square RGB images of uint8",
    )
    answered = [side.dim_value for side in answer.shape.dim]
    _require(
        answer.elem_type == TensorProto.FLOAT and len(answered) == 2,
        f"its output is {answered} of type {answer.elem_type}, not a row of floats for each image",
    )
    return int(sides[1])


def _check_second_output(model: ModelProto) -> None:
    """Check that a second output is the strangeness, one float for each image."""
    for second in model.graph.output[1:]:
        given = second.type.tensor_type
        sides = [side.dim_value for side in given.shape.dim]
        _require(
            second.name == STRANGENESS
            and given.elem_type == TensorProto.FLOAT
            and len(sides) == 2
            and sides[1] == 1,
            f"its second output is '{_printable(second.name)}', {sides} of type "
            f"{given.elem_type}, not '{STRANGENESS}', one float for each image",
        )


def _check_node(node: NodeProto) -> None:
    is_text = all(isinstance(name, str) for name in (*node.input, *node.output))
    _require(is_text, f"its {_printable(node.op_type)} has names that are not text")
    _require(
        node.domain in _STANDARD_DOMAINS and node.op_type in OPERATORS,
        f"it uses the operator '{_printable(node.domain)}:{_printable(node.op_type)}', which none "
        "of our networks needs",
    )
    for attribute in node.attribute:
        _require(
            attribute.type in _PLAIN_ATTRIBUTES and not attribute.ref_attr_name,
            f"its {node.op_type} holds more than numbers",
        )
        if attribute.type == AttributeProto.TENSOR:
            _check_tensor(attribute.t)


def _check_tensor(tensor: TensorProto) -> None:
    """Check that weights are in the file, complete, and not larger than their shape."""
    name = _printable(tensor.name)
    _require(isinstance(tensor.name, str), f"the name of its weights '{name}' is not text")
    _require(
        tensor.data_location == TensorProto.DEFAULT and not tensor.external_data,
        f"its weights '{name}' lie in another file",
    )
    _require(not tensor.HasField("segment"), f"its weights '{name}' are split into pieces")
    _require(tensor.data_type in ITEM_BYTES, f"its weights '{name}' are of an unknown type")
    count = _count(tuple(tensor.dims), f"weights '{name}'")
    if tensor.HasField("raw_data"):
        held, asked = len(tensor.raw_data), count * ITEM_BYTES[tensor.data_type]
    else:
        fields = (tensor.float_data, tensor.int32_data, tensor.int64_data)
        held, asked = max(len(field) for field in fields), count
    _require(held == asked, f"its weights '{name}' hold {held:,}, and their shape needs {asked:,}")


def _check_sizes(model: ModelProto, size: int) -> None:
    shapes, types = {}, {}
    for info in _infer(model):
        sides = info.type.tensor_type.shape.dim
        if all(side.HasField("dim_value") for side in sides):
            shapes[info.name] = tuple(int(side.dim_value) for side in sides)
            types[info.name] = info.type.tensor_type.elem_type
    shapes |= {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    pixels, work = size * size, 0
    largest = BYTES_A_PIXEL * pixels + SPARE_BYTES
    for node in model.graph.node:
        for name in filter(None, node.output):
            _require(name in shapes, f"the memory that its {node.op_type} needs is unknown")
            _require(
                types[name] in ITEM_BYTES, f"its {node.op_type} has an output of an unknown type"
            )
            asked = _count(shapes[name], node.op_type) * ITEM_BYTES[types[name]]
            _require(asked <= largest, f"its {node.op_type} asks for {asked:,} bytes for one image")
        work += _work(node, shapes)
    _require(
        work <= WORK_A_PIXEL * pixels + SPARE_WORK, f"it asks for {work:,} steps for one image"
    )


def _infer(model: ModelProto) -> Iterator[Any]:
    """Yield name and shape of every array for one image; those in the file are not trusted."""
    try:
        # Without data propagation, which would create arrays that double thirty times.
        inferred = shape_inference.infer_shapes(_strip(model), strict_mode=True, data_prop=False)
    except Exception as fault:
        # Its exceptions have no common base, nor those of protobuf for an odd name.
        reason = (str(fault).splitlines() or ["no reason given"])[0][:120]
        raise UnsafeFileError(f"its arrays do not fit together ({reason})") from fault
    yield from inferred.graph.value_info
    yield from inferred.graph.output


def _strip(model: ModelProto) -> ModelProto:
    """Return the network for one image, with the shapes of its weights in place of the weights."""
    graph = model.graph
    bare = ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    bare.graph.name = "bare"
    bare.graph.node.extend(graph.node)
    bare.graph.input.extend(graph.input)
    bare.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    for end in graph.output:
        answer = bare.graph.output.add(name=end.name)
        answer.type.tensor_type.elem_type = TensorProto.FLOAT
    for tensor in graph.initializer:
        if len(tensor.dims) <= 1 and math.prod(tensor.dims) <= 64:
            # Small ones may be a shape, which the inference of other shapes needs.
            bare.graph.initializer.append(tensor)
        else:
            bare.graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            )
    return bare


def _work(node: NodeProto, shapes: Mapping[str, Shape]) -> int:
    """Estimate the multiplications of one operator."""
    answers = sum(math.prod(shapes[name]) for name in filter(None, node.output))
    if node.op_type == "Conv" and len(node.input) > 1:
        return answers * math.prod(shapes.get(node.input[1], ())[1:])
    if node.op_type in ("Gemm", "MatMul") and node.input:
        return answers * max(shapes.get(node.input[0], ()), default=1)
    if node.op_type in ("AveragePool", "MaxPool"):
        for each in node.attribute:
            if each.name == "kernel_shape":
                return answers * abs(int(math.prod(each.ints)))
    return answers


def _count(shape: Shape, what: str) -> int:
    _require(
        len(shape) <= MOST_DIMENSIONS and all(side >= 0 for side in shape),
        f"the shape of its {what} is {shape[:10]}",
    )
    return math.prod(shape)


def _printable(name: str) -> str:
    # A name that is not UTF-8 is bytes.
    return str(name[:60]).encode("unicode_escape").decode()


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise UnsafeFileError(reason)
