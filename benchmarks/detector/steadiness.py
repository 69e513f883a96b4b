"""The steadiness of labels on recordings of people, and their delay after a mask goes on.

    python benchmarks/detector/steadiness.py FOLDER --model RUN [--truth CSV]

FOLDER holds the recordings that the truth names; those that are not there are left out and named.
The CSV has a row for every stretch in which nothing changes: file, scene, first and last frame as
they are decoded, and state: `none` (nobody there), `bare` or `mask` (over nose and mouth, held or
worn). Frames between two stretches are those in which a mask is moving: either answer is right.
Without it, the truth about three recordings is in this file; it was written frame by frame.

Each recording is labelled as `detector live` works, none of its frames left out ("live"), and with
finder and network on every frame ("thorough"). For both: how often the label of a track changes,
in all and after its first second, against the changes that really happened; how long after a mask
is on a track says so, with any confidence and surely; and how often the answers for single frames
change. Tracks of what is no face, in stretches where nobody is there, are counted by themselves.
Times are those of the recording by its mean rate.

Prints one JSON object.
"""

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import STEADINESS
from detector.tracking.pipeline import EVERYTHING, FrameResult, LivePipeline, Thrift
from detector.tracking.tracker import TrackedFace
from maskage.cameras.video.video_file import VideoFile
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import MASK, WORN
from maskage.faces.finder import YuNetFinder, obtain_face_model
from maskage.formats.bundle import find_bundle, load_bundle
from maskage.inference.classifier import Classifier

FIRST_S = 1.0
"""Time in which a label settles; changes after it are counted apart."""


@dataclass(frozen=True)
class Stretch:
    """Frames `first` to `last`, both included, of one scene, with one state of the mask."""

    scene: int
    first: int
    last: int
    state: str


TRUTH: dict[str, tuple[Stretch, ...]] = {
    # She holds a mask before her mouth from frame 13, before her nose too from 18, and ties it.
    "v916_puts_on_mask_388x218.mp4": (
        Stretch(0, 0, 12, "bare"),
        Stretch(0, 18, 233, "mask"),
    ),
    # Hands on a table; a man holding, then wearing a mask; nearer, bare for four frames, masked.
    "khanhkd1_mask_tutorial.mp4": (
        Stretch(0, 0, 280, "none"),
        Stretch(1, 281, 445, "mask"),
        Stretch(2, 446, 447, "bare"),
        Stretch(2, 451, 487, "mask"),
    ),
    "khanhkd1_nomask_lecture.mp4": (Stretch(0, 0, 291, "bare"),),
}


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="run or bundle folder")
    parser.add_argument("--truth", type=Path, metavar="CSV")
    arguments = parser.parse_args()
    truth = read_truth(arguments.truth) if arguments.truth else TRUTH
    classifier = Classifier(load_bundle(find_bundle(arguments.model)))
    figures: dict[str, Any] = {"missing": []}
    for name, stretches in truth.items():
        clip = arguments.folder / name
        if not clip.is_file():
            figures["missing"].append(name)
            continue
        figures[name] = {
            way: judge(label_clip(clip, classifier, thrift), stretches)
            for way, thrift in (("live", Thrift()), ("thorough", EVERYTHING))
        }
    figures["files_missing"] = len(figures["missing"])
    return finish(figures, STEADINESS)


def read_truth(path: Path) -> dict[str, tuple[Stretch, ...]]:
    """Read the CSV, by file."""
    found: dict[str, list[Stretch]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[row["file"]].append(
                Stretch(int(row["scene"]), int(row["first"]), int(row["last"]), row["state"])
            )
    return {
        name: tuple(sorted(rows, key=lambda stretch: stretch.first)) for name, rows in found.items()
    }


def label_clip(clip: Path, classifier: Classifier, thrift: Thrift) -> list[FrameResult]:
    """Label every frame of a recording; the pictures themselves are let go."""
    pipeline = LivePipeline(YuNetFinder(obtain_face_model()), classifier, thrift=thrift)
    camera = VideoFile(clip, pace=False)
    results = []
    while (frame := camera.read()) is not None:
        result = pipeline.process(frame)
        small = type(frame)(frame.pixels[:1, :1], frame.index, 0.0, frame.position_s)
        results.append(FrameResult(small, result.faces, result.timings, result.scheme))
    camera.close()
    return results


def judge(results: list[FrameResult], stretches: Iterable[Stretch]) -> dict[str, Any]:
    """Compare a labelled recording with the truth about it."""
    stretches = tuple(stretches)
    nobody = {index for s in stretches if s.state == "none" for index in range(s.first, s.last + 1)}
    tracks: dict[int, list[tuple[float, TrackedFace]]] = defaultdict(list)
    phantoms: set[int] = set()
    for index, result in enumerate(results):
        for face in result.faces:
            tracks[face.track].append((result.frame.position_s, face))
            if index in nobody:
                phantoms.add(face.track)
    phantom_changes = sum(len(list_changes(tracks.pop(number))) for number in phantoms)
    real = sum(
        {before.state, after.state} == {"bare", "mask"} and before.scene == after.scene
        for before, after in pairwise(stretches)
    )
    changes = [change for track in tracks.values() for change in list_changes(track)]
    minutes = sum(track[-1][0] - track[0][0] for track in tracks.values()) / 60
    raw = sum(
        before.instant_label != after.instant_label
        for track in tracks.values()
        for (_, before), (_, after) in pairwise(track)
    )
    moments = [find_delay(results, s) for s in find_moments(stretches)]
    return {
        "real_changes": real,
        "label_changes": len(changes),
        "changes_too_many": max(0, len(changes) - real),
        "of_them_the_mask": sum(is_mask for _, is_mask, _ in changes),
        "label_changes_after_first_second": sum(is_late for _, _, is_late in changes),
        "changed_at_s": [at_s for at_s, _, _ in changes],
        "sureness_changes": sum(
            before.is_sure is not after.is_sure
            for track in tracks.values()
            for (_, before), (_, after) in pairwise(track)
        ),
        "changes_a_minute": round(len(changes) / minutes, 1) if minutes else None,
        "single_frame_changes_a_minute": round(raw / minutes, 1) if minutes else None,
        "tracks": len(tracks),
        "phantom_tracks": len(phantoms),
        "phantom_changes": phantom_changes,
        "scenes_with_a_face": len({s.scene for s in stretches if s.state != "none"}),
        "mask_on": moments,
        **({"slowest_mask_s": find_slowest(moments)} if moments else {}),
        **count_frames(results, stretches),
    }


def find_slowest(moments: list[dict[str, float | None]]) -> float | None:
    """Return the longest time until a mask was labelled for good; None if one never was."""
    told = [moment["told_for_good_after_s"] for moment in moments]
    known = [after_s for after_s in told if after_s is not None]
    return max(known) if len(known) == len(told) else None


def list_changes(track: list[tuple[float, TrackedFace]]) -> list[tuple[float, bool, bool]]:
    """List the changes of a track's label: time, is of the mask, is after the first second."""
    begun_s = track[0][0]
    return [
        (
            round(now_s, 2),
            MASK_AGE.has(before.label, MASK, WORN) is not MASK_AGE.has(after.label, MASK, WORN),
            now_s - begun_s >= FIRST_S,
        )
        for (_, before), (now_s, after) in pairwise(track)
        if before.label != after.label
    ]


def find_moments(stretches: tuple[Stretch, ...]) -> list[Stretch]:
    """Return the stretches with a mask that begin within a scene: it has just gone on."""
    return [
        after
        for before, after in pairwise(stretches)
        if before.scene == after.scene and (before.state, after.state) == ("bare", "mask")
    ]


def find_delay(results: list[FrameResult], stretch: Stretch) -> dict[str, float | None]:
    """Return the seconds from when a mask is on until the largest face is labelled with one.

    Negative if it was labelled before, while the mask was still moving.
    """
    on_s = results[stretch.first].frame.position_s

    def first(is_sure: bool) -> float | None:
        # Back from the end of the stretch, to when the label came for good.
        told_s = None
        for result in reversed(results[: stretch.last + 1]):
            faces = result.faces
            if not faces:
                continue
            if not MASK_AGE.has(faces[0].label, MASK, WORN) or (is_sure and not faces[0].is_sure):
                break
            told_s = result.frame.position_s
        return None if told_s is None else round(told_s - on_s, 2)

    return {
        "on_s": round(on_s, 2),
        "told_for_good_after_s": first(is_sure=False),
        "surely_after_s": first(is_sure=True),
    }


def count_frames(results: list[FrameResult], stretches: tuple[Stretch, ...]) -> dict[str, Any]:
    """Count the frames in which the largest face was found, and its mask labelled rightly."""
    counts = dict.fromkeys(("frames", "found", "right", "false_faces"), 0)
    for stretch in stretches:
        for result in results[stretch.first : stretch.last + 1]:
            if stretch.state == "none":
                counts["false_faces"] += len(result.faces)
                continue
            counts["frames"] += 1
            counts["found"] += bool(result.faces)
            counts["false_faces"] += max(0, len(result.faces) - 1)
            counts["right"] += bool(result.faces) and (
                MASK_AGE.has(result.faces[0].label, MASK, WORN) is (stretch.state == "mask")
            )
    return {"frames_judged": counts}


if __name__ == "__main__":
    sys.exit(main())
