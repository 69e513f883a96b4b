import subprocess
import sys
from pathlib import Path

import imagehash
from PIL import Image

from maskage.dataset.photo_scan import scan_file
from maskage.pictures.images import encode_jpeg
from maskage.pictures.perceptual_hash import hash_crop, hash_grey, is_same_picture
from tests.conftest import draw_noise


def test_the_bits_are_those_of_imagehash() -> None:
    for seed, size in enumerate([32, 33, 96, 200, 480]):
        pixels = draw_noise(seed, size)
        image = Image.fromarray(pixels)
        phash, mirror = hash_grey(image.convert("L"))
        assert f"{phash:016x}" == str(imagehash.phash(image))
        assert f"{mirror:016x}" == str(imagehash.phash(Image.fromarray(pixels[:, ::-1].copy())))
        assert hash_crop(pixels) == phash


def test_a_flat_picture_has_a_hash() -> None:
    phash, mirror = hash_grey(Image.new("L", (50, 40), 128))
    assert phash == mirror == 1 << 63


def test_a_saved_crop_has_the_hash_of_its_pixels_or_nearly(tmp_path: Path) -> None:
    for seed in range(10):
        pixels = draw_noise(seed, 600)
        path = tmp_path / "crop.jpg"
        path.write_bytes(encode_jpeg(pixels))
        assert (scan_file(path, path.name).phash ^ hash_crop(pixels)).bit_count() <= 2


def test_pictures_are_the_same_within_four_bits() -> None:
    assert is_same_picture(0b1111, 0)
    assert not is_same_picture(0b11111, 0)


def test_hashing_does_not_wait_for_scipy() -> None:
    code = (
        "import sys, numpy; from maskage.pictures.perceptual_hash import hash_crop;"
        "hash_crop(numpy.zeros((40, 40, 3), numpy.uint8));"
        "print(sorted({'scipy', 'imagehash'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
