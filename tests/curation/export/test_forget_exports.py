"""`collector forget` finds the exports that hold a person's photos."""

import json
import shutil
from pathlib import Path

import pytest

from collector.cli import main as collector
from curation.cli import main
from maskage.formats.output_log import Kind, read_outputs
from tests.curation.export.exported import AGREED, make_dataset

FORMATS = ("folder", "zip", "parquet", "coco")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    make_dataset(root / "data")
    monkeypatch.chdir(root)
    assert main([]) == 0
    return root


def find_exports(project: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, str]:
    capsys.readouterr()
    line = ["forget", AGREED[0], "--data", str(project / "data"), "--json", *words]
    assert collector(line) == 0
    told = json.loads(capsys.readouterr().out)
    assert not [each for each in told["curated"] if "out-" in each["folder"]]
    loose = {Path(each["path"]).name: each for each in told["loose"]}
    assert all(each["is_certain"] for each in loose.values())
    return {name: each["reason"] for name, each in loose.items()}


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("source", ["curated", "data"])
def test_an_export_with_the_person_is_listed_before_and_after(
    project: Path, to: str, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", source, "--to", to, "--out", "out-1"]) == 0
    expected = {"out-1": "an export with their photos"}
    assert find_exports(project, capsys, "--dry-run") == expected
    assert find_exports(project, capsys, "--yes") == expected
    # The photos are gone, and it is known all the same.
    assert find_exports(project, capsys, "--dry-run") == expected


def test_an_export_without_the_person_is_not_listed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--out", "out-1"]) == 0
    assert find_exports(project, capsys, "--yes") == {"out-1": "an export with their photos"}
    assert main([]) == 0
    assert main(["export", "--out", "out-1", "--replace"]) == 0
    assert find_exports(project, capsys, "--dry-run") == {}


@pytest.mark.parametrize("to", ["folder", "zip"])
def test_an_export_elsewhere_is_in_the_log_and_one_in_the_project_is_found_without(
    project: Path, tmp_path: Path, to: str, capsys: pytest.CaptureFixture[str]
) -> None:
    far = tmp_path / "far" / "away"
    assert main(["export", "--to", to, "--out", str(far)]) == 0
    assert [each.path for each in read_outputs(project / "data") if each.kind is Kind.EXPORT] == [
        far
    ]
    copy = project / f"copy{'.zip' if to == 'zip' else ''}"
    shutil.move(far, copy)
    assert find_exports(project, capsys, "--dry-run") == {copy.name: "an export with their photos"}


def test_an_export_with_a_damaged_record_may_show_anybody(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--out", "out-1"]) == 0
    (project / "out-1" / "export_record.json").write_text("{")
    capsys.readouterr()
    line = ["forget", AGREED[0], "--data", "data", "--json", "--dry-run"]
    assert collector(line) == 0
    (found,) = json.loads(capsys.readouterr().out)["loose"]
    assert (found["is_certain"], Path(found["path"]).name) == (False, "out-1")
