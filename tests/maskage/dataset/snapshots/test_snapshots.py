"""Snapshots: what they keep, what they tell apart, and that going back loses nothing."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from maskage.dataset.class_changes import rename_class
from maskage.dataset.doctor.examine import examine
from maskage.dataset.edits import describing, trashing
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.privacy.forgetting import forget, plan_forgetting
from maskage.dataset.snapshots.differences import Differences, compare
from maskage.dataset.snapshots.objects import ObjectStore
from maskage.dataset.snapshots.restoring import restore_snapshot
from maskage.dataset.snapshots.snapshot_file import Snapshot, read_snapshot
from maskage.dataset.snapshots.taking import (
    delete_snapshot,
    describe_now,
    find_snapshot,
    list_names,
    measure_snapshots,
    open_objects,
    snapshots_folder,
    take_snapshot,
)
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError, PhotoNotSavedError, UsageError
from maskage.pictures.images import encode_jpeg
from maskage.pictures.quality import measure_quality
from maskage.records import Photo
from tests.conftest import draw_noise


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six photos of two people in three classes."""
    data = tmp_path / "data"
    with PhotoStore(data) as store:
        for number in range(6):
            store.add(
                draw_noise(number),
                ("mask_old", "mask_young", "nomask_old")[number % 3],
                subject=f"p{number % 2}",
                session=f"s{number % 2}",
                quality=measure_quality(draw_noise(number)),
            )
    return data


def take(root: Path, name: str = "one") -> Snapshot:
    with PhotoStore(root) as store:
        return take_snapshot(store, name)


def restore(root: Path, name: str = "one") -> None:
    with PhotoStore(root) as store:
        restore_snapshot(store, find_snapshot(root, name))


def facts(photo: Photo) -> tuple[object, ...]:
    return photo.path, photo.label, photo.subject, photo.session, photo.sha256, photo.quality


def contents(root: Path) -> dict[str, bytes]:
    return {photo.path: (root / photo.path).read_bytes() for photo in list_photos(root)}


def differences(root: Path, name: str = "one") -> Differences:
    return compare(find_snapshot(root, name), describe_now(root, list_photos(root)))


def test_a_snapshot_keeps_the_photos_with_all_that_is_known_of_them(root: Path) -> None:
    before = list_photos(root)
    take(root)
    snapshot = find_snapshot(root, "one")
    assert [facts(each.photo) for each in snapshot.photos] == [facts(photo) for photo in before]
    assert differences(root).is_empty


def test_a_picture_takes_no_room_of_its_own_and_is_kept_once(root: Path) -> None:
    take(root, "one")
    take(root, "two")
    digests = list(open_objects(root).digests())
    assert len(digests) == 6
    (photo, *_) = list_photos(root)
    kept = open_objects(root).path_of(photo.sha256 or "")
    assert kept.stat().st_ino == (root / photo.path).stat().st_ino or kept.stat().st_nlink == 1


def test_a_disk_without_second_names_gets_copies(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    snapshot = take(root)
    assert all(open_objects(root).read(each.digest) for each in snapshot.photos)


def test_everything_that_changed_is_found_and_taken_back(root: Path) -> None:
    before, pictures = list_photos(root), contents(root)
    take(root)
    with PhotoStore(root) as store:
        first, second, third, *_ = store.photos()
        store.apply([trashing(first)])
        store.apply([store.relabelling(second, "nomask_young")])
        store.apply([describing(third, subject="p9", session=None)])
        store.add(draw_noise(99), "mask_old")
    found = differences(root)
    assert [len(found.added), len(found.removed), len(found.relabelled)] == [1, 1, 1]
    assert [pair.changed_facts for pair in found.described] == [("subject", "session")]
    restore(root)
    assert [facts(photo) for photo in list_photos(root)] == [facts(photo) for photo in before]
    assert contents(root) == pictures
    assert not examine(root).findings


def test_going_back_can_be_taken_back(root: Path) -> None:
    take(root)
    with PhotoStore(root) as store:
        store.apply([store.relabelling(store.photos()[0], "nomask_young")])
        store.add(draw_noise(99), "mask_old", subject="new")
    changed = [facts(photo) for photo in list_photos(root)]
    restore(root)
    (safety,) = [name for name in list_names(root) if name.startswith("before-restore-")]
    restore(root, safety)
    assert [facts(photo) for photo in list_photos(root)] == changed


def test_photos_whose_files_were_deleted_by_hand_come_back(root: Path) -> None:
    before = list_photos(root)
    take(root)
    for photo in before[:3]:
        (root / photo.path).unlink()
    restore(root)
    assert [facts(photo) for photo in list_photos(root)] == [facts(photo) for photo in before]
    assert not examine(root).findings


def test_photos_that_changed_places_go_back(root: Path) -> None:
    pictures = contents(root)
    take(root)
    one, other = (root / photo.path for photo in list_photos(root)[:2])
    one.rename(root / "aside")
    other.rename(one)
    (root / "aside").rename(other)
    restore(root)
    assert contents(root) == pictures


def test_a_photo_that_was_replaced_by_another_of_its_name_comes_back(root: Path) -> None:
    pictures = contents(root)
    take(root)
    first, second, *_ = list_photos(root)
    (root / first.path).unlink()
    (root / first.path).write_bytes((root / second.path).read_bytes()[:-2] + b"\xff\xd9")
    (root / first.path).write_bytes(encoded(7))
    restore(root)
    assert contents(root) == pictures
    restore(root)
    assert contents(root) == pictures


def encoded(seed: int) -> bytes:
    return encode_jpeg(draw_noise(1000 + seed))


@pytest.mark.parametrize("steps", range(8))
def test_a_restoration_that_was_cut_off_goes_on(
    root: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    before, pictures = list_photos(root), contents(root)
    take(root)
    with PhotoStore(root) as store:
        first, second, third, fourth, *_ = store.photos()
        store.apply([store.relabelling(second, "nomask_young")])
        store.apply([describing(third, subject="p9"), trashing(fourth)])
        store.add(draw_noise(99), "mask_old")
    (root / first.path).unlink()
    rename_class(root, "nomask_old", "elders")
    left = iter(range(steps))

    def counted(patch: pytest.MonkeyPatch, name: str) -> None:
        plain = getattr(PhotoStore, name)

        def step(self: PhotoStore, *given: object) -> object:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return plain(self, *given)

        patch.setattr(PhotoStore, name, step)

    with monkeypatch.context() as patch:
        counted(patch, "apply")
        counted(patch, "put_back")
        with suppress(KeyboardInterrupt):
            restore(root)
    restore(root)
    assert [facts(photo) for photo in list_photos(root)] == [facts(photo) for photo in before]
    assert contents(root) == pictures
    assert not examine(root).findings


def test_former_classes_come_back(root: Path) -> None:
    before = list_photos(root)
    take(root)
    rename_class(root, "mask_old", "elders")
    restore(root)
    assert [facts(photo) for photo in list_photos(root)] == [facts(photo) for photo in before]
    assert not (root / "classes.toml").exists()


def test_a_picture_that_was_changed_in_place_is_reported_and_not_restored(root: Path) -> None:
    snapshot = take(root)
    victim = snapshot.photos[0]
    kept = open_objects(root).path_of(victim.digest)
    kept.unlink()
    kept.write_bytes(b"changed")
    (root / victim.photo.path).unlink()
    assert [each.damaged for each in measure_snapshots(root, list_photos(root))] == [1]
    with PhotoStore(root) as store:
        done = restore_snapshot(store, find_snapshot(root, "one"))
    assert [each.photo.path for each in done.lost] == [victim.photo.path]


def test_the_next_snapshot_sees_a_photo_that_was_changed_in_place(root: Path) -> None:
    first = take(root, "one")
    path = root / first.photos[0].photo.path
    path.unlink()
    path.write_bytes(encoded(3))
    second = take(root, "two")
    assert second.photos[0].digest != first.photos[0].digest
    assert open_objects(root).read(second.photos[0].digest) == encoded(3)
    assert open_objects(root).read(first.photos[0].digest) is not None


def test_deleting_a_snapshot_keeps_what_others_hold(root: Path) -> None:
    take(root, "one")
    with PhotoStore(root) as store:
        store.add(draw_noise(99), "mask_old")
    take(root, "two")
    with PhotoStore(root) as store:
        assert delete_snapshot(store, "one") == 0
        assert delete_snapshot(store, "two") == 7
    assert list_names(root) == []
    assert list(open_objects(root).digests()) == []
    assert len(list_photos(root)) == 7


@pytest.mark.parametrize("name", ["", "now", "../x", "a/b", ".hidden", "a" * 65, "a b"])
def test_a_name_that_cannot_be_one_is_refused(root: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        take(root, name)


def test_a_name_that_is_taken_is_refused(root: Path) -> None:
    take(root, "one")
    with pytest.raises(UsageError, match="already"):
        take(root, "ONE")


def test_an_empty_dataset_has_nothing_to_keep(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no photo"):
        take(tmp_path / "data")


def test_a_damaged_snapshot_is_named(root: Path) -> None:
    take(root)
    path = snapshots_folder(root) / "one.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(DatasetError, match="5 of 6 photos"):
        read_snapshot(path)


def test_a_full_disk_leaves_no_snapshot(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: ObjectStore, file: Path, digest: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ObjectStore, "keep", refuse)
    with pytest.raises(PhotoNotSavedError, match="No space left"):
        take(root)
    assert list_names(root) == []


def test_forgetting_reaches_into_snapshots(root: Path, tmp_path: Path) -> None:
    theirs = {photo.sha256 for photo in list_photos(root) if photo.subject == "p1"}
    take(root)
    with PhotoStore(root) as store:
        plan = plan_forgetting(root, "p1", [tmp_path])
        assert plan.snapshots.rows == 3
        forget(store, plan)
    assert theirs.isdisjoint(open_objects(root).digests())
    assert {each.photo.subject for each in find_snapshot(root, "one").photos} == {"p0"}
    assert not any(b"p1" in path.read_bytes() for path in walk(snapshots_folder(root)))


def test_somebody_who_is_only_in_a_snapshot_can_be_forgotten(root: Path, tmp_path: Path) -> None:
    take(root)
    with PhotoStore(root) as store:
        store.apply([describing(p, subject="x") for p in store.photos() if p.subject == "p1"])
    with PhotoStore(root) as store:
        forget(store, plan_forgetting(root, "p1", [tmp_path]))
    assert len(list_photos(root)) == 6
    assert {each.photo.subject for each in find_snapshot(root, "one").photos} == {"p0"}


def test_who_was_not_named_then_is_forgotten_too(root: Path, tmp_path: Path) -> None:
    with PhotoStore(root) as store:
        store.apply([describing(photo, subject=None) for photo in store.photos()])
    take(root)
    with PhotoStore(root) as store:
        store.apply([describing(photo, subject="p7") for photo in store.photos()[:2]])
    with PhotoStore(root) as store:
        forget(store, plan_forgetting(root, "p7", [tmp_path]))
    assert len(find_snapshot(root, "one").photos) == 4
    assert len(list(open_objects(root).digests())) == 4


def walk(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
