"""Measure the check of labels: recall and false alarms on planted errors.

    python benchmarks/curation/label_check.py FACES [--metadata CSV] [--bursts 150]
        [--shots 8] [--seeds 3]

FACES is a folder of the four classes; the CSV's columns path and group give the group of a photo.
Some photos become bursts (shots of one photo, a little moved, turned, lit and noisy), and labels
are changed: of whole bursts, of whole groups, of single photos. The given labels count as true, so
wrong ones among them are false alarms here. It prints one JSON object.
"""

import argparse
import csv
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import LABEL_CHECK
from curation.labels.check import Doubt, find_doubtful_labels
from curation.labels.embedding import describe_plainly, embed_pictures
from maskage.classes.ready_made import MASK_AGE
from maskage.console import show_progress
from maskage.pictures.images import decode_image, encode_jpeg, is_picture, read_image
from maskage.records import RgbImage

KINDS = ("burst", "group", "single")


@dataclass(frozen=True)
class Shot:
    """A photo, or a varied shot of it.

    Attributes:
        path: Path of the file.
        label: Class of its folder.
        group: Number of the group.
        number: Number of the shot in a burst, from 0.
        kind: Kind of an error planted on it: "burst", "group" or "single".
    """

    path: Path
    label: str
    group: int
    number: int
    kind: str


def main() -> int:
    """Measure each kind of features, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--metadata", type=Path)
    parser.add_argument("--bursts", type=int, default=150)
    parser.add_argument("--shots", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=0.05, help="share of groups with an error")
    arguments = parser.parse_args()
    shots = list_shots(arguments)
    found: dict[str, dict[str, object]] = {}
    for name in ("mobilenetv2", "descriptor"):
        started = time.perf_counter()
        if name == "mobilenetv2":
            embedding = embed_pictures(read_shots(shots), len(shots), show_progress)
            if embedding.notice:
                print(embedding.notice, file=sys.stderr)
                continue
            features = embedding.features
        else:
            features = np.concatenate([describe_plainly([one]) for one in read_shots(shots)])
        embed_s = time.perf_counter() - started
        figures = measure(features, shots, arguments)
        head = {"features": name, "photos": len(shots), "embed_s": round(embed_s, 1)}
        found[name] = head | figures
    return finish(found, LABEL_CHECK)


def list_shots(arguments: argparse.Namespace) -> list[Shot]:
    """List every photo once, and some photos without a group as bursts."""
    group_of = {}
    if arguments.metadata:
        with arguments.metadata.open(newline="") as file:
            group_of = {row["path"]: row["group"] for row in csv.DictReader(file)}
    found = [
        (path, label, group_of.get(f"{label}/{path.name}") or f"{label}/{path.name}")
        for label in MASK_AGE.labels
        for path in sorted((arguments.faces / label).iterdir())
        if is_picture(path)
    ]
    names = [group for *_, group in found]
    number = {name: at for at, name in enumerate(dict.fromkeys(names))}
    alone = [at for at, name in enumerate(names) if names.count(name) == 1]
    chosen = np.random.default_rng(0).choice(alone, arguments.bursts, replace=False)
    bursts = set(chosen.tolist())
    shots = []
    for at, (path, label, name) in enumerate(found):
        kind = "burst" if at in bursts else "group" if names.count(name) > 1 else "single"
        for shot in range(arguments.shots if kind == "burst" else 1):
            shots.append(Shot(path, label, number[name], shot, kind))
    return shots


def read_shots(shots: Sequence[Shot]) -> Iterator[RgbImage]:
    """Read each photo, varied where it belongs to a burst."""
    for shot in shots:
        pixels = read_image(shot.path)
        yield vary(pixels, shot) if shot.kind == "burst" else pixels


def vary(pixels: RgbImage, shot: Shot) -> RgbImage:
    """Return the picture as in another shot of a webcam: moved, turned, lit, noisy."""
    chance = np.random.default_rng([shot.number, *shot.path.name.encode()])
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D(
        (width / 2, height / 2), chance.uniform(-6, 6), chance.uniform(0.95, 1.1)
    )
    turn[0, 2] += chance.uniform(-0.05, 0.05) * width
    turn[1, 2] += chance.uniform(-0.05, 0.05) * height
    moved = cv2.warpAffine(pixels, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    lit = moved * chance.uniform(0.85, 1.15) + chance.normal(0, 4, moved.shape)
    return decode_image(encode_jpeg(np.clip(lit, 0, 255).astype(np.uint8), quality=85))


def measure(
    features: NDArray[np.float32], shots: Sequence[Shot], arguments: argparse.Namespace
) -> dict[str, dict[str, float]]:
    """Plant errors, search them with grouped and with random folds, and average over the seeds."""
    folds = {"grouped": [shot.group for shot in shots], "random": list(range(len(shots)))}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in folds}
    for seed in range(arguments.seeds):
        labels = plant_errors(shots, arguments.rate, seed)
        for name, groups in folds.items():
            started = time.perf_counter()
            check = find_doubtful_labels(features, labels, groups, MASK_AGE.labels, seed)
            seconds = time.perf_counter() - started
            runs[name].append({**score(check.doubts, labels, shots), "check_s": seconds})
    return {
        name: {key: round(float(np.mean([run[key] for run in of_name])), 3) for key in of_name[0]}
        for name, of_name in runs.items()
    }


def score(
    doubts: Sequence[Doubt], labels: Sequence[str], shots: Sequence[Shot]
) -> dict[str, float]:
    """Return recall of each kind of error, precision, false alarms, right suggestions."""
    kinds = np.array([shot.kind for shot in shots])
    is_wrong = np.array([shot.label != label for shot, label in zip(shots, labels, strict=True)])
    is_found = np.zeros(len(shots), bool)
    is_found[[doubt.index for doubt in doubts]] = True
    hits = int((is_found & is_wrong).sum())
    corrected = sum(
        is_wrong[doubt.index] and doubt.suggested == shots[doubt.index].label for doubt in doubts
    )
    recall = {
        f"recall_{kind}": float(is_found[is_wrong & (kinds == kind)].mean())
        for kind in KINDS
        if (is_wrong & (kinds == kind)).any()
    }
    return recall | {
        "precision": hits / max(1, len(doubts)),
        "false_per_1000": 1000 * float(is_found[~is_wrong].mean()),
        "right_suggestion": corrected / max(1, hits),
    }


def plant_errors(shots: Sequence[Shot], rate: float, seed: int) -> list[str]:
    """Give a share of the whole groups of each kind another class."""
    chance = np.random.default_rng(seed)
    changed: dict[int, int] = {}
    for kind in KINDS:
        of_kind = sorted({shot.group for shot in shots if shot.kind == kind})
        for group in chance.choice(of_kind, round(rate * len(of_kind)), replace=False).tolist():
            changed[group] = int(chance.integers(1, len(MASK_AGE)))
    return [
        MASK_AGE.labels[(MASK_AGE.index(shot.label) + changed.get(shot.group, 0)) % len(MASK_AGE)]
        for shot in shots
    ]


if __name__ == "__main__":
    sys.exit(main())
