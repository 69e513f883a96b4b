"""The question who is in front of the camera: completed from the dataset, near misses asked."""

from pathlib import Path

import pytest
from textual.widgets import Input, Static

from collector.app import run_capture
from collector.screens.capture_screen import CaptureScreen
from collector.widgets.subject_dialog import SubjectDialog
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import EnvironmentProblemError
from tests.collector.screens.test_app import Bench, running
from tests.conftest import draw_noise


def know(root: Path) -> Path:
    """Make a dataset that knows p01 by three photos, and p20 by one."""
    with PhotoStore(root) as store:
        for number, subject in enumerate(("p01", "p01", "p01", "p20")):
            store.add(draw_noise(number), store.scheme.labels[number % 2], subject=subject)
    return root


async def open_dialog(bench: Bench) -> Input:
    await bench.press("s")
    await bench.wait(lambda: isinstance(bench.app.screen, SubjectDialog))
    return bench.app.screen.query_one("#subject", Input)


def text(bench: Bench) -> str:
    return str(bench.app.screen.query_one("#dialog-text", Static).content)


def listed(bench: Bench) -> str:
    """The text of the screen, with single blanks."""
    return " ".join(bench.text().split())


async def test_the_people_are_listed_and_taken_by_the_arrow_keys(tmp_path: Path) -> None:
    async with running(know(tmp_path)) as bench:
        line = await open_dialog(bench)
        await bench.wait(lambda: "p01 3 2 mask, old 1 mask, young" in listed(bench))
        line.value = "2"
        await bench.wait(lambda: "p01" not in listed(bench))
        await bench.press("down")
        assert line.value == "p20"
        await bench.press("enter")
        await bench.wait_for_answer("subject p20, new session")


@pytest.mark.parametrize("typed", ["pp01", "P01", "p1"])
async def test_one_key_takes_the_known_person(tmp_path: Path, typed: str) -> None:
    async with running(know(tmp_path)) as bench:
        line = await open_dialog(bench)
        line.value = typed
        await bench.press("enter")
        assert text(bench) == f"p01 has 3 photos, {typed} has none. Did you mean p01?"
        await bench.press("y")
        await bench.wait_for_answer("subject p01, new session")


async def test_another_person_is_taken_as_typed_and_escape_types_again(tmp_path: Path) -> None:
    async with running(know(tmp_path)) as bench:
        line = await open_dialog(bench)
        line.value = "pp01"
        await bench.press("enter", "enter", "escape")
        assert "Type a pseudonym" in text(bench)
        await bench.press("enter", "n")
        await bench.wait_for_answer("subject pp01, new session")
        await bench.press("1")
        await bench.wait_for_answer("number 3")
        # From now on it is known, and not asked about.
        line = await open_dialog(bench)
        line.value = "p20"
        await bench.press("enter")
        await bench.wait_for_answer("subject p20, new session")
        line = await open_dialog(bench)
        line.value = "pp01"
        await bench.press("enter")
        await bench.wait_for_answer("subject pp01, new session")
    assert {photo.subject for photo in list_photos(tmp_path)} == {"p01", "p20", "pp01"}


async def test_a_new_dataset_has_no_list(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        line = await open_dialog(bench)
        assert not bench.app.screen.query("#known")
        line.value = "p01"
        await bench.press("enter")
        await bench.wait_for_answer("subject p01, new session")
        assert isinstance(bench.app.screen, CaptureScreen)


@pytest.mark.parametrize(("subject", "is_noted"), [("P01", True), ("p01", False), ("k9", False)])
def test_a_near_miss_on_the_command_line_is_noted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    subject: str,
    is_noted: bool,
) -> None:
    def refuse(parts: object) -> int:
        raise EnvironmentProblemError("no screen in this test")

    monkeypatch.setattr("collector.app.require_terminal", lambda: None)
    monkeypatch.setattr("collector.app._run_app", refuse)
    know(tmp_path)
    with pytest.raises(EnvironmentProblemError, match="no screen"):
        run_capture(tmp_path, "demo", subject, None)
    noted = capsys.readouterr().err
    assert ("P01 is new here, but p01 has 3 photos" in noted) is is_noted
    assert ("--subject p01" in noted) is is_noted
