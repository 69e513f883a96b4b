"""The whole search on drawn faces and a small random network, as a user runs it."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from maskage.formats.bundle import find_bundle, load_bundle
from maskage.formats.curated.plan_file import PLAN_COLUMNS
from maskage.formats.run.run_folder import RunFolder
from maskage.formats.run.search_file import SEARCH_FILE, read_search, write_search
from tests.conftest import make_once
from tests.trainer.conftest import make_curated
from tests.trainer.network.legacy_weights import write_legacy_weights
from trainer.cli import main
from trainer.progress import TrainingProgress

WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"

RECIPE = """
backbone = "mobilenetv2"
image_size = 64
alpha = 0.35
views = 1
label_smoothing = 0.05
[head]
epochs = 20
batch_size = 16
learning_rate = 0.005
weight_decay = 0.01
patience = 20
dropout = 0.2
[fine_tune]
epochs = 3
batch_size = 16
learning_rate = 0.0005
weight_decay = 0.01
patience = 3
dropout = 0.2
[scratch]
epochs = 1
batch_size = 16
learning_rate = 0.001
weight_decay = 0.01
patience = 1
dropout = 0.0
"""


def write_keras_home(home: Path) -> None:
    """Lay random weights of the narrow MobileNetV2 where Keras keeps those of ImageNet."""
    from trainer.network.backend import keras

    keras.utils.set_random_seed(3)
    network = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(64, 64, 3), alpha=0.35
    )
    (home / "models").mkdir(parents=True)
    write_legacy_weights(network, home / "models" / WEIGHTS)


def write_groups(root: Path) -> None:
    """Say that two photos each show one person."""
    rows = []
    for path in sorted(root.glob("*/*/*.jpg")):
        split, label, name = path.parts[-3:]
        rows.append([f"{label}/{name}", label, "1", "", f"{split}{int(path.stem) // 2}", split, ""])
    with (root / "plan.csv").open("w", newline="") as file:
        csv.writer(file).writerows([PLAN_COLUMNS, *rows])


@pytest.fixture
def project(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    home = make_once(tmp_path_factory, "keras-home", lambda at: write_keras_home(at / "home"))
    monkeypatch.setenv("KERAS_HOME", str(home / "home"))
    make_curated(tmp_path / "curated", train=8, held_out=4)
    write_groups(tmp_path / "curated")
    (tmp_path / "small.toml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def search(*words: str) -> int:
    sizes = ["--image-size", "64", "--image-size", "32"]
    return main(["search", "curated", "--model", "small.toml", *sizes, *words])


@pytest.mark.slow
def test_a_search_ends_with_a_run_that_the_detector_takes(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search("--budget", "30m", "--name", "s", "--json") == 0
    held = json.loads(capsys.readouterr().out)
    names = {f"smallx0.35-{size}-{kind}" for size in (32, 64) for kind in ("classes", "factors")}
    assert {each["name"] for each in held["candidates"]} == names
    assert held["recommended"] in names
    tuned = [each for each in held["candidates"] if each["fine_tune_epochs"]]
    # Of each network one was fine-tuned, and the better of the two a second time.
    assert [each["fine_tune_epochs"] for each in tuned] == [2, 2]
    assert len({each["image_size"] for each in tuned}) == 2
    assert all(each["milliseconds_per_photo"] > 0 for each in held["candidates"])

    run = project / "runs" / "s-best"
    assert held["run"] == "runs/s-best"
    assert find_bundle(runs=project / "runs").parent.name == "s-best"
    assert load_bundle(run / "bundle").input_size in (32, 64)
    assert RunFolder(run).read_metrics()["accuracy"] == held["test_accuracy"]
    for name in ("report.html", "model_card.md"):
        text = " ".join((run / name).read_text().split())
        assert "chose this network among 4 candidates" in text, name
        assert "No test photo took part in the choice" in text, name
    assert "--chosen" not in (run / "model_card.md").read_text()

    folder = project / "runs" / "s"
    assert sorted(path.name for path in folder.iterdir()) == [
        ".lock", "report.html", "search.json",
    ]  # fmt: skip
    record = read_search(folder)
    assert len(record.folds) == 4 * (8 + 4)
    page = (folder / "report.html").read_text()
    assert str(project) not in page
    assert "data:image" not in page
    assert "Right against fast" in page

    again(project, record.seconds, capsys)


def again(project: Path, seconds: float, capsys: pytest.CaptureFixture[str]) -> None:
    """Go on with a finished search: nothing is done twice."""
    before = read_search(project / "runs" / "s")
    bundle = project / "runs" / "s-best" / "bundle" / "bundle.json"
    made = bundle.stat().st_mtime_ns
    assert main(["search", "--resume", "--budget", "20m"]) == 0
    shown = capsys.readouterr()
    assert "Network 1" not in shown.err
    assert "Trial" not in shown.err
    assert bundle.stat().st_mtime_ns == made
    after = read_search(project / "runs" / "s")
    assert after.seconds > seconds
    for name, each in after.candidates.items():
        assert (
            replace(each, milliseconds=before.candidates[name].milliseconds)
            == (before.candidates[name])
        )
    assert "smallx0.35-32-factors" in shown.out
    assert max(map(len, shown.out.splitlines()[:-4])) <= 80


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer import progress as reports

    shown = reports.ProgressPrinter.__call__
    heads: list[int] = []

    def press(self: reports.ProgressPrinter, progress: TrainingProgress) -> None:
        shown(self, progress)
        heads.append(progress.done) if progress.stage == "heads" else None
        if len(heads) > 7:  # in the second kind of heads
            raise KeyboardInterrupt

    monkeypatch.setattr(reports.ProgressPrinter, "__call__", press)
    assert search("--budget", "30m", "--name", "s") == 130
    told = capsys.readouterr().err
    assert "go on with `trainer search --resume runs/s`" in told
    record = read_search(project / "runs" / "s")
    assert [each.frozen is not None for each in record.candidates.values()] == [True]
    assert (project / "runs" / "s" / "report.html").is_file()

    monkeypatch.undo()
    monkeypatch.chdir(project)
    photo = next((project / "curated" / "train").glob("*/*.jpg"))
    photo.rename(photo.with_name("gone"))
    assert main(["search", "--resume", "runs/s"]) == 2
    assert "has other photos now" in capsys.readouterr().err


@pytest.mark.slow
def test_too_little_time_measures_nothing_twice_and_trains_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first network is measured whatever it takes; what does not fit after it is named."""
    # A fast machine trains this network in ten seconds, the least that a user may ask for.
    monkeypatch.setattr("trainer.search.budget.LEAST_S", 1.0)
    assert search("--budget", "1s", "--name", "s") == 0
    shown = capsys.readouterr()
    assert "Left out:" in shown.out
    assert "trainer search --resume runs/s" in " ".join(shown.out.split())
    assert not (project / "runs" / "s-best").exists()
    assert read_search(project / "runs" / "s").run is None


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--budget", "soon"], 2, "--budget takes hours, minutes and seconds"),
        (["--name", "a/b"], 2, "A run's name is made of"),
        (["--model", "resnet"], 2, "There is no recipe 'resnet'"),
        (["--resume", "runs/none"], 5, "no search to go on with"),
        (["--resume", "--seed", "3"], 2, "found --seed. Leave that out"),
        (["--devices", "some"], 2, "--devices takes all, cpu or a number"),
        (["--image-size", "8", "--model", "mobilenetv2"], 2, "takes no images of 8 px"),
        (["--model", "xception"], 5, "No network has its ImageNet weights at hand"),
    ],
)
def test_bad_input_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    curated = [] if "--resume" in words else ["curated"]
    assert main(["search", *curated, *words]) == code
    assert said in " ".join(capsys.readouterr().err.split())
    assert not list((project).glob("runs/*-best"))


def test_too_few_people_are_refused_before_keras(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = project / "curated" / "plan.csv"
    with plan.open(newline="") as file:
        rows = list(csv.reader(file))
    rows[1:] = [[*row[:4], "g", *row[5:]] for row in rows[1:]]
    with plan.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    assert search() == 4
    told = capsys.readouterr().err
    assert "at least 2 groups" in told
    assert "Loading" not in told
    assert not (project / "runs").exists()


def test_a_damaged_record_and_a_recipe_that_is_gone_are_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from trainer.search.begin import SearchSettings, begin_search

    folder = begin_search(
        SearchSettings(
            curated=project / "curated",
            runs=project / "runs",
            name="s",
            models=(str(project / "small.toml"),),
        )
    )
    (project / "small.toml").unlink()
    assert main(["search", "--resume", "runs/s"]) == 2
    assert "There is no recipe" in capsys.readouterr().err
    write_search(folder, replace(read_search(folder), models=("mobilenetv2",)))
    shutil.copyfile(project / "curated" / "plan.csv", folder / SEARCH_FILE)
    assert main(["search", "--resume", "runs/s"]) == 5
    assert "cannot be read as the record of a search" in capsys.readouterr().err
