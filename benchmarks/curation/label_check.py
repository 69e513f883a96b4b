"""Measure the check of labels: recall and false alarms on planted errors.

    python benchmarks/curation/label_check.py FACES [--metadata CSV] [--bursts 150]
        [--shots 8] [--seeds 3] [--misworn FOLDER] [--worn-only]

FACES is a folder of the four classes; the CSV's columns path and group give the group of a photo.
Some photos become bursts (shots of one photo, a little moved, turned, lit and noisy), and labels
are changed: of whole bursts, of whole groups, of single photos. The given labels count as true, so
wrong ones among them are false alarms here. It prints one JSON object.

Where the CSV has a column mask_worn, photos of bare faces whose masks are on the chin or leave the
nose out are also put back among the masks, and the whole check, with its close look at masks, is
run on them ("misworn") and on the photos as they are labelled ("as labelled"). FOLDER holds more
photos of misworn masks, with a labels.csv of path, group and kind, that are labelled as masks too
("with others"). The precision of these counts every flag on a photo that is not marked as misworn
as wrong, also where a second look would bear it out. --worn-only leaves the planted errors out.
"""

import argparse
import csv
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import LABEL_CHECK
from curation.labels.check import (
    LEAST_SHARE,
    LEAST_SHARE_PLAIN,
    Doubt,
    find_doubtful_labels,
)
from curation.labels.embedding import describe_plainly, embed_pictures
from curation.labels.factor_check import LabelledPhotos, check_labels
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import MASK, NONE, WORN
from maskage.console import show_progress
from maskage.defaults import DEFAULT_SEED
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
    parser.add_argument("--misworn", type=Path, help="folder of misworn masks with a labels.csv")
    parser.add_argument("--worn-only", action="store_true", help="only look at misworn masks")
    parser.add_argument("--rate", type=float, default=0.05, help="share of groups with an error")
    arguments = parser.parse_args()
    if arguments.worn_only and not arguments.metadata:
        parser.error("--worn-only needs --metadata, whose column mask_worn marks misworn masks")
    found: dict[str, dict[str, object]] = {}
    if not arguments.worn_only:
        found |= measure_planted(arguments)
    if arguments.metadata:
        known, planted, others = list_worn(arguments)
        if planted:
            found["as labelled"] = look_closely(known)
            found["misworn"] = look_closely(planted)
        if others:
            found["with others"] = look_closely(planted + others)
    goals = [goal for goal in LABEL_CHECK if not arguments.worn_only or goal.figure[0] == "misworn"]
    return finish(found, goals)


def measure_planted(arguments: argparse.Namespace) -> dict[str, dict[str, object]]:
    """Measure planted errors with each kind of features."""
    shots = list_shots(arguments)
    found: dict[str, dict[str, object]] = {}
    for name, least_share in (("mobilenetv2", LEAST_SHARE), ("descriptor", LEAST_SHARE_PLAIN)):
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
        figures = measure(features, shots, arguments, least_share)
        head = {"features": name, "photos": len(shots), "embed_s": round(embed_s, 1)}
        found[name] = head | figures
    return found


@dataclass(frozen=True)
class Worn:
    """A photo with the label that it is given, and its true one.

    Attributes:
        path: Path of the file.
        label: Class that it is given.
        truth: Class that it belongs to; of a planted one, only that its mask is not worn.
        group: Name of its group.
        kind: How a misworn mask is worn; empty for other photos.
    """

    path: Path
    label: str
    truth: str
    group: str
    kind: str = ""


def list_worn(arguments: argparse.Namespace) -> tuple[list[Worn], list[Worn], list[Worn]]:
    """List the photos as labelled, with misworn masks among the masks, and those of FOLDER.

    The second list is empty if no mask is marked as misworn, the third without FOLDER. The photos
    of FOLDER go into the classes of masks in turn.
    """
    with arguments.metadata.open(newline="") as file:
        rows = list(csv.DictReader(file))
    known, planted, others = [], [], []
    for row in rows:
        label = row["path"].partition("/")[0]
        worn = row.get("mask_worn", "") if MASK_AGE.has(label, MASK, NONE) else ""
        given = MASK_AGE.sibling(label, MASK, WORN) or label
        group = row["group"] or row["path"]
        known.append(Worn(arguments.faces / row["path"], label, label, group))
        planted.append(replace(known[-1], label=given, kind=worn) if worn else known[-1])
    if arguments.misworn:
        masks, bare = (MASK_AGE.labels_with(MASK, value) for value in (WORN, NONE))
        with (arguments.misworn / "labels.csv").open(newline="") as file:
            for turn, row in enumerate(csv.DictReader(file)):
                at = turn % len(masks)
                path = arguments.misworn / row["path"]
                others.append(Worn(path, masks[at], bare[at], row["group"], f"other {row['kind']}"))
    return known, planted if any(photo.kind for photo in planted) else [], others


def look_closely(photos: Sequence[Worn]) -> dict[str, object]:
    """Run the whole check and count what it flags."""
    started = time.perf_counter()
    names = {group: at for at, group in enumerate(dict.fromkeys(one.group for one in photos))}
    labelled = LabelledPhotos(
        [photo.label for photo in photos],
        [names[photo.group] for photo in photos],
        MASK_AGE,
        lambda index: read_image(photos[index].path),
    )
    checked = check_labels(labelled, DEFAULT_SEED, show_progress)
    kinds = Counter(photo.kind for photo in photos if photo.kind)
    hits = Counter(photos[index].kind for index in checked.doubts)
    misworn = [photo for photo in photos if photo.kind and not photo.kind.startswith("other ")]
    found = sum(number for kind, number in hits.items() if kind and not kind.startswith("other "))
    return {
        "photos": len(photos),
        "flags": len(checked.doubts),
        "recall_misworn": round(found / len(misworn), 3) if misworn else 0.0,
        "precision": round(sum(hits[kind] for kind in kinds) / max(1, len(checked.doubts)), 3),
        "found": {kind: f"{hits[kind]} of {number}" for kind, number in sorted(kinds.items())},
        "expected_wrong": round(sum(each.confidence for each in checked.doubts.values()), 1),
        "reasons": dict(Counter(each.reason for each in checked.doubts.values()).most_common()),
        "check_s": round(time.perf_counter() - started, 1),
        "notices": list(checked.notices),
    }


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
    features: NDArray[np.float32],
    shots: Sequence[Shot],
    arguments: argparse.Namespace,
    least_share: float,
) -> dict[str, dict[str, float]]:
    """Plant errors, search them with grouped and with random folds, and average over the seeds."""
    folds = {"grouped": [shot.group for shot in shots], "random": list(range(len(shots)))}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in folds}
    for seed in range(arguments.seeds):
        labels = plant_errors(shots, arguments.rate, seed)
        for name, groups in folds.items():
            started = time.perf_counter()
            check = find_doubtful_labels(
                features, labels, groups, MASK_AGE.labels, seed, least_share=least_share
            )
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
