import pytest

from maskage.classes.ready_made import MASK_AGE, READY_MADE, plain_scheme
from maskage.classes.scheme import PhotoClass, Scheme
from maskage.dataset.status.one_sided import OneSided, find_one_sided

GLASSES = Scheme(
    tuple(
        PhotoClass(f"{sex}_{glasses}", f"{sex}, {glasses}", "#000000", factors=values)
        for sex in ("she", "he")
        for glasses in ("with", "without", "sun")
        for values in [{"sex": sex, "glasses": glasses}]
        if (sex, glasses) != ("he", "sun")
    ),
    {"sex": ("she", "he"), "glasses": ("with", "without", "sun")},
)
"""Two factors, of which one combination is missing."""


def test_each_person_with_a_mask_only_is_found_with_what_is_missing() -> None:
    subjects = {
        "anna": {"mask_old": 5, "mask_young": 6, "nomask_old": 0, "nomask_young": 0},
        "ben": {"mask_old": 0, "mask_young": 0, "nomask_old": 0, "nomask_young": 30},
        "cleo": {"mask_old": 9, "mask_young": 0, "nomask_old": 0, "nomask_young": 0},
        "dora": {"mask_old": 40, "mask_young": 0, "nomask_old": 1, "nomask_young": 0},
    }
    assert find_one_sided(MASK_AGE, subjects, 10) == [
        OneSided("ben", "mask", "none", 30, ("mask_young",)),
        OneSided("anna", "mask", "worn", 11, ("nomask_old", "nomask_young")),
    ]


def test_of_three_values_both_others_are_missing() -> None:
    subjects = {"anna": {"worn": 10}, "ben": {"worn": 5, "misworn": 5}}
    assert find_one_sided(READY_MADE["mask-state"], subjects, 10) == [
        OneSided("anna", "mask", "worn", 10, ("misworn", "none"))
    ]


def test_another_factor_counts_once_somebody_has_two_of_its_values() -> None:
    subjects = {"anna": {"she_with": 10}, "ben": {"he_with": 10}}
    assert find_one_sided(GLASSES, subjects, 10) == []
    # Nobody is both she and he, but cleo has put glasses on.
    subjects |= {"cleo": {"she_with": 5, "she_sun": 5}}
    assert find_one_sided(GLASSES, subjects, 10) == [
        OneSided("anna", "glasses", "with", 10, ("she_without", "she_sun")),
        OneSided("ben", "glasses", "with", 10, ("he_without",)),
    ]


def test_a_value_without_a_sibling_is_not_asked_for() -> None:
    scheme = Scheme(
        tuple(
            PhotoClass(f"{one}{other}", one, "#000000", factors={"mask": one, "place": other})
            for one, other in (("worn", "in"), ("none", "out"))
        ),
        {"mask": ("worn", "none"), "place": ("in", "out")},
    )
    assert find_one_sided(scheme, {"anna": {"wornin": 50}}, 10) == []


@pytest.mark.parametrize("others", [{}, {"ben": {"helmet": 20}}])
def test_people_in_one_plain_class_may_be_what_the_class_is(
    others: dict[str, dict[str, int]],
) -> None:
    plain = plain_scheme(["helmet", "bare", "cap"])
    assert find_one_sided(plain, {"anna": {"bare": 20}} | others, 10) == []


def test_in_plain_classes_whoever_is_in_one_only_is_found_where_others_are_in_two() -> None:
    plain = plain_scheme(["no_helmet", "bare", "cap"])
    subjects = {"anna": {"no_helmet": 20}, "ben": {"no_helmet": 1, "cap": 1}}
    assert find_one_sided(plain, subjects, 10) == [
        OneSided("anna", None, "no helmet", 20, ("bare", "cap"))
    ]
