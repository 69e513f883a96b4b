import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from maskage.outside_text import shown_text
from maskage.pages.page import Card, fill, render_page
from maskage.pages.parts import SIDE_PX, Figure, data_address, encode_small, load_figure, table
from maskage.pictures.images import decode_image
from tests.conftest import draw_noise
from tests.pages import HOSTILE, Page

PARTS = "maskage/pages/parts.html"


def write_page(path: Path, text: str) -> Page:
    path.write_text(text, encoding="utf-8")
    return Page(path)


def test_a_page_escapes_all_text_and_links_to_its_cards(tmp_path: Path) -> None:
    picture = data_address(encode_small(draw_noise(1, 40)))
    figure = fill(PARTS, "figure", photo=Figure(HOSTILE, HOSTILE, picture, HOSTILE))
    gone = fill(PARTS, "figure", photo=Figure(HOSTILE, HOSTILE, ""))
    cards = [
        Card("one", HOSTILE, table([HOSTILE, ""], [[HOSTILE, HOSTILE]], "figures")),
        Card("two", "Two", figure + gone),
        Card("none", "Without a body", ""),
    ]
    page = write_page(
        tmp_path / "page.html",
        render_page(HOSTILE, HOSTILE, [(HOSTILE, HOSTILE)], cards, notices=[("fault", HOSTILE)],
                    pictures={"p0": picture}),
    )  # fmt: skip
    assert page.outside == []
    assert page.ids == ["one", "two"]
    assert {"#one", "#two"} <= set(page.addresses)
    # Title, heading, lead, two of the tile, notice, two of the card, three of the table, captions.
    assert page.words.count(shown_text(HOSTILE)) == 12
    assert f"{shown_text(HOSTILE)}: gone" in page.words
    assert f".p0{{background-image:url({picture})}}" in page.text


def test_a_name_that_is_not_utf8_can_be_written(tmp_path: Path) -> None:
    page = write_page(tmp_path / "page.html", render_page("f\udcfcr", "", [], []))
    assert "f\\xfcr" in page.words


def test_a_value_that_a_template_misses_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="columns"):
        fill(PARTS, "table", rows=[["a"]])


def test_a_value_that_no_template_asks_for_is_an_error() -> None:
    with pytest.raises(TypeError, match="colums"):
        fill(PARTS, "table", columns=["a"], rows=[["a"]], colums=1)


def test_a_photo_that_is_gone_leaves_its_name(tmp_path: Path) -> None:
    assert load_figure(tmp_path, "mask_old/1.jpg", "kept").address == ""
    shown = fill(PARTS, "figure", photo=load_figure(tmp_path, "mask_old/1.jpg", "kept"))
    assert shown == '<figure class=""><figcaption>mask_old/1.jpg: gone</figcaption></figure>\n'


def test_photos_are_embedded_small() -> None:
    assert decode_image(encode_small(draw_noise(2, 400))).shape == (SIDE_PX, SIDE_PX, 3)


@pytest.mark.parametrize(
    "module",
    ["curation.build.report", "trainer.pages.report", "detector.tour.report"],
)
def test_the_libraries_of_pages_load_with_the_first_page(module: str) -> None:
    script = (
        f"import sys, {module}\n"
        "assert not {'jinja2', 'matplotlib'} & set(sys.modules), 'too early'\n"
        "from maskage.pages.page import render_page\n"
        "render_page('', '', [], [])\n"
        "assert 'jinja2' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
