"""Measure what a run rejects as unlike the faces it learned, and what it takes for one.

    python benchmarks/trainer/reject.py RUN [--known FOLDER ...] [--clip VIDEO] [--hands-end N]
        [--scenes FOLDER --boxes CSV]

The pictures of each FOLDER of --known, and of the folders in it, are faces, which must not be
rejected. What must be: crops of the first N frames of a clip that shows hands (--clip), crops of
photos of groups away from the faces that a CSV of image, xmin, ymin, xmax, ymax lists, and what is
made here: people of the demo camera, text, noise, plain colours. Of the faces of the first FOLDER
upside-down and pencil-drawn copies are made too.

It prints one JSON object: for each kind the share that is rejected, the share that was answered
with a confidence over the bundle's threshold before, and is now, and the AUROC of the strangeness
against the first FOLDER.
"""

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import REJECT
from maskage.cameras.sources import open_camera
from maskage.demo.camera import DemoCamera
from maskage.faces.finder import crop_face, guide_box
from maskage.formats.bundle import ModelBundle, find_bundle, load_bundle
from maskage.inference.classifier import Classifier
from maskage.inference.onnx_engine import Answers
from maskage.pictures.images import read_image
from maskage.records import FaceBox, RgbImage

Pictures = list[RgbImage]
BATCH = 32
CROPS_A_PICTURE = 8
SEED = 7


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--known", type=Path, nargs="+", default=[])
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--hands-end", type=int, default=270)
    parser.add_argument("--scenes", type=Path)
    parser.add_argument("--boxes", type=Path)
    asked = parser.parse_args()
    bundle = load_bundle(find_bundle(asked.run))
    if bundle.strange_above is None:
        parser.error(f"{asked.run} does not measure strangeness. Train it again.")
    chance = np.random.default_rng(SEED)
    classifier = Classifier(bundle)
    known = {folder.name: list(read_folder(folder)) for folder in asked.known}
    kinds = {**make_drawn(chance), **make_copies(next(iter(known.values()), []))}
    if asked.clip is not None:
        kinds["hands"] = list(cut_hands(asked.clip, asked.hands_end, chance))
    if asked.scenes is not None:
        kinds["scenes"] = list(cut_scenes(asked.scenes, read_boxes(asked.boxes), chance))
    faces = {name: answer(classifier, pictures) for name, pictures in known.items()}
    base = next((each.strangeness for each in faces.values()), None)
    result = {
        "known": {name: score(bundle, each) for name, each in faces.items()},
        "others": {
            name: score(bundle, answer(classifier, pictures), base)
            for name, pictures in kinds.items()
        },
    }
    return finish(result, REJECT)


def answer(classifier: Classifier, pictures: Pictures) -> Answers:
    """Return the answers to all pictures."""
    starts = range(0, len(pictures), BATCH)
    return Answers.join([classifier.answer(pictures[at : at + BATCH]) for at in starts])


def score(
    bundle: ModelBundle, found: Answers, base: NDArray[np.float32] | None = None
) -> dict[str, Any]:
    """Return the shares of one kind, and the AUROC against the strangeness of known faces."""
    assert found.strangeness is not None
    assert bundle.strange_above is not None
    is_strange = found.strangeness > bundle.strange_above
    was_sure = found.probabilities.max(axis=1) >= bundle.unsure_below
    shares = {
        "pictures": len(is_strange),
        "rejected": round(float(is_strange.mean()), 4),
        "sure_before": round(float(was_sure.mean()), 4),
        "sure_now": round(float((was_sure & ~is_strange).mean()), 4),
    }
    if base is None:
        return shares
    truth = np.r_[np.zeros(len(base)), np.ones(len(is_strange))]
    area = roc_auc_score(truth, np.r_[base, found.strangeness])
    return {**shares, "auroc": round(float(area), 4)}


def read_folder(folder: Path) -> Iterator[RgbImage]:
    """Yield the pictures in a folder and the folders in it, by name."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".jpg", ".jpeg", ".png"):
            yield read_image(path)


def make_drawn(chance: np.random.Generator) -> dict[str, Pictures]:
    """Make people of the demo camera, text, noise and plain colours."""
    camera, drawn = DemoCamera(seed=SEED, pace=False), []
    for number in range(40 * 12):
        frame = camera.read()
        if number % 12 == 0:
            drawn.append(crop_face(frame.pixels, guide_box(frame.width, frame.height)))
    noise = [chance.integers(0, 256, (192, 192, 3)).astype(np.uint8) for _ in range(40)]
    plain = [np.full((192, 192, 3), chance.integers(0, 256, 3), np.uint8) for _ in range(40)]
    return {"demo": drawn, "noise": noise, "plain": plain, "text": [write(chance) for _ in noise]}


def write(chance: np.random.Generator) -> RgbImage:
    """Make a page of random words."""
    page = np.full((192, 192, 3), chance.integers(150, 256, 3), np.uint8)
    for y in range(12, 200, int(chance.integers(14, 40))):
        words = "".join(chance.choice(list("abcdefghij RSTUVW 0123"), 30))
        ink = tuple(int(value) for value in chance.integers(0, 120, 3))
        cv2.putText(page, words, (-5, y), 0, float(chance.uniform(0.3, 1.5)), ink, 2, cv2.LINE_AA)
    return page


def make_copies(faces: Pictures) -> dict[str, Pictures]:
    """Make copies of faces that stand on their heads or are drawn in pencil; none of no faces."""
    chosen = faces[:: max(1, len(faces) // 100)]
    turned = [np.ascontiguousarray(face[::-1]) for face in chosen]
    grey = [cv2.pencilSketch(cv2.resize(face, (256, 256)), sigma_s=40)[0] for face in chosen]
    pencil = [np.repeat(each[..., None], 3, axis=2).astype(np.uint8) for each in grey]
    return {"upside_down": turned, "pencil": pencil} if chosen else {}


def cut_hands(clip: Path, end: int, chance: np.random.Generator) -> Iterator[RgbImage]:
    """Yield square crops of every sixth of the first frames of a clip."""
    camera = open_camera(str(clip), pace=False)
    try:
        for number in range(end):
            frame = camera.read()
            if frame is None:
                return
            if number % 6 == 0:
                yield from cut_squares(frame.pixels, [], chance, 3)
    finally:
        camera.close()


def read_boxes(path: Path) -> dict[str, list[FaceBox]]:
    """Return the boxes of the faces, by the name of the picture."""
    boxes: dict[str, list[FaceBox]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            left, top, right, bottom = (int(row[name]) for name in ("xmin", "ymin", "xmax", "ymax"))
            box = FaceBox(left, top, max(1, right - left), max(1, bottom - top))
            boxes.setdefault(row["image"], []).append(box)
    return boxes


def cut_scenes(
    folder: Path, boxes: dict[str, list[FaceBox]], chance: np.random.Generator
) -> Iterator[RgbImage]:
    """Yield square crops of photos that hold no part of a face that is listed."""
    for name, faces in sorted(boxes.items()):
        yield from cut_squares(read_image(folder / name), faces, chance, CROPS_A_PICTURE)


def cut_squares(
    pixels: RgbImage, faces: list[FaceBox], chance: np.random.Generator, count: int
) -> Iterator[RgbImage]:
    """Yield up to so many random squares, of a fifth to nine tenths of the height."""
    height, width = pixels.shape[:2]
    for _ in range(40 * count):
        side = int(chance.uniform(0.2, 0.9 if not faces else 0.5) * min(height, width))
        x, y = int(chance.integers(0, width - side + 1)), int(chance.integers(0, height - side + 1))
        if any(FaceBox(x, y, side, side).overlap(face) for face in faces):
            continue
        yield pixels[y : y + side, x : x + side]
        count -= 1
        if count == 0:
            return


if __name__ == "__main__":
    sys.exit(main())
