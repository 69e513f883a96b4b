from pathlib import Path

import cv2
import numpy as np

from maskage.classes.ready_made import MASK_AGE
from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage
from trainer.evaluation.leak_check import Twin, check_leak, scan_files


def draw_pattern(seed: int) -> RgbImage:
    """Blurred noise: its hash is as good as random."""
    noise = np.random.default_rng(seed).integers(0, 256, (96, 96, 3)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 8)
    low, high = blurred.min(), blurred.max()
    return np.asarray((blurred - low) / (high - low) * 255, np.uint8)


def write(path: Path, data: bytes, label: str = MASK_AGE.labels[0]) -> CuratedPhoto:
    path.write_bytes(data)
    return CuratedPhoto(path, label, str(path))


def test_the_same_file_a_near_one_and_a_mirrored_one_are_told_apart(tmp_path: Path) -> None:
    pixels = [draw_pattern(seed) for seed in range(8)]
    learned = [write(tmp_path / f"l{at}.jpg", encode_jpeg(pixels[at])) for at in range(5)]
    tested = [
        write(tmp_path / "other.jpg", encode_jpeg(pixels[7])),
        write(tmp_path / "mirrored.jpg", encode_jpeg(np.fliplr(pixels[1]).copy(), 60)),
        write(tmp_path / "near.jpg", encode_jpeg(pixels[3], 40)),
        write(tmp_path / "same.jpg", encode_jpeg(pixels[2])),
    ]
    found = check_leak(scan_files(tested), scan_files(learned))
    assert (found.tested, found.learned, found.same_files) == (4, 5, 1)
    assert found.twins[0] == Twin(3, 2, 0, False, True)
    assert {(twin.tested, twin.learned, twin.is_mirrored) for twin in found.twins[1:]} == {
        (1, 1, True), (2, 3, False)
    }  # fmt: skip
    assert all(twin.bits <= found.radius for twin in found.twins)
    assert found.as_dict()["near_duplicates"] == 2


def test_the_closest_is_named_where_several_are_near(tmp_path: Path) -> None:
    pixels = draw_pattern(1)
    brighter = np.clip(pixels.astype(int) + np.arange(96)[None, :, None] // 2, 0, 255)
    learned = [
        write(tmp_path / "far.jpg", encode_jpeg(brighter.astype(np.uint8))),
        write(tmp_path / "close.jpg", encode_jpeg(pixels, 90)),
    ]
    tested = [write(tmp_path / "tested.jpg", encode_jpeg(pixels, 80))]
    (twin,) = check_leak(scan_files(tested), scan_files(learned), radius=20).twins
    assert (twin.learned, twin.bits) == (1, 0)


def test_damaged_files_are_no_twins_of_each_other(tmp_path: Path) -> None:
    tested = [write(tmp_path / "a.jpg", b"\xff\xd8\xffno picture")]
    learned = [write(tmp_path / "b.jpg", b"\xff\xd8\xffno picture either")]
    file_scans = scan_files([*tested, *learned])
    assert all(file_scan.fault for file_scan in file_scans)
    assert check_leak(file_scans[:1], file_scans[1:]).twins == ()


def test_nothing_learned_from_leaks_nothing(tmp_path: Path) -> None:
    tested = [write(tmp_path / "a.jpg", encode_jpeg(draw_pattern(1)))]
    assert check_leak(scan_files(tested), ()).as_dict() == {
        "tested": 1, "learned": 0, "radius": 8, "same_files": 0, "near_duplicates": 0
    }  # fmt: skip
