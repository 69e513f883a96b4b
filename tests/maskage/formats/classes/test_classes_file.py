"""classes.toml: what it may hold, what it may not, and what a command says of it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.cli import main as collector
from curation.cli import main as curate
from maskage.classes.ready_made import MASK_AGE, READY_MADE, plain_scheme
from maskage.classes.scheme import PhotoClass, Scheme
from maskage.errors import DatasetError
from maskage.formats.classes.classes_file import (
    find_scheme,
    format_scheme,
    parse_scheme,
    read_scheme,
    require_same_classes,
)
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise

FACTORS = '[factors]\nmask = ["worn", "none"]\n'
TWO = '[[class]]\nfolder = "a"\n[[class]]\nfolder = "b"\n'


def rows(*bodies: str) -> str:
    return "".join(f"[[class]]\n{body}\n" for body in bodies)


def with_a(body: str) -> str:
    """A file whose second class is whole, and whose first has these lines."""
    return rows(f'folder = "a"\n{body}', 'folder = "b"')


BAD: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "there are no classes"),
    "no class": (FACTORS, "there are no classes"),
    "one class": (rows('folder = "a"'), "there is only one class"),
    "65 classes": (rows(*(f'folder = "c{n}"' for n in range(65))), "there are 65 classes"),
    "twin folders": (rows('folder = "a"', 'folder = "a"'), "the folder 'a' stands twice"),
    "twin keys": (
        rows('folder = "a"\nkey = "x"', 'folder = "b"\nkey = "x"'),
        "the key 'x' stands twice",
    ),
    "no folder": (rows('title = "a"', 'folder = "b"'), "class 1 has no folder"),
    "an empty folder": (rows('folder = ""', 'folder = "b"'), "'' is no name of a folder"),
    "a way out": (rows('folder = "../a"', 'folder = "b"'), "'../a' is no name of a folder"),
    "two dots": (rows('folder = ".."', 'folder = "b"'), "'..' is no name of a folder"),
    "a backslash": (rows("folder = 'a\\b'", 'folder = "b"'), "is no name of a folder"),
    "a hidden folder": (rows('folder = ".a"', 'folder = "b"'), "begins with a dot"),
    "a folder named as the file": (
        rows('folder = "Classes.toml"', 'folder = "b"'),
        "has the name of the file that holds the classes",
    ),
    "a long folder": (rows(f'folder = "{"ä" * 101}"', 'folder = "b"'), "longer than 200 bytes"),
    "a control character": (
        rows('folder = "a\\u001b[2J"', 'folder = "b"'),
        "cannot be shown: U+001B",
    ),
    "a line end": (rows('folder = "a\\nb"', 'folder = "b"'), "cannot be shown: U+000A"),
    "a NUL": (rows('folder = "a\\u0000"', 'folder = "b"'), "cannot be shown: U+0000"),
    "a mark of direction": (
        rows('folder = "a\\u202Egpj"', 'folder = "b"'),
        "cannot be shown: U+202E",
    ),
    "a blank at its end": (rows('folder = "a "', 'folder = "b"'), "begins or ends with a blank"),
    "only a joiner": (rows('folder = "\\u200d"', 'folder = "b"'), "no letter, digit or sign"),
    "half a character": (rows('folder = "\\ud800"', 'folder = "b"'), "not TOML"),
    "a title of two lines": (with_a('title = "a\\nb"'), "cannot be shown: U+000A"),
    "a title that moves the cursor": (with_a('title = "\\u009b2J"'), "cannot be shown: U+009B"),
    "a long title": (with_a(f'title = "{"x" * 81}"'), "not 1 to 80 characters"),
    "an empty title": (with_a('title = ""'), "not 1 to 80 characters"),
    "a key of two": (with_a('key = "12"'), "the key of the class 'a' is '12', not one"),
    "a blank as key": (with_a('key = " "'), "not one character"),
    "a key that is no text": (with_a("key = 1"), "the key of the class 'a' is 1, not a text"),
    "a colour by name": (with_a('color = "red"'), """is 'red', not like "#0072b2\""""),
    "a short colour": (with_a('color = "#fff"'), """is '#fff', not like"""),
    "a colour that is none": (with_a('color = "#00zz00"'), "not like"),
    "a target of 0": (with_a("target = 0"), "the target of the class 'a' is 0, not 1 to 1,000,000"),
    "a huge target": (with_a("target = 1000001"), "not 1 to 1,000,000"),
    "half a target": (with_a("target = 1.5"), "is 1.5, not a whole number"),
    "a target of True": (with_a("target = true"), "is True, not a whole number"),
    "an unknown field": (with_a("colour = 1"), "class 1 has 'colour', which is not known"),
    "an unknown table": (f"{TWO}[more]\n", "the file has 'more', which is not known"),
    "classes that are no list": ('class = "a"', "'a' is not a list"),
    "a class that is no table": ("class = [1, 2]", "a class is '1', not a table"),
    "a folder that is no text": (rows("folder = 1979-05-27", 'folder = "b"'), "not a text"),
    "factors that are no table": (f"factors = 1\n{TWO}", "[factors] is '1', not a table"),
    "a factor with one value": (f'[factors]\nm = ["x"]\n{TWO}', "has 1 values, not two to 64"),
    "a factor with a value twice": (f'[factors]\nm = ["x", "x"]\n{TWO}', "stands twice"),
    "a value that is no text": (f"[factors]\nm = [1, 2]\n{TWO}", "is 1, not a text"),
    "nine factors": (
        "[factors]\n" + "".join(f'f{n} = ["x", "y"]\n' for n in range(9)) + TWO,
        "there are 9 factors, not 8 or fewer",
    ),
    "a missing value": (f"{FACTORS}{TWO}", "the class 'a' has no value of the factor 'mask'"),
    "an unknown factor": (
        with_a('factors = { hat = "yes" }'),
        "has a factor 'hat' that [factors] does not list",
    ),
    "an unknown value": (
        FACTORS + with_a('factors = { mask = "old" }'),
        "the class 'a' has mask = 'old', which is not one of worn, none",
    ),
    "no TOML": ("[[class", "it is not TOML in UTF-8"),
    "a key of TOML twice": (f"{FACTORS}{FACTORS}{TWO}", "it is not TOML in UTF-8"),
    "no UTF-8": (b'[[class]]\nfolder = "\xff"\n', "it is not TOML in UTF-8"),
    "UTF-16": (TWO.encode("utf-16"), "it is not TOML in UTF-8"),
    "a very long number": (with_a(f"target = {'9' * 5000}"), "classes of this folder"),
    "a deep nesting": (f"class = {'[' * 5000}", "it is not TOML in UTF-8"),
    "a large file": (f"#{'x' * (1 << 18)}\n{TWO}", "and at most 262,144 are accepted"),
}


def write(root: Path, data: str | bytes) -> Path:
    root.mkdir(exist_ok=True)
    path = root / "classes.toml"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize("what", list(BAD))
def test_a_bad_file_is_refused_in_words_by_every_command(
    tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data, said = BAD[what]
    path = write(tmp_path / "data", data)
    photo = tmp_path / "data" / "a" / "a.jpg"
    photo.parent.mkdir()
    photo.write_bytes(encode_jpeg(draw_noise(1)))
    for main, words in (
        (collector, ["status"]),
        (collector, ["doctor"]),
        (curate, ["--dry-run"]),
        (collector, ["consent", "p01", "--self", "--data"]),
    ):
        assert main([*words, str(path.parent)]) == 4, words
        found = " ".join(capsys.readouterr().err.split())
        assert said in found
        assert "classes.toml" in found
        assert "the photos were not touched" in found
        assert "\x1b" not in found
    # Nothing was made beside it.
    assert sorted(each.name for each in path.parent.iterdir()) == ["a", "classes.toml"]


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link(path: Path) -> None:
    elsewhere = path.parent.parent / "elsewhere.toml"
    elsewhere.write_text(TWO)
    path.symlink_to(elsewhere)


def dead_link(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("put", [pipe, link, dead_link, Path.mkdir])
def test_what_is_no_plain_file_is_refused(
    tmp_path: Path, put: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    put(tmp_path / "data" / "classes.toml")
    assert collector(["status", str(tmp_path / "data")]) == 4
    assert "it is not a regular file" in " ".join(capsys.readouterr().err.split())


def test_only_folders_are_needed(tmp_path: Path) -> None:
    scheme = read_scheme(write(tmp_path, rows('folder = "no_mask"', 'folder = "mask"')).parent)
    assert [(each.folder, each.title, each.key) for each in scheme] == [
        ("no_mask", "no mask", "1"),
        ("mask", "mask", "2"),
    ]
    assert len({each.color for each in scheme}) == 2


def test_keys_that_are_given_are_not_given_again(tmp_path: Path) -> None:
    text = rows('folder = "a"', 'folder = "b"\nkey = "1"', 'folder = "c"\nkey = ""', 'folder = "d"')
    scheme = parse_scheme(text.encode())
    assert [each.key for each in scheme] == ["2", "1", None, "3"]


def test_a_mark_of_the_encoding_and_other_line_ends_are_read(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + TWO.replace("\n", "\r\n").encode()
    assert read_scheme(write(tmp_path, data).parent).labels == ("a", "b")


def test_a_folder_without_the_file_has_the_four(tmp_path: Path) -> None:
    assert find_scheme(tmp_path) is None
    assert read_scheme(tmp_path) is MASK_AGE
    assert read_scheme(tmp_path / "none") is MASK_AGE


@pytest.mark.parametrize("name", list(READY_MADE))
def test_ready_made_schemes_survive_their_file(name: str) -> None:
    scheme = READY_MADE[name]
    text = format_scheme(scheme)
    assert parse_scheme(text.encode()) == scheme
    assert format_scheme(parse_scheme(text.encode())) == text


def test_names_that_differ_in_case_or_in_their_accents_are_two_classes() -> None:
    folders = ("Mask", "mask", "é", "e\u0301")
    assert parse_scheme(format_scheme(plain_scheme(folders)).encode()).labels == folders


def test_emoji_that_need_a_joiner_are_names() -> None:
    assert plain_scheme(["👩‍⚕️", "\u06a9\u0634\u200c"]).labels[0] == "👩‍⚕️"


def test_classes_are_the_same_in_any_order_and_a_message_names_the_others() -> None:
    scheme = plain_scheme(["cat", "dog"])
    require_same_classes(scheme, ("dog", "cat"), "curated", "the model")
    with pytest.raises(DatasetError, match="curated has the classes cat, dog; the model has dog"):
        require_same_classes(scheme, ("dog",), "curated", "the model")
    with pytest.raises(
        DatasetError, match="only curated has cat, and only the model has newt"
    ) as f:
        require_same_classes(scheme, ("dog", "newt"), "curated", "the model")
    assert "collector classes" in str(f.value)


def test_a_scheme_knows_its_factors() -> None:
    assert MASK_AGE.sibling("mask_old", "mask", "none") == "nomask_old"
    assert MASK_AGE.sibling("mask_old", "mask", "misworn") is None
    assert MASK_AGE.labels_with("age", "old") == ("mask_old", "nomask_old")
    assert MASK_AGE.factor_numbers("mask") == (0, 0, 1, 1)
    plain = plain_scheme(["mask_old", "x"])
    assert not plain.has("mask_old", "mask", "worn")
    assert plain.value("mask_old", "mask") is None
    assert plain.find({"mask": "worn"}) is None
    assert Scheme((PhotoClass("a", "a", "#010203"), PhotoClass("b", "b", "#000000")))["a"].rgb == (
        1,
        2,
        3,
    )


def test_the_way_on_fits_how_the_classes_differ() -> None:
    with pytest.raises(DatasetError, match="new set with `curate` and train") as found:
        require_same_classes(plain_scheme(["a", "b", "c"]), ("a", "b"), "data", "the model m")
    assert "only data has c" in str(found.value)
    assert "--rename" not in str(found.value)
    with pytest.raises(DatasetError, match=r"`collector classes DATA --rename 'a b' c` calls it"):
        require_same_classes(plain_scheme(["a b", "x"]), ("x", "c"), "data", "the model m")


def test_a_slip_in_the_toml_is_named_with_its_remedy() -> None:
    with pytest.raises(ValueError, match=r"the key of the class 'a' is 2, not a text: write it as"):
        parse_scheme(b'[[class]]\nfolder = "a"\nkey = 2\n[[class]]\nfolder = "b"\n')
    with pytest.raises(ValueError, match=r"a class begins with \[\[class\]\]"):
        parse_scheme(b'[class]\nfolder = "a"\n[class]\nfolder = "b"\n')


def test_classes_may_share_their_values_and_are_then_not_told_by_them() -> None:
    kinds = [("cloth", "worn"), ("ffp2", "worn"), ("bare", "none")]
    classes = (PhotoClass(n, n, "#123456", factors={"mask": v}) for n, v in kinds)
    scheme = Scheme(tuple(classes), {"mask": ("worn", "none")})
    assert not scheme.is_told_by_factors
    assert scheme.labels_with("mask", "worn") == ("cloth", "ffp2")
    assert scheme.sibling("cloth", "mask", "none") == "bare"
    assert scheme.sibling("bare", "mask", "worn") is None
    assert parse_scheme(format_scheme(scheme).encode()) == scheme
    assert MASK_AGE.is_told_by_factors
    assert not plain_scheme(["a", "b"]).is_told_by_factors
