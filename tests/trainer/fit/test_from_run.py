"""A training starts from an earlier run, and says what the new photos bought."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import PhotoClass, Scheme
from maskage.errors import DatasetError, ModelRefusedError, UsageError
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme
from maskage.formats.run.photos_file import read_run_photos
from maskage.formats.run.run_folder import RunFolder
from maskage.pictures.images import encode_jpeg
from tests.trainer.conftest import draw_face, draw_sign
from trainer.cli import main
from trainer.fit.earlier_run import find_earlier_run, read_earlier_run, settle, shorten
from trainer.progress import TrainingProgress
from trainer.recipe import load_recipe
from trainer.settings import FitSettings


@pytest.fixture
def grown(curated: Path, tmp_path: Path) -> Path:
    """The set of `small_run` with two more photos a class in train, and one label corrected."""
    folder = Path(shutil.copytree(curated, tmp_path / "grown"))
    for number, label in enumerate(MASK_AGE.labels):
        for more in range(2):
            pixels = draw_face(label, 50_000 + 100 * number + more)
            (folder / "train" / label / f"9{more}.jpg").write_bytes(encode_jpeg(pixels))
    train = folder / "train"
    (train / "mask_old" / "003.jpg").rename(train / "mask_young" / "corrected.jpg")
    return folder


@pytest.fixture
def base(small_run: Path, tmp_path: Path) -> Path:
    """A copy of the small run that may be removed."""
    return Path(shutil.copytree(small_run, tmp_path / "runs" / "base"))


@pytest.mark.slow
def test_a_run_from_another_says_what_the_new_photos_bought(
    grown: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = base.parent
    assert main(["fit", str(grown), "--runs", str(runs), "--from", "base", "--name", "on"]) == 0
    shown = capsys.readouterr().out
    assert "What the new photos bought: base, then this run, on 16 test photos" in shown
    run = RunFolder(runs / "on")
    metrics, args = run.read_metrics(), run.read_args()
    assert metrics["epochs"] == {"fine_tune": 1}
    found = metrics["earlier_run"]
    assert (found["name"], found["photos"], found["split"]) == ("base", 16, "test")
    assert found["train"]["mask_young"] == {"new": 2, "corrected": 1, "removed": 0}
    assert found["train"]["mask_old"] == {"new": 2, "corrected": 0, "removed": 1}
    before = RunFolder(base).read_metrics()["accuracy"]
    assert found["gains"][0]["before"] == before
    assert found["gains"][0]["after"] == metrics["accuracy"]
    assert [each["name"] for each in found["gains"]] == [
        "all photos", "mask", "age", *MASK_AGE.labels,
    ]  # fmt: skip
    # Everything that its network knows, and how to train it again without the earlier run.
    assert len(read_run_photos(run.path) or ()) == 48 + 8 + 16 + 16
    assert (args["image_size"], args["alpha"]) == (64, 0.35)
    assert args["from_run"] == str(base)
    assert not (run.path / "start").exists()
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert "What the new photos bought" in page
    assert "started from the run base" in page
    assert "trainer fit grown --from base --batch-size" not in page
    assert "trainer fit grown --seed 1337 --from base" in page
    card = (run.path / "model_card.md").read_text(encoding="utf-8")
    assert "started from the run base" in card
    assert main(["compare", "--runs", str(runs)]) == 0
    assert "on was started from the run base" in capsys.readouterr().out


@pytest.mark.slow
def test_a_stopped_run_goes_on_when_the_earlier_one_is_gone(grown: Path, base: Path) -> None:
    from trainer.fit.fit import fit, resume

    settings = FitSettings(
        curated=grown, runs=base.parent, from_run=base, name="whole", fine_tune_epochs=2
    )
    whole = RunFolder(fit(settings))

    def cut(progress: TrainingProgress) -> None:
        if progress.stage == "fine-tune" and progress.done == 1 and "step" not in progress.note:
            raise ConnectionAbortedError("cut")

    with pytest.raises(ConnectionAbortedError):
        fit(replace(settings, name="cut"), cut)
    shutil.rmtree(base)
    run = RunFolder(base.parent / "cut")
    assert not run.is_finished
    resume(run.path)
    assert run.read_predictions() == whole.read_predictions()
    assert run.read_metrics()["earlier_run"] == whole.read_metrics()["earlier_run"]
    assert read_run_photos(run.path) == read_run_photos(whole.path)


@pytest.mark.slow
def test_a_new_class_gets_a_head_from_features(grown: Path, base: Path) -> None:
    from trainer.fit.fit import fit

    more = PhotoClass("scarf", "scarf", "#123456", factors={"mask": "none", "age": "young"})
    scheme = Scheme((*reversed(MASK_AGE.classes), more), MASK_AGE.factors)
    (grown / CLASSES_FILE).write_text(format_scheme(scheme), encoding="utf-8")
    for number, split in enumerate(("train", "val", "test")):
        (grown / split / "scarf").mkdir()
        for at in range(6):
            pixels = draw_sign(3, 70_000 + 100 * number + at)
            (grown / split / "scarf" / f"{at}.jpg").write_bytes(encode_jpeg(pixels))
    metrics = RunFolder(
        fit(FitSettings(curated=grown, runs=base.parent, from_run=base, name="more", epochs=40))
    ).read_metrics()
    assert list(metrics["epochs"]) == ["head", "fine_tune"]
    gains = {each["name"]: each for each in metrics["earlier_run"]["gains"]}
    assert (gains["scarf"]["before"], gains["scarf"]["verdict"]) == (None, "new class")
    assert metrics["labels"] == list(scheme.labels)
    # On a backbone of random weights, how right it is says nothing.
    assert gains["scarf"]["photos"] == metrics["per_class"]["scarf"]["support"] == 6


def test_photos_that_the_run_learned_from_may_not_be_tested(
    grown: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known, new = grown / "train" / "mask_old" / "001.jpg", grown / "test" / "mask_old" / "x.jpg"
    known.rename(new)
    told = ["fit", str(grown), "--runs", str(base.parent), "--from", "base", "--name", "on"]
    assert main(told) == 4
    error = capsys.readouterr().err
    assert "the run base has learned from photos that are held out here" in error
    assert "0 of val and 1 of test (test/mask_old/x.jpg)" in error
    assert "--keep-split /" in error
    assert not (base.parent / "on").exists()


def test_a_copy_of_a_photo_that_is_gone_may_not_be_tested(grown: Path, base: Path) -> None:
    from trainer.fit.fit import fit

    pixels = draw_face("mask_old", 1)
    (grown / "train" / "mask_old" / "001.jpg").unlink()
    (grown / "test" / "mask_old" / "x.jpg").write_bytes(encode_jpeg(pixels[:, ::-1], 60))
    with pytest.raises(DatasetError, match=r"of test \(.*mask_old"):
        fit(FitSettings(curated=grown, runs=base.parent, from_run=base))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--model", "xception"], "--model xception and --from base contradict each other: that"),
        (["--image-size", "96"], "that run has --image-size 64"),
        (["--weights", "none"], "--weights none and --from base contradict"),
        (["--heads", "factors"], "that run has --heads classes"),
        (["--learning-curve"], "--learning-curve and --from base do not go together"),
        (["--epochs", "3"], "--epochs are those of the head, and the head of base stays"),
        (["--fine-tune-epochs", "0"], "would train nothing"),
    ],
)
def test_options_that_contradict_the_run_are_refused(
    given: list[str], told: str, grown: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", str(grown), "--runs", str(base.parent), "--from", "base", *given]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Loading Keras" not in error


def test_options_that_say_what_the_run_has_are_accepted(base: Path) -> None:
    earlier = read_earlier_run(base, base.parent)
    same = FitSettings(model="mobilenetv2", image_size=64, alpha=0.35, from_run=base)
    settled = settle(same, earlier, ["model", "image_size", "alpha"])
    assert (settled.image_size, settled.weights) == (64, earlier.settings.weights)


def test_what_is_no_run_to_start_from_is_named(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = base.parent
    with pytest.raises(UsageError, match=r"there is no such run\. Found base in"):
        find_earlier_run(Path("nothing"), runs)
    with pytest.raises(UsageError, match=r"this is no run, because it has no args\.yaml"):
        find_earlier_run(tmp_path, runs)
    with pytest.raises(ModelRefusedError, match=r"this is a bundle.*Name its run: --from .*base"):
        find_earlier_run(base / "bundle", runs)
    (base / "checkpoints" / "best.weights.h5").unlink()
    with pytest.raises(ModelRefusedError, match="is missing"):
        find_earlier_run(base, runs)
    (base / "metrics.json").unlink()
    with pytest.raises(UsageError, match="not finished"):
        find_earlier_run(base, runs)


def test_a_run_of_an_earlier_version_is_known_by_its_set_alone(
    base: Path, grown: Path, curated: Path
) -> None:
    (base / "photos.csv").unlink()
    photos = read_earlier_run(base, base.parent).photos
    assert len(photos) == 48 + 16 + 16
    args = RunFolder(base).read_args()
    RunFolder(base).write_args({**args, "curated": str(grown)})
    with pytest.raises(UsageError, match="did not list its photos, and its set has changed"):
        read_earlier_run(base, base.parent)


def test_a_damaged_list_of_photos_is_named(base: Path) -> None:
    (base / "photos.csv").write_text("digest,label\n")
    with pytest.raises(DatasetError, match="cannot be read as the photos of a run"):
        read_earlier_run(base, base.parent)


def test_a_chain_of_runs_is_not_shortened_again(base: Path) -> None:
    full = load_recipe("mobilenetv2")
    short = shorten(full)
    assert (full.fine_tune.epochs, short.fine_tune.epochs) == (14, 3)
    assert short.head == full.head
    from dataclasses import asdict

    args = RunFolder(base).read_args()
    args |= {"recipe": asdict(short), "full_recipe": asdict(full)}
    RunFolder(base).write_args(json.loads(json.dumps(args)))
    assert read_earlier_run(base, base.parent).shortened == short


@pytest.mark.parametrize("heads", ["classes", "factors"])
def test_the_head_is_taken_over_class_by_class(heads: str, tmp_path: Path) -> None:
    from maskage.security.keras_archive import save_checkpoint
    from trainer.fit.warm_start import WarmStart, install_start
    from trainer.network.backbones import build_network

    recipe = replace(load_recipe("mobilenetv2"), image_size=32, alpha=0.35, heads=heads)
    former = build_network(recipe, MASK_AGE)
    path = tmp_path / "best.weights.h5"
    save_checkpoint(former.logits, path)
    scheme = Scheme(tuple(reversed(MASK_AGE.classes)), MASK_AGE.factors)
    network = build_network(recipe, scheme)
    start = WarmStart("base", path, MASK_AGE, heads, (), ())
    assert install_start(network, start, recipe)
    images = np.random.default_rng(2).integers(0, 255, (2, 32, 32, 3), np.uint8)
    answers, expected = (np.asarray(each.logits(images)) for each in (network, former))
    np.testing.assert_allclose(answers, expected[:, ::-1], atol=1e-5)
    fewer = Scheme(MASK_AGE.classes[1:], MASK_AGE.factors)
    smaller = build_network(recipe, fewer)
    assert install_start(smaller, start, recipe)
    np.testing.assert_allclose(np.asarray(smaller.logits(images)), expected[:, 1:], atol=1e-5)
    unknown = PhotoClass("scarf", "scarf", "#123456")
    larger = Scheme((*(replace(each, factors={}) for each in MASK_AGE.classes), unknown))
    grown = build_network(replace(recipe, heads="classes"), larger)
    assert not install_start(grown, start, replace(recipe, heads="classes"))
    np.testing.assert_allclose(
        np.asarray(grown.features(images)), np.asarray(former.features(images)), atol=1e-5
    )
