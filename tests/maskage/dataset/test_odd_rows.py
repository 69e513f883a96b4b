"""A row of the manifest that holds what none of ours can: refused by every command, repaired."""

import shutil
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from collector.cli import main as collector
from curation.cli import main as curate
from maskage.dataset.consent import Consent
from maskage.dataset.doctor.examine import examine
from maskage.dataset.doctor.repair import repair_dataset
from maskage.dataset.edits import trashing
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.store import PhotoStore
from maskage.formats.dataset_folder import manifest_path
from maskage.pictures.images import encode_jpeg
from maskage.records import Suggestion
from tests.conftest import draw_noise
from tests.maskage.dataset.doctor.doctor_cases import fill

PHOTO_COLUMNS = [
    *("path", "label", "subject", "session", "grp", "taken_at", "source"),
    *("x", "y", "width", "height", "score", "sharpness", "brightness", "clipped", "face_px"),
    *("sha256", "source_sha256", "removed_at", "fingerprint", "flagged", "suggested"),
    *("confidence", "checked", "checked_confidence", "confirmed", "origin"),
    *("checked_reason", "checked_cost"),
]
RATIO = ("--ratio", ".4", ".3", ".3")
CONSENT_COLUMNS = ["subject", "basis", "given_on", "expires_on", "is_minor", "guardian"]
COLUMNS = [
    *(("photos", column) for column in PHOTO_COLUMNS),
    *(("consents", column) for column in CONSENT_COLUMNS),
    *(("events", column) for column in ("at", "path", "action", "label")),
]
VALUES = {
    "null": "NULL",
    "unknown word": "'banana'",
    "nothing": "''",
    "bytes": "x'ff00'",
    "text that is not UTF-8": "CAST(x'fffe' AS TEXT)",
    "text with a NUL": "CAST(x'610062' AS TEXT)",
    "negative": "-1",
    "zero": "0",
    "far too large": "4611686018427387904",
    "infinite": "9e999",
    "outside": "'../../x.jpg'",
    "absolute": "'/etc/passwd'",
    "a folder deeper": "'mask_old/a/b.jpg'",
    "out of the class": "'mask_old/..'",
    "no day": "'2026-99-99'",
    "broken JSON": "'[{\"a\": '",
    "very long": "hex(zeroblob(20000))",
}


def make(root: Path) -> None:
    """Twenty photos, one of them removed, one with a suggestion, and a consent of a minor."""
    photos = fill(root, 20)
    with PhotoStore(root) as store:
        store.apply([trashing(photos[19])])
        store.suggest([(photos[1], Suggestion("mask_old", 0.9))])
        store.record_consent(
            Consent("p0", "form 1", date(2026, 1, 1), date(2999, 1, 1), True, "mother")
        )


def loosen(root: Path) -> None:
    """Let the tables take any value, as those of another program do."""
    with closing(sqlite3.connect(manifest_path(root))) as db, db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute(
            "UPDATE sqlite_schema SET sql = replace(replace(sql, 'STRICT', ''), 'NOT NULL', '')"
        )


def put_value(root: Path, table: str, column: str, value: str) -> None:
    row = "WHERE rowid = 2" if table == "photos" else ""
    with closing(sqlite3.connect(manifest_path(root))) as db, db:
        db.execute(f"UPDATE {table} SET {column} = {value} {row}")


def run_commands(root: Path, source: Path) -> dict[str, int]:
    """The exit code of each command that reads or writes the manifest."""
    where = ["--data", str(root)]
    return {
        "status": collector(["status", str(root)]),
        "consent": collector(["consent", *where]),
        "forget": collector(["forget", "p1", "--dry-run", *where]),
        "curate": curate([str(root), "--dry-run", "--workers", "1", "--split", "random", *RATIO]),
        "record": collector(["consent", "p9", "--self", *where]),
        "import": collector(["import", str(source), str(root)]),
    }


def assert_understood(
    root: Path, table: str, column: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Put one value in; every command works or names the doctor, who repairs it."""
    template = root.parent / "template"
    source = root.parent / "source"
    shutil.copytree(template, root)
    put_value(root, table, column, VALUES[value])
    codes = run_commands(root, source)
    said = capsys.readouterr().err
    assert set(codes.values()) <= {0, 4}, (codes, said)
    assert "bug" not in said
    if codes["status"]:
        assert "doctor" in said
    repair_dataset(root)
    assert examine(root).is_clean
    codes = run_commands(root, source)
    assert (codes["status"], codes["consent"], codes["curate"], codes["import"]) == (0, 0, 0, 0)
    shutil.rmtree(root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where a copy of the dataset is to lie; a template and a source lie beside it."""
    make(tmp_path / "template")
    loosen(tmp_path / "template")
    source = tmp_path / "source" / "mask_old"
    source.mkdir(parents=True)
    (source / "a.jpg").write_bytes(encode_jpeg(draw_noise(700)))
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("label", "unknown word"),
        ("label", "null"),
        ("path", "outside"),
        ("path", "text that is not UTF-8"),
        ("subject", "bytes"),
        ("width", "zero"),
        ("sharpness", "infinite"),
        ("sha256", "broken JSON"),
        ("suggested", "unknown word"),
        ("taken_at", "no day"),
    ],
)
def test_an_odd_value_in_a_row_is_refused_or_harmless_and_repaired(
    root: Path, column: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_understood(root, "photos", column, value, capsys)


@pytest.mark.parametrize(("column", "value"), [("given_on", "no day"), ("basis", "bytes")])
def test_an_odd_consent_is_refused_and_repaired(
    root: Path, column: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_understood(root, "consents", column, value, capsys)


@pytest.mark.slow
@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_any_odd_value_in_any_column_is_refused_or_harmless_and_repaired(
    root: Path, table: str, column: str, is_thorough: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    # Each value meets every third column, and each column every third value.
    every = 1 if is_thorough else 3
    for value in list(VALUES)[COLUMNS.index((table, column)) % every :: every]:
        assert_understood(root, table, column, value, capsys)


def test_an_unknown_label_is_refused_with_the_remedy_and_the_folder_is_the_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = fill(tmp_path)[0]
    put_value(tmp_path, "photos", "label", "'banana'")
    assert collector(["status", str(tmp_path)]) == 4
    said = capsys.readouterr().err
    assert "'banana'" in said
    assert f"collector doctor {tmp_path} --fix" in said
    assert collector(["doctor", str(tmp_path), "--fix"]) == 0
    assert collector(["status", str(tmp_path)]) == 0
    assert len(read_rows(tmp_path).present) == 4
    assert read_rows(tmp_path).present[photo.path] == photo


def test_a_row_that_lies_nowhere_is_found_by_the_content_of_its_photo(tmp_path: Path) -> None:
    photo = fill(tmp_path)[1]
    put_value(tmp_path, "photos", "path", "'../../' || path")
    repair_dataset(tmp_path)
    assert read_rows(tmp_path).present[photo.path].subject == photo.subject
    assert examine(tmp_path).is_clean


def test_what_is_odd_costs_a_row_only_that(tmp_path: Path) -> None:
    """Also in a row that is longer than a page, which cannot be read by itself."""
    photo = fill(tmp_path)[1]
    loosen(tmp_path)
    put_value(tmp_path, "photos", "source", "hex(zeroblob(20000))")
    put_value(tmp_path, "photos", "subject", "CAST('anna' AS BLOB)")
    put_value(tmp_path, "photos", "height", "-1")
    repair_dataset(tmp_path)
    row = read_rows(tmp_path).present[photo.path]
    assert (row.subject, row.session, row.box) == ("anna", photo.session, None)
    assert len(row.source or "") == 40000
