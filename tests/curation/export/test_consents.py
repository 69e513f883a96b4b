"""Photos of people whose consent does not cover it stay, and the export says so."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from curation.cli import main
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.formats.dataset_folder import manifest_path
from tests.curation.export.exported import (
    AGREED,
    ENDED,
    LATER,
    NEVER,
    TODAY,
    files_in,
    make_dataset,
    metadata_of,
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_dataset(tmp_path / "data")
    assert main([str(tmp_path / "data"), "--out", str(tmp_path / "curated")]) == 0
    return tmp_path


@pytest.mark.parametrize("source", ["curated", "data"])
@pytest.mark.parametrize("to", ["folder", "zip", "coco"])
def test_only_people_whose_consent_holds_leave(
    project: Path, source: str, to: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = project / "out"
    capsys.readouterr()
    words = ["export", str(project / source), "--to", to, "--out", str(out)]
    assert main([*words, "--with-subjects", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {row["subject"] for row in metadata_of(out)} == set(AGREED)
    assert told["photos"] == len(metadata_of(out)) == 8 * len(AGREED)
    assert told["left_out"] == {
        f"consent of {ENDED} ended on {TODAY.fromordinal(TODAY.toordinal() - 1)}": 8,
        f"consent of {LATER} begins on {TODAY.fromordinal(TODAY.toordinal() + 3)}": 8,
        f"no consent of {NEVER} on record": 8,
        "nobody is named as the person in them": 8,
    }
    assert "Only photos of people whose consent" in files_in(out)["README.md"].decode()


def test_the_table_says_who_was_left_out(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(project / "curated"), "--out", str(project / "out")]) == 0
    captured = capsys.readouterr()
    told = captured.out
    assert "add --with-unnamed" in captured.err
    assert f"left out: 8, no consent of {NEVER} on record" in told
    assert "left out: 8, nobody is named as the person in them" in told


def test_variants_of_a_person_stay_with_the_photos(project: Path) -> None:
    data, curated = project / "data", project / "curated"
    assert main([str(data), "--out", str(curated), "--expand", "40"]) == 0
    words = ["export", str(curated), "--out", str(project / "out"), "--with-subjects"]
    assert main(words) == 0
    rows = metadata_of(project / "out")
    assert len(rows) > 8 * len(AGREED)
    assert {row["subject"] for row in rows} == set(AGREED)


def test_photos_in_which_nobody_is_named_leave_on_request(project: Path) -> None:
    words = ["export", str(project / "curated"), "--out", str(project / "out")]
    assert main([*words, "--with-unnamed", "--with-subjects"]) == 0
    rows = metadata_of(project / "out")
    assert {row.get("subject") for row in rows} == {*AGREED, None}


def test_a_photo_that_the_dataset_no_longer_has_stays(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = next(photo for photo in list_photos(project / "data") if photo.subject == AGREED[0])
    (project / "data" / gone.path).unlink()
    assert main(["export", str(project / "curated"), "--out", str(project / "out")]) == 0
    assert "left out: 1, no longer in the dataset" in capsys.readouterr().out


def test_where_nobody_agreed_nothing_is_written(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with PhotoStore(project / "data") as store:
        for subject in AGREED:
            store.forget(subject)
    assert main(["export", str(project / "curated"), "--out", str(project / "out")]) == 4
    assert "no photo may leave" in capsys.readouterr().err
    assert not (project / "out").exists()


def test_a_set_whose_dataset_is_missing_stays_unless_every_photo_may_leave(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.move(project / "data", project / "elsewhere")
    words = ["export", str(project / "curated"), "--out", str(project / "out")]
    assert main(words) == 4
    assert "add --with-unnamed" in capsys.readouterr().err
    assert not (project / "out").exists()
    assert main([*words, "--with-unnamed"]) == 0


def test_a_minor_without_a_guardian_on_record_is_a_damaged_manifest(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(manifest_path(project / "data")) as database:
        database.execute("UPDATE consents SET is_minor = 1 WHERE subject = ?", (AGREED[0],))
    database.close()
    assert main(["export", str(project / "curated"), "--out", str(project / "out")]) == 4
    assert "minor" in capsys.readouterr().err
    assert not (project / "out").exists()


def test_a_split_of_which_nothing_is_left_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (project / "curated" / "val").rglob("*.jpg"):
        (project / "data" / path.relative_to(project / "curated" / "val")).unlink(missing_ok=True)
    capsys.readouterr()
    out = project / "without"
    assert main(["export", str(project / "curated"), "--out", str(out)]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "No photo is left of val: this export has no val." in told


def test_a_refusal_for_folders_names_loose_pictures_too(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = project / "data"
    (data / "other").mkdir()
    for name in ("other/in.jpg", "top.jpg", "mask_old/x.tga"):
        (data / name).write_bytes(b"picture")
    assert main(["export", str(data), "--out", str(project / "without")]) == 4
    told = " ".join(capsys.readouterr().err.split())
    assert "they lie in folders that are no class" in told
    assert "top.jpg" in told
    assert "mask_old/x.tga" in told
