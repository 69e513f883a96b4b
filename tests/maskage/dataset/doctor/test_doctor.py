import json
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from collector.cli import main
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.consent import Consent
from maskage.dataset.doctor.examine import examine
from maskage.dataset.doctor.files import facts_of_name
from maskage.dataset.doctor.findings import Kind
from maskage.dataset.doctor.repair import repair_dataset
from maskage.dataset.edits import trashing
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetInUseError
from maskage.formats.dataset_folder import manifest_path
from maskage.pictures.images import encode_jpeg, read_image
from maskage.pictures.perceptual_hash import hash_crop
from maskage.pictures.quality import measure_quality
from maskage.records import Photo
from maskage.system.files import TEMPORARY_PREFIX
from maskage.system.lock import lock_dataset
from tests.conftest import draw_noise
from tests.maskage.dataset.doctor.doctor_cases import (
    QUALITY,
    assert_repaired,
    events,
    fill,
    found,
    garble_the_header,
    make_mess,
    picture_contents,
    put,
    tree,
)


def test_a_dataset_of_ours_is_clean(tmp_path: Path) -> None:
    fill(tmp_path)
    diagnosis = examine(tmp_path)
    assert diagnosis.is_clean
    assert diagnosis.photos == 4
    assert diagnosis.notes == ()
    assert repair_dataset(tmp_path).left == []


def test_a_photo_put_in_by_hand_is_adopted_without_a_subject(tmp_path: Path) -> None:
    fill(tmp_path)
    pixels = draw_noise(99)
    put(tmp_path, "mask_old/hand.jpg", data := encode_jpeg(pixels))
    assert_repaired(tmp_path, {Kind.UNKNOWN: ["mask_old/hand.jpg"]})
    row = read_rows(tmp_path).present["mask_old/hand.jpg"]
    decoded = read_image(tmp_path / "mask_old/hand.jpg")
    assert (row.subject, row.session, row.taken_at) == (None, None, None)
    assert row.fingerprint == hash_crop(decoded)
    assert row.quality == measure_quality(decoded)
    assert (tmp_path / "mask_old/hand.jpg").read_bytes() == data
    assert events(tmp_path)[-1] == ("adopt", "mask_old/hand.jpg")


def test_a_photo_saved_without_its_row_is_adopted_with_time_and_session(tmp_path: Path) -> None:
    photo = fill(tmp_path)[0]
    with closing(sqlite3.connect(manifest_path(tmp_path))) as db, db:
        db.execute("DELETE FROM photos WHERE path = ?", (photo.path,))
    assert_repaired(tmp_path, {Kind.UNKNOWN: [photo.path]})
    row = read_rows(tmp_path).present[photo.path]
    assert row == replace(
        photo,
        subject=None,
        source=None,
        box=None,
        quality=row.quality,
        fingerprint=row.fingerprint,
    )


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        (
            "20261123T101112345Z_20261123-101100-ab12_00007_0123abcd.jpg",
            ("2026-11-23T10:11:12.345+00:00", "20261123-101100-ab12"),
        ),
        (
            "20261123T101112345Z_single_00007_0123abcd-0123abcd2.jpg",
            ("2026-11-23T10:11:12.345+00:00", None),
        ),
        ("20261323T101112345Z_single_00007_0123abcd.jpg", (None, None)),
        ("IMG_2042.jpg", (None, None)),
        ("", (None, None)),
    ],
)
def test_names_tell_time_and_session_only_where_they_are_ours(
    name: str, facts: tuple[str | None, str | None]
) -> None:
    assert facts_of_name(f"mask_old/{name}") == facts


def test_a_row_follows_a_photo_moved_by_hand(tmp_path: Path) -> None:
    photo = fill(tmp_path)[0]
    moved = f"nomask_young/{Path(photo.path).name}"
    (tmp_path / photo.path).rename(tmp_path / moved)
    assert_repaired(tmp_path, {Kind.MOVED: [moved]})
    rows = read_rows(tmp_path).present
    assert rows[moved] == replace(photo, path=moved, label="nomask_young")
    assert photo.path not in rows
    assert events(tmp_path)[-1] == ("relabel", moved)


def test_a_row_follows_a_photo_renamed_by_hand(tmp_path: Path) -> None:
    photo = fill(tmp_path)[0]
    (tmp_path / photo.path).rename(tmp_path / "mask_old/anna.jpg")
    assert_repaired(tmp_path, {Kind.MOVED: ["mask_old/anna.jpg"]})
    assert read_rows(tmp_path).present["mask_old/anna.jpg"].subject == "p0"


def test_rows_follow_photos_that_took_each_others_names(tmp_path: Path) -> None:
    one, other, third, _fourth = fill(tmp_path)
    for source, target in ((one, "x"), (other, one), (third, other)):
        to = target if isinstance(target, str) else target.path
        (tmp_path / source.path).rename(tmp_path / to)
    (tmp_path / "x").rename(tmp_path / third.path)
    assert_repaired(tmp_path, {Kind.MOVED: sorted([one.path, other.path, third.path])})
    subjects = {path: row.subject for path, row in read_rows(tmp_path).present.items()}
    assert subjects[one.path] == other.subject
    assert subjects[other.path] == third.subject
    assert subjects[third.path] == one.subject


def test_another_picture_under_a_lost_photos_name_inherits_no_subject(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        store.add_encoded(
            encode_jpeg(draw_noise(1)),
            Photo("mask_old/face.jpg", "mask_old", subject="anna", quality=QUALITY),
        )
    (tmp_path / "mask_old/face.jpg").unlink()
    put(tmp_path, "mask_young/face.jpg", encode_jpeg(draw_noise(2)))
    repair_dataset(tmp_path)
    assert list_photos(tmp_path)[0].subject is None
    assert examine(tmp_path).is_clean


def test_a_removed_photo_that_was_put_back_is_found(tmp_path: Path) -> None:
    photo = fill(tmp_path)[0]
    with PhotoStore(tmp_path) as store:
        store.apply([trashing(photo)])
    (tmp_path / ".trash" / photo.path).rename(tmp_path / photo.path)
    assert_repaired(tmp_path, {Kind.FOUND: [photo.path]})
    assert read_rows(tmp_path).present[photo.path] == photo
    assert events(tmp_path)[-1] == ("found", photo.path)


def test_a_photo_put_back_into_another_class_keeps_its_subject(tmp_path: Path) -> None:
    photo = fill(tmp_path)[0]
    with PhotoStore(tmp_path) as store:
        store.apply([trashing(photo)])
    moved = "mask_young/back.jpg"
    (tmp_path / ".trash" / photo.path).rename(tmp_path / moved)
    assert_repaired(tmp_path, {Kind.FOUND: [moved]})
    assert read_rows(tmp_path).present[moved].subject == "p0"


def test_a_row_whose_photo_lies_in_the_trash_is_marked_trashed(tmp_path: Path) -> None:
    photo = fill(tmp_path)[0]
    (tmp_path / photo.path).rename(tmp_path / ".trash" / photo.path)
    assert_repaired(tmp_path, {Kind.TRASHED: [photo.path]})
    assert read_rows(tmp_path).removed[photo.path] == photo
    assert events(tmp_path)[-1] == ("trash", photo.path)


def test_a_row_whose_photo_is_gone_stays_and_says_so(tmp_path: Path) -> None:
    photo = fill(tmp_path)[0]
    (tmp_path / photo.path).unlink()
    assert_repaired(tmp_path, {Kind.MISSING: [photo.path]})
    assert read_rows(tmp_path).removed[photo.path] == photo
    assert events(tmp_path)[-1] == ("missing", photo.path)


@pytest.mark.parametrize("length", [0, 700])
def test_a_damaged_photo_is_set_aside_with_all_its_bytes(tmp_path: Path, length: int) -> None:
    photo = fill(tmp_path)[0]
    whole = (tmp_path / photo.path).read_bytes()
    (tmp_path / photo.path).write_bytes(whole[:length])
    assert_repaired(tmp_path, {Kind.DAMAGED: [photo.path]})
    aside = tmp_path / ".damaged" / photo.path
    assert aside.read_bytes() == whole[:length]
    assert aside.parent.stat().st_mode & 0o777 == 0o700
    assert photo.path in read_rows(tmp_path).removed
    assert events(tmp_path)[-1] == ("damaged", photo.path)


def test_two_damaged_photos_of_one_name_are_both_kept(tmp_path: Path) -> None:
    fill(tmp_path)
    for content in (b"one", b"two"):
        put(tmp_path, "mask_old/bad.jpg", content)
        repair_dataset(tmp_path)
    kept = {path.read_bytes() for path in (tmp_path / ".damaged/mask_old").iterdir()}
    assert kept == {b"one", b"two"}


def test_a_photo_changed_outside_is_measured_anew(tmp_path: Path) -> None:
    photo = fill(tmp_path)[0]
    (tmp_path / photo.path).write_bytes(encode_jpeg(draw_noise(50) // 2))
    assert_repaired(tmp_path, {Kind.CHANGED: [photo.path]})
    row = read_rows(tmp_path).present[photo.path]
    decoded = read_image(tmp_path / photo.path)
    assert row.subject == photo.subject
    assert row.fingerprint == hash_crop(decoded)
    assert row.quality == replace(measure_quality(decoded), face_px=40)
    assert events(tmp_path)[-1] == ("changed", photo.path)


def test_rows_without_figures_are_measured(tmp_path: Path) -> None:
    photo = fill(tmp_path)[0]
    with closing(sqlite3.connect(manifest_path(tmp_path))) as db, db:
        db.execute(
            "UPDATE photos SET fingerprint = NULL, sharpness = NULL, brightness = NULL, "
            "clipped = NULL, face_px = NULL WHERE path = ?",
            (photo.path,),
        )
    assert_repaired(tmp_path, {Kind.UNMEASURED: [photo.path]})
    row = read_rows(tmp_path).present[photo.path]
    assert row.fingerprint == hash_crop(read_image(tmp_path / photo.path))
    assert row.quality is not None
    assert row.quality.face_px == 40


def test_a_photo_dropped_into_the_trash_is_known_as_trashed(tmp_path: Path) -> None:
    fill(tmp_path)
    put(tmp_path, ".trash/mask_old/hand.jpg", encode_jpeg(draw_noise(99)))
    assert_repaired(tmp_path, {Kind.STRAY: [".trash/mask_old/hand.jpg"]})
    assert "mask_old/hand.jpg" in read_rows(tmp_path).removed


def test_a_trashed_photo_gives_its_name_to_the_photo_that_took_it(tmp_path: Path) -> None:
    photo = fill(tmp_path)[0]
    with PhotoStore(tmp_path) as store:
        store.apply([trashing(photo)])
    put(tmp_path, photo.path, encode_jpeg(draw_noise(99)))
    mended = repair_dataset(tmp_path)
    assert set(found(mended.diagnosis)) == {Kind.UNKNOWN, Kind.STRAY}
    assert examine(tmp_path).is_clean
    rows = read_rows(tmp_path)
    assert rows.present[photo.path].subject is None
    (trashed,) = rows.removed.values()
    assert trashed.subject == photo.subject
    assert (tmp_path / ".trash" / trashed.path).exists()
    with PhotoStore(tmp_path) as store:
        store.apply([trashing(rows.present[photo.path])])
    assert examine(tmp_path).is_clean


def test_unfinished_files_are_removed(tmp_path: Path) -> None:
    fill(tmp_path)
    paths = [f"mask_old/{TEMPORARY_PREFIX}1-a.jpg", f".trash/mask_old/{TEMPORARY_PREFIX}1-b.jpg"]
    for path in paths:
        put(tmp_path, path, b"half")
    assert_repaired(tmp_path, {Kind.TEMPORARY: sorted(paths)})
    assert not any((tmp_path / path).exists() for path in paths)


def test_missing_folders_are_made(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    shutil.rmtree(tmp_path / ".trash")
    (tmp_path / "nomask_young").rmdir()
    assert_repaired(
        tmp_path,
        {
            Kind.FOLDER: [
                ".trash",
                *(f".trash/{label}" for label in MASK_AGE.labels),
                "nomask_young",
            ]
        },
    )
    assert (tmp_path / ".trash/mask_old").stat().st_mode & 0o777 == 0o700


def test_what_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    root = tmp_path / "data"
    photo = fill(root)[0]
    for path, mode in ((".", 0o755), (photo.path, 0o644), (".dataset/manifest.db", 0o660)):
        (root / path).chmod(mode)
    assert_repaired(root, {Kind.OPEN: sorted([".", photo.path, ".dataset/manifest.db"])})
    assert root.stat().st_mode & 0o777 == 0o700
    assert (root / photo.path).stat().st_mode & 0o777 == 0o600


def test_what_a_link_points_to_is_left_as_open_as_it_is(tmp_path: Path) -> None:
    root = tmp_path / "data"
    fill(root)
    outside = tmp_path / "elsewhere.jpg"
    outside.write_bytes(encode_jpeg(draw_noise(99)))
    outside.chmod(0o644)
    (root / "mask_old/link.jpg").symlink_to(outside)
    assert_repaired(root, {Kind.UNKNOWN: ["mask_old/link.jpg"]})
    assert outside.stat().st_mode & 0o777 == 0o644


def test_a_name_that_is_no_text_is_told_and_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path)
    name = os.fsdecode(b"caf\xe9.jpg")
    put(tmp_path, f"mask_old/{name}", encode_jpeg(draw_noise(99)))
    assert main(["doctor", str(tmp_path)]) == 0
    # A command that cannot help is not named.
    assert capsys.readouterr().out.endswith(
        "1 fault found, nothing was changed. It is left to you, as said above.\n"
    )
    assert main(["doctor", str(tmp_path), "--fix"]) == 4
    told = capsys.readouterr()
    assert "mask_old/caf\\xe9.jpg (its name is not UTF-8: rename it)" in told.out
    assert "0 faults repaired, 1 left." in told.out
    assert "1 fault is left in" in told.err
    put(tmp_path, "mask_old/hand.jpg", encode_jpeg(draw_noise(98)))
    assert main(["doctor", str(tmp_path)]) == 0
    assert "which deletes no photo; 1 of them is left to you." in capsys.readouterr().out
    assert main(["doctor", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["unreadable"] == 1


@pytest.mark.usefixtures("heeded_permissions")
def test_a_photo_that_may_not_be_read_is_told_and_left(tmp_path: Path) -> None:
    photo = fill(tmp_path)[0]
    (tmp_path / photo.path).chmod(0)
    mended = repair_dataset(tmp_path)
    assert [(f.path, reason) for f, reason in mended.left] == [(photo.path, "Permission denied")]
    assert photo.path in read_rows(tmp_path).present


def test_of_a_whole_mess_nothing_is_lost_and_the_second_run_is_clean(tmp_path: Path) -> None:
    root = tmp_path / "data"
    make_mess(root)
    before = picture_contents(root)
    mended = repair_dataset(root)
    assert mended.left == []
    kinds = set(found(mended.diagnosis))
    assert kinds >= set(Kind) - {
        Kind.MANIFEST_DAMAGED,
        Kind.MANIFEST_LOST,
        Kind.FOLDER,
        Kind.UNREADABLE,
        Kind.UNMEASURED,
    }
    assert found(examine(root)) == {}
    assert picture_contents(root) == before
    first = {path: state[2] for path, state in tree(root).items() if ".dataset" not in path}
    assert repair_dataset(root).diagnosis.is_clean
    second = {path: state[2] for path, state in tree(root).items() if ".dataset" not in path}
    assert first == second


def test_without_fix_nothing_at_all_is_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    make_mess(root)
    before = tree(root)
    assert main(["doctor", str(root)]) == 0
    assert main(["doctor", str(root), "--json"]) == 0
    assert tree(root) == before
    capsys.readouterr()


def test_a_folder_that_is_no_dataset_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"mine")
    tmp_path.chmod(0o755)
    before = tree(tmp_path)
    assert main(["doctor", str(tmp_path), "--fix"]) == 4
    assert main(["doctor", str(tmp_path / "none"), "--fix"]) == 4
    assert tree(tmp_path) == before
    assert "not a dataset" in capsys.readouterr().err


def test_a_dataset_that_is_being_written_to_is_not_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path)
    with PhotoStore(tmp_path):
        assert main(["doctor", str(tmp_path), "--fix"]) == 75
        with pytest.raises(DatasetInUseError):
            repair_dataset(tmp_path)
        diagnosis = examine(tmp_path)
    assert [note.kind for note in diagnosis.notes] == ["in_use"]
    assert f"process {os.getpid()}" in diagnosis.notes[0].text
    assert "is writing to this dataset" in capsys.readouterr().err
    lock_dataset(tmp_path).close()


def test_one_picture_under_two_labels_is_told_and_not_changed(tmp_path: Path) -> None:
    photo = fill(tmp_path)[0]
    os.link(tmp_path / photo.path, tmp_path / "nomask_young/twin.jpg")
    repair_dataset(tmp_path)
    diagnosis = examine(tmp_path)
    assert diagnosis.is_clean
    (note,) = diagnosis.notes
    assert (note.kind, note.names) == ("label_conflict", (photo.path, "nomask_young/twin.jpg"))
    assert (tmp_path / photo.path).exists()


def test_consents_that_ended_or_lack_are_notes(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        sources = {"demo": "demo", "webcam": "0", "ended": "rtsp://hall", "imported": "a/b.jpg"}
        for number, (subject, source) in enumerate(sources.items()):
            store.add(
                draw_noise(number),
                "mask_old",
                subject=subject,
                source=source,
                quality=QUALITY,
            )
        store.record_consent(Consent("ended", "form 3", date(2025, 1, 1), date(2025, 12, 31)))
    diagnosis = examine(tmp_path, today=date(2026, 1, 1))
    assert diagnosis.is_clean
    assert {note.kind: note.names for note in diagnosis.notes} == {
        "consent_expired": ("ended",),
        "consent_missing": ("webcam",),
    }
    assert [n.kind for n in examine(tmp_path, today=date(2025, 12, 31)).notes] == [
        "consent_missing"
    ]


def test_the_command_tells_what_it_found_and_what_it_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    photos = fill(root, 12)
    for number in range(7):
        put(root, f"mask_old/hand{number}.jpg", encode_jpeg(draw_noise(500 + number)))
    (root / photos[0].path).unlink()
    assert main(["doctor", str(root), "--strict"]) == 3
    told = capsys.readouterr()
    assert (
        told.out
        == f"""\
{root}: 18 photos, 12 rows of photos that are not removed
     7  photos without a row: to be adopted; their subject stays unknown
          mask_old/hand0.jpg
          mask_old/hand1.jpg
          mask_old/hand2.jpg
          mask_old/hand3.jpg
          mask_old/hand4.jpg
          and 2 more
     1  row whose photo is gone: to be marked as gone; no row is deleted
          {photos[0].path}
8 faults found, nothing was changed. \
Repair with `collector doctor {root} --fix`, which deletes no photo.
"""
    )
    assert "--strict: 8 faults are left" in told.err
    assert main(["doctor", str(root), "--fix", "--strict"]) == 0
    assert capsys.readouterr().out.endswith("8 faults repaired; no photo was deleted.\n")
    assert main(["doctor", str(root), "--strict"]) == 0
    assert capsys.readouterr().out == (
        f"{root}: 18 photos, 18 rows of photos that are not removed\n"
        f"Clean: folders and manifest agree, and every photo is whole.\n"
    )


def test_json_names_every_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "data"
    make_mess(root)
    path = manifest_path(root)
    path.write_bytes(garble_the_header(path.read_bytes()))
    assert main(["doctor", str(root), "--json", "--fix"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["fixed"] is True
    assert told["clean"] is False
    assert told["left"] == 0
    assert told["counts"]["manifest_damaged"] == 1
    assert told["counts"]["damaged"] == 2
    assert sum(told["counts"].values()) == len(told["findings"])
    assert all(finding["fixed"] for finding in told["findings"])
    assert told["salvaged"]["rows"] == 40
    assert main(["doctor", str(root), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["clean"] is True
    assert told["findings"] == []
    assert {note["kind"] for note in told["notes"]} == {"label_conflict", "outside"}


def test_what_the_disk_refuses_is_left_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    fill(root)
    put(root, "mask_old/bad.jpg", b"bad")
    # A file stands where the folder of damaged photos is to be.
    put(root, ".damaged", b"")
    assert main(["doctor", str(root), "--fix", "--strict"]) == 3
    told = capsys.readouterr()
    assert "left as it is: mask_old/bad.jpg (File exists)" in told.out
    assert "0 faults repaired, 1 left." in told.out
    assert (root / "mask_old/bad.jpg").read_bytes() == b"bad"
