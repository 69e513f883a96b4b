import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from maskage.errors import UnreadableImageError
from maskage.pictures.bare_pictures import strip_picture
from maskage.pictures.images import decode_image, encode_jpeg
from tests.conftest import draw_noise

SECRET = "Anna, Lindenstrasse 5"
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><name>{SECRET}</name></x:xmpmeta>'.encode()
FORMATS = ["JPEG", "PNG", "WEBP", "TIFF"]


def profile() -> bytes:
    """A colour profile that bears somebody's name."""
    found = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return found.replace(b"sRGB built-in", SECRET[:13].encode()) + SECRET.encode()


def exif_of(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    return exif


def extras(kind: str, orientation: int) -> Mapping[str, Any]:
    """Whatever else a format can tell."""
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Author", SECRET)
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        text.add_text("Comment", SECRET, zip=False)
        return {"pnginfo": text, "icc_profile": profile()}
    if kind == "JPEG":
        return {"comment": SECRET.encode(), "xmp": XMP, "icc_profile": profile(), "quality": 92}
    if kind == "WEBP":
        return {"xmp": XMP, "icc_profile": profile(), "quality": 90}
    return {"icc_profile": profile(), "tiffinfo": {270: SECRET, 305: SECRET, 274: orientation}}


def save(image: Image.Image, kind: str, orientation: int = 1) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, exif=exif_of(orientation), **extras(kind, orientation))
    return file.getvalue()


def told_by(data: bytes) -> set[str]:
    """Every kind of metadata that Pillow finds in a file."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        # What a TIFF cannot be without stands in its tags.
        tags = set() if image.format == "TIFF" else set(image.getexif())
        named = {
            "exif",
            "xmp",
            "XML:com.adobe.xmp",
            "comment",
            "icc_profile",
            "photoshop",
            "Author",
        }
        return {key for key in image.info if key in named} | {str(tag) for tag in tags}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_what_a_file_tells_goes_and_its_pixels_stay(kind: str, mode: str) -> None:
    data = save(Image.fromarray(draw_noise(5)).convert(mode), kind)
    assert SECRET.encode() in data
    bare = strip_picture(data)
    assert SECRET.encode() not in bare
    assert SECRET[:13].encode() not in bare
    assert told_by(bare) == set()
    assert np.array_equal(decode_image(bare), decode_image(data))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_picture_on_its_side_is_upright_to_a_reader_without_tags(
    kind: str, orientation: int
) -> None:
    upright = np.zeros((64, 48, 3), np.uint8)
    upright[:32, :, 0] = 200
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90,
            8: Image.Transpose.ROTATE_270}[orientation]  # fmt: skip
    data = save(Image.fromarray(upright).transpose(turn), kind, orientation)
    bare = strip_picture(data)
    assert SECRET.encode() not in bare
    assert told_by(bare) == set()
    with Image.open(io.BytesIO(bare)) as image:
        plain = np.asarray(image.convert("RGB")).astype(int)
    assert plain.shape == upright.shape
    assert np.abs(plain - upright).mean() < 6
    assert np.abs(decode_image(bare).astype(int) - decode_image(data)).mean() < 3


def test_an_orientation_that_only_xmp_tells_is_applied_too() -> None:
    file = io.BytesIO()
    tall = Image.fromarray(draw_noise(2)[:, :48])
    xmp = b'<x:xmpmeta xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    tall.save(file, "JPEG", xmp=xmp)
    assert decode_image(file.getvalue()).shape == (48, 96, 3)
    assert decode_image(strip_picture(file.getvalue())).shape == (48, 96, 3)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "I;16", "1"])
def test_every_kind_of_png_reads_the_same_afterwards(mode: str) -> None:
    grey = draw_noise(7)[..., 0]
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(draw_noise(7)).convert("RGBA" if mode == "P" else mode)
        if mode in ("RGBA", "LA"):
            image.putalpha(Image.fromarray(grey))
        if mode == "P":
            image = image.quantize(64)
    data = save(image, "PNG")
    bare = strip_picture(data)
    assert SECRET.encode() not in bare
    assert np.array_equal(decode_image(bare), decode_image(data))


def test_a_webp_with_transparency_or_without_loss_reads_the_same_afterwards() -> None:
    image = Image.fromarray(draw_noise(8)).convert("RGBA")
    image.putalpha(Image.fromarray(draw_noise(9)[..., 1]))
    for options in ({"lossless": True}, {"quality": 80}, {"lossless": True, "exact": True}):
        file = io.BytesIO()
        image.save(file, "WEBP", exif=exif_of(), xmp=XMP, **options)
        bare = strip_picture(file.getvalue())
        assert SECRET.encode() not in bare
        assert np.array_equal(decode_image(bare), decode_image(file.getvalue()))


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "TIFF"])
def test_only_the_first_of_several_pictures_stays(kind: str) -> None:
    first, second = (Image.fromarray(draw_noise(seed)) for seed in (1, 2))
    file = io.BytesIO()
    options = {"lossless": True} if kind == "WEBP" else {}
    first.save(file, kind, save_all=True, append_images=[second], exif=exif_of(), **options)
    bare = strip_picture(file.getvalue())
    assert SECRET.encode() not in bare
    assert np.array_equal(decode_image(bare), decode_image(file.getvalue()))
    with Image.open(io.BytesIO(bare)) as image:
        assert getattr(image, "n_frames", 1) == 1


def test_what_lies_behind_a_picture_goes() -> None:
    for kind in FORMATS[:3]:
        data = save(Image.fromarray(draw_noise(3)), kind)
        assert SECRET.encode() not in strip_picture(data + SECRET.encode())


def test_a_bitmap_keeps_its_pixels_and_loses_what_follows_them() -> None:
    file = io.BytesIO()
    Image.fromarray(draw_noise(4)).save(file, "BMP")
    bare = strip_picture(file.getvalue() + SECRET.encode())
    assert bare == file.getvalue()


def test_a_photo_of_the_collector_is_bare_already() -> None:
    data = encode_jpeg(draw_noise(6))
    assert strip_picture(data) == data
    for kind in FORMATS:
        bare = strip_picture(save(Image.fromarray(draw_noise(6)), kind))
        assert strip_picture(bare) == bare, kind


def test_the_content_counts_whatever_the_name_says(tmp_path: Path) -> None:
    data = save(Image.fromarray(draw_noise(3)), "JPEG", 6)
    assert strip_picture(data, "photo.png").startswith(b"\xff\xd8")


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableImageError):
        strip_picture(data)
