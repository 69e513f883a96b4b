"""The parts of a page that are figures: classes, parts, calibration, abstaining, worse photos."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import AGE, MASK, OLD, WORN
from maskage.pages.page import Card, fill
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


def main_tiles(found: Findings) -> list[Tile]:
    """Return the figures at the top."""
    whole = found.judged.evaluation
    low, high = whole.accuracy_interval
    return [
        (f"{whole.accuracy:.1%}", f"right; 95% interval {low:.1%} to {high:.1%}"),
        (f"{whole.mask_accuracy:.1%}", "mask or no mask right"),
        (f"{whole.age_accuracy:.1%}", "young or old right"),
        (f"{whole.calibration_error:.1%}", "mean gap of confidence and accuracy"),
        (f"{found.milliseconds_per_photo:.1f} ms", "a face on this machine's CPU"),
    ]


def _fill(macro: str, **values: object) -> "Markup":
    return fill("trainer/pages/figures.html", macro, **values)


def classes_card(judged: EvaluatedPhotos) -> Card:
    """Return precision and recall of each class, and the accuracy of each factor."""
    whole = judged.evaluation
    scores = [
        [_title(name), *(f"{value:.1%}" for value in (s.precision, s.recall, s.f1)),
         f"{s.support:,}"]
        for name, s in {**whole.per_class, **whole.averages}.items()
    ]  # fmt: skip
    has_groups = whole.groups != whole.photos
    body = _fill(
        "classes",
        columns=["class", "precision", "recall", "F1", "photos"],
        scores=scores,
        factor_columns=["faces that are", "photos", "seen as such", "", "95% interval"],
        factors=_factors(whole),
        groups=whole.groups,
        interval=_span(whole.accuracy_interval_by_group) if has_groups else "",
        few=FEW_GROUPS if whole.groups < FEW_GROUPS else 0,
    )
    return Card("classes", "Each class", body)


def breakdown_card(judged: EvaluatedPhotos) -> Card:
    """Return the accuracy of each source, subject, session, camera, size and sharpness."""
    accuracy = judged.evaluation.accuracy
    columns = ["photos", "right", "", "95% interval", "mask", "age"]
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
    if worse is not None:
        accuracy, photos = worse.clean[0], worse.photos
        low, high = wilson_interval(round(accuracy * photos), photos)
        rows = [["as they are", "", *(f"{value:.1%}" for value in worse.clean), ""]]
        rows += [
            [
                each.name,
                each.strength,
                *(
                    f"{value:.1%}"
                    for value in (each.accuracy, each.mask_accuracy, each.age_accuracy)
                ),
                f"{100 * (each.accuracy - accuracy):+.1f}",
            ]
            for each in worse.corrupted
        ]
    columns = ["photos", "how much", "right", "mask", "age", "change"]
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


def _factors(whole: Evaluation) -> list[list["str | Markup"]]:
    """Return how right it is of masked and bare, of old and young faces."""
    rows: list[list[str | Markup]] = []
    for words, is_yes in (
        (
            ("with a mask", "without"),
            [MASK_AGE.has(label, MASK, WORN) for label in MASK_AGE.labels],
        ),
        (("old", "young"), [MASK_AGE.has(label, AGE, OLD) for label in MASK_AGE.labels]),
    ):
        for word, wanted in zip(words, (True, False), strict=True):
            right, total = _factor_counts(whole, is_yes, wanted)
            if total:
                interval = wilson_interval(right, total)
                bar = draw_bar(right / total, interval)
                rows.append([word, f"{total:,}", f"{right / total:.1%}", bar, _span(interval)])
    return rows


def _factor_counts(whole: Evaluation, is_yes: Sequence[bool], wanted: bool) -> tuple[int, int]:
    """Count the faces of one half of the classes that were seen as such, and all of them."""
    right = total = 0
    for row, counts in enumerate(whole.confusion):
        for column, count in enumerate(counts):
            if is_yes[row] is wanted:
                total += count
                right += count if is_yes[column] is wanted else 0
    return right, total


def _part(part: Part, accuracy: float) -> list["str | Markup"]:
    right = f"{part.accuracy:.1%}"
    is_worse = part.accuracy_interval[1] < accuracy
    return [
        part.value,
        f"{part.photos:,}",
        _fill("wrong", text=right) if is_worse else right,
        draw_bar(part.accuracy, part.accuracy_interval),
        _span(part.accuracy_interval),
        f"{part.mask_accuracy:.1%}",
        f"{part.age_accuracy:.1%}",
    ]


def _span(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.1%} to {interval[1]:.1%}"


def _title(name: str) -> str:
    return next(
        (MASK_AGE.title(label) for label in MASK_AGE.labels if label == name), f"average: {name}"
    )
