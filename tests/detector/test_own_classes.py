"""A model with classes of its own: it labels, raises alarms, and corrects only its own dataset."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from detector.cli import main
from detector.corrected_dataset import open_dataset_for, require_dataset_for
from maskage.classes.ready_made import MASK_AGE, READY_MADE
from maskage.classes.scheme import Scheme
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError, PhotoNotSavedError
from maskage.formats.bundle import ModelBundle, load_bundle
from maskage.formats.classes.classes_file import CLASSES_FILE, find_scheme, format_scheme
from maskage.pictures.images import encode_jpeg
from tests.detector.conftest import bundle_for
from tests.detector.schemes import AGE_ONLY, MASK_STATE, ODD

pytestmark = pytest.mark.usefixtures("no_face_model")

USAGE, GATE, DATASET = 2, 3, 4


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def paint(scheme: Scheme, label: str) -> bytes:
    return encode_jpeg(np.full((64, 64, 3), scheme[label].rgb, dtype=np.uint8))


def fill_folder(folder: Path, scheme: Scheme) -> Path:
    """Make a folder with one picture of each class, in class order."""
    folder.mkdir()
    for number, label in enumerate(scheme.labels):
        (folder / f"{number:02d}.jpg").write_bytes(paint(scheme, label))
    return folder


def fill_dataset(root: Path, scheme: Scheme, colors: Scheme | None = None) -> Path:
    """Make a dataset with one photo of each class."""
    root.mkdir()
    (root / CLASSES_FILE).write_text(format_scheme(scheme), encoding="utf-8")
    with PhotoStore(root) as store:
        for label in scheme.labels:
            store.add(np.full((64, 64, 3), (colors or scheme)[label].rgb, dtype=np.uint8), label)
    return root


def reversed_scheme(scheme: Scheme) -> Scheme:
    return Scheme(scheme.classes[::-1], scheme.factors)


def model_of(here: Path, scheme: Scheme) -> ModelBundle:
    return bundle_for(here / "runs" / "own" / "bundle", scheme)


def run(*words: object) -> int:
    return main([*map(str, words)])


@pytest.mark.parametrize("scheme", [MASK_STATE, ODD, READY_MADE["mask-state-age"]])
def test_every_class_of_a_model_is_labelled(
    here: Path, scheme: Scheme, capsys: pytest.CaptureFixture[str]
) -> None:
    model, pictures = model_of(here, scheme), fill_folder(here / "in", scheme)
    words = ["--model", model.folder, "--json", "e.jsonl", "--csv", "e.csv", "--pictures", "out"]
    assert run("run", pictures, *words) == 0
    events = [json.loads(line) for line in Path("e.jsonl").read_text().splitlines()]
    assert [event["faces"][0]["label"] for event in events] == list(scheme.labels)
    with Path("e.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(scheme)
    assert len(list(Path("out").iterdir())) == len(scheme)
    told = capsys.readouterr().out
    assert all(f"          1 {label}\n" in told for label in scheme.labels)


def test_the_share_of_masks_is_that_of_worn_ones(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, pictures = model_of(here, MASK_STATE), fill_folder(here / "in", MASK_STATE)
    assert run("run", pictures, "--model", model.folder, "--fail-under", 0.3) == 0
    told = capsys.readouterr().out
    assert "33.3% wear a mask" in told
    assert "33.3% wear one wrongly" in told
    assert run("run", pictures, "--model", model.folder, "--fail-under", 0.4) == GATE
    assert "33.3% of the faces wear a mask" in capsys.readouterr().err


@pytest.mark.parametrize("scheme", [ODD, AGE_ONLY])
def test_without_masks_there_is_no_share_and_no_gate(
    here: Path, scheme: Scheme, capsys: pytest.CaptureFixture[str]
) -> None:
    model, pictures = model_of(here, scheme), fill_folder(here / "in", scheme)
    assert run("run", pictures, "--model", model.folder) == 0
    assert "mask" not in capsys.readouterr().out.replace("Mask", "").replace(" mask\n", "")
    words = ["--model", model.folder, "--json", "e.jsonl", "--fail-under", 0.5]
    assert run("run", pictures, *words) == USAGE
    told = capsys.readouterr().err
    assert "mask=worn, and this model has none" in told
    assert scheme.labels[0] in told
    assert not Path("e.jsonl").exists()


@pytest.mark.parametrize(
    "words", [("run", "in"), ("live", "--source", "in", "--headless"), ("serve", "--source", "in")]
)
def test_an_alarm_that_no_class_can_raise_is_refused_before_anything_is_opened(
    here: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    model = model_of(here, MASK_STATE)
    alarm = ["--model", model.folder, "--on", "nomask_*", "--exec", "true", "--json", "e.jsonl"]
    assert run(*words, *alarm) == USAGE
    told = capsys.readouterr().err
    assert "'nomask_*' matches no label. The labels are worn, misworn, none." in told
    assert "mask=misworn" in told
    assert not Path("e.jsonl").exists()


def test_an_alarm_is_raised_for_the_value_of_a_factor(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, pictures = model_of(here, MASK_STATE), fill_folder(here / "in", MASK_STATE)
    action = ["--exec", "sh -c 'echo $MASKAGE_LABEL >> labels.txt'", "--cool-down", 0.5]
    words = ["--on", "mask=none", "--on", "mis*", *action]
    assert run("run", pictures, "--model", model.folder, *words) == 0
    assert "2 alarms raised; 2 commands and webhooks done" in capsys.readouterr().err
    assert Path("labels.txt").read_text().split() == ["misworn", "none"]


@pytest.mark.parametrize("scheme", [MASK_AGE, MASK_STATE, ODD])
def test_a_bundle_of_any_classes_is_written_and_read(here: Path, scheme: Scheme) -> None:
    assert load_bundle(model_of(here, scheme).folder).scheme == scheme


def test_suggestions_go_by_the_name_of_the_class_not_by_its_number(here: Path) -> None:
    model = model_of(here, ODD)
    # The same folders in another order, and every photo in the colour of its class.
    data = fill_dataset(here / "data", reversed_scheme(ODD))
    assert run("suggest", data, "--model", model.folder) == 0
    photos = list_photos(data)
    assert len(photos) == len(ODD)
    assert [p.suggestion and p.suggestion.label for p in photos] == [p.label for p in photos]


@pytest.mark.parametrize(("dataset", "model"), [(MASK_AGE, MASK_STATE), (ODD, MASK_AGE)])
def test_no_suggestion_goes_into_a_dataset_of_other_classes(
    here: Path, dataset: Scheme, model: Scheme, capsys: pytest.CaptureFixture[str]
) -> None:
    data = fill_dataset(here / "data", dataset)
    assert run("suggest", data, "--model", model_of(here, model).folder) == DATASET
    told = capsys.readouterr().err
    assert f"has the classes {', '.join(dataset.labels)}" in told
    assert f"has {', '.join(model.labels)}" in told
    assert [photo.suggestion for photo in list_photos(data)] == [None] * len(dataset)


def test_a_part_of_the_classes_is_not_enough(here: Path) -> None:
    part = Scheme(ODD.classes[:-1])
    data = fill_dataset(here / "data", ODD)
    with pytest.raises(DatasetError, match="must have the same"):
        require_dataset_for(data, part, "model")
    with pytest.raises(DatasetError, match="must have the same"):
        require_dataset_for(fill_dataset(here / "part", part), ODD, "model")


@pytest.mark.parametrize("is_empty_folder", [False, True])
def test_a_new_dataset_gets_the_classes_of_the_model(here: Path, *, is_empty_folder: bool) -> None:
    root = here / "new" / "data"
    if is_empty_folder:
        root.mkdir(parents=True)
    with open_dataset_for(root, ODD, "model") as store:
        assert store.scheme == ODD
    assert find_scheme(root) == ODD
    assert {path.name for path in root.iterdir() if path.name[0] != "."} == {
        *ODD.labels,
        CLASSES_FILE,
    }


def test_the_four_classes_need_no_file(here: Path) -> None:
    open_dataset_for(here / "data", MASK_AGE, "model").close()
    assert not (here / "data" / CLASSES_FILE).exists()


def test_a_dataset_that_is_there_keeps_its_own_file(here: Path) -> None:
    data = fill_dataset(here / "data", reversed_scheme(MASK_STATE))
    before = (data / CLASSES_FILE).read_bytes()
    with open_dataset_for(data, MASK_STATE, "model") as store:
        assert store.scheme.labels == ("none", "misworn", "worn")
    assert (data / CLASSES_FILE).read_bytes() == before


def test_a_file_in_the_place_of_the_dataset_is_left_alone(here: Path) -> None:
    (here / "data").write_text("mine")
    with pytest.raises(PhotoNotSavedError, match="cannot be made"):
        open_dataset_for(here / "data", ODD, "model")
    assert (here / "data").read_text() == "mine"


def test_a_live_view_refuses_the_dataset_that_was_named_for_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_dataset(here / "photos", MASK_AGE)
    pictures = fill_folder(here / "in", MASK_STATE)
    words = [
        "live",
        "--headless",
        "--source",
        pictures,
        "--model",
        model_of(here, MASK_STATE).folder,
    ]
    assert run(*words, "--data", "photos", "--json", "e.jsonl") == DATASET
    told = capsys.readouterr().err
    assert "photos has the classes mask_old, mask_young, nomask_old, nomask_young" in told
    assert "has worn, misworn, none" in told
    assert not Path("e.jsonl").exists()


def test_a_live_view_only_says_that_the_usual_dataset_has_other_classes(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_dataset(here / "data", MASK_AGE)
    pictures = fill_folder(here / "in", MASK_STATE)
    model = model_of(here, MASK_STATE)
    words = ["live", "--headless", "--source", pictures, "--model", model.folder]
    assert run(*words, "--json", "e.jsonl") == 0
    told = capsys.readouterr().err
    assert "Corrections are off: data has the classes mask_old" in told
    assert "name another folder with --data" in told
    events = [json.loads(line) for line in Path("e.jsonl").read_text().splitlines()]
    assert [event["faces"][0]["label"] for event in events] == list(MASK_STATE.labels)
    assert len(list_photos(here / "data")) == 4


@pytest.mark.parametrize("command", ["live", "run", "serve"])
def test_the_help_speaks_of_any_classes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(command, "--help")
    told = " ".join(capsys.readouterr().out.split())
    assert "mask=none" in told
    assert "keys 1-4 send" not in told


@pytest.mark.parametrize("scheme", [MASK_STATE, ODD])
def test_the_bench_measures_a_model_of_any_classes(
    here: Path, scheme: Scheme, capsys: pytest.CaptureFixture[str]
) -> None:
    model = model_of(here, scheme)
    assert run("bench", "--model", model.folder, "--frames", 3, "--json") == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 3
