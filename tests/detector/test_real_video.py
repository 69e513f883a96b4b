"""On recordings of real people: the face is followed, and everything is written."""

import json
from pathlib import Path

import cv2
import pytest

from detector.cli import main
from maskage.formats.bundle import ModelBundle

pytestmark = pytest.mark.slow


def label(source: Path, shared: Path, bundle: ModelBundle, out: Path) -> list[dict[str, object]]:
    face_model = shared / "weights" / "face_detection_yunet_2026may.onnx"
    words = ["run", str(source), "--model", str(bundle.folder), "--face-model", str(face_model)]
    video = out / "annotated.mp4"
    assert main([*words, "--json", str(out / "events.jsonl"), "--video", str(video)]) == 0
    capture = cv2.VideoCapture(str(video))
    assert capture.read()[0]
    capture.release()
    return [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]


def test_a_woman_who_puts_a_mask_on_is_one_track_from_first_to_last_frame(
    shared: Path, bundle: ModelBundle, tmp_path: Path
) -> None:
    clip = shared / "video" / "v916_puts_on_mask_388x218.mp4"
    events = label(clip, shared, bundle, tmp_path)
    assert len(events) == 234
    tracks = {tuple(face["track"] for face in event["faces"]) for event in events}  # type: ignore[attr-defined]
    assert tracks == {(1,)}


def test_every_face_of_a_group_photo_is_labelled(
    shared: Path, bundle: ModelBundle, tmp_path: Path
) -> None:
    events = label(shared / "groups_photos", shared, bundle, tmp_path)
    names = sorted(path.name for path in (shared / "groups_photos").glob("*.jpg"))
    assert [event["file"] for event in events if "error" not in event] == names
    assert max(len(event["faces"]) for event in events) >= 5  # type: ignore[arg-type]
