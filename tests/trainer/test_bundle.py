import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from collector.errors import EnvironmentProblemError, ModelRefusedError
from trainer.bundle import find_bundle, golden_images, load_bundle
from trainer.onnx_engine import OnnxEngine

CopyBundle = Callable[[], Path]


def edit(folder: Path, **changes: object) -> None:
    path = folder / "bundle.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_golden_images_are_a_formula_and_three_different_pictures() -> None:
    images = golden_images(64)
    assert images.shape == (3, 64, 64, 3)
    assert images.dtype == np.uint8
    assert images[0, 0, 63].tolist() == [255, 0, 127]
    assert images[1, 2, 3].tolist() == [15, 19, 6]
    assert images[2, 0, 8].tolist() == [220, 60, 150]
    assert int(images.astype(np.int64).sum()) == int(golden_images(64).astype(np.int64).sum())
    assert len({image.tobytes() for image in images}) == 3


def test_a_whole_bundle_is_read_with_what_the_detector_needs(small_run: Path) -> None:
    bundle = load_bundle(small_run / "bundle")
    assert bundle.input_size == 64
    assert [str(label) for label in bundle.labels] == [
        "mask_old",
        "mask_young",
        "nomask_old",
        "nomask_young",
    ]
    assert set(bundle.files) == {"model.onnx", "model.keras"}
    assert 0 <= bundle.metrics["accuracy"] <= 1
    found = OnnxEngine(bundle.onnx_path).run(golden_images(64))
    assert np.abs(found - bundle.golden_probabilities).max() < 1e-5


def test_a_run_folder_a_bundle_folder_and_the_newest_run_are_found(
    small_run: Path, tmp_path: Path
) -> None:
    assert find_bundle(small_run) == small_run / "bundle"
    assert find_bundle(small_run / "bundle") == small_run / "bundle"
    assert find_bundle(None, small_run.parent) == small_run / "bundle"
    with pytest.raises(EnvironmentProblemError, match="trainer fit"):
        find_bundle(None, tmp_path / "runs")
    with pytest.raises(EnvironmentProblemError, match="No model at"):
        find_bundle(tmp_path / "gone")


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(b"nothing")
    with pytest.raises(ModelRefusedError, match="not a run or bundle folder"):
        find_bundle(model)
    with pytest.raises(ModelRefusedError, match="it is missing"):
        load_bundle(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "linked"])
def test_a_damaged_model_file_is_refused(
    copied_bundle: CopyBundle, tmp_path: Path, damage: str
) -> None:
    folder = copied_bundle()
    model = folder / "model.onnx"
    data = bytearray(model.read_bytes())
    if damage == "cut":
        model.write_bytes(data[:-100])
    elif damage == "flipped":
        data[len(data) // 2] ^= 1
        model.write_bytes(data)
    elif damage == "gone":
        model.unlink()
    else:
        model.rename(tmp_path / "elsewhere.onnx")
        model.symlink_to(tmp_path / "elsewhere.onnx")
    told = {
        "cut": "bytes where",
        "flipped": "sha256 differs",
        "gone": "is missing",
        "linked": "not a regular file",
    }[damage]
    with pytest.raises(ModelRefusedError, match=told):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"schema_version": 99}, "schema is 99"),
        ({"labels": ["mask_young", "mask_old", "nomask_old", "nomask_young"]}, "its classes are"),
        ({"labels": ["cat", "dog"]}, "not a valid Label"),
        ({"input_size": 1 << 20}, "1048576 px"),
        ({"input_size": "64"}, "not a number"),
        ({"temperature": 0.0}, "temperature"),
        ({"golden": [[1, 0, 0, 0]]}, "golden rows"),
        ({"files": {}}, "no model.onnx"),
        ({"files": None}, "items"),
        (
            {
                "files": {
                    "model.onnx": {"sha256": "0", "size": 1},
                    "../../x": {"sha256": "0", "size": 1},
                }
            },
            "refused",
        ),
    ],
)
def test_a_bundle_file_that_says_something_else_is_refused(
    copied_bundle: CopyBundle, changes: dict[str, object], told: str
) -> None:
    folder = copied_bundle()
    edit(folder, **changes)
    with pytest.raises(ModelRefusedError, match=told):
        load_bundle(folder)


def test_a_name_that_leaves_the_folder_is_refused(copied_bundle: CopyBundle) -> None:
    folder = copied_bundle()
    values = json.loads((folder / "bundle.json").read_text())
    outside = folder.parent / "outside.bin"
    outside.write_bytes(b"x")
    edit(folder, files={**values["files"], "../outside.bin": {"sha256": "0" * 64, "size": 1}})
    with pytest.raises(ModelRefusedError, match="outside itself"):
        load_bundle(folder)


def test_a_bundle_file_that_is_not_json_or_is_huge_is_refused(copied_bundle: CopyBundle) -> None:
    folder = copied_bundle()
    path = folder / "bundle.json"
    for text, told in (
        ("{", "not JSON"),
        ("[" * 100_000, "refused"),
        (" " * (2 << 20), "at most 1,048,576"),
    ):
        path.write_text(text)
        with pytest.raises(ModelRefusedError, match=told):
            load_bundle(folder)
