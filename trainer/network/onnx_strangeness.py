"""Put the measure of strangeness into an exported network, as its output beside the probabilities.

So every program that runs the file has it, at no price that can be measured.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from maskage.security.onnx import STRANGENESS
from maskage.system.onnx_runtime import onnxruntime
from trainer.network.onnx_metadata import LIMIT_KEY
from trainer.network.strangeness import LIMIT, FeatureSpread, Strangeness

_HEAD = ("Softmax", "MatMul", "Gemm", "Add", "Mul")
"""Operators between the features and the probabilities."""
_HALVING = ("Conv", "MaxPool", "AveragePool")
_AXES_ARE_INPUT_FROM = 18
"""Version of the operators from which ReduceMax takes its axes as an input."""


def read_depths(network: bytes, batches: Iterable[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
    """Run a network, and return its features at each depth, float32 (N, D), the head's own first.

    Args:
        network: Bytes of an exported network with one output.
        batches: Images, uint8 (N, size, size, 3) each.
    """
    model = onnx.load_model_from_string(network)
    names = _add_depths(model)
    del model.graph.output[:]
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    given = model.graph.input[0].name
    parts = [session.run(names, {given: batch}) for batch in batches]
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


def add_strangeness(network: bytes, strangeness: Strangeness) -> bytes:
    """Return an exported network with a second output, `strangeness`, float32 (N, 1).

    Args:
        network: Bytes of a network with one output, that `strangeness` was fitted for.
        strangeness: The measure.
    """
    model = onnx.load_model_from_string(network)
    graph = model.graph
    version = max(each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
    parts = []
    fitted = zip(_add_depths(model), strangeness.spreads, strangeness.scales, strict=True)
    for number, (features, spread, scale) in enumerate(fitted):
        part = _Part(f"{STRANGENESS}/{number}", version)
        parts.append(part.measure(features, spread, scale))
        graph.node.extend(part.nodes)
        graph.initializer.extend(part.weights)
    graph.node.append(helper.make_node("Sum", parts, [STRANGENESS], name=STRANGENESS))
    graph.output.append(helper.make_tensor_value_info(STRANGENESS, TensorProto.FLOAT, ["batch", 1]))
    model.metadata_props.add(key=LIMIT_KEY, value=str(LIMIT))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _add_depths(model: ModelProto) -> list[str]:
    """Add what pools the earlier depth, and return the names of the features at each depth."""
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    features = graph.output[0].name
    while makers[features].op_type in _HEAD:
        features = makers[features].input[0]
    halving = [node for node in graph.node if _halves(node)]
    # Before the first halving are the pixels.
    if len(halving) < 2:
        return [features]
    source = halving[-1].input[0]
    while makers[source].op_type == "Pad":
        source = makers[source].input[0]
    pooled, flat = f"{STRANGENESS}/pooled", f"{STRANGENESS}/earlier"
    graph.node.append(helper.make_node("GlobalAveragePool", [source], [pooled], name=pooled))
    graph.node.append(helper.make_node("Flatten", [pooled], [flat], name=flat))
    return [features, flat]


def _halves(node: NodeProto) -> bool:
    return node.op_type in _HALVING and any(
        each.name == "strides" and max(each.ints, default=1) > 1 for each in node.attribute
    )


class _Part:
    """The operators that measure the distance at one depth.

    Args:
        prefix: Begin of the name of everything in it.
        version: Version of the operators in the file.
    """

    def __init__(self, prefix: str, version: int) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self._prefix, self._version = prefix, version

    def measure(self, features: str, spread: FeatureSpread, scale: float) -> str:
        """Add what `FeatureSpread.measure` computes, times `scale`; return its name, (N, 1)."""
        last, middle = self._integers("last", [-1]), self._integers("middle", [1])
        off = self._add("Sub", self._add("Unsqueeze", features, middle),
                        self._floats("means", spread.means))  # fmt: skip
        whole = self._add("ReduceSum", self._add("Mul", off, off), last, keepdims=0)
        main = self._add("MatMul", off, self._floats("discounts", spread.discounts))
        main = self._add("ReduceSum", self._add("Mul", main, main), last, keepdims=0)
        whole = self._add("Mul", whole, self._floats("rest", np.array([1 / spread.rest])))
        nearest = self._greatest(self._add("Neg", self._add("Sub", whole, main)), middle)
        nothing = self._floats("nothing", np.zeros(1))
        distance = self._add("Sqrt", self._add("Max", self._add("Neg", nearest), nothing))
        return self._add("Mul", distance, self._floats("scale", np.array([scale])))

    def _greatest(self, values: str, axis: str) -> str:
        if self._version >= _AXES_ARE_INPUT_FROM:
            return self._add("ReduceMax", values, axis, keepdims=1)
        return self._add("ReduceMax", values, axes=[1], keepdims=1)

    def _add(self, operator: str, *given: str, **settings: Any) -> str:
        name = f"{self._prefix}/{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, given, [name], name=name, **settings))
        return name

    def _floats(self, name: str, values: NDArray[np.floating]) -> str:
        return self._keep(name, values.astype(np.float32))

    def _integers(self, name: str, values: list[int]) -> str:
        return self._keep(name, np.array(values, np.int64))

    def _keep(self, name: str, values: NDArray[np.generic]) -> str:
        name = f"{self._prefix}/{name}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name
