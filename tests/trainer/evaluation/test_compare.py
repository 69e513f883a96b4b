import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from maskage.formats.run.predictions_file import read_right_answers
from maskage.formats.run.run_folder import RunFolder
from maskage.outside_text import shown_text
from tests.pages import HOSTILE, Page
from trainer.cli import main
from trainer.evaluation.compare import comparison_lines, format_comparison, notes_on, summarise_runs
from trainer.evaluation.paired import PairedAnswers, compare_answers, sign_test
from trainer.pages.comparison import comparison_card


def copy_run(small_run: Path, runs: Path, name: str, **changed: Any) -> Path:
    """The small run under another name, with other figures in its metrics."""
    target = runs / name
    (target / "bundle").mkdir(parents=True)
    for file in ("metrics.json", "predictions.csv", "bundle/model.onnx"):
        shutil.copy(small_run / file, target / file)
    run = RunFolder(target)
    run.write_metrics({**run.read_metrics(), **changed})
    return target


def make_runs(small_run: Path, runs: Path) -> Path:
    """Two that overlap, and one that is clearly worse."""
    for name, accuracy, interval in (
        ("good", 0.95, [0.90, 0.98]), ("fair", 0.92, [0.87, 0.96]), ("poor", 0.60, [0.50, 0.69])
    ):  # fmt: skip
        copy_run(small_run, runs, name, accuracy=accuracy, accuracy_interval=interval,
                 accuracy_interval_by_group=None)  # fmt: skip
    return runs


def test_the_table_has_each_run_the_best_first_and_says_what_overlaps(
    small_run: Path, tmp_path: Path
) -> None:
    text = format_comparison(summarise_runs([], make_runs(small_run, tmp_path)))
    lines = text.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["good", "fair", "poor"]
    assert "90.00%-98.00%" in lines[1]
    assert "is better: good and fair." in text
    assert "poor" not in text.split("overlap")[1].split(".")[0]


def test_the_wider_interval_decides(small_run: Path, tmp_path: Path) -> None:
    copy_run(small_run, tmp_path, "a", accuracy=0.95, accuracy_interval=[0.93, 0.97],
             accuracy_interval_by_group=[0.80, 0.99])  # fmt: skip
    copy_run(small_run, tmp_path, "b", accuracy=0.85, accuracy_interval=[0.82, 0.88],
             accuracy_interval_by_group=[0.84, 0.86])  # fmt: skip
    first, second = summarise_runs([], tmp_path)
    assert (first.interval, second.interval) == ((0.80, 0.99), (0.82, 0.88))
    assert first.overlaps(second)
    assert any("whole groups" in note for note in notes_on([first, second]))


def test_each_json_line_has_the_halves_the_size_and_what_overlaps(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = make_runs(small_run, tmp_path)
    assert main(["compare", "--runs", str(runs), "--json"]) == 0
    good, fair, poor = map(json.loads, capsys.readouterr().out.splitlines())
    held = RunFolder(small_run).read_metrics()
    for line in (good, fair, poor):
        assert line["mask_accuracy"] == held["mask_accuracy"]
        assert line["parameters"] == held["parameters"]
        assert line["megabytes"] > 1
    assert (good["overlaps_with"], fair["overlaps_with"], poor["overlaps_with"]) == (
        ["fair"], ["good"], []
    )  # fmt: skip
    assert good["notes"] == poor["notes"] != []


def test_runs_on_other_photos_are_told_not_to_compare(small_run: Path, tmp_path: Path) -> None:
    copy_run(small_run, tmp_path, "a")
    copy_run(small_run, tmp_path, "b", dataset_digest="0" * 64)
    notes = notes_on(summarise_runs([], tmp_path))
    assert any("different photos" in note for note in notes)
    assert not any("Photo by photo" in note for note in notes)


def test_a_run_from_before_these_figures_is_still_a_line(small_run: Path, tmp_path: Path) -> None:
    run = RunFolder(copy_run(small_run, tmp_path, "old"))
    new = ("parameters", "accuracy_interval_by_group", "breakdown")
    held = {key: value for key, value in run.read_metrics().items() if key not in new}
    run.write_metrics(held)
    (line,) = comparison_lines(summarise_runs([run.path]))
    assert line["parameters"] is None
    assert line["accuracy"] == held["accuracy"]


def test_the_page_shows_every_run(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = make_runs(small_run, tmp_path / "runs")
    file = tmp_path / "pages" / "compare.html"
    assert main(["compare", "--runs", str(runs), "--html", str(file)]) == 0
    page = Page(file)
    for part in ("good", "fair", "poor", "95.00%", "is better: good and fair"):
        assert part in page.text
    assert "http" not in page.text
    assert "good" in capsys.readouterr().out


def test_a_hostile_name_of_a_run_is_harmless(small_run: Path, tmp_path: Path) -> None:
    name = HOSTILE.replace("/", "-")
    for each in (name, f"{name} too"):
        copy_run(small_run, tmp_path / "runs", each)
    file = tmp_path / "compare.html"
    assert main(["compare", "--runs", str(tmp_path / "runs"), "--html", str(file)]) == 0
    page = Page(file)
    assert page.outside == []
    assert shown_text(name) in page.words


def test_a_runs_own_page_shows_it_beside_the_others(small_run: Path, tmp_path: Path) -> None:
    summaries = summarise_runs([], make_runs(small_run, tmp_path))
    assert "<b>fair</b>, this one" in comparison_card(summaries, "fair").body
    assert comparison_card(summaries[:1], "good").body == "", "there is no other"
    assert "Beside the other runs" not in (small_run / "report.html").read_text()


@pytest.mark.parametrize(
    ("ones", "others", "p"), [(0, 0, 1.0), (5, 5, 1.0), (9, 1, 22 / 1024), (0, 6, 2 / 64)]
)
def test_a_sign_test_is_that_of_a_fair_coin(ones: int, others: int, p: float) -> None:
    assert sign_test(ones, others) == pytest.approx(p)


def test_answers_are_compared_on_the_same_photos_only() -> None:
    first = {"a": True, "b": True, "c": False, "d": True}
    second = {"a": True, "b": False, "c": True, "d": False}
    assert compare_answers(first, second) == PairedAnswers(4, 2, 1, 1.0)
    assert compare_answers(first, {**second, "e": True}) is None
    assert compare_answers({}, {}) is None


def test_answers_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    damaged = tmp_path / "predictions.csv"
    damaged.write_bytes(b"path,actual\n\xff,x\n")
    assert read_right_answers(damaged.parent) == {}
    assert read_right_answers(tmp_path / "missing") == {}


def test_damaged_and_unfinished_runs_are_told_and_do_not_hide_the_others(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    shutil.copytree(small_run, runs / "whole")
    shutil.copytree(small_run, runs / "stopped")
    metrics = json.loads((small_run / "metrics.json").read_text())
    stopped = runs / "stopped" / "metrics.json"
    stopped.write_text(json.dumps({**metrics, "is_stopped": True}))
    (runs / "damaged").mkdir()
    (runs / "damaged" / "metrics.json").write_text("{}")
    (runs / "begun").mkdir()
    (runs / "begun" / "args.yaml").write_text("name: begun\n")
    assert main(["compare", "--runs", str(runs)]) == 0
    out, err = capsys.readouterr()
    assert "whole" in out
    assert "These runs were stopped before their end: stopped." in out
    assert f"{runs / 'damaged'}: its metrics.json was not written" in err
    assert f"trainer fit --resume {runs / 'begun'}" in err
    assert main(["compare", str(runs / "begun")]) == 5
    assert "Go on with `trainer fit --resume" in capsys.readouterr().err
