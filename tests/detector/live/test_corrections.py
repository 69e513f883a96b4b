"""A wrongly labelled face goes into the dataset with its right label, where that is allowed."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from detector.live.corrections import WAITING, Corrections, CorrectionStore
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.consent import Consent
from maskage.dataset.store import PhotoStore
from maskage.faces.finder import CROP_MARGIN, crop_face
from maskage.formats.bundle import ModelBundle
from maskage.pictures.images import read_image
from maskage.records import FaceBox, Frame, Photo, RgbImage
from tests.conftest import draw_noise
from tests.detector.live.test_live import ScriptedCamera
from tests.detector.live.test_live_controls import Watched, says

PIXELS = draw_noise(1, 480)
BOX = FaceBox(180, 140, 120, 140, 0.93)
TODAY = date.today()
LONG_S = 30.0
"""Far more than anything here takes, on a machine however busy."""

HOLD = """
import sys
from pathlib import Path
from maskage.dataset.store import PhotoStore
with PhotoStore(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def frame() -> Frame:
    return Frame(PIXELS.copy(), 7)


def outcome(corrections: Corrections) -> str:
    """What became of the order that was given."""
    deadline = time.monotonic() + LONG_S
    while (message := corrections.take_message()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return message


def photos_in(root: Path) -> list[Photo]:
    with PhotoStore(root) as store:
        return store.photos()


def agree(root: Path, subject: str, given_on: date = TODAY, until: date | None = None) -> None:
    with PhotoStore(root) as store:
        store.record_consent(Consent(subject, "form 12", given_on, until))


@contextmanager
def held_by_another_process(root: Path) -> Iterator[None]:
    """Another program writes to the dataset."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        holder.communicate()


@pytest.mark.parametrize("label", MASK_AGE.labels)
def test_a_face_lands_in_the_folder_of_its_right_label_with_all_that_is_known(
    tmp_path: Path, label: str
) -> None:
    root = tmp_path / "data"
    with Corrections(CorrectionStore(root), MASK_AGE, "model") as corrections:
        said = corrections.save(frame(), BOX, label, "demo", "demo camera")
        assert MASK_AGE.title(label) in said
        message = outcome(corrections)
        assert corrections.saved == 1
    (photo,) = photos_in(root)
    assert message == f"saved {root / photo.path}"
    assert photo.label == label
    assert Path(photo.path).parent.name == label
    assert photo.box == BOX
    assert photo.source == "demo camera"
    assert photo.subject is None
    assert photo.session
    assert photo.quality is not None
    saved = read_image(root / photo.path)
    expected = crop_face(PIXELS, BOX, CROP_MARGIN)
    assert saved.shape == expected.shape
    assert np.abs(saved.astype(int) - expected).mean() < 4


def test_others_write_into_the_dataset_between_two_corrections(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with Corrections(CorrectionStore(root), MASK_AGE, "model") as corrections:
        shown = frame()
        corrections.save(shown, BOX, "mask_old", "demo", "demo camera")
        assert outcome(corrections).startswith("saved")
        # As a visitor of the page does who photographs into the same dataset.
        with PhotoStore(root) as store:
            store.add(PIXELS, "mask_old", session="20260101-000000-abcd", source="browser")
            corrections.save(shown, BOX, "mask_young", "demo", "demo camera")
            refusal = outcome(corrections)
            assert "another part of this program" in refusal
            assert "Quit it" not in refusal
        # What was saved before is still known.
        corrections.save(shown, BOX, "mask_young", "demo", "demo camera")
        assert outcome(corrections).startswith("moved to")
    assert sorted(photo.label for photo in photos_in(root)) == ["mask_old", "mask_young"]


def test_several_corrections_are_all_saved_in_one_session(tmp_path: Path) -> None:
    with Corrections(CorrectionStore(tmp_path / "data"), MASK_AGE, "model") as corrections:
        for number, label in enumerate(MASK_AGE.labels):
            box = FaceBox(40 + 60 * number, 100, 120, 120, 0.9)
            corrections.save(frame(), box, label, "clip.mp4", "clip.mp4")
        assert all(outcome(corrections).startswith("saved ") for _ in MASK_AGE.labels)
    photos = photos_in(tmp_path / "data")
    assert sorted(photo.label for photo in photos) == sorted(MASK_AGE.labels)
    assert len({photo.session for photo in photos}) == 1


def test_a_second_thought_about_the_same_face_moves_its_photo(tmp_path: Path) -> None:
    root = tmp_path / "data"
    held = frame()
    with Corrections(CorrectionStore(root), MASK_AGE, "model") as corrections:
        said = []
        for label in ("mask_old", "mask_old", "nomask_old"):
            corrections.save(held, BOX, label, "demo", "demo camera")
            said.append(outcome(corrections))
        assert corrections.saved == 1
    (photo,) = photos_in(root)
    assert photo.label == "nomask_old"
    assert "saved already" in said[1]
    assert said[2] == f"moved to {root / photo.path}"


def test_what_was_ordered_before_the_end_is_saved_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Corrections(CorrectionStore(tmp_path / "data"), MASK_AGE, "model") as corrections:
        for label in MASK_AGE.labels:
            corrections.save(frame(), BOX, label, "demo", "demo camera")
    assert len(photos_in(tmp_path / "data")) == 4
    assert capsys.readouterr().err.count("saved ") == 4


def test_the_picture_may_change_once_the_order_is_given(tmp_path: Path) -> None:
    given = frame()
    with Corrections(CorrectionStore(tmp_path / "data"), MASK_AGE, "model") as corrections:
        corrections.save(given, BOX, "mask_old", "demo", "demo camera")
        given.pixels[:] = 0
        outcome(corrections)
    (photo,) = photos_in(tmp_path / "data")
    assert read_image(tmp_path / "data" / photo.path).mean() > 50


def test_without_a_correction_nothing_is_made(tmp_path: Path) -> None:
    with Corrections(
        CorrectionStore(tmp_path / "data", "p07", is_self=True), MASK_AGE, "model"
    ) as corrections:
        assert corrections.objection("0") is None
        assert corrections.take_message() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", ["0", "2", "rtsp://camera/1", "HTTP://camera/video"])
def test_before_a_webcam_or_stream_it_must_be_said_who_is_there(
    tmp_path: Path, source: str
) -> None:
    with Corrections(CorrectionStore(tmp_path / "data"), MASK_AGE, "model") as corrections:
        assert "--self" in (corrections.objection(source) or "")
        said = corrections.save(frame(), BOX, "mask_old", source, "webcam 0")
        assert said.startswith("not saved")
        assert "--subject" in said
    assert list(tmp_path.iterdir()) == []


def test_a_subject_without_a_consent_on_record_is_not_saved(tmp_path: Path) -> None:
    with Corrections(CorrectionStore(tmp_path / "data", "p07"), MASK_AGE, "model") as corrections:
        corrections.save(frame(), BOX, "mask_old", "0", "webcam 0")
        assert outcome(corrections) == "not saved: no consent of p07 on record"
        assert corrections.saved == 0
    assert photos_in(tmp_path / "data") == []


def test_a_consent_that_has_ended_is_none(tmp_path: Path) -> None:
    root = tmp_path / "data"
    yesterday = TODAY - timedelta(days=1)
    agree(root, "p07", TODAY - timedelta(days=9), yesterday)
    with Corrections(CorrectionStore(root, "p07"), MASK_AGE, "model") as corrections:
        corrections.save(frame(), BOX, "mask_old", "0", "webcam 0")
        assert outcome(corrections) == f"not saved: consent of p07 ended on {yesterday}"
    assert photos_in(root) == []


def test_a_subject_whose_consent_is_on_record_is_saved(tmp_path: Path) -> None:
    agree(tmp_path / "data", "p07")
    with Corrections(CorrectionStore(tmp_path / "data", "p07"), MASK_AGE, "model") as corrections:
        corrections.save(frame(), BOX, "nomask_old", "0", "webcam 0")
        assert outcome(corrections).startswith("saved ")
    (photo,) = photos_in(tmp_path / "data")
    assert (photo.subject, photo.source) == ("p07", "webcam 0")


def test_who_photographs_themselves_puts_that_on_record(tmp_path: Path) -> None:
    with Corrections(
        CorrectionStore(tmp_path / "data", "me", is_self=True), MASK_AGE, "model"
    ) as corrections:
        corrections.save(frame(), BOX, "nomask_old", "0", "webcam 0")
        assert outcome(corrections).startswith("saved ")
    with PhotoStore(tmp_path / "data") as store:
        assert store.consents() == {"me": Consent("me", "self", TODAY)}
        assert [photo.subject for photo in store.photos()] == ["me"]


def test_a_consent_that_is_there_already_is_left_as_it_was(tmp_path: Path) -> None:
    agree(tmp_path / "data", "me", TODAY - timedelta(days=30))
    with Corrections(
        CorrectionStore(tmp_path / "data", "me", is_self=True), MASK_AGE, "model"
    ) as corrections:
        corrections.save(frame(), BOX, "nomask_old", "0", "webcam 0")
        outcome(corrections)
    with PhotoStore(tmp_path / "data") as store:
        assert store.consents()["me"].basis == "form 12"


def test_a_dataset_in_use_is_told_and_is_tried_again(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with Corrections(CorrectionStore(root), MASK_AGE, "model") as corrections:
        with held_by_another_process(root):
            corrections.save(frame(), BOX, "mask_old", "demo", "demo camera")
            message = outcome(corrections)
            assert message.startswith(f"not saved: {root}: another program")

        corrections.save(frame(), BOX, "mask_old", "demo", "demo camera")
        assert outcome(corrections).startswith("saved ")
    assert len(photos_in(root)) == 1


def test_after_the_end_others_may_write_again(tmp_path: Path) -> None:
    with Corrections(CorrectionStore(tmp_path / "data"), MASK_AGE, "model") as corrections:
        corrections.save(frame(), BOX, "mask_old", "demo", "demo camera")
        outcome(corrections)
    with held_by_another_process(tmp_path / "data"):
        pass
    corrections.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Corrections(CorrectionStore(tmp_path / "file"), MASK_AGE, "model") as corrections:
        corrections.save(frame(), BOX, "mask_old", "demo", "demo camera")
        assert "the dataset folder cannot be made" in outcome(corrections)


def test_more_than_the_disk_keeps_up_with_are_refused(tmp_path: Path) -> None:
    with Corrections(CorrectionStore(tmp_path / "data"), MASK_AGE, "model") as corrections:
        said = [
            corrections.save(frame(), BOX, "mask_old", "demo", "demo camera")
            for _ in range(WAITING + 20)
        ]
        refused = [each for each in said if each.startswith("not saved")]
        assert refused
        assert len(said) - len(refused) >= WAITING
    assert corrections.saved == len(said) - len(refused)


def test_the_live_view_goes_on_while_the_dataset_is_in_use(
    bundle: ModelBundle, paint: Callable[..., RgbImage], tmp_path: Path
) -> None:
    pixels = paint("mask_old", 320, 200)
    watched = Watched(bundle, tmp_path, {"demo": lambda: ScriptedCamera(pixels)})
    with held_by_another_process(tmp_path / "data"):
        visitor = watched.visit(
            ("1", says("another program")),
            ("m", lambda view: view.is_mirrored),
            ("m", lambda view: not view.is_mirrored and view.counts.frames > 20),
        )
    assert visitor.views[-1].result.frame.index > visitor.seen[0].result.frame.index
    assert photos_in(tmp_path / "data") == []
