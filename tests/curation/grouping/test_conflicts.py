from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from curation.grouping.conflicts import CONFLICT_BITS, LabelConflict, find_label_conflicts
from curation.grouping.look_alikes import find_look_alikes
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.photo_scan import FileScan, PhotoScan, scan_file
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo, RgbImage
from tests.conftest import draw_noise


def find(tmp_path: Path, files: dict[str, bytes]) -> list[LabelConflict]:
    scans = []
    for name, data in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        label = next(label for label in MASK_AGE.labels if label == path.parent.name)
        scans.append(PhotoScan(Photo(name, label), scan_file(path, name)))
    alike = find_look_alikes(scans, CONFLICT_BITS)
    return find_label_conflicts(scans, alike, lambda scan: (tmp_path / scan.path).read_bytes())


def painted(pixels: RgbImage, level: int) -> RgbImage:
    """Something on the lower face that the hash hardly sees."""
    changed = pixels.astype(np.int16)
    changed[108:132, 60:84] += level
    return changed.clip(0, 255).astype(np.uint8)


def test_the_same_file_in_two_classes_is_a_conflict_and_twice_in_one_is_none(
    tmp_path: Path,
) -> None:
    one, other = encode_jpeg(draw_noise(1)), encode_jpeg(draw_noise(2))
    found = find(
        tmp_path,
        {
            "mask_old/a.jpg": one,
            "mask_old/b.jpg": other,
            "mask_old/c.jpg": other,
            "nomask_old/a.jpg": one,
        },
    )
    assert found == [LabelConflict((0, 3), is_file=True)]


def test_the_same_picture_saved_again_smaller_or_mirrored_is_a_conflict(tmp_path: Path) -> None:
    pixels = draw_noise(3, 192)
    small = np.asarray(Image.fromarray(pixels).resize((96, 96)))
    found = find(
        tmp_path,
        {
            "mask_old/a.jpg": encode_jpeg(pixels),
            "mask_young/small.jpg": encode_jpeg(small, quality=60),
            "nomask_old/turned.jpg": encode_jpeg(pixels[:, ::-1].copy()),
            "nomask_young/other.jpg": encode_jpeg(draw_noise(4, 192)),
        },
    )
    assert found == [LabelConflict((0, 1, 2), is_file=False)]


def test_two_pictures_of_one_pose_are_none_however_near_their_hashes(tmp_path: Path) -> None:
    pixels = draw_noise(5, 192)
    files = [encode_jpeg(pixels), encode_jpeg(painted(pixels, 60))]
    file_scan = FileScan("", phash=7, mirror=9, width=192, height=192)
    scans = [
        PhotoScan(Photo(f"{label}/a.jpg", label), replace(file_scan, sha256=str(number)))
        for number, label in enumerate(MASK_AGE.labels[::2])
    ]
    alike = find_look_alikes(scans, CONFLICT_BITS)
    assert find_label_conflicts(scans, alike, lambda scan: files[int(scan.file_scan.sha256)]) == []
    same = find_label_conflicts(scans, alike, lambda scan: files[0])
    assert same == [LabelConflict((0, 1), is_file=False)]
