"""The page that the guided tour ends with: what was photographed, learned, and seen live."""

import base64
import html
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from maskage.formats.plan_file import read_plan
from maskage.formats.run_folder import RunFolder
from maskage.pictures.images import encode_jpeg, read_image, resize_square
from maskage.records import LABELS, RgbImage
from maskage.system.files import write_private

if TYPE_CHECKING:
    from detector.tour.score import LiveScore

THUMBNAILS_A_CLASS = 9
THUMBNAIL_PX = 96
MOMENTS = 12

T = TypeVar("T")

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The whole loop, in one page</title>
<style>
:root {{ color-scheme: light dark; --line: #8885; --strong: #0072b2; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto;
       padding: 0 1rem; }}
h1 {{ margin-bottom: 0; }} h2 {{ margin-top: 2.5rem; border-top: 1px solid var(--line);
       padding-top: 1rem; }}
.figures {{ display: flex; flex-wrap: wrap; gap: 1rem; margin: 1.5rem 0; }}
.figure {{ border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1.25rem; }}
.figure b {{ display: block; font-size: 1.9rem; color: var(--strong); }}
.strip {{ display: flex; flex-wrap: wrap; gap: .4rem; margin: .3rem 0 1rem; }}
.strip img {{ border-radius: .3rem; max-width: 100%; }}
table {{ border-collapse: collapse; margin: 1rem 0; }}
td, th {{ border-bottom: 1px solid var(--line); padding: .3rem .8rem; text-align: right; }}
th:first-child, td:first-child {{ text-align: left; }}
code {{ background: #8882; padding: .1rem .35rem; border-radius: .25rem; }}
.right {{ font-weight: 700; }}
</style></head><body>
<h1>The whole loop, in one page</h1>
<p>{people} rendered people were photographed, the photos curated, a network trained from random
weights, and {unseen} other people shown to it live. Every figure here was measured in this run.</p>
<div class="figures">
<div class="figure"><b>{live_accuracy}</b>right live, on people it never saw</div>
<div class="figure"><b>{test_accuracy}</b>right on its own test people
({interval})</div>
<div class="figure"><b>{fps}</b>frames a second, drawn and recorded</div>
</div>
<h2>Collect</h2><p>With your own camera: <code>collector --self</code></p>{photos}
<h2>Curate</h2><p>With your own photos: <code>curate --dedupe --balance</code>.
The whole plan: <a href="curated/report.html">curated/report.html</a></p>{plan}
<h2>Train</h2><p>With ImageNet's weights: <code>trainer fit</code>.
All figures and mistakes: <a href="runs/demo/report.html">runs/demo/report.html</a></p>{classes}
<h2>Detect</h2><p>With your own camera: <code>detector live</code>.
The video: <a href="live.mp4">live.mp4</a>; what other programs read:
<a href="live.jsonl">live.jsonl</a></p>
{confusion}<div class="strip">{moments}</div>{mistakes}
</body></html>
"""


def write_demo_report(
    out: Path, score: "LiveScore", seen: Sequence[str], unseen: Sequence[str]
) -> Path:
    """Write `report.html`, self-contained but for its links into `out`; returns its path."""
    metrics = RunFolder(out / "runs" / "demo").read_metrics()
    low, high = metrics["accuracy_interval"]
    page = _PAGE.format(
        people=len(seen),
        unseen=len(unseen),
        live_accuracy=f"{score.accuracy:.1%}",
        test_accuracy=f"{metrics['accuracy']:.1%}",
        interval=f"95% interval {low:.1%} to {high:.1%}",
        fps=f"{score.fps:.0f}",
        photos=_photo_strips(out / "data"),
        plan=_plan_table(out / "curated"),
        classes=_class_table(metrics),
        confusion=_confusion_table(score),
        moments="".join(_image(m, "a live frame", 300) for m in _spread(score.moments, MOMENTS)),
        mistakes=_mistakes(score),
    )
    path = out / "report.html"
    write_private(path, page)
    return path


def _photo_strips(data: Path) -> str:
    strips = []
    for label in LABELS:
        files = _spread(sorted((data / label).iterdir()), THUMBNAILS_A_CLASS)
        images = "".join(
            _image(resize_square(read_image(file), THUMBNAIL_PX), label.title) for file in files
        )
        count = sum(1 for _ in (data / label).iterdir())
        strips.append(f'{label.title} ({count})<div class="strip">{images}</div>')
    return "".join(strips)


def _plan_table(curated: Path) -> str:
    rows = list(read_plan(curated))
    kept = Counter((row.split, row.label, bool(row.parent)) for row in rows if row.is_kept)
    aside = Counter(row.label for row in rows if not row.is_kept)
    lines = [
        [split, *(_with_copies(kept, split, label) for label in LABELS)]
        for split in ("train", "val", "test")
    ]
    lines.append(["set aside", *(str(aside[label]) for label in LABELS)])
    return _table(["photos (+ augmented copies)", *(label.title for label in LABELS)], lines)


def _with_copies(kept: Counter[tuple[str, str, bool]], split: str, label: str) -> str:
    copies = kept[split, label, True]
    return f"{kept[split, label, False]}" + (f" + {copies}" if copies else "")


def _class_table(metrics: dict[str, Any]) -> str:
    lines = [
        [name, *(f"{scores[figure]:.1%}" for figure in ("precision", "recall", "f1"))]
        for name, scores in metrics["per_class"].items()
    ]
    return _table(["test photos", "precision", "recall", "F1"], lines)


def _confusion_table(score: "LiveScore") -> str:
    lines = [
        [f"is {actual.title}", *(str(score.confusion[actual, shown]) for shown in LABELS)]
        for actual in LABELS
    ]
    return _table(["live frames", *(f"shown {label.title}" for label in LABELS)], lines, True)


def _mistakes(score: "LiveScore") -> str:
    if not score.mistakes:
        return "<p>No frame was labelled wrongly.</p>"
    images = "".join(_image(picture, "a mistake", 300) for picture in score.mistakes)
    return f'<p>Frames that were labelled wrongly:</p><div class="strip">{images}</div>'


def _table(head: list[str], lines: list[list[str]], is_confusion: bool = False) -> str:
    rows = ["<tr>" + "".join(f"<th>{html.escape(cell)}</th>" for cell in head) + "</tr>"]
    for at, line in enumerate(lines):
        cells = [
            f'<td class="right">{html.escape(cell)}</td>'
            if is_confusion and column == at + 1
            else f"<td>{html.escape(cell)}</td>"
            for column, cell in enumerate(line)
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table>{''.join(rows)}</table>"


def _image(pixels: RgbImage, alt: str, width: int | None = None) -> str:
    data = base64.b64encode(encode_jpeg(pixels, quality=80)).decode()
    size = f' width="{width}"' if width else ""
    return f'<img{size} alt="{html.escape(alt)}" src="data:image/jpeg;base64,{data}">'


def _spread(items: Iterable[T], most: int) -> list[T]:
    """At most `most` of the items, evenly spread."""
    chosen = list(items)
    if len(chosen) <= most:
        return chosen
    return [chosen[round(n * (len(chosen) - 1) / (most - 1))] for n in range(most)]
