"""The page that shows a curation: one file, pictures in it, nothing fetched."""

import html
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from curation.build.augment import make_pipeline, make_variant
from curation.limits import FLAWS
from curation.masks.painting import Wearing
from curation.plan.plan import CurationPlan, PlannedPhoto
from curation.settings import GROUP
from maskage.formats.curated_set import SPLITS, WEIGHTS_FILE
from maskage.outside_text import path_to_text
from maskage.pages.parts import captioned, escape, figure, more, row_of, section, table
from maskage.pages.style import STYLE
from maskage.records import LABELS

MOST_TWINS = 60
MOST_IN_A_ROW = 7
MOST_VARIANTS = 8
MOST_ROWS = 2000
MOST_FLAWED = 14
MOST_DOUBTFUL = 60


def render_report(plan: CurationPlan, out: Path) -> str:
    """The report of a curation as one self-contained HTML page.

    Args:
        plan: What was decided.
        out: Where the result goes, for the command to repeat.
    """
    command = html.escape(path_to_text(plan.settings.command(plan.root, out)))
    parts = [
        _head(plan),
        _notices(plan),
        _counts(plan),
        _leak_check(plan),
        _twins(plan),
        _conflicts(plan),
        _flawed(plan),
        _doubtful(plan),
        _aside(plan),
        _painted(plan),
        _balance(plan),
        _subjects(plan),
        section("Repeat it", f"<pre>{command}</pre>"),
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
    return section("Counts", f"{table(columns, rows, 'numbers')}{_legend()}")


def _legend() -> str:
    names = {"train": "train", "made": "variants", "val": "val", "test": "test"}
    shown = "".join(f'<span><i class="{key}"></i>{name}</span>' for key, name in names.items())
    return f'<p class="legend">{shown}</p>'


def _leak_check(plan: CurationPlan) -> str:
    used = len({photo.group for photo in plan.kept})
    leaks = plan.straddling
    if leaks:
        verdict = (
            f'<p class="fault">{len(leaks):,} of {used:,} groups have photos in more than one '
            f"split: {escape(', '.join(leaks[:12]))}{' …' if len(leaks) > 12 else ''}</p>"
        )
    else:
        verdict = f'<p class="good">None of {used:,} groups has photos in more than one split.</p>'
    told = (
        "<p>A group is what shares a subject, a session, a source or a pose (near-duplicates, "
        "mirrored ones too), whatever its class.</p>"
    )
    if plan.settings.split == GROUP:
        told += (
            "<p>After the folders were written they were read again: every file is the one that "
            f"was looked at, and no two photos within {plan.settings.radius} bits of each other, "
            "mirrored or not, lie in different splits.</p>"
        )
    return section("Leak check", verdict + told)


def _twins(plan: CurationPlan) -> str:
    followers: dict[str, list[PlannedPhoto]] = {}
    for photo in plan.set_aside:
        if photo.twin is not None:
            followers.setdefault(photo.twin, []).append(photo)
    if not followers:
        return ""
    by_size = sorted(followers.items(), key=lambda item: (-len(item[1]), item[0]))
    fate = {photo.path: "kept" if photo.kept else photo.kind for photo in plan.originals}
    rows = []
    for leader, photos in by_size[:MOST_TWINS]:
        kind = "kept" if fate[leader] == "kept" else ""
        figures = [figure(plan.root, leader, fate[leader], kind)]
        figures += [
            figure(plan.root, photo.path, _how_near(photo)) for photo in photos[:MOST_IN_A_ROW]
        ]
        rows.append(row_of([*figures, _others(len(photos) - MOST_IN_A_ROW)]))
    total = sum(len(photos) for photos in followers.values())
    return section(
        "Near-duplicates",
        f"<p>Set aside: {total:,}, for the {len(followers):,} first in their rows: the best of a "
        f"class and group stays.</p>{''.join(rows)}{more(len(by_size) - MOST_TWINS, 'such rows')}",
    )


def _others(count: int) -> str:
    return f'<span class="more">and {count} more</span>' if count > 0 else ""


def _how_near(photo: PlannedPhoto) -> str:
    """ "exact copy", or "2 bits away": what the reason says, short enough for a caption."""
    kind, _, detail = photo.reason.partition(": ")
    if kind == "exact copy":
        return kind
    mirrored = ", mirrored" if detail.endswith(", mirrored") else ""
    return f"{detail.partition(' from ')[0]} away{mirrored}"


def _conflicts(plan: CurationPlan) -> str:
    found = [photo for photo in plan.set_aside if photo.rivals]
    # Each once: by the first of those that are the same picture.
    first = [photo for photo in found if photo.path < min(photo.rivals)]
    labels = {photo.path: photo.label.title for photo in found}
    rows = [
        row_of(figure(plan.root, path, labels[path]) for path in (photo.path, *photo.rivals))
        for photo in first[:MOST_TWINS]
    ]
    if not rows:
        return ""
    return section(
        "Label conflicts",
        "<p>The same picture in several classes: all of them are set aside until each lies in its "
        f"right class only.</p>{''.join(rows)}{more(len(first) - MOST_TWINS, 'such rows')}",
    )


def _flawed(plan: CurationPlan) -> str:
    """Every kind of flaw with its pictures: a limit is judged by what it throws out."""
    parts = []
    for kind in FLAWS:
        photos = [photo for photo in plan.set_aside if photo.kind == kind]
        if photos:
            shown = [
                figure(plan.root, photo.path, _detail(photo)) for photo in photos[:MOST_FLAWED]
            ]
            count = f"{len(photos):,} {kind}"
            parts.append(f"<h3>{count}</h3>{row_of([*shown, _others(len(photos) - MOST_FLAWED)])}")
    return section("Set aside by the checks", "".join(parts)) if parts else ""


def _detail(photo: PlannedPhoto) -> str:
    return photo.reason.partition(": ")[2].partition(",")[0]


def _doubtful(plan: CurationPlan) -> str:
    if not plan.settings.check_labels:
        return ""
    if not plan.doubtful:
        return section("Suspicious labels", "<p>No label looks wrong.</p>")
    shown = [
        figure(plan.root, photo.path, f"{photo.label.title} → {photo.doubt.label.title}?")
        for photo in plan.doubtful[:MOST_DOUBTFUL]
        if photo.doubt
    ]
    return section(
        "Suspicious labels",
        f"<p>{len(plan.doubtful):,} photos are taken for another class by a model that saw neither "
        "them nor anything of their group. They stay where they are: look at them with "
        f"<code>collector review</code>, where <kbd>d</kbd> shows only the disputed.</p>"
        f"{row_of(shown)}{more(len(plan.doubtful) - MOST_DOUBTFUL, 'of them')}",
    )


def _aside(plan: CurationPlan) -> str:
    if not plan.set_aside:
        return section("Set aside", "<p>No photo was set aside.</p>")
    kinds = ", ".join(f"{count:,} {escape(kind)}" for kind, count in plan.reasons.items())
    # Faults first: near-duplicates are many, and shown above.
    photos = sorted(plan.set_aside, key=lambda photo: (photo.twin is not None, photo.path))
    rows = [[escape(photo.path), escape(photo.reason)] for photo in photos[:MOST_ROWS]]
    is_open = " open" if len(rows) <= 20 else ""
    return section(
        "Set aside",
        f"<p>{kinds}. They lie in the dataset as before.</p>"
        f"<details{is_open}><summary>Show all</summary>{table(['photo', 'why'], rows)}"
        f"{more(len(photos) - MOST_ROWS, 'photos')}</details>",
    )


def _balance(plan: CurationPlan) -> str:
    body = _weights(plan) + _surplus(plan) + _variants(plan)
    return section("Balance", body) if body else ""


def _weights(plan: CurationPlan) -> str:
    if plan.class_weights is None:
        return ""
    rows = [
        [escape(label.title), str(plan.train_counts[label]), f"{weight:.2f}"]
        for label, weight in plan.class_weights.items()
    ]
    return (
        f"<p>{WEIGHTS_FILE} tells the trainer what a photo of each class in train counts, variants "
        f"included.</p>{table(['class', 'in train', 'weight'], rows, 'numbers')}"
    )


def _surplus(plan: CurationPlan) -> str:
    count = plan.reasons.get("surplus", 0)
    if not count:
        return ""
    return (
        f"<p>{count:,} photos of the larger classes were left out of train; groups took turns to "
        f"keep their best. val and test are as photographed.</p>"
    )


def _painted(plan: CurationPlan) -> str:
    if not plan.painted:
        return ""
    ways = Counter(photo.painting.wearing for photo in plan.painted if photo.painting)
    worn = ways.pop(Wearing.WORN, 0)
    return section(
        "Painted masks",
        f"<p>On bare faces of train {ways.total():,} masks were painted below the nose or on the "
        f"chin, which are no masks, and {worn:,} that are worn; val and test are as photographed."
        f"</p>{_pairs(plan, plan.painted)}",
    )


def _variants(plan: CurationPlan) -> str:
    varied = [photo for photo in plan.variants if photo.painting is None]
    if not varied:
        return ""
    return (
        f"<p>{len(varied):,} variants fill up the classes of train; val and test are as "
        f"photographed.</p>{_pairs(plan, varied)}"
    )


def _pairs(plan: CurationPlan, variants: Sequence[PlannedPhoto]) -> str:
    """Some variants, each beside the photo that it is made from."""
    pipeline = make_pipeline()
    step = max(1, len(variants) // MOST_VARIANTS)
    pairs = []
    for variant in variants[::step][:MOST_VARIANTS]:
        made = captioned(make_variant(pipeline, plan, variant), variant.path, _caption(variant))
        pairs.append(row_of([figure(plan.root, variant.parent or "", "photo", "kept"), made]))
    return f'<div class="pairs">{"".join(pairs)}</div>'


def _caption(variant: PlannedPhoto) -> str:
    return "variant" if variant.painting is None else variant.label.title


def _subjects(plan: CurationPlan) -> str:
    of_subject: dict[str, list[PlannedPhoto]] = {}
    for photo in plan.originals:
        if photo.subject:
            of_subject.setdefault(photo.subject, []).append(photo)
    if not of_subject:
        return ""
    rows = [
        [escape(subject), *_subject_cells(photos)]
        for subject, photos in sorted(of_subject.items())[:MOST_ROWS]
    ]
    columns = ["subject", *(escape(label.title) for label in LABELS), "kept", "split"]
    return section("Subjects", table(columns, rows, "numbers"))


def _subject_cells(photos: Sequence[PlannedPhoto]) -> list[str]:
    """Kept of found in each class, kept in all, and in which splits."""
    cells = []
    for label in LABELS:
        of_label = [photo for photo in photos if photo.label is label]
        kept = sum(photo.kept for photo in of_label)
        cells.append(f"{kept} of {len(of_label)}" if kept < len(of_label) else str(kept))
    splits = sorted({photo.split for photo in photos if photo.kept}, key=SPLITS.index)
    return [*cells, str(sum(photo.kept for photo in photos)), ", ".join(splits)]
