"""What a dataset has of a source already: photos that are there, in the trash, or gone."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from maskage.dataset.manifest.matching import FileContents
from maskage.dataset.manifest.reading import (
    ManifestRows,
    former_names,
    read_imports,
    read_labels_given,
    read_rows,
)
from maskage.dataset.photo_files import TRASH
from maskage.dataset.photo_names import digest_of
from maskage.dataset.recognising import recognise_photos
from maskage.dataset.store import PhotoStore
from maskage.formats.sums import hash_file
from maskage.records import Photo


class ImportState(Enum):
    """What became of a photo that was imported before."""

    PRESENT = "in its class folder"
    TRASHED = "in the trash, where a person put it"
    GONE = "neither in a class folder nor in the trash"


@dataclass(frozen=True)
class ImportedPhoto:
    """A photo that was imported before.

    Attributes:
        path: Its path in the dataset, as its row has it.
        label: Its class.
        state: What became of it.
    """

    path: str
    label: str
    state: ImportState


class KnownImports:
    """The photos that were imported into a dataset, by the files that they come from.

    Args:
        store: The dataset, open.
    """

    def __init__(self, store: PhotoStore) -> None:
        self._store = store
        self._hashed: dict[str, str | None] = {}
        self._is_recognised = False
        self._list()

    def _list(self) -> None:
        self._found: dict[str, ImportedPhoto] = {}
        known = self._store.known()
        self._photos = {each.photo.path: each.photo for each in known}
        # Where a photo was moved by hand, its row has another path.
        self._by_row = {each.row_path: each.photo for each in known if each.row_path is not None}
        self._by_content = {photo.sha256: photo for photo in self._photos.values()}
        self._add_undigested()
        # The row of a photo that is there comes last, so it counts where a file has several.
        self._rows = {row.digest: row for row in read_imports(self._store.root)}
        self.__dict__.pop("_manifest_rows", None)

    def hash_ahead(self, digest: str) -> None:
        """Read the photo that was imported from a file; from any thread, before `find`."""
        row = self._rows.get(digest)
        photo = self._by_row.get(row.path) if row is not None else None
        if photo is not None and photo.path not in self._hashed:
            self._hashed[photo.path] = hash_file(self._store.root / photo.path)

    def find(self, digest: str) -> ImportedPhoto | None:
        """Return the photo that was imported from a file, by the digest of the file.

        That photo counts as there only if the file at its place shows it: another picture may have
        been put there by hand.
        """
        if digest not in self._found and (row := self._rows.get(digest)) is not None:
            there = self._by_row.get(row.path)
            if there is not None and not self._is_true(there):
                row = self._rows[digest]
                there = self._by_row.get(row.path)
            label = there.label if there else row.label
            state = ImportState.PRESENT if there else self._state_of(row.path)
            self._found[digest] = ImportedPhoto(row.path, label, state)
        if digest not in self._found and "labels" in self.__dict__ and digest in self.labels:
            return ImportedPhoto("", self.labels[digest], ImportState.PRESENT)
        return self._found.get(digest)

    def is_known(self, digest: str) -> bool:
        """Return whether a file of this digest was imported before, whatever became of it."""
        return digest in self._found or digest in self._rows

    def find_content(self, data: bytes) -> Photo | None:
        """Return the photo that is this very file: of another source, or with other metadata."""
        digest = digest_of(data)
        there = self._by_content.get(digest)
        if there is not None and there.sha256 is not None and not self._is_true(there):
            there = self._by_content.get(digest)
        return there

    def photo_of(self, imported: ImportedPhoto) -> Photo | None:
        """Return what the dataset knows, or knew, of a photo."""
        return (
            self._by_row.get(imported.path)
            or self._photos.get(imported.path)
            or self._manifest_rows.removed.get(imported.path)
            or self._manifest_rows.present.get(imported.path)
        )

    @cached_property
    def labels(self) -> dict[str, str]:
        """The label of everything that was imported and is not gone, by digest; may be added to."""
        found = {digest: self.find(digest) for digest in (*self._found, *self._rows)}
        return {
            digest: each.label
            for digest, each in found.items()
            if each is not None and each.state is not ImportState.GONE
        }

    def add(self, digest: str, photo: Photo) -> None:
        """Add a photo that was imported just now."""
        self._photos[photo.path] = photo
        self._by_row[photo.path] = photo
        self._by_content[photo.sha256] = photo
        self._hashed[photo.path] = photo.sha256
        self._found[digest] = ImportedPhoto(photo.path, photo.label, ImportState.PRESENT)

    def drop(self, digest: str, photo: Photo) -> None:
        """Remove a photo that was added just now, and deleted again."""
        self._photos.pop(photo.path, None)
        self._by_content.pop(photo.sha256, None)
        self._found.pop(digest, None)
        self.__dict__.get("labels", {}).pop(digest, None)

    def had_label(self, imported: ImportedPhoto, label: str) -> bool:
        """Return whether a photo ever had a label that it has no more: somebody changed it."""
        names = former_names(imported.path)
        return any((f"{label}/{name}", label) in self._labelled for name in names)

    def _is_true(self, photo: Photo) -> bool:
        """Return whether the file of a photo shows it; where it does not, list all photos anew.

        A file that was changed in place, but shows the same picture, does.
        """
        if photo.sha256 is None or self._is_recognised:
            return True
        if photo.path not in self._hashed:
            self._hashed[photo.path] = hash_file(self._store.root / photo.path)
        if self._hashed[photo.path] in (None, photo.sha256):  # None: the disk refused, now
            return True
        if FileContents(self._store.root).is_edited(photo.path, photo):
            self._hashed[photo.path] = photo.sha256
            return True
        recognise_photos(self._store)
        self._is_recognised = True
        self._list()
        return False

    def _add_undigested(self) -> None:
        """Take the digests of photos that were put into the class folders by hand."""
        for photo in [each for each in self._photos.values() if each.sha256 is None]:
            try:
                data = (self._store.root / photo.path).read_bytes()
            except OSError:
                continue
            self._by_content.setdefault(digest_of(data), photo)

    def _state_of(self, path: str) -> ImportState:
        """Return the state of a photo that is in no class folder."""
        folder = self._store.root / TRASH / path.partition("/")[0]
        row = self._manifest_rows.removed.get(path) or self._manifest_rows.present.get(path)
        file = folder / former_names(path)[0]
        if not file.is_file():
            return ImportState.GONE
        is_other = row is not None and row.sha256 not in (None, hash_file(file))
        return ImportState.GONE if is_other else ImportState.TRASHED

    @cached_property
    def _labelled(self) -> frozenset[tuple[str, str]]:
        """Every path that a photo ever had, with its label there."""
        rows = self._manifest_rows
        there = {(path, photo.label) for path, photo in (rows.present | rows.removed).items()}
        return frozenset(there) | read_labels_given(self._store.root)

    @cached_property
    def _manifest_rows(self) -> ManifestRows:
        return read_rows(self._store.root)
