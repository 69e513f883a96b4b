"""`collector edit`: choosing photos, changing facts, and undoing it."""

import json
from pathlib import Path

import pytest

from collector.cli import main
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo
from tests.conftest import draw_noise

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A dataset with two photos of pp01, one of p02 and one of nobody."""
    root = tmp_path / "data"
    with PhotoStore(root) as store:
        for number, subject in enumerate(("pp01", "pp01", "p02", None)):
            label = "mask_old" if number < 2 else "mask_young"
            photo = Photo(f"{label}/{number}.jpg", label, subject, source=f"in/clip_{number}.png")
            store.add_encoded(encode_jpeg(draw_noise(number)), photo)
    return root


def subjects(data: Path) -> list[str | None]:
    return [photo.subject for photo in list_photos(data)]


def test_a_misspelt_person_is_renamed_and_that_is_undone(data: Path, capsys: Capture) -> None:
    assert main(["edit", str(data), "--where", "subject=pp01", "--subject", "p01"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 photos changed",
        "      subject: 2 changed (pp01 -> p01: 2)",
        f"Undo with: collector edit {data} --undo",
    ]
    assert subjects(data) == ["p01", "p01", "p02", None]
    assert main(["edit", str(data), "--undo"]) == 0
    assert subjects(data) == ["pp01", "pp01", "p02", None]
    assert main(["edit", str(data), "--undo"]) == 4


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        ("label=mask_old", [0, 1]),
        ("subject=", [3]),
        ("label=mask_young,subject=p02", [2]),
        ("source=in/clip_[13]*", [1, 3]),
        ("path=*/0.jpg", [0]),
        ("source=in/clip_0,x.png", []),
    ],
)
def test_photos_are_chosen_by_what_is_known_of_them(
    data: Path, condition: str, numbers: list[int]
) -> None:
    code = 0 if numbers else 4
    assert main(["edit", str(data), "--where", condition, "--group", "g"]) == code
    assert [n for n, photo in enumerate(list_photos(data)) if photo.group == "g"] == numbers


def test_photos_are_chosen_by_path_and_all_have_to_be_there(data: Path, capsys: Capture) -> None:
    paths = ["mask_old/0.jpg", str(data / "mask_young" / "2.jpg"), "3.jpg"]
    assert main(["edit", str(data), "--session", "s", "--photo", *paths]) == 0
    assert [photo.session for photo in list_photos(data)] == ["s", None, "s", "s"]
    assert main(["edit", str(data), "--session", "t", "--photo", "3.jpg", "9.jpg"]) == 4
    assert "no photo 9.jpg" in capsys.readouterr().err
    assert {photo.session for photo in list_photos(data)} == {"s", None}


def test_a_fact_is_removed_only_on_request(data: Path) -> None:
    assert main(["edit", str(data), "--where", "subject=p02", "--clear", "subject"]) == 0
    assert subjects(data) == ["pp01", "pp01", None, None]


def test_a_dry_run_shows_the_change_and_makes_none(data: Path, capsys: Capture) -> None:
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    words = ["edit", str(data), "--where", "label=mask_old", "--subject", "p9", "--dry-run"]
    assert main(words) == 0
    answer = capsys.readouterr()
    assert "2 photos would change" in answer.out
    assert "nothing was changed" in answer.err
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == before


def test_a_table_is_matched_by_paths_here_and_below_the_source(
    data: Path, tmp_path: Path, capsys: Capture
) -> None:
    table = tmp_path / "t.csv"
    table.write_text(
        "path;subject;label\nmask_old/0.jpg;p1;mask_old\nin/clip_2.png;p2;mask_old\nx.jpg;p3;\n"
    )
    assert main(["edit", str(data), "--table", str(table)]) == 4
    answer = capsys.readouterr()
    assert subjects(data) == ["p1", "pp01", "p2", None]
    assert "1 path found by another name of the photo, such as in/clip_2.png" in answer.err
    assert "1 of 3 paths are not in" in answer.err
    assert "1 photo has another class in the table, such as mask_young/2.jpg: mask" in answer.err
    assert [photo.label for photo in list_photos(data)].count("mask_old") == 2


def test_json_says_what_changed_and_what_is_left_over(
    data: Path, tmp_path: Path, capsys: Capture
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("path,subject\nmask_old/0.jpg,p1\nmask_young/2.jpg,p02\nx.jpg,p3\n")
    assert main(["edit", str(data), "--table", str(table), "--json"]) == 4
    found = json.loads(capsys.readouterr().out)
    assert found["changed"] is True
    assert found["photos"] == [
        {"path": "mask_old/0.jpg", "before": {"subject": "pp01"}, "after": {"subject": "p1"}}
    ]
    assert found["unchanged"] == 1
    assert found["missing"] == ["x.jpg"]
    assert found["untabled"] == ["mask_old/1.jpg", "mask_young/3.jpg"]
    assert main(["edit", str(data), "--undo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed_since"] == []


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "Choose photos with --photo PATH"),
        (["--where", "subject=p02"], 2, "Say what to change"),
        (["--where", "name=x", "--group", "g"], 2, "write NAME=VALUE with one of subject"),
        (["--where", "subject=p3", "--group", "g"], 4, "of its 4 photos none has subject=p3"),
        (["--where", "subject=", "--subject", "Anna Maier"], 2, "A subject is a pseudonym"),
        (["--where", "subject=", "--subject", ""], 2, "To remove it, write --clear subject"),
        (["--where", "group=", "--group", "g", "--clear", "group"], 2, "exclude each other"),
        (["--photo", "3.jpg", "--undo"], 2, "--undo and --photo exclude each other"),
        (["--undo", "--group", "g"], 2, "--undo takes no --group"),
        (["--undo", "--dry-run"], 2, "--undo takes no --dry-run"),
        (["--table", "none.csv"], 4, "No such file: none.csv"),
    ],
)
def test_a_command_line_that_says_too_little_or_too_much_is_refused(
    data: Path, capsys: Capture, words: list[str], code: int, message: str
) -> None:
    assert main(["edit", str(data), *words]) == code
    assert message in capsys.readouterr().err
    assert subjects(data) == ["pp01", "pp01", "p02", None]


def test_a_folder_that_is_no_dataset_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for root in (tmp_path / "other", tmp_path / "none"):
        assert main(["edit", str(root), "--where", "subject=", "--subject", "p1"]) == 4
    assert list(tmp_path.rglob("*")) == [tmp_path / "other"]
