"""The parts of a page that are figures: classes, parts, calibration, abstaining, worse photos."""

from typing import TYPE_CHECKING

from maskage.classes.scheme import AGE, MASK, NONE, OLD, WORN, YOUNG, Scheme
from maskage.pages.page import Card, fill
from trainer.evaluation.accuracies import Accuracies, Scores
from trainer.evaluation.breakdown import Part
from trainer.evaluation.coverage import coverage_curve
from trainer.evaluation.evaluated_photos import EvaluatedPhotos
from trainer.evaluation.findings import Findings, WorsePhotos
from trainer.evaluation.intervals import wilson_interval
from trainer.evaluation.metrics import FEW_GROUPS, Evaluation
from trainer.pages.charts import draw_bar, draw_coverage, draw_reliability

if TYPE_CHECKING:
    from markupsafe import Markup

Tile = tuple[str, str]

_DECISIONS: dict[tuple[str, tuple[str, ...]], str] = {
    (MASK, (WORN, NONE)): "mask or no mask",
    (AGE, (OLD, YOUNG)): "young or old",
}
_FACES: dict[tuple[str, tuple[str, ...]], dict[str, str]] = {
    (MASK, (WORN, NONE)): {WORN: "with a mask", NONE: "without"},
    (AGE, (OLD, YOUNG)): {OLD: OLD, YOUNG: YOUNG},
}
"""What faces with a value are called; others are called "name: value"."""


def main_tiles(found: Findings) -> list[Tile]:
    """Return the figures at the top."""
    whole = found.judged.evaluation
    low, high = whole.accuracy_interval
    right = "right" if found.is_tested else f"right of the {found.kind} photos"
    return [
        (f"{whole.accuracy:.1%}", f"{right}; 95% interval {low:.1%} to {high:.1%}"),
        *(
            (f"{each.accuracy:.1%}", f"{describe_factor(name, found.judged.scheme)} right")
            for name, each in whole.factors.items()
        ),
        (f"{whole.calibration_error:.1%}", "mean gap of confidence and accuracy"),
        (f"{found.milliseconds_per_photo:.1f} ms", "a face on this machine's CPU"),
    ]


def _fill(macro: str, **values: object) -> "Markup":
    return fill("trainer/pages/figures.html", macro, **values)


def describe_factor(name: str, scheme: Scheme) -> str:
    """Return what a factor decides between, for people: "mask or no mask"."""
    values = scheme.factors[name]
    if (name, values) in _DECISIONS:
        return _DECISIONS[name, values]
    return f"{name} ({', '.join(values)})"


def classes_card(judged: EvaluatedPhotos) -> Card:
    """Return precision and recall of each class, and the accuracy of each factor."""
    whole, scheme = judged.evaluation, judged.scheme
    named: list[tuple[str | Markup, Scores]] = [
        (name_class(scheme, label), scores) for label, scores in whole.per_class.items()
    ]
    named += [(f"average: {name}", scores) for name, scores in whole.averages.items()]
    rows = [
        [name, *(f"{value:.1%}" for value in (s.precision, s.recall, s.f1)), f"{s.support:,}"]
        for name, s in named
    ]
    has_groups = whole.groups != whole.photos
    body = _fill(
        "classes",
        columns=["class", "precision", "recall", "F1", "photos"],
        scores=rows,
        factor_columns=["faces that are", "photos", "seen as such", "", "95% interval"],
        heading=_list_factors(scheme),
        factors=_factors(whole, scheme),
        groups=whole.groups,
        interval=_span(whole.accuracy_interval_by_group) if has_groups else "",
        few=FEW_GROUPS if whole.groups < FEW_GROUPS else 0,
    )
    return Card("classes", "Each class", body)


def breakdown_card(judged: EvaluatedPhotos) -> Card:
    """Return the accuracy of each source, subject, session, camera, size and sharpness."""
    accuracy = judged.evaluation.accuracy
    columns = ["photos", "right", "", "95% interval", *judged.scheme.factors]
    parts = [
        (each.by, [each.by, *columns], [_part(part, accuracy) for part in each.parts])
        for each in judged.breakdowns
        if each.parts
    ]
    unknown = [each.by for each in judged.breakdowns if not each.parts]
    return Card("parts", "Part by part", _fill("breakdown", parts=parts, unknown=unknown))


def sureness_card(found: Findings, val_error: dict[str, float] | None = None) -> Card:
    """Return coverage against accuracy, the threshold for 99%, and calibration.

    Args:
        found: The answers.
        val_error: Calibration error of the validation photos "before" and "after".
    """
    judged, whole = found.judged, found.judged.evaluation
    curve = coverage_curve(judged.is_right, judged.confidence)
    rows = [
        [
            f"{point.threshold:g}",
            f"{point.photos:,}",
            f"{point.share:.1%}",
            "" if point.accuracy is None else f"{point.accuracy:.1%}",
            _span(point.accuracy_interval),
        ]
        for point in whole.coverage
    ]
    body = _fill(
        "sureness",
        coverage=draw_coverage(curve, whole.coverage),
        reliability=draw_reliability(whole.reliability, whole.reliability_uncalibrated),
        threshold=describe_threshold(whole),
        unsure_below=found.unsure_below,
        rejection=found.rejection_lines,
        whole=whole,
        val_error=val_error,
        columns=["answered from", "photos", "share", "right", "95% interval"],
        rows=rows,
    )
    return Card("sureness", "How sure it is", body)


def worse_card(worse: WorsePhotos | None) -> Card:
    """Return what blur, noise, dark, JPEG and small faces cost, or how to measure it."""
    photos, low, high = 0, 0.0, 0.0
    rows: list[list[str]] = []
    factors: list[str] = []
    if worse is not None:
        accuracy, photos, factors = worse.clean.classes, worse.photos, list(worse.clean.factors)
        low, high = wilson_interval(round(accuracy * photos), photos)
        rows = [["as they are", "", *_percents(worse.clean), ""]]
        rows += [
            [
                each.name,
                each.strength,
                *_percents(each.accuracies),
                f"{100 * (each.accuracy - accuracy):+.1f}",
            ]
            for each in worse.corrupted
        ]
    columns = ["photos", "how much", "right", *factors, "change"]
    body = _fill("worse", photos=photos, columns=columns, rows=rows, low=low, high=high)
    return Card("worse", "Worse photos", body)


def describe_threshold(whole: Evaluation) -> str:
    """Say how much is answered where 99% of the answers are to be right."""
    point = whole.threshold_for_99
    if point is None:
        return "No threshold makes 99% of the answers right."
    if point.share == 1:
        return "99% and more are right with every photo answered."
    return (
        f"99% of the answers are right from a confidence of {point.threshold:.2f}: it then answers "
        f"{point.share:.1%} of these photos (the threshold was chosen on them, so expect somewhat "
        f"less on others)."
    )


def name_class(scheme: Scheme, label: str) -> "Markup":
    """Return the title of a class behind a spot of its colour."""
    return _fill("class_name", color=scheme[label].color, title=scheme.title(label))


def _list_factors(scheme: Scheme) -> str:
    """Return the heading of the factors' table: "Mask and age by themselves"."""
    names = [*scheme.factors]
    text = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{text[:1].upper()}{text[1:]} by {'itself' if len(names) == 1 else 'themselves'}"


def _factors(whole: Evaluation, scheme: Scheme) -> list[list["str | Markup"]]:
    """Return how right it is of the faces with each value of each factor."""
    rows: list[list[str | Markup]] = []
    for name, values in scheme.factors.items():
        words = _FACES.get((name, values), {value: f"{name}: {value}" for value in values})
        for value, share in whole.factors[name].values.items():
            labels = scheme.labels_with(name, value)
            total = sum(whole.per_class[label].support for label in labels)
            interval = wilson_interval(round(share * total), total)
            bar = draw_bar(share, interval)
            rows.append([words[value], f"{total:,}", f"{share:.1%}", bar, _span(interval)])
    return rows


def _part(part: Part, accuracy: float) -> list["str | Markup"]:
    right = f"{part.accuracy:.1%}"
    is_worse = part.accuracy_interval[1] < accuracy
    return [
        part.value,
        f"{part.photos:,}",
        _fill("wrong", text=right) if is_worse else right,
        draw_bar(part.accuracy, part.accuracy_interval),
        _span(part.accuracy_interval),
        *(f"{value:.1%}" for value in part.accuracies.factors.values()),
    ]


def _percents(accuracies: Accuracies) -> list[str]:
    return [f"{value:.1%}" for value in (accuracies.classes, *accuracies.factors.values())]


def _span(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.1%} to {interval[1]:.1%}"
