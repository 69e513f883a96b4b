"""A live view whose model has classes of its own: choosing, correcting, and their dataset."""

from pathlib import Path

import numpy as np
import pytest

from detector.live.corrections import Corrections, CorrectionStore
from detector.screens.commands import ChooseLabel, CorrectAsChosen, CorrectLabel, ShowKeys
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import Scheme
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError
from maskage.formats.classes.classes_file import CLASSES_FILE, find_scheme, format_scheme
from tests.detector.conftest import bundle_for
from tests.detector.live.test_corrections import BOX, frame, outcome
from tests.detector.live.test_live import ScriptedCamera
from tests.detector.live.test_live_controls import Watched, says
from tests.detector.schemes import MASK_STATE, ODD


def watch(folder: Path, scheme: Scheme, dataset: CorrectionStore | None = None) -> Watched:
    """One camera, two faces of the first class."""
    pixels = np.full((200, 320, 3), scheme.classes[0].rgb, dtype=np.uint8)
    bundle = bundle_for(folder / "runs" / "own" / "bundle", scheme)
    return Watched(bundle, folder, {"demo": lambda: ScriptedCamera(pixels)}, dataset=dataset)


def test_labels_are_chosen_one_after_the_other_and_saved(tmp_path: Path) -> None:
    watch(tmp_path, ODD).visit(
        (CorrectAsChosen(), says("no label is chosen: choose one with [ and ]")),
        (ChooseLabel(1), says("right label: cat (1 of 12), Enter saves it")),
        (ChooseLabel(1), says("right label: Mask (2 of 12)")),
        (ChooseLabel(-2), says("(12 of 12)")),
        (ChooseLabel(-1), says("right label: مرحبا بالعالم (11 of 12)")),
        (CorrectAsChosen(), says("saved ")),
        (ShowKeys(), says("1-9 its right label, [ and ] choose a label, Enter saves it")),
    )
    (photo,) = list_photos(tmp_path / "data")
    assert photo.label == "مرحبا بالعالم"


def test_the_last_class_is_the_first_backwards(tmp_path: Path) -> None:
    watch(tmp_path, ODD).visit((ChooseLabel(-1), says("(12 of 12)")))


def test_the_first_correction_makes_a_dataset_of_the_models_classes(tmp_path: Path) -> None:
    watch(tmp_path, MASK_STATE).visit(
        (CorrectLabel("misworn"), says("saved ")),
        (CorrectLabel("none", 2), says("/none/")),
    )
    assert find_scheme(tmp_path / "data") == MASK_STATE
    assert {photo.label for photo in list_photos(tmp_path / "data")} == {"misworn", "none"}
    assert not (tmp_path / "data" / "mask_old").exists()


def test_without_a_correction_no_dataset_is_made(tmp_path: Path) -> None:
    watch(tmp_path, MASK_STATE).visit((ShowKeys(), says("1-3 its right label")))
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("label", ODD.labels)
def test_a_face_is_saved_under_any_name(tmp_path: Path, label: str) -> None:
    with Corrections(CorrectionStore(tmp_path / "data"), ODD, "model") as corrections:
        assert corrections.save(frame(), BOX, label, "demo", "demo") == (
            f"saving it as {ODD.title(label)}"
        )
        assert outcome(corrections).startswith(f"saved {tmp_path / 'data' / label}/")
        corrections.save(frame(), BOX, label, "demo", "demo")
        outcome(corrections)
    assert {photo.label for photo in list_photos(tmp_path / "data")} == {label}


def test_the_dataset_that_was_named_must_have_the_models_classes(tmp_path: Path) -> None:
    PhotoStore(tmp_path / "data").close()
    with pytest.raises(DatasetError, match=r"mask_old, mask_young.*worn, misworn, none"):
        Corrections(CorrectionStore(tmp_path / "data"), MASK_STATE, "model")


def test_the_usual_dataset_of_other_classes_only_stops_corrections(tmp_path: Path) -> None:
    PhotoStore(tmp_path / "data").close()
    dataset = CorrectionStore(tmp_path / "data", is_named=False)
    visitor = watch(tmp_path, MASK_STATE, dataset).visit(
        (CorrectLabel("misworn"), says("not saved: ")),
    )
    told = visitor.views[-1].controls.correcting
    assert told is not None
    assert "has the classes mask_old" in told
    assert "name another folder with --data" in told
    assert list_photos(tmp_path / "data") == []


def test_a_dataset_that_was_made_meanwhile_is_held_against_the_model(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with Corrections(CorrectionStore(root), MASK_STATE, "model") as corrections:
        PhotoStore(root).close()
        corrections.save(frame(), BOX, "misworn", "demo", "demo")
        assert outcome(corrections).startswith(f"not saved: {root} has the classes mask_old")
    assert {path.name for path in root.iterdir() if path.name[0] != "."} == {*MASK_AGE.labels}


def test_a_broken_list_of_classes_stops_corrections_with_its_fault(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (root / CLASSES_FILE).write_text(format_scheme(MASK_STATE)[:40])
    with pytest.raises(DatasetError, match="cannot be used as the classes"):
        Corrections(CorrectionStore(root), MASK_STATE, "model")
