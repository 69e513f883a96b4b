"""The tour with classes that have misworn masks, from the first photo to the page."""

import json
from collections import Counter
from pathlib import Path

import pytest

from detector.cli import main
from detector.tour import tour
from maskage.classes.ready_made import READY_MADE
from maskage.dataset.photo_listing import list_photos
from maskage.demo.camera import DEMO_SUBJECTS
from maskage.demo.scenes import mask_states
from maskage.formats.classes.classes_file import read_scheme
from maskage.formats.run.run_folder import RunFolder
from tests.pages import Page

STATES = READY_MADE["mask-state"]


@pytest.mark.parametrize("name", READY_MADE)
def test_the_demo_camera_can_show_every_class_of_all_that_the_tour_offers(name: str) -> None:
    scheme = READY_MADE[name]
    states = mask_states(scheme)
    shown = {subject.label(scheme, state) for subject in DEMO_SUBJECTS for state in states}
    assert shown == set(scheme.labels)


@pytest.mark.slow
def test_the_loop_runs_on_misworn_masks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A short tour: what it learns is measured by hand, see the README.
    for setting, value in (("EPOCHS", 1), ("LIVE_ROUNDS", 1), ("LIVE_SCENE_S", 0.4)):
        monkeypatch.setattr(tour, setting, value)
    monkeypatch.setattr(tour, "FEWEST_PHOTOS", 60)
    out = tmp_path / "demo"
    words = ["demo", "--classes", "mask-state", "--photos", "60", "--out", str(out)]
    assert main(words) == 0
    run = RunFolder(out / "runs" / "demo")
    for folder in (out / "data", out / "curated", run.path, run.bundle):
        assert read_scheme(folder) == STATES, folder
    photos = Counter(photo.label for photo in list_photos(out / "data"))
    assert photos == dict.fromkeys(STATES.labels, 20)
    assert set(run.read_metrics()["per_class"]) == set(STATES.labels)
    lines = [json.loads(line) for line in (out / "live.jsonl").read_text().splitlines()]
    assert len(lines) == 6 * 3 * 6  # people, states of the mask, frames of a scene
    assert all(set(line["faces"][0]["probabilities"]) == set(STATES.labels) for line in lines)
    page = Page(out / "report.html")
    assert "mask misworn (20)" in page.part("collect")
    assert "is mask misworn" in page.part("detect")
    said = capsys.readouterr()
    assert "with a mask, a misworn one and none" in said.err
    assert "(1-3 shoot into the three classes)" in said.err
    assert "of 108 frames)" in said.out
