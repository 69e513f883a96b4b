import csv
from pathlib import Path

import numpy as np
import pytest

from maskage.errors import EnvironmentProblemError, FaceOutsideFrameError
from maskage.faces.finder import crop_face, guide_box, open_face_finder
from maskage.pictures.images import read_image
from maskage.pictures.quality import find_faults, measure_quality
from maskage.pictures.quality_limits import QualityLimits
from maskage.records import FaceBox, Quality
from tests.conftest import draw_noise


def ramp(width: int, height: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, :, 0] = np.arange(width)
    pixels[:, :, 1] = np.arange(height)[:, None]
    return pixels


def box_of(row: dict[str, str]) -> FaceBox:
    left, top, right, bottom = (int(row[edge]) for edge in ("xmin", "ymin", "xmax", "ymax"))
    return FaceBox(left, top, right - left, bottom - top)


def test_a_crop_is_square_with_its_margin() -> None:
    crop = crop_face(ramp(200, 100), FaceBox(80, 30, 40, 30), margin=0.25)
    assert crop.shape == (60, 60, 3)
    assert crop[0, 0, :2].tolist() == [70, 15]


def test_a_crop_at_the_edge_moves_inside_and_a_huge_one_shrinks() -> None:
    assert crop_face(ramp(200, 100), FaceBox(-10, -10, 40, 40))[0, 0, :2].tolist() == [0, 0]
    assert crop_face(ramp(200, 100), FaceBox(150, 60, 50, 40))[-1, -1, :2].tolist() == [199, 99]
    assert crop_face(ramp(200, 100), FaceBox(50, 0, 100, 100), margin=1.0).shape == (100, 100, 3)


def test_a_crop_is_a_copy() -> None:
    pixels = ramp(50, 50)
    crop_face(pixels, FaceBox(0, 0, 50, 50))[:] = 255
    assert pixels[0, 0, 0] == 0


def test_a_box_outside_its_frame_is_refused() -> None:
    with pytest.raises(FaceOutsideFrameError, match="200x100"):
        crop_face(ramp(200, 100), FaceBox(200, 0, 10, 10))


def test_the_guide_is_the_middle_half() -> None:
    assert guide_box(640, 480) == FaceBox(200, 120, 240, 240, 0.0)
    assert guide_box(1, 1) == FaceBox(0, 0, 1, 1, 0.0)


def test_without_a_model_the_guide_stands_in_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FACE_MODEL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("maskage.faces.finder.FACE_MODEL_URL", "http://127.0.0.1:9/none.onnx")
    finder = open_face_finder()
    assert finder.is_guide
    assert finder.notice is not None
    assert "--face-model" in finder.notice
    assert finder.find(ramp(200, 100)) == [guide_box(200, 100)]


def test_a_face_model_that_is_not_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EnvironmentProblemError, match="No face model at"):
        open_face_finder(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("not a network")
    monkeypatch.setenv("FACE_MODEL", str(tmp_path / "text.onnx"))
    with pytest.raises(EnvironmentProblemError, match="not a face model"):
        open_face_finder()


def test_real_faces_are_found(shared: Path) -> None:
    finder = open_face_finder(shared / "weights" / "face_detection_yunet_2026may.onnx")
    assert not finder.is_guide
    photos = sorted((shared / "faces" / "nomask_young").iterdir())[:40]
    found = sum(bool(finder.find(read_image(photo))) for photo in photos)
    assert found >= 38
    assert finder.find(np.full((480, 640, 3), 90, np.uint8)) == []


def test_faces_of_several_people_are_found(shared: Path) -> None:
    finder = open_face_finder(shared / "weights" / "face_detection_yunet_2026may.onnx")
    with (shared / "groups_photos" / "boxes.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = {
        name: finder.find(read_image(shared / "groups_photos" / name))
        for name in {row["image"] for row in rows}
    }
    truth = [(row["image"], box_of(row)) for row in rows]
    wanted = [(name, box) for name, box in truth if min(box.width, box.height) > 40]
    hits = sum(any(box.iou(face) > 0.3 for face in found[name]) for name, box in wanted)
    assert len(wanted) > 30
    assert hits / len(wanted) >= 0.95
    for faces in found.values():
        areas = [face.width * face.height for face in faces]
        assert areas == sorted(areas, reverse=True)


def test_faults_are_told_in_words() -> None:
    good = Quality(sharpness=100, brightness=120, clipped=0.0, face_px=200)
    assert find_faults(good) == []
    assert find_faults(Quality(100, 20, 0.0, 200)) == ["too dark"]
    assert find_faults(Quality(100, 240, 0.9, 200)) == ["too bright"]
    assert find_faults(Quality(100, 120, 0.0, 30)) == ["move closer"]
    assert find_faults(Quality(5, 120, 0.0, 200)) == ["hold still"]
    assert find_faults(good, QualityLimits(min_face_px=300)) == ["move closer"]


def test_blur_lowers_sharpness_and_a_guide_says_nothing_of_size() -> None:
    import cv2

    sharp = np.random.default_rng(0).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 3).astype(np.uint8)
    assert measure_quality(blurred).sharpness < measure_quality(sharp).sharpness / 10
    assert measure_quality(draw_noise(1), guide_box(640, 480)).face_px == 0
    assert measure_quality(draw_noise(1), FaceBox(0, 0, 70, 90)).face_px == 90
