import pytest

from maskage.dataset.importing.sources.person_folders import (
    PicturePlace,
    are_like_people,
    find_person_folders,
    name_all_folders,
)


def within(**classes: str) -> list[PicturePlace]:
    """Return places of folders within classes: mask="anna ben"."""
    return [
        PicturePlace(label, below=(name,))
        for label, names in classes.items()
        for name in names.split()
    ]


def above(**people: str) -> list[PicturePlace]:
    return [
        PicturePlace(label, above=(name,))
        for name, labels in people.items()
        for label in labels.split()
    ]


def test_folders_that_return_in_several_classes_are_people() -> None:
    found = find_person_folders(within(a="anna ben carl dora", b="anna ben carl"))
    assert found is not None
    assert found.is_clear
    assert found.names == ("anna", "ben", "carl", "dora")
    assert found.subjects == ("anna", "ben", "carl", "dora", "anna", "ben", "carl")


def test_folders_above_several_classes_are_people() -> None:
    found = find_person_folders(above(anna="a b", ben="a b", carl="a b", dora="a"))
    assert found is not None
    assert found.is_clear
    assert found.subjects == ("anna", "anna", "ben", "ben", "carl", "carl", "dora")


def test_splits_between_are_passed_over() -> None:
    places = [
        PicturePlace(label, ("train",), ("val", name))
        for label in "ab"
        for name in ("p01", "p02", "p03")
    ]
    found = find_person_folders(places)
    assert found is not None
    assert set(found.subjects) == {"p01", "p02", "p03"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("left right", "left right"),
        ("anna ben", "anna ben"),
        ("dark bright blurred", "dark bright blurred"),
        ("male female child", "male female child"),
        ("00000 01000 02000", "00000 01000 02000"),
        ("part1 part2 part3", "part1 part2 part3"),
        ("2019 2020 2021", "2019 2020 2021"),
        ("2024-01-01 2024-01-02 2024-02-03", "2024-01-01 2024-01-02 2024-02-03"),
        ("a b c d", "a b c d"),
        ("anna ben carl x1 x2 x3 x4", "anna ben carl y1 y2 y3 y4"),
        ("cam_1 cam_2 cam_3", "cam_1 cam_2 cam_3"),
        ("asian white black", "asian white black"),
    ],
)
def test_what_may_be_anything_is_only_offered(one: str, other: str) -> None:
    found = find_person_folders(within(a=one, b=other))
    assert found is not None
    assert not found.is_clear


def test_folders_of_one_class_each_are_nobody() -> None:
    assert find_person_folders(within(a="anna ben carl", b="dora emil fritz")) is None
    assert find_person_folders([PicturePlace("a"), PicturePlace("b")]) is None
    assert find_person_folders([]) is None
    # A set that is in each class once is no person.
    assert find_person_folders(within(a="images", b="images")) is None


def test_every_folder_is_a_person_where_the_user_says_so() -> None:
    found = name_all_folders(within(a="left right", b="1"))
    assert found is not None
    assert found.is_clear
    assert found.subjects == ("left", "right", "1")
    assert name_all_folders([PicturePlace("a")]) is None


def test_long_numbers_and_pseudonyms_are_like_people() -> None:
    assert are_like_people(["0000045", "0000099"])
    assert are_like_people(["s01", "person_2", "n000001"])
    assert not are_like_people(["12", "13"])


def test_a_folder_of_one_class_without_a_name_is_nobody_beside_people() -> None:
    people = {"a": "anna anna ben ben carl carl", "b": "anna ben carl"}
    for stray in ("sub", "sub sub sub", "q"):
        found = find_person_folders(within(**{**people, "b": f"{people['b']} {stray}"}))
        assert found is not None
        assert found.is_clear
        assert found.names == ("anna", "ben", "carl")
        assert found.subjects[9:] == (None,) * len(stray.split())
