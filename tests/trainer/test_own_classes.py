"""Training and measuring with classes of one's own, whose names are odd and factors are others."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from maskage.classes.ready_made import MASK_AGE, plain_scheme
from maskage.classes.scheme import PhotoClass, Scheme
from maskage.errors import UsageError
from maskage.formats.bundle import load_bundle
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme, read_scheme
from maskage.formats.run.run_arguments import read_arguments, write_arguments
from maskage.formats.run.run_folder import RunFolder, create_run
from tests.pages import Page
from tests.trainer.conftest import MOOD, OWN, make_own_set
from trainer.cli import main
from trainer.data.dataset import read_training_photos
from trainer.evaluation.compare import comparison_lines, format_comparison, notes_on, summarise_runs
from trainer.pages.comparison import render_comparison
from trainer.recipe import load_recipe
from trainer.settings import FitSettings


def evaluate(run: Path, data: Path, *more: str) -> int:
    return main(["evaluate", str(run), "--data", str(data), *more])


def test_the_classes_travel_into_run_and_bundle(own_run: Path) -> None:
    assert RunFolder(own_run).scheme == OWN
    assert load_bundle(own_run / "bundle").scheme == OWN
    answers = RunFolder(own_run).read_predictions()
    assert len(answers) == 15
    assert all(each.path.split("/")[1] == each.actual for each in answers)
    # A spreadsheet would compute a cell that begins with "=".
    assert "\n=" not in (own_run / "predictions.csv").read_text().replace(",", "\n")


def test_metrics_name_the_factors_there_are(own_run: Path) -> None:
    held = RunFolder(own_run).read_metrics()
    assert held["labels"] == list(OWN.labels)
    assert [sum(row) for row in held["confusion"]] == [3] * 5
    assert held["factors"].keys() == {"glasses", MOOD}
    assert held["accuracy"] <= held["factors"]["glasses"]["accuracy"] <= 1
    for place in (held, held["breakdown"][0]["parts"][0], held["corruptions"][0]):
        assert not {"mask_accuracy", "age_accuracy"} & place.keys()
    assert held["corruptions"][0]["factor_accuracies"].keys() == {"glasses", MOOD}
    assert held["class_counts"]["train"] == dict.fromkeys(OWN.labels, 6)
    head = (own_run / "learning_curve.csv").read_text().splitlines()[0]
    assert head == f"share,draw,groups,photos,accuracy,glasses_accuracy,{MOOD}_accuracy"


def test_the_page_has_the_classes_with_their_colours_and_factors(own_run: Path) -> None:
    page = Page(own_run / "report.html")
    assert page.outside == []
    for each in OWN:
        assert f'style="background:{each.color}"' in page.part("classes")
        assert each.title in page.words
    assert "Glasses and =mood| by themselves" in page.part("classes")
    assert "glasses: sun" in page.part("classes")
    assert page.part("classes").count("average: micro") == 1
    assert "<b>, calm" not in page.text


def test_the_card_speaks_of_masks_and_ages_only_where_there_are_some(own_run: Path) -> None:
    card = (own_run / "model_card.md").read_text()
    assert "Sorts face photos into five classes: no glasses, calm; clear &lt;b>, calm;" in card
    assert "=mood| (calm, glad)" in card
    assert not re.search(r"\b(masks?|scarves|old|young|age)\b", card)


def test_photos_are_matched_by_the_name_of_their_class(
    own_run: Path, own_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(own_run, own_set, "--json") == 0
    expected = json.loads(capsys.readouterr().out)
    other = Path(shutil.copytree(own_set, tmp_path / "other"))
    turned = Scheme(OWN.classes[::-1], OWN.factors)
    (other / CLASSES_FILE).write_text(format_scheme(turned))
    for data in (other, other / "test"):
        assert evaluate(own_run, data, "--json") == 0
        found = json.loads(capsys.readouterr().out)
        assert found["confusion"] == expected["confusion"]
        assert found["labels"] == list(OWN.labels)


def test_other_classes_are_refused_with_both_lists(
    own_run: Path, small_run: Path, own_set: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert evaluate(small_run, own_set) == 4
    said = capsys.readouterr().err
    assert ", ".join(OWN.labels) in said
    assert ", ".join(MASK_AGE.labels) in said
    # A set from before a class was renamed.
    older = Path(shutil.copytree(own_set, tmp_path / "older"))
    for split in ("train", "val", "test"):
        (older / split / "micro").rename(older / split / "tiny")
    (older / CLASSES_FILE).unlink()
    assert evaluate(own_run, older) == 4
    said = capsys.readouterr().err
    assert "tiny" in said
    assert "micro" in said
    assert evaluate(own_run, older / "test") == 4
    assert "no folder micro. Found the folders =1+1, Mask, mask" in capsys.readouterr().err


def test_folders_that_are_no_class_of_the_model_are_counted(
    own_run: Path, own_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Path(shutil.copytree(own_set / "test", tmp_path / "data"))
    shutil.copytree(data / "mask", data / "mask_old")
    assert evaluate(own_run, data) == 4
    printed = capsys.readouterr()
    assert "accuracy" in printed.out
    assert "3 pictures are not measured" in printed.err
    assert "mask_old/" in printed.err


def test_a_run_goes_on_with_its_own_order_and_only_with_its_own_classes(
    own_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curated = Path(shutil.copytree(own_set, tmp_path / "curated"))
    turned = Scheme(OWN.classes[::-1], OWN.factors)
    (curated / CLASSES_FILE).write_text(format_scheme(turned))
    photos = read_training_photos(curated, OWN, "the run x")
    assert photos.scheme == OWN
    assert photos.digest == read_training_photos(curated).digest
    settings = FitSettings(curated=curated, runs=tmp_path / "runs")
    args = settings.as_args(settings.recipe())
    run = create_run(tmp_path / "runs", "mine", "mobilenetv2", args, plain_scheme(["a", "b"]))
    assert read_scheme(run.path).labels == ("a", "b")
    assert main(["fit", "--resume", str(run.path)]) == 4
    said = capsys.readouterr().err
    assert "a, b" in said
    assert ", ".join(turned.labels) in said


def test_a_head_of_factors_needs_factors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = plain_scheme(["cat", "dog"])
    curated = make_own_set(tmp_path / "curated", plain, train=1, held_out=1)
    words = ["fit", str(curated), "--runs", str(tmp_path / "runs"), "--heads", "factors"]
    assert main(words) == 2
    assert "have no factors. Found cat, dog." in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
    # A recipe that has such a head by itself gets one of classes.
    text = Path("trainer/recipes/mobilenetv2.toml").read_text()
    own = tmp_path / "own.toml"
    own.write_text(f'heads = "factors"\n{text}')
    asked = FitSettings(model=str(own))
    assert asked.recipe_for(plain).heads == "classes"
    assert asked.recipe_for(OWN) == replace(load_recipe("mobilenetv2"), name="own", heads="factors")


def test_runs_with_other_classes_are_shown_and_never_compared(
    own_run: Path, small_run: Path
) -> None:
    runs = summarise_runs([small_run, own_run])
    text = format_comparison(runs)
    assert "These runs have different classes" in text
    assert "own with 5 classes (=1+1, Mask, mask, smile" in text
    assert "overlap" not in text
    assert "Photo by photo" not in text
    lines = {line["run"]: line for line in comparison_lines(runs)}
    assert all(line["overlaps_with"] == [] for line in lines.values())
    assert "mask_accuracy" in lines["small"]
    assert "mask_accuracy" not in lines["own"]
    page = render_comparison(runs)
    assert "with 5 classes" in page
    for column in ("classes", "mask", "age", "glasses", "=mood|"):
        assert f'<th scope="col">{column}</th>' in page
    assert "classes" not in format_comparison(summarise_runs([small_run]))


def test_a_run_from_before_there_were_schemes_is_still_read(
    small_run: Path, tmp_path: Path
) -> None:
    held = RunFolder(small_run).read_metrics()
    old = RunFolder(tmp_path / "old")
    old.path.mkdir()
    old.write_metrics(
        {key: value for key, value in held.items() if key not in ("factors", "labels")}
    )
    first, second = summarise_runs([old.path, small_run])
    assert first.factor_accuracies == second.factor_accuracies
    assert set(first.labels) == set(MASK_AGE.labels)
    assert not any("different classes" in note for note in notes_on([first, second]))


def test_a_run_whose_set_has_other_classes_now_says_so(
    own_run: Path, own_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Path(shutil.copytree(own_run, tmp_path / "runs" / "own"))
    curated = make_own_set(tmp_path / "curated", plain_scheme(["cat", "dog"]), 1, 1)
    write_arguments(run, {**read_arguments(run), "curated": str(curated)})
    assert main(["evaluate", str(run)]) == 4
    assert "cat, dog; the model" in capsys.readouterr().err


def test_a_head_of_factors_needs_factors_that_tell_the_classes_apart(tmp_path: Path) -> None:
    kinds = [("cloth", "worn"), ("ffp2", "worn"), ("bare", "none")]
    classes = (PhotoClass(n, n, "#123456", factors={"mask": v}) for n, v in kinds)
    scheme = Scheme(tuple(classes), {"mask": ("worn", "none")})
    with pytest.raises(UsageError, match=r"some classes of .* have the same values of all factors"):
        FitSettings(curated=tmp_path, heads="factors").recipe_for(scheme)
    assert FitSettings(curated=tmp_path).recipe_for(scheme).heads == "classes"
