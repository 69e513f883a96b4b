"""What is known of a photo beside its label: set, corrected, undone, and never mixed up."""

import sqlite3
from contextlib import closing
from pathlib import Path

from maskage.dataset.class_changes import rename_class
from maskage.dataset.edits import confirming, describing
from maskage.dataset.manifest.reading import read_consents, read_rows
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.formats.dataset_folder import manifest_path
from maskage.records import Photo, Suggestion
from tests.conftest import draw_noise

FIXTURES = Path(__file__).parent / "fixtures"


def only(root: Path) -> Photo:
    (photo,) = list_photos(root)
    return photo


def facts(photo: Photo) -> tuple[str | None, str | None, str | None]:
    return photo.subject, photo.session, photo.group


def test_facts_are_set_removed_and_undone(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photo = store.add(draw_noise(1), "mask_old", subject="p1", session="s1")
        edit = describing(photo, subject="p2", session=None)
        store.apply([edit])
        assert facts(only(tmp_path)) == ("p2", None, None)
        assert store.photos() == [edit.after]
        store.apply([edit.inverse])
    assert facts(only(tmp_path)) == ("p1", "s1", None)


def test_an_edit_of_facts_is_an_event_of_its_own(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        store.apply([describing(store.add(draw_noise(1), "mask_old"), group="g")])
    with closing(sqlite3.connect(manifest_path(tmp_path))) as db:
        actions = [action for (action,) in db.execute("SELECT action FROM events ORDER BY id")]
    assert actions == ["add", "describe"]


def test_the_check_and_the_model_do_not_overwrite_each_other(tmp_path: Path) -> None:
    of_model, of_check = Suggestion("mask_young", 0.7), Suggestion("nomask_old", 0.9)
    with PhotoStore(tmp_path) as store:
        photo = store.add(draw_noise(1), "mask_old")
        store.check({photo.path: of_check})
        store.suggest([(store.photos()[0], of_model)])
    assert only(tmp_path).disputes == (of_check, of_model)
    with PhotoStore(tmp_path) as store:
        store.suggest([(store.photos()[0], Suggestion("mask_old", 0.8))])
    assert only(tmp_path).disputes == (of_check,)
    with PhotoStore(tmp_path) as store:
        store.check({})
    assert not only(tmp_path).is_disputed


def test_a_confirmed_label_is_not_disputed_again_until_it_changes(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photo = store.add(draw_noise(1), "mask_old")
        store.apply([confirming(photo)])
        store.suggest([(store.photos()[0], Suggestion("mask_young", 0.9))])
        store.check({photo.path: Suggestion("nomask_old", 0.9)})
        assert not only(tmp_path).is_disputed
        store.apply([store.relabelling(store.photos()[0], "nomask_young")])
    assert only(tmp_path).is_disputed


def test_a_renamed_class_is_renamed_in_every_opinion(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photo = store.add(draw_noise(1), "mask_old")
        store.check({photo.path: Suggestion("mask_young", 0.9)})
        other = store.add(draw_noise(2), "mask_young")
        store.apply([confirming(other)])
    rename_class(tmp_path, "mask_young", "kids")
    by_label = {photo.label: photo for photo in list_photos(tmp_path)}
    assert by_label["mask_old"].check == Suggestion("kids", 0.9)
    assert by_label["kids"].confirmed == "kids"


def test_a_manifest_of_the_second_schema_is_read_and_brought_up(tmp_path: Path) -> None:
    manifest_path(tmp_path).parent.mkdir()
    with closing(sqlite3.connect(manifest_path(tmp_path))) as db:
        db.executescript((FIXTURES / "manifest_2.sql").read_text(encoding="utf-8"))
    before = read_rows(tmp_path)
    assert len(before.present) == 2
    assert len(before.removed) == 1
    assert [photo.suggestion for photo in before.present.values() if photo.suggestion] == [
        Suggestion("mask_young", 0.75)
    ]
    assert list(read_consents(tmp_path)) == ["p1"]
    PhotoStore(tmp_path).close()
    assert read_rows(tmp_path) == before
    with closing(sqlite3.connect(manifest_path(tmp_path))) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (4,)


def test_a_manifest_of_the_third_schema_keeps_its_flags_without_a_reason(tmp_path: Path) -> None:
    manifest_path(tmp_path).parent.mkdir()
    with closing(sqlite3.connect(manifest_path(tmp_path))) as db:
        db.executescript((FIXTURES / "manifest_3.sql").read_text(encoding="utf-8"))
    before = read_rows(tmp_path)
    (check,) = [photo.check for photo in before.present.values() if photo.check]
    assert check == Suggestion("nomask_old", 0.875, reason=None, cost=None)
    PhotoStore(tmp_path).close()
    assert read_rows(tmp_path) == before
    with closing(sqlite3.connect(manifest_path(tmp_path))) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (4,)


def test_reason_and_cost_of_a_check_are_kept_and_go_with_it(tmp_path: Path) -> None:
    doubt = Suggestion("nomask_old", 0.75, "mask? nose seems out", 0.125)
    with PhotoStore(tmp_path) as store:
        photo = store.add(draw_noise(1), "mask_old")
        store.check({photo.path: doubt})
        store.suggest([(store.photos()[0], Suggestion("mask_old", 0.8))])
    assert only(tmp_path).check == doubt
    with PhotoStore(tmp_path) as store:
        assert store.photos()[0].check == doubt
        store.check({})
    assert only(tmp_path).check is None
