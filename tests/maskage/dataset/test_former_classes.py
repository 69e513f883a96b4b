"""Photos and rows of a class that the dataset has no more: nothing of them is lost or hidden."""

import json
from pathlib import Path

import pytest

from collector.cli import main as collector
from maskage.classes.ready_made import MASK_AGE, plain_scheme
from maskage.classes.scheme import PhotoClass
from maskage.dataset.class_changes import add_class
from maskage.dataset.doctor.examine import examine
from maskage.dataset.doctor.findings import Kind
from maskage.dataset.doctor.repair import repair_dataset
from maskage.dataset.edits import trashing
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.formats.classes.classes_file import format_scheme
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo, Suggestion
from tests.conftest import draw_noise
from tests.maskage.dataset.doctor.doctor_cases import (
    QUALITY,
    damage_manifest,
    found,
    garble_the_header,
    picture_contents,
    put,
)

NEWT = PhotoClass("newt", "newt", "#123456")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing outside the test's folder is searched for a person."""
    monkeypatch.chdir(tmp_path)


def make(root: Path) -> list[Photo]:
    """A dataset of cats, dogs and newts; the newts are taken out of classes.toml by hand then."""
    root.mkdir(mode=0o700)
    (root / "classes.toml").write_text(format_scheme(plain_scheme(["cat", "dog", "newt"])))
    (root / "classes.toml").chmod(0o600)
    with PhotoStore(root) as store:
        photos = [
            store.add(
                draw_noise(number), label, subject=f"p{number % 2}", source="demo", quality=QUALITY
            )
            for number, label in enumerate(["cat", "dog", "newt"] * 4)
        ]
        store.suggest([(photos[0], Suggestion("newt", 0.9)), (photos[1], Suggestion("cat", 0.9))])
        store.apply([trashing(photos[11])])
    (root / "classes.toml").write_text(format_scheme(plain_scheme(["cat", "dog"])))
    return photos


def test_their_rows_are_no_damage_and_are_there_when_the_class_is_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    make(root)
    rows = read_rows(root)
    assert {photo.label for photo in list_photos(root)} == {"cat", "dog"}
    repair_dataset(root)
    assert read_rows(root) == rows
    capsys.readouterr()
    assert collector(["doctor", str(root), "--strict"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "3 photos of the dataset lie in the folder newt, which is no class" in said
    assert f"`collector classes {root} --add newt`" in said
    assert "none of the folders" not in said
    add_class(root, NEWT)
    assert examine(root).is_clean
    assert sum(photo.label == "newt" for photo in list_photos(root)) == 3
    assert {photo.subject for photo in list_photos(root)} == {"p0", "p1"}


def test_a_suggestion_of_such_a_class_is_not_shown_and_not_lost(tmp_path: Path) -> None:
    root = tmp_path / "data"
    make(root)
    assert {p.suggestion.label for p in list_photos(root) if p.suggestion} == {"cat"}
    with PhotoStore(root) as store:
        assert {p.suggestion.label for p in store.photos() if p.suggestion} == {"cat"}
    add_class(root, NEWT)
    assert {p.suggestion.label for p in list_photos(root) if p.suggestion} == {"cat", "newt"}


def test_a_copy_in_a_class_does_not_take_the_row_of_the_photo(tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = make(root)
    (root / "cat" / "copy.jpg").write_bytes((root / photos[2].path).read_bytes())
    (root / "cat" / "copy.jpg").chmod(0o600)
    assert found(examine(root)) == {Kind.UNKNOWN: ["cat/copy.jpg"]}
    repair_dataset(root)
    assert read_rows(root).present[photos[2].path].subject == photos[2].subject


def test_photos_that_are_moved_into_a_class_keep_their_rows(tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = make(root)
    for path in (root / "newt").iterdir():
        path.rename(root / "cat" / path.name)
    assert {p.subject for p in list_photos(root) if Path(p.path).name == Path(photos[2].path).name}
    repair_dataset(root)
    assert examine(root).is_clean
    assert not examine(root).notes
    assert sum(row.label == "cat" for row in read_rows(root).present.values()) == 7


def test_a_damaged_manifest_gives_their_rows_back(tmp_path: Path) -> None:
    root = tmp_path / "data"
    make(root)
    rows = read_rows(root)
    damage_manifest(root, garble_the_header)
    repair_dataset(root)
    assert read_rows(root) == rows


def test_who_is_forgotten_is_forgotten_there_too(tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = make(root)
    put(root, "newt/.saving-1-x.jpg", b"half")
    theirs = {(root / photo.path).name for photo in photos if photo.subject == "p0"}
    contents = len(picture_contents(root))
    assert collector(["forget", "p0", "--data", str(root), "--yes"]) == 0
    left = {path.name for path in root.rglob("*.jpg")}
    assert not left & theirs
    assert len(left) == contents - len(theirs)
    assert not [path for path in root.rglob(".saving-*") if path.parent.name == "newt"]
    assert {row.subject for row in read_rows(root).present.values()} == {"p1"}


def test_photos_of_the_trash_of_such_a_class_are_forgotten(tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = make(root)
    assert photos[11].subject == "p1"
    assert list((root / ".trash" / "newt").iterdir())
    assert collector(["forget", "p1", "--data", str(root), "--yes"]) == 0
    assert not list((root / ".trash" / "newt").iterdir())


def test_a_folder_of_pictures_that_is_no_class_is_reported_with_the_way_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    with PhotoStore(root):
        (root / "misworn = it's").mkdir()
    put(root, "misworn = it's/a.jpg", encode_jpeg(draw_noise(1)))
    assert collector(["doctor", str(root), "--fix"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "1 picture lies in none of the folders mask_old, mask_young, nomask_old" in said
    add = f"""`collector classes {root} --add 'misworn = it'"'"'s' --factor mask=VALUE --factor"""
    assert f"{add} age=VALUE` makes misworn = it's a class (mask is worn, none or a new" in said
    assert (root / "misworn = it's" / "a.jpg").exists()
    assert collector(["doctor", str(root), "--json"]) == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert [note["kind"] for note in notes] == ["outside"]


def test_the_doctor_makes_the_folders_of_any_scheme(tmp_path: Path) -> None:
    root = tmp_path / "data"
    make(root)
    for path in (root / ".trash" / "cat", root / ".trash" / "dog"):
        path.rmdir()
    assert found(examine(root)) == {Kind.FOLDER: [".trash/cat", ".trash/dog"]}
    repair_dataset(root)
    assert examine(root).is_clean
    assert not (root / MASK_AGE.labels[0]).exists()
