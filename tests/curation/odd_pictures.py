"""Pictures of every kind that people bring; some readers pass over many, or show them wrongly."""

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from maskage.classes.ready_made import MASK_AGE
from maskage.pictures.images import encode_jpeg, is_picture
from maskage.records import RgbImage
from tests.conftest import draw_noise


def saved(pixels: RgbImage, kind: str, mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind, **options)
    return file.getvalue()


def turned(pixels: RgbImage, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(pixels, "JPEG", quality=95, exif=exif)


def deep_png(pixels: RgbImage) -> bytes:
    ok, data = cv2.imencode(".png", pixels[..., ::-1].astype(np.uint16) * 257)
    assert ok
    return data.tobytes()


def deep_grey_png(pixels: RgbImage) -> bytes:
    ok, data = cv2.imencode(".png", pixels[..., 0].astype(np.uint16) * 257)
    assert ok
    return data.tobytes()


CHANGED: dict[str, Callable[[RgbImage], bytes]] = {
    "web.webp": lambda p: saved(p, "WEBP", quality=95),
    "exact.webp": lambda p: saved(p, "WEBP", lossless=True),
    "clear.webp": lambda p: saved(p, "WEBP", "RGBA", lossless=True),
    "scan.tif": lambda p: saved(p, "TIFF"),
    "scan.tiff": lambda p: saved(p, "TIFF", compression="jpeg", quality=95),
    "print.jpg": lambda p: saved(p, "JPEG", "CMYK", quality=95),
    "deep.png": deep_png,
    "deep_grey.png": deep_grey_png,
    "turned_png.png": lambda p: saved(p, "PNG", exif=_exif(6)),
    "named.jfif": encode_jpeg,
    "named.jpe": encode_jpeg,
    "really_jpeg.png": encode_jpeg,
    "really_png.jpg": lambda p: saved(p, "PNG"),
    "really_webp.jpg": lambda p: saved(p, "WEBP", quality=95),
    "moving.gif": lambda p: saved(p, "GIF"),
    "new.avif": lambda p: saved(p, "AVIF", quality=90),
    "no_suffix": encode_jpeg,
    "two.mpo": lambda p: _mpo(p),
    "same.webp": lambda p: saved(p, "WEBP", quality=95),
    **{f"turned{n}.jpg": (lambda p, n=n: turned(p, n)) for n in range(2, 9)},  # type: ignore[misc]
}
"""Pictures that have to be changed, by name: what encodes them."""

AS_THEY_ARE: dict[str, Callable[[RgbImage], bytes]] = {
    "plain.jpg": encode_jpeg,
    "same.jpg": encode_jpeg,
    "capital.JPG": encode_jpeg,
    "long.jpeg": encode_jpeg,
    "grey.jpg": lambda p: saved(p, "JPEG", "L", quality=95),
    "steps.jpg": lambda p: saved(p, "JPEG", quality=95, progressive=True),
    "plain.png": lambda p: saved(p, "PNG"),
    "clear.png": lambda p: saved(p, "PNG", "RGBA"),
    "grey.png": lambda p: saved(p, "PNG", "L"),
    "palette.png": lambda p: saved(p, "PNG", "P"),
    "palette_clear.png": lambda p: saved(p, "PNG", "P", transparency=3),
    "grey_clear.png": lambda p: saved(p, "PNG", "LA"),
    "plain.bmp": lambda p: saved(p, "BMP"),
}
"""Pictures that every reader shows alike, by name: what encodes them."""


def fill_with_odd_pictures(root: Path) -> Path:
    """Put a picture of every kind that a dataset may hold into each class folder."""
    for number, label in enumerate(MASK_AGE.labels):
        (root / label).mkdir(parents=True)
        kinds = [each for each in {**CHANGED, **AS_THEY_ARE}.items() if is_picture(Path(each[0]))]
        for place, (name, encode) in enumerate(kinds):
            (root / label / name).write_bytes(encode(draw_noise(100 * number + place)))
    return root


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def _mpo(pixels: RgbImage) -> bytes:
    second = Image.fromarray(pixels[::-1].copy())
    return saved(pixels, "MPO", quality=95, save_all=True, append_images=[second])
