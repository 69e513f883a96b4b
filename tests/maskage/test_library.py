import doctest
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import maskage
from maskage.classes.ready_made import MASK_AGE
from maskage.formats.bundle import ModelBundle
from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage
from tests.conftest import draw_noise


def test_every_public_name_is_there_and_documented() -> None:
    assert sorted(maskage._HOMES) == sorted(maskage.__all__)
    for name in maskage.__all__:
        assert name in dir(maskage)
        assert getattr(maskage, name).__doc__


def test_the_names_of_earlier_versions_work_and_warn() -> None:
    with pytest.warns(DeprecationWarning, match="use str"):
        label = maskage.Label("mask_old")
    with pytest.warns(DeprecationWarning, match="read_scheme"):
        labels = maskage.LABELS
    assert label == "mask_old"
    assert labels == MASK_AGE.labels


def test_the_examples_run() -> None:
    from maskage.cameras import sources

    for module in (maskage, sources):
        found = doctest.testmod(module)
        assert found.attempted > 0
        assert found.failed == 0


def test_the_import_loads_no_library() -> None:
    script = (
        "import sys, maskage; print({'cv2', 'numpy', 'onnxruntime', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_help_shows_the_public_names() -> None:
    script = "import maskage; help(maskage)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    for name in maskage.__all__:
        assert name in done.stdout


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = maskage.nothing


@pytest.mark.usefixtures("no_face_model")
def test_a_picture_is_classified_from_a_file_and_from_an_array(
    bundle: ModelBundle, paint: Callable[..., RgbImage], tmp_path: Path
) -> None:
    model = maskage.FaceClassifier(bundle.folder.parent)
    assert model.notice is not None
    pixels = paint("mask_young", 320, 240)
    (tmp_path / "photo.jpg").write_bytes(encode_jpeg(pixels))
    for picture in (pixels, tmp_path / "photo.jpg", str(tmp_path / "photo.jpg")):
        (face,) = model.classify(picture)
        assert (face.label, face.title) == ("mask_young", "mask, young")
        assert face.confidence == max(face.probabilities)
        assert sum(face.probabilities) == pytest.approx(1, abs=1e-5)


def test_what_the_tools_wrote_is_read(four_folders: Callable[..., Path]) -> None:
    data = four_folders(2, "data")
    photos = maskage.list_photos(data)
    assert [photo.label for photo in photos] == [
        label for label in MASK_AGE.labels for _ in range(2)
    ]


def test_frames_of_a_picture_end(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encode_jpeg(draw_noise(1)))
    assert len(list(maskage.read_frames(tmp_path))) == 1
    assert len(list(maskage.read_frames("demo", limit=3))) == 3
