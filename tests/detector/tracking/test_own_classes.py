"""Faces are followed and steadied with any number of classes."""

import numpy as np
import pytest

from detector.tracking.pipeline import LivePipeline
from detector.tracking.tracker import FaceTracker
from maskage.classes.scheme import Scheme
from maskage.inference.classifier import Classifier
from maskage.records import FaceBox, Frame
from tests.detector.conftest import bundle_for
from tests.detector.schemes import MANY, MASK_STATE, ODD
from tests.detector.tracking.test_pipeline import LEFT, RIGHT, FixedFinder

HERE = FaceBox(100, 100, 80, 80)
SCHEMES = pytest.mark.parametrize("scheme", [MASK_STATE, ODD, MANY])


@SCHEMES
def test_a_label_settles_on_every_class(scheme: Scheme) -> None:
    tracker = FaceTracker(scheme, 0.5)
    count = len(scheme)
    for number, label in enumerate(scheme.labels):
        row = np.full(count, 0.1 / (count - 1), dtype=np.float32)
        row[number] = 0.9
        for frame in range(25):
            now_s = 2 * number + frame / 25
            placed = tracker.place([HERE], now_s)
            (face,) = tracker.answer([HERE], placed, {0: row}, now_s)
        assert (face.label, face.instant_label, face.is_sure) == (label, label, True)
        assert face.confidence == pytest.approx(0.9, abs=0.01)
        assert face.scheme is scheme
        assert len(face.probabilities) == count


@SCHEMES
def test_a_frame_carries_the_classes_of_its_model(
    scheme: Scheme, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bundle = bundle_for(tmp_path_factory.mktemp("model") / "bundle", scheme)
    pipeline = LivePipeline(FixedFinder(LEFT, RIGHT), Classifier(bundle))
    for label in scheme.labels:
        pixels = np.full((200, 320, 3), scheme[label].rgb, dtype=np.uint8)
        pipeline.forget()
        result = pipeline.process(Frame(pixels, 0))
        assert result.scheme == scheme
        assert [face.label for face in result.faces] == [label, label]
    assert pipeline.scheme == scheme
