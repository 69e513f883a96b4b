"""Small networks with the ends of YuNet, which see faces in noise."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STRIDES = (8, 16, 32)
WIDTHS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
Sides = Sequence[int | str]


def make_face_network(sides: Sides = ("height", "width"), seed: int = 0) -> onnx.ModelProto:
    """Return a network with random weights: one convolution for each output.

    Args:
        sides: Height and width of its input, each a number or a name for any number.
        seed: Seed of the weights.
    """
    draw = np.random.default_rng(seed)
    nodes, weights, outputs = [], [], []
    for kind, width in WIDTHS.items():
        for stride in STRIDES:
            name = f"{kind}_{stride}"
            scale = 0.002 if kind in ("cls", "obj") else 0.0004
            kernel = draw.normal(0, scale, (width, 3, stride, stride)).astype(np.float32)
            weights.append(numpy_helper.from_array(kernel, f"{name}_kernel"))
            shape = np.array([1, -1, width], np.int64)
            weights.append(numpy_helper.from_array(shape, f"{name}_shape"))
            last = "images"
            conv = helper.make_node("Conv", [last, f"{name}_kernel"], [f"{name}_conv"])
            conv.attribute.append(helper.make_attribute("strides", [stride, stride]))
            nodes.append(conv)
            last = f"{name}_conv"
            if kind in ("cls", "obj"):
                nodes.append(helper.make_node("Sigmoid", [last], [f"{name}_score"]))
                last = f"{name}_score"
            nodes.append(
                helper.make_node("Transpose", [last], [f"{name}_cells"], perm=[0, 2, 3, 1])
            )
            nodes.append(helper.make_node("Reshape", [f"{name}_cells", f"{name}_shape"], [name]))
            cells = _count_cells(sides, stride)
            outputs.append(
                helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, cells, width])
            )
    given = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, *sides])
    graph = helper.make_graph(nodes, "faces", [given], outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)


def _count_cells(sides: Sides, stride: int) -> int | str:
    height, width = sides
    if isinstance(height, int) and isinstance(width, int):
        return (height // stride) * (width // stride)
    return "cells"
