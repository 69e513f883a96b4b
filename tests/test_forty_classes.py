"""The whole loop on classes of one's own: forty with odd names, and two.

Every step is the command that a user types. The photos are coloured shapes, the network starts from
random weights, and what it says must be far from chance, and about the right class.
"""

import csv
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from collector.app import ReviewApp
from collector.cli import main as collector
from collector.screens.review_screen import ReviewScreen
from curation.cli import main as curate
from detector.cli import main as detector
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.faces.finder import CROP_MARGIN, guide_box
from maskage.formats.bundle import load_bundle
from maskage.formats.classes.classes_file import read_scheme
from maskage.formats.curated.plan_file import read_plan
from maskage.formats.run.predictions_file import read_predictions
from maskage.formats.run.run_folder import RunFolder
from maskage.pictures.images import encode_jpeg, resize_square
from maskage.system.onnx_runtime import onnxruntime
from tests.conftest import make_once
from tests.drawn_shapes import FORTY, draw_shape, write_shapes
from trainer.cli import main as trainer

pytestmark = [
    pytest.mark.slow,
    # NumPy's own notice of what tf2onnx does with a type that it will drop.
    pytest.mark.filterwarnings("ignore::FutureWarning:tf2onnx"),
]

HELMETS: Mapping[str, tuple[str, str]] = {
    "helmet": ("yellow", "disc"),
    "no_helmet": ("red", "bars"),
}
PHOTOS = {"forty": 8, "helmets": 24}
"""Photos of each class, but for the first, which has two fewer."""

WAIT_S = 30.0


def run_loop(
    folder: Path, classes: Mapping[str, tuple[str, str]], photos: int, epochs: int, *init: str
) -> None:
    """Take the classes from photos to a model; `init` says what `collector init` is given."""
    source, data = write_shapes(folder / "source", classes, photos), folder / "data"
    for each in list((source / next(iter(classes))).iterdir())[:2]:
        each.unlink()
    assert collector(["init", str(data), *(word.format(source=source) for word in init)]) == 0
    assert collector(["import", str(source), str(data)]) == 0
    assert curate([str(data), "--dedupe", "--balance", "--out", str(folder / "curated")]) == 0
    fit = ["fit", str(folder / "curated"), "--runs", str(folder / "runs"), "--name", "shapes"]
    fit += ["--weights", "none", "--alpha", "0.35", "--image-size", "64"]
    fit += ["--epochs", str(epochs), "--batch-size", "16"]
    assert trainer(fit) == 0
    _write_pictures(folder / "pictures", classes)


def _write_pictures(folder: Path, classes: Mapping[str, tuple[str, str]]) -> None:
    """Write a picture of each class that nobody trained on, as a camera's: the shape in it."""
    folder.mkdir()
    guide = guide_box(320, 240)
    side = round(guide.width * (1 + 2 * CROP_MARGIN))
    left, top = (320 - side) // 2, (240 - side) // 2
    for number, (colour, shape) in enumerate(classes.values()):
        pixels = np.full((240, 320, 3), 90, np.uint8)
        drawn = resize_square(draw_shape(colour, shape, 500_000 + number), side)
        pixels[top : top + side, left : left + side] = drawn
        (folder / f"{number:02d}.jpg").write_bytes(encode_jpeg(pixels))


@pytest.fixture(scope="module")
def forty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished loop of forty classes; read only."""
    return make_once(
        tmp_path_factory,
        "forty",
        lambda at: run_loop(at, FORTY, PHOTOS["forty"], 20, "--from", "{source}"),
    )


@pytest.fixture(scope="module")
def helmets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished loop of two classes; read only."""
    return make_once(
        tmp_path_factory,
        "helmets",
        lambda at: run_loop(at, HELMETS, PHOTOS["helmets"], 30, "--classes", "helmet,no_helmet"),
    )


@pytest.fixture(autouse=True)
def no_face_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where YuNet neither lies nor can be fetched."""
    monkeypatch.delenv("FACE_MODEL", raising=False)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")


def run_of(loop: Path) -> RunFolder:
    return RunFolder(loop / "runs" / "shapes")


@pytest.mark.parametrize(("name", "classes"), [("forty", FORTY), ("helmets", HELMETS)])
class TestAnyNumberOfClasses:
    """What holds for forty classes and for two."""

    @pytest.fixture
    def loop(self, name: str, request: pytest.FixtureRequest) -> Path:
        return Path(request.getfixturevalue(name))

    def test_each_folder_knows_the_same_classes(
        self, loop: Path, classes: Mapping[str, tuple[str, str]]
    ) -> None:
        scheme = read_scheme(loop / "data")
        assert set(scheme.labels) == set(classes)
        for folder in (loop / "curated", run_of(loop).path, run_of(loop).path / "bundle"):
            assert read_scheme(folder) == scheme, folder
        assert load_bundle(run_of(loop).path / "bundle").scheme.labels == scheme.labels

    def test_every_photo_is_in_the_dataset_and_in_the_plan(
        self, name: str, loop: Path, classes: Mapping[str, tuple[str, str]]
    ) -> None:
        photos = PHOTOS[name]
        expected = dict.fromkeys(classes, photos) | {next(iter(classes)): photos - 2}
        assert Counter(photo.label for photo in list_photos(loop / "data")) == expected
        plan = [row for row in read_plan(loop / "curated") if not row.parent]
        assert Counter(row.label for row in plan) == expected
        splits = Counter((row.label, row.split) for row in plan if row.is_kept)
        assert {label for label, split in splits if split == "test"} == set(classes)

    def test_balance_fills_up_the_smallest_class(
        self, loop: Path, classes: Mapping[str, tuple[str, str]]
    ) -> None:
        train = [row for row in read_plan(loop / "curated") if row.split == "train"]
        counts = Counter(row.label for row in train if row.is_kept)
        assert set(counts) == set(classes)
        assert len(set(counts.values())) == 1
        assert {row.label for row in train if row.parent} >= {next(iter(classes))}

    def test_the_answers_have_a_column_for_each_class(
        self, loop: Path, classes: Mapping[str, tuple[str, str]]
    ) -> None:
        with (run_of(loop).path / "predictions.csv").open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        assert len(header) == 3 + len(classes)
        assert {len(row) for row in rows} == {3 + len(classes)}
        answers = read_predictions(run_of(loop).path)
        assert {each.actual for each in answers} == set(classes)
        assert all(sum(each.probabilities) == pytest.approx(1, abs=1e-3) for each in answers)

    def test_the_figures_are_there_for_each_class(
        self, loop: Path, classes: Mapping[str, tuple[str, str]]
    ) -> None:
        metrics = run_of(loop).read_metrics()
        assert set(metrics["per_class"]) == set(classes)
        assert np.shape(metrics["confusion"]) == (len(classes), len(classes))
        assert np.sum(metrics["confusion"]) == len(read_predictions(run_of(loop).path))
        assert not {"mask_accuracy", "age_accuracy"} & {k for k, v in metrics.items() if v}
        assert not metrics["factors"]

    def test_it_learns(self, loop: Path, classes: Mapping[str, tuple[str, str]]) -> None:
        assert run_of(loop).read_metrics()["accuracy"] > 0.5 * (1 + 1 / len(classes))

    def test_it_can_be_measured_once_more(
        self,
        loop: Path,
        classes: Mapping[str, tuple[str, str]],
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        page = tmp_path / "page.html"
        words = [str(run_of(loop).path), "--json", "--report", str(page)]
        assert trainer(["evaluate", *words]) == 0
        measured = json.loads(capsys.readouterr().out)
        assert measured["accuracy"] == pytest.approx(
            run_of(loop).read_metrics()["accuracy"], abs=0.03
        )
        assert set(measured["per_class"]) == set(classes)
        assert page.stat().st_size > 10_000

    def test_its_export_has_an_output_for_each_class(
        self, loop: Path, classes: Mapping[str, tuple[str, str]], tmp_path: Path
    ) -> None:
        words = [str(run_of(loop).path), "--to", "onnx", "--out", str(tmp_path)]
        assert trainer(["export", *words]) == 0
        described = json.loads((tmp_path / "onnx" / "export.json").read_text(encoding="utf-8"))
        assert list(described["labels"]) == list(read_scheme(loop / "data").labels)
        session = onnxruntime.InferenceSession(tmp_path / "onnx" / "model.onnx")
        (answer,) = session.run(None, {"images": np.zeros((2, 64, 64, 3), np.uint8)})
        assert answer.shape == (2, len(classes))

    def test_the_detector_names_the_class_of_each_picture(
        self, loop: Path, classes: Mapping[str, tuple[str, str]], tmp_path: Path
    ) -> None:
        events = tmp_path / "events.jsonl"
        words = [str(loop / "pictures"), "--model", str(run_of(loop).path), "--json", str(events)]
        assert detector(["run", *words]) == 0
        lines = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
        assert len(lines) == len(classes)
        faces = [line["faces"][0] for line in lines]
        assert all(set(face["probabilities"]) == set(classes) for face in faces)
        right = [face["label"] == label for face, label in zip(faces, classes, strict=True)]
        assert np.mean(right) > 0.5 * (1 + 1 / len(classes))


def test_status_counts_forty_classes(forty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert collector(["status", str(forty / "data"), "--json"]) == 0
    status = capsys.readouterr().out
    assert all(json.dumps(label)[1:-1] in status or label in status for label in FORTY)


async def test_a_photo_gets_one_of_forty_labels_by_its_name(tmp_path: Path) -> None:
    source = write_shapes(tmp_path / "source", FORTY, 1)
    data = tmp_path / "data"
    assert collector(["init", str(data), "--from", str(source)]) == 0
    assert collector(["import", str(source), str(data)]) == 0
    with PhotoStore(data) as store:
        app = ReviewApp(store)
        async with app.run_test(size=(120, 40)) as pilot:

            async def wait(happened: Callable[[], bool]) -> None:
                deadline_s = time.monotonic() + WAIT_S
                while not happened():
                    assert time.monotonic() < deadline_s
                    await pilot.pause(0.02)

            await wait(lambda: isinstance(app.screen, ReviewScreen))
            await wait(lambda: app.review.current is not None)
            assert app.review.current is not None
            before, wanted = app.review.current.label, "CON"
            assert before != wanted
            await pilot.press("slash", *wanted.lower(), "enter")
            await wait(lambda: Counter(p.label for p in store.photos())[wanted] == 2)
    labels = Counter(photo.label for photo in list_photos(data))
    assert labels[wanted] == 2
    assert labels[before] == 0
