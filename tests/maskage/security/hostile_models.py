"""Model and weights files as somebody who means harm would make them. All are real files."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from maskage.classes.ready_made import MASK_AGE
from maskage.formats.bundle import (
    BundledFile,
    ModelBundle,
    describe_file,
    golden_images,
    write_bundle,
)
from maskage.system.onnx_runtime import onnxruntime

SIZE = 32


def make_network() -> ModelProto:
    """A small network of the kind that is exported: a convolution, a mean, a dense layer."""
    chance = np.random.default_rng(5)
    weights = {
        "scale": np.float32(1 / 255),
        "kernel": chance.normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32),
        "dense": chance.normal(0, 1, (8, 4)).astype(np.float32),
        "bias": np.zeros(4, np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["floats", "scale"], ["scaled"]),
        helper.make_node("Transpose", ["scaled"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "kernel"], ["maps"], strides=[2, 2]),
        helper.make_node("Relu", ["maps"], ["bent"]),
        helper.make_node("GlobalAveragePool", ["bent"], ["means"]),
        helper.make_node("Flatten", ["means"], ["features"]),
        helper.make_node("Gemm", ["features", "dense", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", SIZE, SIZE, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 4])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def seal(folder: Path, data: bytes) -> Path:
    """Write a bundle whose digests and sizes are right, whatever the network is."""
    folder.mkdir(parents=True, exist_ok=True)
    network = folder / "model.onnx"
    network.write_bytes(data)
    good = make_network().SerializeToString()
    session = onnxruntime.InferenceSession(good, providers=["CPUExecutionProvider"])
    golden = session.run(None, {"images": golden_images(SIZE)})[0]
    write_bundle(
        ModelBundle(
            folder=folder,
            scheme=MASK_AGE,
            input_size=SIZE,
            crop_margin=0.3,
            temperature=1.0,
            unsure_below=0.5,
            dataset_digest="0" * 64,
            metrics={},
            versions={},
            files={"model.onnx": describe_file(network)},
            golden=tuple(tuple(float(value) for value in row) for row in golden),
        )
    )
    return folder


def rewrite(folder: Path, data: bytes) -> None:
    """Change `bundle.json` and its digest beside it, as one who knows of both would."""
    (folder / "bundle.json").write_bytes(data)
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(data).hexdigest()}  bundle.json\n")


def relist(folder: Path, name: str, facts: BundledFile) -> None:
    """Change what `bundle.json` says of a file, or list one more."""
    path = folder / "bundle.json"
    values = json.loads(path.read_text())
    values["files"][name] = {"sha256": facts.sha256, "size": facts.size}
    rewrite(folder, json.dumps(values).encode())


def _external(location: str) -> Callable[[ModelProto], None]:
    def change(model: ModelProto) -> None:
        kernel = model.graph.initializer[1]
        kernel.ClearField("raw_data")
        kernel.data_location = TensorProto.EXTERNAL
        kernel.external_data.add(key="location", value=location)

    return change


def _external_in_node(model: ModelProto) -> None:
    inner = TensorProto(name="inner", dims=[1], data_type=TensorProto.FLOAT)
    inner.data_location = TensorProto.EXTERNAL
    inner.external_data.add(key="location", value="weights.bin")
    model.graph.node.insert(0, helper.make_node("Constant", [], ["unused"], value=inner))


def _put_before(*nodes: onnx.NodeProto) -> Callable[[ModelProto], None]:
    """Nodes from "images" to "first" at the begin, which the rest then continues from."""

    def change(model: ModelProto) -> None:
        model.graph.node[0].input[0] = "first"
        for node in reversed(nodes):
            model.graph.node.insert(0, node)

    return change


def _constant_of_shape(model: ModelProto) -> None:
    shape = numpy_helper.from_array(np.array([50_000, 50_000], np.int64), "huge")
    model.graph.initializer.append(shape)
    model.graph.node.insert(0, helper.make_node("ConstantOfShape", ["huge"], ["unused"]))


def _expand(model: ModelProto) -> None:
    shape = numpy_helper.from_array(np.array([50_000, 50_000], np.int64), "huge")
    model.graph.initializer.append(shape)
    model.graph.node.insert(0, helper.make_node("Expand", ["scale", "huge"], ["unused"]))


def _doubled(model: ModelProto) -> None:
    """Thirty concatenations, each twice as large as the one before."""
    nodes, name = [], "bias"
    for number in range(30):
        nodes.append(helper.make_node("Concat", [name, name], [f"twice{number}"], axis=0))
        name = f"twice{number}"
    for node in reversed(nodes):
        model.graph.node.insert(0, node)


def _outer_product(model: ModelProto) -> None:
    column = np.zeros((60_000, 1), np.float32)
    model.graph.initializer.append(numpy_helper.from_array(column, "column"))
    model.graph.initializer.append(numpy_helper.from_array(column.T.copy(), "row"))
    model.graph.node.insert(0, helper.make_node("MatMul", ["column", "row"], ["unused"]))


def _padded(model: ModelProto) -> None:
    model.graph.node[3].attribute.append(helper.make_attribute("pads", [40_000] * 4))


def _work(model: ModelProto) -> None:
    """Little memory, but hours: the same large product again and again."""
    square = np.zeros((2_000, 2_000), np.float32)
    model.graph.initializer.append(numpy_helper.from_array(square, "square"))
    for number in range(400):
        name = f"product{number - 1}" if number else "square"
        model.graph.node.insert(
            number, helper.make_node("MatMul", [name, "square"], [f"product{number}"])
        )


def _large_shape(model: ModelProto) -> None:
    model.graph.initializer[1].dims[0] = 1 << 40


def _negative_shape(model: ModelProto) -> None:
    model.graph.initializer[1].dims[:] = [-8, -3, 3, 3]


def _own_domain(model: ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    model.graph.node[4].domain = "com.example"


def _microsoft_domain(model: ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def _second_input(model: ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))


def _second_output(model: ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("maps", TensorProto.FLOAT, None))


def _wide_strangeness(model: ModelProto) -> None:
    model.graph.node.append(helper.make_node("Identity", ["logits"], ["strangeness"]))
    model.graph.output.append(
        helper.make_tensor_value_info("strangeness", TensorProto.FLOAT, ["batch", 4])
    )


def _third_output(model: ModelProto) -> None:
    for _ in range(2):
        _wide_strangeness(model)


def _float_input(model: ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT


def _loop(model: ModelProto) -> None:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, [])],
    )
    model.graph.node.insert(0, helper.make_node("Loop", ["", ""], [], body=body))


def _hidden_graph(model: ModelProto) -> None:
    """A graph in an operator that takes none."""
    model.graph.node[4].attribute.append(helper.make_attribute("body", model.graph))


def _function(model: ModelProto) -> None:
    model.functions.append(
        helper.make_function(
            "", "Relu", ["x"], ["y"], [helper.make_node("Identity", ["x"], ["y"])],
            [helper.make_opsetid("", 17)],
        )
    )  # fmt: skip


def _sequence(model: ModelProto) -> None:
    model.graph.node.insert(0, helper.make_node("SequenceEmpty", [], ["unused"]))


def _many_nodes(model: ModelProto) -> None:
    for number in range(6_000):
        model.graph.node.append(helper.make_node("Identity", ["bias"], [f"copy{number}"]))


HOSTILE_NETWORKS: dict[str, tuple[Callable[[ModelProto], None], str]] = {
    "weights in another file": (_external("weights.bin"), "lie in another file"),
    "weights outside the folder": (_external("../../weights.bin"), "lie in another file"),
    "weights of the machine": (_external("/etc/passwd"), "lie in another file"),
    "a constant in another file": (_external_in_node, "lie in another file"),
    "ConstantOfShape of 10 GB": (_constant_of_shape, "ConstantOfShape"),
    "Expand to 10 GB": (_expand, "Expand"),
    "Concat that doubles": (_doubled, r"Concat asks for [\d,]+ bytes"),
    "an outer product": (_outer_product, r"MatMul asks for 14,400,000,000 bytes"),
    "wide padding": (_padded, r"Conv asks for [\d,]+ bytes"),
    "work without end": (_work, r"[\d,]+ steps for one image"),
    "a shape of terabytes": (_large_shape, "and their shape needs"),
    "a negative shape": (_negative_shape, "the shape of its weights"),
    "an operator of a stranger": (_own_domain, "wants operators of 'com.example'"),
    "operators of Microsoft": (_microsoft_domain, "wants operators of 'com.microsoft'"),
    "a second input": (_second_input, "2 inputs and 1 outputs"),
    "a second output": (_second_output, "its second output is 'maps'"),
    "a wide strangeness": (_wide_strangeness, "one float for each image"),
    "a third output": (_third_output, "1 inputs and 3 outputs"),
    "floats in": (_float_input, "not square RGB images of uint8"),
    "Loop": (_loop, "Loop"),
    "a graph inside Relu": (_hidden_graph, "Relu holds more than numbers"),
    "another Relu": (_function, "functions of its own"),
    "a sequence": (_sequence, "SequenceEmpty"),
    "thousands of operators": (_many_nodes, r"6,\d+ operators"),
}
"""What is done to `make_network`, and a pattern of the reason it is refused for."""


def hostile_network(name: str) -> bytes:
    """One of `HOSTILE_NETWORKS`, as the bytes of an ONNX file."""
    model = make_network()
    HOSTILE_NETWORKS[name][0](model)
    return bytes(model.SerializeToString())


def _chunked(file: Any) -> None:
    file.create_dataset(
        "x", shape=(50_000, 50_000), dtype="f4", chunks=(1000, 1000), compression="gzip"
    )


def _never_written(file: Any) -> None:
    file.create_dataset("x", shape=(50_000, 50_000), dtype="f4")


def _external_storage(file: Any) -> None:
    file.create_dataset("x", shape=(4,), dtype="f4", external=[("/etc/passwd", 0, 16)])


def _external_link(file: Any) -> None:
    file["x"] = h5py.ExternalLink("/etc/passwd", "/x")


def _soft_link(file: Any) -> None:
    file["y"] = np.zeros(3, np.float32)
    file["x"] = h5py.SoftLink("/y")


def _virtual(file: Any) -> None:
    layout = h5py.VirtualLayout(shape=(50_000, 50_000), dtype="f4")
    layout[:10, :10] = h5py.VirtualSource("other.h5", "x", shape=(10, 10))
    file.create_virtual_dataset("x", layout)


def _reference(file: Any) -> None:
    file.create_dataset("x", data=np.array([file.ref], dtype=h5py.ref_dtype))


def _object(file: Any) -> None:
    file.create_dataset("x", data=np.array(["text"], dtype=h5py.string_dtype()))


def _compound(file: Any) -> None:
    file.create_dataset("x", shape=(3,), dtype=[("a", "f4"), ("b", "f8")])


def _circle(file: Any) -> None:
    file.create_group("x")["again"] = file["/"]


def _twice(file: Any) -> None:
    file["x"] = np.zeros(1000, np.float32)
    for number in range(500):
        file[f"y{number}"] = file["x"]


def _deep(file: Any) -> None:
    file.create_group("/".join(["x"] * 200))


def _named_type(file: Any) -> None:
    file["x"] = np.dtype("f4")


def _reference_note(file: Any) -> None:
    file.attrs.create("x", file.ref, dtype=h5py.ref_dtype)


HOSTILE_WEIGHTS: dict[str, tuple[Callable[[Any], None], str]] = {
    "compressed chunks of 10 GB": (_chunked, "10,000,000,000 bytes of memory and is compressed"),
    "10 GB never written": (_never_written, "10,000,000,000 of"),
    "numbers of another file": (_external_storage, "lies in another file"),
    "a link into another file": (_external_link, "is a link to another place"),
    "a soft link": (_soft_link, "is a link to another place"),
    "composed of another file": (_virtual, "compressed, chunked or composed"),
    "a reference": (_reference, "does not hold numbers"),
    "an object": (_object, "does not hold numbers"),
    "a compound": (_compound, "does not hold numbers"),
    "a group that holds itself": (_circle, "occurs twice"),
    "an array under many names": (_twice, "occurs twice"),
    "200 groups deep": (_deep, "nested over"),
    "a named type": (_named_type, "is not an array"),
    "a note that is a reference": (_reference_note, "neither text nor numbers"),
}
"""What a weights file is filled with, and a pattern of the reason it is refused for."""


def hostile_weights(name: str) -> bytes:
    """One of `HOSTILE_WEIGHTS`, as the bytes of an HDF5 file."""
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        HOSTILE_WEIGHTS[name][0](file)
    return held.getvalue()


def make_weights() -> bytes:
    """An honest HDF5 file: groups, arrays, names."""
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        for layer in range(6):
            group = file.create_group(f"layers/conv_{layer}/vars")
            group.attrs["name"] = f"conv_{layer}"
            group["0"] = np.full((3, 3, 4, 4), layer, np.float32)
            group["1"] = np.zeros(4, np.float32)
        file.attrs["layer_names"] = np.array([b"conv_0", b"conv_1"])
    return held.getvalue()


def pack_archive(
    weights: bytes, extra: dict[str, bytes] | None = None, compression: int = zipfile.ZIP_STORED
) -> bytes:
    """A .keras file around weights, with more entries if wanted."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", '{"class_name": "Lambda"}')
        archive.writestr("model.weights.h5", weights)
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return held.getvalue()
