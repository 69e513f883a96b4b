from pathlib import Path

import imagehash
import numpy as np
from PIL import Image

from curation.scan.scanning import scan_photos
from curation.scan.workers import Workers
from maskage.dataset.photo_scan import look_at
from maskage.pictures.images import encode_jpeg
from maskage.pictures.photo_hash import hash_pixels
from maskage.records import Label, Photo
from tests.conftest import draw_noise


def test_the_bits_are_those_of_imagehash() -> None:
    for seed, size in enumerate([33, 96, 200, 480]):
        pixels = draw_noise(seed, size)
        phash, mirror = hash_pixels(pixels)
        image = Image.fromarray(pixels)
        assert f"{phash:016x}" == str(imagehash.phash(image))
        assert f"{mirror:016x}" == str(imagehash.phash(Image.fromarray(pixels[:, ::-1].copy())))


def test_a_flat_picture_has_a_hash() -> None:
    phash, mirror = hash_pixels(np.full((50, 40, 3), 128, np.uint8))
    assert phash == mirror


def test_a_scan_tells_what_is_wrong_with_each_file_and_keeps_the_order(tmp_path: Path) -> None:
    good = encode_jpeg(draw_noise(1))
    files = {
        "mask_old/a.jpg": good,
        "mask_old/b.jpg": b"",
        "mask_old/c.jpg": b"hello",
        "mask_old/d.jpg": good[: len(good) // 2],
        "mask_old/e.jpg": encode_jpeg(draw_noise(2)),
    }
    (tmp_path / "mask_old").mkdir()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    photos = [Photo(name, Label.MASK_OLD) for name in [*files, "mask_old/gone.jpg"]]
    scans = list(scan_photos(tmp_path, photos, Workers(2)))
    assert [scan.photo for scan in scans] == photos
    faults = [scan.sight.fault or "" for scan in scans]
    assert faults[0] == faults[4] == ""
    for fault, words in zip(
        [*faults[1:4], faults[5]], ["empty", "not a picture", "cut short", "No such"], strict=True
    ):
        assert words in fault
    assert scans[0].sight.sha256 != scans[4].sight.sha256
    assert scans[0].sight.quality.sharpness > 0
    assert look_at(tmp_path / photos[0].path, photos[0].path) == scans[0].sight
