import io
import math
import subprocess
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from maskage.formats.run.results_file import EpochRow
from maskage.records import RgbImage
from trainer.pages.run_pictures import DARK, WIDEST_PX, draw_confusion, draw_curves

LONG = "a rather long name of a class, number"
NAMES = {
    "the four": ["mask_old", "mask_young", "nomask_old", "nomask_young"],
    "two": ["yes", "no"],
    "two long": [f"{LONG} {at}" for at in range(2)],
    "nine": [f"class_{at}" for at in range(9)],
    "forty": [f"class_{at}" for at in range(40)],
    "twenty long": [f"{LONG} {at}" for at in range(20)],
}


def decode(png: bytes) -> RgbImage:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def confuse(count: int) -> list[list[int]]:
    return [[1200 if row == column else 7 for column in range(count)] for row in range(count)]


def make_rows(epochs: int) -> list[EpochRow]:
    return [
        EpochRow("head" if at < 3 else "fine_tune", at, 1 / (at + 1), 0.5, 1.2 / (at + 1), 0.6,
                 1e-3, 1.0)
        for at in range(epochs)
    ]  # fmt: skip


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_names_of_classes_do_not_overlap(names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Figure] = []
    save = Figure.savefig

    def keep(figure: Figure, *words: Any, **options: Any) -> None:
        save(figure, *words, **options)
        seen.append(figure)

    monkeypatch.setattr(Figure, "savefig", keep)
    height, width, _ = decode(draw_confusion(confuse(len(names)), names)).shape
    assert max(height, width) <= WIDEST_PX
    (axes,) = seen[0].axes
    drawn = [label.get_text() for label in axes.get_xticklabels()]
    assert len(set(drawn)) == len(names)
    for label, other in pairwise(axes.get_xticklabels()):
        box, next_box = label.get_window_extent(), other.get_window_extent()
        if label.get_rotation() == 0:
            assert box.x1 < next_box.x0
        else:
            # Between two slanting lines of letters, at 10 points.
            gap = (next_box.x1 - box.x1) * math.sin(math.radians(label.get_rotation()))
            assert gap > 12 / 72 * seen[0].dpi
    for text in axes.texts:
        assert text.get_window_extent().width < axes.bbox.width / len(names)
    inside = seen[0].bbox
    for name in (*axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label):
        box = name.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= inside.x1
        assert box.y1 <= inside.y1


def test_a_name_is_text_and_no_formula() -> None:
    plain, formula = (decode(draw_confusion(confuse(2), [name, "b"])) for name in ("5", "$5$"))
    assert not np.array_equal(plain, formula)
    draw_confusion(confuse(2), ["a_{b", "$\\frac{$"])


def test_letters_of_any_script_are_drawn_without_a_warning() -> None:
    # Warnings are errors here. The last letter is in no font.
    draw_confusion(confuse(2), ["\u6234\u53e3\u7f69 \u043c\u0430\u0441\u043a\u0430", "\U0010fffd"])


def test_the_right_answers_are_darker() -> None:
    pixels = decode(draw_confusion([[9, 1], [1, 9]], ["a", "b"]))
    blues = (pixels[:, :, 2].astype(int) - pixels[:, :, 0]) > 60
    assert 0.2 < blues.mean() < 0.5


@pytest.mark.parametrize("epochs", [0, 1, 6])
def test_curves_of_any_number_of_epochs_are_drawn(epochs: int) -> None:
    assert decode(draw_curves(make_rows(epochs))).shape == (640, 1600, 3)


def test_the_curves_have_the_colours_of_the_page_by_night() -> None:
    light, dark = decode(draw_curves(make_rows(6))), decode(draw_curves(make_rows(6), DARK))
    assert light[0, 0].tolist() == [255, 255, 255]
    # The card's colour in style.css.
    assert dark[0, 0].tolist() == [0x1D, 0x20, 0x25]
    assert dark.mean() < 60 < 200 < light.mean()


def test_zeros_are_left_out_where_mistakes_would_be_lost_among_them() -> None:
    def count_ink(classes: int) -> float:
        counts = np.eye(classes, dtype=int).tolist()
        pixels = decode(draw_confusion(counts, [str(at) for at in range(classes)]))
        corner = pixels[: len(pixels) // 3, -len(pixels[0]) // 3 :]
        return float((corner.max(axis=2) < 120).sum())

    assert count_ink(12) > 0
    assert count_ink(13) == 0


def test_the_same_figures_give_the_same_bytes_whatever_settings_lie_around(tmp_path: Any) -> None:
    script = (
        "import sys; from trainer.pages.run_pictures import draw_confusion\n"
        "from tests.trainer.pages.test_run_pictures import confuse\n"
        "sys.stdout.buffer.write(draw_confusion(confuse(3), ['a', 'b', 'c']))\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    (tmp_path / "matplotlibrc").write_text("font.size: 30\naxes.facecolor: red\n")
    here = draw_confusion(confuse(3), ["a", "b", "c"])
    there = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=True
    )
    assert there.stdout == here
    assert there.stderr == b""
    assert b"Software" not in here
    assert b"tIME" not in here
