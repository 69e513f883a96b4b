"""The page that shows a curation: one file, pictures in it, nothing fetched."""

import base64
import html
import io
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from collector.images import read_image
from collector.records import LABELS, RgbImage
from curation.augment import make_pipeline
from curation.balance import make_variant
from curation.curated import SPLITS
from curation.plan import CurationPlan, PlannedPhoto
from curation.report_style import STYLE

THUMBNAIL_PX = 104
MOST_TWINS = 60
MOST_IN_A_ROW = 7
MOST_VARIANTS = 8
MOST_ROWS = 2000

escape = partial(html.escape, quote=True)


def render_report(plan: CurationPlan, out: Path) -> str:
    """The report of a curation as one self-contained HTML page.

    Args:
        plan: What was decided.
        out: Where the result goes, for the command to repeat.
    """
    parts = [
        _head(plan),
        _notices(plan),
        _counts(plan),
        _leak_check(plan),
        _twins(plan),
        _aside(plan),
        _balance(plan),
        _subjects(plan),
        "<section><h2>Repeat it</h2><pre>"
        f"{escape(plan.settings.command(plan.root, out))}</pre></section>",
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Curation of {escape(plan.root.name)}</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _head(plan: CurationPlan) -> str:
    tiles = [
        (f"{len(plan.originals):,}", "photos found"),
        (f"{len(plan.kept):,}", "kept"),
        (f"{len(plan.set_aside):,}", "set aside"),
        (f"{len({photo.group for photo in plan.kept}):,}", "groups"),
        (f"{len(plan.variants):,}", "variants added"),
    ]
    shown = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in tiles)
    return f'<h1>Curation of {escape(plan.root.name)}</h1><div class="tiles">{shown}</div>'


def _notices(plan: CurationPlan) -> str:
    return "".join(
        f'<p class="{"fault" if notice.is_fault else "advice"}">{escape(notice.text)}</p>'
        for notice in plan.notices
    )


def _counts(plan: CurationPlan) -> str:
    rows = []
    for label in LABELS:
        kept = [plan.counts[split][label] for split in SPLITS]
        made = plan.variant_counts["train"][label]
        widths = [*kept[:1], made, *kept[1:]]
        total = max(1, sum(widths))
        bar = "".join(
            f'<i class="{name}" style="width:{100 * width / total:.2f}%"></i>'
            for name, width in zip(("train", "made", "val", "test"), widths, strict=True)
        )
        cells = [plan.found[label], plan.found[label] - sum(kept), kept[0], made, *kept[1:]]
        rows.append([escape(label.title), *map(str, cells), f'<div class="bar">{bar}</div>'])
    columns = ["class", "found", "set aside", "train", "+ variants", "val", "test", ""]
    return f"<section><h2>Counts</h2>{_table(columns, rows, 'numbers')}{_legend()}</section>"


def _legend() -> str:
    names = {"train": "train", "made": "variants", "val": "val", "test": "test"}
    shown = "".join(f'<span><i class="{key}"></i>{name}</span>' for key, name in names.items())
    return f'<p class="legend">{shown}</p>'


def _leak_check(plan: CurationPlan) -> str:
    used = len({photo.group for photo in plan.kept})
    leaks = plan.straddling
    if not leaks:
        verdict = f'<p class="good">None of {used:,} groups has photos in more than one split.</p>'
    else:
        verdict = (
            f'<p class="fault">{len(leaks):,} of {used:,} groups have photos in more than one '
            f"split: {escape(', '.join(leaks[:12]))}{' …' if len(leaks) > 12 else ''}</p>"
        )
    return (
        f"<section><h2>Leak check</h2>{verdict}<p>A group is what shares a subject, a session, a "
        "source or a pose (near-duplicates, mirrored ones too), whatever its class.</p></section>"
    )


def _twins(plan: CurationPlan) -> str:
    followers: dict[str, list[PlannedPhoto]] = {}
    for photo in plan.set_aside:
        if photo.twin:
            followers.setdefault(photo.twin, []).append(photo)
    if not followers:
        return ""
    by_size = sorted(followers.items(), key=lambda item: (-len(item[1]), item[0]))
    rows = []
    for leader, photos in by_size[:MOST_TWINS]:
        figures = [_figure(plan, leader, "kept", "kept")]
        figures += [_figure(plan, photo.path, _how_near(photo)) for photo in photos[:MOST_IN_A_ROW]]
        more = len(photos) - MOST_IN_A_ROW
        figures += [f'<span class="more">and {more} more</span>'] if more > 0 else []
        rows.append(f'<div class="twins">{"".join(figures)}</div>')
    left = len(by_size) - MOST_TWINS
    told = f"<p>and {left:,} more such rows: see plan.csv.</p>" if left > 0 else ""
    total = sum(len(photos) for photos in followers.values())
    return (
        f"<section><h2>Near-duplicates</h2><p>Set aside: {total:,}, for the "
        f"{len(followers):,} first in their rows: the best of a class and group stays.</p>"
        f"{''.join(rows)}{told}</section>"
    )


def _how_near(photo: PlannedPhoto) -> str:
    """ "exact copy" or "2 bits": what the reason says, short enough for a caption."""
    kind, _, detail = photo.reason.partition(": ")
    return kind if kind == "exact copy" else f"{detail.partition(' from ')[0]} away"


def _aside(plan: CurationPlan) -> str:
    if not plan.set_aside:
        return "<section><h2>Set aside</h2><p>No photo was set aside.</p></section>"
    kinds = ", ".join(f"{count:,} {escape(kind)}" for kind, count in plan.reasons.items())
    # Faults first: near-duplicates are many, and shown above.
    photos = sorted(plan.set_aside, key=lambda photo: (photo.twin is not None, photo.path))
    rows = [[escape(photo.path), escape(photo.reason)] for photo in photos[:MOST_ROWS]]
    more = len(photos) - MOST_ROWS
    told = f"<p>and {more:,} more: see plan.csv.</p>" if more > 0 else ""
    is_open = " open" if len(rows) <= 20 else ""
    return (
        f"<section><h2>Set aside</h2><p>{kinds}. They lie in the dataset as before.</p>"
        f"<details{is_open}><summary>Show all</summary>{_table(['photo', 'why'], rows)}{told}"
        f"</details></section>"
    )


def _balance(plan: CurationPlan) -> str:
    if not plan.variants:
        return ""
    pipeline = make_pipeline()
    step = max(1, len(plan.variants) // MOST_VARIANTS)
    pairs = []
    for variant in plan.variants[::step][:MOST_VARIANTS]:
        made = _image(make_variant(pipeline, plan, variant))
        parent = _figure(plan, variant.parent or "", "photo", "kept")
        pairs.append(
            f'<div class="twins">{parent}{_captioned(made, variant.path, "variant")}</div>'
        )
    return (
        f"<section><h2>Balance</h2><p>{len(plan.variants):,} variants fill up the smaller classes "
        f"of train; val and test are as photographed.</p>"
        f'<div class="pairs">{"".join(pairs)}</div></section>'
    )


def _subjects(plan: CurationPlan) -> str:
    of_subject: dict[str, list[PlannedPhoto]] = {}
    for photo in plan.originals:
        if photo.subject:
            of_subject.setdefault(photo.subject, []).append(photo)
    if not of_subject:
        return ""
    rows = []
    for subject, photos in sorted(of_subject.items())[:MOST_ROWS]:
        splits = sorted({photo.split for photo in photos if photo.kept}, key=SPLITS.index)
        counts = [str(sum(photo.label == label for photo in photos)) for label in LABELS]
        kept = sum(photo.kept for photo in photos)
        rows.append([escape(subject), *counts, str(kept), ", ".join(splits)])
    columns = ["subject", *(escape(label.title) for label in LABELS), "kept", "split"]
    return f"<section><h2>Subjects</h2>{_table(columns, rows, 'numbers')}</section>"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _figure(plan: CurationPlan, path: str, caption: str, kind: str = "") -> str:
    return _captioned(_image(read_image(plan.root / path)), path, caption, kind)


def _captioned(image: str, path: str, caption: str, kind: str = "") -> str:
    name = escape(path)
    return (
        f'<figure class="{kind}"><img src="{image}" alt="{name}" title="{name}" loading="lazy">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _image(pixels: RgbImage) -> str:
    """A thumbnail as a data address."""
    image = Image.fromarray(pixels)
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"
