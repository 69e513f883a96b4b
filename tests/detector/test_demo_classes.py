"""The demo camera shows the classes of the model that it is watched with."""

from pathlib import Path

import numpy as np
import pytest

from detector.cli import main
from maskage.cameras.sources import read_frames
from maskage.classes.ready_made import MASK_AGE, READY_MADE
from maskage.classes.scheme import Scheme
from maskage.demo.camera import DemoCamera
from maskage.errors import CameraError
from maskage.records import RgbImage
from tests.detector.conftest import seal_bundle, write_color_model

ALL = READY_MADE["mask-state-age"]
SCHEME = Scheme(tuple(each for each in ALL if "nomask" not in each.folder), ALL.factors)
"""Nobody is without a mask: four classes, as the model of `write_color_model` has."""

pytestmark = pytest.mark.usefixtures("no_face_model")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A sealed bundle with the classes of `SCHEME`."""
    folder = tmp_path / "runs" / "states" / "bundle"
    write_color_model(folder / "model.onnx")
    return seal_bundle(folder, scheme=SCHEME).folder


def filmed(model: Path, source: str, out: Path) -> RgbImage:
    """The first frame that `detector run` writes."""
    words = ["run", source, "--model", str(model), "--frames", "1", "--video", str(out)]
    assert main(words) == 0
    (frame,) = read_frames(out, limit=1)
    return frame.pixels


def difference(shown: RgbImage, scheme: Scheme) -> float:
    """How far a film's first frame is from the camera's, in the face, where nothing is written."""
    expected = DemoCamera(pace=False, scheme=scheme).render(0)
    face = np.s_[150:330, 230:410]
    return float(np.abs(shown[face].astype(int) - expected[face]).mean())


def test_a_model_sees_people_of_its_own_classes(model: Path, tmp_path: Path) -> None:
    shown = filmed(model, "demo", tmp_path / "own.mp4")
    assert difference(shown, SCHEME) < 0.3 * difference(shown, MASK_AGE)


def test_classes_that_the_source_names_are_shown_whatever_the_model_has(
    model: Path, tmp_path: Path
) -> None:
    shown = filmed(model, "demo:mask-age", tmp_path / "named.mp4")
    assert difference(shown, MASK_AGE) < 0.3 * difference(shown, SCHEME)


def test_unknown_classes_are_refused(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "demo:hats", "--model", str(model), "--frames", "1", "--json", "-"]
    assert main(words) == CameraError.exit_code
    assert "demo:mask-state" in capsys.readouterr().err


def test_the_tour_refuses_classes_that_cannot_be_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    assert main(["demo", "--classes", "helmet,no_helmet", "--out", str(out)]) == 2
    assert "Choose from mask-age, mask, mask-state, mask-state-age" in capsys.readouterr().err
    assert not out.exists()
