"""How many faces of photos with several people are found, and how often their mask is told right.

    python benchmarks/detector/group_photos.py FOLDER --model RUN [--boxes CSV]
        [--least 40] [--seen CSV]

The CSV (FOLDER/boxes.csv) has a row for every face: image, source_file, label (`with_mask`,
`without_mask`, or `with_incorrect_mask`, which is no mask), xmin, ymin, xmax, ymax. Photos are
labelled as `detector run` does. A box that was found is that of a face where they overlap by
`LEAST_IOU`, or the middle of each lies in the other; the best pairs first, each once. Judged are
faces whose longer side is over `--least` pixels.

`--seen` names the CSV that came with the photos the bundle was trained on (`collector import
--metadata`): photos whose `source_file` stands in its column `group` were seen in training, and are
told apart.

Prints one JSON object.
"""

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import GROUP_PHOTOS
from detector.tracking.pipeline import LivePipeline
from detector.tracking.tracker import TrackedFace
from maskage.cameras.sources import PictureFolder
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import MASK, WORN
from maskage.faces.finder import SMALLEST_IN_PICTURE_PX, YuNetFinder, obtain_face_model
from maskage.formats.bundle import find_bundle, load_bundle
from maskage.inference.classifier import Classifier
from maskage.records import FaceBox
from trainer.evaluation.intervals import wilson_interval

LEAST_IOU = 0.3
MISWORN = "with_incorrect_mask"
STATES = {"with_mask": True, "without_mask": False, MISWORN: False}


@dataclass(frozen=True)
class TrueFace:
    """A face as somebody marked it, with what was found there.

    Attributes:
        image: File name.
        kind: One of `STATES`.
        box: Where it is.
        is_seen: Whether its photo was trained on.
        found: None where nothing was found.
    """

    image: str
    kind: str
    box: FaceBox
    is_seen: bool
    found: TrackedFace | None = None

    @property
    def is_right(self) -> bool:
        """Whether it was found and its mask told right."""
        return (
            self.found is not None
            and MASK_AGE.has(self.found.label, MASK, WORN) is STATES[self.kind]
        )


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="run or bundle folder")
    parser.add_argument("--boxes", type=Path, metavar="CSV")
    parser.add_argument("--least", type=int, default=40, metavar="PX")
    parser.add_argument("--seen", type=Path, metavar="CSV")
    arguments = parser.parse_args()
    truth = read_truth(arguments.boxes or arguments.folder / "boxes.csv", arguments.seen)
    bundle = load_bundle(find_bundle(arguments.model))
    pipeline = LivePipeline(
        YuNetFinder(obtain_face_model(), SMALLEST_IN_PICTURE_PX), Classifier(bundle)
    )
    judged, false_boxes = look_at(arguments.folder, truth, pipeline)
    large = [face for face in judged if face.box.side_px > arguments.least]
    figures = {
        "photos": len(truth),
        "faces": len(judged),
        "least_px": arguments.least,
        "all": summarise(large),
        "photos_not_trained_on": summarise([face for face in large if not face.is_seen]),
        "false_boxes": false_boxes,
        "wrong": [describe(face) for face in large if not face.is_right],
    }
    return finish(figures, GROUP_PHOTOS)


def read_truth(boxes: Path, seen: Path | None) -> dict[str, list[TrueFace]]:
    """The marked faces of each photo."""
    groups: set[str] = set()
    if seen:
        with seen.open(newline="", encoding="utf-8") as file:
            # A group is named "set:photo".
            groups = {row["group"].rpartition(":")[2] for row in csv.DictReader(file)}
    truth: dict[str, list[TrueFace]] = defaultdict(list)
    with boxes.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            left, top = int(row["xmin"]), int(row["ymin"])
            box = FaceBox(left, top, int(row["xmax"]) - left, int(row["ymax"]) - top)
            is_seen = Path(row["source_file"]).stem in groups
            truth[row["image"]].append(TrueFace(row["image"], row["label"], box, is_seen))
    return truth


def look_at(
    folder: Path, truth: dict[str, list[TrueFace]], pipeline: LivePipeline
) -> tuple[list[TrueFace], dict[str, int]]:
    """Every marked face with what was found there; and how many boxes were found elsewhere."""
    camera = PictureFolder(folder)
    judged: list[TrueFace] = []
    false_boxes: dict[str, int] = {}
    while (frame := camera.read()) is not None:
        marked = truth.get(frame.file or "", [])
        found = pipeline.process(frame).faces
        pairs = match_faces([face.box for face in marked], found)
        judged += [
            TrueFace(face.image, face.kind, face.box, face.is_seen, pairs.get(at))
            for at, face in enumerate(marked)
        ]
        if len(found) > len(pairs):
            false_boxes[frame.file or ""] = len(found) - len(pairs)
    return judged, false_boxes


def match_faces(marked: Sequence[FaceBox], found: Sequence[TrackedFace]) -> dict[int, TrackedFace]:
    """What was found for each marked face, by its position."""
    scores = [
        (true.iou(face.box), at, number)
        for at, true in enumerate(marked)
        for number, face in enumerate(found)
        if true.iou(face.box) >= LEAST_IOU
        or (holds(true, face.box.center) and holds(face.box, true.center))
    ]
    pairs: dict[int, int] = {}
    for _, at, number in sorted(scores, reverse=True):
        if at not in pairs and number not in pairs.values():
            pairs[at] = number
    return {at: found[number] for at, number in pairs.items()}


def holds(box: FaceBox, point: tuple[float, float]) -> bool:
    """Whether a point lies in a box."""
    x, y = point
    return box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height


def summarise(faces: Sequence[TrueFace]) -> dict[str, Any]:
    """Shares with their 95% intervals, and those of each kind of face."""
    found = [face for face in faces if face.found is not None]
    sure = [face for face in found if face.found is not None and face.found.is_sure]
    return {
        "faces": len(faces),
        "found": share(face.found is not None for face in faces),
        "mask_right_of_found": share(face.is_right for face in found),
        "mask_right_of_sure": share(face.is_right for face in sure),
        "mask_right_of_all": share(face.is_right for face in faces),
        "mask_right_of_found_but_misworn": share(
            face.is_right for face in found if face.kind != MISWORN
        ),
        "of_found": {
            kind: share(face.is_right for face in found if face.kind == kind) for kind in STATES
        },
    }


def share(values: Iterable[bool]) -> dict[str, Any]:
    """How many of how many, and what that says."""
    counted = list(values)
    if not counted:
        return {"right": 0, "of": 0}
    right, total = sum(counted), len(counted)
    low, high = wilson_interval(right, total)
    return {
        "right": right,
        "of": total,
        "share": round(right / total, 4),
        "interval": [round(low, 4), round(high, 4)],
    }


def describe(face: TrueFace) -> str:
    """One line on a face that was missed or told wrong."""
    where = f"{face.image} {face.kind} at {face.box.x},{face.box.y} of {face.box.side_px} px"
    if face.found is None:
        return f"{where}: not found"
    sureness = "" if face.found.is_sure else "unsure, "
    return f"{where}: {sureness}{face.found.label} {face.found.confidence:.0%}"


if __name__ == "__main__":
    sys.exit(main())
