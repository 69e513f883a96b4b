"""The report of a diagnosis and of its repair, for people and for machines."""

from collections.abc import Iterator, Sequence

from maskage.commands.text_table import count_of
from maskage.dataset.doctor.findings import WORDS, Diagnosis, Finding, Kind, Note
from maskage.dataset.doctor.repair import Left
from maskage.outside_text import join_lines, path_to_text
from maskage.shell_words import join_words

SHOWN = 5
"""Number of findings of a kind that are named before the rest is counted."""


def diagnosis_as_text(diagnosis: Diagnosis, left: Left | None = None) -> str:
    """Describe what was found, kind by kind, and what to do next.

    Args:
        diagnosis: The result of `examine`.
        left: The faults that could not be repaired; None where nothing was tried.
    """
    return join_lines(
        [
            f"{diagnosis.root}: {count_of(diagnosis.photos, 'photo')}, "
            f"{count_of(len(diagnosis.manifest.rows.present), 'row')} of photos that are not "
            f"removed",
            *_faults(diagnosis, left),
            *_salvaged(diagnosis),
            *(line for note in diagnosis.notes for line in _note(note)),
            _verdict(diagnosis, left),
        ]
    )


def diagnosis_as_json(diagnosis: Diagnosis, left: Left | None = None) -> dict[str, object]:
    """Return the same as one object; arguments as for `diagnosis_as_text`."""
    reasons = {id(finding): reason for finding, reason in left or ()}
    is_tried = left is not None
    salvage = diagnosis.manifest.salvage
    return {
        "dataset": path_to_text(str(diagnosis.root)),
        "photos": diagnosis.photos,
        "clean": diagnosis.is_clean,
        "fixed": is_tried and not left,
        "left": len(reasons) if is_tried else len(diagnosis.findings),
        "counts": {kind.value: len(diagnosis.of_kind(kind)) for kind in Kind},
        "findings": [
            {
                "kind": finding.kind.value,
                "path": path_to_text(finding.path),
                "detail": finding.detail,
                "fixed": is_tried and id(finding) not in reasons,
            }
            for finding in diagnosis.findings
        ],
        "salvaged": salvage
        and {
            "rows": len(salvage.rows),
            "consents": len(salvage.consents),
            "events": len(salvage.events),
        },
        "notes": [
            {"kind": note.kind, "text": note.text, "names": list(map(path_to_text, note.names))}
            for note in diagnosis.notes
        ],
    }


def _faults(diagnosis: Diagnosis, left: Left | None) -> Iterator[str]:
    reasons = {id(finding): reason for finding, reason in left or ()}
    for kind in Kind:
        found = diagnosis.of_kind(kind)
        if not found:
            continue
        one, several, repaired = WORDS[kind]
        to_be = "" if left is not None or kind is Kind.UNREADABLE else "to be "
        yield f"{len(found):>6}  {one if len(found) == 1 else several}: {to_be}{repaired}"
        for finding in found[:SHOWN]:
            yield f"          {finding.path}{_bracketed(finding.detail)}"
        if len(found) > SHOWN:
            yield f"          and {len(found) - SHOWN} more"
        stuck = [finding for finding in found if id(finding) in reasons]
        if kind is not Kind.UNREADABLE:
            yield from _stuck(stuck, reasons)


def _stuck(stuck: Sequence[Finding], reasons: dict[int, str]) -> Iterator[str]:
    for finding in stuck[:SHOWN]:
        yield f"          left as it is: {finding.path} ({reasons[id(finding)]})"
    if len(stuck) > SHOWN:
        yield f"          and {len(stuck) - SHOWN} more are left as they are"


def _salvaged(diagnosis: Diagnosis) -> Iterator[str]:
    salvage = diagnosis.manifest.salvage
    if salvage is not None:
        yield (
            f"        {count_of(len(salvage.rows), 'row')} and "
            f"{count_of(len(salvage.consents), 'consent')} of the damaged manifest can be read; "
            f"the subjects of other photos are lost"
        )


def _note(note: Note) -> Iterator[str]:
    yield f"note: {note.text}."
    if note.kind == "outside":
        for name in note.names[:SHOWN]:
            yield f"          {name}"
        if len(note.names) > SHOWN:
            yield f"          and {len(note.names) - SHOWN} more"


def _verdict(diagnosis: Diagnosis, left: Left | None) -> str:
    found = len(diagnosis.findings)
    if not found:
        return "Clean: folders and manifest agree, and every photo is whole."
    if left is None:
        yours = len(diagnosis.of_kind(Kind.UNREADABLE))
        start = f"{count_of(found, 'fault')} found, nothing was changed."
        if yours == found:
            return f"{start} {'It is' if found == 1 else 'They are'} left to you, as said above."
        some = f"; {yours} of them {'is' if yours == 1 else 'are'} left to you" if yours else ""
        command = join_words(["collector", "doctor", str(diagnosis.root), "--fix"])
        return f"{start} Repair with `{command}`, which deletes no photo{some}."
    if left:
        return f"{count_of(found - len(left), 'fault')} repaired, {len(left)} left."
    return f"{count_of(found, 'fault')} repaired; no photo was deleted."


def _bracketed(detail: str) -> str:
    return f" ({detail})" if detail else ""
