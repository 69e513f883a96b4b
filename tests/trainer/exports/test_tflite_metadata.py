"""What MediaPipe and Android read in a TFLite file is there, and changes no answer."""

import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import flatbuffers.table
import numpy as np
import pytest
from PIL import Image

from maskage.formats.bundle import golden_images
from tests.trainer.exports.odd_schemes import SCHEMES, interpreter_with, run_program
from trainer.exports.ends import read_tflite_ends
from trainer.exports.tflite import TfliteEngine, convert_floats, convert_integers
from trainer.exports.tflite_metadata import TfliteDescription, describe_tflite

SIZE = 32

CLASSIFY = """
import json, sys
import mediapipe
from mediapipe.tasks.python import BaseOptions, vision
options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=sys.argv[1]))
with vision.ImageClassifier.create_from_options(options) as classifier:
    image = mediapipe.Image.create_from_file(sys.argv[2])
    (head,) = classifier.classify(image).classifications
print(json.dumps([[each.index, each.category_name, each.score] for each in head.categories]))
"""

DESCRIBE = """
import json, sys
from mediapipe.tasks.metadata.metadata_schema_py_generated import ModelMetadata, ModelMetadataT
with open(sys.argv[1], "rb") as file:
    read = ModelMetadataT.InitFromObj(ModelMetadata.GetRootAs(file.read(), 0))
def plain(value):
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "__dict__"):
        return {key: plain(each) for key, each in vars(value).items() if each is not None}
    return value
print(json.dumps(plain(read)))
"""


@cache
def convert(classes: int, kind: str) -> bytes:
    """Convert a small network with so many classes; not described yet."""
    from trainer.network.backend import keras

    keras.utils.set_random_seed(classes)
    images = keras.Input((SIZE, SIZE, 3), dtype="uint8", name="images")
    scaled = keras.layers.Rescaling(1 / 127.5, -1.0)(images)
    maps = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(scaled)
    features = keras.layers.GlobalAveragePooling2D()(maps)
    logits = keras.layers.Dense(classes, kernel_initializer="random_normal")(features * 30)
    model = keras.Model(images, keras.layers.Softmax()(logits))
    if kind == "floats":
        return convert_floats(model)
    return convert_integers(model, golden_images(SIZE))


def describe(classes: int, kind: str = "floats") -> bytes:
    description = TfliteDescription(
        name="small",
        description="Answers nothing of use.",
        version="0.1.0",
        input="images",
        output="probabilities",
        labels=SCHEMES[classes].labels,
        input_size=SIZE,
    )
    return describe_tflite(convert(classes, kind), description)


@pytest.fixture(scope="module")
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], Path]:
    """Write a model into a file of its own."""

    def to_file(data: bytes) -> Path:
        path = tmp_path_factory.mktemp("model") / "model.tflite"
        path.write_bytes(data)
        return path

    return to_file


def metadata_of(data: bytes) -> bytes:
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(data)
    found = {entry.name: model.buffers[entry.buffer].data for entry in model.metadata}
    return bytes(found[b"TFLITE_METADATA"])


class Table:
    """A FlatBuffer table, read by the numbers of the published schema."""

    def __init__(self, data: bytes, place: int) -> None:
        self._table = flatbuffers.table.Table(data, place)

    @classmethod
    def root(cls, data: bytes) -> "Table":
        return cls(data, int.from_bytes(data[:4], "little"))

    def _at(self, field: int) -> int:
        offset = int(self._table.Offset(4 + 2 * field))
        assert offset, f"field {field} is missing"
        return offset + int(self._table.Pos)

    def text(self, field: int) -> str:
        return bytes(self._table.String(self._at(field))).decode()

    def number(self, field: int, kind: str) -> int:
        return int(np.frombuffer(self._table.Bytes, kind, 1, self._at(field))[0])

    def table(self, field: int) -> "Table":
        return Table(self._table.Bytes, self._table.Indirect(self._at(field)))

    def _vector(self, field: int) -> tuple[int, int]:
        offset = int(self._table.Offset(4 + 2 * field))
        return int(self._table.Vector(offset)), int(self._table.VectorLen(offset))

    def only(self, field: int) -> "Table":
        start, length = self._vector(field)
        assert length == 1
        return Table(self._table.Bytes, self._table.Indirect(start))

    def floats(self, field: int) -> list[float]:
        start, length = self._vector(field)
        return [float(one) for one in np.frombuffer(self._table.Bytes, "<f4", length, start)]


@pytest.mark.parametrize("classes", SCHEMES)
def test_the_file_says_what_goes_in_and_where_the_class_names_are(classes: int) -> None:
    data = metadata_of(describe(classes))
    assert data[4:8] == b"M001"
    model = Table.root(data)
    assert [model.text(field) for field in (0, 1, 2, 7)] == [
        "small",
        "Answers nothing of use.",
        "0.1.0",
        "1.0.0",
    ]
    given, answer = model.only(3).only(2), model.only(3).only(3)
    assert (given.text(0), answer.text(0)) == ("images", "probabilities")
    content = given.table(3)
    assert content.number(0, "u1") == 2
    assert content.table(1).number(0, "i1") == 1
    assert [content.table(1).table(1).number(side, "<u4") for side in (0, 1)] == [SIZE, SIZE]
    unit = given.only(4)
    assert unit.number(0, "u1") == 1
    assert (unit.table(1).floats(0), unit.table(1).floats(1)) == ([0.0], [1.0])
    assert (given.table(5).floats(0), given.table(5).floats(1)) == ([255.0], [0.0])
    labels = answer.only(6)
    assert (labels.text(0), labels.number(2, "i1")) == ("labels.txt", 2)


@pytest.mark.parametrize("classes", SCHEMES)
def test_the_class_names_lie_uncompressed_behind_the_model(classes: int) -> None:
    with zipfile.ZipFile(io.BytesIO(describe(classes))) as archive:
        (entry,) = archive.infolist()
        assert (entry.filename, entry.compress_type) == ("labels.txt", zipfile.ZIP_STORED)
        lines = archive.read(entry).decode().split("\n")
    assert lines == [*SCHEMES[classes].labels, ""]


@pytest.mark.parametrize("kind", ["floats", "integers"])
def test_the_tensors_have_the_names_and_the_answers_stay(
    write: Callable[[bytes], Path], kind: str
) -> None:
    images = golden_images(SIZE)
    plain, described = write(convert(3, kind)), write(describe(3, kind))
    ends = read_tflite_ends(described)
    assert (ends.input.name, ends.input.shape, ends.input.type) == (
        "images",
        (1, SIZE, SIZE, 3),
        "uint8",
    )
    assert (ends.output.name, ends.output.shape, ends.output.type) == (
        "probabilities",
        (1, 3),
        "float32",
    )
    assert np.array_equal(TfliteEngine(described).run(images), TfliteEngine(plain).run(images))


def test_the_same_model_gives_the_same_bytes() -> None:
    assert describe(3) == describe(3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["floats", "integers"])
@pytest.mark.parametrize("classes", SCHEMES)
def test_mediapipe_answers_with_our_class_names(
    write: Callable[[bytes], Path], tmp_path: Path, classes: int, kind: str
) -> None:
    python = interpreter_with("mediapipe", "MASKAGE_MEDIAPIPE_PYTHON")
    path = write(describe(classes, kind))
    pixels = golden_images(SIZE)[1]
    Image.fromarray(pixels).save(tmp_path / "face.png")
    found = json.loads(run_program(python, "-c", CLASSIFY, str(path), str(tmp_path / "face.png")))
    answers = TfliteEngine(path).run(pixels[None])[0]
    labels = SCHEMES[classes].labels
    assert sorted((index, name) for index, name, _ in found) == list(enumerate(labels))
    for index, _, score in found:
        assert score == pytest.approx(answers[index], abs=1e-5)


@pytest.mark.slow
def test_mediapipe_reads_the_description_by_its_own_schema(tmp_path: Path) -> None:
    python = interpreter_with("mediapipe", "MASKAGE_MEDIAPIPE_PYTHON")
    (tmp_path / "metadata").write_bytes(metadata_of(describe(40)))
    read: dict[str, Any] = json.loads(
        run_program(python, "-c", DESCRIBE, str(tmp_path / "metadata"))
    )
    assert (read["name"], read["minParserVersion"]) == ("small", "1.0.0")
    (graph,) = read["subgraphMetadata"]
    (given,), (answer,) = graph["inputTensorMetadata"], graph["outputTensorMetadata"]
    assert given["content"]["contentPropertiesType"] == 2
    assert given["content"]["contentProperties"] == {
        "colorSpace": 1,
        "defaultSize": {"width": SIZE, "height": SIZE},
    }
    assert given["processUnits"] == [{"optionsType": 1, "options": {"mean": [0.0], "std": [1.0]}}]
    assert given["stats"] == {"max": [255.0], "min": [0.0]}
    assert answer["associatedFiles"] == [
        {"name": "labels.txt", "description": "One class a line.", "type": 2}
    ]
    assert answer["stats"] == {"max": [1.0], "min": [0.0]}
