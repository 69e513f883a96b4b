"""The matching of rows and files, where a dataset is listed: by path, and by content where not.

A file at the path of a row is taken for the row's photo, so nothing is read while every row has its
file. Where rows miss their files and files have no row, those files are read.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from maskage.dataset.manifest.reading import KnownPhoto, ManifestRows
from maskage.errors import UnreadableImageError
from maskage.formats.sums import hash_file
from maskage.pictures.images import read_image
from maskage.pictures.perceptual_hash import hash_crop, is_same_picture
from maskage.records import Photo, RgbImage


class FileContents:
    """The contents of a dataset's files, read when they are asked for.

    Args:
        root: The dataset.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._digests: dict[str, str | None] = {}

    def digest(self, path: str) -> str | None:
        """Return the sha256 of a file; None where it cannot be read."""
        if path not in self._digests:
            self._digests[path] = hash_file(self._root / path)
        return self._digests[path]

    def is_photo(self, path: str, row: Photo) -> bool:
        """Return whether a file is the photo of a row, or that photo saved anew."""
        if row.sha256 is None or self.digest(path) == row.sha256:
            return True
        return self._shows(path, row, is_turned=False)

    def is_edited(self, path: str, row: Photo) -> bool:
        """Return whether a file can be the photo of the row at its path, changed in place.

        It shows the same picture, maybe turned or mirrored. Where the row cannot tell, it can be.
        """
        return row.fingerprint is None or self._shows(path, row, is_turned=True)

    def _shows(self, path: str, row: Photo, *, is_turned: bool) -> bool:
        if row.fingerprint is None:
            return False
        try:
            pixels = read_image(self._root / path)
        except (UnreadableImageError, OSError):
            return False
        views = _turned(pixels) if is_turned else [pixels]
        return any(is_same_picture(hash_crop(view), row.fingerprint) for view in views)


def match_rows(
    found: Mapping[str, str],
    rows: ManifestRows,
    labels: Container[str],
    contents: FileContents,
) -> list[KnownPhoto]:
    """Return the photos that lie in the folders, in the order given, each with its row.

    A row whose file is gone belongs to a file of its content that has no row: that was moved or
    renamed by hand. A name alone is no sign of whom a photo shows: a file that only has the name of
    such a row must show the same picture.

    Args:
        found: Label of each path (relative to the dataset) that is there.
        rows: All rows of the manifest.
        labels: The classes; an opinion that names a class that is gone since is left out.
        contents: The contents of the files.
    """
    missing = [row for path, row in rows.present.items() if path not in found]
    unknown = [path for path in found if path not in rows.present] if missing else []
    if displaced := _find_displaced(unknown, rows.present, contents) if unknown else []:
        unknown += displaced
        missing += [rows.present[path] for path in displaced]
    moved = find_moved(unknown, missing, contents)
    taken = {row.path for row in moved.values()}
    matches = []
    for path, label in found.items():
        known, is_removed = moved.get(path), False
        if known is None and path not in taken:
            known = rows.present.get(path)
        if known is None and (removed := rows.removed.get(path)) is not None:
            is_removed = contents.is_photo(path, removed)
            known = removed if is_removed else None
        matches.append(known_photo(path, label, known, labels, is_removed=is_removed))
    return matches


def match_contents(
    found: Mapping[str, str],
    rows: ManifestRows,
    labels: Container[str],
    contents: FileContents,
) -> list[KnownPhoto]:
    """Return the photos as `match_rows` does, but with the content of every file read.

    A file with the content of another row, moved over a photo by hand, belongs to that row. A file
    at the path of a row that shows another picture has no row.
    """
    settled = {
        path
        for path in found
        if (row := rows.present.get(path))
        and (row.sha256 is None or contents.digest(path) in (None, row.sha256))
    }
    missing = [row for path, row in rows.present.items() if path not in settled]
    own = find_moved([path for path in found if path not in settled], missing, contents)
    taken = {row.path for row in own.values()}
    for path in found:
        row = rows.present.get(path)
        if path in settled or (row and path not in own and path not in taken):
            assert row is not None
            if path in settled or contents.is_edited(path, row):
                own[path] = row
    return [known_photo(path, label, own.get(path), labels) for path, label in found.items()]


def _find_displaced(
    unknown: Iterable[str], present: Mapping[str, Photo], contents: FileContents
) -> list[str]:
    """Return the paths where another file lies now than their rows say.

    A file without a row may have the content of a row whose path has a file: then another photo got
    the name of the first, as where a whole folder is numbered anew.
    """
    by_digest = _group((row.sha256, row) for row in present.values() if row.sha256)
    displaced: dict[str, None] = {}
    queue = list(unknown)
    while queue:
        for row in by_digest.get(contents.digest(queue.pop()) or "", []):
            # A path without a file has no digest.
            if row.path not in displaced and contents.digest(row.path) not in (None, row.sha256):
                displaced[row.path] = None
                queue.append(row.path)
    return list(displaced)


def find_moved(
    unknown: Iterable[str], missing: Iterable[Photo], contents: FileContents
) -> dict[str, Photo]:
    """Return the rows, of those that miss their files, that files without a row belong to.

    Returns:
        The row of each path that has one.
    """
    left = {row.path: row for row in missing}
    files = list(unknown) if left else []
    moved: dict[str, Photo] = {}
    by_digest = _group((row.sha256, row) for row in left.values() if row.sha256)
    for is_named in (True, False):
        for path in files:
            rows = by_digest.get(contents.digest(path) or "", []) if by_digest else []
            named = [row for row in rows if _name(row.path) == _name(path)]
            if path not in moved and (fitting := named or ([] if is_named else rows)):
                moved[path] = left.pop(fitting[0].path)
                rows.remove(fitting[0])
    by_name = _group((_name(row.path), row) for row in left.values())
    for path in files:
        rows = by_name.get(_name(path), [])
        if path not in moved and len(rows) == 1 and contents.is_photo(path, rows[0]):
            moved[path] = rows.pop()
    return moved


def known_photo(
    path: str,
    label: str,
    row: Photo | None,
    labels: Container[str],
    *,
    is_removed: bool = False,
) -> KnownPhoto:
    """Return the photo that lies at a path, with what its row says."""
    if row is None:
        return KnownPhoto(Photo(path, label), None)
    photo = row
    if photo.suggestion and photo.suggestion.label not in labels:
        photo = replace(photo, suggestion=None)
    if photo.check and photo.check.label not in labels:
        photo = replace(photo, check=None)
    if (photo.path, photo.label) != (path, label):
        photo = replace(photo, path=path, label=label)
    return KnownPhoto(photo, row.path, is_removed)


def _name(path: str) -> str:
    return path.partition("/")[2]


def _group(pairs: Iterable[tuple[str, Photo]]) -> dict[str, list[Photo]]:
    groups: dict[str, list[Photo]] = {}
    for key, row in pairs:
        groups.setdefault(key, []).append(row)
    return groups


def _turned(pixels: RgbImage) -> Iterator[RgbImage]:
    """Yield a picture in its eight orientations, upright first."""
    for one in (pixels, pixels[:, ::-1]):
        for quarters in range(4):
            yield np.ascontiguousarray(np.rot90(one, quarters))
