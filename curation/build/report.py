"""The page that shows a curation: one file, pictures in it, nothing fetched."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from curation.build.augment import make_pipeline, make_variant
from curation.limits import FLAWS
from curation.masks.painting import Wearing
from curation.plan.plan import CurationPlan, PlannedPhoto
from curation.settings import GIVEN, GROUP, RANDOM, SESSION
from maskage.classes.scheme import MASK, MISWORN
from maskage.formats.curated.class_weights import WEIGHTS_FILE
from maskage.formats.curated.curated_set import SPLITS
from maskage.outside_text import path_to_text
from maskage.pages.page import Card, fill, render_page
from maskage.pages.parts import Figure, data_address, encode_small, load_figure

if TYPE_CHECKING:
    from markupsafe import Markup

MOST_TWINS = 60
MOST_IN_A_ROW = 7
MOST_VARIANTS = 8
MOST_ROWS = 2000
MOST_FLAWED = 14
MOST_DOUBTFUL = 60
MOST_COLUMNS = 8
"""Largest number of classes that stand side by side; more of them are listed in one cell."""

_PARTS = (("train", "train"), ("made", "variants"), ("val", "val"), ("test", "test"))
"""Class of the stylesheet and name of each part of a bar."""


def render_report(plan: CurationPlan, out: Path) -> str:
    """Return the report of a curation as one self-contained HTML page.

    Args:
        plan: What was decided.
        out: Folder of the result, for the command that repeats it.
    """
    name = plan.root.name
    tiles = [
        (f"{len(plan.originals):,}", "photos found"),
        (f"{len(plan.kept):,}", "kept"),
        (f"{len(plan.set_aside):,}", "set aside"),
        (f"{_count_groups(plan):,}", "groups"),
        (f"{len(plan.variants):,}", "variants added"),
    ]
    caveat = plan.caveat
    cards = [
        Card("counts", "Counts", _counts(plan)),
        Card("leak-check", "Leak check", _leak_check(plan)),
        Card("near-duplicates", "Near-duplicates", _twins(plan)),
        Card("conflicts", "Label conflicts", _conflicts(plan)),
        Card("checks", "Set aside by the checks", _flawed(plan)),
        Card("suspicious", "Suspicious labels", _doubtful(plan)),
        Card("set-aside", "Set aside", _set_aside(plan)),
        Card("painted", "Painted masks", _painted(plan)),
        Card("balance", "Balance", _balance(plan)),
        Card("subjects", "Subjects", _subjects(plan)),
        Card("repeat", "Repeat it", _repeat(plan, out)),
    ]
    notices = [("fault", caveat)] if caveat else []
    notices += [
        ("fault" if each.is_fault else "advice", each.text)
        for each in plan.notices
        if each.text != caveat
    ]
    return render_page(f"Curation of {name}", "", tiles, cards, notices=notices)


def _fill(macro: str, **values: object) -> "Markup":
    return fill("curation/build/report.html", macro, **values)


def _count_groups(plan: CurationPlan) -> int:
    return len({photo.group for photo in plan.kept})


def _counts(plan: CurationPlan) -> "Markup":
    rows: list[list[str | Markup]] = []
    for label in plan.scheme.labels:
        train, val, test = (plan.counts[split][label] for split in SPLITS)
        widths = (train, plan.variant_counts["train"][label], val, test)
        shares = [width / max(1, sum(widths)) for width in widths]
        bar = _fill("bar", parts=list(zip(dict(_PARTS), shares, strict=True)))
        aside = plan.found[label] - train - val - test
        rows.append([_class_name(plan, label), *map(str, (plan.found[label], aside, *widths)), bar])
    columns = ["class", "found", "set aside", "train", "+ variants", "val", "test", ""]
    return _fill("counts", columns=columns, rows=rows, legend=_PARTS)


def _class_name(plan: CurationPlan, label: str) -> "Markup":
    """Return the title of a class beside a patch of its colour."""
    return _fill("class_name", color=plan.scheme[label].color, title=plan.scheme.title(label))


def _leak_check(plan: CurationPlan) -> "Markup":
    split = plan.settings.split
    radius = plan.settings.radius if split not in (RANDOM, GIVEN) else None
    groups = _count_groups(plan)
    return _fill(
        "leak_check",
        groups=groups,
        leaks=plan.straddling,
        radius=radius,
        split=split,
        known=plan.known,
        names=plan.ties.names if split in (GROUP, GIVEN) else None,
        guessed=plan.ties.session_count if split in (GROUP, SESSION) else 0,
    )


def _twins(plan: CurationPlan) -> "Markup | str":
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
        shown = [load_figure(plan.root, leader, fate[leader], kind)]
        shown += [
            load_figure(plan.root, photo.path, _distance(photo)) for photo in photos[:MOST_IN_A_ROW]
        ]
        rows.append((shown, len(photos) - MOST_IN_A_ROW))
    return _fill(
        "twins",
        count=sum(map(len, followers.values())),
        leaders=len(followers),
        rows=rows,
        hidden_rows=len(by_size) - MOST_TWINS,
    )


def _distance(photo: PlannedPhoto) -> str:
    """Return "exact copy", or "2 bits away": the reason, short enough for a caption."""
    kind, _, detail = photo.reason.partition(": ")
    if kind == "exact copy":
        return kind
    mirrored = ", mirrored" if detail.endswith(", mirrored") else ""
    return f"{detail.partition(' from ')[0]} away{mirrored}"


def _conflicts(plan: CurationPlan) -> "Markup | str":
    found = [photo for photo in plan.set_aside if photo.rivals]
    # Each once: by the first of those that are the same picture.
    first = [photo for photo in found if photo.path < min(photo.rivals)]
    if not first:
        return ""
    labels = {photo.path: plan.scheme.title(photo.label) for photo in found}
    rows = [
        [load_figure(plan.root, path, labels[path]) for path in (photo.path, *photo.rivals)]
        for photo in first[:MOST_TWINS]
    ]
    return _fill("conflicts", rows=rows, hidden_rows=len(first) - MOST_TWINS)


def _flawed(plan: CurationPlan) -> "Markup | str":
    """Show every kind of flaw with its pictures: a limit is judged by what it throws out."""
    kinds = []
    for kind in FLAWS:
        photos = [photo for photo in plan.set_aside if photo.kind == kind]
        if photos:
            shown = [
                load_figure(plan.root, photo.path, _detail(photo)) for photo in photos[:MOST_FLAWED]
            ]
            kinds.append((kind, len(photos), shown))
    return _fill("flawed", kinds=kinds) if kinds else ""


def _detail(photo: PlannedPhoto) -> str:
    return photo.reason.partition(": ")[2].partition(",")[0]


def _doubtful(plan: CurationPlan) -> "Markup | str":
    if not plan.settings.check_labels:
        return ""
    reasons = Counter(photo.doubt.reason or "" for photo in plan.doubtful if photo.doubt)
    ranked = plan.doubtful[:MOST_DOUBTFUL]
    rows = [
        (
            reason,
            count,
            [
                load_figure(plan.root, photo.path, _doubt_caption(plan, photo))
                for photo in ranked
                if photo.doubt and (photo.doubt.reason or "") == reason
            ],
        )
        for reason, count in reasons.most_common()
    ]
    return _fill(
        "doubtful",
        count=len(plan.doubtful),
        expected=plan.expected_wrong,
        rows=rows,
        confirmed=len(plan.confirmed),
        hidden=len(plan.doubtful) - len(ranked),
    )


def _doubt_caption(plan: CurationPlan, photo: PlannedPhoto) -> str:
    suggested = plan.scheme.title(photo.doubt.label) if photo.doubt else ""
    return f"{plan.scheme.title(photo.label)} → {suggested}?"


def _set_aside(plan: CurationPlan) -> "Markup":
    # Faults first: near-duplicates are many, and shown above.
    photos = sorted(plan.set_aside, key=lambda photo: (photo.twin is not None, photo.path))
    rows = [(photo.path, photo.reason) for photo in photos[:MOST_ROWS]]
    hidden = len(photos) - MOST_ROWS
    return _fill("set_aside", reasons=plan.reasons, rows=rows, hidden_rows=hidden)


def _painted(plan: CurationPlan) -> "Markup | str":
    if not plan.painted:
        return ""
    ways = Counter(photo.painting.wearing for photo in plan.painted if photo.painting)
    worn = ways.pop(Wearing.WORN, 0)
    photos = _pairs(plan, plan.painted)
    count_as = "misworn" if MISWORN in plan.scheme.factors[MASK] else "no mask"
    return _fill("painted", not_masks=ways.total(), masks=worn, count_as=count_as, photos=photos)


def _balance(plan: CurationPlan) -> "Markup | str":
    varied = [photo for photo in plan.variants if photo.painting is None]
    surplus = plan.reasons.get("surplus", 0)
    weights = [
        (_class_name(plan, label), str(plan.train_counts[label]), f"{weight:.2f}")
        for label, weight in (plan.class_weights or {}).items()
    ]
    if not (weights or surplus or varied):
        return ""
    return _fill(
        "balance",
        weights_file=WEIGHTS_FILE,
        weights=weights,
        surplus=surplus,
        variants=len(varied),
        photos=_pairs(plan, varied),
    )


def _pairs(plan: CurationPlan, variants: Sequence[PlannedPhoto]) -> list[list[Figure]]:
    """Return some variants, each behind the photo that it is made from."""
    pipeline = make_pipeline()
    step = max(1, len(variants) // MOST_VARIANTS)
    pairs = []
    for variant in variants[::step][:MOST_VARIANTS]:
        caption = "variant" if variant.painting is None else plan.scheme.title(variant.label)
        picture = data_address(encode_small(make_variant(pipeline, plan, variant)))
        made = Figure(variant.path, caption, picture)
        pairs.append([load_figure(plan.root, variant.parent or "", "photo", "kept"), made])
    return pairs


def _subjects(plan: CurationPlan) -> "Markup | str":
    by_subject: dict[str, list[PlannedPhoto]] = {}
    for photo in plan.originals:
        if photo.person:
            by_subject.setdefault(photo.person, []).append(photo)
    if not by_subject:
        return ""
    rows = [
        [subject, *_subject_cells(plan, photos)]
        for subject, photos in sorted(by_subject.items())[:MOST_ROWS]
    ]
    titles = [each.title for each in plan.scheme]
    is_wide = len(titles) > MOST_COLUMNS
    columns = ["subject", "kept", "split", "kept of each class"]
    if not is_wide:
        columns = ["subject", *titles, "kept", "split"]
    hidden = len(by_subject) - MOST_ROWS
    kind = "" if is_wide else "figures"
    return _fill("subjects", columns=columns, rows=rows, kind=kind, hidden_rows=hidden)


def _subject_cells(plan: CurationPlan, photos: Sequence[PlannedPhoto]) -> list[str]:
    """Return kept photos of those found in each class, kept ones in all, and their splits.

    Many classes are listed in the last cell, and only those that there are photos of.
    """
    found = Counter(photo.label for photo in photos)
    kept = Counter(photo.label for photo in photos if photo.kept)
    cells = {
        label: f"{kept[label]} of {found[label]}"
        if kept[label] < found[label]
        else f"{kept[label]}"
        for label in plan.scheme.labels
    }
    splits = sorted({photo.split for photo in photos if photo.kept}, key=SPLITS.index)
    ends = [str(kept.total()), ", ".join(splits)]
    if len(cells) <= MOST_COLUMNS:
        return [*cells.values(), *ends]
    shown = [f"{plan.scheme.title(label)} {cells[label]}" for label in cells if found[label]]
    return [*ends, "; ".join(shown)]


def _repeat(plan: CurationPlan, out: Path) -> "Markup":
    from markupsafe import escape

    # Escaped already, so that it can be pasted as it is: a name may hold a line end.
    command = escape(path_to_text(plan.settings.command(plan.root, out)))
    return _fill("repeat", command=command)
