"""The page that the guided tour ends with: what was photographed, learned, and seen live."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from maskage.classes.scheme import Scheme
from maskage.formats.curated.curated_set import SPLITS
from maskage.formats.curated.plan_file import read_plan
from maskage.formats.run.run_folder import RunFolder
from maskage.pages.page import Card, fill, render_page
from maskage.pages.parts import data_address
from maskage.pictures.images import encode_jpeg, read_image, resize_square
from maskage.records import RgbImage
from maskage.system.files import write_private

if TYPE_CHECKING:
    from markupsafe import Markup

    from detector.tour.score import LiveScore

TITLE = "The whole loop, in one page"
THUMBNAILS_A_CLASS = 9
THUMBNAIL_PX = 96
FRAME_PX = 300
MOMENTS = 12

T = TypeVar("T")


def write_demo_report(
    out: Path, score: "LiveScore", seen: Sequence[str], unseen: Sequence[str]
) -> Path:
    """Write `report.html`, self-contained but for its links into `out`; return its path."""
    metrics = RunFolder(out / "runs" / "demo").read_metrics()
    low, high = metrics["accuracy_interval"]
    lead = (
        f"{len(seen)} rendered people were photographed, the photos curated, a network trained "
        f"from random weights, and {len(unseen)} other people shown to it live. Every figure here "
        "was measured in this run."
    )
    tiles = [
        (f"{score.accuracy:.1%}", "right live, on people it never saw"),
        (
            f"{metrics['accuracy']:.1%}",
            f"right on its own test people (95% interval {low:.1%} to {high:.1%})",
        ),
        (f"{score.fps:.0f}", "frames a second, drawn and recorded"),
    ]
    cards = [
        Card("collect", "Collect", _collect(out / "data", score.scheme)),
        Card("curate", "Curate", _curate(out / "curated", score.scheme)),
        Card("train", "Train", _train(metrics)),
        Card("detect", "Detect", _detect(score)),
    ]
    path = out / "report.html"
    write_private(path, render_page(TITLE, lead, tiles, cards))
    return path


def _fill(macro: str, **values: object) -> "Markup":
    return fill("detector/tour/report.html", macro, **values)


def _collect(data: Path, scheme: Scheme) -> "Markup":
    classes = []
    for label in scheme.labels:
        files = sorted((data / label).iterdir())
        shown = _spread(files, THUMBNAILS_A_CLASS)
        pictures = [_address(resize_square(read_image(file), THUMBNAIL_PX)) for file in shown]
        classes.append((scheme.title(label), len(files), pictures))
    return _fill("collect", classes=classes, width=THUMBNAIL_PX)


def _curate(curated: Path, scheme: Scheme) -> "Markup":
    rows = list(read_plan(curated))
    kept = Counter((row.split, row.label, bool(row.parent)) for row in rows if row.is_kept)
    aside = Counter(row.label for row in rows if not row.is_kept)
    lines = [
        [split, *(_with_copies(kept, split, label) for label in scheme.labels)] for split in SPLITS
    ]
    lines.append(["set aside", *(str(aside[label]) for label in scheme.labels)])
    columns = ["photos (+ augmented copies)", *(each.title for each in scheme)]
    return _fill("curate", columns=columns, rows=lines)


def _with_copies(kept: Counter[tuple[str, str, bool]], split: str, label: str) -> str:
    copies = kept[split, label, True]
    return f"{kept[split, label, False]}" + (f" + {copies}" if copies else "")


def _train(metrics: dict[str, Any]) -> "Markup":
    rows = [
        [name, *(f"{scores[figure]:.1%}" for figure in ("precision", "recall", "f1"))]
        for name, scores in metrics["per_class"].items()
    ]
    return _fill("train", columns=["test photos", "precision", "recall", "F1"], rows=rows)


def _detect(score: "LiveScore") -> "Markup":
    scheme = score.scheme
    rows = [[f"is {each.title}", *_confusion_row(score, each.folder)] for each in scheme]
    return _fill(
        "detect",
        columns=["live frames", *(f"shown {each.title}" for each in scheme)],
        rows=rows,
        moments=[_address(frame) for frame in _spread(score.moments, MOMENTS)],
        mistakes=[_address(frame) for frame in score.mistakes],
        width=FRAME_PX,
    )


def _confusion_row(score: "LiveScore", actual: str) -> list["str | Markup"]:
    counts = ((shown, str(score.confusion[actual, shown])) for shown in score.scheme.labels)
    return [_fill("right", count=count) if shown == actual else count for shown, count in counts]


def _address(pixels: RgbImage) -> str:
    return data_address(encode_jpeg(pixels, quality=80))


def _spread(items: Iterable[T], most: int) -> list[T]:
    """Return at most `most` of the items, evenly spread."""
    chosen = list(items)
    if len(chosen) <= most:
        return chosen
    return [chosen[round(n * (len(chosen) - 1) / (most - 1))] for n in range(most)]
