"""The keys of a model's classes beside those of every live view."""

import pytest

from detector.screens.commands import (
    KEYS,
    ChooseLabel,
    CorrectAsChosen,
    CorrectLabel,
    Quit,
    TakeSnapshot,
)
from detector.screens.keys import LiveKeys, name_keys
from maskage.classes.ready_made import MASK_AGE
from tests.detector.schemes import MASK_STATE, ODD, with_keys


def test_the_four_classes_have_one_to_four() -> None:
    keys = LiveKeys(MASK_AGE)
    assert keys.parse("14") == [CorrectLabel("mask_old"), CorrectLabel("nomask_young")]
    assert keys.parse("5[]\r\n") == []
    assert keys.help == (
        "q quit, p pause, m mirror, s snapshot, r record, + and - threshold, c next camera, "
        "n next picture, f select face, 1-4 its right label"
    )


def test_three_classes_have_three_keys() -> None:
    keys = LiveKeys(MASK_STATE)
    assert keys.parse("234") == [CorrectLabel("misworn"), CorrectLabel("none")]
    assert keys.help.endswith(", f select face, 1-3 its right label")


def test_a_key_that_has_a_meaning_keeps_it_and_that_is_said() -> None:
    scheme = with_keys("s", "x", "q", "[")
    keys = LiveKeys(scheme)
    assert keys.parse("sxq[") == [
        TakeSnapshot(),
        CorrectLabel("class 1"),
        Quit(),
        ChooseLabel(-1),
    ]
    assert "x its right label, [ and ] choose a label, Enter saves it" in keys.help
    assert keys.help.endswith(
        "s is not the key of class 0 here, q is not the key of class 2 here, [ is not the key of "
        "class 3 here"
    )


@pytest.mark.parametrize("key", sorted(KEYS))
def test_no_class_takes_a_key_of_the_live_view(key: str) -> None:
    assert LiveKeys(with_keys(key, "1")).parse(key) == [KEYS[key]]


def test_classes_without_a_key_are_chosen_one_after_the_other() -> None:
    assert LiveKeys(ODD).parse("9][\r\n") == [
        CorrectLabel("<b>&\"'x"),
        ChooseLabel(1),
        ChooseLabel(-1),
        CorrectAsChosen(),
        CorrectAsChosen(),
    ]
    assert "1-9 its right label, [ and ] choose a label, Enter saves it" in LiveKeys(ODD).help


def test_without_any_key_all_are_chosen() -> None:
    assert "f select face, [ and ] choose" in LiveKeys(with_keys(None, None)).help


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("1", "1"),
        ("12", "1 and 2"),
        ("123", "1-3"),
        ("1235", "1-3 and 5"),
        ("aAé", "a, A and é"),
        ("abc", "a, b and c"),
        ("1234w ", "1-4, w and space"),
    ],
)
def test_keys_are_named_in_few_words(keys: str, words: str) -> None:
    assert name_keys(keys) == words
