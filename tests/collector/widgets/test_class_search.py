"""What is typed of a name finds its class."""

import pytest

from collector.widgets.class_search import PaletteEntry, find_entries

NAMES = ["mask, old", "mask, young", "no mask, old", "no mask, young"]


def found(query: str, titles: list[str] = NAMES) -> list[str]:
    return [e.title for e in find_entries([PaletteEntry(t, t, 0) for t in titles], query)]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", NAMES),
        ("  ", NAMES),
        ("mask", NAMES),
        ("no", ["no mask, old", "no mask, young"]),
        ("young", ["mask, young", "no mask, young"]),
        ("old no", ["no mask, old"]),
        ("NMY", ["no mask, young"]),
        ("my", ["mask, young", "no mask, young"]),
        ("zebra", []),
        ("[bold]", []),
    ],
)
def test_words_find_classes(query: str, titles: list[str]) -> None:
    assert found(query) == titles


def test_a_beginning_counts_more_than_a_middle_and_a_middle_more_than_letters() -> None:
    titles = ["mastiff gray", "tomcat", "grey cat", "cat", "chat"]
    assert found("cat", titles) == ["cat", "grey cat", "tomcat", "chat"]


def test_equal_matches_stand_as_they_stood() -> None:
    assert found("person", ["person 7", "person 2"]) == ["person 7", "person 2"]


def test_the_folder_is_found_where_the_title_is_another() -> None:
    entries = [PaletteEntry("n01440764", "tench", 0), PaletteEntry("n02", "shark", 0)]
    assert [e.title for e in find_entries(entries, "n014")] == ["tench"]


def test_an_accent_is_found_however_it_is_typed_or_stored() -> None:
    assert found("cafe\u0301", ["caf\u00e9"]) == ["caf\u00e9"]
    assert found("ΣΊΣΥΦΟΣ", ["σίσυφος"]) == ["σίσυφος"]


def test_a_name_of_one_letter_eighty_times_is_searched_at_once() -> None:
    assert found("a" * 39 + "b", ["a" * 80]) == []
