"""Paths of photos that come out of the trash under another name or in another class.

They get that path first, still in the trash, file and row together: so a kill always finds each
file with its row, and the restoring itself is one move.
"""

from collections.abc import Sequence

from maskage.dataset.edits import Edit
from maskage.dataset.manifest.writer import Manifest
from maskage.dataset.photo_files import TRASH, PhotoMoves


def rename_trashed(manifest: Manifest, moves: PhotoMoves, edits: Sequence[Edit]) -> list[Edit]:
    """Rename files and rows in the trash, in one transaction, where edits need it.

    Args:
        manifest: The manifest, open.
        moves: Takes the renames of the files.
        edits: The edits that are to be carried out.

    Returns:
        The edits of these photos.

    Raises:
        OSError: The disk refused; call `moves.take_back`.
        PhotoNotSavedError: The manifest could not be written; call `moves.take_back`.
    """
    renamed = [edit for edit in edits if edit.before is None and edit.trashed is not None]
    if renamed:
        with manifest.transaction():
            for edit in renamed:
                manifest.rename_row(edit.start.path, edit.end.path, edit.end.label)
                trash = moves.root / TRASH
                moves.move(trash / edit.start.path, trash / edit.end.path)
            moves.make_durable()
    return renamed


def name_rows_as_before(manifest: Manifest, renamed: Sequence[Edit]) -> None:
    """Take back what `rename_trashed` did in the manifest.

    Raises:
        PhotoNotSavedError: The manifest could not be written.
    """
    with manifest.transaction():
        for edit in reversed(renamed):
            manifest.rename_row(edit.end.path, edit.start.path, edit.start.label)
