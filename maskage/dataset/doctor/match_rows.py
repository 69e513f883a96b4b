"""The matching of rows and files. Pure: it gets what was read and returns what fits."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from maskage.dataset.doctor.files import PhotoFile, facts_of_name
from maskage.dataset.manifest.reading import KnownPhoto, ManifestRows
from maskage.pictures.perceptual_hash import is_same_picture
from maskage.records import Photo


@dataclass(frozen=True)
class Match:
    """A file and the row that is its own; None where it has none.

    Attributes:
        file: The file as it was read.
        row: The row in the manifest, or None.
        is_removed: The row says that its photo was removed.
    """

    file: PhotoFile
    row: Photo | None
    is_removed: bool = False

    @property
    def known(self) -> KnownPhoto:
        """The photo as its row shall say."""
        file, row = self.file, self.row
        if row is None:
            taken_at, session = facts_of_name(file.path)
            photo = Photo(
                file.path,
                file.label,
                session=session,
                taken_at=taken_at,
                quality=file.quality,
                sha256=file.sha256,
                fingerprint=file.fingerprint,
            )
            return KnownPhoto(photo, None)
        photo = replace(row, path=file.path, label=file.label)
        if file.fingerprint is not None and file.quality is not None:
            quality = replace(file.quality, face_px=_face_px(row))
            photo = replace(
                photo, sha256=file.sha256, fingerprint=file.fingerprint, quality=quality
            )
        return KnownPhoto(photo, row.path, self.is_removed)


@dataclass(frozen=True)
class Matches:
    """The files and rows that belong together.

    Attributes:
        matches: One a file, in the order of the files.
        missing: Rows whose photo should be there and is not.
        removed: Rows of removed photos that no file claims, by path.
    """

    matches: list[Match]
    missing: list[Photo]
    removed: dict[str, Photo]


def match_files(files: Sequence[PhotoFile], rows: ManifestRows, trash: Collection[str]) -> Matches:
    """Find the row of each file, by the surest sign first.

    A row belongs to the file at its path whose content it knows; then to a file of that content
    elsewhere, which was moved or renamed by hand; then to the file at its path, whose content
    another program changed; then to the only file of its name in another class, if it shows nearly
    the same picture. Rows of removed photos come last. A name alone is no sign of whom a photo
    shows.

    Args:
        files: Whole photos in the class folders.
        rows: All rows of the manifest.
        trash: Paths whose photo lies in the trash, where its row may rightly say so.
    """
    matcher = _Matcher(files, rows)
    matcher.take_unmoved()
    gone = {path: row for path, row in rows.removed.items() if path not in trash}
    matcher.take_same_content(rows.present)
    matcher.take_same_path(rows.present)
    matcher.take_same_name()
    matcher.take_same_content(gone, is_removed=True)
    matcher.take_same_path(gone, is_removed=True)
    found = [matcher.found.get(file.path, Match(file, None)) for file in files]
    taken = matcher.taken
    return Matches(
        found,
        [row for path, row in sorted(rows.present.items()) if path not in taken],
        {path: row for path, row in rows.removed.items() if path not in taken},
    )


class _Matcher:
    """The files and rows that are still unmatched, and those that are matched."""

    def __init__(self, files: Sequence[PhotoFile], rows: ManifestRows) -> None:
        self._rows = rows
        self._files = {file.path: file for file in files}
        self.found: dict[str, Match] = {}
        self.taken: set[str] = set()

    def take_unmoved(self) -> None:
        for file in list(self._files.values()):
            row = self._rows.present.get(file.path)
            if row is not None and row.sha256 == file.sha256:
                self._take(file, row, is_removed=False)

    def take_same_content(self, rows: Mapping[str, Photo], *, is_removed: bool = False) -> None:
        by_digest = _group(self._left(rows), lambda row: row.sha256)
        for file in list(self._files.values()):
            if candidates := by_digest.get(file.sha256):
                self._take(file, candidates.pop(0), is_removed=is_removed)

    def take_same_path(self, rows: Mapping[str, Photo], *, is_removed: bool = False) -> None:
        for file in list(self._files.values()):
            row = rows.get(file.path)
            if row is None or row.path in self.taken:
                continue
            # A photo that was removed may have left its name to another one.
            if not is_removed or _looks_alike(file, row):
                self._take(file, row, is_removed=is_removed)

    def take_same_name(self) -> None:
        by_name = _group(self._left(self._rows.present), lambda row: PurePosixPath(row.path).name)
        for file in list(self._files.values()):
            candidates = by_name.get(PurePosixPath(file.path).name, [])
            if len(candidates) == 1 and _looks_alike(file, candidates[0]):
                self._take(file, candidates.pop(), is_removed=False)

    def _left(self, rows: Mapping[str, Photo]) -> list[Photo]:
        return [row for path, row in sorted(rows.items()) if path not in self.taken]

    def _take(self, file: PhotoFile, row: Photo, *, is_removed: bool) -> None:
        self.found[file.path] = Match(file, row, is_removed)
        self.taken.add(row.path)
        del self._files[file.path]


def _group(
    rows: Iterable[Photo], key: Callable[[Photo], str | None]
) -> dict[str | None, list[Photo]]:
    groups: dict[str | None, list[Photo]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def free_path(wanted: str, mark: str, taken: Collection[str]) -> str:
    """`wanted`, with a mark and a number in its name if need be, that is not among `taken`."""
    path = PurePosixPath(wanted)
    number = 0
    while path.as_posix() in taken:
        name = PurePosixPath(wanted)
        path = name.with_name(f"{name.stem}-{mark}{number or ''}{name.suffix}")
        number += 1
    return path.as_posix()


def _looks_alike(file: PhotoFile, row: Photo) -> bool:
    if file.fingerprint is None or row.fingerprint is None:
        return False
    return is_same_picture(file.fingerprint, row.fingerprint)


def _face_px(row: Photo) -> int:
    """The side of the face in its frame, which the crop alone does not tell."""
    if row.quality is not None:
        return row.quality.face_px
    return row.box.side_px if row.box is not None and row.box.score > 0 else 0
