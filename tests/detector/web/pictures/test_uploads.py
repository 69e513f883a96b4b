"""The preview of a picture that is sent: upright, small, and of a kind every browser shows."""

import base64
import io
from collections.abc import Callable, Iterator

import pytest
from PIL import Image

from maskage.formats.bundle import ModelBundle
from maskage.records import RgbImage
from tests.detector.web.web_server import Served, serving


@pytest.fixture
def served(bundle: ModelBundle) -> Iterator[Served]:
    with serving(bundle, has_camera=False) as opened:
        yield opened


def encode(pixels: RgbImage, kind: str, turn: int = 1) -> bytes:
    """A file of some kind, turned by its EXIF."""
    image, file = Image.fromarray(pixels), io.BytesIO()
    exif = image.getexif()
    exif[0x0112] = turn
    image.save(file, kind, exif=exif)
    return file.getvalue()


@pytest.mark.parametrize(("kind", "turn"), [("JPEG", 6), ("AVIF", 1), ("TIFF", 1), ("WEBP", 1)])
def test_a_preview_is_an_upright_jpeg(
    served: Served, paint: Callable[..., RgbImage], kind: str, turn: int
) -> None:
    data = encode(paint("mask_old", 640, 480), kind, turn)
    told = served.client.post("/classify?preview=160", content=data).json()
    size = (480, 640) if turn == 6 else (640, 480)
    assert (told["width"], told["height"]) == size
    preview = Image.open(io.BytesIO(base64.b64decode(told["preview"])))
    assert preview.format == "JPEG"
    assert preview.size == (size[0] // 4, size[1] // 4)


def test_a_small_picture_is_not_enlarged_and_none_is_sent_unasked(
    served: Served, paint: Callable[..., RgbImage]
) -> None:
    data = encode(paint("mask_old", 64, 48), "PNG")
    told = served.client.post("/classify?preview=1280", content=data).json()
    assert Image.open(io.BytesIO(base64.b64decode(told["preview"]))).size == (64, 48)
    assert served.client.post("/classify", content=data).json()["preview"] is None


@pytest.mark.parametrize("wanted", ["0", "100000", "large"])
def test_a_preview_of_no_sensible_size_is_refused(
    served: Served, paint: Callable[..., RgbImage], wanted: str
) -> None:
    data = encode(paint("mask_old"), "PNG")
    assert served.client.post(f"/classify?preview={wanted}", content=data).status_code == 422
