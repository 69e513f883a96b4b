"""What a network has seen: the photos of its run, and those of the run that it was started from.

Where a training starts from an earlier run, the photos of its val and test must be new to that
network, or its figures would lie.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskage.commands.text_table import list_some
from maskage.dataset.photo_scan import FileScan
from maskage.errors import DatasetError
from maskage.formats.curated.curated_set import SPLITS, CuratedPhoto
from maskage.formats.run.photos_file import EARLIER, RunPhoto
from maskage.pictures.hamming import find_close_pairs
from maskage.pictures.perceptual_hash import GROUP_BITS, hash_array
from maskage.shell_words import join_words
from trainer.data.dataset import TEST, TRAIN, VAL, PhotoSet, TrainingPhotos, relative_names


@dataclass(frozen=True)
class TrainChanges:
    """The photos of one class by which train differs from that of an earlier run.

    Attributes:
        new: Number that the earlier run did not train on.
        corrected: Number that it trained on as another class.
        removed: Number that it trained on and that are not in the class any more.
    """

    new: int
    corrected: int
    removed: int

    def as_dict(self) -> dict[str, int]:
        """Return the object that `metrics.json` holds."""
        return {"new": self.new, "corrected": self.corrected, "removed": self.removed}


def list_photos(
    photos: TrainingPhotos,
    known_before: Iterable[RunPhoto] = (),
    scans: Mapping[str, FileScan] | None = None,
) -> list[RunPhoto]:
    """List the photos that a network of this training knows, without augmented copies.

    Args:
        photos: The photos of the training.
        known_before: Photos of the earlier run that it starts from.
        scans: Scans of the files, by their digest, as far as they were made.
    """
    scans = scans or {}
    listed: dict[str, RunPhoto] = {}
    for split in SPLITS:
        for photo, digest in _originals(_of_split(photos, split)):
            scan = scans.get(digest)
            hashes = (scan.phash, scan.mirror) if scan is not None and scan.fault is None else ()
            # A file that lies in several splits counts where it was learned from.
            listed.setdefault(digest, RunPhoto(digest, photo.label, split, *hashes))
    for each in known_before:
        known = listed.get(each.digest)
        if each.split != TEST and (known is None or known.split == TEST):
            listed[each.digest] = RunPhoto(
                each.digest, each.label, EARLIER, each.phash, each.mirror
            )
    return list(listed.values())


def require_unseen(
    photos: TrainingPhotos, known: Sequence[RunPhoto], scans: Sequence[FileScan], run: Path
) -> None:
    """Check that an earlier run has learned from no photo of val and test.

    Photos that were removed since are compared by look alone.

    Args:
        photos: The photos of the training.
        known: Photos of the earlier run.
        scans: Scans of the photos of val and test, in this order.
        run: Folder of the earlier run, for the message.

    Raises:
        DatasetError: It has: the figures would be too good, and say nothing about strangers.
    """
    held_out = [
        (split, photo, digest)
        for split in (VAL, TEST)
        for photo, digest in _pairs(_of_split(photos, split))
    ]
    # The epoch of the earlier run was chosen on its val, which may be val again.
    learned = {
        VAL: {each.digest for each in known if each.split in (TRAIN, EARLIER)},
        TEST: {each.digest for each in known if each.split != TEST},
    }
    alike = _find_alike(photos, known, scans)
    seen = [
        (split, photo)
        for at, (split, photo, digest) in enumerate(held_out)
        if digest in learned[split] or at in alike[split]
    ]
    if not seen:
        return
    counts = [f"{sum(each == split for each, _ in seen)} of {split}" for split in (VAL, TEST)]
    names = relative_names(photos.folder, [photo for _, photo in seen])
    raise DatasetError(
        f"{photos.folder}: the run {run.name} has learned from photos that are held out here: "
        f"{' and '.join(counts)} ({list_some(names)}). A model that starts from it knows them, so "
        f"every figure would be too good.",
        f"Curate again with `{join_words(['--keep-split', str(run)])}`: photos that it learned "
        f"from are then held out no more, and new ones take their places. Or train without --from.",
    )


def count_changes(photos: TrainingPhotos, known: Sequence[RunPhoto]) -> dict[str, TrainChanges]:
    """Count, class by class, by which photos train differs from that of an earlier run.

    Args:
        photos: The photos of the training.
        known: Photos of the earlier run.

    Returns:
        The counts of each class of both, those of the training first.
    """
    now = {digest: photo.label for photo, digest in _originals(photos.train)}
    before = {each.digest: each.label for each in known if each.split == TRAIN}
    trained = before.keys() | {each.digest for each in known if each.split == EARLIER}
    labels = dict.fromkeys((*photos.scheme.labels, *before.values()))
    return {
        label: TrainChanges(
            new=sum(each == label and digest not in trained for digest, each in now.items()),
            corrected=sum(
                each == label and before.get(digest, label) != label for digest, each in now.items()
            ),
            removed=sum(
                each == label and now.get(digest) != label for digest, each in before.items()
            ),
        )
        for label in labels
    }


def _find_alike(
    photos: TrainingPhotos, known: Sequence[RunPhoto], scans: Sequence[FileScan]
) -> dict[str, set[int]]:
    """Return which held-out photos look like one that is known and not in the set any more.

    Of those still in the set, curation has decided what belongs together.
    """
    here = {digest for split in SPLITS for digest in _of_split(photos, split).digests}
    gone = [each for each in known if each.digest not in here and each.phash is not None]
    readable = [at for at, scan in enumerate(scans) if scan.fault is None]
    asked = hash_array([scans[at].phash for at in readable])
    found: dict[str, set[int]] = {}
    for split, unlearned in ((VAL, (VAL, TEST)), (TEST, (TEST,))):
        of_run = [each for each in gone if each.split not in unlearned]
        hashes = [bits for each in of_run for bits in (each.phash, each.mirror) if bits is not None]
        pairs = find_close_pairs(hash_array(hashes), GROUP_BITS, asked)
        found[split] = {readable[at] for at in pairs.second.tolist()}
    return found


def _of_split(photos: TrainingPhotos, split: str) -> PhotoSet:
    return {TRAIN: photos.train, VAL: photos.val, TEST: photos.test}[split]


def _originals(photos: PhotoSet) -> list[tuple[CuratedPhoto, str]]:
    return [(photo, digest) for photo, digest in _pairs(photos) if photo.parent is None]


def _pairs(photos: PhotoSet) -> list[tuple[CuratedPhoto, str]]:
    return list(zip(photos.photos, photos.digests, strict=True))
