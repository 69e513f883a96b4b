import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maskage.errors import EnvironmentProblemError, ModelRefusedError
from maskage.formats.bundle import find_bundle, golden_images, load_bundle
from maskage.inference.onnx_engine import OnnxEngine
from tests.maskage.security.hostile_models import rewrite

CopyBundle = Callable[[], Path]


def edit(folder: Path, **changes: object) -> None:
    """Change what a bundle says of itself, and the digest of that."""
    values = json.loads((folder / "bundle.json").read_text())
    rewrite(folder, json.dumps({**values, **changes}).encode())


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
    assert set(bundle.files) == {"classes.toml", "model.onnx", "model.keras"}
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
        "cut": "bytes, and",
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
        ({"labels": ["cat", "dog"]}, "its classes are"),
        ({"input_size": 1 << 20}, "1048576 px"),
        ({"input_size": "64"}, "not a number"),
        ({"temperature": 0.0}, "temperature"),
        ({"golden": [[1, 0, 0, 0]]}, "golden rows"),
        ({"files": {}}, "no .classes.toml"),
        ({"files": None}, "not subscriptable"),
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
    for text, told in (
        ("{", "not JSON"),
        ("[" * 100_000, "refused"),
        (" " * (2 << 20), "at most 1,048,576"),
    ):
        rewrite(folder, text.encode())
        with pytest.raises(ModelRefusedError, match=told):
            load_bundle(folder)


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_sha256sum_knows_the_digests_of_a_bundle(small_run: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"],
        cwd=small_run / "bundle",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names = ("bundle.json", "classes.toml", "model.keras", "model.onnx")
    assert done.stdout.splitlines() == [f"{name}: OK" for name in names]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"unsure_below": 0.5', '"unsure_below": 0'),
        ('"crop_margin": 0.3', '"crop_margin": 1.0'),
        ('"accuracy": ', '"accuracy": -'),
        ("{", "{ "),
        ('"schema_version": 4', '"schema_version": 1'),
    ],
)
def test_a_bundle_that_was_changed_after_the_training_is_refused_in_words(
    copied_bundle: CopyBundle, old: str, new: str
) -> None:
    path = copied_bundle() / "bundle.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ModelRefusedError, match=r"changed after the training.*trainer fit"):
        load_bundle(path.parent)


@pytest.mark.parametrize(
    ("sums", "told"),
    [
        (None, "SHA256SUMS: it is missing"),
        (b"", "changed after the training"),
        (b"0" * 64 + b"  model.onnx\n", "changed after the training"),
        (b"no digests", "not a list of sha256"),
        (b"\xff\xfe", "not a list of sha256"),
        (b"0" * 100_000, "at most 65,536"),
    ],
)
def test_a_bundle_without_its_digest_is_refused(
    copied_bundle: CopyBundle, sums: bytes | None, told: str
) -> None:
    folder = copied_bundle()
    path = folder / "SHA256SUMS"
    if sums is None:
        path.unlink()
    else:
        path.write_bytes(sums)
    with pytest.raises(ModelRefusedError, match=told):
        load_bundle(folder)


def test_a_bundle_from_before_there_was_a_digest_is_used_and_that_is_said_once(
    copied_bundle: CopyBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied_bundle()
    edit(folder, schema_version=1)
    (folder / "SHA256SUMS").unlink()
    assert load_bundle(folder).input_size == 64
    assert load_bundle(folder).unsure_below == 0.5
    printed = capsys.readouterr()
    assert printed.err.count("bundle of an earlier version") == 1
    assert printed.out == ""
