"""Class names, tensor names and the kind of input inside a TFLite file, for MediaPipe and Android.

Two parts, as MediaPipe's ImageClassifier and Android's Task Library read them: a description of the
tensors, which is a FlatBuffer of its own inside the model's, and `labels.txt` in a zip archive that
is appended to the model. The tensors also get the names that `export.json` gives.

Source:
    metadata_schema.fbs of TensorFlow Lite Support; the numbers of the fields below are its.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

LABELS_FILE = "labels.txt"

_METADATA_NAME, _METADATA_ID = "TFLITE_METADATA", b"M001"
_PARSER_VERSION = "1.0.0"
"""Oldest reader that knows all the fields used here."""

_FEATURES, _IMAGE = 1, 2
"""Kinds of content: plain numbers, an image."""
_RGB = 1
_NORMALIZATION = 1
"""Kind of a process unit."""
_AXIS_LABELS = 2
"""Kind of an associated file: a line for each element of the last axis."""


@dataclass(frozen=True, kw_only=True)
class TfliteDescription:
    """What is written into a TFLite file.

    Attributes:
        name: Name of the model.
        description: Sentence on what it expects and answers.
        version: Version of the program that trained it.
        input, output: Names of its two tensors.
        labels: Class folders in the order of the outputs.
        input_size: Side of the input, px.
    """

    name: str
    description: str
    version: str
    input: str
    output: str
    labels: Sequence[str]
    input_size: int


def describe_tflite(model: bytes, description: TfliteDescription) -> bytes:
    """Return a TFLite file with one input and one output that carries this description.

    Args:
        model: Bytes of the file as the converter made it.
        description: What to write into it.
    """
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils

    # Its loader makes the small arrays changeable; the weights stay as they are.
    network = flatbuffer_utils.read_model_from_bytearray(model)
    graph = network.subgraphs[0]
    graph.tensors[graph.inputs[0]].name = description.input
    graph.tensors[graph.outputs[0]].name = description.output
    data = np.frombuffer(_metadata(description), np.uint8)
    network.buffers.append(schema.BufferT(data=data))
    entry = schema.MetadataT(name=_METADATA_NAME, buffer=len(network.buffers) - 1)
    network.metadata = [*(network.metadata or []), entry]
    return _append_labels(
        bytes(flatbuffer_utils.convert_object_to_bytearray(network)), description.labels
    )


def format_labels(labels: Sequence[str]) -> str:
    """Return the text of `labels.txt`: one class folder a line, in the order of the outputs."""
    return "".join(f"{label}\n" for label in labels)


def _append_labels(model: bytes, labels: Sequence[str]) -> bytes:
    file = io.BytesIO(model)
    with zipfile.ZipFile(file, "a") as archive:
        # Not compressed, because Android reads it in place; the same date always.
        archive.writestr(zipfile.ZipInfo(LABELS_FILE), format_labels(labels))
    return file.getvalue()


def _metadata(description: TfliteDescription) -> bytes:
    import flatbuffers

    writer = _TableWriter(flatbuffers.Builder(1024))
    sides = writer.table({0: ("uint", description.input_size), 1: ("uint", description.input_size)})
    image = writer.table({0: ("byte", _RGB), 1: ("offset", sides)})
    # Pixels go in as they are: the preprocessing is inside the model.
    unit = writer.table({0: ("offset", writer.floats(0)), 1: ("offset", writer.floats(1))})
    given = writer.tensor(
        description.input,
        "Picture of one face, RGB, 0 to 255.",
        content=(_IMAGE, image),
        highest=255,
        process_units=[writer.union(_NORMALIZATION, unit)],
    )
    answer = writer.tensor(
        description.output,
        "Probability of each class.",
        content=(_FEATURES, writer.table({})),
        highest=1,
        associated_files=[writer.file(LABELS_FILE, "One class a line.", _AXIS_LABELS)],
    )
    graph = writer.table(
        {2: ("offset", writer.tables([given])), 3: ("offset", writer.tables([answer]))}
    )
    model = writer.table(
        {
            0: ("offset", writer.text(description.name)),
            1: ("offset", writer.text(description.description)),
            2: ("offset", writer.text(description.version)),
            3: ("offset", writer.tables([graph])),
            7: ("offset", writer.text(_PARSER_VERSION)),
        }
    )
    return writer.finish(model)


class _TableWriter:
    """A writer of FlatBuffer tables; each method returns the place of what it wrote.

    Args:
        builder: Where they go; what a table points at must be written before it.
    """

    def __init__(self, builder: Any) -> None:
        self._builder = builder

    def table(self, fields: Mapping[int, tuple[str, int]]) -> int:
        """Write a table with these fields: kind and value, by the number of the field."""
        add = {
            "byte": self._builder.PrependInt8Slot,
            "uint": self._builder.PrependUint32Slot,
            "offset": self._builder.PrependUOffsetTRelativeSlot,
        }
        self._builder.StartObject(max(fields, default=-1) + 1)
        for number, (kind, value) in fields.items():
            add[kind](number, value, 0)
        return int(self._builder.EndObject())

    def union(self, kind: int, value: int) -> int:
        """Write a table that holds one of several kinds of tables."""
        return self.table({0: ("byte", kind), 1: ("offset", value)})

    def tensor(
        self,
        name: str,
        description: str,
        *,
        content: tuple[int, int],
        highest: int,
        process_units: Sequence[int] = (),
        associated_files: Sequence[int] = (),
    ) -> int:
        """Write the description of a tensor whose numbers are 0 to `highest`."""
        fields = {
            0: ("offset", self.text(name)),
            1: ("offset", self.text(description)),
            3: ("offset", self.union(*content)),
            5: (
                "offset",
                self.table({0: ("offset", self.floats(highest)), 1: ("offset", self.floats(0))}),
            ),
        }
        if process_units:
            fields[4] = ("offset", self.tables(process_units))
        if associated_files:
            fields[6] = ("offset", self.tables(associated_files))
        return self.table(fields)

    def file(self, name: str, description: str, kind: int) -> int:
        """Write the entry of a file in the appended archive."""
        return self.table(
            {
                0: ("offset", self.text(name)),
                1: ("offset", self.text(description)),
                2: ("byte", kind),
            }
        )

    def text(self, value: str) -> int:
        """Write a text."""
        return int(self._builder.CreateString(value))

    def floats(self, *values: float) -> int:
        """Write a list of numbers."""
        return int(self._builder.CreateNumpyVector(np.array(values, np.float32)))

    def tables(self, places: Sequence[int]) -> int:
        """Write a list of tables."""
        self._builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            self._builder.PrependUOffsetTRelative(place)
        return int(self._builder.EndVector())

    def finish(self, root: int) -> bytes:
        """Return the bytes, with `root` as the table that readers begin with."""
        self._builder.Finish(root, _METADATA_ID)
        return bytes(self._builder.Output())
