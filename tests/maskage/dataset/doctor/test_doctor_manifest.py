import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.consent import Consent
from maskage.dataset.doctor.examine import examine
from maskage.dataset.doctor.findings import Kind
from maskage.dataset.doctor.manifest import Condition
from maskage.dataset.doctor.repair import repair_dataset
from maskage.dataset.doctor.salvage import salvage_manifest
from maskage.dataset.edits import trashing
from maskage.dataset.manifest.columns import PHOTO_COLUMNS
from maskage.dataset.manifest.reading import read_consents, read_rows
from maskage.dataset.manifest.writer import Manifest
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError
from maskage.formats.dataset_folder import manifest_path
from maskage.records import FaceBox, Photo, Quality, Suggestion
from tests.conftest import draw_noise
from tests.maskage.dataset.doctor.doctor_cases import (
    QUALITY,
    SESSION,
    fill,
    found,
    garble_all,
    garble_the_first_page,
    garble_the_header,
    garble_the_middle,
    picture_contents,
    put,
    tree,
    truncate,
    truncate_to_nothing_whole,
    write_text,
)


def test_four_folders_of_someone_else_get_a_manifest(four_folders: Callable[..., Path]) -> None:
    root = four_folders(photos=2)
    mended = repair_dataset(root)
    assert set(found(mended.diagnosis)) == {
        Kind.MANIFEST_LOST,
        Kind.FOLDER,
        Kind.UNKNOWN,
        Kind.OPEN,
    }
    assert mended.diagnosis.manifest.condition is Condition.LOST
    assert len(read_rows(root).present) == 8
    assert examine(root).is_clean


def test_a_lost_manifest_is_rebuilt_from_folders_and_names(tmp_path: Path) -> None:
    photos = fill(tmp_path, 8)
    with PhotoStore(tmp_path) as store:
        store.apply([trashing(photos[0])])
    manifest_path(tmp_path).unlink()
    repair_dataset(tmp_path)
    assert examine(tmp_path).is_clean
    rows = read_rows(tmp_path)
    assert set(rows.removed) == {photos[0].path}
    for photo in photos[1:]:
        row = rows.present[photo.path]
        assert (row.session, row.taken_at, row.sha256) == (SESSION, photo.taken_at, photo.sha256)
        assert row.subject is None


def test_the_log_of_a_lost_manifest_is_kept_and_not_read_into_the_new_one(tmp_path: Path) -> None:
    fill(tmp_path)
    wal = manifest_path(tmp_path).with_name("manifest.db-wal")
    manifest_path(tmp_path).unlink()
    wal.write_bytes(b"left behind")
    wal.chmod(0o600)
    repair_dataset(tmp_path)
    (kept,) = wal.parent.glob("manifest.db.damaged-*-wal")
    assert kept.read_bytes() == b"left behind"
    assert examine(tmp_path).is_clean


def test_a_manifest_that_was_only_begun_is_finished(tmp_path: Path) -> None:
    fill(tmp_path)
    manifest_path(tmp_path).write_bytes(b"")
    assert examine(tmp_path).manifest.condition is Condition.LOST
    repair_dataset(tmp_path)
    assert examine(tmp_path).is_clean


def test_a_manifest_of_a_newer_version_is_no_damage(tmp_path: Path) -> None:
    fill(tmp_path)
    with closing(sqlite3.connect(manifest_path(tmp_path))) as db, db:
        db.execute("PRAGMA user_version = 99")
    before = manifest_path(tmp_path).read_bytes()
    with pytest.raises(DatasetError, match="newer version"):
        repair_dataset(tmp_path)
    assert manifest_path(tmp_path).read_bytes() == before


DAMAGES = [
    (truncate, 20),
    (truncate_to_nothing_whole, 0),
    (garble_the_middle, 20),
    (garble_the_header, 120),
    (garble_the_first_page, 120),
    (garble_all, 0),
    (write_text, 0),
]


@pytest.mark.parametrize(("damage", "at_least"), DAMAGES)
def test_a_damaged_manifest_is_set_aside_and_what_can_be_read_of_it_is_kept(
    tmp_path: Path, damage: Callable[[bytes], bytes], at_least: int
) -> None:
    photos = {photo.path: photo for photo in fill(tmp_path, 120)}
    consent = Consent("p0", "form 12", date(2026, 1, 1))
    with PhotoStore(tmp_path) as store:
        store.record_consent(consent)
    path = manifest_path(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    broken, before = path.read_bytes(), picture_contents(tmp_path)

    diagnosis = examine(tmp_path)
    assert diagnosis.manifest.condition is Condition.DAMAGED
    assert diagnosis.manifest.salvage is not None
    salvaged = diagnosis.manifest.salvage.rows
    assert len(salvaged) >= at_least
    assert path.read_bytes() == broken

    assert repair_dataset(tmp_path).left == []
    assert found(examine(tmp_path)) == {}
    assert picture_contents(tmp_path) == before
    (aside,) = path.parent.glob("manifest.db.damaged-*")
    assert aside.read_bytes() == broken
    rows = read_rows(tmp_path).present
    assert set(rows) == set(photos)
    for photo_path, row in rows.items():
        if photo_path in salvaged:
            assert row == photos[photo_path]
        else:
            assert (row.subject, row.session) == (None, SESSION)
    if at_least == 120:
        assert read_consents(tmp_path) == {"p0": consent}


def test_the_new_manifest_of_a_damaged_one_is_open_for_shooting(tmp_path: Path) -> None:
    fill(tmp_path)
    path = manifest_path(tmp_path)
    path.write_bytes(garble_the_header(path.read_bytes()))
    repair_dataset(tmp_path)
    fill(tmp_path)
    assert examine(tmp_path).is_clean
    assert len(list_photos(tmp_path)) == 8


def test_salvage_reads_the_log_too_and_every_column(tmp_path: Path) -> None:
    photo = Photo(
        "mask_old/ä~1.jpg",
        "mask_old",
        subject="anna",
        group="g",
        box=FaceBox(-3, 4, 300, 70_000, 0.5),
        quality=Quality(1.5, 128.0, 0.0, 70_000),
        sha256="ab" * 32,
        fingerprint=(1 << 63) + 5,
        is_flagged=True,
        suggestion=Suggestion("nomask_old", 0.75),
    )
    manifest = Manifest(tmp_path)
    with manifest.transaction():
        manifest.add(photo, "2026-01-01T00:00:00.000+00:00", "cd" * 32)
        manifest.mark_removed(photo.path, "2026-02-01", "trash", photo.label)
        manifest.record_consent(Consent("anna", "form 1", date(2026, 1, 1), None, True, "mother"))
    path = manifest_path(tmp_path)
    wal = path.with_name("manifest.db-wal")
    assert wal.stat().st_size > 0
    salvage = salvage_manifest(path, MASK_AGE, wal)
    manifest.close()
    (row,) = salvage.rows.values()
    assert row.photo == photo
    assert (row.source_sha256, row.removed_at) == ("cd" * 32, "2026-02-01")
    assert salvage.consents["anna"].guardian == "mother"
    assert [event[2] for event in salvage.events] == ["add", "trash"]


def test_a_damaged_row_costs_no_other_row_of_its_page(tmp_path: Path) -> None:
    photos = fill(tmp_path, 40)
    path = manifest_path(tmp_path)
    data = path.read_bytes()
    lost = photos[20]
    at = data.index(f"{lost.path}{lost.label}{lost.subject}".encode())  # not in an index
    path.write_bytes(data[: at - 30] + b"\xff" * 30 + data[at:])
    salvaged = salvage_manifest(path, MASK_AGE).rows
    assert {photo.path for photo in photos} - set(salvaged) == {lost.path}


def test_a_log_is_read_beyond_a_damaged_frame(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    for number in range(3):
        photo = Photo(f"mask_old/{number}.jpg", "mask_old", sha256="ab" * 32)
        with manifest.transaction():
            manifest.add(photo, "2026-01-01T00:00:00.000+00:00")
    path = manifest_path(tmp_path)
    wal = tmp_path / "wal"
    log = bytearray(path.with_name("manifest.db-wal").read_bytes())
    manifest.close()
    log[100] ^= 1  # in the first frame
    wal.write_bytes(log)
    assert len(salvage_manifest(path, MASK_AGE, wal).rows) == 3


def test_salvage_knows_the_columns_of_the_table(tmp_path: Path) -> None:
    Manifest(tmp_path).close()
    with closing(sqlite3.connect(manifest_path(tmp_path))) as db:
        columns = [name for _n, name, *_rest in db.execute("PRAGMA table_info(photos)")]
    assert tuple(columns) == PHOTO_COLUMNS


def test_a_manifest_with_a_row_that_cannot_be_is_damaged(tmp_path: Path) -> None:
    photo = fill(tmp_path)[0]
    with closing(sqlite3.connect(manifest_path(tmp_path))) as db, db:
        db.execute("UPDATE photos SET label = 'hat' WHERE path = ?", (photo.path,))
    mended = repair_dataset(tmp_path)
    assert set(found(mended.diagnosis)) == {Kind.MANIFEST_DAMAGED}
    assert examine(tmp_path).is_clean
    assert read_rows(tmp_path).present[photo.path] == photo


@pytest.mark.parametrize("left", ["db db-wal db-shm", "db db-wal", "db"])
def test_what_a_crash_left_of_the_manifest_is_examined_without_a_trace(
    tmp_path: Path, left: str
) -> None:
    """The log holds rows that the file does not: a look must neither miss nor move them."""
    root = tmp_path / "data"
    photos = fill(root)
    with PhotoStore(root) as store:
        last = store.add(draw_noise(77), "mask_old", subject="p0", quality=QUALITY)
        folder = manifest_path(root).parent
        crashed = {
            f"manifest.{end}": (folder / f"manifest.{end}").read_bytes() for end in left.split()
        }
    for path in folder.glob("manifest.*"):
        path.unlink()
    for name, data in crashed.items():
        put(folder, name, data)
    before = tree(root)
    diagnosis = examine(root)
    assert tree(root) == before
    if "wal" in left:
        assert found(diagnosis) == {}
        assert diagnosis.photos == len(photos) + 1
    else:
        assert found(diagnosis) == {Kind.UNKNOWN: [last.path]}
    repair_dataset(root)
    assert examine(root).is_clean
