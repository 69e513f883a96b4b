"""Compare two measurements photo by photo, with intervals over whole groups."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.trainer.unseen.cases import OTHER, Case
from benchmarks.trainer.unseen.scores import (
    SHARES,
    mean_by_photo,
    mean_over_parts,
    rate_answers,
)
from benchmarks.trainer.unseen.trainings import Answered, read_all_answered
from maskage.formats.bundle import golden_images, load_bundle
from maskage.inference.onnx_engine import OnnxEngine
from maskage.inference.timing import measure_by_turns
from trainer.evaluation.intervals import number_groups, resample_means

CANNOT_TELL = "cannot be told apart"


def compare(
    cases: Sequence[Case], ours: Sequence[Answered], work: Path, other: Path, *, is_by_source: bool
) -> dict[str, Any]:
    """Compare these answers with those of another work folder, on the photos that both answered.

    Args:
        cases: The photos.
        ours: The answers of this measurement.
        work: Its folder.
        other: Folder of the other measurement.
        is_by_source: True if each source was held out as a whole; their mean is compared, too.

    Returns:
        The figures; nothing where the other folder has no answers to these photos.
    """
    names = {each.fold for each in ours}
    theirs = [each for each in read_all_answered(other) if each.fold in names]
    one, two = right_by_photo(cases, ours), right_by_photo(cases, theirs)
    both = [case for case in cases if case.key in one and case.key in two]
    if not both:
        return {}
    gaps = np.array([one[case.key] - two[case.key] for case in both]).T
    found: dict[str, Any] = {
        "with": other.name,
        "photos": len(both),
        "seeds": [sorted({each.seed for each in side}) for side in (ours, theirs)],
        **describe_gaps(gaps, [str(case.group) for case in both]),
        **compare_costs(ours, theirs, work, other),
    }
    if is_by_source:
        found["sources"] = compare_sources(gaps, both)
    return found


def right_by_photo(
    cases: Sequence[Case], answered: Sequence[Answered]
) -> Mapping[str, NDArray[np.float64]]:
    """Return how often class, mask and age of each photo are right, 0 to 1, shape (3,), by key.

    Answers are judged by the label that the photo has now, which may have been corrected since.
    """
    of = {case.key: case for case in cases}
    pooled = [
        (of[answer.path], replace(answer, actual=of[answer.path].photo.label))
        for each in answered
        for answer in each.answers
        if answer.path in of
    ]
    rows = [mean_by_photo(pooled, row.tolist()) for row in rate_answers(pooled)]
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def describe_gaps(gaps: NDArray[np.float64], groups: Sequence[str]) -> dict[str, Any]:
    """Return the mean difference of class, mask and age, shape (3, N), with intervals by group."""
    draws = resample_means(gaps, number_groups(groups), seed=1337)
    return describe_draws(gaps.mean(axis=1), draws)


def describe_draws(means: NDArray[np.float64], draws: NDArray[np.float64]) -> dict[str, Any]:
    """Return each difference, its interval, and what it says."""
    ends = np.quantile(draws, (0.025, 0.975), axis=0)
    return {
        name: {
            "difference": round(float(mean), 4),
            "interval_by_group": [round(float(low), 4), round(float(high), 4)],
            "verdict": judge(float(low), float(high)),
        }
        for name, mean, low, high in zip(SHARES, means, *ends, strict=True)
    }


def judge(low: float, high: float) -> str:
    """Return what the interval of a difference says."""
    if low > 0:
        return "better"
    return "worse" if high < 0 else CANNOT_TELL


def compare_sources(gaps: NDArray[np.float64], both: Sequence[Case]) -> dict[str, Any]:
    """Return the mean difference over the sources, each counting alike; `OTHER` is no source."""
    names = sorted({case.source for case in both} - {OTHER})
    places = [[at for at, case in enumerate(both) if case.source == name] for name in names]
    means, draws = mean_over_parts(
        [gaps[:, part] for part in places],
        [[str(both[at].group) for at in part] for part in places],
    )
    return {"names": names, **describe_draws(means, draws)}


def compare_costs(
    ours: Sequence[Answered], theirs: Sequence[Answered], work: Path, other: Path
) -> dict[str, float]:
    """Return the ratios of training time and of the time for one face; the latter by turns."""
    seconds = [
        float(np.median([each.facts.seconds["total"] for each in side])) for side in (ours, theirs)
    ]
    found = {"seconds_ratio": round(seconds[0] / seconds[1], 3)}
    bundles = [
        folder / "runs" / f"{side[0].fold}-seed-{side[0].seed}" / "bundle"
        for folder, side in ((work, ours), (other, theirs))
    ]
    if all(path.is_dir() for path in bundles):
        loaded = [load_bundle(path) for path in bundles]
        engines = [OnnxEngine(bundle.onnx_path) for bundle in loaded]
        pictures = [golden_images(bundle.input_size)[:1] for bundle in loaded]
        turns = [
            lambda _, engine=engine, picture=picture: engine.run(picture)
            for engine, picture in zip(engines, pictures, strict=True)
        ]
        first, second = measure_by_turns(turns, pictures[0])
        found["milliseconds_ratio"] = round(first / second, 3)
    return found
