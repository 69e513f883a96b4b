import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.commands.folder_map import format_map, read_map
from maskage.classes.ready_made import MASK_AGE
from maskage.errors import UsageError

LETTERS = st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="/\\")
NAMES = st.text(LETTERS, min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("texts", "classes"),
    [
        (["Mask Old=mask_old"], {"Mask Old": "mask_old"}),
        (["a=mask_old, b = nomask_old,c="], {"a": "mask_old", "b": "nomask_old", "c": None}),
        (["a=mask_old", "b=mask_old"], {"a": "mask_old", "b": "mask_old"}),
        ([r"a\,b\=c=mask_old"], {"a,b=c": "mask_old"}),
        ([r"train\with=mask_old"], {"train/with": "mask_old"}),
        (["./train/with/=mask_old,"], {"train/with": "mask_old"}),
    ],
)
def test_folders_and_their_classes(texts: list[str], classes: dict[str, str | None]) -> None:
    assert read_map(texts, MASK_AGE).classes == classes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "write FOLDER=CLASS"),
        ("a", "write FOLDER=CLASS"),
        ("=mask_old", "write FOLDER=CLASS"),
        ("a=mask_old=b", "write FOLDER=CLASS"),
        ("a=Mask Old", "there is no class 'Mask Old'.*Did you mean mask_old?"),
        ("a=mask_old,a=mask_young", "'a' is given two classes"),
    ],
)
def test_what_is_no_map_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_map([text], MASK_AGE)


@given(st.lists(NAMES, min_size=1, max_size=4, unique=True))
def test_a_map_that_is_shown_can_be_pasted(names: list[str]) -> None:
    wanted = dict.fromkeys(names, "mask_old")
    assert read_map([format_map(wanted)], MASK_AGE).classes == wanted


def test_a_folder_with_a_backslash_or_blanks_around_it_is_found_too() -> None:
    for name in ("a\\b", " a ", "a\\"):
        found = read_map([format_map({name: "mask_old"})], MASK_AGE)
        assert found.find((name,)) is not None
