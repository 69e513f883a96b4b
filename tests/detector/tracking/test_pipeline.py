"""A frame goes in, every face comes out labelled; tracks end where a scene does."""

from collections.abc import Callable

import numpy as np
import pytest

from detector.tracking.pipeline import LivePipeline
from detector.tracking.scene_cuts import SceneCutDetector
from maskage.faces.finder import GuideFinder
from maskage.formats.bundle import ModelBundle
from maskage.inference.classifier import Classifier
from maskage.records import FaceBox, Frame, RgbImage

LEFT, RIGHT = FaceBox(20, 40, 60, 60), FaceBox(200, 60, 50, 50)


class FixedFinder:
    """Finds faces where the test has put them."""

    is_guide = False
    notice: str | None = None

    def __init__(self, *boxes: FaceBox) -> None:
        self.boxes = list(boxes)

    def find(self, pixels: RgbImage) -> list[FaceBox]:
        return self.boxes


def draw(left: str, right: str, paint: Callable[..., RgbImage]) -> RgbImage:
    pixels = np.full((200, 320, 3), 128, dtype=np.uint8)
    for box, label in ((LEFT, left), (RIGHT, right)):
        pixels[box.y : box.y + box.height, box.x : box.x + box.width] = paint(
            label, box.width, box.height
        )
    return pixels


def test_every_face_of_a_frame_is_labelled(
    bundle: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    pipeline = LivePipeline(FixedFinder(LEFT, RIGHT), Classifier(bundle))
    result = pipeline.process(Frame(draw("mask_old", "nomask_old", paint), 0))
    assert [face.label for face in result.faces] == ["mask_old", "nomask_old"]
    assert [face.box for face in result.faces] == [LEFT, RIGHT]
    assert [face.track for face in result.faces] == [1, 2]
    assert result.timings.classify_ms > 0
    assert sum(vars(result.timings).values()) < 1000


def test_a_frame_without_faces_is_a_result_too(bundle: ModelBundle) -> None:
    pipeline = LivePipeline(FixedFinder(), Classifier(bundle))
    assert pipeline.process(Frame(np.zeros((50, 50, 3), np.uint8), 0)).faces == ()


def test_the_guide_is_classified_and_marked(
    bundle: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    pipeline = LivePipeline(GuideFinder(), Classifier(bundle))
    (face,) = pipeline.process(Frame(paint("nomask_old"), 0)).faces
    assert face.is_guide
    assert face.label == "nomask_old"


def test_pictures_with_file_names_are_never_smoothed(
    bundle: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    pipeline = LivePipeline(FixedFinder(LEFT), Classifier(bundle))
    labels = ["mask_old", "nomask_old", "mask_old"]
    frames = [
        Frame(draw(label, label, paint), n, file=f"{n}.jpg") for n, label in enumerate(labels)
    ]
    assert [pipeline.process(frame).faces[0].label for frame in frames] == labels


def test_a_cut_begins_new_tracks_and_movement_does_not(
    bundle: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    pipeline = LivePipeline(FixedFinder(LEFT), Classifier(bundle))
    scene = draw("mask_old", "mask_old", paint)
    dimmed = (scene * 0.95).astype(np.uint8)
    other = np.where(scene == 128, 30, scene).astype(np.uint8)
    tracks = [
        pipeline.process(Frame(pixels, n, position_s=n / 25)).faces[0].track
        for n, pixels in enumerate([scene, dimmed, scene, other, other])
    ]
    assert tracks == [1, 1, 1, 2, 2]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (20, 3000), (480, 640), (1080, 1920)])
def test_a_scene_of_any_size_is_compared(height: int, width: int) -> None:
    watch = SceneCutDetector()
    dark, light = (np.full((height, width, 3), level, np.uint8) for level in (0, 200))
    assert [watch.is_cut(pixels) for pixels in (dark, dark, light, light)] == [
        False,
        False,
        True,
        False,
    ]
