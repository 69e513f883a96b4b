"""Measure the accuracy on photos of people, and from sources, that were not trained on.

    python benchmarks/trainer/accuracy.py FACES [--metadata CSV] [--folds 5 | --by-source]
        [--frozen] [--paint-masks SHARE] [--work FOLDER] [--only FOLD ...] [-- TRAINER OPTIONS]

FACES is a folder of the four classes; the CSV's columns `path`, `group`, `source` and `age_known`
give the group of a photo, its source and the age of its person. Groups and near-duplicates are
found as `curate` finds them, and lie in one fold. Each fold is trained by `trainer fit` itself, and
every photo is predicted once, by the bundle of the fold that held it out; validation is a part of
the other folds. With --by-source a whole source of photos is held out. With --paint-masks the train
part of each fold gets the variants with painted masks that `curate` makes; photos held out are
unchanged.

With --work a fold that is done is not trained again, so a long run can be interrupted and
continued. It prints one JSON object.
"""

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import ACCURACY
from curation.build.augment import make_pipeline, make_variant
from curation.grouping.groups import group_photos
from curation.grouping.look_alikes import find_look_alikes
from curation.options import read_share
from curation.plan.dataset import read_dataset
from curation.plan.mask_plan import plan_painted_masks
from curation.plan.plan import CurationPlan, PlannedPhoto
from curation.scan.scanning import scan_photos
from curation.settings import CurationSettings, PaintingSettings
from curation.splitting.allocation import allocate_groups
from maskage.classes.ready_made import MASK_AGE
from maskage.console import show_progress
from maskage.defaults import DEFAULT_SEED
from maskage.faces.finder import obtain_face_model
from maskage.formats.bundle import load_bundle
from maskage.formats.curated.curated_set import SPLITS, CuratedPhoto
from maskage.formats.curated.plan_file import PLAN_COLUMNS, PLAN_FILE
from maskage.formats.run.predictions_file import Prediction, predictions_of
from maskage.formats.run.run_folder import RunFolder
from maskage.inference.onnx_engine import OnnxEngine
from maskage.pictures.images import encode_jpeg
from maskage.pictures.perceptual_hash import GROUP_BITS
from maskage.records import Photo
from trainer.data.pixels import PixelReader, plain_batches
from trainer.evaluation.intervals import bootstrap_interval, wilson_interval

ROOT = Path(__file__).parents[2]
FEW_PHOTOS = 100
"""Number of photos below which sources are held out together, as alone they show nothing."""
OTHER = "other"
MISTAKES = 60
AGES = ((18, "to 18"), (35, "19 to 35"), (59, "36 to 59"), (200, "60 and more"))


@dataclass(frozen=True)
class Case:
    """A photo with what is known about it.

    Attributes:
        photo: Path and label.
        group: Number of the group, which stays in one fold.
        source: Source of the photo; sources of few photos are `OTHER`.
        age: Range of the known age, "by eye" where only the label is known.
        digest: sha256 of the file.
    """

    photo: Photo
    group: int
    source: str
    age: str
    digest: str


@dataclass(frozen=True)
class Fold:
    """One training.

    Attributes:
        name: Name of its folder.
        held_out: Indices of the photos that are predicted.
        split_of: Split of each photo that the trainer gets.
    """

    name: str
    held_out: tuple[int, ...]
    split_of: dict[int, str]


def main() -> int:
    """Train the missing folds, predict, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--metadata", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--by-source", action="store_true", help="hold out one source at a time")
    parser.add_argument("--frozen", action="store_true", help="the head alone, no fine-tuning")
    add_painting(parser)
    parser.add_argument(
        "--work", type=Path, help="folder that is kept; folds done there are not repeated"
    )
    parser.add_argument("--only", nargs="+", metavar="FOLD", help="names of folds, for a trial")
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    arguments = parser.parse_args(words[:cut])
    if arguments.folds < 3:
        parser.error("--folds must be at least 3: one is held out, the others train and validate")
    options = words[cut + 1 :] + (["--fine-tune-epochs", "0"] if arguments.frozen else [])
    painting = choose_painting(arguments.paint_masks)
    cases = list_cases(arguments.faces.resolve(), arguments.metadata)
    folds = (
        folds_by_source(cases) if arguments.by_source else folds_by_group(cases, arguments.folds)
    )
    if len(folds) < 2:
        parser.error("--by-source needs a CSV with at least two sources (--metadata)")
    if arguments.only:
        chosen = [fold for fold in folds if fold.name in arguments.only]
        if len(chosen) < len(set(arguments.only)):
            parser.error(f"--only takes names of folds: {', '.join(fold.name for fold in folds)}")
        folds = chosen
    with tempfile.TemporaryDirectory() as temporary:
        work = (arguments.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        painted = {} if painting is None else {"paint_masks": painting.share}
        require_same_question(work, {"by_source": arguments.by_source, "options": options,
                                     "folds": arguments.folds, **painted})  # fmt: skip
        answers = [
            run_fold(
                arguments.faces.resolve(),
                work,
                cases=cases,
                fold=fold,
                options=options,
                painting=painting,
            )
            for fold in folds
        ]
        metrics = [RunFolder(work / "runs" / fold.name).read_metrics() for fold in folds]
    figures = summarise(cases, folds, answers, arguments.by_source)
    if painting is not None:
        painted["variants"] = [found["class_counts"]["variants"] for found in metrics]
    seconds = [found["seconds"] for found in metrics]
    is_whole = not (arguments.by_source or arguments.frozen or arguments.only)
    result = {"options": options, **painted, **figures, "seconds": seconds}
    return finish(result, ACCURACY if is_whole else ())


def add_painting(parser: argparse.ArgumentParser) -> None:
    """Add the option for painted masks."""
    parser.add_argument(
        "--paint-masks",
        type=read_share,
        metavar="SHARE",
        help="share of the bare faces of train, as for `curate`; YuNet: FACE_MODEL, or downloaded",
    )


def choose_painting(share: float | None) -> PaintingSettings | None:
    """Return the settings of `curate --paint-masks SHARE`; None for no painting."""
    return None if share is None else PaintingSettings(share, obtain_face_model().resolve())


def list_cases(faces: Path, metadata: Path | None) -> list[Case]:
    """List the readable photos with their groups, as `curate` finds them."""
    rows: dict[str, dict[str, str]] = {}
    if metadata:
        with metadata.open(newline="", encoding="utf-8") as file:
            rows = {row["path"]: row for row in csv.DictReader(file)}

    def known(path: str, column: str) -> str:
        return rows.get(path, {}).get(column) or ""

    photos = [
        replace(photo, group=known(photo.path, "group") or None)
        for photo in read_dataset(faces).photos
    ]
    scanned = show_progress(scan_photos(faces, photos), "scanning photos", len(photos))
    scans = [scan for scan in scanned if scan.file_scan.fault is None]
    groups = group_photos(scans, find_look_alikes(scans, GROUP_BITS))
    counts = Counter(known(scan.path, "source") for scan in scans)
    return [
        Case(
            scan.photo,
            group,
            source if counts[source := known(scan.path, "source")] >= FEW_PHOTOS else OTHER,
            age_bucket(known(scan.path, "age_known")),
            scan.file_scan.sha256,
        )
        for scan, group in zip(scans, groups, strict=True)
    ]


def age_bucket(known: str) -> str:
    """Return the range of an age such as "26", "1-18" or "19-35 by eye", by the last number."""
    numbers = re.findall(r"\d+", known)
    if not numbers:
        return "by eye"
    return next(name for most, name in AGES if int(numbers[-1]) <= most)


def folds_by_group(cases: Sequence[Case], count: int) -> list[Fold]:
    """Make folds that hold out each photo once; half of the next fold's photos validate."""
    part_of = allot(cases, range(len(cases)), [1 / (2 * count)] * (2 * count))
    folds = []
    for number in range(count):
        test, val = (2 * number, 2 * number + 1), (2 * number + 2) % (2 * count)
        split_of = {
            at: "test" if part in test else "val" if part == val else "train"
            for at, part in part_of.items()
        }
        held_out = tuple(at for at, split in split_of.items() if split == "test")
        folds.append(Fold(f"fold-{number + 1}", held_out, split_of))
    return folds


def folds_by_source(cases: Sequence[Case]) -> list[Fold]:
    """Make folds that hold out each source once; the trainer's own test photos come from others.

    Photos of other sources in the same group as one that is held out are not trained on.
    """
    folds = []
    for source in sorted({case.source for case in cases}):
        held_out = tuple(at for at, case in enumerate(cases) if case.source == source)
        tied = {cases[at].group for at in held_out}
        rest = [at for at, case in enumerate(cases) if case.group not in tied]
        split_of = {at: SPLITS[part] for at, part in allot(cases, rest, [0.8, 0.1, 0.1]).items()}
        name = "without-" + re.sub(r"\W+", "-", source.split("/")[0].lower())
        folds.append(Fold(name, held_out, split_of))
    return folds


def allot(cases: Sequence[Case], members: Iterable[int], shares: Sequence[float]) -> dict[int, int]:
    """Allocate whole groups to parts so that each class of each source is divided alike."""
    positions = list(members)
    kinds = sorted({(cases[at].photo.label, cases[at].source) for at in positions})
    numbers = {group: n for n, group in enumerate(sorted({cases[at].group for at in positions}))}
    contents = np.zeros((len(numbers), len(kinds)))
    for at in positions:
        kind = kinds.index((cases[at].photo.label, cases[at].source))
        contents[numbers[cases[at].group], kind] += 1
    chosen = allocate_groups(contents, shares, DEFAULT_SEED)
    return {at: int(chosen[numbers[cases[at].group]]) for at in positions}


def require_same_question(work: Path, asked: dict[str, Any]) -> None:
    """Exit if something else was measured in a folder."""
    path = work / "asked.json"
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != asked:
        sys.exit(f"{path} shows that something else was measured here. Choose another --work.")
    # Several may start side by side, and none must read an incomplete file.
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(asked), encoding="utf-8")
    temporary.replace(path)


def run_fold(
    faces: Path,
    work: Path,
    *,
    cases: Sequence[Case],
    fold: Fold,
    options: Sequence[str],
    painting: PaintingSettings | None = None,
) -> list[Prediction]:
    """Train a fold unless that is done, and predict the photos that it held out."""
    run = work / "runs" / fold.name
    if not (run / "metrics.json").is_file():
        shutil.rmtree(run, ignore_errors=True)
        curated = work / "curated" / fold.name
        shutil.rmtree(curated, ignore_errors=True)
        lay_out(faces, curated, cases, fold, painting)
        words = ["fit", str(curated), "--name", fold.name, "--runs", str(work / "runs"), *options]
        environment = {
            "MASKAGE_CACHE": str(work / "features"), **os.environ, "PYTHONPATH": str(ROOT)
        }  # fmt: skip
        command = [sys.executable, "-P", "-m", "trainer.cli", *words]
        subprocess.run(command, env=environment, stdout=sys.stderr, check=True)
    bundle = load_bundle(run / "bundle")
    photos = [curated_photo(faces, cases[at]) for at in fold.held_out]
    batches = plain_batches(photos, PixelReader(bundle.input_size, 0))
    chances = OnnxEngine(bundle.onnx_path).run_batches(batches)
    actual = np.array([MASK_AGE.index(photo.label) for photo in photos], np.int64)
    return predictions_of(
        [cases[at].photo.path for at in fold.held_out], actual, chances, MASK_AGE.labels
    )


def curated_photo(faces: Path, case: Case) -> CuratedPhoto:
    """Return a case as a curated photo."""
    return CuratedPhoto(faces / case.photo.path, case.photo.label, str(case.group))


def lay_out(
    faces: Path,
    curated: Path,
    cases: Sequence[Case],
    fold: Fold,
    painting: PaintingSettings | None = None,
) -> None:
    """Write a curated folder like `curate`: train, val and test of the four classes, and plan.csv.

    Args:
        faces: Folder of the four classes.
        curated: Folder to create.
        cases: Photos of `faces`.
        fold: Split of each photo.
        painting: Settings of masks to paint on bare faces of train; None for none.
    """
    for split in SPLITS:
        for label in MASK_AGE.labels:
            (curated / split / label).mkdir(parents=True)
    photos = [
        PlannedPhoto(
            path=cases[at].photo.path,
            label=cases[at].photo.label,
            kept=True,
            group=f"g{cases[at].group}",
            split=split,
        )
        for at, split in fold.split_of.items()
    ]
    for photo in photos:
        shutil.copyfile(faces / photo.path, curated / photo.split / photo.path)
    variants = [] if painting is None else write_painted(faces, curated, photos, painting)
    with (curated / PLAN_FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(PLAN_COLUMNS)
        for p in (*photos, *variants):
            writer.writerow([p.path, p.label, 1, p.reason, p.group, p.split, p.parent or ""])


def write_painted(
    faces: Path, curated: Path, photos: Sequence[PlannedPhoto], painting: PaintingSettings
) -> list[PlannedPhoto]:
    """Paint masks on faces of train, write the variants, and return them."""
    settings = CurationSettings(painting=painting)
    masks = plan_painted_masks(
        faces, photos, MASK_AGE, painting, seed=settings.seed, progress=show_progress
    )
    variants = list(masks.variants)
    plan = CurationPlan(faces, settings, MASK_AGE, (*photos, *variants))
    pipeline = make_pipeline()
    for variant in show_progress(variants, "making variants", len(variants)):
        varied = make_variant(pipeline, plan, variant)
        (curated / variant.split / variant.path).write_bytes(encode_jpeg(varied))
    return variants


def summarise(
    cases: Sequence[Case],
    folds: Sequence[Fold],
    answers: Sequence[Sequence[Prediction]],
    is_by_source: bool,
) -> dict[str, Any]:
    """Pool the predictions of the folds, and score them by class, source and age."""
    pooled = [
        (cases[at], answer)
        for fold, of_fold in zip(folds, answers, strict=True)
        for at, answer in zip(fold.held_out, of_fold, strict=True)
    ]
    folds_of = {
        fold.name: {
            **score([(cases[at], answer) for at, answer in zip(fold.held_out, given, strict=True)]),
            "trained_on": sum(split == "train" for split in fold.split_of.values()),
        }
        for fold, given in zip(folds, answers, strict=True)
    }
    keys: dict[str, Callable[[Case], str]] = {
        "by_class": lambda case: case.photo.label,
        "by_source": lambda case: case.source,
        "by_age": lambda case: case.age,
        "by_age_and_mask": lambda case: f"{case.photo.label.split('_')[0]}, {case.age}",
    }
    return {
        "held_out": "one source at a time" if is_by_source else "groups of photos",
        **score(pooled),
        "confusion": count_confusion(pooled),
        **{name: dict(score_parts(pooled, key)) for name, key in keys.items()},
        "folds": folds_of,
        "surest_mistakes": list_mistakes(pooled),
    }


def score_parts(
    pooled: Sequence[tuple[Case, Prediction]], key: Callable[[Case], str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the scores of each part of the photos."""
    for name in sorted({key(case) for case, _ in pooled}):
        yield name, score([(case, answer) for case, answer in pooled if key(case) == name])


def score(pooled: Sequence[tuple[Case, Prediction]]) -> dict[str, Any]:
    """Return the accuracy of class, mask and age with 95% intervals, and counts of classes."""
    groups = [str(case.group) for case, _ in pooled]
    right = np.array([answer.is_right for _, answer in pooled])
    halves = [(answer.actual.split("_"), answer.predicted.split("_")) for _, answer in pooled]
    mask = np.array([actual[0] == predicted[0] for actual, predicted in halves])
    age = np.array([actual[1] == predicted[1] for actual, predicted in halves])
    counts = Counter(answer.actual for _, answer in pooled)
    return {
        "photos": len(pooled),
        "classes": {label: counts[label] for label in MASK_AGE.labels if counts[label]},
        **describe_share("accuracy", right, groups),
        **describe_share("mask_accuracy", mask, groups),
        **describe_share("age_accuracy", age, groups),
    }


def describe_share(name: str, right: NDArray[np.bool_], groups: Sequence[str]) -> dict[str, Any]:
    """Return a share with Wilson's interval and the one over whole groups."""
    by_group = bootstrap_interval(right, groups)
    return {
        name: round(float(right.mean()), 4),
        f"{name}_interval": [round(v, 4) for v in wilson_interval(int(right.sum()), len(right))],
        f"{name}_interval_by_group": by_group and [round(value, 4) for value in by_group],
    }


def count_confusion(pooled: Sequence[tuple[Case, Prediction]]) -> dict[str, dict[str, int]]:
    """Count the photos of each class by predicted class."""
    counts = Counter((answer.actual, answer.predicted) for _, answer in pooled)
    return {
        actual: {
            called: counts[actual, called] for called in MASK_AGE.labels if counts[actual, called]
        }
        for actual in MASK_AGE.labels
    }


def list_mistakes(pooled: Sequence[tuple[Case, Prediction]]) -> list[dict[str, Any]]:
    """List the mistakes with the highest confidence, where often the label is wrong."""
    wrong = [(case, answer) for case, answer in pooled if not answer.is_right]
    wrong.sort(key=lambda pair: -max(pair[1].probabilities))
    return [
        {
            "path": answer.path,
            "called": answer.predicted,
            "confidence": round(max(answer.probabilities), 3),
            "age": case.age,
        }
        for case, answer in wrong[:MISTAKES]
    ]


if __name__ == "__main__":
    sys.exit(main())
