import importlib.metadata
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from maskage.errors import EnvironmentProblemError, ModelRefusedError, UsageError
from maskage.formats.bundle import (
    describe_file,
    golden_images,
    load_bundle,
    read_file,
    write_bundle,
)
from tests.maskage.security.hostile_models import pack_archive
from trainer.cli import main
from trainer.exports.command import FORMAT_NAMES
from trainer.exports.exporter import Exporter, explain_refusal, format_exports
from trainer.exports.formats import FORMATS, ExportSource, require_runtimes
from trainer.exports.rebuild import rebuild_model


@pytest.fixture
def copied_run(small_run: Path, tmp_path: Path) -> Path:
    """A copy of the small run that may be damaged."""
    return Path(shutil.copytree(small_run, tmp_path / "run"))


@pytest.fixture(scope="module")
def exporter(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Exporter:
    """Of the small run, into a folder of its own."""
    return Exporter(small_run / "bundle", None, tmp_path_factory.mktemp("exports"))


def test_the_command_knows_every_format() -> None:
    assert tuple(FORMATS) == FORMAT_NAMES


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name == "tflite" else [])
        for name in FORMATS
        # The page needs a browser and a download: its tests are in the folder `web`.
        if not FORMATS[name].is_quantised and name != "web"
    ],
)
def test_a_float_format_answers_as_the_keras_model_and_says_what_it_is(
    exporter: Exporter, name: str
) -> None:
    figures = exporter.export(FORMATS[name])
    assert figures.refused is None
    assert figures.largest_difference < 1e-4
    assert figures.accuracy == figures.keras_accuracy
    assert figures.milliseconds > 0
    folder = exporter.out / name
    told = json.loads((folder / "export.json").read_text())
    assert told["format"] == name
    assert told["labels"] == ["mask_old", "mask_young", "nomask_old", "nomask_young"]
    assert told["input"]["shape"][1:] == [64, 64, 3]
    assert told["figures"]["largest_difference"] == figures.largest_difference
    assert told["file"] in told["files"]
    for file, facts in told["files"].items():
        found = describe_file(folder / file)
        assert (found.sha256, found.size) == (facts["sha256"], facts["size"])
    assert figures.size == sum(facts["size"] for facts in told["files"].values())
    beside = {"export.json", told["labels_file"], *told["examples"]}
    assert {path.name for path in folder.iterdir()} == {*told["files"], *beside}


@pytest.mark.slow
def test_integers_take_plain_pixels_and_a_quarter_of_the_room(
    small_run: Path, tmp_path: Path
) -> None:
    """As they are written, whatever the gate says of their accuracy."""
    from ai_edge_litert.interpreter import Interpreter

    rebuilt = rebuild_model(small_run / "bundle")
    images = golden_images(64)
    answers = np.asarray(rebuilt.model.predict_on_batch(images))
    source = ExportSource(rebuilt, images, images, answers.argmax(axis=1), answers)
    sizes = {}
    for name in ("tflite", "tflite-int8"):
        (tmp_path / name).mkdir()
        FORMATS[name].write(source, tmp_path / name)
        sizes[name] = (tmp_path / name / "model.tflite").stat().st_size
    assert sizes["tflite-int8"] < 0.4 * sizes["tflite"]
    interpreter = Interpreter(model_path=str(tmp_path / "tflite-int8" / "model.tflite"))
    interpreter.allocate_tensors()
    assert interpreter.get_input_details()[0]["dtype"] == np.uint8
    signature = interpreter.get_signature_runner("serving_default")
    answer = signature(images=images[:1])["probabilities"]
    assert answer.shape == (1, 4)
    assert answer.sum() == pytest.approx(1, abs=0.05)


def test_a_format_that_answers_otherwise_is_refused_and_leaves_nothing(
    exporter: Exporter, tmp_path: Path
) -> None:
    right = FORMATS["onnx"]
    turned = replace(
        right,
        name="turned",
        open=lambda source, folder: lambda images: right.open(source, folder)(images)[:, ::-1],
    )
    figures = exporter.export(turned)
    assert figures.refused is not None
    assert "a probability is off by" in figures.refused
    assert not (exporter.out / "turned").exists()
    assert not list(exporter.out.glob(".*"))
    assert "refused" in format_exports([figures])


def test_a_former_export_stays_until_a_better_one_is_there(exporter: Exporter) -> None:
    exporter.export(FORMATS["onnx"])
    before = describe_file(exporter.out / "onnx" / "model.onnx")
    right = FORMATS["onnx"]

    def fail(source: object, folder: Path) -> str:
        (folder / "model.onnx").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    broken = replace(right, write=fail)
    with pytest.raises(EnvironmentProblemError, match="No space left"):
        exporter.export(broken)
    assert describe_file(exporter.out / "onnx" / "model.onnx") == before
    assert not list(exporter.out.glob(".*"))


@pytest.mark.parametrize(
    ("is_quantised", "difference", "accuracy", "keras", "told"),
    [
        (False, 0.001, 0.9, 0.9, None),
        (False, 0.003, 0.9, 0.9, "off by 0.003"),
        (False, float("nan"), 0.9, 0.9, "off by nan"),
        (True, 0.4, 0.895, 0.9, None),
        (True, 0.4, 0.91, 0.9, None),
        (True, 0.4, 0.894, 0.9, r"loses 0\.60 points"),
        (True, 0.0, float("nan"), 0.9, "loses nan points"),
    ],
)
def test_floats_are_judged_by_difference_and_integers_by_accuracy(
    is_quantised: bool, difference: float, accuracy: float, keras: float, told: str | None
) -> None:
    found = explain_refusal(is_quantised, difference, accuracy, keras)
    if told is None:
        assert found is None
    else:
        assert found is not None
        assert told.replace("\\", "") in found


def test_the_command_exports_and_prints_one_object_a_format(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["export", str(small_run), "--to", "onnx", "--to", "keras", "--to", "onnx"]
    assert main([*words, "--out", str(out), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["format"] for line in lines] == ["onnx", "keras"]
    assert lines[0]["accuracy_change"] == 0
    assert sorted(path.name for path in out.iterdir()) == ["keras", "onnx"]


def test_a_runtime_that_is_not_installed_is_named_before_any_work() -> None:
    right = FORMATS["onnx"]
    absent = replace(right, name="x", needs="no_such_runtime")
    with pytest.raises(EnvironmentProblemError, match=r"pip install .* '\.\[export\]'") as told:
        require_runtimes([absent])
    assert told.value.exit_code == 5
    for each in FORMATS.values():
        if each.needs is not None:
            assert importlib.metadata.version(each.needs.replace("_", "-"))


def test_the_rebuilt_network_answers_as_the_bundle_says(small_run: Path) -> None:
    rebuilt = rebuild_model(small_run / "bundle")
    answers = np.asarray(rebuilt.model.predict_on_batch(golden_images(64)))
    assert np.abs(answers - rebuilt.bundle.golden_probabilities).max() < 1e-4
    assert rebuilt.golden_difference < 1e-4


def reseal(bundle: Path, keras_file: bytes) -> None:
    """Put another model.keras into a bundle, with its digest, as whoever means harm would."""
    read = load_bundle(bundle)
    (bundle / "model.keras").write_bytes(keras_file)
    files = {**read.files, "model.keras": describe_file(bundle / "model.keras")}
    write_bundle(type(read)(**{**vars(read), "files": files}))


def test_a_description_of_layers_in_the_archive_is_never_read(copied_run: Path) -> None:
    from maskage.security.keras_archive import read_archived_weights

    data = read_file(load_bundle(copied_run / "bundle"), "model.keras")
    weights = read_archived_weights(data, 64 << 20)
    # Its config.json names a Lambda layer.
    reseal(copied_run / "bundle", pack_archive(weights))
    assert rebuild_model(copied_run / "bundle").golden_difference < 1e-4


def test_weights_of_another_network_are_refused(copied_run: Path) -> None:
    from tests.maskage.security.hostile_models import make_weights

    reseal(copied_run / "bundle", pack_archive(make_weights()))
    with pytest.raises(ModelRefusedError, match="cannot be rebuilt"):
        rebuild_model(copied_run / "bundle")


def test_weights_that_answer_otherwise_are_refused(copied_run: Path) -> None:
    rebuilt = rebuild_model(copied_run / "bundle")
    model = rebuilt.model
    model.set_weights([weights[::-1].copy() for weights in model.get_weights()])
    model.save(str(copied_run / "other.keras"))
    reseal(copied_run / "bundle", (copied_run / "other.keras").read_bytes())
    with pytest.raises(ModelRefusedError, match="other answers for the golden images"):
        rebuild_model(copied_run / "bundle")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"backbone": "os.system"}, "There is no backbone"),
        ({"image_size": 128}, "says 128 px where the bundle says 64"),
        ({"alpha": "1.0"}, "no recipe"),
        ({"extra": 1}, "no recipe"),
        ({"head": None}, "no recipe"),
    ],
)
def test_a_recipe_that_is_none_of_ours_is_refused(
    copied_run: Path, change: dict[str, object], told: str
) -> None:
    path = copied_run / "args.yaml"
    values = yaml.safe_load(path.read_text())
    values["recipe"].update(change)
    path.write_text(yaml.safe_dump(values))
    with pytest.raises(ModelRefusedError, match=told):
        rebuild_model(copied_run / "bundle")


def test_objects_in_args_yaml_are_not_made(copied_run: Path, tmp_path: Path) -> None:
    (copied_run / "args.yaml").write_text(
        f"recipe: !!python/object/apply:pathlib.Path.mkdir [{tmp_path / 'made'}]\n"
    )
    with pytest.raises(ModelRefusedError, match="no recipe"):
        rebuild_model(copied_run / "bundle")
    assert not (tmp_path / "made").exists()


def test_a_bundle_without_its_run_cannot_be_rebuilt(copied_run: Path) -> None:
    (copied_run / "args.yaml").unlink()
    with pytest.raises(UsageError, match="Name the run folder"):
        rebuild_model(copied_run / "bundle")
    with pytest.raises(UsageError, match="--data"):
        Exporter(copied_run / "bundle", None, None)


def test_the_command_ends_with_a_line_that_runs(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "my exports"
    assert main(["export", str(small_run), "--to", "onnx", "--out", str(out)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"Try it: python '{out}/onnx/example.py' face.jpg"
    assert (out / "onnx" / "example.py").is_file()
