"""search.json: a search goes on from it, and a damaged one is refused with what to do."""

import json
import os
import shutil
from pathlib import Path

import pytest

from maskage.errors import EnvironmentProblemError
from maskage.formats.run.run_folder import newest_unfinished
from maskage.formats.run.search_file import (
    SEARCH_FILE,
    CandidateRecord,
    TrialRecord,
    newest_search,
    read_search,
    write_search,
)
from trainer.evaluation.compare import summarise_runs

FIXTURE = Path(__file__).parent / "fixtures" / "search_1"


def test_the_first_version_is_read_and_written_as_it_was(tmp_path: Path) -> None:
    record = read_search(FIXTURE)
    assert os.fsencode(record.curated) == b"/home/someone/d\xe4ta"
    assert (record.seed, record.folds, record.run) == (7, (0, 1, 2, 0, 1, 2), "mine-best")
    assert record.candidates["mobilenetv2-64-classes"] == CandidateRecord(
        recipe="mobilenetv2",
        image_size=64,
        alpha=1.0,
        heads="classes",
        milliseconds=1.5,
        frozen=(0, 1, 2, 3, 0, 0),
        trials=(TrialRecord(1, 5, (1, 0), 31.5),),
    )
    assert record.candidates["mobilenetv2-64-factors"].frozen is None
    write_search(tmp_path, record)
    assert (tmp_path / SEARCH_FILE).read_bytes() == (FIXTURE / SEARCH_FILE).read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"schema_version": 1', '"schema_version": 2', "its schema is 2"),
        ('"answers": [1, 0]', '"answers": [1]', "has 1 answers"),
        ('"frozen": [0, 1,', '"frozen": [1,', "has 5 answers to 6 photos"),
        ('"seed": 7', '"seed": null', "TypeError"),
        ("{", "", "JSONDecodeError"),
    ],
)
def test_a_damaged_record_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (FIXTURE / SEARCH_FILE).read_text()
    assert old in text
    (tmp_path / SEARCH_FILE).write_text(text.replace(old, new, 1))
    with pytest.raises(EnvironmentProblemError, match=said):
        read_search(tmp_path)


def test_a_folder_without_a_record_is_no_search(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblemError, match="no search to go on with"):
        read_search(tmp_path)
    with pytest.raises(EnvironmentProblemError, match=r"no search in .* to go on with"):
        newest_search(tmp_path)


def test_the_newest_search_is_found_and_is_no_run(tmp_path: Path) -> None:
    for at, name in enumerate(("b", "a")):
        shutil.copytree(FIXTURE, tmp_path / name)
        os.utime(tmp_path / name / SEARCH_FILE, (at, at))
    assert newest_search(tmp_path) == tmp_path / "a"
    with pytest.raises(EnvironmentProblemError, match="No finished run"):
        summarise_runs([], tmp_path)
    with pytest.raises(Exception, match="No unfinished run"):
        newest_unfinished(tmp_path)


def test_a_record_names_no_photo() -> None:
    values = json.loads((FIXTURE / SEARCH_FILE).read_text())
    assert not any(".jpg" in str(value) for value in values.values())
