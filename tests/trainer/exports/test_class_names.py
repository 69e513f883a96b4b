"""Every exported file names its classes and its ends, for two, three and forty classes."""

import ast
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from maskage.errors import DatasetError
from maskage.formats.bundle import ONNX_FILE, describe_file, load_bundle, read_file
from maskage.formats.sums import format_sums
from maskage.system.onnx_runtime import onnxruntime
from tests.trainer.exports.odd_schemes import SCHEMES, interpreter_with, run_program
from tests.trainer.exports.scheme_runs import SIZE, Exports, make_set
from trainer.exports.exporter import Exporter
from trainer.exports.formats import FORMATS

# The page needs a browser and a download: its tests are in the folder `web`.
FLOAT_FORMATS = [name for name in FORMATS if not FORMATS[name].is_quantised and name != "web"]


def read_ends(folder: Path, name: str) -> dict[str, str]:
    """Return the names of the ends, read by each format's own runtime."""
    if name == "onnx":
        session = onnxruntime.InferenceSession(
            folder / "model.onnx", providers=["CPUExecutionProvider"]
        )
        return {"input": session.get_inputs()[0].name, "output": session.get_outputs()[0].name}
    if name == "openvino":
        import openvino

        model = openvino.Core().read_model(folder / "model.xml")
        return {"input": model.input(0).any_name, "output": model.output(0).any_name}
    if name == "keras":
        from trainer.network.backend import keras

        model = keras.saving.load_model(folder / "model.keras")
        return {"input": model.inputs[0].name, "output": model.layers[-1].name}
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / "model.tflite"))
    ends = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    return {"input": ends[0]["name"], "output": ends[1]["name"]}


CASES = [
    pytest.param(classes, name, marks=[pytest.mark.slow] if name == "tflite" else [])
    for classes in SCHEMES
    for name in FLOAT_FORMATS
]


@pytest.mark.parametrize(("classes", "name"), CASES)
def test_an_export_lists_its_classes_and_its_ends_are_as_the_file_has_them(
    exports: Exports, classes: int, name: str
) -> None:
    folder, scheme = exports.folder(classes, name), SCHEMES[classes]
    told = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    assert told["labels"] == list(scheme.labels)
    assert told["titles"] == [each.title for each in scheme]
    assert told["factors"] == ({"mask": ["worn", "misworn", "none"]} if classes == 3 else {})
    assert (folder / "labels.txt").read_bytes().decode().split("\n") == [*scheme.labels, ""]
    batch = 1 if name == "tflite" else None
    assert {end: told[end]["name"] for end in ("input", "output")} == read_ends(folder, name)
    assert told["input"]["name"] == "images"
    assert told["input"]["shape"] == [batch, SIZE, SIZE, 3]
    assert told["input"]["type"].startswith("uint8, RGB")
    assert told["output"] == {
        "name": "probabilities",
        "shape": [batch, classes],
        "type": "float32",
    }


@pytest.mark.parametrize("classes", SCHEMES)
def test_an_onnx_file_carries_its_class_names(exports: Exports, classes: int) -> None:
    scheme = SCHEMES[classes]
    path = exports.folder(classes, "onnx") / "model.onnx"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    text = session.get_modelmeta().custom_metadata_map
    assert json.loads(text["classes"]) == list(scheme.labels)
    assert json.loads(text["titles"]) == [each.title for each in scheme]
    assert ast.literal_eval(text["names"]) == dict(enumerate(scheme.labels))
    assert (text["input_size"], text["color_order"], text["crop_margin"]) == ("32", "RGB", "0.3")
    # Made with the same text, it is the bundle's own file to the byte.
    own = exports.run(classes).bundle / ONNX_FILE
    assert path.read_bytes() == own.read_bytes()


@pytest.mark.parametrize("classes", SCHEMES)
def test_an_openvino_file_carries_its_class_names(exports: Exports, classes: int) -> None:
    import openvino

    labels = SCHEMES[classes].labels
    path = exports.folder(classes, "openvino") / "model.xml"
    model = openvino.Core().read_model(path)
    assert json.loads(model.get_rt_info(["maskage", "classes"]).astype(str)) == list(labels)
    # Intel's Model API takes them apart at blanks.
    for_intel = model.get_rt_info(["model_info", "labels"]).astype(str).split()
    assert for_intel == [label.replace(" ", "_") for label in labels]


@pytest.mark.slow
@pytest.mark.parametrize("classes", SCHEMES)
def test_intels_model_api_answers_with_our_class_names(exports: Exports, classes: int) -> None:
    python = interpreter_with("model_api", "MASKAGE_MODEL_API_PYTHON")
    program = (
        "import json, sys, numpy\n"
        "from model_api.models import Model\n"
        "model = Model.create_model(sys.argv[1])\n"
        f"answer = model(numpy.zeros(({SIZE}, {SIZE}, 3), numpy.uint8)).top_labels[0]\n"
        "found = [type(model).__name__, model.params.labels, int(answer.id), answer.name]\n"
        "print(json.dumps(found))"
    )
    path = exports.folder(classes, "openvino") / "model.xml"
    kind, labels, number, name = json.loads(run_program(python, "-c", program, str(path)))
    assert kind == "ClassificationModel"
    assert labels == [label.replace(" ", "_") for label in SCHEMES[classes].labels]
    assert name == labels[number]


@pytest.mark.parametrize("version", [1, 2])
def test_a_bundle_of_an_earlier_version_is_exported_with_its_four_classes(
    small_run: Path, tmp_path: Path, version: int
) -> None:
    run = tmp_path / "run"
    shutil.copytree(small_run, run)
    make_earlier_bundle(run / "bundle", version)
    assert load_bundle(run / "bundle").scheme.labels[0] == "mask_old"
    figures = Exporter(run / "bundle", None, None).export(FORMATS["onnx"])
    assert (figures.refused, figures.note) == (None, "the bundle's, with the class names")
    session = onnxruntime.InferenceSession(
        run / "exports/onnx/model.onnx", providers=["CPUExecutionProvider"]
    )
    four = ["mask_old", "mask_young", "nomask_old", "nomask_young"]
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == four
    told = json.loads((run / "exports/onnx/export.json").read_text(encoding="utf-8"))
    assert told["factors"]["age"] == ["old", "young", "old", "young"]


def make_earlier_bundle(bundle: Path, version: int) -> None:
    """Turn a bundle into an earlier one: no classes.toml, no text in the network."""
    network = onnx.load(bundle / ONNX_FILE)
    assert len(network.metadata_props) == 8
    del network.metadata_props[:]
    onnx.save(network, bundle / ONNX_FILE)
    (bundle / "classes.toml").unlink()
    values: dict[str, Any] = json.loads((bundle / "bundle.json").read_text())
    del values["files"]["classes.toml"]
    values["schema_version"] = version
    values["files"][ONNX_FILE] = vars(describe_file(bundle / ONNX_FILE))
    (bundle / "bundle.json").write_text(json.dumps(values))
    if version == 1:
        (bundle / "SHA256SUMS").unlink()
        return
    names = ("bundle.json", "model.keras", ONNX_FILE)
    sums = {name: describe_file(bundle / name).sha256 for name in names}
    (bundle / "SHA256SUMS").write_bytes(format_sums(sums))


def test_a_trained_bundle_names_its_classes(small_run: Path) -> None:
    bundle = load_bundle(small_run / "bundle")
    network = onnx.load_model_from_string(read_file(bundle, ONNX_FILE))
    text = {entry.key: entry.value for entry in network.metadata_props}
    assert json.loads(text["classes"]) == list(bundle.labels)
    assert json.loads(text["factors"])["mask"] == ["worn", "worn", "none", "none"]
    assert text["version"] == bundle.versions["maskage"]


def test_photos_of_other_classes_are_refused_with_both_lists(
    exports: Exports, tmp_path: Path
) -> None:
    other = make_set(tmp_path / "other", SCHEMES[2])
    with pytest.raises(DatasetError, match=r"yes, no.*worn, misworn, none"):
        Exporter(exports.run(3).bundle, other, tmp_path / "out")


def test_a_set_may_list_the_same_classes_in_another_order(exports: Exports, tmp_path: Path) -> None:
    run = exports.run(3)
    turned = tmp_path / "turned"
    shutil.copytree(run.curated, turned)
    text = (turned / "classes.toml").read_text(encoding="utf-8")
    head, *rows = text.split("[[class]]")
    (turned / "classes.toml").write_text(
        head + "".join(f"[[class]]{row.rstrip()}\n\n" for row in reversed(rows)), encoding="utf-8"
    )
    figures = Exporter(run.bundle, turned, tmp_path / "out").export(FORMATS["onnx"])
    expected = Exporter(run.bundle, None, tmp_path / "out").export(FORMATS["onnx"])
    assert figures.accuracy == expected.accuracy


def test_forty_classes_get_a_few_photos_each_for_integers(exports: Exports) -> None:
    exporter = exports.exporter(40)
    assert len(exporter._source.calibration) == 3 + 2 * 40
    assert isinstance(exporter._source.calibration, np.ndarray)


@pytest.mark.slow
def test_nothing_but_the_labels_is_in_the_archive_behind_a_tflite_file(exports: Exports) -> None:
    with zipfile.ZipFile(exports.folder(3, "tflite") / "model.tflite") as archive:
        assert archive.namelist() == ["labels.txt"]
        assert archive.read("labels.txt").decode() == "worn\nmisworn\nnone\n"
