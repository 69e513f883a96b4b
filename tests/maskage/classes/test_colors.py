"""The colours of classes are told apart with every common colour blindness, and take ink."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from maskage.classes.colors import default_color
from maskage.classes.ready_made import READY_MADE
from maskage.classes.scheme import MOST_CLASSES

SEEN_BY = {
    "everybody": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
"""What is left of linear sRGB without one kind of cones (Machado, Oliveira and Fernandes 2009)."""

TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""Linear sRGB to CIE XYZ, white D65 (IEC 61966-2-1)."""


def linear(color: str) -> NDArray[np.float64]:
    parts = np.array(list(bytes.fromhex(color[1:]))) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(color: str, sight: str) -> NDArray[np.float64]:
    """The colour as CIE L*a*b*, as somebody sees it."""
    seen = np.clip(SEEN_BY[sight] @ linear(color), 0, 1)
    xyz = TO_XYZ @ seen / (0.95047, 1.0, 1.08883)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def least_difference(colors: list[str], sight: str) -> float:
    """The smallest colour difference (CIE 1976) of two; 2.3 is just noticed side by side."""
    seen = [lab(color, sight) for color in colors]
    return min(float(np.linalg.norm(one - other)) for one, other in combinations(seen, 2))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    dark, light = sorted(float(weights @ linear(color)) for color in (one, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("sight", SEEN_BY)
@pytest.mark.parametrize("name", READY_MADE)
def test_the_colours_of_a_ready_made_scheme_differ_for_everybody(name: str, sight: str) -> None:
    assert least_difference([each.color for each in READY_MADE[name]], sight) > 11.5


@pytest.mark.parametrize("sight", SEEN_BY)
def test_the_first_eight_default_colours_differ_for_everybody(sight: str) -> None:
    assert least_difference([default_color(number) for number in range(8)], sight) > 10.0


def test_the_default_colours_of_all_classes_are_different() -> None:
    assert len({default_color(number) for number in range(MOST_CLASSES)}) == MOST_CLASSES


@pytest.mark.parametrize(
    "color",
    sorted(
        {each.color for scheme in READY_MADE.values() for each in scheme}
        | {default_color(number) for number in range(MOST_CLASSES)}
    ),
)
def test_black_or_white_can_be_read_on_every_colour(color: str) -> None:
    assert max(contrast(color, "#000000"), contrast(color, "#ffffff")) >= 4.5


def test_a_colour_that_everybody_else_tells_apart_is_found_alike_without_a_kind_of_cones() -> None:
    assert least_difference(["#d08fb5", "#a8a8a8"], "everybody") > 30
    assert least_difference(["#d08fb5", "#a8a8a8"], "deutan") < 8
