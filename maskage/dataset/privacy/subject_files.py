"""The files of one person in a dataset: every place in its folder where they may lie."""

import hashlib
import os
import re
from collections.abc import Container, Iterable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from maskage.dataset.doctor.files import facts_of_name
from maskage.dataset.manifest.matching import FileContents
from maskage.dataset.manifest.reading import (
    KnownPhoto,
    ManifestRows,
    former_names,
    read_consents,
    read_imports,
    read_rows,
)
from maskage.dataset.photo_files import DAMAGED, TRASH, names_in
from maskage.dataset.photo_listing import match_photos
from maskage.dataset.snapshots.forgetting import subjects_in_snapshots
from maskage.errors import UnreadableImageError
from maskage.formats.classes.classes_file import read_scheme
from maskage.formats.dataset_folder import manifest_path
from maskage.formats.sums import hash_file
from maskage.pictures.bare_pictures import strip_picture
from maskage.pictures.images import PICTURE_SUFFIXES, read_image
from maskage.pictures.perceptual_hash import hash_crop
from maskage.records import Photo
from maskage.system.files import TEMPORARY_PREFIX

_FILE_GAVE_WAY = re.compile(r"-again\d*(?=\.[^.]*$)")


@dataclass(frozen=True)
class SubjectFiles:
    """The files and rows of one subject. Paths are relative to the dataset, POSIX and sorted.

    Attributes:
        photos: Files in the class folders.
        trash: Files in the trash.
        damaged: Files that the doctor set aside because they cannot be decoded.
        elsewhere: Files with the content of a photo, anywhere else in the dataset's folder.
        rows: Number of rows in the manifest.
        row_paths: Paths of these rows, of which some may name nobody: rows of the same content.
        paths: Paths, present and former, that no other person's photo has; and "/<name>" for a name
            that no other person's photo has in any class: see `SoughtPhotos`.
        labels: The classes of the dataset, and those of its rows.
        digests: sha256 of each photo: from the rows, from the files, and without metadata.
        sources: sha256 of the files that the photos, or parts of them, were imported from.
        names: File names that a photo may ever have had, without their suffixes.
        words: Sessions in which no other person was photographed.
        sizes: Bytes of each file, in decimal.
        fingerprints: Perceptual hashes of the photos.
        unclear: Files that may show the person too, which is not certain; absolute if they lie
            behind a link.
    """

    photos: tuple[str, ...] = ()
    trash: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    rows: int = 0
    row_paths: tuple[str, ...] = ()
    paths: frozenset[str] = frozenset()
    labels: tuple[str, ...] = ()
    digests: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    sizes: frozenset[str] = frozenset()
    fingerprints: frozenset[int] = frozenset()
    unclear: tuple[str, ...] = ()


def identifying_words(words: Iterable[str]) -> frozenset[str]:
    """Return the words that identify a person wherever they occur: neither "1" nor "me"."""
    return frozenset(word for word in words if len(word) > 2 and not word.isdecimal())


def stem_of(name: str) -> str:
    """Return a picture's name without its suffix."""
    head, dot, suffix = name.rpartition(".")
    return head if dot and f".{suffix.lower()}" in PICTURE_SUFFIXES else name


def known_subjects(root: Path) -> set[str]:
    """Return everybody named in a row, even of a removed photo, in a consent, or in a snapshot.

    Raises:
        DatasetError: The manifest is damaged.
    """
    rows = all_rows(read_rows(root))
    named = {row.subject for row in rows if row.subject}
    return named | set(read_consents(root)) | subjects_in_snapshots(root)


def find_subject_files(root: Path, subject: str) -> SubjectFiles:
    """Find every file and row of a subject in a dataset; nothing is changed.

    Raises:
        DatasetError: The folder does not exist, or the manifest is damaged.
    """
    known = match_photos(root)
    return _Search(root, subject, known, read_scheme(root).labels).find()


def find_unclear(root: Path, paths: Container[str]) -> list[str]:
    """Find files of a dataset that were noted as unclear before, by their paths in it."""
    return sorted(
        path
        for place, _, names in os.walk(root)
        for name in names
        if (path := (Path(place) / name).relative_to(root).as_posix()) in paths
    )


class _Search:
    """A search for the owner of each file, by its rows and by its content."""

    def __init__(
        self, root: Path, subject: str, known: Sequence[KnownPhoto], labels: Sequence[str]
    ) -> None:
        self._root, self._subject, self._known = root, subject, known
        rows = read_rows(root)
        former = sorted({row.label for row in all_rows(rows)}.difference(labels))
        self._labels = (*labels, *former)
        self._owners: dict[str, set[str | None]] = {}
        for row in all_rows(rows):
            if row.sha256:
                self._owners.setdefault(row.sha256, set()).add(row.subject)
        self._mine = [row for row in all_rows(rows) if self._is_my_row(row)]
        self._my_paths = mine = {row.path for row in self._mine}
        self._theirs = {row.path for row in all_rows(rows)} - mine
        placed = {each.row_path for each in known}
        self._contents = FileContents(root)
        # Where a photo of the person is not at its place, it may lie at that of any other.
        self._is_missing = any(path in rows.present and path not in placed for path in mine) or any(
            self._is_other(each) for each in known if each.row_path in mine
        )
        self._removed: dict[str, list[Photo]] = {}
        for path, row in rows.removed.items():
            name = former_names(path)[0]
            self._removed.setdefault(f"{path.partition('/')[0]}/{name}", []).append(row)
        self._their_sessions = {
            row.session for row in all_rows(rows) if row.session and row.path in self._theirs
        }
        self._sessions = {row.session for row in self._mine if row.session}
        self._names = {name for row in self._mine for name in former_names(row.path)}
        self._unclear: set[str] = set()

    def find(self) -> SubjectFiles:
        photos = [known.photo.path for known in self._known if self._is_mine(known)]
        trash = list(self._loose(Path(TRASH)))
        damaged = list(self._loose(Path(DAMAGED)))
        elsewhere = list(self._elsewhere())
        digests = {row.sha256 for row in self._mine if row.sha256}
        digests |= {one for path in (*photos, *trash) for one in _digests(self._root / path)}
        self._note_links((*photos, *trash, *damaged))
        files = [self._root / path for path in (*photos, *trash, *damaged, *elsewhere)]
        return SubjectFiles(
            photos=tuple(sorted(photos)),
            trash=tuple(sorted(trash)),
            damaged=tuple(sorted(damaged)),
            elsewhere=tuple(sorted(elsewhere)),
            rows=len(self._mine),
            row_paths=tuple(sorted(row.path for row in self._mine)),
            paths=frozenset(self._paths(photos)),
            labels=self._labels,
            digests=frozenset(digests),
            sources=frozenset(self._imported_from()),
            names=frozenset(stem_of(name) for name in self._all_names(photos)),
            words=self._own_sessions(),
            sizes=frozenset(str(file.stat().st_size) for file in files if file.exists()),
            fingerprints=frozenset(self._fingerprints(photos)),
            unclear=tuple(sorted(self._unclear)),
        )

    def _is_my_row(self, row: Photo) -> bool:
        """Return True for a row of the subject, and for one of nobody with the same content."""
        if row.subject is None and row.sha256:
            return self._owners[row.sha256] == {self._subject, None}
        return row.subject == self._subject

    def _is_other(self, known: KnownPhoto) -> bool:
        """Return True if the file at the place of a photo is another photo of the dataset.

        Of any other content, it is that photo, changed in place.
        """
        photo = known.photo
        digest = self._contents.digest(photo.path) if photo.sha256 else None
        return digest != photo.sha256 and digest in self._owners

    def _paths(self, photos: Iterable[str]) -> set[str]:
        """Return every path that a photo of the subject may have had, and no other person's has."""
        ever = {f"{label}/{name}" for label in self._labels for name in self._names}
        their_names = {name for path in self._theirs for name in former_names(path)}
        only_mine = {f"/{name}" for name in self._names - their_names}
        return (ever - self._theirs) | set(photos) | only_mine

    def _all_names(self, photos: Iterable[str]) -> set[str]:
        return self._names | {path.rpartition("/")[2] for path in photos}

    def _imported_from(self) -> set[str]:
        """Return the digests of the files that the photos, or parts of them, were imported from."""
        mine = {row.path for row in self._mine}
        return {
            row.digest.partition("#")[0] for row in read_imports(self._root) if row.path in mine
        }

    def _own_sessions(self) -> frozenset[str]:
        """Return the sessions in which no other person was photographed."""
        return identifying_words(self._sessions - self._their_sessions)

    def _fingerprints(self, photos: Sequence[str]) -> Iterator[int]:
        """Yield the hashes in the rows; a photo without one is read and hashed."""
        known = {row.path: row.fingerprint for row in self._mine if row.fingerprint is not None}
        yield from known.values()
        for path in photos:
            if path not in known:
                with suppress(UnreadableImageError):
                    yield hash_crop(read_image(self._root / path))

    def _is_mine(self, known: KnownPhoto) -> bool:
        """Return True if a photo in its class folder is the subject's.

        A photo that matches its row by name alone, moved or put back by hand, must have the same
        content too: another picture may have taken the name.
        """
        photo = known.photo
        is_mine = known.row_path in self._my_paths
        if is_mine and known.is_settled and self._is_other(known):
            owners = self._owners[self._contents.digest(photo.path) or ""]
            return self._is_mine_by(owners, photo.path)
        if is_mine and (known.is_settled or photo.sha256 is None):
            return True
        if self._is_missing and known.is_settled:
            digest = self._contents.digest(photo.path) or ""
            if digest != photo.sha256 and self._is_mine_by(
                self._owners.get(digest, set()), photo.path
            ):
                return True
        if known.row_path is None or (photo.subject == self._subject and not known.is_settled):
            digest = self._contents.digest(photo.path) or ""
            if self._is_mine_by(self._owners.get(digest, set()), photo.path):
                return True
            if photo.subject == self._subject:
                self._unclear.add(photo.path)
        if photo.subject is None:
            session = photo.session or facts_of_name(photo.path)[1]
            if session in self._sessions:
                self._unclear.add(photo.path)
        return False

    def _loose(self, top: Path) -> Iterator[str]:
        """Yield the subject's files in the trash, or set aside: "<top>/<label>/<name>"."""
        for label in sorted({*self._labels, *names_in(self._root / top)}):
            folder = self._root / top / label
            for file in sorted(folder.iterdir()) if folder.is_dir() else ():
                if not file.is_file() or file.name.startswith(TEMPORARY_PREFIX):
                    continue
                path = (top / label / file.name).as_posix()
                if self._is_mine_by(self._owners_of_loose(f"{label}/{file.name}", file), path):
                    yield path

    def _owners_of_loose(self, path: str, file: Path) -> set[str | None]:
        """Return possible owners of a removed file: by path and content, by path, or by content."""
        digest = hash_file(file) or ""
        of_path = self._removed.get(path) or self._removed.get(_FILE_GAVE_WAY.sub("", path), [])
        exact = {row.subject for row in of_path if row.sha256 == digest}
        return exact or {row.subject for row in of_path} or self._owners.get(digest, set())

    def _elsewhere(self) -> Iterator[str]:
        """Yield the subject's files that were moved or copied out of the class folders by hand."""
        photos = {known.photo.path for known in self._known}
        for path in _other_files(self._root):
            if path in photos:
                continue
            owners = self._owners.get(hash_file(self._root / path) or "", set())
            if self._is_mine_by(owners, path):
                yield path
            # Editors and tools keep copies of a former picture: "a.jpg_original", ".a.jpg.swp".
            elif not owners and any(name in Path(path).name for name in self._names):
                self._unclear.add(path)

    def _note_links(self, paths: Iterable[str]) -> None:
        """Note the files behind links: they stay where they are and are listed."""
        links = (self._root / path for path in paths)
        self._unclear |= {str(link.resolve()) for link in links if link.is_symlink()}

    def _is_mine_by(self, owners: Set[str | None], path: str) -> bool:
        """Return True if these owners are the subject alone; one of several is noted as unclear."""
        if self._subject in owners and owners - {self._subject, None}:
            self._unclear.add(path)
            return False
        return self._subject in owners


def _digests(path: Path) -> set[str]:
    """Return the sha256 of a file and of the copy `curate` makes; empty if it is unreadable."""
    try:
        data = path.read_bytes()
    except OSError:
        return set()
    contents = [data]
    with suppress(UnreadableImageError):
        contents.append(strip_picture(data))
    return {hashlib.sha256(content).hexdigest() for content in contents}


def all_rows(rows: ManifestRows) -> list[Photo]:
    """Return every row, those of removed photos included."""
    return [*rows.present.values(), *rows.removed.values()]


def _other_files(root: Path) -> Iterator[str]:
    """Yield the files of a dataset's folder, sorted, without the manifest, trash and damaged ones.

    Photos in their class folders are included.
    """
    kept = {root / top / name for top in (TRASH, DAMAGED) for name in names_in(root / top)}
    for place, folders, names in os.walk(root):
        folder = Path(place)
        folders[:] = [
            each for each in sorted(folders) if folder / each != manifest_path(root).parent
        ]
        for name in sorted(names) if folder not in kept else ():
            if not name.startswith(TEMPORARY_PREFIX) and not (folder / name).is_symlink():
                yield (folder / name).relative_to(root).as_posix()
