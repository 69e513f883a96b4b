"""Which photo a row means, however its path is spelled."""

import unicodedata

import pytest

from maskage.errors import DatasetError
from maskage.formats.tables.table_match import (
    TableMatch,
    find_misfit,
    match_table,
    require_rows,
)

NAMES = ("mask_old/Änne.jpg", "mask_old/b.jpg", "mask_young/b.jpg", "mask_young/c d.png")


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def test_a_path_as_it_stands_needs_no_note() -> None:
    match = match_table({"mask_old/b.jpg": 1}, NAMES)
    assert match == TableMatch({"mask_old/b.jpg": 1}, (), (NAMES[0], *NAMES[2:]), ())


@pytest.mark.parametrize(
    ("path", "name", "note"),
    [
        (decomposed("mask_old/Änne.jpg"), NAMES[0], "found with accents coded otherwise"),
        ("MASK_OLD/B.JPG", NAMES[1], "found with other capitals"),
        (decomposed("mask_old/äNNE.jpg"), NAMES[0], "found with other capitals"),
        ("c d.png", NAMES[3], "given without folder"),
        ("mask_young/b", NAMES[2], "given without suffix"),
        ("c d", NAMES[3], "given without suffix"),
        ("/home/me/src/mask_old/b.jpg", NAMES[1], "given with the folder itself"),
        ("src/mask_old/b.jpg", NAMES[1], "given with the folder itself"),
        ("mask_old/\udcc4nne.jpg", NAMES[0], "read as Windows text"),
    ],
)
def test_a_path_in_another_spelling_is_found_and_that_is_said(
    path: str, name: str, note: str
) -> None:
    match = match_table({path: 1}, NAMES, folders=["/home/me/src", "src"])
    assert dict(match.rows) == {name: 1}
    assert match.notes[0].startswith(f"1 path {note}, such as ")


def test_names_on_the_disk_may_be_the_decomposed_ones() -> None:
    assert dict(match_table({NAMES[0]: 1}, [decomposed(NAMES[0])]).rows) == {
        decomposed(NAMES[0]): 1
    }


def test_a_path_relative_to_the_folder_of_the_table_is_found() -> None:
    match = match_table({"b.jpg": 1, "../mask_young/b.jpg": 2}, NAMES, base="mask_old")
    assert dict(match.rows) == {"mask_old/b.jpg": 1, "mask_young/b.jpg": 2}


def test_what_fits_two_photos_is_left_and_said() -> None:
    match = match_table({"b.jpg": 1}, NAMES)
    assert dict(match.rows) == {}
    assert match.unmatched_rows == ("b.jpg",)
    assert match.notes[0].startswith("1 fit more than one photo and were left: b.jpg (2 photos)")


def test_a_photo_is_found_by_what_else_it_is_called_also_where_that_is_its_own_name() -> None:
    aliases = {"mask_old/b.jpg": ["in/x.png"], "mask_young/c d.png": ["more/c d.png"]}
    match = match_table({"in/x.png": 1, "c d.png": 2}, NAMES, aliases=aliases)
    assert dict(match.rows) == {"mask_old/b.jpg": 1, "mask_young/c d.png": 2}


def test_two_rows_of_one_photo_agree_or_are_an_error() -> None:
    assert dict(match_table({"mask_old/b.jpg": 1, "MASK_OLD/b.jpg": 1}, NAMES).rows) == {
        "mask_old/b.jpg": 1
    }
    with pytest.raises(DatasetError, match=r"mask_old/b\.jpg and MASK_OLD/b\.jpg, and disagree"):
        match_table({"mask_old/b.jpg": 1, "MASK_OLD/b.jpg": 2}, NAMES)


def test_no_rows_leave_no_photo_over() -> None:
    assert match_table({}, NAMES) == TableMatch({})
    assert match_table({"a.jpg": 1}, []).unmatched_rows == ("a.jpg",)


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("dataset/mask_old/b.jpg", 'the paths without "dataset/"'),
        ("C:/me/mask_young/c d.png", 'the paths without "C:/me/"'),
        ("b.jpg", '"mask_old/" before each path'),
        ("old/b.jpg", '"mask_old/" in place of "old/"'),
        ("else.jpg", None),
    ],
)
def test_a_prefix_that_all_paths_lack_or_have_is_guessed(path: str, advice: str | None) -> None:
    assert find_misfit([path], NAMES) == advice


def test_a_table_without_any_photo_is_refused_with_both_sides() -> None:
    match = match_table({"x/mask_old/b.jpg": 1}, NAMES)
    with pytest.raises(DatasetError) as fault:
        require_rows(match, "t.csv", "src")
    assert str(fault.value).splitlines() == [
        "t.csv: none of its 1 paths is a photo of src.",
        "Its first paths are x/mask_old/b.jpg.",
        "The first photos are mask_old/Änne.jpg, mask_old/b.jpg, mask_young/b.jpg.",
        'Write the paths without "x/". Nothing was changed.',
    ]
    with pytest.raises(DatasetError, match="it has no rows"):
        require_rows(match_table({}, NAMES), "t.csv", "src")
