import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskage.errors import UnreadableImageError
from maskage.pictures.images import (
    decode_image,
    encode_jpeg,
    read_image,
    resize_square,
    without_metadata,
)
from tests.conftest import draw_noise


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def two_halves() -> Image.Image:
    """Red above, blue below, 32x64."""
    pixels = np.zeros((64, 32, 3), np.uint8)
    pixels[:32, :, 0] = 255
    pixels[32:, :, 2] = 255
    return Image.fromarray(pixels)


def test_pixels_are_rgb() -> None:
    pixels = decode_image(encoded(two_halves(), "PNG"))
    assert pixels.shape == (64, 32, 3)
    assert pixels.dtype == np.uint8
    assert pixels[0, 0].tolist() == [255, 0, 0]


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned a quarter clockwise
    pixels = decode_image(encoded(two_halves(), "JPEG", exif=exif, quality=95))
    assert pixels.shape == (32, 64, 3)
    assert pixels[16, 60, 0] > 200  # red, above before, is now at the right


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "CMYK", "1", "I;16"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    grey = Image.fromarray(np.full((20, 30), 128, np.uint8))
    if mode == "I;16":
        image = Image.fromarray(np.full((20, 30), 128 * 257, np.uint16))
    elif mode == "P":
        image = grey.convert("RGB").quantize(4)
    else:
        image = grey.convert("RGB").convert(mode)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    pixels = decode_image(encoded(image, kind))
    assert pixels.shape == (20, 30, 3)
    if mode != "1":
        assert abs(int(pixels[10, 10, 0]) - 128) <= 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_cut_file_is_refused(kind: str, kept: float) -> None:
    data = encoded(Image.fromarray(draw_noise(1, 200)), kind)
    with pytest.raises(UnreadableImageError, match="cut short or damaged"):
        decode_image(data[: int(len(data) * kept)], "a.jpg")


def test_text_and_empty_files_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("not a picture")
    with pytest.raises(UnreadableImageError, match=r"a\.jpg: not a picture"):
        read_image(tmp_path / "a.jpg")
    with pytest.raises(UnreadableImageError, match="empty"):
        decode_image(b"")
    with pytest.raises(UnreadableImageError, match="cannot be read"):
        read_image(tmp_path / "missing.jpg")


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    data = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(data) < 100_000
    with pytest.raises(UnreadableImageError, match="megapixels"):
        decode_image(data)


def test_jpeg_round_trip_keeps_the_picture() -> None:
    pixels = draw_noise(2)
    again = decode_image(encode_jpeg(pixels))
    assert np.abs(again.astype(int) - pixels).mean() < 3


def test_resize_square_averages_when_it_shrinks() -> None:
    stripes = np.zeros((100, 100, 3), np.uint8)
    stripes[:, ::2] = 255
    small = resize_square(stripes, 10)
    assert small.shape == (10, 10, 3)
    assert 120 <= small.mean() <= 135


def test_metadata_goes_and_pixels_stay() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where and when"
    image = Image.fromarray(draw_noise(3))
    data = encoded(image, "JPEG", exif=exif, comment=b"a name", quality=90)
    clean = without_metadata(data)
    assert clean is not None
    assert b"where and when" in data
    assert b"where and when" not in clean
    assert b"a name" not in clean
    assert np.array_equal(decode_image(clean), decode_image(data))


def test_what_needs_its_metadata_is_left_to_be_re_encoded() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    assert without_metadata(encoded(two_halves(), "JPEG", exif=exif)) is None
    assert without_metadata(encoded(two_halves(), "PNG")) is None
