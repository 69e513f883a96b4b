"""What is left of edits once photos are deleted for good: theirs cannot be undone or redone."""

from collections.abc import Sequence

from maskage.dataset.edits import Edit


def keep_possible(edits: Sequence[Edit], deleted: set[str]) -> list[Edit]:
    """Return the edits of photos that are still there.

    Args:
        edits: Edits in the order in which they would be carried out.
        deleted: Paths of photos that are gone for good; paths to which the edits would have taken
            them are added.
    """
    kept = []
    for edit in edits:
        start = edit.before or edit.photo
        if start.path not in deleted:
            kept.append(edit)
        elif edit.after is not None:
            deleted.add(edit.after.path)
    return kept
