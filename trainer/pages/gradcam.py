"""Class activation maps: where in a photo a bundle's model saw a class.

The classifier is an average over positions and something linear behind it, so how much each
position adds to a class's logit is exact: Zhou et al., Learning deep features for discriminative
localization, CVPR 2016 (class activation maps). Grad-CAM (Selvaraju et al., ICCV 2017) is the same
map there, up to a factor. All is read from the exported graph, so the maps are those of the model
that is delivered, and need no Keras.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray

from maskage.inference.onnx_engine import read_network
from maskage.records import RgbImage
from maskage.system.onnx_runtime import onnxruntime

Maps = NDArray[np.float32]


class ActivationMaps:
    """A model that computes class activation maps.

    Args:
        network: Session from images to the last maps, (N, depth, h, w).
        kernel: The amount that each feature adds to each class's logit, shape (depth, classes).
    """

    def __init__(self, network: Any, kernel: Maps) -> None:
        self._network, self._kernel = network, kernel

    def compute(self, images: NDArray[np.uint8]) -> Maps:
        """Return the amount that each position adds to the logit of each class.

        Args:
            images: RGB uint8, shape (N, size, size, 3).

        Returns:
            Float32, shape (N, classes, h, w). Summed over positions, a map is the class's logit (as
            the softmax gets it, divided by the temperature) without its bias.
        """
        maps = _run(self._network, images)
        height, width = maps.shape[2:]
        added = np.einsum("ndhw,dc->nchw", maps, self._kernel) / (height * width)
        return np.asarray(added, dtype=np.float32)


def open_maps(model: Path) -> ActivationMaps | None:
    """Take the last maps and the head out of an ONNX file.

    Args:
        model: Images uint8 (N, size, size, 3) to probabilities.

    Returns:
        None if the graph is not maps, their average, something linear and a softmax.

    Raises:
        ModelRefusedError: The file is not a network as this toolchain exports them.
    """
    graph = onnx.load_model_from_string(read_network(model))
    nodes = {output: node for node in graph.graph.node for output in node.output}
    last = nodes.get(graph.graph.output[0].name)
    if last is None or last.op_type != "Softmax":
        return None
    pooling = _find_pooling(nodes, last.input[0])
    if pooling is None:
        return None
    images = graph.graph.input[0]
    size = images.type.tensor_type.shape.dim[1].dim_value
    network = _cut(graph, images.name, pooling.input[0])
    depth = _run(network, np.zeros((1, size, size, 3), np.uint8)).shape[1]
    kernel = _linear_part(_cut(graph, pooling.output[0], last.input[0]), depth)
    return None if kernel is None else ActivationMaps(network, kernel)


def draw_overlay(pixels: RgbImage, added: Maps, strength: float = 0.6) -> RgbImage:
    """Lay a map over a photo: positions that speak for the class glow, all others stay dark.

    Args:
        pixels: RGB uint8, shape (H, W, 3).
        added: Shape (h, w); values above 0 are drawn, scaled to their own maximum.
        strength: Opacity of the map where it is strongest, 0 to 1.

    Returns:
        RGB uint8, shape (H, W, 3).
    """
    height, width = pixels.shape[:2]
    heat = np.maximum(added, 0)
    heat = heat / max(float(heat.max()), 1e-12)
    heat = np.clip(cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    levels = np.rint(heat * 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    grey = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2)
    share = strength * np.sqrt(heat)[:, :, None]
    return np.asarray(np.rint(grey * (1 - share) + colours * share), dtype=np.uint8)


def _find_pooling(nodes: dict[str, onnx.NodeProto], value: str) -> onnx.NodeProto | None:
    """Return the nearest average over positions on the way back from a value."""
    waiting = [value]
    while waiting:
        node = nodes.get(waiting.pop(0))
        if node is None:
            continue
        if node.op_type == "GlobalAveragePool":
            return node
        waiting += node.input
    return None


def _cut(graph: onnx.ModelProto, start: str, end: str) -> Any:
    """Return the part of a graph that leads from one value to another, ready to run."""
    nodes = {output: node for node in graph.graph.node for output in node.output}
    wanted: set[str] = set()
    waiting = [end]
    while waiting:
        name = waiting.pop()
        if name != start and name not in wanted and name in nodes:
            wanted.add(name)
            waiting += nodes[name].input
    kept = [node for node in graph.graph.node if wanted & set(node.output)]
    used = {name for node in kept for name in node.input}
    ends = {each.name: each for each in graph.graph.input}
    part = onnx.helper.make_graph(
        kept,
        "part",
        [ends.get(start) or _floats(start)],
        [_floats(end)],
        [each for each in graph.graph.initializer if each.name in used],
    )
    model = onnx.helper.make_model(
        part, opset_imports=graph.opset_import, ir_version=graph.ir_version
    )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _floats(name: str) -> onnx.ValueInfoProto:
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)


def _linear_part(head: Any, depth: int) -> Maps | None:
    """Return the amount that each pooled feature adds to each logit, (depth, classes).

    None if the head is not linear.
    """
    features = np.eye(depth, dtype=np.float32)[:, :, None, None]
    base = _run(head, np.zeros_like(features[:1]))
    kernel = _run(head, features) - base
    turned = _run(head, -2 * features) - base
    return kernel if np.allclose(turned, -2 * kernel, rtol=1e-3, atol=1e-5) else None


def _run(session: Any, values: NDArray[Any]) -> Maps:
    return np.asarray(session.run(None, {session.get_inputs()[0].name: values})[0])
