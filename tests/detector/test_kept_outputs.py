"""What `detector` keeps of pictures is remembered by the dataset, for `collector forget`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.cli import main as collector
from detector.cli import main
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.store import PhotoStore
from maskage.formats.bundle import ModelBundle
from maskage.formats.output_log import Kind, read_outputs
from maskage.records import RgbImage

pytestmark = pytest.mark.usefixtures("no_face_model")

SUBJECT = "p07-unmistakable"


@pytest.fixture
def data(tmp_path: Path, paint: Callable[..., RgbImage], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that knows one person, with a photo in each class."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    with PhotoStore(tmp_path / "project" / "data") as store:
        for label in MASK_AGE.labels:
            store.add(paint(label, 100, 80), label, subject=SUBJECT)
    return tmp_path / "project" / "data"


def listed(capsys: pytest.CaptureFixture[str]) -> dict[Path, bool]:
    capsys.readouterr()
    assert collector(["forget", SUBJECT, "--dry-run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["loose"]
    return {Path(each["path"]): each["is_certain"] for each in found}


def test_what_run_makes_of_photos_is_found_wherever_it_is(
    data: Path, bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far = tmp_path / "far" / "off"
    words = ["--pictures", far / "pictures", "--video", far / "a.mp4", "--json", far / "a.events"]
    words += ["--csv", "-"]
    command = ["run", data / "mask_old", "--model", bundle.folder, *words]
    assert main([str(word) for word in command]) == 0
    (picture,) = (far / "pictures").iterdir()
    assert listed(capsys) == {far / "a.events": True, picture: True, far / "a.mp4": False}


def test_recordings_of_live_are_remembered_with_whom_they_show(
    data: Path,
    bundle: ModelBundle,
    film: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip = str(film(["mask_old"] * 20))
    words = ["live", "--headless", "--source", clip, "--model", str(bundle.folder), "--record"]
    far = tmp_path / "far"
    assert main([*words, "--recordings", str(far), "--subject", SUBJECT, "--no-blur"]) == 0
    assert main([*words, "--full-speed"]) == 0
    found = {each.path.parent: each for each in read_outputs(data)}
    of_subject, of_nobody = found[far], found[data.parent / "recordings"]
    assert (of_subject.kind, of_subject.subject) == (Kind.VIDEO, SUBJECT)
    assert (of_subject.is_blurred, of_nobody.is_blurred) == (False, True)
    assert of_nobody.subject is None
    assert listed(capsys) == {of_subject.path: True, of_nobody.path: False}
