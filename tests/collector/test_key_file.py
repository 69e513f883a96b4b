"""The keys of classes: from the scheme, from the user's file, and never one for two commands."""

from pathlib import Path

import pytest

from collector.key_file import read_key_file
from collector.keys import (
    capture_commands,
    class_keys,
    key_name,
    name_class_keys,
    review_commands,
    shorten_keys,
    show_keys,
    trash_commands,
)
from maskage.classes.ready_made import MASK_AGE, plain_scheme
from maskage.classes.scheme import PhotoClass, Scheme
from maskage.errors import UsageError

ODD = ("my class", "=1+1", "a.b", "CON", "Mask", "mask", "x_y", "x-y", "😀")


def keyed(**keys: str | None) -> Scheme:
    """A scheme of classes with these keys, by folder."""
    return Scheme(tuple(PhotoClass(name, name, "#7cc7f0", key) for name, key in keys.items()))


def test_up_to_nine_classes_have_a_digit_and_the_others_none() -> None:
    scheme = plain_scheme([f"c{number}" for number in range(12)])
    for commands in (capture_commands(scheme), review_commands(scheme)):
        assert class_keys(commands) == {f"c{number}": str(number + 1) for number in range(9)}
        assert [c.action for c in commands if c.label == "c11"] in (["shoot(11)"], ["relabel(11)"])
    assert {c.keys for c in capture_commands(scheme) if c.label == "c11"} == {""}


def test_the_default_classes_keep_their_names_in_the_key_file() -> None:
    names = [c.name for c in (*capture_commands(MASK_AGE), *review_commands(MASK_AGE)) if c.label]
    assert names == [
        "shoot-mask-old", "shoot-mask-young", "shoot-nomask-old", "shoot-nomask-young",
        "label-mask-old", "label-mask-young", "label-nomask-old", "label-nomask-young",
    ]  # fmt: skip


def test_the_name_of_a_class_never_stands_in_an_action() -> None:
    actions = [c.action for c in capture_commands(plain_scheme(["it's", "a'); quit('"])) if c.label]
    assert actions == ["shoot(0)", "shoot(1)"]


def test_a_class_with_an_odd_name_is_bound_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    lines = {f"shoot-{folder}": f"f{at}" for at, folder in enumerate(ODD, 1)}
    file.write_text("\n".join(f'"{name}" = "{key}"' for name, key in lines.items()))
    scheme = plain_scheme(ODD)
    found = read_key_file(file, scheme)
    assert found.unused == ()
    keys = class_keys(capture_commands(scheme, found.changes))
    assert keys == {folder: f"f{at}" for at, folder in enumerate(ODD, 1)}


@pytest.mark.parametrize("name", ["shoot-mask-old", "shoot-mask_old"])
def test_a_folder_may_be_written_with_its_own_underscore(tmp_path: Path, name: str) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(f'{name} = "z"\n')
    assert read_key_file(file, MASK_AGE).changes == {"shoot-mask-old": "z"}


def test_two_lines_for_one_class_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('shoot-mask-old = "z"\nshoot-mask_old = "w"\n')
    with pytest.raises(UsageError, match=r"two lines give the keys of shoot-mask-old"):
        read_key_file(file, MASK_AGE)


def test_a_line_on_the_class_of_another_dataset_is_named_not_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('shoot-mask-old = "a"\nundo = "z"\n')
    found = read_key_file(file, plain_scheme(["cat", "dog"]))
    assert (found.changes, found.unused) == ({"undo": "z"}, ("shoot-mask-old",))


@pytest.mark.parametrize(
    ("key", "command", "where"),
    [("q", "quit", ""), ("u", "undo", ""), ("/", "find", ""),
     ("a", "accept", " in the gallery"), ("0", "all", " in the gallery")],
)  # fmt: skip
def test_a_class_with_the_key_of_a_command_is_refused_with_both_ways_out(
    tmp_path: Path, key: str, command: str, where: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read_key_file(tmp_path / "keys.toml", keyed(queen=key, king="1"))
    text = str(caught.value)
    assert f"The class 'queen' has the key {key!r}, which is the key of {command}{where}" in text
    verb = "label" if where else "shoot"
    assert "classes.toml" in text
    assert f'{verb}-queen = "f5"' in text
    assert f'{command} = "f6"' in text


def test_the_key_file_frees_a_key_for_a_class(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('quit = "f9"\nback = "g,escape"\n')
    found = read_key_file(file, keyed(queen="q", king=None))
    assert class_keys(capture_commands(keyed(queen="q", king=None), found.changes)) == {
        "queen": "q"
    }


@pytest.mark.parametrize("key", [",", ";", "é", "日", "😀", "A"])
def test_a_class_may_have_any_character_that_is_typed(tmp_path: Path, key: str) -> None:
    scheme = keyed(one=key, two="2")
    read_key_file(tmp_path / "keys.toml", scheme)
    command = capture_commands(scheme)[0]
    assert "," not in command.keys
    assert command.first_key == key


def test_keys_in_words() -> None:
    assert name_class_keys(capture_commands(MASK_AGE)) == "1, 2, 3 or 4"
    assert name_class_keys(capture_commands(plain_scheme(list("abcdefghij")))) == "1 to 9 or /"
    assert name_class_keys(capture_commands(keyed(x="w", y=None))) == "w or /"
    assert name_class_keys(capture_commands(keyed(x=None, y=None))) == "/"
    assert shorten_keys(["1", "2", "3"]) == "1-3"
    assert shorten_keys(["1", "2", "3"], longest=6) == "1 2 3"
    assert shorten_keys(["w", "m"]) == "w m"
    assert shorten_keys([*"123456789", "f5"], longest=6) == "1-9 f5"
    assert shorten_keys(["2", "3", "1", "2"]) == "2-3 1-2"
    assert shorten_keys([]) == ""
    assert [show_keys(key_name(key)) for key in "a,;/"] == list("a,;/")
    assert show_keys("u,backspace,ctrl+y,space,f5") == "u ⌫ ^y space f5"


def test_commands_with_a_second_key_leave_the_first_to_a_class(tmp_path: Path) -> None:
    scheme = keyed(red="r", elm="e", ice="i")
    found = read_key_file(tmp_path / "none.toml", scheme)
    assert found.changes == {}
    keys = {command.name: command.keys for command in review_commands(scheme)}
    assert [keys[name] for name in ("confirm", "facts", "only-origin")] == ["f4", "f2", "f7"]
    assert keys["see-trash"] == "t,f8"
    assert {c.name: c.keys for c in trash_commands(scheme)}["restore"] == "f4"


def test_commands_with_a_second_key_leave_the_first_to_whom_the_user_gave_it(
    tmp_path: Path,
) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('label-mask-old = "e"\nreview-flag = "r"\nfacts = "f"\n')
    found = read_key_file(file, MASK_AGE)
    keys = {command.name: command.keys for command in review_commands(MASK_AGE, found.changes)}
    assert [keys["label-mask-old"], keys["review-flag"], keys["facts"]] == ["e", "r", "f"]
    assert keys["confirm"] == "f4"


def test_two_commands_on_one_key_in_the_trash_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('empty = "v"\ntrash-range = "v"\n')
    with pytest.raises(UsageError, match="stands for both trash-range and empty"):
        read_key_file(file, MASK_AGE)
