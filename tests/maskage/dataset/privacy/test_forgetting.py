"""What is forgotten is gone to the last byte, nobody else loses anything, and the rest is told."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from collector.cli import main
from curation.cli import main as curate
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.consent import Consent
from maskage.dataset.doctor.repair import repair_dataset
from maskage.dataset.edits import trashing
from maskage.dataset.manifest.reading import former_names, read_consents, read_rows
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.privacy.forgetting import forget, plan_forgetting
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.formats.curated.curated_set import read_contents
from maskage.formats.dataset_folder import manifest_path
from maskage.formats.feature_cache import read_digests
from maskage.formats.run.predictions_file import Prediction
from maskage.formats.run.run_folder import RunFolder
from maskage.pictures.images import encode_jpeg, read_image
from maskage.records import Photo
from maskage.system.files import TEMPORARY_PREFIX
from maskage.system.paths import scan_cache_path
from tests.conftest import draw_noise
from trainer.data.dataset import read_training_photos

SUBJECT, OTHERS = "p07-unmistakable", ("p08", "p09", "p10")
DAY = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing outside the test's folder is looked through."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MASKAGE_CACHE", raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four people with two photos in each class; everybody's consent."""
    root = tmp_path / "data"
    with PhotoStore(root) as store:
        seed = 0
        for subject in (SUBJECT, *OTHERS):
            store.record_consent(Consent(subject, f"form of {subject}", DAY))
            for label in MASK_AGE.labels:
                for _ in range(2):
                    seed += 1
                    store.add(
                        draw_noise(seed), label, subject=subject, session=f"s-{subject}", source="0"
                    )
    return root


def photos_of(root: Path, subject: str) -> list[Photo]:
    return [photo for photo in list_photos(root) if photo.subject == subject]


def trash_one(root: Path, subject: str, number: int = 0) -> Photo:
    with PhotoStore(root) as store:
        photo = [one for one in store.photos() if one.subject == subject][number]
        store.apply([trashing(photo)])
    return photo


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, hidden ones too, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def events_of(root: Path) -> list[tuple[str, str]]:
    db = sqlite3.connect(manifest_path(root))
    try:
        return db.execute("SELECT path, action FROM events ORDER BY id").fetchall()
    finally:
        db.close()


def forget_all(root: Path, *words: str) -> int:
    return main(["forget", SUBJECT, "--data", str(root), "--yes", *words])


def save_piece(cache: Path, name: str, digests: list[str]) -> Path:
    """A piece as `maskage.formats.feature_cache.FeatureCache` writes it."""
    piece = cache / "mobilenetv2-1-96-v1-0123456789abcdef" / name
    piece.parent.mkdir(parents=True, exist_ok=True)
    keys = np.array([f"{digest}:{view}" for digest in digests for view in range(2)])
    with piece.open("wb") as file:
        np.savez(file, keys=keys, values=np.zeros((len(keys), 4), np.float32))
    return piece


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def curated_set(root: Path, name: str = "curated", *words: str) -> Path:
    out = root.parent / name
    assert curate([str(root), "--out", str(out), *words]) == 0
    return out


def copies_in(curated: Path, names: set[str]) -> list[Path]:
    return [path for path in sorted(curated.rglob("*.jpg")) if path.name in names]


def test_all_of_a_person_goes_and_nobody_else_loses_anything(data: Path) -> None:
    trashed = trash_one(data, SUBJECT)
    trash_one(data, "p08")
    mine = photos_of(data, SUBJECT)
    moved = mine[0]
    (data / moved.path).rename(data / "nomask_old" / Path(moved.path).name)
    unfinished = data / "mask_old" / f"{TEMPORARY_PREFIX}77-x.jpg"
    unfinished.write_bytes(b"half")
    others = {
        path: content
        for path, content in files_of(data).items()
        if not path.startswith(".dataset")
        and Path(path).name not in {Path(photo.path).name for photo in [*mine, trashed]}
        and TEMPORARY_PREFIX not in path
    }
    rows = [row for row in read_rows(data).present.values() if row.subject != SUBJECT]
    removed = [row for row in read_rows(data).removed.values() if row.subject != SUBJECT]
    events = [event for event in events_of(data) if "p07" not in event[0]]
    assert forget_all(data) == 0
    left = files_of(data)
    assert {p: c for p, c in left.items() if not p.startswith(".dataset")} == others
    assert list(read_rows(data).present.values()) == rows
    assert list(read_rows(data).removed.values()) == removed
    assert events_of(data) == events
    assert sorted(read_consents(data)) == sorted(OTHERS)


def test_no_byte_of_the_dataset_names_the_person(data: Path) -> None:
    """Also those of a photo that was relabelled, flagged and trashed, in -wal and in -shm."""
    with PhotoStore(data) as store:
        photo = next(one for one in store.photos() if one.subject == SUBJECT)
        edit = store.relabelling(photo, "nomask_young")
        store.apply([edit])
        store.apply([trashing(edit.photo)])
    names = [Path(p.path).name for p in photos_of(data, SUBJECT)] + [Path(photo.path).name]
    before = b"".join(files_of(data / ".dataset").values())
    assert SUBJECT.encode() in before
    assert all(name.encode() in before for name in names)
    with PhotoStore(data) as store:
        forget(store, plan_forgetting(data, SUBJECT, []))
        while_open = files_of(data / ".dataset")
        assert "manifest.db-wal" in while_open
    for files in (while_open, files_of(data / ".dataset")):
        for name, content in files.items():
            for word in [SUBJECT, *names]:
                assert word.encode() not in content, name
    db = sqlite3.connect(manifest_path(data))
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_curations_record_of_its_looks_goes_too(data: Path, tmp_path: Path) -> None:
    for photo in list_photos(data):
        os.utime(data / photo.path, (1_700_000_000, 1_700_000_000))
    assert curate([str(data), "--out", str(tmp_path / "curated")]) == 0
    assert photos_of(data, SUBJECT)[0].path.encode() in scan_cache_path(data).read_bytes()
    with PhotoStore(data) as store:
        forget(store, plan_forgetting(data, SUBJECT, []))
    assert not scan_cache_path(data).exists()


def test_a_photo_of_the_same_name_keeps_its_row_its_file_and_its_events(tmp_path: Path) -> None:
    with PhotoStore(tmp_path / "data") as store:
        for seed, (label, subject) in enumerate([("mask_old", SUBJECT), ("nomask_old", "p08")]):
            photo = Photo(f"{label}/001.jpg", label, subject=subject)
            store.add_encoded(encode_jpeg(draw_noise(seed)), photo)
    assert forget_all(tmp_path / "data") == 0
    assert [photo.path for photo in list_photos(tmp_path / "data")] == ["nomask_old/001.jpg"]
    assert events_of(tmp_path / "data") == [("nomask_old/001.jpg", "add")]


def test_a_copy_under_another_name_is_known_by_its_content(data: Path) -> None:
    mine, other = photos_of(data, SUBJECT)[0], photos_of(data, "p08")[0]
    shutil.copy(data / mine.path, data / "mask_old" / "holiday.jpg")
    shutil.copy(data / mine.path, data / ".trash" / "mask_old" / "holiday.jpg")
    shutil.copy(data / other.path, data / "mask_old" / "stranger.jpg")
    plan = plan_forgetting(data, SUBJECT, [])
    assert "mask_old/holiday.jpg" in plan.mine.photos
    assert ".trash/mask_old/holiday.jpg" in plan.mine.trash
    assert forget_all(data) == 0
    assert not (data / "mask_old" / "holiday.jpg").exists()
    assert (data / "mask_old" / "stranger.jpg").exists()


def test_what_lies_elsewhere_in_the_folder_goes_too(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (first, second), other = photos_of(data, SUBJECT)[:2], photos_of(data, "p08")[0]
    for folder in ("to_sort", "mask_old/deeper"):
        (data / folder).mkdir()
    (data / first.path).rename(data / "to_sort" / "x.jpg")
    (data / second.path).rename(data / "mask_old" / "deeper" / "y.txt")
    shutil.copy(data / other.path, data / "to_sort" / "stranger.jpg")
    former = data / f"{second.path}_original"
    former.write_bytes(b"as it was before a tool turned it")
    plan = plan_forgetting(data, SUBJECT, [])
    assert plan.mine.elsewhere == ("mask_old/deeper/y.txt", "to_sort/x.jpg")
    assert plan.mine.unclear == (f"{second.path}_original",)
    assert forget_all(data) == 0
    assert "2 photos elsewhere in its folder:\n         mask_old/deeper/y.txt" in (
        capsys.readouterr().out
    )
    assert [path.name for path in (data / "to_sort").iterdir()] == ["stranger.jpg"]
    assert former.exists()
    assert list((data / "mask_old" / "deeper").iterdir()) == []


def test_the_file_behind_a_link_is_told(data: Path, tmp_path: Path) -> None:
    mine = photos_of(data, SUBJECT)[0]
    far = (tmp_path / "far.jpg").resolve()
    (data / mine.path).rename(far)
    (data / mine.path).symlink_to(far)
    assert plan_forgetting(data, SUBJECT, []).mine.unclear == (str(far),)
    assert forget_all(data) == 0
    assert not (data / mine.path).is_symlink()
    assert far.exists()


def test_no_name_that_a_photo_ever_had_is_left(tmp_path: Path) -> None:
    """Relabelled to where its name was taken, it bears a mark; removed, it gave its path away."""
    root = tmp_path / "data"
    word = "name-of-a-person"
    with PhotoStore(root) as store:
        store.add_encoded(
            encode_jpeg(draw_noise(1)), Photo("nomask_old/001.jpg", "nomask_old", subject="p08")
        )
        for number, name in enumerate(("001.jpg", f"{word}.jpg", f"{word}~2.jpg")):
            photo = Photo(f"mask_old/{name}", "mask_old", subject=SUBJECT)
            added = store.add_encoded(encode_jpeg(draw_noise(2 + number)), photo)
            if number:
                store.apply([store.relabelling(added, "nomask_young")])
        first = next(photo for photo in store.photos() if photo.path == "mask_old/001.jpg")
        edit = store.relabelling(first, "nomask_old")
        store.apply([edit])
        assert edit.photo.path.startswith("nomask_old/001-")
    assert forget_all(root) == 0
    assert events_of(root) == [("nomask_old/001.jpg", "add")]
    assert word.encode() not in b"".join(files_of(root).values())


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("mask_old/001.jpg", ["001.jpg"]),
        ("mask_old/a-3dd6bd37.jpg~7", ["a-3dd6bd37.jpg", "a.jpg"]),
        ("mask_old/a.jpg~2026-11-24T10:00:00.000+00:00~moving", ["a.jpg"]),
        ("mask_old/a-again-3dd6bd3712.jpg", ["a-again-3dd6bd3712.jpg", "a-again.jpg", "a.jpg"]),
        ("mask_old/IMG~2.jpg", ["IMG~2.jpg"]),
    ],
)
def test_a_row_tells_the_names_that_its_photo_may_have_had(path: str, names: list[str]) -> None:
    assert former_names(path) == names


def test_another_picture_that_took_the_name_is_left_and_told(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, other = photos_of(data, SUBJECT)[0], photos_of(data, "p08")[0]
    (data / mine.path).unlink()
    stranger = data / "nomask_young" / Path(mine.path).name
    shutil.copy(data / other.path, stranger)
    with stranger.open("ab") as file:
        file.write(b"\0")
    assert forget_all(data) == 0
    assert stranger.exists()
    assert f"nomask_young/{stranger.name}" in capsys.readouterr().out


def test_a_photo_of_nobody_from_their_sitting_is_told(data: Path) -> None:
    with PhotoStore(data) as store:
        orphan = store.add(draw_noise(99), "mask_old", session=f"s-{SUBJECT}")
        store.add(draw_noise(98), "mask_old", session="s-p08")
    plan = plan_forgetting(data, SUBJECT, [])
    assert plan.mine.unclear == (orphan.path,)
    assert orphan.path not in plan.mine.photos


def test_what_the_doctor_set_aside_goes_too(data: Path) -> None:
    broken = photos_of(data, SUBJECT)[0]
    others = photos_of(data, "p08")[0]
    for photo in (broken, others):
        (data / photo.path).write_bytes((data / photo.path).read_bytes()[:300])
    repair_dataset(data)
    aside = data / ".damaged" / broken.path
    assert aside.exists()
    manifest_path(data).write_bytes(b"nonsense" * 64 + manifest_path(data).read_bytes()[512:])
    repair_dataset(data)
    (old,) = (data / ".dataset").glob("manifest.db.damaged-*")
    plan = plan_forgetting(data, SUBJECT, [])
    assert plan.mine.damaged == (f".damaged/{broken.path}",)
    assert plan.old_manifests == (f".dataset/{old.name}",)
    assert forget_all(data) == 0
    assert not aside.exists()
    assert not old.exists()
    assert (data / ".damaged" / others.path).exists()
    assert SUBJECT.encode() not in b"".join(files_of(data).values())


def test_forgetting_waits_for_an_interrupted_doctor(data: Path) -> None:
    path = manifest_path(data)
    os.link(path, path.with_name(f"{path.name}.damaged-20261124T000000000Z"))
    with pytest.raises(DatasetError, match=r"collector doctor .* --fix"):
        plan_forgetting(data, SUBJECT, [])


def test_an_unknown_subject_is_told_with_the_known_ones(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_of(data)
    assert main(["forget", "p99", "--data", str(data), "--yes"]) == 4
    told = capsys.readouterr().err
    assert "p99" in told
    assert "p08" in told
    assert {p: c for p, c in files_of(data).items() if "lock" not in p} == {
        p: c for p, c in before.items() if "lock" not in p
    }


def test_forgetting_twice_harms_nothing(data: Path) -> None:
    assert forget_all(data) == 0
    before = files_of(data)
    assert forget_all(data) == 4
    assert {p: c for p, c in files_of(data).items() if "lock" not in p} == {
        p: c for p, c in before.items() if "lock" not in p
    }


def test_no_dataset_is_made_of_another_folder(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    assert main(["forget", SUBJECT, "--data", str(tmp_path / "nowhere"), "--yes"]) == 4
    assert main(["forget", SUBJECT, "--data", str(tmp_path / "notes"), "--yes"]) == 4
    assert [path.name for path in tmp_path.rglob("*")] == ["notes"]


def test_without_a_terminal_yes_is_needed(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files_of(data)
    words = [sys.executable, "-m", "collector.cli", "forget", SUBJECT, "--data", str(data)]
    answer = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert answer.returncode == 2
    assert "--yes" in answer.stderr
    assert files_of(data) == before


@pytest.mark.parametrize(("answer", "is_forgotten"), [(SUBJECT, True), ("y", False), (None, False)])
def test_at_a_terminal_the_name_is_the_answer(
    data: Path, monkeypatch: pytest.MonkeyPatch, answer: str | None, is_forgotten: bool
) -> None:
    leader, terminal = os.openpty()
    os.write(leader, b"\x04" if answer is None else f"{answer}\n".encode())
    with os.fdopen(terminal) as keyboard:
        monkeypatch.setattr(sys, "stdin", keyboard)
        assert main(["forget", SUBJECT, "--data", str(data)]) == 0
    os.close(leader)
    assert (photos_of(data, SUBJECT) == []) is is_forgotten


def test_who_is_asked_sees_what_would_go_also_where_json_is_wanted(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leader, terminal = os.openpty()
    os.write(leader, b"no\n")
    with os.fdopen(terminal) as keyboard:
        monkeypatch.setattr(sys, "stdin", keyboard)
        assert main(["forget", SUBJECT, "--data", str(data), "--json"]) == 0
    os.close(leader)
    told = capsys.readouterr()
    assert "2 photos in mask_old" in told.err
    assert json.loads(told.out)["forgotten"] is False


def test_a_dry_run_tells_and_changes_nothing(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_of(data)
    assert main(["forget", SUBJECT, "--data", str(data), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "2 photos in mask_old" in told
    assert f"form of {SUBJECT}" in told
    assert main(["forget", SUBJECT, "--data", str(data), "--dry-run", "--json"]) == 0
    told_json = json.loads(capsys.readouterr().out)
    assert told_json["photos"] == dict.fromkeys(MASK_AGE.labels, 2)
    assert told_json["forgotten"] is False
    assert files_of(data) == before


def test_a_dataset_in_use_is_not_touched(data: Path) -> None:
    with PhotoStore(data):
        assert forget_all(data) == 75
    assert len(photos_of(data, SUBJECT)) == 8


def test_cached_features_of_the_person_go_and_others_stay(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = photos_of(data, SUBJECT)[0].sha256 or ""
    other = photos_of(data, "p08")[0].sha256 or ""
    runs, named = tmp_path / "work" / "runs" / ".features", tmp_path / "elsewhere" / "deep" / "it"
    going = [save_piece(runs, "a.npz", [other, mine]), save_piece(named, "b.npz", [mine])]
    half = save_piece(runs, "c.npz", [mine])
    half.write_bytes(half.read_bytes()[:-40])  # its writing was interrupted
    half = half.rename(half.with_name(".0123456789abcdef"))
    staying = [save_piece(runs, "d.npz", [other]), runs / "network" / "network.onnx"]
    staying[1].parent.mkdir()
    staying[1].write_bytes(b"onnx")
    (runs / "network" / "damaged.npz").write_bytes(b"no archive")
    monkeypatch.setenv("MASKAGE_CACHE", str(named))
    assert forget_all(data) == 0
    assert [path.exists() for path in [*going, half]] == [False] * 3
    assert [path.exists() for path in staying] == [True] * 2
    assert list(read_digests(staying[0])) == [other] * 2


def test_runs_in_the_datasets_own_folder_are_found(data: Path) -> None:
    piece = save_piece(
        data / "runs" / ".features", "a.npz", [photos_of(data, SUBJECT)[0].sha256 or ""]
    )
    assert forget_all(data) == 0
    assert not piece.exists()


def test_links_are_not_followed(data: Path, tmp_path: Path) -> None:
    mine = photos_of(data, SUBJECT)[0].sha256 or ""
    far = tmp_path.parent / f"{tmp_path.name}-far"
    piece = save_piece(far / ".features", "a.npz", [mine])
    (tmp_path / "runs").symlink_to(far)
    assert forget_all(data) == 0
    assert piece.exists()
    shutil.rmtree(far)


@pytest.mark.parametrize("has_page", [True, False])
def test_curated_sets_and_runs_are_listed_and_left(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], has_page: bool
) -> None:
    names = {Path(photo.path).name for photo in photos_of(data, SUBJECT)}
    curated = curated_set(data, "curated", "--seed", "7")
    if not has_page:
        (curated / "report.html").unlink()
    run = RunFolder(tmp_path / "runs" / "base")
    run.path.mkdir(parents=True)
    run.write_args(
        {"curated": str(curated), "name": "base", "model": "mobilenetv2", "epochs": 3, "seed": 5}
    )
    capsys.readouterr()
    assert forget_all(data, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    (found,) = told["curated"]
    assert found["folder"] == str(curated)
    assert found["photos"] == len(copies_in(curated, names)) == 8
    assert found["command"].startswith(f"curate {data} --out {curated} ")
    assert "--seed 7" in found["command"]
    (trained,) = told["runs"]
    assert trained["command"] == (
        f"trainer fit {curated} --model mobilenetv2 --epochs 3 --seed 5 --name base "
        f"--runs {tmp_path / 'runs'}"
    )
    assert len(copies_in(curated, names)) == 8
    assert told["forgotten"] is True


def test_features_of_augmented_copies_go_though_they_have_digests_of_their_own(
    data: Path, tmp_path: Path
) -> None:
    split = tmp_path / "mine" / "train" / "mask_old"
    split.mkdir(parents=True)
    parent = photos_of(data, SUBJECT)[0]
    (split / "copy_aug.jpg").write_bytes(b"an augmented copy")
    (tmp_path / "mine" / "plan.csv").write_text(
        "path,label,kept,reason,group,split,parent\n"
        f"mask_old/copy_aug.jpg,mask_old,1,,g,train,{parent.path}\n"
    )
    piece = save_piece(
        tmp_path / "runs" / ".features", "a.npz", [digest_of(split / "copy_aug.jpg")]
    )
    plan = plan_forgetting(data, SUBJECT, [tmp_path])
    assert [(one.photos, one.variants) for one in plan.derived.curated] == [(0, 1)]
    assert plan.derived.cached == (piece,)


def test_a_set_of_the_same_names_from_elsewhere_is_not_listed(data: Path, tmp_path: Path) -> None:
    split = tmp_path / "theirs" / "train" / "mask_old"
    split.mkdir(parents=True)
    mine = photos_of(data, SUBJECT)[0]
    (split / Path(mine.path).name).write_bytes(b"another picture")
    (split / "copy.jpg").write_bytes(b"a copy of it")
    (tmp_path / "theirs" / "plan.csv").write_text(
        "path,label,kept,reason,group,split,parent\n"
        f"mask_old/copy.jpg,mask_old,1,,g,train,{mine.path}\n"
        f"{mine.path},mask_old,1,,g,train,\n"
    )
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "plan.csv").write_bytes(b"\xff\xfe not,a plan\n")
    assert plan_forgetting(data, SUBJECT, [tmp_path]).derived.curated == ()


def test_a_photo_that_was_relabelled_after_curating_is_found_in_the_set(data: Path) -> None:
    mine = photos_of(data, SUBJECT)[0]
    curated_set(data)
    with PhotoStore(data) as store:
        store.apply([store.relabelling(mine, "nomask_young")])
    (found,) = plan_forgetting(data, SUBJECT, [data.parent]).derived.curated
    assert found.photos == 8


def test_a_set_without_a_plan_is_known_by_the_content_of_its_files(
    data: Path, tmp_path: Path
) -> None:
    mine, other = photos_of(data, SUBJECT)[0], photos_of(data, "p08")[0]
    for split, photo in (("train", mine), ("val", other), ("test", other)):
        folder = tmp_path / "own" / split / photo.label
        folder.mkdir(parents=True)
        shutil.copy(data / photo.path, folder / "renamed.jpg")
    (found,) = plan_forgetting(data, SUBJECT, [tmp_path]).derived.curated
    assert (found.folder, found.photos) == (tmp_path / "own", 1)


def test_what_an_interrupted_curate_left_is_told_with_how_to_remove_it(
    data: Path, tmp_path: Path
) -> None:
    mine = photos_of(data, SUBJECT)[0]
    left = tmp_path / ".curated-building-4711"
    for part in ("result", "result-former"):
        folder = left / part / "train" / mine.label
        folder.mkdir(parents=True)
    shutil.copy(data / mine.path, folder)
    (found,) = plan_forgetting(data, SUBJECT, [tmp_path]).derived.curated
    # It was moved away, and nothing has taken its place: another `curate` puts that in order.
    anew = f"curate {data} --out {tmp_path / 'curated'}"
    assert (found.folder, found.photos, found.command) == (left, 1, anew)
    (tmp_path / "curated").mkdir()
    (found,) = plan_forgetting(data, SUBJECT, [tmp_path]).derived.curated
    assert (found.folder, found.photos, found.command) == (left, 1, f"rm -r {left}")


def test_a_copy_without_the_metadata_of_its_photo_is_found_in_a_set_without_a_plan(
    data: Path, tmp_path: Path
) -> None:
    for photo, orientation in zip(photos_of(data, SUBJECT), (1, 6), strict=False):
        exif = Image.Exif()
        exif[0x0112], exif[0x010E] = orientation, "where she lives"
        Image.fromarray(read_image(data / photo.path)).save(data / photo.path, exif=exif)
    repair_dataset(data)
    made = curated_set(data)
    shutil.copytree(made / "train", tmp_path / "own" / "train")
    for split in ("val", "test"):
        shutil.copytree(made / split, tmp_path / "own" / split)
    shutil.rmtree(made)
    assert not any(b"where she lives" in one for one in files_of(tmp_path / "own").values())
    (found,) = plan_forgetting(data, SUBJECT, [tmp_path]).derived.curated
    assert (found.folder, found.photos) == (tmp_path / "own", 8)


def test_a_photo_that_was_changed_after_curating_is_found_in_the_set(
    data: Path, tmp_path: Path
) -> None:
    mine = photos_of(data, SUBJECT)[0]
    former = digest_of(data / mine.path)
    curated_set(data)
    (data / mine.path).write_bytes(encode_jpeg(draw_noise(77)))
    repair_dataset(data)
    piece = save_piece(tmp_path / "runs" / ".features", "a.npz", [former])
    plan = plan_forgetting(data, SUBJECT, [tmp_path])
    assert [one.photos for one in plan.derived.curated] == [8]
    assert plan.derived.cached == (piece,)


def test_a_run_on_a_set_that_was_made_anew_since_may_have_seen_the_person(
    data: Path, tmp_path: Path
) -> None:
    for name, made in (("before", "curated"), ("elsewhere", "other")):
        curated = curated_set(data, made)
        run = RunFolder(tmp_path / "runs" / name)
        run.path.mkdir(parents=True)
        digest = read_training_photos(curated).digest
        run.write_args({"curated": str(curated), "dataset_digest": digest})
    with PhotoStore(data) as store:
        mine = [photo for photo in store.photos() if photo.subject == SUBJECT]
        store.apply([trashing(photo) for photo in mine])
    curated_set(data)
    found = plan_forgetting(data, SUBJECT, [tmp_path]).derived
    assert [one.folder.name for one in found.curated] == ["other"]
    assert [(run.folder.name, run.is_certain) for run in found.runs] == [
        ("before", False),
        ("elsewhere", True),
    ]
    assert found.runs[0].reason == f"trained on {tmp_path / 'curated'}, which was changed since"


def test_the_digest_of_a_set_is_that_of_training(data: Path) -> None:
    curated = curated_set(data, "curated", "--balance")
    assert read_contents(curated).digest == read_training_photos(curated).digest


def test_a_set_that_a_run_names_is_read_wherever_it_lies(data: Path, tmp_path: Path) -> None:
    curated = curated_set(data, "far/away/from/all/curated")
    run = RunFolder(tmp_path / "runs" / "base")
    run.path.mkdir(parents=True)
    run.write_args({"curated": str(curated)})
    found = plan_forgetting(data, SUBJECT, [tmp_path / "runs"]).derived
    assert [one.folder for one in found.curated] == [curated]
    assert [one.is_certain for one in found.runs] == [True]


def test_what_was_set_aside_is_told_because_the_page_may_show_it(data: Path) -> None:
    mine = photos_of(data, SUBJECT)
    curated = curated_set(data)
    plan = (curated / "plan.csv").read_text()
    for photo in mine:
        for copy in copies_in(curated, {Path(photo.path).name}):
            copy.unlink()
        plan = plan.replace(f"{photo.path},{photo.label},1", f"{photo.path},{photo.label},0")
    (curated / "plan.csv").write_text(plan)
    (found,) = plan_forgetting(data, SUBJECT, [data.parent]).derived.curated
    assert (found.photos, found.set_aside) == (0, 8)


def test_a_run_whose_set_is_gone_is_found_by_its_predictions(data: Path, tmp_path: Path) -> None:
    mine = photos_of(data, SUBJECT)[0]
    for name, path in (("sure", f"test/{mine.path}"), ("unsure", "test/mask_old/x.jpg")):
        run = RunFolder(tmp_path / "runs" / name)
        run.path.mkdir(parents=True)
        run.write_args({"curated": str(tmp_path / "gone"), "name": None})
        run.write_predictions([Prediction(path, "mask_old", "mask_old", (1.0, 0.0, 0.0, 0.0))])
    found = plan_forgetting(data, SUBJECT, [tmp_path]).derived.runs
    assert [(run.folder.name, run.is_certain) for run in found] == [
        ("sure", True),
        ("unsure", False),
    ]


def test_a_refusing_disk_leaves_the_rows_and_the_next_run_finishes(data: Path) -> None:
    folder, away = data / "nomask_young", data.parent / "away"
    with PhotoStore(data) as store:
        plan = plan_forgetting(data, SUBJECT, [])
        folder.rename(away)
        folder.write_bytes(b"")  # whoever runs the test: nothing can be removed from a file
        with pytest.raises(EnvironmentProblemError, match="run the same command again"):
            forget(store, plan)
    folder.unlink()
    away.rename(folder)
    assert len([row for row in read_rows(data).present.values() if row.subject == SUBJECT]) == 8
    assert len(photos_of(data, SUBJECT)) == 2
    assert forget_all(data) == 0
    assert photos_of(data, SUBJECT) == []
    assert list_photos(data) != []


@pytest.mark.slow
def test_a_reader_that_holds_the_log_is_told_of(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = manifest_path(data)
    reader = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM photos").fetchone()
    assert forget_all(data) == 0
    assert "another program reads the manifest" in capsys.readouterr().err
    assert SUBJECT.encode() in b"".join(files_of(data / ".dataset").values())
    reader.close()
    assert forget_all(data) == 4
    assert SUBJECT.encode() not in b"".join(files_of(data / ".dataset").values())


KILLED = """
import os, sys
from pathlib import Path
from maskage.system import files
from maskage.dataset.privacy import forgetting
from maskage.dataset.manifest import reading as manifest
from maskage.dataset.store import PhotoStore

root, subject, at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
steps = 0

def count(name):
    global steps
    steps += 1
    if steps == at:
        os._exit(9)

class Watched:
    def __init__(self, db):
        self.db = db
    def __getattr__(self, name):
        return getattr(self.db, name)
    def execute(self, sql, *values):
        count(sql)
        answer = self.db.execute(sql, *values)
        count(sql)
        return answer

with PhotoStore(root) as store:
    plan = forgetting.plan_forgetting(root, subject, [root.parent])
    store._manifest._db = Watched(store._manifest._db)
    forgetting.forget(store, plan, count)
    store._manifest._db = store._manifest._db.db
print(steps)
"""


def kill_points() -> Iterator[int]:
    return iter((1, 3, 8, 9, 10, 11, *range(12, 36)))


@pytest.mark.slow
def test_a_kill_at_any_point_is_finished_by_running_again(data: Path, tmp_path: Path) -> None:
    mine = photos_of(data, SUBJECT)
    words = [Path(photo.path).name.encode() for photo in mine] + [SUBJECT.encode()]
    save_piece(tmp_path / "runs" / ".features", "a.npz", [mine[0].sha256 or ""])
    whole = tmp_path.parent / f"{tmp_path.name}-whole"
    shutil.copytree(tmp_path, whole)
    reached = 0
    for at in kill_points():
        shutil.rmtree(data)
        shutil.copytree(whole / "data", data)
        shutil.copytree(whole / "runs", tmp_path / "runs", dirs_exist_ok=True)
        script = [sys.executable, "-c", KILLED, str(data), SUBJECT, str(at)]
        answer = subprocess.run(script, capture_output=True, text=True)
        assert answer.returncode in (0, 9), answer.stderr
        reached += answer.returncode == 9
        assert forget_all(data) in (0, 4)
        assert len(list_photos(data)) == 24, at
        left = files_of(data)
        for word in words:
            assert not any(word in name.encode() + content for name, content in left.items()), at
        assert not list((tmp_path / "runs").rglob("*.npz"))
        if answer.returncode == 0:
            break
    assert reached > 20
    shutil.rmtree(whole)
