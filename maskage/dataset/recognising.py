"""Make the rows of an open dataset agree with what its files show."""

from datetime import UTC, datetime

from maskage.dataset.manifest.matching import FileContents, match_contents
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.photo_files import list_files
from maskage.dataset.photo_names import iso_time
from maskage.dataset.store import PhotoStore


def recognise_photos(store: PhotoStore) -> None:
    """Read every file, and give each row the path of the file that is its photo.

    For a dataset in which a file was seen to show another picture than its row says. The row of a
    photo whose place another picture has taken gives way, as that of a photo that is gone; the
    other picture gets none of its facts.

    Raises:
        PhotoNotSavedError: The manifest could not be written; no row was changed.
    """
    with store.writing_trash() as manifest:
        files, rows = list_files(store.root, store.scheme.labels), read_rows(store.root)
        found = match_contents(files, rows, store.scheme, FileContents(store.root))
        taken = {known.row_path for known in found}
        lost = [path for path in files if path in rows.present and path not in taken]
        with manifest.transaction():
            manifest.follow_files(found, lost, iso_time(datetime.now(UTC)))
        store.list_anew()
