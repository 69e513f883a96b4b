"""The trash: listing, bringing back where something is in the way, and deleting for good."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from maskage.dataset.doctor.examine import examine
from maskage.dataset.doctor.findings import Kind
from maskage.dataset.edits import Edit, flagging, trashing
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.dataset.trash import empty_trash, list_trash, restore_photos
from maskage.errors import DatasetError, EnvironmentProblemError, UsageError
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo
from tests.conftest import draw_noise

LABEL = "mask_old"


def add(store: PhotoStore, number: int, *, subject: str | None = "p01") -> Photo:
    photo = Photo(f"{LABEL}/photo_{number}.jpg", LABEL, subject=subject, group="g1")
    return store.add_encoded(encode_jpeg(draw_noise(number)), photo, f"{number:064x}")


def trash(store: PhotoStore, *photos: Photo) -> None:
    store.apply([trashing(photo) for photo in photos])


def rows(root: Path, columns: str = "path") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(root / ".dataset" / "manifest.db")) as db:
        return db.execute(f"SELECT {columns} FROM photos ORDER BY path").fetchall()


def faults(root: Path) -> list[Kind]:
    """Return what the doctor finds; files put there by a test are neither closed nor measured."""
    kinds = [finding.kind for finding in examine(root).findings]
    return [kind for kind in kinds if kind not in (Kind.OPEN, Kind.UNMEASURED)]


def test_the_photo_removed_last_is_listed_first_with_all_its_facts(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        first, second = add(store, 1), add(store, 2, subject=None)
        trash(store, first)
        trash(store, second)
        listed = list_trash(store)
    assert [each.photo for each in listed] == [second, first]
    assert all(each.removed_at and each.file.is_file() for each in listed)


def test_an_empty_trash_lists_nothing_and_empties_nothing(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        assert list_trash(store) == []
        assert empty_trash(store) == 0
        assert restore_photos(store, []) == []


def test_restoring_brings_file_and_facts_back_and_can_be_undone(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photo = add(store, 1)
        trash(store, photo)
        edits = restore_photos(store, list_trash(store))
        assert edits == [Edit(None, photo)]
        assert store.photos() == [photo] == list_photos(tmp_path)
        store.apply([edits[0].inverse])
        assert store.photos() == []
        assert len(list_trash(store)) == 1


def test_where_the_name_is_taken_the_photo_comes_back_under_another(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photo = add(store, 1)
        trash(store, photo)
    (tmp_path / photo.path).write_bytes(encode_jpeg(draw_noise(9)))
    with PhotoStore(tmp_path) as store:
        (edit,) = restore_photos(store, list_trash(store))
        assert edit.after is not None
        assert edit.after.path == f"{LABEL}/photo_1-{(photo.sha256 or '')[:8]}.jpg"
        assert {each.path: each.subject for each in store.photos()} == {
            edit.after.path: "p01",
            photo.path: None,
        }
        # The file that was put there by hand can still be edited.
        trash(store, next(each for each in store.photos() if each.path == photo.path))
    assert faults(tmp_path) == []


def test_a_copy_put_back_by_hand_keeps_the_row(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photo = add(store, 1)
        trash(store, photo)
    shutil.copy(tmp_path / ".trash" / photo.path, tmp_path / photo.path)
    with PhotoStore(tmp_path) as store:
        restore_photos(store, list_trash(store))
        assert [each.subject for each in store.photos()] == ["p01", "p01"]


def test_a_file_without_a_row_is_listed_and_comes_back(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        data = encode_jpeg(draw_noise(3))
        (tmp_path / ".trash" / LABEL / "stray.jpg").write_bytes(data)
        (stray,) = list_trash(store)
        assert (stray.removed_at, stray.row_path) == (None, None)
        restore_photos(store, [stray])
        assert [photo.path for photo in store.photos()] == [f"{LABEL}/stray.jpg"]
    assert faults(tmp_path) == []


def test_a_file_renamed_by_hand_in_the_trash_finds_its_row_by_its_digest(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photo = add(store, 1)
        trash(store, photo)
        file = tmp_path / ".trash" / photo.path
        file.rename(file.with_name("renamed.jpg"))
        (found,) = list_trash(store)
        assert (found.photo.subject, found.row_path) == ("p01", photo.path)
        restore_photos(store, [found])
        assert [(each.path, each.subject) for each in store.photos()] == [
            (f"{LABEL}/renamed.jpg", "p01")
        ]
    assert len(rows(tmp_path)) == 1


def test_a_photo_of_a_former_class_needs_a_class_to_come_back_into(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        former = tmp_path / ".trash" / "scarf"
        former.mkdir()
        (former / "a.jpg").write_bytes(encode_jpeg(draw_noise(4)))
        (found,) = list_trash(store)
        with pytest.raises(DatasetError, match=r"no class 'scarf' any more.*Restore into"):
            restore_photos(store, [found])
        with pytest.raises(UsageError, match="no class 'hat'"):
            restore_photos(store, [found], label="hat")
        (edit,) = restore_photos(store, [found], label=LABEL)
        assert edit.after is not None
        assert edit.after.path == f"{LABEL}/a.jpg"
        assert list_trash(store) == []


def test_a_photo_can_come_back_into_another_class(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        trash(store, add(store, 1))
        restore_photos(store, list_trash(store), label="nomask_old")
        assert [(each.path, each.subject) for each in store.photos()] == [
            ("nomask_old/photo_1.jpg", "p01")
        ]


def test_undone_a_photo_restored_into_another_class_lies_in_the_trash_under_its_own(
    tmp_path: Path,
) -> None:
    with PhotoStore(tmp_path) as store:
        trash(store, add(store, 1), add(store, 2))
        before = [each.photo for each in list_trash(store)]
        edits = restore_photos(store, list_trash(store), label="nomask_old")
        store.apply([edit.inverse for edit in reversed(edits)])
        assert [each.photo for each in list_trash(store)] == before
        assert not list((tmp_path / ".trash" / "nomask_old").iterdir())
        store.apply(edits)
        assert [photo.label for photo in store.photos()] == ["nomask_old"] * 2
        store.apply([edit.inverse for edit in reversed(edits)])
        restore_photos(store, list_trash(store))
        assert sorted(store.photos(), key=lambda each: each.path) == before
    assert faults(tmp_path) == []


def test_two_photos_of_one_name_come_back_into_one_class_and_go_back(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        first = add(store, 1)
        second = store.add_encoded(
            encode_jpeg(draw_noise(2)), Photo("mask_young/photo_1.jpg", "mask_young"), "f" * 64
        )
        trash(store, first, second)
        edits = restore_photos(store, list_trash(store), label="nomask_old")
        assert len({photo.path for photo in store.photos()}) == 2
        store.apply([edit.inverse for edit in reversed(edits)])
        assert {each.photo.path for each in list_trash(store)} == {first.path, second.path}
    assert faults(tmp_path) == []


def test_a_photo_under_another_name_goes_back_under_its_own(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photo = add(store, 1)
        trash(store, photo)
    (tmp_path / photo.path).write_bytes(encode_jpeg(draw_noise(9)))
    with PhotoStore(tmp_path) as store:
        (edit,) = restore_photos(store, list_trash(store))
        store.apply([edit.inverse])
        (back,) = list_trash(store)
        assert back.file.name == "photo_1.jpg"
        assert back.photo.subject == "p01"
        # The file that was put there by hand can still be edited.
        store.apply([flagging(store.photos()[0], is_flagged=True)])


def test_a_photo_that_is_gone_from_the_trash_restores_nothing(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        trash(store, add(store, 1), add(store, 2))
        listed = list_trash(store)
        listed[0].file.unlink()
        with pytest.raises(DatasetError, match=r"not in the trash of .* any more"):
            restore_photos(store, listed)
        assert store.photos() == []
        assert [each.file for each in list_trash(store)] == [listed[1].file]


def test_where_the_disk_refuses_the_trash_stays_as_it_was(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        trash(store, add(store, 1), add(store, 2))
        before = list_trash(store)
        folder = tmp_path / ".trash" / "nomask_old"
        folder.rmdir()
        with pytest.raises(EnvironmentProblemError, match=r"photo_\d.jpg and 1 more: cannot"):
            restore_photos(store, before, label="nomask_old")
        assert list_trash(store) == before


def test_emptying_deletes_files_rows_and_events(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        kept, gone = add(store, 1, subject=None), add(store, 2, subject=None)
        trash(store, gone)
        assert empty_trash(store) == 1
        assert list_trash(store) == []
        assert store.photos() == [kept]
        assert list(store.imported_digests()) == [f"{1:064x}"]
    assert rows(tmp_path) == [(kept.path,)]
    assert not list((tmp_path / ".trash").rglob("*.jpg"))
    assert faults(tmp_path) == []


def test_emptying_takes_only_the_chosen_photos(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        trash(store, add(store, 1), add(store, 2))
        first, second = list_trash(store)
        assert empty_trash(store, [first]) == 1
        assert list_trash(store) == [second]
        assert empty_trash(store, [first]) == 0


def test_what_forget_needs_to_find_copies_of_a_person_outlives_the_emptying(
    tmp_path: Path,
) -> None:
    with PhotoStore(tmp_path) as store:
        photo = add(store, 1)
        trash(store, photo)
        empty_trash(store)
        assert store.imported_digests() == {}
        store.forget("p01")
    assert rows(tmp_path) == []


def test_a_row_of_a_person_loses_everything_else(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photo = add(store, 1)
        trash(store, photo)
        empty_trash(store)
    assert rows(tmp_path, "subject, sha256, grp, source_sha256, sharpness") == [
        ("p01", photo.sha256, None, None, None)
    ]
    assert faults(tmp_path) == []


def test_a_trash_that_cannot_be_emptied_says_how_far_it_came(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        kept, gone = add(store, 1, subject=None), add(store, 2, subject=None)
        trash(store, kept, gone)
        by_path = {each.photo.path: each for each in list_trash(store)}
        stuck = by_path[kept.path]
        stuck.file.unlink()
        stuck.file.mkdir()
        with pytest.raises(EnvironmentProblemError, match="1 of 2 photos are deleted"):
            empty_trash(store, [by_path[gone.path], stuck])
    assert rows(tmp_path) == [(kept.path,)]
