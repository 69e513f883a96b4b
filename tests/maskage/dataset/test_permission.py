"""Nobody is photographed whose consent is not on record."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from textual.widgets import Input, Static

from collector.widgets.dialogs import ConsentDialog
from collector.widgets.subject_dialog import SubjectDialog
from maskage.dataset.consent import SELF_BASIS, Consent
from maskage.dataset.consent_rules import record_self, shows_people_live
from maskage.dataset.manifest.reading import read_consents
from maskage.dataset.store import PhotoStore
from maskage.errors import PhotoNotSavedError
from tests.collector.screens.test_app import FACE, Bench, FixedFinder, photos_of, running

TODAY = date.today()


@pytest.mark.parametrize(
    ("source", "expected"),
    [("0", True), ("http://cam/x", True), ("RTSP://cam", True), ("demo", False), ("a.mp4", False)],
)
def test_webcams_and_streams_look_at_living_people(source: str, expected: bool) -> None:
    assert shows_people_live(source) is expected


def test_who_photographs_themselves_agrees(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        store.record_consent(Consent("p07", "form 12", TODAY))
        record_self(store, "p07", TODAY)
        record_self(store, "me", TODAY)
        consents = store.consents()
    assert consents["p07"].basis == "form 12"
    assert consents["me"] == Consent("me", SELF_BASIS, TODAY)


async def open_dialog(bench: Bench, kind: type[SubjectDialog | ConsentDialog]) -> None:
    """Wait until a dialog is there, with all that is in it."""
    await bench.wait(
        lambda: isinstance(bench.app.screen, kind) and bool(bench.app.screen.query("#dialog-keys"))
    )


async def fill(bench: Bench, **values: str) -> None:
    for name, value in values.items():
        bench.app.screen.query_one(f"#{name}", Input).value = value
    await bench.press("enter")


async def test_a_webcam_asks_who_sits_there_and_for_consent(tmp_path: Path) -> None:
    async with running(tmp_path, FixedFinder(FACE), source="0") as bench:
        await open_dialog(bench, SubjectDialog)
        await fill(bench, subject="p07")
        await open_dialog(bench, ConsentDialog)
        await fill(bench, basis="")
        text = bench.app.screen.query_one("#dialog-text", Static)
        assert "rests on" in str(text.content)
        await fill(bench, basis="form 12", expires="soon")
        assert "2026-11-24" in str(text.content)
        await fill(bench, expires="2099-01-31", guardian="mother")
        await bench.wait_for_answer("subject p07")
        await bench.wait(lambda: "ready" in bench.advice())
        await bench.press("1")
        await bench.wait_for_answer("number 1")
    assert photos_of(tmp_path)[0].subject == "p07"
    assert read_consents(tmp_path) == {
        "p07": Consent("p07", "form 12", TODAY, date(2099, 1, 31), is_minor=True, guardian="mother")
    }


async def test_without_consent_the_shutter_stays_closed(tmp_path: Path) -> None:
    async with running(tmp_path, FixedFinder(FACE), source="0") as bench:
        await open_dialog(bench, SubjectDialog)
        await bench.press("escape")
        await bench.wait(lambda: "nobody is named: press s" in bench.advice())
        await bench.press("1")
        await bench.wait_for_answer("refused: nobody is named")
        await bench.press("s")
        await open_dialog(bench, SubjectDialog)
        await fill(bench, subject="p08")
        await open_dialog(bench, ConsentDialog)
        await bench.press("escape")
        await bench.wait(lambda: "no consent of p08 on record" in bench.advice())
        await bench.press("1")
        await bench.wait_for_answer("refused: no consent of p08")
    assert photos_of(tmp_path) == []


async def test_a_consent_that_has_ended_is_asked_for_again(tmp_path: Path) -> None:
    ended = TODAY - timedelta(days=1)
    with PhotoStore(tmp_path) as store:
        store.record_consent(Consent("p07", "form 12", ended - timedelta(days=9), ended))
    async with running(tmp_path, FixedFinder(FACE), source="0", subject="p07") as bench:
        await open_dialog(bench, ConsentDialog)
        text = str(bench.app.screen.query_one("#dialog-text", Static).content)
        assert f"consent of p07 ended on {ended}" in text
        await fill(bench, basis="form 13")
        await bench.wait(lambda: "ready" in bench.advice())


async def test_with_consent_on_record_nothing_is_asked(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        store.record_consent(Consent("p07", "form 12", TODAY, TODAY))
    async with running(tmp_path, FixedFinder(FACE), source="0", subject="p07") as bench:
        await bench.wait(lambda: "ready" in bench.advice())
        await bench.press("1")
        await bench.wait_for_answer("number 1")


async def test_a_consent_that_the_disk_refuses_opens_no_shutter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(store: PhotoStore, consent: Consent) -> None:
        raise PhotoNotSavedError("the manifest could not be written (disk is full).")

    monkeypatch.setattr(PhotoStore, "record_consent", refuse)
    async with running(tmp_path, FixedFinder(FACE), source="0", subject="p07") as bench:
        await open_dialog(bench, ConsentDialog)
        await fill(bench, basis="form 12")
        await bench.wait_for_answer("could not be written")
        await bench.press("1")
        await bench.wait_for_answer("refused: no consent of p07 on record")
    assert photos_of(tmp_path) == []
