"""Which names of persons are probably meant to be a known one, and which are another's."""

import pytest

from maskage.dataset.near_names import find_near_name

KNOWN = ("p01", "p02", "p10", "anna", "Miri_3")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pp01", "p01"),
        ("P01", "p01"),
        ("p1", "p01"),
        ("p001", "p01"),
        ("p-01", "p01"),
        ("p_1", "p01"),
        ("01", "p01"),
        ("p0l", "p01"),
        ("po2", "p02"),
        ("plo", None),
        ("Anna", "anna"),
        ("anan", "anna"),
        ("annna", "anna"),
        ("ana", None),
        ("miri3", "Miri_3"),
        ("p01", None),
        ("p03", None),
        ("p11", None),
        ("p12", None),
        ("q01", None),
        ("hannah", None),
        ("", None),
    ],
)
def test_a_slip_is_told_from_another_person(typed: str, meant: str | None) -> None:
    assert find_near_name(typed, KNOWN) == meant


def test_with_nobody_known_nobody_is_near() -> None:
    assert find_near_name("p01", ()) is None


def test_the_nearest_of_several_is_named() -> None:
    assert find_near_name("P01", ("pp01", "p01")) == "p01"
