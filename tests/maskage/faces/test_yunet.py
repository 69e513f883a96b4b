"""YuNet in ONNX Runtime answers as OpenCV's, and other files are refused."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from maskage.errors import EnvironmentProblemError
from maskage.faces.finder import SCORE_THRESHOLD, YuNetFinder, whole_cells
from maskage.faces.yunet import Rows, YuNet
from maskage.pictures.images import read_image
from maskage.records import RgbImage
from tests.maskage.faces.face_networks import make_face_network

SIZES = ((320, 240), (97, 61), (333, 250), (640, 427), (661, 31), (64, 640))
"""Widths and heights; only the first is whole cells."""


def find_by_opencv(model: Path, pixels: RgbImage) -> Rows:
    height, width = pixels.shape[:2]
    finder = cv2.FaceDetectorYN.create(str(model), "", (width, height), SCORE_THRESHOLD)
    _, rows = finder.detect(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    # OpenCV's stubs leave out that `rows` is None where there is no face.
    return np.zeros((0, 15), np.float32) if rows is None else np.asarray(rows, np.float32)


def in_order(rows: Rows) -> Rows:
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


@pytest.fixture
def network(tmp_path: Path) -> Path:
    onnx.save(make_face_network(), tmp_path / "network.onnx")
    return tmp_path / "network.onnx"


def draw_picture(width: int, height: int) -> RgbImage:
    picture = np.random.default_rng(width).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 2), np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_many_overlapping_boxes_are_decoded_as_opencv_does(
    network: Path, size: tuple[int, int]
) -> None:
    picture = draw_picture(*size)
    expected = find_by_opencv(network, picture)
    found = YuNet(network, SCORE_THRESHOLD).detect(picture)
    assert len(expected) >= 4
    np.testing.assert_allclose(in_order(found), in_order(expected), atol=0.01)


def test_a_link_to_a_face_model_is_followed(network: Path, tmp_path: Path) -> None:
    (tmp_path / "link.onnx").symlink_to(network)
    assert YuNetFinder(tmp_path / "link.onnx").find(np.zeros((64, 64, 3), np.uint8)) == []


def test_a_smaller_picture_after_a_larger_one_sees_nothing_of_it(network: Path) -> None:
    finder = YuNet(network, SCORE_THRESHOLD)
    finder.detect(np.full((96, 96, 3), 255, np.uint8))
    picture = draw_picture(70, 80)
    np.testing.assert_array_equal(
        finder.detect(picture), YuNet(network, SCORE_THRESHOLD).detect(picture)
    )


def test_a_file_of_one_size_runs_at_every_size(network: Path, tmp_path: Path) -> None:
    onnx.save(make_face_network((640, 640)), tmp_path / "fixed.onnx")
    picture = draw_picture(333, 250)
    np.testing.assert_array_equal(
        YuNet(tmp_path / "fixed.onnx", SCORE_THRESHOLD).detect(picture),
        YuNet(network, SCORE_THRESHOLD).detect(picture),
    )


def test_real_faces_are_where_opencv_sees_them(shared: Path) -> None:
    model = shared / "weights" / "face_detection_yunet_2026may.onnx"
    finder = YuNet(model, SCORE_THRESHOLD)
    faces = 0
    for path in sorted((shared / "groups_photos").glob("*.jpg"))[:6]:
        picture = read_image(path)
        for width in (320, 333, 640):
            height = round(picture.shape[0] * width / picture.shape[1])
            scaled = np.asarray(cv2.resize(picture, (width, height)), np.uint8)
            expected = find_by_opencv(model, scaled)
            np.testing.assert_allclose(
                in_order(finder.detect(scaled)), in_order(expected), atol=0.01
            )
            faces += len(expected)
    assert faces > 40


@pytest.mark.parametrize(
    ("longest_px", "smallest_px", "side_px"),
    [(640, 40, 320), (990, 30, 672), (660, 20, 640), (1280, 40, 640), (4000, 30, 960),
     (330, 10, 320), (200, 40, 200), (1, 40, 1)],
)  # fmt: skip
def test_a_picture_is_scaled_to_whole_cells_and_never_up(
    longest_px: int, smallest_px: int, side_px: int
) -> None:
    assert whole_cells(longest_px * 20 / smallest_px, longest_px) == side_px


def put_weights_outside(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def add_settings(model: onnx.ModelProto) -> None:
    model.metadata_props.add(key="ort_config", value='{"session_options": {}}')


def add_operator(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("NonZero", ["cls_8"], ["places"]))


def rename_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "scores"


def fix_size_inside(model: onnx.ModelProto) -> None:
    shape = numpy_helper.from_array(np.array([1, 6400, 1], np.int64), "cls_8_shape")
    model.graph.initializer[1].CopyFrom(shape)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put_weights_outside, "lie in another file"),
        (add_settings, "settings for ONNX Runtime"),
        (add_operator, "the operator 'NonZero'"),
        (rename_output, "another network"),
        (fix_size_inside, "does not run at every size"),
    ],
)
def test_a_network_that_is_not_yunet_is_refused(
    change: Callable[[onnx.ModelProto], None], reason: str, tmp_path: Path
) -> None:
    model = make_face_network()
    change(model)
    path = tmp_path / "other.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(EnvironmentProblemError, match=f"not a face model.*{reason}"):
        YuNetFinder(path)


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_a_truncated_face_model_is_refused(network: Path, size: int) -> None:
    network.write_bytes(network.read_bytes()[:size])
    with pytest.raises(EnvironmentProblemError, match=r"not a face model.*--face-model"):
        YuNetFinder(network)


def test_a_damaged_known_face_model_is_refused(shared: Path, tmp_path: Path) -> None:
    data = bytearray((shared / "weights" / "face_detection_yunet_2026may.onnx").read_bytes())
    (tmp_path / "half.onnx").write_bytes(data[: len(data) // 2])
    with pytest.raises(EnvironmentProblemError, match="not a face model"):
        YuNetFinder(tmp_path / "half.onnx")
