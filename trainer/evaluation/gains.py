"""What the new photos bought: a run and the one that it was started from, on the same photos.

Both answer the photos that the new run is measured on, which neither has learned from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
from maskage.commands.text_table import align_columns
from maskage.formats.run.predictions_file import Prediction
from trainer.data.known_photos import TrainChanges
from trainer.evaluation.intervals import Estimate, number_groups, resample_means
from trainer.evaluation.paired import sign_test

SEED = 1337
CLEARLY = 0.05
"""P-value of the sign test over groups below which two runs can be told apart."""

ALL = "all photos"


@dataclass(frozen=True, kw_only=True)
class Gain:
    """What was won or lost on some of the photos.

    Attributes:
        name: Class, "all photos", or a factor.
        kind: "all", "factor" or "class".
        photos: Number of photos.
        before: Share that the earlier run has right, 0 to 1; None if it did not know the class.
        after: Share that the new run has right.
        change: Their difference with its paired 95% interval over whole groups; None without
            `before`.
        only_before, only_after: Number of photos that only one of them has right.
        p_value: Probability that equally good runs differ as much in the groups by chance.
    """

    name: str
    kind: str
    photos: int
    before: float | None
    after: float
    change: Estimate | None
    only_before: int
    only_after: int
    p_value: float

    @property
    def verdict(self) -> str:
        """What the difference shows: "better", "worse" or "cannot be told apart"."""
        if self.change is None:
            return "new class"
        if self.p_value < CLEARLY and self.change.low > 0:
            return "better"
        if self.p_value < CLEARLY and self.change.high < 0:
            return "worse"
        return "cannot be told apart"

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `metrics.json` holds."""
        return {
            "name": self.name,
            "kind": self.kind,
            "photos": self.photos,
            "before": self.before,
            "after": self.after,
            "change": None if self.change is None else self.change.as_dict(),
            "only_before": self.only_before,
            "only_after": self.only_after,
            "p_value": self.p_value,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, kw_only=True)
class Gains:
    """What a run won over the one that it was started from.

    Attributes:
        name: Name of the earlier run.
        photos: Number of photos that both answered.
        split: Split that these are.
        rows: The gain over all photos, for each factor and for each class.
        changes: By which photos train differs, by class.
        removed: Classes that the new run does not have any more.
    """

    name: str
    photos: int
    split: str
    rows: tuple[Gain, ...]
    changes: Mapping[str, TrainChanges]
    removed: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the value of `earlier_run` in `metrics.json`."""
        return {
            "name": self.name,
            "photos": self.photos,
            "split": self.split,
            "gains": [each.as_dict() for each in self.rows],
            "train": {label: each.as_dict() for label, each in self.changes.items()},
            "removed_classes": list(self.removed),
        }


def measure_gains(
    name: str,
    before: Sequence[Prediction],
    after: Sequence[Prediction],
    groups: Sequence[str],
    *,
    former: Scheme,
    scheme: Scheme,
    changes: Mapping[str, TrainChanges],
    split: str,
) -> Gains:
    """Compare a run with the one that it was started from.

    Args:
        name: Name of the earlier run.
        before: Its answers.
        after: The answers of the new run to the same photos, in any order; at least one.
        groups: Group of each photo, in the order of `after`.
        former: Classes of the earlier run.
        scheme: Classes of the new run.
        changes: By which photos train differs, by class.
        split: Split that the photos are.

    Raises:
        ValueError: They did not answer the same photos.
    """
    answers = {each.path: each.predicted for each in before}
    if answers.keys() != {each.path for each in after}:
        raise ValueError("The two runs did not answer the same photos.")
    numbers = number_groups(groups)
    actual = [each.actual for each in after]
    said = [answers[each.path] for each in after], [each.predicted for each in after]
    right = np.array([[a == b for a, b in zip(actual, each, strict=True)] for each in said])
    rows = [_gain(ALL, "all", right, numbers)]
    for factor in scheme.factors:
        # With other values the earlier run could not be right.
        if former.factors.get(factor) == scheme.factors[factor]:
            wanted = [scheme.value(label, factor) for label in actual]
            found = (
                [former.value(label, factor) for label in said[0]],
                [scheme.value(label, factor) for label in said[1]],
            )
            values = [[a == b for a, b in zip(wanted, each, strict=True)] for each in found]
            rows.append(_gain(factor, "factor", np.array(values), numbers))
    for label in scheme.labels:
        is_in = np.array([each == label for each in actual])
        if is_in.any():
            inside = right[:, is_in], number_groups([str(at) for at in numbers[is_in]])
            rows.append(_gain(label, "class", *inside, is_known=label in former))
    removed = tuple(label for label in former.labels if label not in scheme)
    return Gains(
        name=name,
        photos=len(after),
        split=split,
        rows=tuple(rows),
        changes=changes,
        removed=removed,
    )


def format_gains(gains: Gains, scheme: Scheme) -> list[str]:
    """Return the lines that a terminal shows: the gains, and the photos that made them."""
    table = [["", "photos", "before", "after", "change (95%)", ""]]
    for each in gains.rows:
        table.append(
            [
                scheme.title(each.name) if each.kind == "class" else each.name,
                f"{each.photos:,}",
                "" if each.before is None else f"{each.before:.1%}",
                f"{each.after:.1%}",
                describe_change(each.change),
                each.verdict,
            ]
        )
    changes = [["in train", "new", "corrected", "removed"]]
    changes += [
        [
            scheme.title(label) if label in scheme else label,
            *(f"{count:,}" for count in (each.new, each.corrected, each.removed)),
        ]
        for label, each in gains.changes.items()
    ]
    return [
        f"What the new photos bought: {gains.name}, then this run, on {gains.photos:,} "
        f"{describe_split(gains.split)} photos that neither was trained on",
        *align_columns(table, [False, *[True] * 3, False, False]),
        *align_columns(changes, [False, True, True, True]),
    ]


def describe_split(split: str) -> str:
    """Return the kind of the photos as a word: "test" or "validation"."""
    return "test" if split == "test" else "validation"


def describe_change(change: Estimate | None) -> str:
    """Return a difference of shares in points with its interval: "+1.4 (-0.7, +3.5)"."""
    if change is None:
        return ""
    if change.value == change.low == change.high == 0:
        return "0.0"
    value, low, high = (100 * each for each in (change.value, change.low, change.high))
    return f"{value:+.1f} ({low:+.1f}, {high:+.1f})"


def read_gains(metrics: Mapping[str, Any]) -> Gains | None:
    """Return the gains in the content of `metrics.json`; None if there are none.

    Raises:
        KeyError, TypeError, ValueError: The content is something else.
    """
    found = metrics.get("earlier_run")
    if found is None:
        return None
    rows = []
    for row in found["gains"]:
        values = {name: value for name, value in row.items() if name != "verdict"}
        change = values.pop("change")
        rows.append(Gain(**values, change=None if change is None else Estimate(**change)))
    return Gains(
        name=str(found["name"]),
        photos=int(found["photos"]),
        split=str(found["split"]),
        rows=tuple(rows),
        changes={label: TrainChanges(**each) for label, each in found["train"].items()},
        removed=tuple(found["removed_classes"]),
    )


def _gain(
    name: str,
    kind: str,
    right: NDArray[np.bool_],
    groups: NDArray[np.int64],
    *,
    is_known: bool = True,
) -> Gain:
    """Compare two rows of right answers, shape (2, N), whose photos come in groups (N,)."""
    before, after = (float(each) for each in right.mean(axis=1))
    only_before = int((right[0] & ~right[1]).sum())
    only_after = int((right[1] & ~right[0]).sum())
    # Photos of one group are right or wrong together, so a group has one vote.
    votes = np.sign(np.bincount(groups, right[1].astype(float) - right[0]))
    change = None
    if is_known:
        means = resample_means(right.astype(np.float64), groups, SEED)
        low, high = np.quantile(means[:, 1] - means[:, 0], (0.025, 0.975))
        change = Estimate(after - before, float(low), float(high))
    return Gain(
        name=name,
        kind=kind,
        photos=right.shape[1],
        before=before if is_known else None,
        after=after,
        change=change,
        only_before=only_before,
        only_after=only_after,
        p_value=sign_test(int((votes > 0).sum()), int((votes < 0).sum())),
    )
