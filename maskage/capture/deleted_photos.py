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
        if edit.start.path not in deleted:
            kept.append(edit)
        else:
            deleted.add(edit.end.path)
    return kept
