import os
import sqlite3
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.consent import Consent
from maskage.dataset.doctor.salvage import salvage_manifest
from maskage.dataset.edits import flagging, trashing
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.photo_names import new_session_id
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError, DatasetInUseError
from maskage.formats.dataset_folder import manifest_path
from maskage.pictures.images import encode_jpeg, read_image
from maskage.records import FaceBox, Photo, Quality, Suggestion
from maskage.system.files import save_new_file
from tests.conftest import draw_noise

BOX = FaceBox(10, 20, 30, 40, 0.9)
QUALITY = Quality(120.5, 128.25, 0.01, 40)


def test_a_photo_is_one_file_and_one_row(tmp_path: Path) -> None:
    with PhotoStore(tmp_path / "data") as store:
        photo = store.add(
            draw_noise(1),
            "mask_old",
            subject="anna",
            session="s1",
            source="demo",
            box=BOX,
            quality=QUALITY,
        )
        assert store.counts() == {**dict.fromkeys(MASK_AGE.labels, 0), "mask_old": 1}
        assert store.counts("ben")["mask_old"] == 0
    files = list((tmp_path / "data" / "mask_old").iterdir())
    assert [f"mask_old/{p.name}" for p in files] == [photo.path]
    assert list_photos(tmp_path / "data") == [photo]
    assert photo.box == BOX
    assert photo.quality == QUALITY
    assert np.abs(read_image(files[0]).astype(int) - draw_noise(1)).mean() < 3


def test_files_and_folders_are_private(tmp_path: Path) -> None:
    with PhotoStore(tmp_path / "data") as store:
        photo = store.add(draw_noise(1), "mask_old")
    assert (store.root / photo.path).stat().st_mode & 0o777 == 0o600
    assert (store.root / "mask_old").stat().st_mode & 0o777 == 0o700
    assert manifest_path(store.root).stat().st_mode & 0o777 == 0o600


def test_trash_and_restore_move_file_and_row(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photo = store.add(draw_noise(1), "nomask_old", subject="anna")
        store.apply([trashing(photo)])
        assert not (tmp_path / photo.path).exists()
        assert list_photos(tmp_path) == []
        assert store.counts("anna")["nomask_old"] == 0
        store.apply([trashing(photo).inverse])
        assert list_photos(tmp_path) == [photo]


def test_a_photo_moved_by_hand_is_relabelled_and_keeps_its_facts(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photo = store.add(draw_noise(1), "mask_old", subject="anna")
    name = Path(photo.path).name
    (tmp_path / photo.path).rename(tmp_path / "mask_young" / name)
    (found,) = list_photos(tmp_path)
    assert found.label == "mask_young"
    assert found.path == f"mask_young/{name}"
    assert found.subject == "anna"


def test_of_two_photos_of_one_name_the_moved_one_keeps_its_own_facts(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        for label, subject in (("mask_old", "anna"), ("nomask_old", "bert")):
            photo = Photo(path=f"{label}/face.jpg", label=label, subject=subject)
            store.add_encoded(encode_jpeg(draw_noise(1)), photo)
    (tmp_path / "mask_old" / "face.jpg").rename(tmp_path / "mask_young" / "face.jpg")
    assert {photo.path: photo.subject for photo in list_photos(tmp_path)} == {
        "mask_young/face.jpg": "anna",
        "nomask_old/face.jpg": "bert",
    }


def test_a_path_is_never_given_twice(tmp_path: Path) -> None:
    photo = Photo(path="mask_old/face.jpg", label="mask_old")
    data = encode_jpeg(draw_noise(1))
    with PhotoStore(tmp_path) as store:
        first = store.add_encoded(data, photo)
        # Neither the trash nor a move by hand frees it: its row is there still.
        store.apply([trashing(first)])
        second = store.add_encoded(data, photo)
        (tmp_path / second.path).rename(tmp_path / "mask_young" / Path(second.path).name)
        third = store.add_encoded(data, photo)
    assert first.path == "mask_old/face.jpg"
    assert len({first.path, second.path, third.path}) == 3
    assert all(found.path.startswith("mask_old/face-") for found in (second, third))


def test_folders_without_a_manifest_are_a_dataset(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photo = store.add(draw_noise(1), "mask_old", subject="anna")
    manifest_path(tmp_path).unlink()
    (found,) = list_photos(tmp_path)
    assert found.path == photo.path
    assert found.subject is None


def test_a_missing_dataset_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="Make one with"):
        list_photos(tmp_path / "none")


def test_a_damaged_manifest_is_named_and_the_photos_are_not_touched(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photo = store.add(draw_noise(1), "mask_old")
    for path in tmp_path.glob(".dataset/manifest.db*"):
        path.write_bytes(b"not a database" * 100)
    with pytest.raises(DatasetError, match="damaged"):
        read_rows(tmp_path)
    with pytest.raises(DatasetError, match="damaged"):
        PhotoStore(tmp_path)
    assert (tmp_path / photo.path).exists()


def test_a_manifest_of_a_newer_schema_is_refused(tmp_path: Path) -> None:
    PhotoStore(tmp_path).close()
    with sqlite3.connect(manifest_path(tmp_path)) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(DatasetError, match="newer version"):
        PhotoStore(tmp_path)


def test_a_second_writer_is_told_who_holds_the_dataset(tmp_path: Path) -> None:
    with PhotoStore(tmp_path), pytest.raises(DatasetInUseError, match=f"process {os.getpid()}"):
        PhotoStore(tmp_path)
    PhotoStore(tmp_path).close()


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"first")
    with pytest.raises(FileExistsError):
        save_new_file(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_session_names_differ() -> None:
    assert len({new_session_id() for _ in range(50)}) > 40


def test_what_a_killed_import_left_without_a_row_is_not_saved_twice(tmp_path: Path) -> None:
    photo = Photo("mask_old/face.jpg", "mask_old", subject="p07")
    data, other = encode_jpeg(draw_noise(1)), encode_jpeg(draw_noise(2))
    PhotoStore(tmp_path).close()
    (tmp_path / photo.path).write_bytes(data)
    with PhotoStore(tmp_path) as store:
        saved = store.add_encoded(data, photo, "5" * 64)
        assert saved.path == photo.path
        assert list(store.imported_digests()) == ["5" * 64]
        # Another picture of that name is another photo.
        assert store.add_encoded(other, photo).path != photo.path
    assert [found.subject for found in list_photos(tmp_path)] == ["p07", "p07"]


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names")
@pytest.mark.parametrize(
    "name", [b"f\xfcr.jpg", b"a\\xfc.jpg", b"line\nbreak.jpg", b"e\xcc\x81.jpg"]
)
def test_the_manifest_takes_every_name_and_gives_it_back(tmp_path: Path, name: bytes) -> None:
    path = f"mask_old/{os.fsdecode(name)}"
    (tmp_path / "mask_old").mkdir()
    (tmp_path / path).write_bytes(encode_jpeg(draw_noise(1)))
    with PhotoStore(tmp_path) as store:
        (photo,) = store.photos()
        store.suggest([(photo, Suggestion("mask_young", 0.75))])
        store.apply([flagging(store.photos()[0], is_flagged=True)])
        consent = Consent(os.fsdecode(b"p\xfc"), "form", date(2026, 1, 1), None)
        store.record_consent(consent)
        assert store.consents() == {consent.subject: consent}
    (photo,) = list_photos(tmp_path)
    assert (photo.path, photo.is_flagged) == (path, True)
    assert photo.suggestion == Suggestion("mask_young", 0.75)
    salvage = salvage_manifest(manifest_path(tmp_path), MASK_AGE)
    assert list(salvage.rows) == [path]
    with PhotoStore(tmp_path) as store:
        edit = store.relabelling(store.photos()[0], "nomask_old")
        store.apply([edit])
    assert [photo.path for photo in list_photos(tmp_path)] == [f"nomask_old/{os.fsdecode(name)}"]
    assert read_rows(tmp_path).present.keys() == {f"nomask_old/{os.fsdecode(name)}"}
