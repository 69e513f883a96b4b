"""The parts of a page that are figures: classes, parts, calibration, abstaining, worse photos."""

from collections.abc import Sequence

from maskage.pages.page import Card
from maskage.pages.parts import escape, table
from maskage.records import LABELS
from trainer.evaluation.breakdown import Breakdown, Part
from trainer.evaluation.coverage import coverage_curve
from trainer.evaluation.evaluated_photos import EvaluatedPhotos
from trainer.evaluation.findings import Findings, WorsePhotos
from trainer.evaluation.intervals import wilson_interval
from trainer.evaluation.metrics import FEW_GROUPS, Evaluation
from trainer.pages.charts import draw_bar, draw_coverage, draw_reliability

Tile = tuple[str, str]


def main_tiles(found: Findings) -> list[Tile]:
    """The figures at the top."""
    whole = found.judged.evaluation
    low, high = whole.accuracy_interval
    return [
        (f"{whole.accuracy:.1%}", f"right; 95% interval {low:.1%} to {high:.1%}"),
        (f"{whole.mask_accuracy:.1%}", "mask or no mask right"),
        (f"{whole.age_accuracy:.1%}", "young or old right"),
        (f"{whole.calibration_error:.1%}", "mean gap of confidence and accuracy"),
        (f"{found.milliseconds_per_photo:.1f} ms", "a face on this machine's CPU"),
    ]


def classes_card(judged: EvaluatedPhotos) -> Card:
    """Precision and recall of each class, and the accuracy of each factor."""
    whole = judged.evaluation
    rows = [
        [escape(_title(name)), *(f"{value:.1%}" for value in (s.precision, s.recall, s.f1)),
         f"{s.support:,}"]
        for name, s in {**whole.per_class, **whole.averages}.items()
    ]  # fmt: skip
    scores = table(["", "precision", "recall", "F1", "photos"], rows, "figures")
    return Card("classes", "Each class", scores + _factors(whole) + _by_group(whole))


def breakdown_card(judged: EvaluatedPhotos) -> Card:
    """The accuracy of each source, subject, session, camera, size and sharpness."""
    unknown = [each.by for each in judged.breakdowns if not each.parts]
    body = "".join(
        _breakdown(each, judged.evaluation.accuracy) for each in judged.breakdowns if each.parts
    )
    note = (
        '<p class="faint">A bar is the accuracy, the line on it its 95% interval (Wilson). Red: '
        "the whole interval lies under the accuracy of all photos.</p>"
    )
    if unknown:
        note += (
            f"<p>Not known of these photos: {', '.join(unknown)}. Name a table of path and any of "
            "source, subject, session with <code>--metadata</code>.</p>"
        )
    return Card("parts", "Part by part", body + note)


def sureness_card(found: Findings, val_error: dict[str, float] | None = None) -> Card:
    """Coverage against accuracy, the threshold for 99%, and calibration.

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
    columns = ["answered from", "photos", "share", "right", "95% interval"]
    before, after = whole.calibration_error_uncalibrated, whole.calibration_error
    told = (
        f"<p>{escape(tell_threshold(whole))} The detector shows answers under "
        f"{found.unsure_below:g} as unsure.</p>"
        f"<p>Confidence is off by {after:.1%} on average, and would be by {before:.1%} without the "
        f"temperature of {whole.temperature:.2f} that was fitted on the validation photos"
        + (f" (there {val_error['before']:.1%} before, {val_error['after']:.1%} after)"
           if val_error else "")
        + ".</p>"
    )  # fmt: skip
    charts = (
        f"<div>{draw_coverage(curve, whole.coverage)}"
        '<p class="faint">Answering only the surest: dots are thresholds, the dashed line is '
        "99%.</p></div>"
        f"<div>{draw_reliability(whole.reliability, whole.reliability_uncalibrated)}"
        '<p class="faint">Dots on the dashed line are as right as they are sure; filled with the '
        "temperature, rings without; the area is the number of photos.</p></div>"
    )
    body = f'<div class="charts">{charts}</div>{told}{table(columns, rows, "figures")}'
    return Card("sureness", "How sure it is", body)


def worse_card(worse: WorsePhotos | None) -> Card:
    """What blur, noise, dark, JPEG and small faces cost; how to measure it where nobody did."""
    if worse is None:
        told = "<p>Not measured here: <code>trainer evaluate --corruptions</code> does.</p>"
        return Card("worse", "Worse photos", told)
    accuracy = worse.clean[0]
    rows = [["as they are", "", *(f"{value:.1%}" for value in worse.clean), ""]]
    rows += [
        [
            escape(each.name),
            escape(each.strength),
            *(f"{value:.1%}" for value in (each.accuracy, each.mask_accuracy, each.age_accuracy)),
            f"{100 * (each.accuracy - accuracy):+.1f}",
        ]
        for each in worse.corrupted
    ]
    columns = ["", "how much", "right", "mask", "age", "change"]
    low, high = wilson_interval(round(accuracy * worse.photos), worse.photos)
    note = (
        f'<p class="faint">The same {worse.photos:,} photos each time; by themselves they tell '
        f"the accuracy to {low:.0%} to {high:.0%}.</p>"
    )
    return Card("worse", "Worse photos", table(columns, rows, "figures") + note)


def tell_threshold(whole: Evaluation) -> str:
    """How much is answered where 99% of the answers are to be right."""
    point = whole.threshold_for_99
    if point is None:
        return "No threshold makes 99% of the answers right."
    if point.share == 1:
        return "99% and more are right with every photo answered."
    return (
        f"99% of the answers are right from a confidence of {point.threshold:g}: it then answers "
        f"{point.share:.1%} of these photos (the threshold was chosen on them, so expect somewhat "
        f"less on others)."
    )


def _factors(whole: Evaluation) -> str:
    """How right it is of masked and bare, of old and young faces."""
    rows = []
    for words, is_yes in (
        (("with a mask", "without"), [label.has_mask for label in LABELS]),
        (("old", "young"), [label.is_old for label in LABELS]),
    ):
        for word, wanted in zip(words, (True, False), strict=True):
            right, total = _factor_counts(whole, is_yes, wanted)
            if total:
                interval = wilson_interval(right, total)
                bar = draw_bar(right / total, interval)
                shown = [word, f"{total:,}", f"{right / total:.1%}", bar, _span(interval)]
                rows.append(shown)
    columns = ["faces that are", "photos", "seen as such", "", "95% interval"]
    return "<h3>Mask and age by themselves</h3>" + table(columns, rows, "figures parts")


def _factor_counts(whole: Evaluation, is_yes: Sequence[bool], wanted: bool) -> tuple[int, int]:
    """Right and all of the faces that are, or are not, of one half."""
    right = total = 0
    for row, counts in enumerate(whole.confusion):
        for column, count in enumerate(counts):
            if is_yes[row] is wanted:
                total += count
                right += count if is_yes[column] is wanted else 0
    return right, total


def _by_group(whole: Evaluation) -> str:
    if whole.groups == whole.photos or whole.accuracy_interval_by_group is None:
        return ""
    low, high = whole.accuracy_interval_by_group
    few = (
        f" Under {FEW_GROUPS} groups it comes out too narrow." if whole.groups < FEW_GROUPS else ""
    )
    return (
        f"<p>Photos of one group are not independent: over its {whole.groups:,} groups the 95% "
        f"interval is {low:.1%} to {high:.1%}.{few}</p>"
    )


def _breakdown(each: Breakdown, accuracy: float) -> str:
    rows = [_part(part, accuracy) for part in each.parts]
    columns = [escape(each.by), "photos", "right", "", "95% interval", "mask", "age"]
    return f"<h3>By {escape(each.by)}</h3>" + table(columns, rows, "figures parts")


def _part(part: Part, accuracy: float) -> list[str]:
    right = f"{part.accuracy:.1%}"
    if part.accuracy_interval[1] < accuracy:
        right = f'<b class="wrong">{right}</b>'
    return [
        escape(part.value),
        f"{part.photos:,}",
        right,
        draw_bar(part.accuracy, part.accuracy_interval),
        _span(part.accuracy_interval),
        f"{part.mask_accuracy:.1%}",
        f"{part.age_accuracy:.1%}",
    ]


def _span(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.1%} to {interval[1]:.1%}"


def _title(name: str) -> str:
    return next((label.title for label in LABELS if label.value == name), f"average: {name}")
