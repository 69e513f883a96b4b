"""Names of classes in cells: cut, parted, and readable on every colour."""

import pytest
from rich.cells import cell_len

from collector.widgets.class_text import (
    READABLE,
    contrast,
    cut_apart,
    draw_chip,
    fit_cells,
    ink_on,
    name_style,
    split_title,
)
from maskage.classes.colors import default_color
from maskage.classes.ready_made import MASK_AGE, plain_scheme
from maskage.classes.scheme import PhotoClass

DARK, LIGHT = (28, 24, 21), (216, 216, 216)
ODD = ("日本語の名前です", "🙂 emoji 🙃", "שלום עולם", "a" * 80, "e\u0301" * 5, "x")


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("number", range(64))
def test_the_ink_can_be_read_on_every_colour(number: int) -> None:
    rgb = PhotoClass("x", "x", default_color(number)).rgb
    paper = {"black": (0, 0, 0), "white": (255, 255, 255)}[ink_on(rgb)]
    assert contrast(rgb, paper) >= READABLE


def test_a_name_has_its_colour_only_where_it_can_be_read() -> None:
    assert [name_style(each.rgb, DARK) for each in MASK_AGE] == [each.color for each in MASK_AGE]
    assert name_style((20, 20, 60), DARK) == "$foreground"
    assert name_style((233, 220, 74), LIGHT) == "$foreground"


@pytest.mark.parametrize("title", ODD)
@pytest.mark.parametrize("cells", [0, 1, 2, 3, 7, 14, 40])
def test_a_name_takes_exactly_its_cells(title: str, cells: int) -> None:
    assert cell_len(fit_cells(title, cells)) == cells
    first, second = split_title(title, max(1, cells), cells)
    assert (cell_len(first), cell_len(second)) == (max(1, cells), cells)
    assert cell_len(cut_apart(title, [f"{title}!"], cells)) <= cells


def test_a_long_name_is_cut_with_an_ellipsis() -> None:
    assert fit_cells("surprised", 8) == "surpris…"
    assert fit_cells("日本語の名前", 8) == "日本語… "
    assert fit_cells("sad", 8) == "sad     "
    assert fit_cells("bad\x1b[2J", 20) == "bad\\x1b[2J          "


def test_names_that_begin_alike_are_cut_in_their_middle() -> None:
    others = ["person 02", "person 03"]
    assert cut_apart("person 01", others, 8) == "per…n 01"
    assert cut_apart("surprised", others, 8) == "surpris…"
    assert cut_apart("person 01", others, 9) == "person 01"


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("mask, old", ("mask   ", "old    ")),
        ("no mask, young", ("no mask", "young  ")),
        ("mask worn", ("mask   ", "worn   ")),
        ("sad", ("sad    ", "       ")),
        ("eyeglasses", ("eyeglas", "ses    ")),
        ("a very long name", ("a very ", "long n…")),
        ("absolutely, yes", ("absolut", "ely, y…")),
    ],
)
def test_a_title_is_parted_in_two_lines(title: str, lines: tuple[str, str]) -> None:
    assert split_title(title, 7, 7) == lines


def test_chips_are_equally_wide_with_and_without_a_key() -> None:
    scheme = plain_scheme(["a", "b", "c"])
    chips = [draw_chip(scheme, label, {"a": "1", "b": "f5"}).plain for label in scheme.labels]
    assert chips == [" 1  ", " f5 ", " ·  "]
