import json
from pathlib import Path

import pytest

from collector.cli import main
from collector.commands.import_photos import IMPORT
from collector.commands.import_photos import _import_pictures as import_pictures_of
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError
from maskage.formats.classes.class_change_file import RENAME, ClassChange, write_change
from maskage.formats.classes.classes_file import find_scheme, read_scheme
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A dataset of two plain classes, with two photos in one of them."""
    root = tmp_path / "data"
    assert main(["init", str(root), "--classes", "helmet,no_helmet"]) == 0
    with PhotoStore(root) as store:
        for number in range(2):
            store.add(draw_noise(number), "helmet", subject="anna")
    return root


def test_the_classes_are_listed_with_their_photos(data: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["classes", str(data)]) == 0
    assert capsys.readouterr().out == (
        f"{data}: 2 classes, listed in {data}/classes.toml\n"
        "key  folder     title      photos  colour\n"
        "1    helmet     helmet          2  #7cc7f0\n"
        "2    no_helmet  no helmet       0  #f0a92e\n"
    )


def test_json_has_all_that_is_known_of_a_class(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mask_old").mkdir()
    assert main(["classes", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["factors"] == {"mask": ["worn", "none"], "age": ["old", "young"]}
    assert found["classes"][0] == {
        "folder": "mask_old",
        "title": "mask, old",
        "key": "1",
        "color": "#2f8fd0",
        "target": None,
        "factors": {"mask": "worn", "age": "old"},
        "photos": 0,
    }
    assert found["outside"] == {}
    assert find_scheme(tmp_path) is None


def test_a_class_is_added_with_all_that_is_said_of_it(data: Path, capsys: Capture) -> None:
    words = ["--title", "Baseball cap", "--key", "z", "--color", "#ABCDEF", "--target", "20"]
    assert main(["classes", str(data), "--add", "cap", *words]) == 0
    answer = capsys.readouterr()
    assert answer.err == ""
    assert "z    cap        Baseball cap" in answer.out
    added = read_scheme(data)["cap"]
    assert (added.title, added.key, added.color, added.target) == (
        "Baseball cap",
        "z",
        "#abcdef",
        20,
    )
    assert (data / "cap").is_dir()


@pytest.mark.parametrize("made", ["curated/plan.csv", "curated/curation.json", "runs/1/args.yaml"])
def test_sets_and_runs_beside_a_dataset_are_said_to_keep_their_classes(
    data: Path, capsys: Capture, made: str
) -> None:
    capsys.readouterr()
    (data.parent / made).parent.mkdir(parents=True)
    (data.parent / made).touch()
    assert main(["classes", str(data), "--add", "cap"]) == 0
    assert "Curated sets and runs that exist keep the classes" in capsys.readouterr().err


def test_an_added_class_gets_the_next_free_key_and_colour(data: Path) -> None:
    assert main(["classes", str(data), "--add", "x" * 150]) == 0
    added = read_scheme(data)["x" * 150]
    assert (added.title, added.key, added.color) == ("x" * 79 + "…", "3", "#1fa884")
    assert main(["classes", str(data), "--add", "quiet", "--key", ""]) == 0
    assert read_scheme(data)["quiet"].key is None


def test_a_class_of_factors_needs_a_value_of_each(tmp_path: Path, capsys: Capture) -> None:
    root = tmp_path / "data"
    main(["init", str(root)])
    assert main(["classes", str(root), "--add", "misworn_old"]) == 2
    told = capsys.readouterr().err
    assert "Add --factor mask=VALUE --factor age=VALUE" in told
    assert "mask is worn, none or a new value" in told
    taken = ["--factor", "mask=worn", "--factor", "age=old"]
    assert main(["classes", str(root), "--add", "mask_old_ffp2", *taken]) == 0
    assert main(["classes", str(root), "--remove", "mask_old_ffp2"]) == 0
    capsys.readouterr()
    assert read_scheme(root) == MASK_AGE
    new = ["--factor", "mask=misworn", "--factor", "age=old"]
    assert main(["classes", str(root), "--add", "misworn_old", *new]) == 0
    assert "'misworn' is a new value of the factor mask (so far worn, none)" in (
        capsys.readouterr().err
    )
    assert read_scheme(root)["misworn_old"].factors == {"mask": "misworn", "age": "old"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--add", "cap", "--factor", "mask=worn"], "there is no factor 'mask'"),
        (["--add", "cap", "--factor", "mask"], "write NAME=VALUE"),
        (["--add", "helmet"], "there is a class 'helmet' already"),
        (["--add", "a/b"], "is no name of a folder"),
        (["--add", "cap", "--key", "1"], "the key '1' stands twice"),
        (["--add", "cap", "--key", "ab"], "not one character"),
        (["--add", "cap", "--color", "red"], "not like"),
        (["--add", "cap", "--target", "0"], "--target is at least 1"),
        (["--key", "x"], "--key goes with --add"),
        (["--title", "x"], "--title goes with --add or --rename"),
        (["--rename", "helmet", "hat", "--key", "x"], "--key goes with --add"),
        (["--add", "a", "--remove", "helmet"], "One change at a time"),
        (["--rename", "Helmets", "hat"], "Did you mean helmet"),
        (["--rename", "helmet", "no_helmet"], "there is a class 'no_helmet' already"),
        (["--remove", "cap"], "there is no class 'cap'. The classes are helmet, no_helmet."),
        (["--remove", "no_helmet"], "only one class"),
    ],
)
def test_a_change_that_cannot_be_made_changes_nothing(
    data: Path, capsys: Capture, words: list[str], message: str
) -> None:
    before = (data / "classes.toml").read_bytes()
    assert main(["classes", str(data), *words]) == 2
    assert message in capsys.readouterr().err
    assert (data / "classes.toml").read_bytes() == before
    assert sorted(path.name for path in data.iterdir() if path.name[0] != ".") == [
        "classes.toml",
        "helmet",
        "no_helmet",
    ]


def test_a_renamed_class_keeps_its_photos(data: Path, capsys: Capture) -> None:
    assert main(["classes", str(data), "--rename", "helmet", "CON", "--title", "hard hat"]) == 0
    assert "'CON' cannot be a folder on Windows" in capsys.readouterr().err
    photos = list_photos(data)
    assert [(photo.label, photo.subject) for photo in photos] == [("CON", "anna")] * 2
    assert read_scheme(data)["CON"].title == "hard hat"


def test_a_class_with_photos_is_not_removed_and_an_empty_one_is(
    data: Path, capsys: Capture
) -> None:
    assert main(["classes", str(data), "--add", "cap"]) == 0
    assert main(["classes", str(data), "--remove", "helmet"]) == 4
    assert "2 photos" in capsys.readouterr().err
    assert main(["classes", str(data), "--remove", "cap"]) == 0
    assert read_scheme(data).labels == ("helmet", "no_helmet")
    assert not (data / "cap").exists()
    assert len(list_photos(data)) == 2


def test_a_dataset_in_use_is_not_changed(data: Path) -> None:
    with PhotoStore(data):
        assert main(["classes", str(data), "--add", "cap"]) == 75
        assert main(["classes", str(data), "--rename", "helmet", "hat"]) == 75
    assert read_scheme(data).labels == ("helmet", "no_helmet")


@pytest.mark.parametrize("words", [[], ["--remove", "mask_old"], ["--rename", "mask_old", "x"]])
def test_without_a_dataset_there_are_no_classes(
    tmp_path: Path, capsys: Capture, words: list[str]
) -> None:
    assert main(["classes", str(tmp_path / "none"), *words]) == 4
    assert "No dataset at" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_change_that_was_cut_short_is_finished_first(
    data: Path, tmp_path: Path, capsys: Capture
) -> None:
    text = (data / "classes.toml").read_text().replace('"no_helmet"', '"bare"')
    write_change(data, ClassChange(RENAME, "no_helmet", "bare", text))
    (tmp_path / "source" / "bare").mkdir(parents=True)
    (tmp_path / "source" / "bare" / "1.jpg").write_bytes(encode_jpeg(draw_noise(9)))
    assert main(["import", str(tmp_path / "source"), str(data)]) == 0
    write_change(data, ClassChange(RENAME, "bare", "hat", text.replace('"bare"', '"hat"')))
    capsys.readouterr()
    assert main(["classes", str(data), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["classes"]
    assert {row["folder"]: row["photos"] for row in found} == {"helmet": 2, "hat": 1}


def test_classes_that_change_while_an_import_begins_refuse_it(data: Path, tmp_path: Path) -> None:
    (tmp_path / "helmet").mkdir()
    (tmp_path / "helmet" / "1.jpg").write_bytes(encode_jpeg(draw_noise(9)))
    parser = IMPORT.make_parser("collector import")
    arguments = parser.parse_args([str(tmp_path / "helmet"), str(data)])
    before = read_scheme(data)
    assert main(["classes", str(data), "--add", "cap"]) == 0
    with pytest.raises(DatasetError, match="its classes were changed by another program"):
        import_pictures_of(arguments, before)
    assert len(list_photos(data)) == 2


def test_a_key_of_a_command_is_refused_before_the_class_is_added(
    data: Path, capsys: Capture
) -> None:
    before = read_scheme(data)
    assert main(["classes", str(data), "--add", "quince", "--key", "q"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "--key q: The class 'quince' has the key 'q', which is the key of quit" in told
    assert "Nothing was changed." in told
    assert read_scheme(data) == before
    assert main(["classes", str(data), "--add", "quince", "--key", "z"]) == 0
    assert read_scheme(data)["quince"].key == "z"
