import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curation.cli import main as curate
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.store import PhotoStore
from maskage.formats.curated.curation_file import CurationRecord, write_curation
from maskage.formats.curated.plan_file import PLAN_COLUMNS
from maskage.formats.run.run_arguments import read_arguments, write_arguments
from maskage.formats.run.run_folder import RunFolder
from tests.trainer.conftest import draw_face
from trainer.cli import main
from trainer.evaluation.compare import summarise_runs
from trainer.evaluation.coverage import THRESHOLDS
from trainer.evaluation.robustness import CORRUPTIONS

NEW_FIELDS = (
    "accuracy_interval_by_group",
    "groups",
    "calibration_error_uncalibrated",
    "temperature",
    "coverage",
    "threshold_for_99",
)


def evaluate(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    capsys.readouterr()
    assert main(["evaluate", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def with_groups(curated: Path, target: Path, groups: int) -> Path:
    """A copy of the curated folder whose plan puts its photos into so many groups."""
    shutil.copytree(curated, target)
    with (target / "plan.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, PLAN_COLUMNS, restval="")
        writer.writeheader()
        for number, path in enumerate(sorted(target.glob("*/*/*.jpg"))):
            split, label, name = path.parts[-3:]
            row: dict[str, Any] = {"path": f"{label}/{name}", "label": label, "split": split}
            writer.writerow({**row, "kept": 1, "group": f"person {number % groups}"})
    return target


@pytest.fixture
def set_of_people(tmp_path: Path) -> Path:
    """A set of eight people, curated from a dataset that knows them."""
    with PhotoStore(tmp_path / "data") as store:
        for person in range(8):
            for label in MASK_AGE.labels:
                for shot in range(2):
                    pixels = draw_face(label, 100 * person + shot)
                    store.add(pixels, label, subject=f"p{person}", session=f"s{person % 4}")
    # Drawn faces are too much alike for a split by group.
    words = [
        "--split",
        "random",
        "--ratio",
        ".5",
        ".25",
        ".25",
        "--allow",
        "blurred,dark,blown-out",
    ]
    assert curate([str(tmp_path / "data"), "--out", str(tmp_path / "curated"), *words]) == 0
    return tmp_path / "curated"


def test_breakdowns_need_no_page_beside_the_set(
    small_run: Path, set_of_people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = json.loads(evaluate(capsys, small_run, "--data", set_of_people, "--json"))
    assert {"subject", "session"} <= {each["by"] for each in whole["breakdown"]}
    (set_of_people / "report.html").unlink()
    again = json.loads(evaluate(capsys, small_run, "--data", set_of_people, "--json"))
    assert again["breakdown"] == whole["breakdown"]


def test_a_damaged_record_of_the_set_is_named(
    small_run: Path, set_of_people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (set_of_people / "curation.json").write_text('{"schema_version": 1}')
    assert main(["evaluate", str(small_run), "--data", str(set_of_people)]) == 4
    err = capsys.readouterr().err
    assert f"{set_of_people / 'curation.json'}: cannot be read" in err
    assert "it has no 'dataset'. Curate again, or remove the file" in err


def project_of(small_run: Path, curated: Path, folder: Path, trained_on: Path) -> Path:
    """Lay out a project with a set and a run that says what it was trained on; return the run."""
    shutil.copytree(curated, folder / "curated")
    run = Path(shutil.copytree(small_run, folder / "runs" / "one"))
    write_arguments(run, {**read_arguments(run), "curated": str(trained_on)})
    return run


def test_a_set_that_was_made_again_may_test_what_was_trained_on(
    small_run: Path, curated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "curated"
    run = project_of(small_run, curated, tmp_path, data)
    assert json.loads(evaluate(capsys, run, "--json"))["doubt"] == ""
    for label in MASK_AGE.labels:
        learned = next((data / "train" / label).iterdir())
        learned.rename(data / "test" / label / learned.name)
    page = tmp_path / "page.html"
    assert "Careful: " in evaluate(capsys, run, "--report", page)
    assert "made again or changed" in json.loads(evaluate(capsys, run, "--json"))["doubt"]
    assert "Not known:" in page.read_text()
    assert "No tested photo was learned from" not in page.read_text()
    # A training photo that cannot be read keeps nobody from testing.
    next((data / "val" / "mask_old").iterdir()).unlink()
    (data / "train" / "mask_old" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert "made again or changed" in json.loads(evaluate(capsys, run, "--json"))["doubt"]
    # Photos of elsewhere are measured without a word.
    other = shutil.copytree(curated / "test", tmp_path / "faces")
    assert json.loads(evaluate(capsys, run, "--data", other, "--json"))["doubt"] == ""


def test_a_moved_project_finds_its_set_beside_the_runs(
    small_run: Path, curated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = project_of(small_run, curated, tmp_path, Path("/gone/curated"))
    assert main(["evaluate", str(run)]) == 4
    assert "was trained on /gone/curated, which is gone" in capsys.readouterr().err
    digest = str(RunFolder(run).read_metrics()["dataset_digest"])
    made = CurationRecord(
        dataset=tmp_path / "data",
        version="0.1.0",
        classes=MASK_AGE.labels,
        seed=1,
        settings={},
        options=(),
    )
    write_curation(tmp_path / "curated", replace(made, dataset_digest="0" * 64), tmp_path)
    assert main(["evaluate", str(run)]) == 4
    write_curation(tmp_path / "curated", replace(made, dataset_digest=digest), tmp_path)
    assert json.loads(evaluate(capsys, run, "--json"))["doubt"] == ""


def test_evaluate_prints_what_the_runs_metrics_hold(
    small_run: Path, curated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(evaluate(capsys, small_run, "--data", curated, "--json"))
    held = RunFolder(small_run).read_metrics()
    same = ("accuracy", "accuracy_interval", "mask_accuracy", "age_accuracy", "per_class",
            "averages", "confusion", "labels", "photos", "split", *NEW_FIELDS)  # fmt: skip
    for name in same:
        assert told[name] == held[name], name
    assert told["calibration_error"] == pytest.approx(held["calibration_error"])
    assert told["seconds"].keys() == {"evaluate"}
    assert told["milliseconds_per_photo"] > 0
    assert told["corruptions"] is None


def test_photos_that_are_not_measured_are_counted_and_named(
    small_run: Path, curated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = shutil.copytree(curated / "test", tmp_path / "faces")
    (data / "mask_old" / "IMG_1.CR2").write_bytes(b"ftypheic")
    told = json.loads(evaluate(capsys, small_run, "--data", data, "--json"))
    raw = {"path": "mask_old/IMG_1.CR2", "reason": "CR2 is not read; save it as JPEG"}
    assert told["left_out"] == [{**raw, "pictures": 0}]
    shutil.copytree(data / "mask_old", data / "misworn")
    assert main(["evaluate", str(small_run), "--data", str(data), "--json"]) == 4
    printed = capsys.readouterr()
    assert json.loads(printed.out)["photos"] == told["photos"]
    assert "Left out 1: misworn/ (4 pictures): none of mask_old" in printed.err
    assert "4 pictures are not measured" in printed.err


def test_the_json_has_coverage_calibration_and_groups(
    small_run: Path, curated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grouped = with_groups(curated, tmp_path / "grouped", groups=5)
    told = json.loads(evaluate(capsys, small_run, "--data", grouped, "--json"))
    assert (told["photos"], told["groups"]) == (16, 5)
    assert [row["threshold"] for row in told["coverage"]] == list(THRESHOLDS)
    assert told["coverage"][0].keys() == {
        "threshold", "share", "photos", "accuracy", "accuracy_interval"
    }  # fmt: skip
    assert (
        told["temperature"]
        == json.loads((small_run / "bundle/bundle.json").read_text())["temperature"]
    )
    assert 0 <= told["calibration_error_uncalibrated"] <= 1


def test_corruptions_come_on_request_beside_the_clean_photos(
    small_run: Path, curated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(
        evaluate(capsys, small_run, "--data", curated / "test", "--corruptions", "--json")
    )
    assert told["split"] is None
    assert told["groups"] == told["photos"] == 16
    assert [(each["name"], each["strength"]) for each in told["corruptions"]] == [
        (each.name, each.strength) for each in CORRUPTIONS
    ]
    for each in told["corruptions"]:
        assert each["accuracy"] <= min(each["mask_accuracy"], each["age_accuracy"]) <= 1
    assert told["seconds"].keys() == {"evaluate", "corruptions"}


def test_the_text_tells_intervals_coverage_corruptions_and_milliseconds(
    small_run: Path, curated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grouped = with_groups(curated, tmp_path / "grouped", groups=1)
    text = evaluate(capsys, small_run, "--data", grouped, "--corruptions")
    for part in ("split test", "only one group", "calibration error", "answered from", "99%",
                 "blur      1% of side", "small     24 px", "ms a face"):  # fmt: skip
        assert part in text
    plain = evaluate(capsys, small_run, "--data", curated)
    assert "each photo is its own group" in plain
    assert "24 px" not in plain


def test_accuracy_under_the_gate_ends_with_3(
    small_run: Path, curated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accuracy = RunFolder(small_run).read_metrics()["accuracy"]
    arguments = ["evaluate", str(small_run), "--data", str(curated), "--fail-under"]
    assert main([*arguments, f"{accuracy:.4f}"[:-1]]) == 0
    assert main([*arguments, "1.5"]) == 2
    capsys.readouterr()
    if accuracy < 1:
        assert main([*arguments, "1"]) == 3


def test_a_run_from_before_these_fields_still_compares(small_run: Path, tmp_path: Path) -> None:
    held = RunFolder(small_run).read_metrics()
    old = RunFolder(tmp_path / "old")
    old.path.mkdir()
    old.write_metrics({name: value for name, value in held.items() if name not in NEW_FIELDS})
    summary, _ = summarise_runs([old.path, small_run])
    assert summary.accuracy == held["accuracy"]
