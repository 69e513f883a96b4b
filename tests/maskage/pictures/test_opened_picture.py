import io
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from maskage.dataset.photo_scan import scan_file
from maskage.errors import UnreadableImageError
from maskage.pictures.images import (
    decode_grey,
    decode_image,
    decode_picture,
    picture_format,
    read_image,
    without_metadata,
)
from maskage.pictures.opened_picture import MAX_PIXELS
from tests.conftest import draw_noise
from tests.maskage.pictures.heic_files import encode_heic, needs_hevc


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(seed: int, size: int = 96) -> Image.Image:
    return Image.fromarray(draw_noise(seed, size))


def four_corners(width: int = 192, height: int = 128) -> Image.Image:
    """Red, green, black and blue, from the upper left on."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = 255, 0, 0
    pixels[: height // 2, width // 2 :] = 0, 255, 0
    pixels[height // 2 :, width // 2 :] = 0, 0, 255
    return Image.fromarray(pixels)


def corners_of(data: bytes) -> list[str]:
    """The colours in the four corners of a decoded picture, in the order of reading."""
    pixels = decode_image(data)
    names = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "black": (0, 0, 0)}

    def nearest(color: NDArray[np.int64]) -> str:
        return min(names, key=lambda name: int(np.abs(color - np.array(names[name])).sum()))

    return [nearest(pixels[y, x].astype(int)) for y in (4, -5) for x in (4, -5)]


# --- formats ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("a.avif", "AVIF", {"quality": 90}),
        ("a.gif", "GIF", {}),
        ("camera.mpo", "MPO", {"save_all": True, "append_images": [noise(2)]}),
        ("moving.gif", "GIF", {"save_all": True, "append_images": [noise(2)]}),
        ("moving.avif", "AVIF", {"save_all": True, "append_images": [noise(2)], "quality": 90}),
        ("noext", "JPEG", {}),
        ("wrong.png", "WEBP", {"quality": 90}),
        ("text.txt", "TIFF", {}),
    ],
)
def test_a_picture_is_decoded_by_its_content_and_of_several_the_first(
    tmp_path: Path, name: str, kind: str, options: dict[str, object]
) -> None:
    (tmp_path / name).write_bytes(encoded(noise(1), kind, **options))
    pixels = read_image(tmp_path / name).astype(int)
    assert np.abs(pixels - draw_noise(1)).mean() < 8
    assert np.abs(pixels - draw_noise(2)).mean() > 30


@pytest.mark.parametrize("kind", ["AVIF", "GIF", "WEBP", "MPO"])
@pytest.mark.parametrize("kept", [0.2, 0.6, 0.95])
def test_a_cut_file_of_the_other_formats_is_refused(kind: str, kept: float) -> None:
    data = encoded(noise(1, 200), kind)
    with pytest.raises(UnreadableImageError, match="cut short or damaged"):
        decode_image(data[: int(len(data) * kept)])


def test_a_camera_s_second_picture_may_be_missing_or_damaged() -> None:
    whole = encoded(noise(1), "MPO", save_all=True, append_images=[noise(2)])
    end = whole.index(b"\xff\xd9") + 2
    for data in (whole[:end], whole.replace(b"MPF\0II", b"MPF\0??")):
        assert np.array_equal(decode_image(data), decode_image(whole))
        assert picture_format(data) == ("JPEG", True)
        bare = without_metadata(data)
        assert bare is not None
        assert b"MPF" not in bare


def test_deep_and_unusual_pixels_keep_their_brightness() -> None:
    levels = np.linspace(0, 255, 64, dtype=np.uint16)[None, :].repeat(64, 0)
    grey = Image.fromarray(levels.astype(np.uint8))
    deep = Image.fromarray(levels * 257)
    alpha = grey.convert("LA")
    alpha.putalpha(Image.new("L", grey.size, 77))
    files = {
        "16 bit PNG": encoded(deep, "PNG"),
        "16 bit TIFF": encoded(deep, "TIFF"),
        "CMYK JPEG": encoded(grey.convert("RGB").convert("CMYK"), "JPEG", quality=95),
        "grey and alpha": encoded(alpha, "PNG"),
        "palette": encoded(grey.convert("P"), "PNG", transparency=3),
        "GIF": encoded(grey.convert("P"), "GIF", transparency=3),
    }
    for name, data in files.items():
        pixels = decode_image(data, name).astype(int)
        assert np.abs(pixels - levels[..., None]).max() <= 6, name
        assert np.array_equal(np.asarray(decode_grey(data).image).shape, (64, 64))


def test_a_turn_in_the_file_is_applied_in_every_format() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = four_corners()
    for kind in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF"):
        turn = {"tiffinfo": {0x0112: 6}} if kind == "TIFF" else {"exif": exif}
        data = encoded(image, kind, **turn)
        assert corners_of(data) == ["black", "red", "blue", "green"], kind
        grey = decode_grey(data)
        assert (grey.width, grey.height) == grey.image.size == (128, 192), kind


# --- HEIC ---------------------------------------------------------------------------------------


@needs_hevc
@pytest.mark.parametrize("tile_px", [None, 64])
def test_a_phone_s_heic_is_decoded_upright(tile_px: int | None, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # says the same as the turn of the file, and must not turn it twice
    plain = encode_heic(four_corners(), tile_px=tile_px)
    turned = encode_heic(four_corners(), tile_px=tile_px, quarters=3, exif=exif.tobytes()[6:])
    assert corners_of(plain) == ["red", "green", "black", "blue"]
    assert corners_of(turned) == ["black", "red", "blue", "green"]
    (tmp_path / "IMG_1.HEIC").write_bytes(turned)
    file_scan = scan_file(tmp_path / "IMG_1.HEIC", "IMG_1.HEIC")
    assert (file_scan.fault, file_scan.width, file_scan.height) == (None, 128, 192)
    assert picture_format(turned)[0] == "HEIF"


@needs_hevc
@pytest.mark.parametrize("tile_px", [None, 64])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.75, 0.97])
def test_a_cut_heic_is_refused_even_where_tiles_are_whole(tile_px: int | None, kept: float) -> None:
    data = encode_heic(noise(5, 192), tile_px=tile_px)
    with pytest.raises(UnreadableImageError, match="cut short or damaged"):
        decode_image(data[: int(len(data) * kept)])
    # What a program put behind the picture is no part of it.
    assert decode_image(data + b"\0\0\1\0more").shape == (192, 192, 3)


@needs_hevc
def test_without_its_decoder_a_heic_is_refused_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(UnreadableImageError, match="`pip install pi-heif`"):
        decode_image(encode_heic(four_corners()), "IMG_1.HEIC")


# --- sizes --------------------------------------------------------------------------------------

LARGE: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG": lambda image: encoded(image, "JPEG"),
    "JPEG grey": lambda image: encoded(image.convert("L"), "JPEG"),
    "JPEG CMYK": lambda image: encoded(image.convert("CMYK"), "JPEG"),
    "PNG": lambda image: encoded(image, "PNG", compress_level=1),
    "PNG palette": lambda image: encoded(image.quantize(8), "PNG", compress_level=1),
    "TIFF": lambda image: encoded(image, "TIFF", compression="tiff_lzw"),
    "BMP": lambda image: encoded(image, "BMP"),
}


@pytest.mark.parametrize("kind", LARGE)
def test_a_photo_over_the_limit_comes_at_a_fraction_of_its_sides(kind: str) -> None:
    data = LARGE[kind](four_corners(6_201, 4_201))
    picture = decode_picture(data)
    assert (picture.width, picture.height) == (6_201, 4_201)
    assert picture.pixels.shape == (2_101, 3_101, 3)
    if kind != "JPEG grey":
        assert corners_of(data) == ["red", "green", "black", "blue"]
    for min_side in (None, 192):
        grey = decode_grey(data, min_side=min_side)
        assert (grey.width, grey.height) == (6_201, 4_201)
        assert min(grey.image.size) >= 192
        assert grey.image.width * grey.image.height <= MAX_PIXELS
        assert abs(grey.image.width / grey.image.height - 6_201 / 4_201) < 0.01


def test_a_large_photo_on_its_side_is_turned_and_its_full_size_too() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(four_corners(6_200, 4_200), "JPEG", exif=exif)
    picture = decode_picture(data)
    assert (picture.width, picture.height) == (4_200, 6_200)
    assert picture.pixels.shape == (3_100, 2_100, 3)
    assert corners_of(data) == ["black", "red", "blue", "green"]


def test_the_fraction_is_an_average_and_no_pick() -> None:
    stripes = np.zeros((5_100, 5_100), np.uint8)
    stripes[:, ::2] = 255
    for kind in ("PNG", "JPEG"):
        pixels = decode_image(encoded(Image.fromarray(stripes), kind))
        assert pixels.shape == (2_550, 2_550, 3)
        assert abs(int(pixels[1_000, 1_000, 0]) - 128) < 4, kind


@pytest.mark.slow
def test_a_photo_of_200_megapixels_is_read_and_a_larger_one_is_refused() -> None:
    assert decode_image(encoded(Image.new("L", (16_320, 12_240)), "JPEG")).shape[0] == 3_060
    with pytest.raises(UnreadableImageError, match="over the limit of 200 megapixels"):
        decode_image(encoded(Image.new("L", (16_400, 12_300)), "JPEG"))


@pytest.mark.parametrize(
    ("kind", "size"), [("PNG", 6_000), ("PNG", 14_000), ("GIF", 6_000), ("TIFF", 14_000)]
)
def test_a_tiny_file_that_claims_a_huge_picture_is_refused(kind: str, size: int) -> None:
    options = {"compression": "group4"} if kind == "TIFF" else {}
    data = encoded(Image.new("1", (size, size)), kind, **options)
    assert len(data) < 40_000
    with pytest.raises(UnreadableImageError, match="25 megapixels for a file of only"):
        decode_image(data)
    with pytest.raises(UnreadableImageError, match="25 megapixels for a file of only"):
        decode_grey(data, min_side=192)


def test_a_small_jpeg_that_claims_a_huge_picture_is_refused() -> None:
    """Of several scans the decoder would have to hold all; of one it would make up what lacks."""
    one_scan = encoded(noise(1, 64), "JPEG")
    scan = one_scan.index(b"\xff\xda") + 4
    three_scans = one_scan[:scan] + b"\1" + one_scan[scan + 1 :]
    progressive = encoded(noise(1, 64), "JPEG", progressive=True)
    large = encoded(noise(1, 700), "JPEG", quality=100)
    for data in (one_scan, three_scans, progressive, large.replace(b"\xff\xc0", b"\xff\xc2")):
        at = data.index(b"\xff\xc2" if b"\xff\xc2" in data else b"\xff\xc0") + 5
        claims = data[:at] + struct.pack(">HH", 12_000, 16_000) + data[at + 4 :]
        with pytest.raises(UnreadableImageError, match="16000x12000 px is over the limit"):
            decode_image(claims)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_large_jpeg_of_one_colour_is_no_bomb(mode: str) -> None:
    """No JPEG is smaller for its size."""
    data = encoded(Image.new(mode, (6_000, 6_000), 0), "JPEG", optimize=True)
    assert decode_image(data).shape == (3_000, 3_000, 3)
