import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.cli import main
from maskage.classes.ready_made import MASK_AGE, READY_MADE, plain_scheme
from maskage.classes.scheme import MASK, MISWORN
from maskage.dataset.store import PhotoStore
from maskage.formats.classes.classes_file import (
    find_scheme,
    format_scheme,
    parse_scheme,
    read_scheme,
)
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise
from tests.curation.build.test_swap_kills import exfat

Capture = pytest.CaptureFixture[str]


def put_pictures(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_jpeg(draw_noise(number + len(root.name))))
    return root


def photos_in(root: Path, capsys: Capture) -> dict[str, int]:
    capsys.readouterr()
    assert main(["classes", str(root), "--json"]) == 0
    return {row["folder"]: row["photos"] for row in json.loads(capsys.readouterr().out)["classes"]}


@pytest.mark.parametrize("name", READY_MADE)
def test_a_ready_made_scheme_is_written_as_it_is(tmp_path: Path, name: str) -> None:
    assert main(["init", str(tmp_path / "data"), "--classes", name]) == 0
    assert find_scheme(tmp_path / "data") == READY_MADE[name]
    for label in READY_MADE[name].labels:
        assert (tmp_path / "data" / label).is_dir()
    with PhotoStore(tmp_path / "data") as store:
        assert store.scheme == READY_MADE[name]


def test_without_a_name_there_are_the_four(tmp_path: Path, capsys: Capture) -> None:
    assert main(["init", str(tmp_path / "my data"), "--target", "50"]) == 0
    assert capsys.readouterr().out == (
        f"{tmp_path}/my data: a dataset with 4 classes, listed in {tmp_path}/my data/classes.toml\n"
        "key  folder        title           mask  age    target  colour\n"
        "1    mask_old      mask, old       worn  old        50  #2f8fd0\n"
        "2    mask_young    mask, young     worn  young      50  #7cc7f0\n"
        "3    nomask_old    no mask, old    none  old        50  #e0651f\n"
        "4    nomask_young  no mask, young  none  young      50  #f0a92e\n"
        f"Next: collector '{tmp_path}/my data'\n"
    )
    made = find_scheme(tmp_path / "my data")
    assert made is not None
    assert made.labels == MASK_AGE.labels
    assert {each.target for each in made} == {50}


def test_a_dataset_is_for_nobody_else_to_read(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "data")]) == 0
    made = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in made} == {0}


def test_names_may_be_odd_and_are_noted_where_other_disks_refuse_them(
    tmp_path: Path, capsys: Capture
) -> None:
    names = ["no helmet", "CON", "Mask", "mask", "\N{GRINNING FACE}", "=1+1", "x" * 150, "a.", "b?"]
    assert main(["init", str(tmp_path / "data"), "--classes", ", ".join(names)]) == 0
    answer = capsys.readouterr()
    assert find_scheme(tmp_path / "data") == plain_scheme(names)
    assert max(map(len, answer.out.splitlines()[1:-1])) <= 80
    assert answer.err == (
        "Note: 'Mask' and 'mask' are one folder on macOS, Windows and USB sticks: the photos of "
        "these classes would be mixed there.\n"
        "Note: 'CON' cannot be a folder on Windows: the name is kept for a device.\n"
        "Note: 'a.' cannot be a folder on Windows: it ends in a dot.\n"
        "Note: 'b?' cannot be a folder on Windows: it holds ?.\n"
    )


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ("mask-stat", "Did you mean mask-state?"),
        ("helmet", "write two or more names of folders"),
        ("", "write two or more names of folders"),
        ("a,,b", "'' is no name of a folder"),
        ("a,a", "the folder 'a' stands twice"),
        ("a,../b", "'../b' is no name of a folder"),
        ("a,.b", "begins with a dot"),
        (",".join(f"c{number}" for number in range(65)), "there are 65 classes, not 2 to 64"),
    ],
)
def test_what_is_no_list_of_classes_makes_nothing(
    tmp_path: Path, capsys: Capture, classes: str, message: str
) -> None:
    assert main(["init", str(tmp_path / "data"), "--classes", classes]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_plain_classes_with_the_folders_of_a_ready_made_scheme_are_noted(
    tmp_path: Path, capsys: Capture
) -> None:
    assert main(["init", str(tmp_path / "data"), "--classes", "none,worn,misworn"]) == 0
    assert "these are the folders of mask-state" in capsys.readouterr().err


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "classes.toml").write_text("mine")
    assert main(["init", str(tmp_path)]) == 4
    assert "there is a file already" in capsys.readouterr().err
    assert (tmp_path / "classes.toml").read_text() == "mine"
    (tmp_path / "classes.toml").unlink()
    (tmp_path / "classes.toml").symlink_to(tmp_path / "elsewhere")
    assert main(["init", str(tmp_path)]) == 4
    assert not (tmp_path / "elsewhere").exists()


def test_a_dataset_with_photos_is_refused_with_what_it_has(tmp_path: Path, capsys: Capture) -> None:
    with PhotoStore(tmp_path / "data") as store:
        store.add(draw_noise(1), "mask_old")
    assert main(["init", str(tmp_path / "data"), "--classes", "helmet,no_helmet"]) == 4
    told = capsys.readouterr().err
    assert "there is a dataset with 1 photos, in the classes mask_old, mask_young" in told
    assert "`collector classes`" in told
    assert find_scheme(tmp_path / "data") is None
    assert not (tmp_path / "data" / "helmet").exists()


def test_photos_in_the_trash_are_photos_of_a_dataset(tmp_path: Path, capsys: Capture) -> None:
    put_pictures(tmp_path / "data", ".trash/mask_old/a.jpg")
    assert main(["init", str(tmp_path / "data"), "--classes", "helmet,no_helmet"]) == 4
    assert "1 in the trash" in capsys.readouterr().err


def test_a_dataset_without_photos_gets_other_classes(tmp_path: Path) -> None:
    with PhotoStore(tmp_path):
        pass
    (tmp_path / "nomask_old" / "notes.txt").touch()
    assert main(["init", str(tmp_path), "--classes", "helmet,mask_old"]) == 0
    made = sorted(path.name for path in tmp_path.iterdir() if path.is_dir())
    # The empty folders of the other classes are gone; what somebody has put into one is there.
    assert made == [".dataset", ".trash", "helmet", "mask_old", "nomask_old"]


def test_classes_that_a_disk_holds_in_one_folder_make_nothing(
    tmp_path: Path, capsys: Capture
) -> None:
    with exfat(tmp_path / "stick") as stick:
        assert main(["init", str(stick / "data"), "--classes", "Mask,mask,hat"]) == 4
        assert "have one folder here" in capsys.readouterr().err
        assert {path.name[0] for path in (stick / "data").iterdir()} == {"."}
        assert main(["init", str(stick / "data"), "--classes", "Mask,hat"]) == 0
        assert read_scheme(stick / "data").labels == ("Mask", "hat")


def test_a_dataset_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    with PhotoStore(tmp_path / "data"):
        assert main(["init", str(tmp_path / "data"), "--classes", "a,b"]) == 75
    assert find_scheme(tmp_path / "data") is None


def test_a_file_in_the_place_of_a_dataset_or_a_class_is_refused(
    tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "file").touch()
    assert main(["init", str(tmp_path / "file")]) == 4
    assert "is a file" in capsys.readouterr().err
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").touch()
    assert main(["init", str(tmp_path / "data"), "--classes", "a,b"]) == 5
    assert "cannot be made" in capsys.readouterr().err
    assert find_scheme(tmp_path / "data") is None


@pytest.mark.parametrize(
    ("names", "labels", "origin"),
    [
        (["b/1.jpg", "a/2.png", "c/notes.txt"], ["a", "b"], "its folders"),
        (
            ["train/with_mask/1.jpg", "val/without_mask/2.jpg"],
            ["with_mask", "without_mask"],
            "the folders in train and val",
        ),
    ],
)
def test_classes_are_the_folders_with_pictures(
    tmp_path: Path, capsys: Capture, names: list[str], labels: list[str], origin: str
) -> None:
    source = put_pictures(tmp_path / "source", *(name for name in names if "txt" not in name))
    assert main(["init", str(tmp_path / "data"), "--from", str(source)]) == 0
    answer = capsys.readouterr()
    assert f"{source}: the classes are {origin}.\n" in answer.err
    assert answer.out.endswith(f"Next: collector import {source} {tmp_path / 'data'}\n")
    assert find_scheme(tmp_path / "data") == plain_scheme(labels)
    assert main(["import", str(source), str(tmp_path / "data")]) == 0
    assert photos_in(tmp_path / "data", capsys) == dict.fromkeys(labels, 1)


def test_folders_of_a_ready_made_scheme_bring_its_factors(
    tmp_path: Path, four_folders: Callable[..., Path]
) -> None:
    assert main(["init", str(tmp_path / "data"), "--from", str(four_folders(1))]) == 0
    assert find_scheme(tmp_path / "data") == MASK_AGE


def test_a_dataset_gives_its_own_classes(tmp_path: Path, capsys: Capture) -> None:
    first = tmp_path / "first"
    main(["init", str(first), "--classes", "mask-state"])
    assert main(["init", str(tmp_path / "data"), "--from", str(first)]) == 0
    assert "those of its classes.toml" in capsys.readouterr().err
    made = find_scheme(tmp_path / "data")
    assert made is not None
    assert made.labels_with(MASK, MISWORN) == ("misworn",)


def test_folders_of_pictures_become_a_dataset_where_they_lie(
    tmp_path: Path, capsys: Capture
) -> None:
    data = put_pictures(tmp_path / "photos", "helmet/1.jpg", "helmet/2.jpg", "bare/3.jpg")
    assert main(["init", str(data), "--from", str(data)]) == 0
    assert capsys.readouterr().out.endswith(f"Next: collector {data}\n")
    assert photos_in(data, capsys) == {"bare": 1, "helmet": 2}


def test_pictures_in_other_folders_are_noted(tmp_path: Path, capsys: Capture) -> None:
    data = put_pictures(tmp_path / "photos", "helmet/1.jpg", "old/2.jpg", "old/3.jpg")
    assert main(["init", str(data), "--classes", "helmet,bare"]) == 0
    assert "in folders that are no classes: old (2)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "there are no folders with pictures"),
        (["a.jpg"], "there are no folders with pictures"),
        (["a/1.jpg"], "there is only one class"),
    ],
)
def test_a_folder_without_classes_is_refused(
    tmp_path: Path, capsys: Capture, names: list[str], message: str
) -> None:
    (tmp_path / "source").mkdir()
    put_pictures(tmp_path / "source", *names)
    assert main(["init", str(tmp_path / "data"), "--from", str(tmp_path / "source")]) == 4
    assert message in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--classes", "mask", "--from", "x"], "not by both"),
        (["--target", "0"], "--target is at least 1"),
    ],
)
def test_options_that_contradict_are_a_usage_fault(
    tmp_path: Path, capsys: Capture, words: list[str], message: str
) -> None:
    assert main(["init", str(tmp_path / "data"), *words]) == 2
    assert message in capsys.readouterr().err


def test_the_help_shows_a_file_that_can_be_read(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["init", "--help"])
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    text = shown[shown.index("  [factors]") : shown.index("A name with a comma")]
    other = '[[class]]\nfolder = "nomask"\nfactors = { mask = "none" }\n'
    scheme = parse_scheme((text + other).encode())
    assert scheme["mask"].target == 200
    assert parse_scheme(format_scheme(scheme).encode()) == scheme
