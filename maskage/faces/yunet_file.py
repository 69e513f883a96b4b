"""Check that a named face model is YuNet, before ONNX Runtime loads it, and open its input size."""

import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

from maskage.security.files import UnsafeFileError

OPERATORS = frozenset((
    "Add", "BatchNormalization", "Cast", "Clip", "Concat", "Constant", "Conv", "DequantizeLinear",
    "Identity", "MaxPool", "Mul", "QuantizeLinear", "Relu", "Reshape", "Resize", "Sigmoid",
    "Transpose",
))  # fmt: skip
"""Accepted operators: those of YuNet's files, in floats and in integers. None loops, branches, or
reads a file."""

MOST_NODES = 1000
_STANDARD_DOMAINS = ("", "ai.onnx")
_GRAPHS = (AttributeProto.GRAPH, AttributeProto.GRAPHS)


def open_input_size(data: bytes, outputs: frozenset[str]) -> bytes:
    """Return YuNet's file for pictures of any size.

    Args:
        data: Bytes of the file.
        outputs: Names of the outputs that it must have.

    Raises:
        UnsafeFileError: It is another network, or holds more than a network.
    """
    try:
        # Not onnx.load, which would read external data.
        model = onnx.load_model_from_string(data)
    except Exception as fault:
        # protobuf's exceptions differ between its implementations.
        raise UnsafeFileError("it is not an ONNX file, or is truncated") from fault
    graph = model.graph
    _require(bool(graph.node), "it is not an ONNX file, or is empty")
    _check_ends(graph, outputs)
    _check_network(model)
    # Names stand for sides of any length. Shapes between the ends would fix them again.
    del graph.value_info[:]
    for number, side in enumerate(graph.input[0].type.tensor_type.shape.dim):
        if number >= 2:
            side.dim_param = f"side_{number}"
    for end in graph.output:
        end.type.tensor_type.shape.dim[1].dim_param = f"cells_{end.name}"
    return bytes(model.SerializeToString())


def _check_ends(graph: GraphProto, outputs: frozenset[str]) -> None:
    weights = {tensor.name for tensor in graph.initializer}
    given = [end for end in graph.input if end.name not in weights]
    found = {end.name for end in graph.output}
    _require(
        len(given) == 1 and found == outputs,
        f"it is another network: YuNet has 1 input and the outputs {_listed(outputs)}, it has "
        f"{len(given)} and {_listed(found)}",
    )
    tensor = graph.input[0].type.tensor_type
    sides = tensor.shape.dim
    _require(
        graph.input[0].name == given[0].name
        and tensor.elem_type == TensorProto.FLOAT
        and len(sides) == 4
        and sides[1].dim_value == 3,
        "it is another network: YuNet takes three planes of floats",
    )
    for end in graph.output:
        _require(
            len(end.type.tensor_type.shape.dim) == 3,
            f"it is another network: its output {end.name[:60]!r} is no row for each cell",
        )


def _check_network(model: ModelProto) -> None:
    graph = model.graph
    _require(not model.functions and not model.training_info, "it holds more than a network")
    # ONNX Runtime can take its own settings from the text beside the network.
    keys = [entry.key for entry in model.metadata_props]
    _require("ort_config" not in keys, "it holds settings for ONNX Runtime")
    _require(len(graph.node) <= MOST_NODES, f"it has {len(graph.node):,} operators")
    for tensor in graph.initializer:
        _check_tensor(tensor)
    for node in graph.node:
        _check_node(node)


def _check_node(node: NodeProto) -> None:
    _require(
        node.domain in _STANDARD_DOMAINS and node.op_type in OPERATORS,
        f"it uses the operator {node.op_type[:60]!r}, which YuNet does not need",
    )
    for attribute in node.attribute:
        _require(attribute.type not in _GRAPHS, f"its {node.op_type} holds another network")
        _check_tensor(attribute.t)


def _check_tensor(tensor: TensorProto) -> None:
    is_inside = tensor.data_location == TensorProto.DEFAULT and not tensor.external_data
    _require(is_inside, f"its weights {tensor.name[:60]!r} lie in another file")


def _listed(names: "set[str] | frozenset[str]") -> str:
    return ", ".join(sorted(name[:20] for name in names)[:12]) or "none"


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise UnsafeFileError(reason)
