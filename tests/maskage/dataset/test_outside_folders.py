"""Photos in folders that are no classes: they are counted, and each command advised works."""

import json
import shlex
from pathlib import Path

import pytest

from collector.cli import main as collector
from curation.cli import main as curate
from maskage.classes.ready_made import MASK_AGE, READY_MADE, plain_scheme
from maskage.classes.scheme import Scheme
from maskage.dataset.outside_folders import find_outside, ways_to_classes
from maskage.dataset.photo_files import list_files
from maskage.dataset.store import PhotoStore
from maskage.formats.classes.classes_file import format_scheme, read_scheme
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise

Capture = pytest.CaptureFixture[str]

HELMETS = plain_scheme(["helmet", "no_helmet"])


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing outside the test's folder is looked at."""
    monkeypatch.chdir(tmp_path)


def fill_folders(root: Path, *folders: str) -> Path:
    """Put two pictures into each folder, as somebody does by hand."""
    for number, folder in enumerate(folders):
        (root / folder).mkdir(parents=True)
        for shot in range(2):
            picture = encode_jpeg(draw_noise(10 * number + shot))
            (root / folder / f"{shot}.jpg").write_bytes(picture)
    return root


def make(root: Path, scheme: Scheme) -> Path:
    """A dataset with a photo of every class."""
    root.mkdir()
    (root / "classes.toml").write_text(format_scheme(scheme))
    with PhotoStore(root) as store:
        for number, label in enumerate(scheme.labels):
            store.add(draw_noise(90 + number), label, subject="anna")
    return root


def said_by(capsys: Capture, *words: str) -> str:
    """What a command says, whatever it returns."""
    capsys.readouterr()
    (curate if words[0] == "curate" else collector)(list(words[words[0] == "curate" :]))
    answer = capsys.readouterr()
    return " ".join(f"{answer.out} {answer.err}".split())


def said_by_all(capsys: Capture, root: Path) -> dict[str, str]:
    commands = [
        ("doctor", str(root)),
        ("status", str(root)),
        ("classes", str(root)),
        ("curate", str(root), "--out", str(root.parent / "curated")),
    ]
    return {words[0]: said_by(capsys, *words) for words in commands}


def follow(command: str) -> int:
    """Run a command that was advised."""
    program, *words = shlex.split(command)
    assert program == "collector"
    return collector(words)


@pytest.mark.parametrize("scheme", [HELMETS, MASK_AGE, READY_MADE["mask-state"]])
def test_the_command_that_adds_a_class_works_as_printed(
    tmp_path: Path, capsys: Capture, scheme: Scheme
) -> None:
    root = fill_folders(make(tmp_path / "my data", scheme), "it's new")
    add = shlex.join(["collector", "classes", str(root), "--add", "it's new"])
    add += "".join(f" --factor {name}=VALUE" for name in scheme.factors)
    for command in ("doctor", "status", "classes"):
        assert f"`{add}` makes it's new a class" in said_by(capsys, command, str(root))
    if scheme.factors:
        assert follow(add) == 2
        assert "write a value where VALUE stands" in capsys.readouterr().err
        assert read_scheme(root) == scheme
    assert follow(add.replace("VALUE", "new")) == 0
    assert find_outside(root, read_scheme(root)) == {}


def test_what_a_ready_made_class_shows_is_known(tmp_path: Path, capsys: Capture) -> None:
    root = fill_folders(make(tmp_path / "data", MASK_AGE), "misworn_old")
    add = f"`collector classes {root} --add misworn_old --factor mask=misworn --factor age=old`"
    assert f"{add} makes misworn_old a class." in said_by(capsys, "status", str(root))
    assert follow(add.strip("`")) == 0
    assert read_scheme(root).value("misworn_old", "mask") == "misworn"


@pytest.mark.parametrize("name", READY_MADE)
@pytest.mark.parametrize("count", [2, 9])
def test_the_folders_of_a_ready_made_scheme_are_known(
    tmp_path: Path, capsys: Capture, name: str, count: int
) -> None:
    labels = READY_MADE[name].labels[-count:]
    if set(labels) & set(MASK_AGE.labels):
        return
    root = fill_folders(tmp_path / "data", *labels)
    init = f"`collector init {root} --classes {name}`"
    for command, said in said_by_all(capsys, root).items():
        assert init in said, command
    assert {path.name for path in root.iterdir()} == set(labels)
    assert follow(init.strip("`")) == 0
    assert read_scheme(root) == READY_MADE[name]


@pytest.mark.parametrize("is_opened", [False, True])
def test_other_folders_become_the_classes(tmp_path: Path, capsys: Capture, is_opened: bool) -> None:
    root = fill_folders(tmp_path / "data", "cats", "dogs")
    if is_opened:
        with PhotoStore(root):
            pass
    init = f"`collector init {root} --from {root}`"
    for command, said in said_by_all(capsys, root).items():
        assert init in said, command
    assert follow(init.strip("`")) == 0
    assert read_scheme(root).labels == ("cats", "dogs")
    assert not (root / "mask_old").exists()


def test_a_single_folder_needs_a_second_class(tmp_path: Path, capsys: Capture) -> None:
    root = fill_folders(tmp_path / "data", "cats")
    init = f"`collector init {root} --classes cats,OTHER`, with the name of a second class"
    assert init in said_by(capsys, "status", str(root))
    assert follow(init.split("`")[1]) == 0


def test_the_doctor_makes_no_folders_of_default_classes_beside_those_of_somebody_else(
    tmp_path: Path, capsys: Capture
) -> None:
    root = fill_folders(tmp_path / "data", "cats", "dogs")
    with PhotoStore(root):
        pass
    for label in MASK_AGE.labels:
        (root / label).rmdir()
    said = said_by(capsys, "doctor", str(root), "--fix")
    assert f"use `collector init {root} --from {root}`." in said
    assert {path.name for path in root.iterdir() if path.name[0] != "."} == {"cats", "dogs"}
    (root / "cats").rename(root / "mask_old")
    assert "missing folder" in said_by(capsys, "doctor", str(root), "--fix")
    assert (root / "nomask_young").is_dir()


def test_photos_outside_are_counted_and_folders_without_any_are_not(
    tmp_path: Path, capsys: Capture
) -> None:
    root = fill_folders(make(tmp_path / "data", HELMETS), "=1+1", "cap/deep")
    (root / "notes").mkdir()
    (root / "notes" / "a.txt").touch()
    for command in ("status", "classes"):
        said = said_by(capsys, command, str(root))
        assert "note: 4 photos lie in folders that are no classes: =1+1 (2), cap (2). " in said
        assert "notes" not in said
        assert json.loads(said_by(capsys, command, str(root), "--json"))["outside"] == {
            "=1+1": 2,
            "cap": 2,
        }


def test_nothing_is_said_where_all_photos_lie_in_classes(tmp_path: Path, capsys: Capture) -> None:
    root = make(tmp_path / "data", HELMETS)
    for command in ("status", "classes"):
        assert "no class:" not in said_by(capsys, command, str(root))
        assert json.loads(said_by(capsys, command, str(root), "--json"))["outside"] == {}


def test_a_folder_whose_name_no_class_can_have_is_to_be_renamed_first(tmp_path: Path) -> None:
    root = fill_folders(make(tmp_path / "data", HELMETS), "cap ")
    way = ways_to_classes(root, HELMETS, ["cap "])
    assert way.startswith("To make it a class, rename the folder first: the folder 'cap '")


@pytest.mark.parametrize("is_in_file", [False, True])
def test_a_folder_renamed_by_hand_is_followed_with_the_command_that_is_printed(
    tmp_path: Path, capsys: Capture, is_in_file: bool
) -> None:
    scheme = READY_MADE["mask-state"]
    root = make(tmp_path / "data", scheme)
    old, new = "none", "bare"
    if is_in_file:
        text = (root / "classes.toml").read_text()
        (root / "classes.toml").write_text(text.replace('folder = "none"', 'folder = "bare"'))
        old, new = new, old
    else:
        (root / old).rename(root / new)
    rename = f"`collector classes {root} --rename {old} {new}`"
    for command, said in said_by_all(capsys, root).items():
        assert f"If {new} is the folder of the class {old}, renamed by hand, {rename}" in said, (
            command
        )
    fill_folders(root, "cap")
    assert rename not in said_by(capsys, "status", str(root))
    for path in (root / "cap").iterdir():
        path.unlink()
    assert follow(rename.strip("`")) == 0
    assert find_outside(root, read_scheme(root)) == {}


def test_thumbnails_of_a_network_disk_are_no_photos_outside(tmp_path: Path) -> None:
    picture = encode_jpeg(draw_noise(1))
    for name in ("mask_old/a.jpg", "@eaDir/b.jpg", "extra/@eaDir/c.jpg", "extra/d", "extra/e.gif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(picture)
    assert find_outside(tmp_path, MASK_AGE) == {"extra": 2}
    (tmp_path / "mask_old" / "noext").write_bytes(picture)
    (tmp_path / "mask_old" / "letter").write_bytes(b"Dear")
    assert list(list_files(tmp_path, MASK_AGE.labels)) == ["mask_old/a.jpg", "mask_old/noext"]
