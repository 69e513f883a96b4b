"""Describes edits, in a few words for the person who ordered them."""

from maskage.capture.photographer import Feedback, Tone
from maskage.capture.writer import Edited, How, PictureSetAside
from maskage.classes.scheme import Scheme
from maskage.dataset.edits import Edit
from maskage.outside_text import shown_text

DISK_TOO_SLOW = Feedback("refused: the disk does not keep up", Tone.BAD)


def describe_edits(report: Edited, scheme: Scheme) -> Feedback:
    """Return one line: what was done, undone or redone, to how many photos."""
    made = report.edits
    # An undone edit is described as it was made, not by the edit that undid it.
    edits = [edit.inverse for edit in made] if report.how is How.UNDONE else list(made)
    text = f"{_describe(edits[0], scheme)}{_count(edits)}"
    if report.how is How.UNDONE:
        return Feedback(f"undone: {_count_shots(made) or text}")
    if report.how is How.REDONE:
        return Feedback(f"redone: {_count_shots(made) or text}")
    return Feedback(text)


def describe_set_aside(report: PictureSetAside) -> Feedback:
    """Return one line: what was done, undone or redone with a picture of a folder."""
    what = f"{report.picture.how}: {shown_text(report.picture.path.name)}"
    return Feedback(what if report.how is How.DONE else f"{report.how}: {what}")


def _describe(edit: Edit, scheme: Scheme) -> str:
    if edit.action == "trash":
        return "to the trash"
    if edit.action == "restore":
        return "brought back"
    if edit.action == "relabel":
        return f"relabelled {scheme.title(edit.photo.label)}"
    if edit.action == "confirm":
        return "label confirmed"
    if edit.action == "unconfirm":
        return "label no longer confirmed"
    if edit.action == "describe":
        return _describe_facts(edit)
    return "flagged" if edit.photo.is_flagged else "flag taken away"


def _describe_facts(edit: Edit) -> str:
    """Return what was set and removed: "subject p01, no session"."""
    changed = [
        f"{fact} {shown_text(value)}" if (value := getattr(edit.after, fact)) else f"no {fact}"
        for fact in ("subject", "session", "group")
        if getattr(edit.before, fact) != getattr(edit.after, fact)
    ]
    return ", ".join(changed) or "nothing changed"


def _count(edits: list[Edit]) -> str:
    return "" if len(edits) == 1 else f": {len(edits)} photos"


def _count_shots(made: tuple[Edit, ...]) -> str:
    """Return "10 photos to the trash" where shots went or came back; else an empty string."""
    if made[0].action not in ("trash", "restore"):
        return ""
    # An undone removal brings photos back; a redone one takes them away again.
    where = "to the trash" if made[0].action == "trash" else "brought back"
    count = "1 photo" if len(made) == 1 else f"{len(made)} photos"
    return f"{count} {where}"
