"""Opens sources; of a folder of pictures, only what was not dealt with before is asked for."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from maskage.cameras.sources import Camera, PictureFolder
from maskage.dataset.manifest.reading import read_imports
from maskage.dataset.photo_listing import match_photos
from maskage.dataset.store import PhotoStore
from maskage.formats.set_aside_file import PassedOver, read_set_aside
from maskage.formats.sums import hash_file
from maskage.records import Photo


@dataclass
class KnownPictures:
    """Pictures of the folder opened last that were dealt with before.

    Attributes:
        labelled: Number of those that photos were made from.
        passed_over: Number of those that were skipped or rejected, by the way.
    """

    labelled: int = 0
    passed_over: Counter[PassedOver] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """Number of pictures that are not shown."""
        return self.labelled + self.passed_over.total()

    def describe(self) -> str:
        """Return "12 have a label already, 3 were skipped"; empty without any."""
        words = [f"{self.labelled:,} have a label already"] if self.labelled else []
        words += [f"{n:,} were {how} before" for how, n in sorted(self.passed_over.items()) if n]
        return ", ".join(words)


class PictureOpener:
    """Opens a source as `opener` does, and passes over pictures that were dealt with.

    Args:
        opener: Opens a source, or raises `CameraError`.
        store: The dataset, open.
        shown_again: The ways of passing over whose pictures are shown once more.

    Attributes:
        known: The pictures that are not shown, of the folder opened last.
    """

    def __init__(
        self,
        opener: Callable[[str], Camera],
        store: PhotoStore,
        shown_again: Collection[PassedOver] = (),
    ) -> None:
        self._opener, self._store = opener, store
        self._shown_again = set(shown_again)
        self._has_opened = False
        self._contents: dict[str, Photo] = {}
        self.known = KnownPictures()

    def __call__(self, source: str) -> Camera:
        """Open a source."""
        camera = self._opener(source)
        if isinstance(camera, PictureFolder):
            self.adopt(camera)
        return camera

    def find_content(self, digest: str) -> Photo | None:
        """Return the photo that the dataset had of this very file when the folder was opened.

        Args:
            digest: sha256 of a picture's file.
        """
        return self._contents.get(digest)

    def adopt(self, folder: PictureFolder) -> None:
        """Pass over what was dealt with before, of a folder that is open already.

        Opened again, a folder shows skipped pictures once more.
        """
        if self._has_opened:
            self._shown_again.add(PassedOver.SKIPPED)
        self._has_opened = True
        self._contents = find_contents(self._store)
        labelled = [photo.source for photo in self._store.photos()]
        self.known = KnownPictures(folder.pass_over(labelled))
        hidden = {
            str(path): how
            for path, how in read_set_aside(self._store.root).items()
            if how not in self._shown_again
        }
        for how in PassedOver:
            more = [path for path, its_how in hidden.items() if its_how is how]
            so_far = self.known.count
            labelled += more
            self.known.passed_over[how] = folder.pass_over(labelled) - so_far


def find_contents(store: PhotoStore) -> dict[str, Photo]:
    """Return the photos in the class folders by the digests of the files that they come from.

    A photo is found by its own digest too, as one that was put there by hand.
    """
    found: dict[str, Photo] = {}
    by_row: dict[str, Photo] = {}
    for known in match_photos(store.root):
        photo = known.photo
        by_row[known.row_path or photo.path] = photo
        if digest := photo.sha256 or hash_file(store.root / photo.path):
            found.setdefault(digest, photo)
    for row in read_imports(store.root):
        if row.path in by_row:
            found[row.digest] = by_row[row.path]
    return found
