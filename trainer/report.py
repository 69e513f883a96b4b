"""The run's page for people: figures, pictures and the misclassified photos, in one file."""

import base64
import csv
import io
import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from collector.images import encode_jpeg, read_image, resize_square
from collector.records import Label
from trainer.drawing import as_png, draw_confusion, draw_curves, draw_learning_curve
from trainer.learning_curve import LearningCurve
from trainer.metrics import Evaluation
from trainer.runs import Prediction, RunFolder

MOST_MISTAKES = 60
THUMBNAIL_PX = 144
CURVE_NAME = "learning_curve"
CURVE_NOTE = (
    "Heads on the frozen backbone, each trained on a part of the training photos that was drawn by "
    "whole groups, for the same number of steps; a dot is one draw, a line their mean. All are "
    "measured on the validation photos, which also chose each head's epoch. Fine-tuning leads to "
    "another, mostly higher curve."
)


def write_report(
    run: RunFolder,
    evaluation: Evaluation,
    predictions: Sequence[Prediction],
    folder: Path,
    metrics: dict[str, Any],
) -> None:
    """Write `confusion_matrix.png`, `curves.png` and `report.html`.

    Args:
        run: The run; its `results.csv` is read for the curves, and its learning curve where it has
            one.
        evaluation: Of the test photos.
        predictions: Of the test photos.
        folder: What the predictions' paths are relative to.
        metrics: What `metrics.json` holds.
    """
    confusion = as_png(draw_confusion(evaluation.confusion))
    curves = as_png(draw_curves(run.read_results()))
    (run.path / "confusion_matrix.png").write_bytes(confusion)
    (run.path / "curves.png").write_bytes(curves)
    wrong = find_mistakes(predictions)
    page = Template((files("trainer") / "page.html").read_text(encoding="utf-8"))
    text = page.substitute(
        title=escape(f"Training run {run.path.name}"),
        summary=escape(_summary(metrics)),
        figures=_figures(evaluation, metrics),
        scores=_score_table(evaluation),
        confusion=_data_url(confusion, "png"),
        curves=_data_url(curves, "png"),
        learning_curve=_learning_curve(run),
        times=escape(_times(metrics["seconds"])),
        mistakes=escape(_mistake_note(len(wrong), len(predictions))),
        photos="\n".join(_photo(each, folder) for each in wrong[:MOST_MISTAKES]),
    )
    run.write_text("report.html", text)


def write_learning_curve(run: RunFolder, curve: LearningCurve) -> None:
    """Write `learning_curve.csv`, `learning_curve.json` and `learning_curve.png`."""
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows(curve.as_table())
    run.write_text(f"{CURVE_NAME}.csv", table.getvalue())
    (run.path / f"{CURVE_NAME}.png").write_bytes(as_png(draw_learning_curve(curve)))
    # Last: where it is, the others are.
    run.write_text(f"{CURVE_NAME}.json", json.dumps(curve.as_dict(), indent=2) + "\n")


def read_learning_curve(run: RunFolder) -> dict[str, Any] | None:
    """What `learning_curve.json` holds, or None where the run has none."""
    path = run.path / f"{CURVE_NAME}.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def find_mistakes(predictions: Sequence[Prediction]) -> list[Prediction]:
    """The wrong answers, the surest first."""
    wrong = [each for each in predictions if not each.is_right]
    return sorted(wrong, key=lambda each: (-max(each.probabilities), each.path))


def _summary(metrics: dict[str, Any]) -> str:
    counts = metrics["counts"]
    phases = ", ".join(
        f"{count} epochs {phase.replace('_', '-')}" for phase, count in metrics["epochs"].items()
    )
    return (
        f"{metrics['model']} at {metrics['image_size']} px, weights {metrics['weights']}; "
        f"{phases}. "
        f"{counts['train']} photos to train, {counts['val']} to validate, {counts['test']} to test."
    )


def _figures(evaluation: Evaluation, metrics: dict[str, Any]) -> str:
    low, high = evaluation.accuracy_interval
    entries = [
        (f"{evaluation.accuracy:.1%}", f"right (95% interval {low:.1%} to {high:.1%})"),
        (f"{evaluation.mask_accuracy:.1%}", "mask or no mask right"),
        (f"{evaluation.age_accuracy:.1%}", "young or old right"),
        (f"{evaluation.calibration_error:.1%}", "mean gap of confidence and accuracy"),
        (f"{metrics['milliseconds_per_photo']:.1f} ms", "a photo on this machine's CPU"),
    ]
    return "".join(f"<div><b>{escape(b)}</b>{escape(text)}</div>" for b, text in entries)


def _score_table(evaluation: Evaluation) -> str:
    rows = [
        f"<tr><td>{escape(name)}</td><td>{s.precision:.3f}</td><td>{s.recall:.3f}</td>"
        f"<td>{s.f1:.3f}</td><td>{s.support}</td></tr>"
        for name, s in {**evaluation.per_class, **evaluation.averages}.items()
    ]
    head = "<tr><th></th><th>precision</th><th>recall</th><th>F1</th><th>photos</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>"


def _learning_curve(run: RunFolder) -> str:
    """The section of the learning curve, or nothing."""
    curve = read_learning_curve(run)
    if curve is None:
        return ""
    picture = _data_url((run.path / f"{CURVE_NAME}.png").read_bytes(), "png")
    return (
        f"<h2>More photos, or a bigger model?</h2>\n"
        f'<img class="wide" alt="Validation accuracy over training photos" src="{picture}">\n'
        f"<p>{escape(curve['summary'])}</p>\n"
        f'<p class="faint">{escape(CURVE_NOTE)}</p>'
    )


def _times(seconds: dict[str, float]) -> str:
    names = {
        "fine_tune": "fine-tuning",
        "scratch": "training from random weights",
        "learning_curve": "learning curve",
    }
    parts = [f"{names.get(stage, stage)} {spent:.1f} s" for stage, spent in seconds.items()]
    return f"Time: {', '.join(parts)}."


def _mistake_note(wrong: int, total: int) -> str:
    if wrong == 0:
        return f"None of {total} test photos."
    shown = f"; the {MOST_MISTAKES} surest are shown" if wrong > MOST_MISTAKES else ""
    return f"{wrong} of {total} test photos, the surest mistakes first{shown}."


def _photo(each: Prediction, folder: Path) -> str:
    thumbnail = encode_jpeg(resize_square(read_image(folder / each.path), THUMBNAIL_PX), 85)
    said, is_ = Label(each.predicted).title, Label(each.actual).title
    return (
        f'<figure><img alt="" src="{_data_url(thumbnail, "jpeg")}"><figcaption>'
        f"<b>{escape(said)}</b> ({max(each.probabilities):.0%})<br>is {escape(is_)}<br>"
        f'<span class="faint">{escape(each.path)}</span></figcaption></figure>'
    )


def _data_url(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
