"""What a plan to forget somebody says, as text and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict

from collector.forgetting import ForgetPlan
from collector.outside_text import join_lines
from collector.traces import CuratedTrace, RunTrace

SHOWN = 12
"""How many names of a kind are told before "and 30 more"."""


def plan_as_text(plan: ForgetPlan) -> str:
    """What will go, a line each; for before the question."""
    lines = [f"Forgetting {plan.subject} in {plan.root} removes for good:"]
    for number, what, names in _going(plan):
        lines.append(f"{number:>8} {what}{':' if names else ''}")
        lines += [f"{'':>7}{name}" for name in _shortened(names)]
    return join_lines(lines)


def left_as_text(plan: ForgetPlan) -> str:
    """What stays and still holds the person, with what to do about each; empty for nothing."""
    lines = []
    traces = plan.traces
    certain = [run for run in traces.runs if run.is_certain]
    doubtful = [run for run in traces.runs if not run.is_certain]
    if traces.curated or certain:
        lines += [
            f"Still holding {plan.subject}. Nothing here is deleted for you: remove each one, then "
            f"make it anew, the sets first."
        ]
        lines += _in_columns([(str(one.folder), _held(one), one.command) for one in traces.curated])
        lines += _in_columns([(str(run.folder), run.reason, run.command) for run in certain])
    if doubtful:
        lines += [f"May have been trained on {plan.subject}; nobody can tell any more:"]
        lines += _in_columns([(str(run.folder), run.reason, run.command) for run in doubtful])
    if plan.mine.unclear:
        lines += [
            f"May show {plan.subject} too, though nothing says so for certain. Left where they "
            f"are: look at them, and remove them by hand.",
            *_shortened(plan.mine.unclear),
        ]
    return join_lines(lines)


def plan_as_json(plan: ForgetPlan, *, is_done: bool) -> dict[str, object]:
    """One object; `forgotten` tells whether it was carried out."""
    consent = plan.consent
    return {
        "dataset": str(plan.root),
        "subject": plan.subject,
        "forgotten": is_done,
        "photos": {str(label): number for label, number in plan.counts.items()},
        "trash": len(plan.mine.trash),
        "damaged": len(plan.mine.damaged),
        "elsewhere": list(plan.mine.elsewhere),
        "unfinished": len(plan.unfinished),
        "rows": plan.mine.rows,
        "consent": None if consent is None else consent.basis,
        "old_manifests": list(plan.old_manifests),
        "cached_features": [str(piece) for piece in plan.traces.cached],
        "curated": [_as_json(one) for one in plan.traces.curated],
        "runs": [_as_json(one) for one in plan.traces.runs],
        "unclear": list(plan.mine.unclear),
    }


def _going(plan: ForgetPlan) -> list[tuple[int, str, Sequence[str]]]:
    """How many of each kind, what it is, and the names where they tell more than the number."""
    mine = plan.mine
    kinds: list[tuple[int, str, str, Sequence[str]]] = [
        *((number, "photo", f" in {label}", ()) for label, number in plan.counts.items()),
        (len(mine.trash), "photo", " in the trash", ()),
        (len(mine.damaged), "photo", " set aside as damaged", ()),
        (len(mine.elsewhere), "photo", " elsewhere in its folder", mine.elsewhere),
        (len(plan.unfinished), "file", " left half-written by a crash, anybody's", ()),
        (mine.rows, "row", " in the manifest, with all events", ()),
        (plan.consent is not None, "consent", f": {plan.consent and plan.consent.basis}", ()),
        (
            len(plan.traces.cached),
            "piece",
            " of cached features, others' in them too: computed anew when needed",
            (),
        ),
        (
            len(plan.old_manifests),
            "damaged manifest",
            " put aside, which may hold the rows",
            plan.old_manifests,
        ),
    ]
    return [
        (number, f"{one if number == 1 else f'{one}s'}{more}", names)
        for number, one, more, names in kinds
        if number
    ]


def _held(trace: CuratedTrace) -> str:
    parts = [
        count(trace.photos, "photo") if trace.photos else "",
        count(trace.variants, "augmented copy", "augmented copies") if trace.variants else "",
        f"{trace.set_aside} set aside, which its page may show" if trace.set_aside else "",
    ]
    return ", ".join(part for part in parts if part)


def _in_columns(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    lines = []
    for folder, reason, command in rows:
        lines += [f"  {folder}: {reason}", f"    {command}"]
    return lines


def _shortened(names: Sequence[str]) -> list[str]:
    more = len(names) - SHOWN
    return [f"  {name}" for name in names[:SHOWN]] + ([f"  and {more} more"] if more > 0 else [])


def _as_json(trace: CuratedTrace | RunTrace) -> dict[str, object]:
    return {**asdict(trace), "folder": str(trace.folder)}


def count(number: int, one: str, many: str | None = None) -> str:
    """A number and what is counted: "1 photo", "2 photos"."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
