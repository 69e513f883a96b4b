"""The photos of a dataset that nobody has open: files matched with the rows of the manifest."""

from pathlib import Path

from maskage.classes.scheme import Scheme
from maskage.dataset.class_change_steps import read_settled
from maskage.dataset.manifest.matching import FileContents, match_rows
from maskage.dataset.manifest.reading import KnownPhoto, read_rows, without_collecting
from maskage.dataset.photo_files import list_files
from maskage.records import Photo


def list_photos(root: Path) -> list[Photo]:
    """Return every photo in the class folders, with what the manifest knows, sorted by path.

    The classes are those of the dataset: `read_scheme(root)`.

    Reads names only, where every row has its file: whether each is a whole picture is found out
    when it is decoded.

    Raises:
        DatasetError: There is no such folder, or the manifest is damaged.
    """
    return [known.photo for known in match_photos(root)]


def match_photos(root: Path) -> list[KnownPhoto]:
    """List photos as `list_photos` does, with the row that each has in the manifest."""
    with without_collecting():
        return read_settled(root, lambda scheme: match_in(root, scheme))


def match_in(root: Path, scheme: Scheme) -> list[KnownPhoto]:
    """List photos as `match_photos` does, of a dataset whose classes are known."""
    files = list_files(root, scheme.labels)
    return match_rows(files, read_rows(root), scheme, FileContents(root))
