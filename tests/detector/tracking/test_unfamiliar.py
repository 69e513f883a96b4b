"""A face that is unlike those that were learned reads unsure, however sure the network is."""

import itertools
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.drawing.styles import Line, face_line
from detector.drawing.tags import describe_face
from detector.events.events import EventTable, event_of
from detector.run_summary import FaceCounts, LabellingSummary
from detector.tracking.pipeline import LivePipeline, ModelRequest, open_pipeline
from detector.tracking.tracker import FaceTracker, TrackedFace
from maskage.classes.ready_made import MASK_AGE
from maskage.errors import ModelRefusedError, UsageError
from maskage.faces.finder import GuideFinder
from maskage.formats.bundle import (
    ModelBundle,
    describe_file,
    golden_images,
    load_bundle,
    write_bundle,
)
from maskage.inference.classifier import Classifier
from maskage.inference.onnx_engine import OnnxEngine
from maskage.inference.picture_faces import classify_faces
from maskage.records import FaceBox, Frame, RgbImage
from tests.detector.conftest import COLORS, SIZE
from trainer.network.onnx_strangeness import add_strangeness, read_depths
from trainer.network.strangeness import fit_strangeness

BOX = FaceBox(10, 10, 60, 60)
SURE = np.array([0.97, 0.01, 0.01, 0.01], np.float32)


def paint_faces(count: int, seed: int) -> Iterable[np.ndarray]:
    """Pictures in about the colours of the labels, in turn."""
    chance = np.random.default_rng(seed)
    colors = np.array(list(COLORS.values()))[np.arange(count) % 4]
    shades = np.clip(colors + chance.normal(0, 6, colors.shape), 0, 255).astype(np.uint8)
    yield np.broadcast_to(shades[:, None, None, :], (count, SIZE, SIZE, 3)).copy()


def teach(bundle: ModelBundle) -> ModelBundle:
    """Make the network of a bundle measure strangeness, and seal it anew."""
    network = bundle.onnx_path.read_bytes()
    found = fit_strangeness(
        read_depths(network, paint_faces(80, 1)),
        np.arange(80) % 4,
        read_depths(network, paint_faces(80, 2)),
    )
    assert found is not None
    bundle.onnx_path.write_bytes(add_strangeness(network, found))
    golden = OnnxEngine(bundle.onnx_path).answer(golden_images(SIZE)).strangeness
    assert golden is not None
    files = {**bundle.files, "model.onnx": describe_file(bundle.onnx_path)}
    write_bundle(
        replace(
            bundle, files=files, strange_above=1.0, golden_strangeness=tuple(map(float, golden))
        )
    )
    return load_bundle(bundle.folder)


@pytest.fixture
def taught(bundle: ModelBundle) -> ModelBundle:
    """A bundle that names crops by their colour, and knows its four colours."""
    return teach(bundle)


def orange() -> RgbImage:
    """A picture that the network is sure of, in a colour that it never saw."""
    return np.full((48, 64, 3), (250, 130, 0), np.uint8)


def see(pipeline: LivePipeline, pixels: RgbImage, at: int = 0) -> TrackedFace:
    (face,) = pipeline.process(Frame(pixels, at, position_s=at / 10)).faces
    return face


def answer(
    tracker: FaceTracker, now_s: float, strangeness: float | None, row: np.ndarray = SURE
) -> TrackedFace:
    placed = tracker.place([BOX], now_s)
    strange = None if strangeness is None else {0: strangeness}
    (face,) = tracker.answer([BOX], placed, {0: row}, now_s, strange)
    return face


def test_an_unfamiliar_face_is_unsure_and_a_known_one_is_not(
    taught: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    known = see(LivePipeline(GuideFinder(), Classifier(taught)), paint("mask_old"))
    assert (known.label, known.is_sure, known.unsure_reason) == ("mask_old", True, None)
    strange = see(LivePipeline(GuideFinder(), Classifier(taught)), orange())
    assert strange.confidence > 0.5
    assert (strange.is_sure, strange.unsure_reason) == (False, "unfamiliar")
    assert strange.strangeness is not None
    assert strange.strangeness > 1
    assert describe_face(strange) == "#1 unsure: unfamiliar"
    assert face_line(strange) is Line.DOTTED
    assert (strange.shown_confidence, known.shown_confidence) == (0.0, known.confidence)


def test_a_picture_alone_is_judged_in_the_same_way(
    taught: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    (known,) = classify_faces(paint("nomask_old"), GuideFinder(), Classifier(taught))
    (strange,) = classify_faces(orange(), GuideFinder(), Classifier(taught))
    assert (known.is_sure, known.unsure_reason) == (True, None)
    assert (strange.is_sure, strange.unsure_reason) == (False, "unfamiliar")


def test_a_bundle_that_does_not_measure_works_as_before(bundle: ModelBundle) -> None:
    face = see(LivePipeline(GuideFinder(), Classifier(bundle)), orange())
    assert (face.is_sure, face.strangeness, face.unsure_reason) == (True, None, None)
    (alone,) = classify_faces(orange(), GuideFinder(), Classifier(bundle))
    assert (alone.is_sure, alone.strangeness) == (True, None)
    request = ModelRequest(strange_above=2.0)
    with pytest.raises(UsageError, match="does not measure how strange"):
        open_pipeline(request, bundle, has_pictures=False)


def test_the_limit_can_be_moved(taught: ModelBundle) -> None:
    always = LivePipeline(GuideFinder(), Classifier(taught), strange_above=float("inf"))
    face = see(always, orange())
    assert (face.is_sure, face.unsure_reason) == (True, None)


def test_low_confidence_is_another_reason_and_being_unfamiliar_comes_first() -> None:
    doubtful = np.array([0.4, 0.3, 0.2, 0.1], np.float32)
    tracker = FaceTracker(MASK_AGE, 0.5, strange_above=1.0)
    face = answer(tracker, 0.0, 0.5, doubtful)
    assert (face.unsure_reason, describe_face(face)) == ("confidence", "#1 unsure 40%")
    tracker = FaceTracker(MASK_AGE, 0.5, strange_above=1.0)
    assert answer(tracker, 0.0, 1.5, doubtful).unsure_reason == "unfamiliar"


def test_the_label_does_not_flicker_around_the_limit() -> None:
    tracker = FaceTracker(MASK_AGE, 0.5, strange_above=1.0)
    told = [answer(tracker, frame / 25, 1.0 + 0.04 * (-1) ** frame).is_sure for frame in range(100)]
    assert sum(a != b for a, b in itertools.pairwise(told)) <= 1


def test_one_odd_frame_does_not_make_a_known_face_unfamiliar() -> None:
    tracker = FaceTracker(MASK_AGE, 0.5, strange_above=1.0)
    for frame in range(20):
        assert answer(tracker, frame / 25, 0.8).is_sure
    assert answer(tracker, 20 / 25, 40.0).is_sure
    for frame in range(21, 60):
        face = answer(tracker, frame / 25, 1.4)
    assert not face.is_sure
    for frame in range(60, 100):
        face = answer(tracker, frame / 25, 0.8)
    assert face.is_sure


def test_events_say_why(taught: ModelBundle, tmp_path: Path) -> None:
    pipeline = LivePipeline(GuideFinder(), Classifier(taught))
    result = pipeline.process(Frame(orange(), 0))
    (face,) = json.loads(json.dumps(event_of(result)))["faces"]
    assert (face["unsure"], face["unsure_reason"]) == (True, "unfamiliar")
    assert face["strangeness"] > 1
    with EventTable(tmp_path / "faces.csv", MASK_AGE) as table:
        table.write(result)
    header, row = (tmp_path / "faces.csv").read_text().splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    assert cells["unsure"] == "1"
    counts = FaceCounts(MASK_AGE)
    counts.add(result)
    assert "1 unsure (1 unlike the faces that the model learned)" in str(
        LabellingSummary(counts, tracks=1)
    )


def test_a_network_that_measures_otherwise_than_it_did_is_refused(taught: ModelBundle) -> None:
    assert taught.golden_strangeness is not None
    other = tuple(2 * each for each in taught.golden_strangeness)
    write_bundle(replace(taught, golden_strangeness=other))
    with pytest.raises(ModelRefusedError, match="its strangeness of the golden images is off"):
        Classifier(load_bundle(taught.folder))


def test_a_network_without_the_measure_that_its_bundle_lists_is_refused(
    bundle: ModelBundle,
) -> None:
    write_bundle(replace(bundle, strange_above=1.0, golden_strangeness=(1.0, 1.0, 1.0)))
    with pytest.raises(ModelRefusedError, match="it has no measure of strangeness"):
        Classifier(load_bundle(bundle.folder))
    write_bundle(replace(teach(bundle), strange_above=None, golden_strangeness=None))
    with pytest.raises(ModelRefusedError, match="it has an unlisted measure of strangeness"):
        Classifier(load_bundle(bundle.folder))
