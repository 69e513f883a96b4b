"""What a plan to forget somebody says, as text and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from maskage.dataset.privacy.derived_copies import CuratedTrace, RunTrace
from maskage.dataset.privacy.forgetting import ForgetPlan
from maskage.dataset.privacy.loose_copies import LooseCopy
from maskage.outside_text import join_lines
from maskage.shell_words import join_words

SHOWN = 12
"""How many names of a kind are told before "and 30 more"."""


def plan_as_text(plan: ForgetPlan) -> str:
    """What will go, a line each; for before the question."""
    going = _going(plan)
    if plan.is_repeat:
        lines = [f"{plan.subject} was forgotten in {plan.root} before."]
        lines += ["Removed for good:"] if going else []
    else:
        lines = [f"Forgetting {plan.subject} in {plan.root} removes for good:"]
    for number, what, names in going:
        lines.append(f"{number:>8} {what}{':' if names else ''}")
        lines += [f"{'':>7}{name}" for name in _shortened(names)]
    return join_lines(lines)


def left_as_text(plan: ForgetPlan) -> str:
    """What stays and still holds the person, with what to do about each; empty for nothing."""
    traces = plan.traces
    certain = [run for run in traces.runs if run.is_certain]
    doubtful = [run for run in traces.runs if not run.is_certain]
    lines = [
        *_made_anew(plan, [(str(one.folder), _held(one), one.command) for one in traces.curated]
                    + [_run_row(run) for run in certain]),
        *_section(
            f"Still showing or naming {plan.subject}. Nothing here is deleted for you:",
            _grouped([copy for copy in traces.loose if copy.is_certain]),
        ),
        *_section(
            f"May have been trained on {plan.subject}; nobody can tell any more:",
            [_run_row(run) for run in doubtful],
        ),
        *_section(
            f"May show or name {plan.subject}: look at them, and remove them where they do:",
            _grouped([copy for copy in traces.loose if not copy.is_certain]),
        ),
    ]  # fmt: skip
    if plan.mine.unclear:
        lines += [
            f"May show {plan.subject} too, though nothing says so for certain. Left where they "
            f"are: look at them, and remove them by hand.",
            *_shortened(plan.mine.unclear),
        ]
    if lines:
        again = join_words(["collector", "forget", plan.subject, "--data", str(plan.root)])
        lines += ["When you have done so, this lists what is still there:", f"    {again}"]
    return join_lines(lines)


def _made_anew(plan: ForgetPlan, rows: Sequence[tuple[str, str, str]]) -> list[str]:
    return _section(
        f"Still holding {plan.subject}. Nothing here is deleted for you: remove each one, then "
        f"make it anew, the sets first; so do these commands.",
        rows,
    )


def _section(heading: str, rows: Sequence[tuple[str, str, str]]) -> list[str]:
    return [heading, *_in_columns(rows)] if rows else []


def _run_row(run: RunTrace) -> tuple[str, str, str]:
    return str(run.folder), run.reason, f"{run.remove} && {run.command}"


def _grouped(copies: Sequence[LooseCopy]) -> list[tuple[str, str, str]]:
    """A row a file, and one for all files of a folder that are there for the same reason."""
    groups: dict[tuple[Path, str], list[LooseCopy]] = {}
    for copy in copies:
        groups.setdefault((copy.path.parent, copy.reason), []).append(copy)
    rows = []
    for (folder, reason), members in groups.items():
        plain = [copy for copy in members if copy.command == join_words(["rm", str(copy.path)])]
        if len(plain) == len(members) > 1:
            command = join_words(["rm", *(str(copy.path) for copy in members)])
            rows.append((str(folder), f"{len(members)} files: {reason}", command))
        else:
            rows += [(str(copy.path), copy.reason, copy.command) for copy in members]
    return rows


def plan_as_json(plan: ForgetPlan, *, is_done: bool) -> dict[str, object]:
    """One object; `forgotten` tells whether it was carried out, now or before."""
    consent = plan.consent
    return {
        "dataset": str(plan.root),
        "subject": plan.subject,
        "forgotten": is_done or plan.is_repeat,
        "photos": {str(label): number for label, number in plan.counts.items()},
        "trash": len(plan.mine.trash),
        "damaged": len(plan.mine.damaged),
        "elsewhere": list(plan.mine.elsewhere),
        "unfinished": len(plan.unfinished),
        "rows": plan.mine.rows,
        "consent": None if consent is None else consent.basis,
        "old_manifests": list(plan.old_manifests),
        "cached_features": [str(piece) for piece in plan.traces.cached],
        "cached_scans": [str(file) for file in plan.traces.scans],
        "left_copies": [str(folder) for folder in plan.left_copies],
        "curated": [_as_json(one) for one in plan.traces.curated],
        "runs": [{**_as_json(one), "remove": one.remove} for one in plan.traces.runs],
        "loose": [{**asdict(one), "path": str(one.path)} for one in plan.traces.loose],
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
            len(plan.left_copies),
            "copy" if len(plan.left_copies) == 1 else "copie",
            " of the manifest that a killed `collector doctor` left",
            [str(folder) for folder in plan.left_copies],
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
        f"{trace.set_aside} more named in its plan, which its page may show"
        if trace.set_aside
        else "",
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
