import pytest

from maskage.commands.text_table import align_columns, cut_text, drawn_width, list_some


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("mask", 4), ("日本", 4), ("e\u0301", 1), ("\N{GRINNING FACE}", 2)]
)
def test_the_width_is_what_a_terminal_draws(text: str, width: int) -> None:
    assert drawn_width(text) == width


@pytest.mark.parametrize(
    ("text", "cut"),
    [("mask", "mask"), ("mask_old", "mask…"), ("日本語の", "日本…"), ("a日本語", "a日…")],
)
def test_a_long_text_is_cut_to_its_room(text: str, cut: str) -> None:
    assert cut_text(text, 5) == cut
    assert drawn_width(cut_text(text, 5)) <= 5


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    rows = [("", "photos"), ("日本", "7"), ("a", "1234567")]
    assert align_columns(rows, [False, True]) == ["       photos", "日本        7", "a     1234567"]


def test_of_a_long_list_the_first_are_named() -> None:
    assert list_some(["a", "b", "c"]) == "a, b, c"
    assert list_some(["a", "b", "c", "d", "e"], 3, "or") == "a, b, c or 2 more"
