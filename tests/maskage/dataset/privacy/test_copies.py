"""What shows a forgotten person outside the dataset is found, listed, and listed again."""

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from collector.cli import main
from curation.cli import main as curate
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.consent import Consent
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.formats.dataset_folder import manifest_path
from maskage.pictures.images import encode_jpeg, read_image
from maskage.records import Photo
from maskage.system.paths import scan_cache_path
from tests.conftest import draw_noise
from tests.maskage.dataset.privacy.test_forgetting import digest_of, files_of, save_piece

SUBJECT, OTHERS = "p07-unmistakable", ("p08", "p09", "p10")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing outside the test's folder is looked through."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MASKAGE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four people with a photo in each class, in a project's folder."""
    root = tmp_path / "project" / "data"
    root.parent.mkdir()
    with PhotoStore(root) as store:
        seed = 0
        for subject in (SUBJECT, *OTHERS):
            store.record_consent(Consent(subject, f"form of {subject}", date(2026, 11, 24)))
            for label in MASK_AGE.labels:
                seed += 1
                store.add(draw_noise(seed), label, subject=subject, session=f"s-{subject}")
    return root


@pytest.fixture
def forget(data: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, list[str]]]:
    """Forgets the person; returns what is listed, by what is known of it."""

    def run(*words: str) -> dict[str, list[str]]:
        capsys.readouterr()
        command = ["forget", SUBJECT, "--data", str(data), "--yes", "--json", *words]
        assert main(command) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["forgotten"] is ("--dry-run" not in words)
        listed: dict[str, list[str]] = {"sure": [], "maybe": []}
        for each in (*told["curated"], *told["runs"], *told["loose"]):
            where = "sure" if each.get("is_certain", True) else "maybe"
            listed[where].append(Path(each.get("path") or each["folder"]).name)
        return listed

    return run


def photos_of(root: Path, subject: str) -> list[Photo]:
    return [photo for photo in list_photos(root) if photo.subject == subject]


def page_with(picture: bytes, caption: str = "a face") -> str:
    shown = base64.b64encode(picture).decode()
    return f'<img src="data:image/jpeg;base64,{shown}" alt="{caption}">'


def thumbnail(path: Path, size: int = 64) -> bytes:
    return encode_jpeg(cv2.resize(read_image(path), (size, size)).astype(np.uint8), quality=80)


def curated_set(root: Path, *words: str) -> Path:
    out = root.parent / "curated"
    assert curate([str(root), "--out", str(out), *words]) == 0
    return out


def test_pages_tables_and_pictures_are_listed_until_they_are_gone(
    data: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    (mine, *_), (other, *_) = photos_of(data, SUBJECT), photos_of(data, "p08")
    project = data.parent
    (project / "names.html").write_text(f"<p title='x'>{mine.path}</p>")
    (project / "shows.html").write_text(page_with(thumbnail(data / mine.path)))
    (project / "events.jsonl").write_text(json.dumps({"file": Path(mine.path).name}) + "\n")
    (project / "table.csv").write_text(f"photo,label\ntest/{mine.path},mask_old\n")
    (project / "people.csv").write_text(f"who,age\n{SUBJECT},70\n")
    shutil.copy(data / mine.path, project / "holiday.jpg")
    (project / "deep" / "er").mkdir(parents=True)
    (project / "deep" / "er" / f"000003_{Path(mine.path).name}").write_bytes(b"annotated")
    (project / "others.html").write_text(
        page_with(thumbnail(data / other.path), other.path) + f"<td>{other.subject}</td>"
    )
    shutil.copy(data / other.path, project / "stranger.jpg")
    sure = [
        f"000003_{Path(mine.path).name}",
        "events.jsonl",
        "holiday.jpg",
        "names.html",
        "shows.html",
        "table.csv",
    ]
    first = forget()
    assert (sorted(first["sure"]), first["maybe"]) == (sure, ["people.csv"])
    # Without rows and photos the same is found.
    assert forget() == first
    for name in sure[1:]:
        (project / name).unlink()
    again = forget()
    assert (again["sure"], again["maybe"]) == (sure[:1], ["people.csv"])
    shutil.rmtree(project / "deep")
    (project / "people.csv").unlink()
    assert forget() == {"sure": [], "maybe": []}
    assert main(["forget", SUBJECT, "--data", str(data), "--yes"]) == 4


def test_a_copy_without_suffix_is_listed(
    data: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    (mine, *_), (other, *_) = photos_of(data, SUBJECT), photos_of(data, "p08")
    shutil.copy(data / mine.path, data.parent / "holiday")
    shutil.copy(data / other.path, data.parent / "stranger")
    assert forget() == {"sure": ["holiday"], "maybe": []}


def test_what_is_kept_of_a_forgotten_person_does_not_name_or_show_them(
    data: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    mine = photos_of(data, SUBJECT)
    (data.parent / "eval.html").write_text(" ".join(photo.path for photo in mine))
    words = [SUBJECT, *(Path(photo.path).stem for photo in mine)]
    words += [f"{photo.sha256}" for photo in mine] + [f"{photo.fingerprint}" for photo in mine]
    assert forget()["sure"] == ["eval.html"]
    kept = files_of(data / ".dataset")
    assert "forgotten.json" in kept
    for name, content in kept.items():
        assert not [word for word in words if word.encode() in content], name
    assert (data / ".dataset" / "forgotten.json").stat().st_mode & 0o777 == 0o600


def test_two_forgotten_people_are_kept_apart(
    data: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    for subject in (SUBJECT, "p08"):
        (data.parent / f"{subject}.html").write_text(photos_of(data, subject)[0].path)
    assert main(["forget", "p08", "--data", str(data), "--yes"]) == 0
    assert forget()["sure"] == [f"{SUBJECT}.html"]
    (data.parent / "p08.html").unlink()
    assert main(["forget", "p08", "--data", str(data), "--yes"]) == 0
    assert main(["forget", "p08", "--data", str(data), "--yes"]) == 4
    assert forget()["sure"] == [f"{SUBJECT}.html"]


def test_who_came_back_is_forgotten_with_what_was_still_there(
    data: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    (data.parent / "old.html").write_text(photos_of(data, SUBJECT)[0].path)
    assert forget()["sure"] == ["old.html"]
    with PhotoStore(data) as store:
        photo = store.add(draw_noise(77), "mask_old", subject=SUBJECT)
    (data.parent / "new.html").write_text(photo.path)
    assert forget()["sure"] == ["new.html", "old.html"]
    assert forget()["sure"] == ["new.html", "old.html"]


def test_a_repetition_asks_nobody_and_a_dry_one_changes_nothing(
    data: Path, capsys: pytest.CaptureFixture[str], forget: Callable[..., dict[str, list[str]]]
) -> None:
    page = data.parent / "eval.html"
    page.write_text(photos_of(data, SUBJECT)[0].path)
    forget()
    page.unlink()
    before = files_of(data)
    assert main(["forget", SUBJECT, "--data", str(data), "--dry-run"]) == 0
    assert files_of(data) == before
    assert main(["forget", SUBJECT, "--data", str(data)]) == 0
    assert f"{SUBJECT} was forgotten in {data} before." in capsys.readouterr().out
    assert "forgotten.json" not in files_of(data / ".dataset")


def test_folders_that_were_looked_in_once_are_looked_in_again(
    data: Path, tmp_path: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    far = tmp_path / "some" / "far" / "off" / "folder"
    far.mkdir(parents=True)
    (far / "eval.html").write_text(photos_of(data, SUBJECT)[0].path)
    assert forget("--look-in", str(far))["sure"] == ["eval.html"]
    assert forget()["sure"] == ["eval.html"]


def test_names_that_other_photos_may_have_too_are_told_as_such(
    data: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    with PhotoStore(data) as store:
        photo = Photo("mask_old/001.jpg", "mask_old", subject=SUBJECT)
        store.add_encoded(encode_jpeg(draw_noise(50)), photo)
    (data.parent / "some.html").write_text("<td>mask_old/001.jpg</td>")
    (data.parent / "more.csv").write_text("n\n0012.jpg\n")
    assert forget() == {"sure": [], "maybe": ["some.html"]}


def test_a_name_that_any_photo_may_have_proves_nothing(
    data: Path,
    forget: Callable[..., dict[str, list[str]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with PhotoStore(data) as store:
        photo = Photo("mask_old/001.jpg", "mask_old", subject=SUBJECT)
        store.add_encoded(encode_jpeg(draw_noise(50)), photo)
    other = data.parent / "WithMask"
    other.mkdir()
    (other / "001.jpg").write_bytes(encode_jpeg(draw_noise(99)))
    (other / "001.webp").write_bytes(b"any picture")
    (data.parent / "001.png").write_bytes(thumbnail(data / "mask_old" / "001.jpg"))
    words = ["forget", SUBJECT, "--data", str(data)]
    capsys.readouterr()
    assert main([*words, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "001.png: has the name of a photo and looks like one" in told
    same = f"1 picture has the same name as a photo of {SUBJECT} and"
    assert f"{same} looks different from all of them, in:\n  {other}: 1" in told
    assert f"{same} was not compared" in told
    assert "rm" not in [line.split()[0] for line in told.splitlines() if str(other) in line]
    # Without the photos, what looked like one is known by its content.
    assert forget() == forget() == {"sure": ["001.png"], "maybe": []}
    assert main([*words, "--yes", "--json"]) == 0
    same_name = json.loads(capsys.readouterr().out)["same_name"]
    assert same_name["not_compared"] == [str(other / "001.jpg"), str(other / "001.webp")]
    # What only has a name in common keeps nothing on record.
    (data.parent / "001.png").unlink()
    assert forget() == {"sure": [], "maybe": []}
    assert main([*words, "--yes"]) == 4


def test_the_file_that_a_photo_was_imported_from_is_found(
    data: Path, tmp_path: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    source = data.parent / "source" / "mask_old"
    source.mkdir(parents=True)
    (source / "1.png").write_bytes(cv2.imencode(".png", draw_noise(51))[1].tobytes())
    (source / "2.png").write_bytes(cv2.imencode(".png", draw_noise(52))[1].tobytes())
    table = tmp_path / "who.csv"
    table.write_text(f"file,subject\nmask_old/1.png,{SUBJECT}\nmask_old/2.png,p08\n")
    words = ["import", str(source.parent), str(data), "--metadata", str(table)]
    assert main(words) == 0
    (kept,) = (photo for photo in photos_of(data, SUBJECT) if photo.path == "mask_old/1.jpg")
    assert kept.subject == SUBJECT
    assert forget()["sure"] == ["1.png"]


def test_pictures_of_the_live_view_that_nobody_can_tell_of_are_listed_as_such(
    data: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    for name in ("20261126T114501.123Z.mp4", "20261126T114501.123Z.jpg", "holiday.mp4"):
        (data.parent / name).write_bytes(b"frames")
    found = ["20261126T114501.123Z.jpg", "20261126T114501.123Z.mp4"]
    assert forget() == {"sure": [], "maybe": found}
    assert forget() == {"sure": [], "maybe": found}


def reencode(curated: Path) -> None:
    """Write every photo of a set anew: other bytes, as where its metadata is taken out."""
    for file in curated.rglob("*.jpg"):
        file.write_bytes(encode_jpeg(read_image(file), quality=88))


@pytest.mark.parametrize("has_moved", [False, True])
def test_copies_of_other_bytes_are_found_by_the_plan_of_their_set(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], has_moved: bool
) -> None:
    curated = curated_set(data)
    reencode(curated)
    mine = photos_of(data, SUBJECT)[0]
    (copy,) = curated.rglob(Path(mine.path).name)
    piece = save_piece(data.parent / "runs" / ".features", "a.npz", [digest_of(copy)])
    if has_moved:  # then the set tells a dataset that is gone
        data.parent.rename(tmp_path / "moved")
        data = tmp_path / "moved" / "data"
        piece = tmp_path / "moved" / piece.relative_to(tmp_path / "project")
    for _ in range(2):
        capsys.readouterr()
        assert main(["forget", SUBJECT, "--data", str(data), "--yes", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert [each["photos"] for each in told["curated"]] == [4]
        assert not piece.exists()


def test_a_set_that_lost_the_files_still_names_them(
    data: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    curated = curated_set(data)
    for photo in photos_of(data, SUBJECT):
        for copy in curated.rglob(Path(photo.path).name):
            copy.unlink()
    assert forget()["sure"] == ["curated"]
    assert forget()["sure"] == ["curated"]
    curated_set(data)
    assert forget()["sure"] == []


def test_a_run_is_listed_until_it_is_trained_anew(
    data: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    from maskage.formats.run.run_folder import RunFolder
    from trainer.data.dataset import read_training_photos

    def train() -> None:
        run = RunFolder(data.parent / "runs" / "base")
        shutil.rmtree(run.path, ignore_errors=True)
        run.path.mkdir(parents=True)
        digest = read_training_photos(curated).digest
        run.write_args({"curated": str(curated), "dataset_digest": digest, "name": "base"})
        taken_along = data.parent / "taken" / "along"
        taken_along.mkdir(parents=True, exist_ok=True)
        (taken_along / "bundle.json").write_text(json.dumps({"dataset_digest": digest}))

    curated = curated_set(data)
    train()
    assert forget()["sure"] == ["curated", "base", "along"]
    curated_set(data)
    assert forget()["sure"] == ["base", "along"]
    train()
    assert forget()["sure"] == []


def test_curations_records_of_its_looks_go_wherever_they_were_kept(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forget: Callable[..., dict[str, list[str]]],
) -> None:
    for photo in list_photos(data):
        os.utime(data / photo.path, (1_700_000_000, 1_700_000_000))
    curated_set(data)
    here = scan_cache_path(data)
    monkeypatch.setenv("MASKAGE_CACHE", str(tmp_path / "far" / "cache"))
    curated_set(data)
    there = scan_cache_path(data)
    monkeypatch.delenv("MASKAGE_CACHE")
    # Of the place where the dataset lay before, and of another dataset.
    former, other = here.with_name("0123456789abcdef.db"), here.with_name("fedcba9876543210.db")
    shutil.copy(here, former)
    other.write_bytes(b"no database")
    assert all(photos_of(data, SUBJECT)[0].path.encode() in f.read_bytes() for f in (here, there))
    forget()
    assert [file.exists() for file in (here, there, former, other)] == [False, False, False, True]


def test_features_go_from_the_cache_that_a_run_names(
    data: Path, tmp_path: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    mine = photos_of(data, SUBJECT)[0]
    piece = save_piece(tmp_path / "far" / "off" / "cache", "a.npz", [mine.sha256 or ""])
    run = data.parent / "runs" / "base"
    run.mkdir(parents=True)
    cache = piece.parents[1]
    (run / "args.yaml").write_text(f"curated: /nowhere\nname: base\nfeature_caches: [{cache}]\n")
    forget()
    assert not piece.exists()


def test_copies_of_the_manifest_that_a_killed_doctor_left_go(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forget: Callable[..., dict[str, list[str]]],
) -> None:
    temporary = tmp_path / "temporary"
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    left, other = (temporary / f"maskage-doctor-{name}" for name in ("ours", "other"))
    shutil.copytree(data / ".dataset", left / ".dataset")
    with PhotoStore(other) as store:
        store.add(draw_noise(60), "mask_old", subject="p99")
    forget()
    assert [left.exists(), other.exists()] == [False, True]


def test_what_was_unclear_is_told_again(
    data: Path, capsys: pytest.CaptureFixture[str], forget: Callable[..., dict[str, list[str]]]
) -> None:
    with PhotoStore(data) as store:
        orphan = store.add(draw_noise(70), "mask_old", session=f"s-{SUBJECT}")
    for _ in range(2):
        capsys.readouterr()
        assert main(["forget", SUBJECT, "--data", str(data), "--yes", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["unclear"] == [orphan.path]
    (data / orphan.path).unlink()
    assert forget() == {"sure": [], "maybe": []}
    assert main(["forget", SUBJECT, "--data", str(data), "--yes"]) == 4


def test_a_manifest_that_was_set_aside_since_is_left_by_a_repetition(
    data: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    (data.parent / "eval.html").write_text(photos_of(data, SUBJECT)[0].path)
    forget()
    aside = manifest_path(data).with_name("manifest.db.damaged-20261127T000000000Z")
    aside.write_bytes(b"of others")
    forget()
    assert aside.exists()


def test_file_names_and_contents_of_all_kinds_stop_nothing(
    data: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    project = data.parent
    (project / os.fsdecode(b"\xff\x1b[31m.html")).write_text(photos_of(data, SUBJECT)[0].path)
    (project / "broken.csv").write_bytes(b'"\xff\x00,' + b"x" * 200_000 + b".jpg")
    (project / "broken.html").write_text(page_with(b"no picture") + "data:image/png;base64,==")
    (project / "broken.json").write_text('"\\u12 .jpg')
    (project / "bundle.json").write_text("[" * 100_000)
    (project / "loop.html").symlink_to(project / "loop.html")
    os.mkfifo(project / "pipe.json")
    assert forget()["sure"] == [os.fsdecode(b"\xff\x1b[31m.html")]


@pytest.mark.parametrize("name", [b"\xff\x1b[31m'x.html", "Oma \n 'Käthe'.html".encode()])
def test_a_command_can_be_pasted_whatever_is_in_the_name(
    data: Path, name: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    page = data.parent / os.fsdecode(name)
    page.write_text(photos_of(data, SUBJECT)[0].path)
    assert main(["forget", SUBJECT, "--data", str(data), "--yes"]) == 0
    (command,) = re.findall(r"^    (rm .*)$", capsys.readouterr().out, re.MULTILINE)
    assert command.isprintable()
    subprocess.run(["bash", "-c", command], check=True)
    assert not page.exists()


def test_folders_of_other_programs_are_not_searched(
    data: Path, forget: Callable[..., dict[str, list[str]]]
) -> None:
    environment = data.parent / "venv"
    environment.mkdir()
    (environment / "pyvenv.cfg").write_text("")
    (environment / "eval.html").write_text(photos_of(data, SUBJECT)[0].path)
    assert forget() == {"sure": [], "maybe": []}


def test_a_copy_of_the_dataset_is_forgotten_in_before_anything_is_made_of_it_again(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with PhotoStore(data.parent / "others") as store:
        # Somebody else of the same name.
        store.add(draw_noise(80), "mask_old", subject=SUBJECT)
    assert main(["snapshot", "one", str(data)]) == 0
    copy = data.with_name("copy")
    shutil.copytree(data, copy)
    assert curate([str(copy), "--out", str(data.parent / "cur2")]) == 0
    capsys.readouterr()
    words = ["forget", SUBJECT, "--data", str(data), "--yes"]
    for _ in range(2):
        assert main(words) == 0
        told = capsys.readouterr().out
        there = f"  {copy}: 4 rows, 4 photos in snapshots, a consent\n    collector forget "
        assert there in told
        assert told.index(there) < told.index("    curate ")
        assert f"rm {copy}" not in told
        assert f"{data.parent / 'others'}" not in told
    assert main(["forget", SUBJECT, "--data", str(copy), "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["datasets"] == []
    assert not photos_of(copy, SUBJECT)
    assert curate([str(copy), "--out", str(data.parent / "cur2")]) == 0
    capsys.readouterr()
    assert main(words) == 0
    assert f"Nothing else that was found holds {SUBJECT}." in capsys.readouterr().out


def test_loose_copies_go_before_the_sets_are_made_again(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A dataset of class folders that names nobody, and a set of it.
    copy = data.with_name("copy")
    shutil.copytree(data, copy, ignore=shutil.ignore_patterns(".dataset"))
    assert curate([str(copy), "--out", str(data.parent / "cur2"), "--split", "random",
                   "--ratio", "0.5", "0.25", "0.25"]) == 0  # fmt: skip
    capsys.readouterr()
    assert main(["forget", SUBJECT, "--data", str(data), "--yes"]) == 0
    told = capsys.readouterr().out
    assert 0 < told.index(f"rm {copy}") < told.index("    curate ")
