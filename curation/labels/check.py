"""Find labels that are probably wrong, because other photos suggest another class.

Each photo is predicted by a classifier trained on the photos of other groups. Folds keep groups
whole: a burst saved into the wrong class would otherwise confirm itself, because its other shots
would be in the training part with the same wrong label. In `benchmarks/curation/label_check.py`,
on 1,757 photographs, folds drawn photo by photo found 40% of the wrongly labelled bursts of 8
shots, and grouped folds 86%.

The classifier is trained twice: photos that are doubtful after the first time are left out the
second time.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from curation.labels.embedding import FeatureArray
from maskage.classes.scheme import LEAST_CLASSES
from maskage.defaults import DEFAULT_SEED
from maskage.errors import DatasetError

MIN_GROUPS = 3
"""Least number of groups of a class. With two, one wrong group would be half of the class."""
MAX_FOLDS = 5
"""Largest number of folds. Ten found no more planted errors, in twice the time."""
PASSES = 2
"""Number of trainings.

With 15% of the groups wrong, the second one found 12 to 23 points more of them, with nearly twice
the false alarms; where errors are few it costs little. A third one found no more.
"""
MIN_MARGIN = 0.5
"""Least difference between the probability of another class and that of the label, from which a
photo is left out of the second training.
"""
MIN_WRONG = 0.3
"""Least probability that a label is wrong, from which it is doubtful.

A margin that is large is an error where many labels are wrong, and a photo that is hard to tell
where nearly all are right. So the share of wrong labels is estimated first, from how surely all of
them are contradicted. Errors planted on 1 to 10% of 2,807 shots, found / false alarms in 1,000
right labels / share of the flags that are right, means of three seeds:

| errors | limit | bursts | single photos | false alarms | right | expected |
|---|---|---|---|---|---|---|
| 1% | fixed margins of 0.5, alone 0.75 | 100% | 71% | 23.8 | 30% | - |
| 1% | probability of 0.3 | 100% | 83% | 2.6 | 80% | 71% |
| 5% | fixed margins | 92% | 71% | 21.3 | 68% | - |
| 5% | probability of 0.3 | 92% | 85% | 13.5 | 78% | 72% |
| 5% | probability of 0.4 | 90% | 78% | 7.4 | 86% | 78% |
| 10% | fixed margins | 88% | 70% | 22.6 | 80% | - |
| 10% | probability of 0.3 | 89% | 89% | 29.0 | 78% | 74% |

With no errors planted, the fixed margins flagged 56 of the shots and this 4.
"""
LEAST_SHARE = 0.02
"""Least share of wrong labels that is taken for granted.

Where a few are wrong among hundreds, nothing can be estimated. With 0.03, planted errors of 1% had
twice as many false alarms; with 0.001, a wrong burst among 60 that are hard to tell was not found.
"""
LEAST_SHARE_PLAIN = 0.05
"""The same for edges and colours, which never contradict as surely as the network."""
MOST_SHARE = 0.1
"""Largest share that is believed.

From 100 photos and edges and colours more was estimated, and 186 in 1,000 right labels were
doubted, with this limit 25.
"""
_SHARE_STEPS = 50
"""Number of steps in which the share of wrong labels is estimated; it settles in about 20."""
_LEAST_ODDS = 1e-3
"""Probability added to both sides of the odds: no classifier is surer than that."""
COMPONENTS = 256
_LEAST_PROBABILITY = 1e-4
INVERSE_REGULARISATION = 2.0
"""The `C` of logistic regression, for rows of mean length 1.

Three times as much found 3 points more of planted errors, with a third more false alarms.
"""

_Numbers = NDArray[np.int64]
_Flags = NDArray[np.bool_]
_Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Doubt:
    """A photo whose label is doubtful.

    Attributes:
        index: Index of the photo in the input.
        suggested: Class that the photos of other groups suggest.
        confidence: Probability of `suggested`, 0 to 1.
        given: Probability of the photo's own label, 0 to 1.
        wrong: Probability that the label is wrong, 0 to 1, given the share of wrong labels here.
    """

    index: int
    suggested: str
    confidence: float
    given: float
    wrong: float


@dataclass(frozen=True)
class LabelCheck:
    """The result of a check of labels.

    Attributes:
        doubts: Photos whose labels are doubtful, the most probably wrong first.
        unchecked: Classes that were left out, and the number of groups that each comes from.
    """

    doubts: tuple[Doubt, ...]
    unchecked: Mapping[str, int]

    @property
    def notice(self) -> str | None:
        """The text for people on the classes that were left out; None if there are none."""
        if not self.unchecked:
            return None
        return (
            f"--check-labels did not check {_name_counts(self.unchecked)}: a class needs at least "
            f"{MIN_GROUPS} groups (people, sessions, look-alikes). Collect these classes from more "
            f"people."
        )


def find_doubtful_labels(
    features: FeatureArray,
    labels: Sequence[str],
    groups: Sequence[int],
    classes: Sequence[str],
    seed: int = DEFAULT_SEED,
    *,
    least_share: float = LEAST_SHARE,
) -> LabelCheck:
    """Find photos whose labels disagree with the photos of other groups.

    Classes that come from fewer than `MIN_GROUPS` groups are left out.

    Args:
        features: Features of the photos, shape (N, D) (see `curation.labels.embedding`).
        labels: Class of each photo.
        groups: Group number of each photo: one person, session or burst (see
            `curation.grouping.groups`).
        classes: The classes, in order.
        seed: Seed of the folds.
        least_share: Least share of wrong labels that is taken for granted.

    Returns:
        The check. The doubts depend neither on the order of the photos nor on the numbers of the
        groups.

    Raises:
        DatasetError: Fewer than two classes come from at least `MIN_GROUPS` groups.
    """
    group_counts = _count_groups(labels, groups, classes)
    few = {label: count for label, count in group_counts.items() if count < MIN_GROUPS}
    checked = [label for label in classes if label not in few]
    if len(checked) < LEAST_CLASSES:
        raise DatasetError(
            f"Labels cannot be checked: a photo is compared with photos of other groups (people, "
            f"sessions, look-alikes), and each class needs at least {MIN_GROUPS} groups; found "
            f"{_name_counts(few)}. Collect these classes from more people, or leave out "
            f"--check-labels."
        )
    number_of = {label: number for number, label in enumerate(checked)}
    asked = np.array([index for index, label in enumerate(labels) if label in number_of], np.int64)
    given = np.array([number_of[labels[index]] for index in asked], np.int64)
    fold_count = min(MAX_FOLDS, *(group_counts[label] for label in checked))
    probabilities = _predict_all(
        features[asked], given, np.array(groups, np.int64)[asked], fold_count, seed
    )
    cells = np.array(groups, np.int64)[asked] * len(checked) + given
    found = [
        replace(doubt, index=int(asked[doubt.index]))
        for doubt in _doubts(probabilities, given, cells, checked, least_share)
    ]
    return LabelCheck(tuple(sorted(found, key=lambda each: (-each.wrong, each.index))), few)


def _predict_all(
    features: FeatureArray, given: _Numbers, groups: _Numbers, fold_count: int, seed: int
) -> _Reals:
    """Return the probabilities of each photo, whatever the order of the photos, shape (N, C)."""
    order = _canonical_order(features, given)
    folds = _make_folds(given[order], _renumbered(groups[order]), fold_count, seed)
    weights = _weights(given[order], groups[order])
    rows = _reduced(features[order], seed)
    found = _predict_out_of_fold(rows, given[order], weights, folds)
    probabilities = np.empty_like(found)
    probabilities[order] = found
    return probabilities


def _count_groups(
    labels: Sequence[str], groups: Sequence[int], classes: Sequence[str]
) -> dict[str, int]:
    found: dict[str, set[int]] = {label: set() for label in classes}
    for label, group in zip(labels, groups, strict=True):
        found[label].add(group)
    return {label: len(of_label) for label, of_label in found.items()}


def _name_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{label} from {count}" for label, count in counts.items())


def _canonical_order(features: FeatureArray, given: _Numbers) -> _Numbers:
    """Return the indices sorted by content, so that the folds do not depend on the order."""
    keys = [(row.tobytes(), number) for row, number in zip(features, given.tolist(), strict=True)]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)


def _renumbered(groups: _Numbers) -> _Numbers:
    """Renumber groups in the order of their first photos."""
    _, first, place = np.unique(groups, return_index=True, return_inverse=True)
    numbers: _Numbers = np.argsort(np.argsort(first))[place]
    return numbers


def _make_folds(given: _Numbers, groups: _Numbers, count: int, seed: int) -> _Numbers:
    """Return the fold of each photo; a group lies in one fold."""
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    folds = np.empty(len(given), np.int64)
    for fold, (_, asked) in enumerate(splitter.split(given[:, None], given, groups)):
        folds[asked] = fold
    return folds


def _weights(given: _Numbers, groups: _Numbers) -> _Reals:
    """Return weights that are equal for every class of every group.

    Two hundred shots of one person say little more than two, and a wrongly labelled burst must not
    outweigh the rest.
    """
    cells = groups * (int(given.max()) + 1) + given
    _, place, counts = np.unique(cells, return_inverse=True, return_counts=True)
    shares = 1 / counts[place]
    weights: _Reals = shares * (len(shares) / shares.sum())
    return weights


def _reduced(features: FeatureArray, seed: int) -> FeatureArray:
    """Return standardised features on their principal components, with a mean length near 1.

    Labels are not used.
    """
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    # Divided by the number of features, so that one regularisation fits long and short rows.
    scaled = StandardScaler().fit_transform(features) / np.float32(features.shape[1] ** 0.5)
    count = min(COMPONENTS, *scaled.shape)
    reduced: FeatureArray = PCA(count, random_state=seed).fit_transform(scaled)
    return reduced


def _predict_out_of_fold(
    rows: FeatureArray, given: _Numbers, weights: _Reals, folds: _Numbers
) -> _Reals:
    """Return the probabilities of each photo, from photos of other folds, shape (N, C)."""
    # A dependency of scikit-learn, without type information.
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    count = int(given.max()) + 1
    probabilities = np.zeros((len(rows), count))
    is_trusted = np.ones(len(rows), bool)
    # The matrices are small: on two busy cores, a fit took 2.1 s with threads that wait for each
    # other, and 0.12 s with one thread.
    with threadpool_limits(1):
        for _ in range(PASSES):
            for fold in np.unique(folds):
                asked = folds == fold
                known = ~asked & is_trusted
                probabilities[asked] = _predict(
                    rows[known], given[known], weights[known], rows[asked], count
                )
                _acquit_unknown(probabilities, given, asked, np.unique(given[known]))
            is_trusted = _margins(probabilities, given) <= MIN_MARGIN
    return probabilities


def _predict(
    known: FeatureArray, given: _Numbers, weights: _Reals, asked: FeatureArray, count: int
) -> _Reals:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    probabilities = np.zeros((len(asked), count))
    classes = np.unique(given)
    if len(classes) < 2:
        probabilities[:, classes] = 1
        return probabilities
    model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=1000)
    with warnings.catch_warnings():
        # The last digits of a probability do not matter here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(known, given, weights)
    probabilities[:, classes] = model.predict_proba(asked)
    return probabilities


def _acquit_unknown(
    probabilities: _Reals, given: _Numbers, asked: _Flags, classes: _Numbers
) -> None:
    """Accept the labels that no photo of another fold has, because they cannot be checked."""
    unknown = np.flatnonzero(asked & ~np.isin(given, classes))
    probabilities[unknown] = 0
    probabilities[unknown, given[unknown]] = 1


def _margins(probabilities: _Reals, given: _Numbers) -> _Reals:
    own = probabilities[np.arange(len(given)), given]
    margins: _Reals = probabilities.max(axis=1) - own
    return margins


def _log_odds(probabilities: _Reals, given: _Numbers) -> _Reals:
    """Return the log odds of the most probable other class against the label, shape (N,)."""
    rows = np.arange(len(given))
    others = probabilities.copy()
    others[rows, given] = 0
    odds: _Reals = np.log(others.max(axis=1) + _LEAST_ODDS)
    return odds - np.log(probabilities[rows, given] + _LEAST_ODDS)


def _wrong(log_odds: _Reals, share: float) -> _Reals:
    """Return the probability that each label is wrong where this share of all labels is."""
    odds = np.exp(log_odds) * share / (1 - share)
    wrong: _Reals = odds / (1 + odds)
    return wrong


def _estimate_share(log_odds: _Reals, weights: _Reals, least_share: float) -> float:
    """Return the share of wrong labels under which the labels are most probable (EM)."""
    share = least_share
    for _ in range(_SHARE_STEPS):
        mean = float((weights * _wrong(log_odds, share)).sum() / weights.sum())
        share = min(MOST_SHARE, max(least_share, mean))
    return share


def _doubts(
    probabilities: _Reals,
    given: _Numbers,
    cells: _Numbers,
    classes: Sequence[str],
    least_share: float,
) -> list[Doubt]:
    """Return the rows whose labels are probably wrong, by themselves or as a burst.

    The shots of a burst bear each other out: the class and the figures are those of the burst
    where these say more than the shot does.
    """
    shared, counts = _share_in_cells(probabilities, cells)
    share = _estimate_share(_log_odds(shared, given), 1 / counts, least_share)
    own, of_burst = (_wrong(_log_odds(each, given), share) for each in (probabilities, shared))
    wrong = np.maximum(own, of_burst)
    figures = np.where((own >= of_burst)[:, None], probabilities, shared)
    return [
        Doubt(
            row,
            classes[int(figures[row].argmax())],
            float(figures[row].max()),
            float(figures[row, given[row]]),
            float(wrong[row]),
        )
        for row in np.flatnonzero(wrong > MIN_WRONG).tolist()
    ]


def _share_in_cells(probabilities: _Reals, cells: _Numbers) -> tuple[_Reals, _Numbers]:
    """Return the geometric mean of the probabilities in each photo's cell, and the cells' sizes."""
    _, place, counts = np.unique(cells, return_inverse=True, return_counts=True)
    logs = np.log(probabilities + _LEAST_PROBABILITY)
    sums = np.zeros((len(counts), logs.shape[1]))
    np.add.at(sums, place, logs)
    shares = np.exp(sums / counts[:, None])
    means: _Reals = (shares / shares.sum(axis=1, keepdims=True))[place]
    return means, counts[place]
