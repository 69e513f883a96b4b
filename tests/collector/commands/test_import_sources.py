"""What becomes of every file of a source, through the command."""

import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from collector.cli import main
from curation.cli import main as curate
from maskage.dataset.consent import Consent
from maskage.dataset.edits import describing, flagging, trashing
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise

Capture = pytest.CaptureFixture[str]
MakeFolders = Callable[..., Path]


def put(root: Path, *names: str, start: int = 0) -> Path:
    for number, name in enumerate(names, start):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_jpeg(draw_noise(number)))
    return root


def import_json(capsys: Capture, source: Path, data: Path, *more: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = main(["import", str(source), str(data), "--json", *more])
    return code, json.loads(capsys.readouterr().out)


def test_a_picture_under_two_labels_is_imported_under_none(tmp_path: Path, capsys: Capture) -> None:
    source = put(tmp_path / "src", "mask_old/1.jpg", "mask_old/2.jpg", "nomask_old/3.jpg")
    shutil.copy(source / "mask_old/1.jpg", source / "nomask_old/copy.jpg")
    data = tmp_path / "data"
    assert main(["import", str(source), str(data)]) == 4
    answer = capsys.readouterr()
    assert "     2 skipped: label conflict" in answer.out
    assert "Next:" not in answer.out
    assert "mask_old/1.jpg (mask_old), nomask_old/copy.jpg (nomask_old)" in answer.err
    assert [photo.source for photo in list_photos(data)] == ["mask_old/2.jpg", "nomask_old/3.jpg"]
    code, found = import_json(capsys, source, data)
    assert code == 4
    assert found["conflicts"] == ["mask_old/1.jpg (mask_old), nomask_old/copy.jpg (nomask_old)"]
    assert {each["path"] for each in found["left_out"]} == {"mask_old/1.jpg", "nomask_old/copy.jpg"}


def test_curate_sets_the_same_pictures_aside(
    tmp_path: Path, capsys: Capture, four_folders: MakeFolders
) -> None:
    source = four_folders(6)
    shutil.copy(source / "mask_old/mask_old_001.jpg", source / "nomask_old/copy.jpg")
    assert main(["import", str(source), str(tmp_path / "data")]) == 4
    assert len(list_photos(tmp_path / "data")) == 23
    capsys.readouterr()
    assert curate([str(source), "--dry-run"]) == 0
    assert "2 photos show the same picture in several classes" in "".join(capsys.readouterr())


def test_the_project_itself_is_no_source_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, four_folders: MakeFolders
) -> None:
    four_folders(6, "project")
    monkeypatch.chdir(tmp_path / "project")
    assert main(["import", "."]) == 0
    assert curate([]) == 0
    run = put(Path("runs/one"), "figures/1.jpg", start=900)
    (run / "args.yaml").touch()
    (run / "metrics.json").touch()
    code, found = import_json(capsys, Path(), Path("data"))
    assert code == 0
    assert found["photos"] == 0
    assert found["duplicates"] == 24
    left_out = {each["path"]: each["reason"] for each in found["left_out"]}
    assert left_out["data/"] == "the dataset that is imported into"
    assert left_out["curated/"].startswith("a curated set")
    assert left_out["runs/one/"].startswith("a training run")
    assert main(["import", "data", "data"]) == 2
    assert "SOURCE and DATA are the same folder" in capsys.readouterr().err
    assert main(["import", "runs/one", "data"]) == 2
    assert main(["import", "curated", "data"]) == 2
    assert "a curated set that was made of data" in capsys.readouterr().err


def test_a_linked_class_folder_is_imported(tmp_path: Path, capsys: Capture) -> None:
    put(tmp_path, "src/mask_old/1.jpg", "nas/nomask_old/2.jpg")
    (tmp_path / "src" / "nomask_old").symlink_to("../nas/nomask_old")
    assert main(["import", str(tmp_path / "src"), str(tmp_path / "data")]) == 0
    assert "links to folders that were followed: 1" in capsys.readouterr().err
    assert len(list_photos(tmp_path / "data")) == 2


@pytest.mark.usefixtures("heeded_permissions")
def test_a_folder_that_cannot_be_listed_stops_the_import(tmp_path: Path, capsys: Capture) -> None:
    source = put(tmp_path / "src", "mask_old/1.jpg", "mask_young/2.jpg")
    (source / "mask_young").chmod(0)
    try:
        assert main(["import", str(source), str(tmp_path / "data")]) == 5
    finally:
        (source / "mask_young").chmod(0o700)
    assert "mask_young/ (Permission denied)" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_every_file_is_saved_known_or_left_out_by_name(tmp_path: Path, capsys: Capture) -> None:
    source = put(tmp_path / "src", "mask_old/1.jpg", "mask_old/noext", "mask_old/a.jfif",
                 "mask_old/@eaDir/1.jpg/M.jpg", "mask_old/.h.jpg", "hat/5.jpg", "loose.jpg",
                 "out/6.jpg", "nomask_old/7.jpg")  # fmt: skip
    shutil.copy(source / "mask_old/1.jpg", source / "mask_old/again.jpg")
    for name in ("mask_old/broken.jpg", "mask_old/clip.mov", "notes.txt", "Thumbs.db"):
        (source / name).write_bytes(b"1234")
    code, found = import_json(capsys, source, tmp_path / "data", "--map", "out=")
    assert code == 4
    assert found["photos"] == 4
    assert found["known"] == ["mask_old/again.jpg"]
    left_out = {each["path"]: each["reason"] for each in found["left_out"]}
    assert left_out.keys() == {
        "Thumbs.db", "hat/5.jpg", "loose.jpg", "mask_old/.h.jpg", "mask_old/@eaDir/",
        "mask_old/broken.jpg", "mask_old/clip.mov", "notes.txt", "out/6.jpg",
    }  # fmt: skip
    assert left_out["out/6.jpg"] == "left out by --map: out"
    assert left_out["hat/5.jpg"] == left_out["loose.jpg"] == "its class is not known"
    assert found["unknown_folders"] == {"hat": 1}
    assert found["system_files"] == 2
    assert (
        main(["import", str(source), str(tmp_path / "data"), "--map", "out=,hat=", "--list"]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["mask_old/broken.jpg", "unreadable"] for line in lines)
    assert any("@eaDir/" in line and "file manager" in line for line in lines)


def test_an_import_that_saved_nothing_is_no_success(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "src" / "mask_old").mkdir(parents=True)
    (tmp_path / "src" / "mask_old" / "1.jpg").write_bytes(b"no picture")
    assert main(["import", str(tmp_path / "src"), str(tmp_path / "data")]) == 4
    answer = capsys.readouterr()
    assert "no photo was saved" in answer.err
    assert "Next" not in answer.out


@pytest.mark.parametrize("is_noticed", [True, False])
def test_photos_that_are_gone_come_back_as_they_were(
    four_folders: MakeFolders, tmp_path: Path, capsys: Capture, is_noticed: bool
) -> None:
    source, data = four_folders(2), tmp_path / "data"
    main(["import", str(source), str(data)])
    with PhotoStore(data) as store:
        photo = store.photos()[0]
        store.apply([describing(photo, subject="p1"), flagging(store.photos()[1], is_flagged=True)])
    before = list_photos(data)
    for path in (data / "mask_old").iterdir():
        path.unlink()
    if is_noticed:
        main(["doctor", str(data), "--fix"])
    capsys.readouterr()
    assert main(["import", str(source), str(data)]) == 0
    out = capsys.readouterr().out
    assert "     2 photos saved" in out
    assert "2 of them brought back" in out
    assert "     6 skipped: content already imported" in out
    assert list_photos(data) == before


def test_what_a_person_put_into_the_trash_stays_there_until_again(
    four_folders: MakeFolders, tmp_path: Path, capsys: Capture
) -> None:
    source, data = four_folders(2), tmp_path / "data"
    main(["import", str(source), str(data), "--subject", "p1"])
    before = list_photos(data)
    with PhotoStore(data) as store:
        store.apply([trashing(photo) for photo in store.photos()[:2]])
    capsys.readouterr()
    assert main(["import", str(source), str(data)]) == 0
    assert "     2 skipped: removed by you; --again brings them back" in capsys.readouterr().out
    assert len(list_photos(data)) == 6
    code, found = import_json(capsys, source, data, "--again")
    assert (code, found["photos"], found["brought_back"]) == (0, 2, 2)
    assert list_photos(data) == before
    code, found = import_json(capsys, source, data, "--again")
    assert (found["photos"], found["duplicates"]) == (0, 8)


def test_a_photo_that_was_moved_by_hand_is_known(
    four_folders: MakeFolders, tmp_path: Path, capsys: Capture
) -> None:
    source, data = four_folders(1), tmp_path / "data"
    main(["import", str(source), str(data)])
    name = "mask_old_000.jpg"
    (data / "mask_old" / name).rename(data / "nomask_old" / name)
    code, found = import_json(capsys, source, data)
    assert (code, found["photos"], found["duplicates"]) == (0, 0, 4)
    assert found["conflicts_with_dataset"] == [f"mask_old/{name}: here mask_old, there nomask_old"]


def test_a_photo_put_into_a_class_folder_by_hand_is_known(tmp_path: Path, capsys: Capture) -> None:
    source = put(tmp_path / "src", "mask_old/1.jpg")
    data = put(tmp_path / "data", "mask_old/mine.jpg")
    code, found = import_json(capsys, source, data)
    assert (code, found["photos"], found["known"]) == (0, 0, ["mask_old/1.jpg"])


def test_other_metadata_makes_no_new_photo(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "src" / "mask_old").mkdir(parents=True)
    tags = Image.Exif()
    tags[0x010E] = "a title"
    for name, exif in (("1.jpg", Image.Exif()), ("2.jpg", tags)):
        Image.fromarray(draw_noise(1)).save(tmp_path / "src" / "mask_old" / name, exif=exif)
    code, found = import_json(capsys, tmp_path / "src", tmp_path / "data")
    assert (code, found["photos"], found["known"]) == (0, 1, ["mask_old/2.jpg"])


def pack(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, path.relative_to(folder))
    return archive


def test_an_archive_is_read_and_nothing_of_it_is_left(tmp_path: Path, capsys: Capture) -> None:
    source = put(tmp_path / "src", "set/mask_old/1.jpg", "set/mask_old/2.jpg", "__MACOSX/._1.jpg")
    archive, data = pack(source, tmp_path / "photos.zip"), tmp_path / "data"
    assert main(["import", str(archive), str(data)]) == 0
    assert [photo.source for photo in list_photos(data)] == [
        "set/mask_old/1.jpg",
        "set/mask_old/2.jpg",
    ]
    cache = Path(os.environ["XDG_CACHE_HOME"]) / "maskage"
    assert not list(cache.glob("*unpacked*"))
    # A run that was killed leaves a folder, which the next one finds.
    (cache / ".unpacked-building-999999999" / "archive").mkdir(parents=True)
    assert main(["import", str(archive), str(data)]) == 0
    assert not list(cache.glob(".unpacked*"))
    assert "     2 skipped: content already imported" in capsys.readouterr().out


def test_an_archive_of_pictures_alone_is_the_class_of_its_name(tmp_path: Path) -> None:
    archive = pack(put(tmp_path / "src", "1.jpg"), tmp_path / "mask_old.zip")
    assert main(["import", str(archive), str(tmp_path / "data")]) == 0
    assert [photo.path for photo in list_photos(tmp_path / "data")] == ["mask_old/1.jpg"]


def test_an_archive_makes_the_classes_too(tmp_path: Path, capsys: Capture) -> None:
    archive = pack(put(tmp_path / "src", "set/cap/1.jpg", "set/bare/2.jpg"), tmp_path / "a.zip")
    data = tmp_path / "data"
    assert main(["import", str(archive), str(data)]) == 4
    assert f"collector init {data} --from {archive}" in capsys.readouterr().err
    assert main(["init", str(data), "--from", str(archive)]) == 0
    assert main(["import", str(archive), str(data)]) == 0
    assert [photo.label for photo in list_photos(data)] == ["bare", "cap"]


@pytest.mark.parametrize(
    ("name", "content", "code", "message"),
    [
        ("labels.csv", b"path,label\n", 2, "goes behind --metadata"),
        ("labels.xlsx", b"PK\x03\x04", 2, "Save it as CSV"),
        ("boxes.json", b"{}", 2, "Name the folder of the pictures as SOURCE"),
        ("photos.tar.gz", b"\x1f\x8b\x08\0", 2, "Unpack it and import the folder"),
        ("photos.7z", b"7z\xbc\xaf\x27\x1c", 2, "a 7z archive"),
        ("photos.zip", b"no archive", 4, "not a ZIP archive, whatever its name says"),
        ("photos.zip", b"PK\x03\x04 cut off", 4, "not a whole ZIP archive"),
        ("photo.nef", b"II*\0", 4, "NEF is not read"),
    ],
)
def test_a_file_that_is_no_source_says_what_to_do(
    tmp_path: Path, capsys: Capture, name: str, content: bytes, code: int, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert main(["import", str(tmp_path / name), str(tmp_path / "data")]) == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("layout", ["{label}/{who}", "{who}/{label}", "train/{label}/{who}"])
def test_folders_of_people_are_the_subjects(tmp_path: Path, capsys: Capture, layout: str) -> None:
    people = ("aidai", "baibaihe", "chenglong")
    source = put(tmp_path / "src", *(
        f"{layout.format(label=label, who=who)}/{n}.jpg"
        for label in ("mask_old", "nomask_old") for who in people for n in range(2)
    ))  # fmt: skip
    data = tmp_path / "data"
    assert main(["import", str(source), str(data)]) == 0
    assert "taken for people: 3 (aidai, baibaihe, chenglong)" in capsys.readouterr().err
    assert {photo.subject for photo in list_photos(data)} == set(people)
    other = tmp_path / "other"
    assert main(["import", str(source), str(other), "--subject-from", "none"]) == 0
    assert {photo.subject for photo in list_photos(other)} == {None}
    # Later the folders are asked for: those who are nobody yet get their names.
    assert main(["import", str(source), str(other), "--subject-from", "folder"]) == 0
    assert {photo.subject for photo in list_photos(other)} == set(people)


def test_folders_that_may_be_people_are_offered(tmp_path: Path, capsys: Capture) -> None:
    source = put(tmp_path / "src", *(
        f"{label}/{side}/{n}.jpg" for label in ("mask_old", "nomask_old")
        for side in ("left", "right") for n in range(2)
    ))  # fmt: skip
    assert main(["import", str(source), str(tmp_path / "data")]) == 0
    assert "If they are people, add --subject-from folder" in capsys.readouterr().err
    assert {photo.subject for photo in list_photos(tmp_path / "data")} == {None}


def test_a_known_subject_goes_before_a_folder(tmp_path: Path) -> None:
    source = put(tmp_path / "src", *(
        f"{label}/{who}/1.jpg" for label in ("mask_old", "nomask_old") for who in ("p1", "p2", "p3")
    ))  # fmt: skip
    (tmp_path / "t.csv").write_text("path,subject\nmask_old/p1/1.jpg,q1\n")
    words = ["import", str(source), str(tmp_path / "data"), "--metadata", str(tmp_path / "t.csv")]
    assert main(words) == 0
    subjects = {photo.source: photo.subject for photo in list_photos(tmp_path / "data")}
    assert subjects["mask_old/p1/1.jpg"] == "q1"
    assert subjects["nomask_old/p1/1.jpg"] == "p1"


def test_another_dataset_is_imported_with_all_that_it_knows(
    tmp_path: Path, four_folders: MakeFolders, capsys: Capture
) -> None:
    source, data = tmp_path / "theirs", tmp_path / "data"
    main(["import", str(four_folders(2)), str(source), "--subject", "p1", "--session", "s1"])
    with PhotoStore(source) as store:
        one, two = store.photos()[:2]
        store.apply([flagging(one, is_flagged=True), describing(two, group="g", subject="p2")])
        store.record_consent(Consent("p1", "form 12", date(2026, 1, 2)))
    assert main(["import", str(source), str(data)]) == 0
    assert "Consents taken over" in capsys.readouterr().err
    facts = [
        (p.path, p.subject, p.session, p.group, p.is_flagged, p.box) for p in list_photos(data)
    ]
    assert facts == [
        (p.path, p.subject, p.session, p.group, p.is_flagged, p.box) for p in list_photos(source)
    ]
    with PhotoStore(data) as store:
        assert store.consents()["p1"].basis == "form 12"
    code, found = import_json(capsys, source, data)
    assert (code, found["photos"], found["duplicates"]) == (0, 0, 8)


def test_somebody_elses_curated_set_comes_with_its_splits_and_without_variants(
    tmp_path: Path, four_folders: MakeFolders, capsys: Capture
) -> None:
    theirs, curated = four_folders(8, "theirs"), tmp_path / "curated"
    assert curate([str(theirs), "--out", str(curated), "--expand", "10", "--seed", "1"]) == 0
    variants = sum("_aug" in path.name for path in curated.rglob("*.jpg"))
    assert variants
    code, found = import_json(capsys, curated, tmp_path / "data")
    assert code == 0
    assert found["photos"] == 32
    left_out = [each for each in found["left_out"] if "variant" in each["reason"]]
    assert len(left_out) == variants
    assert set(found["origins"]) == {"train", "val", "test"}
    for photo in list_photos(tmp_path / "data"):
        assert photo.origin is not None
        assert photo.source is not None
        assert photo.source.startswith(f"{photo.origin}/")
        assert photo.group


def test_splits_of_a_source_are_kept_as_the_origin(tmp_path: Path, capsys: Capture) -> None:
    names = (
        "Training/mask_old/1.jpg",
        "valid/mask_old/2.jpg",
        "TEST/mask_old/3.jpg",
        "x/mask_old/4.jpg",
    )
    source = put(tmp_path / "src", *names)
    assert main(["import", str(source), str(tmp_path / "data")]) == 0
    assert (
        "from the splits of the source: 1 of test, 1 of train, 1 of val" in capsys.readouterr().out
    )
    origins = {photo.source: photo.origin for photo in list_photos(tmp_path / "data")}
    assert origins == dict(zip(names, ("train", "val", "test", None), strict=True))
    assert main(["import", str(source / "TEST"), str(tmp_path / "other")]) == 0
    assert [photo.origin for photo in list_photos(tmp_path / "other")] == ["test"]


def test_content_counts_whatever_the_suffix_says(tmp_path: Path, capsys: Capture) -> None:
    buffer = io.BytesIO()
    Image.fromarray(draw_noise(3)).save(buffer, "PNG")
    for name in ("mask_old/b.png", "mask_old/a.jpg"):
        (tmp_path / "src" / "mask_old").mkdir(parents=True, exist_ok=True)
        (tmp_path / "src" / name).write_bytes(buffer.getvalue())
    code, found = import_json(capsys, tmp_path / "src", tmp_path / "data")
    assert (code, found["known"]) == (0, ["mask_old/b.png"])


def test_a_file_that_a_killed_run_left_without_its_row_is_adopted(
    tmp_path: Path, capsys: Capture
) -> None:
    source = put(tmp_path / "src", "mask_old/1.jpg")
    data = put(tmp_path / "data", "mask_old/1.jpg")
    code, found = import_json(capsys, source, data, "--subject", "p1")
    assert (code, found["photos"]) == (0, 1)
    assert [(p.path, p.subject) for p in list_photos(data)] == [("mask_old/1.jpg", "p1")]


def test_an_archive_of_a_dataset_is_one(
    tmp_path: Path, capsys: Capture, four_folders: MakeFolders
) -> None:
    main(["import", str(four_folders(1)), str(tmp_path / "top" / "theirs"), "--subject", "p1"])
    archive = pack(tmp_path / "top", tmp_path / "a.zip")
    code, found = import_json(capsys, archive, tmp_path / "data")
    assert (code, found["photos"]) == (0, 4)
    assert {photo.subject for photo in list_photos(tmp_path / "data")} == {"p1"}


def test_people_of_a_curated_set_come_from_its_dataset_where_that_is_here(
    tmp_path: Path, four_folders: MakeFolders, capsys: Capture
) -> None:
    theirs, curated = tmp_path / "theirs", tmp_path / "curated"
    assert main(["import", str(four_folders(8)), str(theirs)]) == 0
    for number in range(8):
        words = ["--where", f"path=*_{number:03d}.jpg", "--subject", f"p{number}"]
        assert main(["edit", str(theirs), *words]) == 0
    with PhotoStore(theirs) as store:
        store.record_consent(Consent("p1", "form 12", date(2026, 1, 2)))
    assert curate([str(theirs), "--out", str(curated)]) == 0
    capsys.readouterr()
    assert main(["import", str(curated), str(tmp_path / "one")]) == 0
    error = capsys.readouterr().err
    assert "8 people, named as in the dataset that the set was made of" in error
    for photo in list_photos(tmp_path / "one"):
        assert photo.subject == f"p{int(Path(photo.path).stem[-3:])}"
    with PhotoStore(tmp_path / "one") as store:
        assert list(store.consents()) == ["p1"]
    shutil.rmtree(theirs)
    assert main(["import", str(curated), str(tmp_path / "two")]) == 0
    assert "its photos come without names of people" in capsys.readouterr().err
    assert {photo.subject for photo in list_photos(tmp_path / "two")} == {None}
