"""`collector trash`: what lies in it, bringing it back, deleting it for good."""

import json
from pathlib import Path

import pytest

from collector.cli import main
from maskage.dataset.edits import trashing
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo
from tests.conftest import draw_noise

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A dataset with two photos, and two more in the trash, one of them of p1."""
    root = tmp_path / "data"
    with PhotoStore(root) as store:
        for number in range(4):
            label = "mask_old" if number % 2 else "mask_young"
            photo = Photo(f"{label}/{number}.jpg", label, subject="p1" if number == 3 else None)
            store.add_encoded(encode_jpeg(draw_noise(number)), photo, f"{number:064x}")
        store.apply([trashing(photo) for photo in store.photos() if photo.path[-5] in "23"])
    return root


def paths(data: Path) -> list[str]:
    return [photo.path for photo in list_photos(data)]


def test_the_trash_is_listed_with_class_time_and_person(data: Path, capsys: Capture) -> None:
    assert main(["trash", str(data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{data}: 2 photos in trash: 1 mask_old, 1 mask_young"
    assert lines[1].split() == ["photo", "removed", "subject"]
    assert [line.split()[0::3] for line in lines[2:4]] == [
        ["mask_old/3.jpg", "p1"],
        ["mask_young/2.jpg", "-"],
    ]
    assert lines[4] == f"Next: collector trash {data} --restore-all, --restore PATH, or --empty"


def test_photos_come_back_by_path_or_all(data: Path, capsys: Capture) -> None:
    assert main(["trash", str(data), "--restore", "3.jpg"]) == 0
    assert paths(data) == ["mask_old/1.jpg", "mask_old/3.jpg", "mask_young/0.jpg"]
    assert list_photos(data)[1].subject == "p1"
    assert main(["trash", str(data), "--restore-all", "--into", "mask_old"]) == 0
    assert "mask_young/2.jpg is now mask_old/2.jpg" in capsys.readouterr().out
    assert main(["trash", str(data), "--restore", "3.jpg"]) == 4
    assert "not in the trash: 3.jpg" in capsys.readouterr().err


def test_a_taken_name_is_said(data: Path, capsys: Capture) -> None:
    (data / "mask_old" / "3.jpg").write_bytes(encode_jpeg(draw_noise(9)))
    assert main(["trash", str(data), "--restore", "mask_old/3.jpg", "--json"]) == 0
    (pair,) = json.loads(capsys.readouterr().out)["restored"]
    assert pair["from"] == "mask_old/3.jpg"
    assert pair["to"] in paths(data)
    assert pair["to"] != "mask_old/3.jpg"


def test_to_delete_for_good_needs_a_yes(data: Path, capsys: Capture) -> None:
    assert main(["trash", str(data), "--empty"]) == 2
    assert "Add --yes. Nothing was deleted." in capsys.readouterr().err
    assert main(["trash", str(data), "--empty", "--yes"]) == 0
    assert "2 photos deleted for good: 1 mask_old, 1 mask_young" in capsys.readouterr().out
    assert not [path for path in (data / ".trash").rglob("*") if path.is_file()]
    assert main(["trash", str(data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trash"] == []


def test_photos_that_the_doctor_set_aside_are_listed_and_deleted_by_themselves(
    data: Path, capsys: Capture
) -> None:
    (data / "mask_old" / "1.jpg").write_bytes(b"\xff\xd8\xff no picture")
    assert main(["doctor", str(data), "--fix"]) == 0
    assert main(["trash", str(data)]) == 0
    assert "1 photo set aside as damaged: list them with" in capsys.readouterr().out
    assert main(["trash", str(data), "--json"]) == 0
    (damaged,) = json.loads(capsys.readouterr().out)["damaged"]
    assert (damaged["path"], damaged["has_row"]) == ("mask_old/1.jpg", True)
    assert main(["trash", str(data), "--damaged", "--empty", "--yes"]) == 0
    assert not list((data / ".damaged").rglob("*.jpg"))
    assert len(list((data / ".trash").rglob("*.jpg"))) == 2
    assert main(["doctor", str(data)]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--empty", "--restore-all"], "--restore-all and --empty exclude each other"),
        (["--yes"], "--yes goes with --empty"),
        (["--into", "mask_old"], "--into goes with --restore"),
        (["--restore-all", "--damaged"], "do not come back"),
        (["--restore-all", "--into", "hat"], "no class 'hat'"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(
    data: Path, capsys: Capture, words: list[str], message: str
) -> None:
    assert main(["trash", str(data), *words]) == 2
    assert message in capsys.readouterr().err
    assert len(list((data / ".trash").rglob("*.jpg"))) == 2


def test_an_empty_trash_is_said(tmp_path: Path, capsys: Capture) -> None:
    PhotoStore(tmp_path / "data").close()
    assert main(["trash", str(tmp_path / "data")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'data'}: 0 photos in trash\n"
    assert main(["trash", str(tmp_path / "none")]) == 4
    assert not (tmp_path / "none").exists()
