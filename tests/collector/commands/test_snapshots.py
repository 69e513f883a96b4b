"""Snapshots as they are used from the command line."""

import json
from pathlib import Path

import pytest

from collector.cli import main
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from tests.conftest import draw_noise


@pytest.fixture
def root(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    with PhotoStore(data) as store:
        for number in range(4):
            store.add(draw_noise(number), "mask_old" if number % 2 else "nomask_old", subject="p1")
    return data


def test_a_dataset_is_kept_compared_and_brought_back(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["snapshot", "one", str(root)]) == 0
    before = list_photos(root)
    (root / before[0].path).unlink()
    assert main(["diff", "one", "--data", str(root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["removed"] == [before[0].path]
    assert main(["diff", "one", "--data", str(root), "--strict"]) == 3
    assert main(["restore", "one", str(root), "--dry-run"]) == 0
    assert len(list_photos(root)) == 3
    assert main(["restore", "one", str(root)]) == 0
    assert "To take this back" in capsys.readouterr().out
    assert main(["diff", "one", "--data", str(root), "--strict"]) == 0
    assert list_photos(root) == before


def test_snapshots_are_listed_and_deleted(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["snapshot", "one", str(root)])
    capsys.readouterr()
    assert main(["snapshots", str(root), "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["snapshots"]
    assert (listed["name"], listed["photos"], listed["damaged"]) == ("one", 4, 0)
    assert main(["snapshots", str(root), "--delete", "one"]) == 0
    assert "no snapshot yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["snapshot", "now"], 2),
        (["restore", "none"], 2),
        (["diff", "none"], 2),
        (["snapshots", "--delete", "none"], 2),
    ],
)
def test_what_cannot_be_done_is_refused(root: Path, words: list[str], code: int) -> None:
    assert main([*words, "--data", str(root)]) == code
    assert len(list_photos(root)) == 4


def test_a_folder_that_is_no_dataset_is_not_made_one(tmp_path: Path) -> None:
    assert main(["snapshot", "one", str(tmp_path / "none")]) == 4
    assert not (tmp_path / "none").exists()
