"""Masks that are worn wrongly: how many of them a network takes for no mask.

They are measured twice. "alone": the plain commands train on the faces, and every misworn photo is
predicted. "in_training": folds over the faces and the misworn photos together, so that the misworn
ones of the other folds are trained on, as no mask.

The age of a misworn photo is unknown, and its class says an age. It is trained with the age that
the network of "alone" sees in it, which never saw the photo; the first seed says it for all. So no
misworn photo counts for an age, and the mask alone is scored on them.
"""

import csv
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.trainer.unseen.cases import STATES, Case, label_of, relabel
from benchmarks.trainer.unseen.folds import Fold
from benchmarks.trainer.unseen.scores import (
    Pair,
    describe_share,
    mask_chance,
    mean_by_photo,
    rate_answers,
    score,
)
from benchmarks.trainer.unseen.trainings import Answered, WorkFolder, make_fold_set, run_tool
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import AGE, MASK, NONE, OLD, WORN, YOUNG
from maskage.formats.curated.plan_file import PLAN_FILE

PLAIN = "plain"
COMMON = frozenset({"nose_out", "chin"})
"""Ways of wearing a mask wrongly that are common; the others are few, and scored together."""
WORST = 20


def make_plain_set(work: WorkFolder, faces: Path, curated: Path) -> None:
    """Make the set that `curate` makes of the faces without further facts."""
    run_tool("curation.cli", str(faces), "--out", str(curated), *work.curate)


def list_unseen(cases: Sequence[Case], curated: Path) -> list[Case]:
    """List what a plain training never sees: its test photos, and misworn photos.

    `curate FACES` does not know the groups of the table, so a test photo may have one of its group
    in train. Such a photo is left out, and so is a misworn photo of a group with any of the faces.
    """
    with (curated / PLAN_FILE).open(newline="", encoding="utf-8") as file:
        split_of = {row["path"]: row["split"] for row in csv.DictReader(file)}
    faces = {case.group for case in cases if not case.is_misworn_photo}
    seen = {
        case.group
        for case in cases
        if not case.is_misworn_photo and split_of.get(case.photo.path) in ("train", "val")
    }
    tested = [
        case
        for case in cases
        if not case.is_misworn_photo
        and split_of.get(case.photo.path) == "test"
        and case.group not in seen
    ]
    strange = [case for case in cases if case.is_misworn_photo and case.group not in faces]
    return [*tested, *strange]


def give_ages(cases: Sequence[Case], plain: Answered) -> list[Case]:
    """Label each misworn photo with the age that a network sees which never saw the photo."""
    chances = {each.path: each.probabilities for each in plain.answers}
    old = [MASK_AGE.index(label) for label in MASK_AGE.labels_with(AGE, OLD)]

    def aged(case: Case) -> Case:
        # A photo that is tied to the faces was not predicted; it stays young, as it was listed.
        seen = chances.get(case.key, ()) if case.is_misworn_photo else ()
        if not seen:
            return case
        is_old = sum(seen[at] for at in old) > 0.5
        return relabel(case, label_of(NONE, OLD if is_old else YOUNG))

    return [aged(case) for case in cases]


def answer_fold(work: WorkFolder, cases: Sequence[Case], fold: Fold, seed: int) -> Answered:
    """Train a fold unless that is done, and predict what it holds out."""
    make_set = partial(make_fold_set, work, cases, fold)
    return work.answer(fold.name, seed, make_set, [cases[at] for at in fold.held_out])


def summarise_misworn(pooled: Sequence[Pair]) -> dict[str, Any]:
    """Score answers to misworn photos and to faces, photos held out all of them."""
    strange = [pair for pair in pooled if pair[0].is_misworn_photo]
    faces = [pair for pair in pooled if not pair[0].is_misworn_photo]
    kinds = sorted({case.state for case, _ in strange})
    rare = [pair for pair in strange if pair[0].state not in COMMON]
    own = [pair for pair in faces if pair[0].state in STATES]
    return {
        **score_mask(strange, "told_as_none"),
        "kinds": {
            kind: score_mask([p for p in strange if p[0].state == kind], "told_as_none")
            for kind in kinds
        },
        "rare_kinds": score_mask(rare, "told_as_none"),
        "misworn_among_faces": score_mask(own, "told_as_none"),
        "worn": score_mask([p for p in faces if is_worn(p[0])], "told_as_worn"),
        "faces": score(faces) if faces else {},
        "worst": list_worst(strange),
    }


def is_worn(case: Case) -> bool:
    """Return whether a photo of the faces shows a mask that is worn, by its label and by eye."""
    return case.state == WORN and MASK_AGE.has(case.photo.label, MASK, WORN)


def score_mask(pooled: Sequence[Pair], name: str) -> dict[str, Any]:
    """Return the share with the right answer for the mask, with intervals; {} without photos."""
    if not pooled:
        return {}
    photos = len({case.key for case, _ in pooled})
    groups = [str(case.group) for case, _ in pooled]
    return {"photos": photos, **describe_share(name, rate_answers(pooled)[1], groups, photos)}


def list_worst(pooled: Sequence[Pair], most: int = WORST) -> list[dict[str, Any]]:
    """List the photos that look most as if their mask were worn, mean over the seeds."""
    chances = mean_by_photo(pooled, [mask_chance(answer) for _, answer in pooled])
    states: Mapping[str, str] = {case.key: case.state for case, _ in pooled}
    worst = sorted(chances, key=lambda key: (-chances[key], key))[:most]
    return [
        {"path": key, "kind": states[key], "worn": round(chances[key], 3)}
        for key in worst
        if chances[key] > 0.5
    ]


def count_tied(cases: Sequence[Case]) -> int:
    """Count the misworn photos that are in a group with photos of the faces."""
    tied = {case.group for case in cases if not case.is_misworn_photo}
    return int(np.sum([case.is_misworn_photo and case.group in tied for case in cases]))
