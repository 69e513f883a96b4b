"""Rename, add and remove classes: what follows, what is refused, and what is never lost."""

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from collector.cli import main as collector
from curation.cli import main as curate
from maskage.classes.ready_made import MASK_AGE, plain_scheme
from maskage.classes.scheme import PhotoClass, Scheme
from maskage.dataset.class_changes import add_class, remove_class, rename_class
from maskage.dataset.doctor.examine import examine
from maskage.dataset.doctor.findings import Kind
from maskage.dataset.doctor.repair import repair_dataset
from maskage.dataset.edits import trashing
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import (
    DatasetError,
    DatasetInUseError,
    EnvironmentProblemError,
    ManifestDamagedError,
    ToolchainError,
    UsageError,
)
from maskage.formats.classes.class_change_file import RENAME, ClassChange, change_path, write_change
from maskage.formats.classes.classes_file import format_scheme, read_scheme
from maskage.formats.dataset_folder import manifest_path
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo, Suggestion
from tests.conftest import draw_noise
from tests.maskage.dataset.doctor.doctor_cases import (
    damage_manifest,
    fill,
    found,
    picture_contents,
    tree,
)

ODD_NAMES = ("elder", "with a blank", "=1+1", "CON", "Mask_Old", "шапка", "כובע", "😷", "o'brien")
BY_HAND = """\
# My classes.
class = [
  { folder = "cat", target = 7 },  # soft
  { folder = "dog" },
]
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing outside the test's folder is searched for a person."""
    monkeypatch.chdir(tmp_path)


def make(root: Path) -> list[Photo]:
    """Eight photos, one of them removed, one set aside, and a suggestion of two classes."""
    photos = fill(root, 8)
    with PhotoStore(root) as store:
        store.suggest(
            [(photos[1], Suggestion("mask_old", 0.9)), (photos[2], Suggestion("mask_young", 0.8))]
        )
        store.apply([trashing(photos[4])])
    (root / photos[7].path).write_bytes(b"half a picture")
    repair_dataset(root)
    return photos


def known(root: Path) -> dict[str, tuple[str, str | None, str | None]]:
    """What is known of each photo, by its content: its label, its subject, its suggestion."""
    return {
        photo.sha256 or "": (
            photo.label,
            photo.subject,
            photo.suggestion.label if photo.suggestion else None,
        )
        for photo in list_photos(root)
    }


def events(root: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(manifest_path(root))) as db:
        return list(db.execute("SELECT path, action, label FROM events ORDER BY id"))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_renamed_class_keeps_its_photos_and_everything_known_of_them(
    tmp_path: Path, name: str
) -> None:
    root = tmp_path / "data"
    make(root)
    before, contents = known(root), picture_contents(root)
    rows, log = read_rows(root), events(root)
    assert rename_class(root, "mask_old", name).labels == (name, *MASK_AGE.labels[1:])

    def renamed(label: str | None) -> str | None:
        return name if label == "mask_old" else label

    assert known(root) == {
        digest: (renamed(label), subject, renamed(suggested))
        for digest, (label, subject, suggested) in before.items()
    }
    assert picture_contents(root) == contents
    assert not any((root / top / "mask_old").exists() for top in ("", ".trash", ".damaged"))

    def moved(path: str) -> str:
        return f"{name}/{path[9:]}" if path.startswith("mask_old/") else path

    assert read_rows(root).present.keys() == set(map(moved, rows.present))
    assert read_rows(root).removed.keys() == set(map(moved, rows.removed))
    assert events(root) == [(moved(path), what, renamed(label)) for path, what, label in log]
    assert examine(root).is_clean
    assert read_scheme(root)[name].title == "mask, old"
    assert (root / "classes.toml").stat().st_mode & 0o077 == 0


def test_after_a_renaming_undo_forget_status_and_curate_work(tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = fill(root, 80)
    assert curate([str(root), "--out", str(tmp_path / "curated"), "--split", "random"]) == 0
    with PhotoStore(root) as store:
        store.apply([trashing(photos[0])])
    rename_class(root, "mask_old", "elder")
    (row,) = read_rows(root).removed.values()
    assert row.path == photos[0].path.replace("mask_old/", "elder/")
    with PhotoStore(root) as store:
        store.apply([trashing(row).inverse])
        assert store.counts() == {"elder": 20, **dict.fromkeys(MASK_AGE.labels[1:], 20)}
    assert collector(["forget", "p1", "--data", str(root), "--yes"]) == 0
    assert {photo.subject for photo in list_photos(root)} == {"p0", "p2"}
    assert examine(root).is_clean
    # A set that was made before keeps its own classes.
    assert (tmp_path / "curated" / "train" / "mask_old").is_dir()


def test_a_set_from_before_a_renaming_is_found_for_its_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where another program changed the bytes of its files, so that only names are left."""
    root, out = tmp_path / "data", tmp_path / "curated"
    fill(root, 80)
    assert curate([str(root), "--out", str(out), "--split", "random"]) == 0
    for path in out.glob("*/*/*.jpg"):
        path.write_bytes(path.read_bytes() + b"\0")
    rename_class(root, "mask_old", "elder")
    capsys.readouterr()
    assert collector(["forget", "p1", "--data", str(root), "--dry-run"]) == 0
    said = capsys.readouterr().out
    theirs = sum(photo.subject == "p1" for photo in list_photos(root))
    assert f"{theirs} photos" in said
    assert str(out) in said


def test_the_file_of_a_person_keeps_its_comments_and_its_order(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (root / "classes.toml").write_text(BY_HAND)
    rename_class(root, "cat", "kitten")
    text = (root / "classes.toml").read_text()
    assert text == BY_HAND.replace("cat", "kitten")
    with pytest.raises(UsageError, match="the key '1' stands twice"):
        add_class(root, PhotoClass("newt", "newt", "#123456", key="1"))
    add_class(root, PhotoClass("newt", "newt", "#123456", key="n"))
    text = (root / "classes.toml").read_text()
    assert text.startswith("# My classes.\n")
    assert "# soft" in text
    scheme = read_scheme(root)
    assert scheme.labels == ("kitten", "dog", "newt")
    # The keys that the others had without a word stay theirs.
    assert [each.key for each in scheme] == ["1", "2", "n"]


def test_keys_and_colours_stay_when_an_earlier_class_goes(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    names = ("cat", "dog", "newt")
    text = "\n".join(f'[[class]] # {name}\nfolder = "{name}"\n' for name in names)
    (root / "classes.toml").write_text(text)
    before = read_scheme(root)
    after = remove_class(root, "cat")
    assert [(each.folder, each.key, each.color) for each in after] == [
        (each.folder, each.key, each.color) for each in before.classes[1:]
    ]
    assert "# dog" in (root / "classes.toml").read_text()


def test_a_class_with_a_new_value_of_a_factor_is_added(tmp_path: Path) -> None:
    root = tmp_path / "data"
    make(root)
    new = PhotoClass(
        "misworn_old", "misworn, old", "#1fa884", "5", factors={"mask": "misworn", "age": "old"}
    )
    scheme = add_class(root, new)
    assert scheme == Scheme(
        (*MASK_AGE.classes, new), {"mask": ("worn", "none", "misworn"), "age": ("old", "young")}
    )
    assert (root / "misworn_old").is_dir()
    assert (root / ".trash" / "misworn_old").is_dir()
    assert examine(root).is_clean


def test_photos_in_the_folder_of_a_new_class_belong_to_it(tmp_path: Path) -> None:
    root = tmp_path / "data"
    (root / "newt").mkdir(parents=True)
    (root / "newt" / "a.jpg").write_bytes(encode_jpeg(draw_noise(1)))
    (root / "classes.toml").write_text(format_scheme(plain_scheme(["cat", "dog"])))
    assert list_photos(root) == []
    add_class(root, PhotoClass("newt", "newt", "#123456"))
    assert [photo.path for photo in list_photos(root)] == ["newt/a.jpg"]


def test_an_empty_class_is_removed_with_its_folders(tmp_path: Path) -> None:
    root = tmp_path / "data"
    make(root)
    rename_class(root, "mask_old", "a")
    add_class(root, PhotoClass("b", "b", "#123456", factors={"mask": "misworn", "age": "old"}))
    assert remove_class(root, "b").labels == ("a", *MASK_AGE.labels[1:])
    assert not (root / "b").exists()
    assert not (root / ".trash" / "b").exists()
    assert examine(root).is_clean


Attempt = Callable[[Path], object]
REFUSED: dict[str, tuple[Attempt, type[ToolchainError], str]] = {
    "an unknown class": (lambda root: rename_class(root, "cat", "dog"), UsageError, "no class"),
    "its own name": (lambda root: rename_class(root, "mask_old", "mask_old"), UsageError, "has"),
    "a name that is taken": (
        lambda root: rename_class(root, "mask_old", "mask_young"),
        UsageError,
        "To join two classes",
    ),
    "a path": (lambda root: rename_class(root, "mask_old", "../x"), UsageError, "no name of a"),
    "a hidden folder": (lambda root: rename_class(root, "mask_old", ".x"), UsageError, "dot"),
    "no name": (lambda root: rename_class(root, "mask_old", ""), UsageError, "no name of a"),
    "a long name": (lambda root: rename_class(root, "mask_old", "x" * 201), UsageError, "longer"),
    "a bad title": (
        lambda root: rename_class(root, "mask_old", "x", title="a\nb"),
        UsageError,
        r"cannot be shown: U\+000A",
    ),
    "a folder in the way": (
        lambda root: rename_class(root, "mask_old", "outside"),
        DatasetError,
        "outside: there is something of this name already, with 1 photo in it",
    ),
    "a file in the way": (
        lambda root: rename_class(root, "mask_old", "notes"),
        DatasetError,
        "something of this name",
    ),
    "a class without values": (
        lambda root: add_class(root, PhotoClass("cat", "cat", "#123456")),
        UsageError,
        "no value of the factor 'mask'",
    ),
    "an unknown factor": (
        lambda root: add_class(
            root,
            PhotoClass("x", "x", "#123456", factors={"mask": "worn", "age": "older", "hat": "yes"}),
        ),
        UsageError,
        r"a factor 'hat' that \[factors\] does not list",
    ),
    "a key that is taken": (
        lambda root: add_class(
            root,
            PhotoClass("x", "x", "#123456", "1", factors={"mask": "misworn", "age": "old"}),
        ),
        UsageError,
        "the key '1' stands twice",
    ),
    "a class that is there": (
        lambda root: add_class(root, MASK_AGE.classes[0]),
        UsageError,
        "is a class 'mask_old' already",
    ),
    "a file as its folder": (
        lambda root: add_class(
            root, PhotoClass("notes", "x", "#123456", factors={"mask": "misworn", "age": "old"})
        ),
        DatasetError,
        "this is a file",
    ),
    "a class with photos": (
        lambda root: remove_class(root, "mask_old"),
        DatasetError,
        "it has 1 photo, and 1 photo in the trash and 0 photos that",
    ),
    "a class with a damaged photo": (
        lambda root: remove_class(root, "nomask_young"),
        DatasetError,
        "it has 1 photo, and 0 photos in the trash and 1 photo that",
    ),
}


@pytest.mark.parametrize("what", list(REFUSED))
def test_what_cannot_be_done_is_refused_and_nothing_is_changed(tmp_path: Path, what: str) -> None:
    attempt, kind, said = REFUSED[what]
    root = tmp_path / "data"
    make(root)
    (root / "outside").mkdir()
    (root / "outside" / "a.jpg").write_bytes(encode_jpeg(draw_noise(1)))
    (root / "notes").write_text("mine")
    before = {path: data for path, (_, _, data) in tree(root).items() if ".dataset" not in path}
    with pytest.raises(kind, match=said):
        attempt(root)
    after = {path: data for path, (_, _, data) in tree(root).items() if ".dataset" not in path}
    assert after == before
    assert not change_path(root).exists()


def test_a_class_with_other_files_in_its_folder_is_not_removed(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with PhotoStore(root):
        (root / "mask_old" / "notes.txt").write_text("mine")
    with pytest.raises(DatasetError, match="no photos, or is a link"):
        remove_class(root, "mask_old")
    assert (root / "mask_old" / "notes.txt").read_text() == "mine"


def test_two_classes_are_the_fewest(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (root / "classes.toml").write_text(format_scheme(plain_scheme(["cat", "dog"])))
    with pytest.raises(UsageError, match="only one class"):
        remove_class(root, "cat")


def test_a_folder_that_is_no_dataset_is_not_made_one(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    changes: list[Callable[[], object]] = [
        lambda: rename_class(tmp_path, "mask_old", "x"),
        lambda: remove_class(tmp_path, "mask_old"),
    ]
    for change in changes:
        with pytest.raises(DatasetError, match="not a dataset"):
            change()
    with pytest.raises(DatasetError, match="No dataset at"):
        rename_class(tmp_path / "none", "mask_old", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_an_open_dataset_is_not_changed(tmp_path: Path) -> None:
    make(tmp_path)
    with PhotoStore(tmp_path), pytest.raises(DatasetInUseError):
        rename_class(tmp_path, "mask_old", "x")
    assert read_scheme(tmp_path) == MASK_AGE


def test_a_damaged_manifest_stops_a_renaming_before_it_begins(tmp_path: Path) -> None:
    make(tmp_path)
    damage_manifest(tmp_path, lambda data: b"not a database" * 100)
    with pytest.raises(ManifestDamagedError):
        rename_class(tmp_path, "mask_old", "x")
    assert (tmp_path / "mask_old").is_dir()
    assert not change_path(tmp_path).exists()


def test_a_renaming_onto_the_name_of_a_former_class_loses_no_row(tmp_path: Path) -> None:
    photos = make(tmp_path)
    with closing(sqlite3.connect(manifest_path(tmp_path))) as db, db:
        name = photos[0].path.partition("/")[2]
        db.execute(
            "UPDATE photos SET path = ?, label = 'gone', removed_at = 'x' WHERE path = ?",
            (f"gone/{name}", photos[1].path),
        )
    rename_class(tmp_path, "mask_old", "gone")
    rows = read_rows(tmp_path)
    assert rows.present[f"gone/{name}"].subject == photos[0].subject
    assert any(row.subject == photos[1].subject for row in rows.removed.values())
    assert len(rows.present) + len(rows.removed) == 8


def test_only_the_case_of_a_name_may_change(tmp_path: Path) -> None:
    make(tmp_path)
    assert rename_class(tmp_path, "mask_old", "Mask_Old").labels[0] == "Mask_Old"
    assert examine(tmp_path).is_clean
    assert rename_class(tmp_path, "Mask_Old", "mask_old").labels == MASK_AGE.labels


def test_a_title_may_change_alone(tmp_path: Path) -> None:
    make(tmp_path)
    scheme = rename_class(tmp_path, "mask_old", "mask_old", title="Oma mit Maske")
    assert scheme["mask_old"].title == "Oma mit Maske"
    assert examine(tmp_path).is_clean


def begin(root: Path, new: str = "elder") -> None:
    """Note a renaming that was killed before its first step."""
    scheme = Scheme(
        (
            PhotoClass(new, "x", "#123456", factors=MASK_AGE.classes[0].factors),
            *MASK_AGE.classes[1:],
        ),
        MASK_AGE.factors,
    )
    write_change(root, ClassChange(RENAME, "mask_old", new, format_scheme(scheme)))


@pytest.mark.parametrize(
    "command",
    [
        ["collector", "status"],
        ["collector", "doctor"],
        ["collector", "doctor", "--fix"],
        ["collector", "consent", "--data"],
        ["collector", "forget", "p1", "--yes", "--data"],
        ["curate", "--dry-run", "--ratio", ".4", ".3", ".3", "--split", "random"],
    ],
)
def test_every_command_finishes_a_change_that_was_interrupted(
    tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    fill(root, 40)
    begin(root)
    program = {"collector": collector, "curate": curate}[command[0]]
    program([*command[1:], str(root)])
    assert not change_path(root).exists(), capsys.readouterr()
    assert list((root / "elder").iterdir())
    assert not (root / "mask_old").exists()
    assert examine(root).is_clean


def test_a_change_that_cannot_be_finished_stops_a_reader_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "data"
    make(root)
    begin(root)
    (root / "elder").mkdir()
    (root / "elder" / "a.jpg").write_bytes(encode_jpeg(draw_noise(1)))
    contents = picture_contents(root)
    with pytest.raises(DatasetError, match="Move what is in it into"):
        list_photos(root)
    assert picture_contents(root) == contents
    (root / "elder" / "a.jpg").rename(root / "mask_old" / "a.jpg")
    assert len(list_photos(root)) == 7


@pytest.mark.usefixtures("heeded_permissions")
def test_a_dataset_that_cannot_be_written_says_what_is_not_finished(tmp_path: Path) -> None:
    root = tmp_path / "data"
    make(root)
    begin(root)
    root.chmod(0o500)
    try:
        with pytest.raises(EnvironmentProblemError, match="has begun and is not finished"):
            list_photos(root)
    finally:
        root.chmod(0o700)
    assert len(list_photos(root)) == 6


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"action": "burn"}', b"\xff" * 9, b'{"a": {"b": 1}}']
)
def test_a_damaged_note_of_a_change_is_refused_with_a_way_on(
    tmp_path: Path, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    make(root)
    change_path(root).write_bytes(data)
    assert collector(["status", str(root)]) == 4
    said = capsys.readouterr().err
    assert str(change_path(root)) in said.replace("\n", "")
    assert "Remove this file" in said
    change_path(root).unlink()
    assert collector(["status", str(root)]) == 0


@pytest.mark.skipif(sys.platform == "darwin", reason="its disks take the two for one")
def test_case_twins_are_two_classes_where_the_disk_keeps_them_apart(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (root / "classes.toml").write_text(format_scheme(plain_scheme(["Mask", "mask", "MASK"])))
    with PhotoStore(root) as store:
        for number, label in enumerate(store.scheme.labels):
            store.add(draw_noise(number), label)
        assert store.counts() == {"Mask": 1, "mask": 1, "MASK": 1}
    assert found(examine(root)).keys() <= {Kind.UNMEASURED, Kind.OPEN}


def test_two_classes_with_one_folder_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    (root / "cat").mkdir(parents=True)
    (root / "dog").symlink_to(root / "cat")
    (root / "classes.toml").write_text(format_scheme(plain_scheme(["cat", "dog"])))
    assert collector(["status", str(root)]) == 4
    assert "have one folder here" in " ".join(capsys.readouterr().err.split())
    with pytest.raises(DatasetError, match="have one folder here"):
        PhotoStore(root)


def test_a_value_that_no_class_has_any_more_goes_with_its_last_class(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (root / "classes.toml").write_text(
        """[factors]
# How the mask sits.
mask = [
  "worn",  # over the nose
  "misworn",  # below it
  "none",  # in the bag
]

[[class]]
folder = "worn"
factors = { mask = "worn" }  # mine

[[class]]
folder = "below"
factors = { mask = "misworn" }

[[class]]
folder = "chin"
factors = { mask = "misworn" }

[[class]]
folder = "none"
factors = { mask = "none" }
"""
    )
    assert remove_class(root, "chin").factors == {"mask": ("worn", "misworn", "none")}
    assert remove_class(root, "below").factors == {"mask": ("worn", "none")}
    text = (root / "classes.toml").read_text()
    for comment in ("# How the mask sits.", "# over the nose", "# in the bag", "# mine"):
        assert comment in text
    assert "misworn" not in text


def test_a_factor_keeps_two_values(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with PhotoStore(root):
        pass
    for label in ("nomask_old", "nomask_young"):
        scheme = remove_class(root, label)
    assert scheme.factors == {"mask": ("worn", "none"), "age": ("old", "young")}
