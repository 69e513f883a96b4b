"""The classifier answers what the bundle's network says, and refuses what is not that bundle."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.errors import ModelRefusedError
from maskage.formats.bundle import ModelBundle
from maskage.inference.classifier import Classifier, count_cores
from maskage.records import RgbImage


def test_faces_of_a_frame_are_classified_in_one_batch(
    bundle: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    crops = [paint(label, 20 + 30 * n, 20 + 30 * n) for n, label in enumerate(MASK_AGE.labels)]
    probabilities = Classifier(bundle).classify(crops)
    assert probabilities.shape == (4, 4)
    assert probabilities.dtype == np.float32
    assert [MASK_AGE.labels[row.argmax()] for row in probabilities] == list(MASK_AGE.labels)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_no_faces_make_no_rows(bundle: ModelBundle) -> None:
    assert Classifier(bundle).classify([]).shape == (0, 4)


def test_batching_does_not_change_an_answer(
    bundle: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    classifier = Classifier(bundle)
    crops = [paint(label) for label in MASK_AGE.labels]
    together = classifier.classify(crops)
    alone = np.concatenate([classifier.classify([crop]) for crop in crops])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_model_that_answers_the_golden_images_otherwise_is_refused(
    bundle: ModelBundle, reseal: Callable[..., ModelBundle]
) -> None:
    other = bundle.golden_probabilities[:, ::-1].copy()
    with pytest.raises(ModelRefusedError, match=r"off by 0\.\d+"):
        Classifier(reseal(bundle.folder, golden=other))


def test_a_file_that_is_no_model_is_refused(
    bundle: ModelBundle, reseal: Callable[..., ModelBundle]
) -> None:
    bundle.onnx_path.write_bytes(b"not a network at all")
    with pytest.raises(ModelRefusedError, match="not an ONNX file, or is truncated") as raised:
        Classifier(reseal(bundle.folder, golden=bundle.golden_probabilities))
    assert raised.value.exit_code == 6
    assert "\n" not in str(raised.value)


def test_a_model_of_another_input_size_is_refused(
    tmp_path: Path, bundle: ModelBundle, reseal: Callable[..., ModelBundle]
) -> None:
    with pytest.raises(ModelRefusedError, match="32 px where its bundle says 64"):
        Classifier(reseal(bundle.folder, golden=bundle.golden_probabilities, size=64))


def test_threads_follow_the_cores_that_may_be_used(bundle: ModelBundle) -> None:
    assert 1 <= count_cores() <= 8
    assert Classifier(bundle).threads == count_cores()
    assert Classifier(bundle, threads=1).threads == 1
