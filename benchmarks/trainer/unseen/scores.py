"""Scores of answers to photos held out, pooled over folds and seeds."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.trainer.unseen.cases import OTHER, Case
from benchmarks.trainer.unseen.trainings import Answered
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import AGE, MASK, WORN
from maskage.formats.run.predictions_file import Prediction
from trainer.evaluation.calibration import calibration_error, measure_reliability
from trainer.evaluation.coverage import find_threshold
from trainer.evaluation.intervals import (
    RESAMPLES,
    bootstrap_interval,
    number_groups,
    resample_means,
    wilson_interval,
)

MISTAKES = 60
SHARES = ("accuracy", "mask_accuracy", "age_accuracy")
WANTED = 0.99
"""Accuracy of the answers that are given, for the share of photos that can be answered."""

Pair = tuple[Case, Prediction]


def pair_answers(cases: Sequence[Case], answered: Sequence[Answered]) -> list[Pair]:
    """Join the answers of trainings with their photos; a photo comes once for each seed."""
    of = {case.key: case for case in cases}
    return [(of[answer.path], answer) for each in answered for answer in each.answers]


def split_seeds(cases: Sequence[Case], answered: Sequence[Answered]) -> dict[int, list[Pair]]:
    """Return the pairs of each seed."""
    seeds = sorted({each.seed for each in answered})
    return {
        seed: pair_answers(cases, [each for each in answered if each.seed == seed])
        for seed in seeds
    }


def summarise(
    cases: Sequence[Case], answered: Sequence[Answered], *, is_by_source: bool
) -> dict[str, Any]:
    """Pool the answers, and score them by class, source, age, fold and seed."""
    pooled = pair_answers(cases, answered)
    keys: dict[str, Callable[[Case], str]] = {
        "by_class": lambda case: case.photo.label,
        "by_source": lambda case: case.source,
        "by_age": lambda case: case.age,
        "by_age_and_mask": lambda case: f"{case.photo.label.split('_')[0]}, {case.age}",
    }
    sources = {"sources": score_sources(pooled)} if is_by_source else {}
    return {
        "held_out": "one source at a time" if is_by_source else "groups of photos",
        **score(pooled),
        **sources,
        "confusion": count_confusion(pooled),
        **{name: dict(score_parts(pooled, key)) for name, key in keys.items()},
        **describe_repeats(cases, answered),
        "surest_mistakes": list_mistakes(pooled),
    }


def describe_repeats(cases: Sequence[Case], answered: Sequence[Answered]) -> dict[str, Any]:
    """Score each seed and each fold by itself."""
    by_seed = {
        str(seed): {name: round(value, 4) for name, value in measure_shares(pairs).items()}
        for seed, pairs in split_seeds(cases, answered).items()
    }
    folds: dict[str, list[Answered]] = {}
    for each in answered:
        folds.setdefault(each.fold, []).append(each)
    return {
        "by_seed": by_seed,
        "folds": {
            name: {
                **score(pair_answers(cases, found)),
                "seeds": [each.seed for each in found],
                "trained_on": found[0].facts.trained_on,
            }
            for name, found in folds.items()
        },
    }


def score_parts(
    pooled: Sequence[Pair], key: Callable[[Case], str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the scores of each part of the photos."""
    for name in sorted({key(case) for case, _ in pooled}):
        yield name, score([(case, answer) for case, answer in pooled if key(case) == name])


def score(pooled: Sequence[Pair]) -> dict[str, Any]:
    """Return the accuracy of class, mask and age with 95% intervals, and counts of classes.

    A photo that was answered for several seeds counts as often as it is right.
    """
    rights = rate_answers(pooled)
    groups = [str(case.group) for case, _ in pooled]
    distinct = {case.key: case.photo.label for case, _ in pooled}
    counts = Counter(distinct.values())
    described: dict[str, Any] = {
        "photos": len(distinct),
        "classes": {label: counts[label] for label in MASK_AGE.labels if counts[label]},
    }
    for name, right in zip(SHARES, rights, strict=True):
        described |= describe_share(name, right, groups, len(distinct))
    return described


def rate_answers(pooled: Sequence[Pair]) -> NDArray[np.bool_]:
    """Return if class, mask and age are right, shape (3, N)."""
    factors = [
        [MASK_AGE[label].factors for label in (answer.actual, answer.predicted)]
        for _, answer in pooled
    ]
    return np.array(
        [
            [answer.is_right for _, answer in pooled],
            [actual[MASK] == predicted[MASK] for actual, predicted in factors],
            [actual[AGE] == predicted[AGE] for actual, predicted in factors],
        ],
        dtype=bool,
    ).reshape(3, -1)


def measure_shares(pooled: Sequence[Pair]) -> dict[str, float]:
    """Return the accuracies alone."""
    return dict(zip(SHARES, rate_answers(pooled).mean(axis=1).tolist(), strict=True))


def describe_share(
    name: str, right: NDArray[np.bool_], groups: Sequence[str], photos: int | None = None
) -> dict[str, Any]:
    """Return a share with Wilson's interval and the one over whole groups.

    Args:
        name: Name of the share.
        right: True for each right answer, shape (N,), N at least 1.
        groups: Group of each answer.
        photos: Number of photos, which is less than N where several seeds answered.
    """
    share, photos = float(right.mean()), photos or len(right)
    by_group = bootstrap_interval(right, groups)
    wilson = wilson_interval(round(share * photos), photos)
    return {
        name: round(share, 4),
        f"{name}_interval": [round(value, 4) for value in wilson],
        f"{name}_interval_by_group": by_group and [round(value, 4) for value in by_group],
    }


def score_sources(pooled: Sequence[Pair]) -> dict[str, Any]:
    """Return means over the sources held out, each counting alike; `OTHER` is no source.

    The intervals draw whole groups within each source.
    """
    parts: dict[str, list[Pair]] = {}
    for case, answer in pooled:
        if case.source != OTHER:
            parts.setdefault(case.source, []).append((case, answer))
    if not parts:
        return {}
    means, draws = mean_over_parts([rate_answers(part) for part in parts.values()],
                                   [_groups(part) for part in parts.values()])  # fmt: skip
    ends = np.quantile(draws, (0.025, 0.975), axis=0)
    trusts = {name: measure_trust(part) for name, part in parts.items()}
    return {
        "names": list(parts),
        **{name: round(float(mean), 4) for name, mean in zip(SHARES, means, strict=True)},
        **{
            f"{name}_interval_by_group": [round(float(low), 4), round(float(high), 4)]
            for name, low, high in zip(SHARES, *ends, strict=True)
        },
        **{
            name: round(fmean(trust[name] for trust in trusts.values()), 4)
            for name in ("calibration_error", "share_at_99")
        },
        "trust": trusts,
    }


def mean_over_parts(
    values: Sequence[NDArray[Any]], groups: Sequence[Sequence[str]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the means over parts that count alike, (K,), and draws of them, (RESAMPLES, K).

    Args:
        values: Of each part one row for each quantity, one column for each answer, shape (K, N).
        groups: Of each part the group of each answer.
    """
    means = np.mean([part.mean(axis=1) for part in values], axis=0)
    draws = [
        resample_means(part.astype(np.float64), number_groups(names), seed, RESAMPLES)
        for seed, (part, names) in enumerate(zip(values, groups, strict=True))
    ]
    return np.asarray(means, np.float64), np.asarray(np.mean(draws, axis=0), np.float64)


def measure_trust(pooled: Sequence[Pair]) -> dict[str, float]:
    """Return the calibration error and the share answered at 99% right, means over the seeds.

    Each seed is a network of its own, with a threshold of its own that is chosen on these photos.
    """
    by_photo: dict[str, list[Prediction]] = {}
    for case, answer in pooled:
        by_photo.setdefault(case.key, []).append(answer)
    errors, shares = [], []
    for at in range(max(map(len, by_photo.values()))):
        answers = [found[at] for found in by_photo.values() if at < len(found)]
        chances = np.array([each.probabilities for each in answers])
        actual = np.array([MASK_AGE.index(each.actual) for each in answers], np.int64)
        right = np.array([each.is_right for each in answers])
        errors.append(calibration_error(measure_reliability(actual, chances)))
        point = find_threshold(right, chances.max(axis=1).astype(np.float64), WANTED)
        shares.append(point.share if point else 0.0)
    return {"calibration_error": round(fmean(errors), 4), "share_at_99": round(fmean(shares), 4)}


def describe_trainings(answered: Sequence[Answered]) -> dict[str, Any]:
    """Return what the trainings took, and with which programs on which machines."""
    facts = [each.facts for each in answered]
    return {
        "trainings": len(facts),
        "seeds": sorted({each.seed for each in answered}),
        "fit_seconds": round(float(np.median([each.seconds["total"] for each in facts])), 1),
        "highest_load": max(each.load for each in facts),
        "milliseconds_a_face": round(float(np.median([each.milliseconds for each in facts])), 2),
        "variants": sorted({each.variants for each in facts}),
        "revisions": sorted({each.revision for each in facts}),
        "dates": sorted({each.made_at for each in facts}),
        "machines": sorted({each.machine for each in facts}),
    }


def count_confusion(pooled: Sequence[Pair]) -> dict[str, dict[str, int]]:
    """Count the answers to each class by predicted class."""
    counts = Counter((answer.actual, answer.predicted) for _, answer in pooled)
    return {
        actual: {
            called: counts[actual, called] for called in MASK_AGE.labels if counts[actual, called]
        }
        for actual in MASK_AGE.labels
    }


def list_mistakes(pooled: Sequence[Pair], most: int = MISTAKES) -> list[dict[str, Any]]:
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
        for case, answer in wrong[:most]
    ]


def mask_chance(answer: Prediction) -> float:
    """Return the probability that a mask is worn, 0 to 1."""
    worn = MASK_AGE.labels_with(MASK, WORN)
    return sum(answer.probabilities[MASK_AGE.index(label)] for label in worn)


def mean_by_photo(pooled: Sequence[Pair], values: Sequence[float]) -> Mapping[str, float]:
    """Return the mean over the seeds of a value of each answer, by the key of the photo."""
    found: dict[str, list[float]] = {}
    for (case, _), value in zip(pooled, values, strict=True):
        found.setdefault(case.key, []).append(float(value))
    return {key: fmean(each) for key, each in found.items()}


def _groups(pooled: Sequence[Pair]) -> list[str]:
    return [str(case.group) for case, _ in pooled]
