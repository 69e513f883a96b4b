"""The summary of a plan: a table for people and an object for programs."""

from collections import Counter
from pathlib import Path

from rich.cells import cell_len, set_cell_size

from curation.plan.plan import CurationPlan
from curation.settings import GIVEN, GROUP
from maskage.classes.scheme import MASK, MISWORN, WORN
from maskage.formats.curated.curated_set import SPLITS
from maskage.outside_text import join_lines, path_to_text, shown_text


def plan_as_table(plan: CurationPlan, with_photos: bool = False) -> str:
    """Return counts by class and split, what was set aside, and groups in more than one split.

    Args:
        plan: Plan of the curation.
        with_photos: True for a line for each photo that is set aside or doubtful.
    """
    rows: list[tuple[str, ...]] = [("", "found", "aside", *SPLITS[:1], "+made", *SPLITS[1:])]
    cells = [_row(plan, label) for label in plan.scheme.labels]
    names = zip(plan.scheme.labels, cells, strict=True)
    rows += [(shown_text(label), *map(str, row)) for label, row in names]
    rows.append(("total", *(str(sum(column)) for column in zip(*cells, strict=True))))
    width = max(cell_len(row[0]) for row in rows)
    lines = [
        set_cell_size(row[0], width) + "".join(f"{cell:>8}" for cell in row[1:]) for row in rows
    ]
    if plan.unknown:
        count = sum(folder.pictures for folder in plan.unknown)
        lines.append(
            f"not read: {count} photo{'' if count == 1 else 's'} in {len(plan.unknown)} "
            f"folder{'' if len(plan.unknown) == 1 else 's'} that "
            f"{'is' if len(plan.unknown) == 1 else 'are'} no class"
        )
    for kind, count in plan.reasons.items():
        lines.append(f"set aside: {count} {kind}")
    if plan.changes:
        what = ", ".join(f"{count} {change}" for change, count in plan.changes.items())
        lines.append(f"changed so that every reader shows them alike: {what}")
    if plan.painted:
        worn = sum(plan.scheme.has(photo.label, MASK, WORN) for photo in plan.painted)
        wrong = "misworn" if MISWORN in plan.scheme.factors[MASK] else "no mask"
        masks = f"{len(plan.painted) - worn} worn wrongly ({wrong}), {worn} worn rightly"
        is_asked = plan.settings.painting is not None and plan.settings.painting.is_asked
        lines.append(f"painted masks: {masks}{'' if is_asked else '; --paint-masks 0 paints none'}")
    if plan.settings.check_labels:
        confirmed = f"; {len(plan.confirmed)} more are confirmed by you" if plan.confirmed else ""
        count = len(plan.doubtful)
        expected = f"; about {plan.expected_wrong} expected to be wrong" * bool(count)
        lines.append(f"doubtful labels: {count} (kept, flagged){expected}{confirmed}")
        reasons = Counter(photo.doubt.reason for photo in plan.doubtful if photo.doubt)
        lines += [f"{number:>8} {why}" for why, number in reasons.most_common() if why]
    groups = len({photo.group for photo in plan.kept})
    lines.append(f"groups: {groups}{_describe_people(plan)}")
    if with_photos:
        lines += [
            f"{photo.path}  perhaps {photo.doubt.label} ({photo.doubt.confidence:.0%}"
            f"{f', {photo.doubt.reason}' if photo.doubt.reason else ''})"
            for photo in plan.doubtful
            if photo.doubt
        ]
        lines += [f"{photo.path}  {photo.reason}" for photo in plan.set_aside]
    return join_lines(lines)


def plan_as_json(
    plan: CurationPlan, out: Path | None, with_photos: bool = False
) -> dict[str, object]:
    """Return the summary as an object for `--json`.

    Args:
        plan: Plan of the curation.
        out: Folder it was written to, or None.
        with_photos: True to include every row of plan.csv.
    """
    summary: dict[str, object] = {
        "dataset": path_to_text(str(plan.root)),
        "out": path_to_text(str(out)) if out else None,
        "split": plan.settings.split,
        "held_out": plan.held_out,
        "caveat": plan.caveat,
        "seed": plan.settings.seed,
        "ratio": list(plan.settings.ratio),
        "found": plan.found,
        "unknown_folders": {path_to_text(folder.name): folder.pictures for folder in plan.unknown},
        "unread_files": {
            where: [path_to_text(path) for path in paths] for where, paths in plan.unread.items()
        },
        "kept": len(plan.kept),
        "counts": plan.counts,
        "variants": plan.variant_counts,
        "painted_masks": len(plan.painted),
        "set_aside": plan.reasons,
        "changed_files": plan.changes,
        "groups": len({photo.group for photo in plan.kept}),
        "straddling_groups": len(plan.straddling),
        "people": {
            "photos": plan.known.photos,
            "by_subject": plan.known.subjects,
            "by_name": plan.known.names,
            "by_session_or_group": plan.known.others,
            "names": None if plan.ties.names is None else str(plan.ties.names),
            "guessed_sessions": plan.ties.session_count,
        },
        "class_weights": plan.class_weights,
        "suspicious": [
            {
                "path": path_to_text(photo.path),
                "label": photo.label,
                "suggested": photo.doubt.label,
                "confidence": round(photo.doubt.confidence, 4),
                "reason": photo.doubt.reason,
                "cost": None if photo.doubt.cost is None else round(photo.doubt.cost, 6),
            }
            for photo in plan.doubtful
            if photo.doubt
        ],
        "expected_wrong": plan.expected_wrong,
        "confirmed": [path_to_text(photo.path) for photo in plan.confirmed],
        "notices": [{"text": notice.text, "is_fault": notice.is_fault} for notice in plan.notices],
    }
    if with_photos:
        summary["photos"] = [
            {
                "path": path_to_text(photo.path),
                "label": photo.label,
                "kept": photo.kept,
                "reason": photo.reason,
                "group": photo.group,
                "split": photo.split,
                "parent": None if photo.parent is None else path_to_text(photo.parent),
                "written": path_to_text(photo.written) if photo.written else None,
                "change": photo.change.reason if photo.change else None,
            }
            for photo in plan.photos
        ]
    return summary


def _describe_people(plan: CurationPlan) -> str:
    """Say how many groups are in more than one split, and of how many photos that can be said."""
    known, straddling = plan.known, len(plan.straddling)
    if not known.tied and not straddling and plan.settings.split in (GROUP, GIVEN):
        return "; no photo says who it shows, so people may be in more than one split"
    some = f"; {known}" if known.tied < known.photos else ""
    return f", {straddling} of them in more than one split{some}"


def _row(plan: CurationPlan, label: str) -> tuple[int, ...]:
    train, val, test = (plan.counts[split][label] for split in SPLITS)
    found = plan.found[label]
    made = plan.variant_counts["train"][label]
    return found, found - train - val - test, train, made, val, test
