"""The pages for people: a run's `report.html`, and that of an evaluation on any photos."""

import contextlib
import csv
import io
import json
import shlex
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskage.errors import ToolchainError
from maskage.formats.run.run_folder import RunFolder, describe_phases
from maskage.pages.page import Card, fill, render_page
from maskage.pages.parts import data_address
from maskage.system.files import write_private
from trainer.evaluation.compare import ComparedRun, sort_runs, summarise, summarise_runs
from trainer.evaluation.findings import NOT_TESTED, Findings
from trainer.pages.comparison import comparison_card
from trainer.pages.embedded_photos import PictureShelf
from trainer.pages.figures import (
    breakdown_card,
    classes_card,
    main_tiles,
    sureness_card,
    worse_card,
)
from trainer.pages.gains import gains_card
from trainer.pages.photos import (
    matrix_card,
    mistakes_card,
    preview_card,
    twins_card,
    unsure_card,
)
from trainer.pages.run_pictures import DARK, draw_confusion, draw_curves, draw_learning_curve
from trainer.settings import FitSettings, option_of
from trainer.studies.learning_curve import LearningCurve

if TYPE_CHECKING:
    # It draws variants, with libraries that a page does not need.
    from trainer.pages.training_preview import TrainingPreview

REPORT_FILE = "report.html"
TEMPLATE = "trainer/pages/report.html"
CURVE_NAME = "learning_curve"
CURVE_NOTE = (
    "Heads on the frozen backbone, each trained on a part of the training photos that was drawn by "
    "whole groups, for the same number of steps; a dot is one draw, a line their mean. All are "
    "measured on the validation photos, which also chose each head's epoch. Fine-tuning leads to "
    "another, mostly higher curve."
)


def write_report(
    run: RunFolder, found: Findings, metrics: dict[str, Any], preview: "TrainingPreview | None"
) -> None:
    """Write `confusion_matrix.png`, `curves.png` and `report.html`.

    Args:
        run: The run; its `results.csv` is read for the curves, and its learning curve if it has
            one. The other finished runs beside it are compared with it.
        found: The answers to the photos that it was measured on.
        metrics: The content of `metrics.json`.
        preview: Variants of its training photos; None if it drew none.
    """
    epochs = run.read_results()
    curves = draw_curves(epochs)
    whole, scheme = found.judged.evaluation, found.judged.scheme
    confusion = draw_confusion(whole.confusion, whole.labels)
    write_private(run.path / "confusion_matrix.png", confusion)
    write_private(run.path / "curves.png", curves)
    shelf = PictureShelf()
    cards = [
        gains_card(found.gains, scheme),
        *_shared_cards(found, shelf, metrics["val_calibration_error"]),
        _training_card(curves, draw_curves(epochs, DARK), metrics["seconds"]),
        _learning_curve(run),
        preview_card(preview, shelf, scheme),
        comparison_card(_beside(run, metrics), run.path.name),
        Card("repeat", "Train it again", fill(TEMPLATE, "repeat", command=fit_command(run))),
    ]
    page = render_page(
        f"Training run {run.path.name}",
        " ".join(filter(None, (describe_run(metrics), read_choice(run)))),
        main_tiles(found),
        cards,
        notices=_notices(found),
        pictures=shelf.pictures,
    )
    run.write_text(REPORT_FILE, page)


def render_evaluation(found: Findings, title: str, lead: str, unknown: str = "") -> str:
    """Return the page of a model's answers to any labelled photos.

    Args:
        found: The answers to these photos.
        title: Its heading.
        lead: The sentence under it.
        unknown: The reason why near-duplicates were not searched for, if they were not.
    """
    shelf = PictureShelf()
    cards = _shared_cards(found, shelf, None, unknown)
    return render_page(
        title,
        lead,
        main_tiles(found),
        cards,
        notices=_notices(found),
        pictures=shelf.pictures,
    )


def _notices(found: Findings) -> list[tuple[str, str]]:
    """Return why not to rely on the figures, as notices at the top of a page."""
    return [("fault" if text == NOT_TESTED else "advice", text) for text in found.doubts]


def write_learning_curve(run: RunFolder, curve: LearningCurve) -> None:
    """Write `learning_curve.csv`, `learning_curve.json` and `learning_curve.png`."""
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows(curve.as_table())
    run.write_text(f"{CURVE_NAME}.csv", table.getvalue())
    write_private(run.path / f"{CURVE_NAME}.png", draw_learning_curve(curve))
    # It comes last: a run that has it has the other two.
    run.write_text(f"{CURVE_NAME}.json", json.dumps(curve.as_dict(), indent=2) + "\n")


def read_learning_curve(run: RunFolder) -> dict[str, Any] | None:
    """Return what `learning_curve.json` holds, or None if the run has none."""
    path = run.path / f"{CURVE_NAME}.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def describe_run(metrics: dict[str, Any]) -> str:
    """Say what was trained on what, in a sentence or two."""
    counts = metrics["counts"]
    tested = f"{counts['test']:,}" if counts["test"] else "none"
    return (
        f"{metrics['model']} at {metrics['image_size']} px, {_describe_start(metrics)}; "
        f"{describe_phases(metrics)}. "
        f"{counts['train']:,} photos to train, {counts['val']:,} to validate, {tested} "
        f"to test."
    )


def _describe_start(metrics: dict[str, Any]) -> str:
    earlier = metrics.get("earlier_run")
    if earlier is not None:
        return f"started from the run {earlier['name']}"
    return f"weights {Path(metrics['weights']).name}"


def read_choice(run: RunFolder) -> str | None:
    """Return how `trainer search` chose the network of a run; None if a person did."""
    chosen = run.read_args().get("chosen")
    return chosen if isinstance(chosen, str) else None


def fit_command(run: RunFolder) -> str:
    """Return the command that trains the same again, under a name of its own.

    Paths are shortened to their last part: the page may be passed on, and a whole path says where
    somebody keeps photos.
    """
    asked = run.read_args()
    # The network is that of the earlier run, whatever its recipe.
    unsaid = _NOT_REPEATED | (_OF_EARLIER if asked.get("from_run") is not None else frozenset())
    words = ["trainer", "fit", Path(str(asked.get("curated", "curated"))).name]
    for field in fields(FitSettings):
        value = asked.get(field.name)
        is_default = value == field.default and field.name not in _ALWAYS_NAMED
        if field.name in unsaid or value is None or is_default:
            continue
        words.append(option_of(field.name))
        if value is not True:
            word = str(value)
            words.append(Path(word).name if field.name in _PATHS else word)
    return shlex.join(words)


_NOT_REPEATED = frozenset({"curated", "runs", "name", "chosen"})
_ALWAYS_NAMED = frozenset({"model", "weights", "seed"})
_OF_EARLIER = frozenset({"model", "weights", "image_size", "alpha", "heads"})
_PATHS = frozenset({"weights", "metadata", "model", "from_run"})


def _shared_cards(
    found: Findings,
    shelf: PictureShelf,
    val_error: dict[str, float] | None,
    unknown: str = "",
) -> list[Card]:
    """Return the cards that a run's page and an evaluation's have in common."""
    judged = found.judged
    return [
        classes_card(judged),
        matrix_card(judged, shelf),
        mistakes_card(found, shelf),
        unsure_card(judged, shelf),
        breakdown_card(judged),
        sureness_card(found, val_error),
        worse_card(found.worse),
        twins_card(found, shelf, unknown),
    ]


def _training_card(curves: bytes, dark: bytes, seconds: dict[str, float]) -> Card:
    light, night = (data_address(each, "png") for each in (curves, dark))
    body = fill(TEMPLATE, "training", curves=light, dark=night, times=_times(seconds))
    return Card("training", "Training", body)


def _learning_curve(run: RunFolder) -> Card:
    title = "More photos, or a bigger model?"
    curve = read_learning_curve(run)
    if curve is None:
        return Card("more", title, "")
    body = fill(
        TEMPLATE,
        "learning_curve",
        picture=data_address((run.path / f"{CURVE_NAME}.png").read_bytes(), "png"),
        summary=curve["summary"],
        note=CURVE_NOTE,
    )
    return Card("more", title, body)


def _beside(run: RunFolder, metrics: dict[str, Any]) -> Sequence[ComparedRun]:
    """Return this run and the finished ones beside it, the best first."""
    found = [summarise(run, metrics)]
    for path in sorted(run.path.parent.glob("*/metrics.json")):
        if path.parent != run.path:
            # A foreign folder, or a run of an older form, is no reason to lose this page.
            with contextlib.suppress(ToolchainError):
                found += summarise_runs([path.parent])
    return sort_runs(found)


def _times(seconds: dict[str, float]) -> str:
    names = {
        "fine_tune": "fine-tuning",
        "scratch": "training from random weights",
        "learning_curve": "learning curve",
    }
    parts = [f"{names.get(stage, stage)} {spent:.1f} s" for stage, spent in seconds.items()]
    return f"Time: {', '.join(parts)}."
