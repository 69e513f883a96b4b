"""A plan to forget somebody, as text and as JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from maskage.dataset.privacy.derived_copies import DerivedRun, DerivedSet
from maskage.dataset.privacy.forgetting import ForgetPlan
from maskage.dataset.privacy.loose_copies import LooseCopy, Namesakes
from maskage.dataset.privacy.other_datasets import OtherDataset
from maskage.outside_text import join_lines
from maskage.shell_words import join_words

SHOWN = 12
"""Names of a kind that are listed before "and 30 more"."""


def plan_as_text(plan: ForgetPlan) -> str:
    """List what will be removed, for the question whether to go on."""
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
    """List what stays and still holds the person, with a remedy for each; "" if nothing does."""
    derived = plan.derived
    certain = [run for run in derived.runs if run.is_certain]
    doubtful = [run for run in derived.runs if not run.is_certain]
    lines = [
        *_section(
            f"Other datasets know {plan.subject} too. Forget {plan.subject} there first: what "
            f"is made of them again would hold these photos.",
            [(str(one.folder), _known_there(one), one.command) for one in derived.datasets],
        ),
        *_section(
            f"Still showing or naming {plan.subject}. Nothing here is deleted for you:",
            _grouped([copy for copy in derived.loose if copy.is_certain]),
        ),
        *_made_anew(plan, [(str(one.folder), _held(one), one.command) for one in derived.curated]
                    + [_run_row(run) for run in certain]),
        *_section(
            f"May have been trained on {plan.subject}; it cannot be found out any more:",
            [_run_row(run) for run in doubtful],
        ),
        *_section(
            f"May show or name {plan.subject}. Look at these, and remove those that do:",
            _grouped([copy for copy in derived.loose if not copy.is_certain]),
        ),
    ]  # fmt: skip
    if plan.mine.unclear:
        lines += [
            f"May show {plan.subject} too, which is not certain. These files stay where they are: "
            f"look at them, and remove by hand those that do.",
            *_shortened(plan.mine.unclear),
        ]
    lines += _namesakes_as_text(derived.namesakes, plan.subject)
    if plan.is_listed:
        again = join_words(["collector", "forget", plan.subject, "--data", str(plan.root)])
        lines += ["After that, this command lists what is still there:", f"    {again}"]
    return join_lines(lines)


def _namesakes_as_text(namesakes: Namesakes, subject: str) -> list[str]:
    """Count pictures with the name of a photo by their folders, without a command for them."""
    lines = []
    for paths, one, many in (
        (namesakes.different, "looks different from all of them", "look different from all"),
        (namesakes.uncompared, "was not compared: look at it", "were not compared: look at them"),
    ):
        if paths:
            have = (
                f"1 picture has the same name as a photo of {subject} and {one}"
                if len(paths) == 1
                else f"{len(paths)} pictures have the same names as photos of {subject} and {many}"
            )
            lines.append(f"{have}, in:")
            folders = Counter(str(path.parent) for path in paths)
            lines += _shortened([f"{folder}: {number}" for folder, number in folders.items()])
    return lines


def _made_anew(plan: ForgetPlan, rows: Sequence[tuple[str, str, str]]) -> list[str]:
    return _section(
        f"Still holding {plan.subject}. Nothing here is deleted for you. These commands remove "
        f"each one and make it again; begin with the sets.",
        rows,
    )


def _section(heading: str, rows: Sequence[tuple[str, str, str]]) -> list[str]:
    return [heading, *_in_columns(rows)] if rows else []


def _run_row(run: DerivedRun) -> tuple[str, str, str]:
    return str(run.folder), run.reason, " && ".join(filter(None, (run.remove, run.command)))


def _grouped(copies: Sequence[LooseCopy]) -> list[tuple[str, str, str]]:
    """Return a row for each file, or one for all files of a folder with the same reason."""
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
    """Return a plan as one JSON object; `forgotten` is true once it was carried out."""
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
        "snapshots": {"names": list(plan.snapshots.names), "photos": plan.snapshots.rows},
        "consent": None if consent is None else consent.basis,
        "old_manifests": list(plan.old_manifests),
        "cached_features": [str(piece) for piece in plan.derived.cached],
        "cached_scans": [str(file) for file in plan.derived.scans],
        "left_copies": [str(folder) for folder in plan.left_copies],
        "datasets": [_as_json(one) for one in plan.derived.datasets],
        "curated": [_as_json(one) for one in plan.derived.curated],
        "runs": [{**_as_json(one), "remove": one.remove} for one in plan.derived.runs],
        "loose": [{**asdict(one), "path": str(one.path)} for one in plan.derived.loose],
        "same_name": {
            "different": [str(path) for path in plan.derived.namesakes.different],
            "not_compared": [str(path) for path in plan.derived.namesakes.uncompared],
        },
        "unclear": list(plan.mine.unclear),
    }


def _going(plan: ForgetPlan) -> list[tuple[int, str, Sequence[str]]]:
    """Return the number of files of each kind, what they are, and names worth listing."""
    mine = plan.mine
    kinds: list[tuple[int, str, str, Sequence[str]]] = [
        *((number, "photo", f" in {label}", ()) for label, number in plan.counts.items()),
        (len(mine.trash), "photo", " in the trash", ()),
        (len(mine.damaged), "photo", " set aside as damaged", ()),
        (len(mine.elsewhere), "photo", " elsewhere in its folder", mine.elsewhere),
        (len(plan.unfinished), "file", " left half-written by a crash, maybe of other people", ()),
        (mine.rows, "row", " in the manifest, with all events", ()),
        (plan.snapshots.rows, "photo", " in snapshots", plan.snapshots.names),
        (plan.consent is not None, "consent", f": {plan.consent and plan.consent.basis}", ()),
        (
            len(plan.derived.cached),
            "piece",
            " of cached features, other people's too: computed again when needed",
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


def _known_there(one: OtherDataset) -> str:
    parts = [
        count(one.rows, "row") if one.rows else "",
        f"{count(one.in_snapshots, 'photo')} in snapshots" if one.in_snapshots else "",
        "a consent" if one.has_consent else "",
    ]
    return ", ".join(part for part in parts if part)


def _held(one: DerivedSet) -> str:
    parts = [
        count(one.photos, "photo") if one.photos else "",
        count(one.variants, "augmented copy", "augmented copies") if one.variants else "",
        f"{one.set_aside} more named in its plan, which its page may show" if one.set_aside else "",
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


def _as_json(found: DerivedSet | DerivedRun | OtherDataset) -> dict[str, object]:
    return {**asdict(found), "folder": str(found.folder)}


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: "1 photo", "2 photos"."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
