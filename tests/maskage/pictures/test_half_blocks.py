"""Geometry and escape sequences of half-block pictures, in literal numbers."""

import re

import numpy as np
import pytest

from maskage.pictures.half_blocks import (
    Placement,
    encode_half_blocks,
    outline_box,
    place_picture,
    shrink_to_cells,
)
from maskage.records import FaceBox, RgbImage

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def plain(width: int, height: int, color: tuple[int, int, int] = (9, 80, 255)) -> RgbImage:
    return np.full((height, width, 3), color, dtype=np.uint8)


@pytest.mark.parametrize(
    ("size", "cells", "expected"),
    [
        ((640, 480), (120, 40), Placement(6, 0, 107, 40, 80 / 480)),
        ((640, 480), (40, 40), Placement(0, 12, 40, 15, 40 / 640)),
        ((100, 100), (10, 5), Placement(0, 0, 10, 5, 0.1)),
        ((640, 480), (0, 40), Placement(0, 0, 0, 0, 0.0)),
        ((640, 480), (120, 0), Placement(0, 0, 0, 0, 0.0)),
    ],
)
def test_a_picture_is_placed_with_its_aspect_kept(
    size: tuple[int, int], cells: tuple[int, int], expected: Placement
) -> None:
    assert place_picture(*size, *cells) == expected


def test_a_cell_carries_the_upper_pixel_before_and_the_lower_behind() -> None:
    small = np.array([[[1, 22, 255]], [[0, 10, 100]]], dtype=np.uint8)
    assert encode_half_blocks(small) == ["\x1b[38;2;1;22;255;48;2;0;10;100m▀\x1b[0m"]


def test_without_true_colour_the_nearest_of_256_is_written() -> None:
    small = np.array([[[255, 0, 0]], [[0, 0, 0]]], dtype=np.uint8)
    assert encode_half_blocks(small, true_color=False) == ["\x1b[38;5;196;48;5;16m▀\x1b[0m"]


def test_a_colour_is_written_once_as_long_as_it_lasts() -> None:
    (line,) = encode_half_blocks(plain(5, 2))
    assert line.count("\x1b[38") == 1
    assert line.count("▀") == 5


def test_a_line_has_a_cell_for_each_column_whatever_the_picture() -> None:
    rng = np.random.default_rng(0)
    for columns, rows in ((120, 40), (1, 1), (7, 30), (80, 3)):
        lines = encode_half_blocks(rng.integers(0, 256, (2 * rows, columns, 3), dtype=np.uint8))
        assert [len(ESCAPES.sub("", line)) for line in lines] == [columns] * rows


def test_no_room_gives_no_lines() -> None:
    assert encode_half_blocks(plain(0, 2)) == []


def test_decoding_the_sequences_gives_the_pixels_back() -> None:
    rng = np.random.default_rng(1)
    small = rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)
    for row, line in enumerate(encode_half_blocks(small)):
        numbers = [[int(n) for n in code.split(";")] for code in re.findall(r"\[([\d;]+)m▀", line)]
        assert [code[2:5] for code in numbers] == small[2 * row].tolist()
        assert [code[7:10] for code in numbers] == small[2 * row + 1].tolist()


def test_shrinking_keeps_the_left_of_a_picture_left() -> None:
    pixels = plain(640, 480, (0, 0, 0))
    pixels[:, :320] = 200
    place = place_picture(640, 480, 80, 24)
    small = shrink_to_cells(pixels, place)
    assert small.shape == (2 * place.rows, place.columns, 3)
    assert small[:, 0].min() == 200
    assert small[:, -1].max() == 0


def test_a_box_is_outlined_one_half_block_thick_and_clipped() -> None:
    small = plain(10, 10, (0, 0, 0))
    outline_box(small, FaceBox(20, 20, 40, 40), 0.1, (255, 0, 0))
    assert small[2, 2:6, 0].tolist() == [255] * 4
    assert small[3, 2:6, 0].tolist() == [255, 0, 0, 255]
    assert (small[..., 0] > 0).sum() == 12
    outline_box(small, FaceBox(-50, -50, 500, 500), 0.1, (0, 255, 0))
    assert not small[..., 1].any(), "an outline wholly outside leaves no mark"


def test_a_box_may_be_open_below() -> None:
    small = plain(20, 20, (0, 0, 0))
    outline_box(small, FaceBox(0, 0, 12, 12), 1.0, (255, 0, 0), is_open_below=True)
    assert small[0, :12, 0].tolist() == [255] * 12
    assert small[11, :12, 0].tolist() == [255] * 3 + [0] * 6 + [255] * 3
    assert (small[:12, 0, 0] == 255).all()
