"""Training and measuring on sets of too few people: without a test, or with a caveat."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.errors import DatasetError
from maskage.formats.bundle import load_bundle
from maskage.formats.curated.curated_set import read_curated
from maskage.formats.curated.curation_file import (
    NOTHING,
    PEOPLE,
    PHOTOS,
    CurationRecord,
    write_curation,
)
from maskage.formats.run.run_folder import RunFolder
from maskage.inference.classifier import Classifier
from maskage.pictures.images import read_image
from tests.conftest import make_once
from tests.pages import Page
from tests.trainer.conftest import make_curated
from trainer.cli import main
from trainer.data.dataset import caveat_of, read_training_photos
from trainer.evaluation.compare import (
    comparison_lines,
    format_comparison,
    notes_on,
    sort_runs,
    summarise_runs,
)
from trainer.evaluation.findings import NOT_TESTED
from trainer.pages.comparison import render_comparison

CAVEAT = "Val shows the people of train & <others>, and chooses the epoch."


def record(curated: Path, held_out: str, caveat: str | None, **settings: str) -> None:
    """Write the record of a set, as `curate` does."""
    made = CurationRecord(
        dataset=curated.parent / "data",
        version="0.1.0",
        classes=MASK_AGE.labels,
        seed=1,
        settings=settings,
        options=(),
        held_out=held_out,
        caveat=caveat,
    )
    write_curation(curated, made, curated)


def make_untested_set(curated: Path) -> Path:
    """Make a set as `curate --no-test` does: its test folder is empty."""
    make_curated(curated, train=6, held_out=3)
    shutil.rmtree(curated / "test")
    (curated / "test").mkdir()
    record(curated, NOTHING, CAVEAT)
    return curated


@pytest.fixture(scope="session")
def untested_run(backbone_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on a set without a test; read only."""

    def train(folder: Path) -> None:
        from trainer.fit.fit import fit
        from trainer.settings import FitSettings

        fit(
            FitSettings(
                curated=make_untested_set(folder / "curated"),
                runs=folder / "runs",
                name="untested",
                weights=str(backbone_weights),
                epochs=8,
                fine_tune_epochs=0,
                image_size=64,
                alpha=0.35,
            )
        )

    return make_once(tmp_path_factory, "untested", train) / "runs" / "untested"


def test_a_run_without_a_test_says_what_its_figures_are_of(untested_run: Path) -> None:
    run = RunFolder(untested_run)
    held = run.read_metrics()
    assert (held["evaluated_on"], held["split"], held["caveat"]) == ("val", "val", CAVEAT)
    assert held["photos"] == 12
    assert held["counts"] == {"train": 24, "val": 12, "test": 0}
    assert held["leak_check"]["learned"] == 24
    assert {each.path.split("/")[0] for each in run.read_predictions()} == {"val"}
    assert load_bundle(run.bundle).metrics.keys() == {"val_accuracy", "val_photos"}


def test_its_pages_say_that_it_is_not_tested(untested_run: Path) -> None:
    page = Page(untested_run / "report.html")
    words = " ".join(page.words)
    assert NOT_TESTED in words
    assert CAVEAT in words
    assert "right of the validation photos" in words
    assert "12 to validate, none to test." in words
    assert "tested photo" not in words
    card = (untested_run / "model_card.md").read_text()
    assert "**Not tested: the set has no test photos." in card
    assert "On the 12 validation photos" in card
    assert "test photos" not in card.replace("no test photos", "")
    assert "| test |" not in card.split("## How sure it is")[1]


def test_fit_says_that_it_is_not_tested(
    untested_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", "--resume", str(untested_run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "not tested: the set has no test photos" in lines
    assert any(line.startswith("validation accuracy ") for line in lines)
    assert not any(line.startswith("test accuracy") for line in lines)
    assert lines[-1] == f"Careful: {CAVEAT}"


def test_fit_of_an_earlier_version_has_no_caveat(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunFolder(Path(shutil.copytree(small_run, tmp_path / "run")))
    held = run.read_metrics()
    run.write_metrics({k: v for k, v in held.items() if k not in ("evaluated_on", "caveat")})
    assert main(["fit", "--resume", str(run.path)]) == 0
    told = capsys.readouterr().out
    assert "test accuracy " in told
    assert "Careful" not in told
    assert "not tested" not in told


def test_its_bundle_classifies(untested_run: Path) -> None:
    photo = next((untested_run.parents[1] / "curated" / "val" / "mask_old").iterdir())
    classifier = Classifier(load_bundle(untested_run / "bundle"))
    assert classifier.classify([read_image(photo)]).shape == (1, len(MASK_AGE))


def test_an_export_is_compared_on_the_validation_photos(untested_run: Path, tmp_path: Path) -> None:
    from trainer.exports.exporter import Exporter, format_exports
    from trainer.exports.formats import FORMATS

    made = Exporter(untested_run / "bundle", None, tmp_path).export(FORMATS["onnx"])
    assert made.evaluated_on == "val"
    assert made.accuracy == RunFolder(untested_run).read_metrics()["accuracy"]
    assert "no test photos, so accuracy is that on its validation photos" in format_exports([made])
    described = json.loads((tmp_path / "onnx" / "export.json").read_text())
    assert described["figures"]["evaluated_on"] == "val"


@pytest.mark.parametrize("more", [[], ["--fail-under", "0.1"], ["--json"]])
def test_a_missing_test_is_not_measured(
    untested_run: Path, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(untested_run), *more]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "has no test photos" in told.err
    assert "--split val" in told.err
    assert "--data FOLDER" in told.err


def test_validation_photos_are_measured_with_the_caveat(
    untested_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    words = ["evaluate", str(untested_run), "--split", "val"]
    assert main([*words, "--report", str(page)]) == 0
    assert f"Careful: {CAVEAT}" in capsys.readouterr().out
    assert CAVEAT in Page(page).words
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["caveat"] == CAVEAT


def test_other_photos_have_no_caveat(
    untested_run: Path, small_run: Path, curated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(untested_run), "--data", str(curated), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["caveat"] is None
    # The caveat of another set says nothing of this model.
    other = untested_run.parents[1] / "curated"
    words = ["--data", str(other), "--split", "val", "--json"]
    assert main(["evaluate", str(small_run), *words]) == 0
    assert json.loads(capsys.readouterr().out)["caveat"] is None


def test_compare_sets_untested_runs_apart(small_run: Path, untested_run: Path) -> None:
    tested, untested = summarise_runs([small_run]), summarise_runs([untested_run])
    both = sort_runs([replace(untested[0], accuracy=1.0), replace(tested[0], accuracy=0.5)])
    assert [each.is_tested for each in both] == [True, False]
    table = format_comparison(both).splitlines()
    assert table[1].split()[3] == "50.00%"
    assert "not tested*" in table[2]
    assert "100.00%" not in table[2]
    notes = notes_on(both)
    assert any("untested was not tested" in note and "100.00%" in note for note in notes)
    assert f"* untested: {CAVEAT}" in notes
    assert not any("overlap" in note or "Photo by photo" in note for note in notes)
    assert not any("different photos" in note for note in notes)
    lines = comparison_lines(both)
    assert [line["evaluated_on"] for line in lines] == ["test", "val"]
    assert [line["caveat"] for line in lines] == [None, CAVEAT]
    assert [line["overlaps_with"] for line in lines] == [[], []]
    page = render_comparison(both)
    assert "not tested*" in page
    assert "100.0%" not in page
    assert "not tested" in render_comparison(untested)


def test_a_lost_folder_of_an_empty_test_is_no_fault(tmp_path: Path) -> None:
    curated = make_untested_set(tmp_path / "curated")
    (curated / "test").rmdir()
    photos = read_training_photos(curated)
    assert (photos.measured_split, photos.measured) == ("val", photos.val)
    with pytest.raises(DatasetError, match="it has no test, which this needs"):
        read_curated(curated)
    record(curated, PEOPLE, None)
    with pytest.raises(DatasetError, match="no test folder"):
        read_training_photos(curated)


def test_a_test_that_was_added_later_is_measured_without_the_caveat(tmp_path: Path) -> None:
    curated = make_untested_set(tmp_path / "curated")
    shutil.rmtree(curated / "test")
    shutil.copytree(curated / "val", curated / "test")
    photos = read_training_photos(curated)
    assert (photos.measured_split, photos.caveat) == ("test", None)
    assert len(photos.learned) == 24 + 12


def test_a_random_set_of_an_earlier_version_has_a_caveat(tmp_path: Path) -> None:
    curated = make_curated(tmp_path / "curated", train=1, held_out=1)
    record(curated, PHOTOS, None, split="random")
    values = json.loads((curated / "curation.json").read_text())
    del values["caveat"], values["held_out"]
    (curated / "curation.json").write_text(json.dumps(values))
    caveat = caveat_of(read_curated(curated))
    assert caveat is not None
    assert "drawn at random" in caveat
