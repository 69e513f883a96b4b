"""The photos of a training, with the digest of each file and of all files."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
from maskage.errors import UnreadableImageError
from maskage.formats.classes.classes_file import require_same_classes
from maskage.formats.curated.class_weights import read_class_weights
from maskage.formats.curated.curated_set import (
    SPLITS,
    CuratedDataset,
    CuratedPhoto,
    digest_set,
    read_curated,
)
from maskage.formats.curated.curation_file import NOTHING
from maskage.outside_text import path_to_text
from trainer.network.classes import class_numbers, class_weights

TRAIN, VAL, TEST = SPLITS


@dataclass(frozen=True)
class PhotoSet:
    """The photos of one split.

    Attributes:
        photos: The photos, sorted by path.
        digests: sha256 of each photo's file, 64 hex digits.
    """

    photos: tuple[CuratedPhoto, ...]
    digests: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.photos)


@dataclass(frozen=True, kw_only=True)
class TrainingPhotos:
    """The photos of a curated folder.

    Attributes:
        folder: Path of the curated folder, absolute.
        train, val, test: The splits.
        digest: sha256 over all photos with their split and label, 64 hex digits.
        scheme: The C classes.
        class_weights: Weight of a training photo of each class, shape (C,): from `curate --balance
            weights`, or so that all classes count alike.
        caveat: How little a score on these photos says, for people; None if nothing is known
            against it.
    """

    folder: Path
    train: PhotoSet
    val: PhotoSet
    test: PhotoSet
    digest: str
    scheme: Scheme
    class_weights: NDArray[np.float32]
    caveat: str | None = None

    @property
    def measured_split(self) -> str:
        """The split that a model is measured on: "test", or "val" where there is no test."""
        return TEST if self.test.photos else VAL

    @property
    def measured(self) -> PhotoSet:
        """The photos of `measured_split`."""
        return self.test if self.test.photos else self.val

    @property
    def learned(self) -> list[CuratedPhoto]:
        """The photos that training saw and that a model is not measured on."""
        return [*self.train.photos, *(self.val.photos if self.test.photos else ())]

    @property
    def counts(self) -> dict[str, int]:
        """Number of photos of each split."""
        return {"train": len(self.train), "val": len(self.val), "test": len(self.test)}


def read_training_photos(
    folder: Path, scheme: Scheme | None = None, owner: str = ""
) -> TrainingPhotos:
    """Read a curated folder and compute the digest of every file.

    Args:
        folder: The curated folder.
        scheme: Classes to number the labels by; None for those of the folder.
        owner: What has `scheme`, for a message: "the run runs/mine".

    Raises:
        DatasetError: A split or class is missing or empty, or the folder has other classes than
            `scheme`.
        UnreadableImageError: A file cannot be read.
    """
    curated = read_curated(folder, may_lack_test=True)
    if scheme is None:
        scheme = curated.scheme
    require_same_classes(curated.scheme, scheme.labels, str(folder), owner)
    chosen = read_class_weights(curated.folder, scheme.labels)
    sets, files = {}, {}
    for split in SPLITS:
        photos = curated.photos(split)
        digests = digest_files(photos)
        sets[split] = PhotoSet(tuple(photos), digests)
        for photo, digest in zip(photos, digests, strict=True):
            files[photo.path.relative_to(curated.folder).as_posix()] = digest
    weights = (
        np.array([chosen[label] for label in scheme.labels], np.float32)
        if chosen is not None
        else class_weights(class_numbers(sets["train"].photos, scheme), len(scheme))
    )
    return TrainingPhotos(
        folder=curated.folder,
        **sets,
        digest=digest_set(files, scheme.labels),
        scheme=scheme,
        class_weights=weights,
        caveat=caveat_of(curated),
    )


def caveat_of(curated: CuratedDataset) -> str | None:
    """Return how little a score on a set says, for people; None if nothing is known against it."""
    record = curated.curation
    # A test that somebody put into a set that was made without one: nothing is known of it.
    if record is None or (record.held_out == NOTHING and curated.splits[TEST]):
        return None
    return record.caveat


def photos_per_epoch(photographed: int, variants: int) -> int:
    """Return how many training photos an epoch of fine-tuning draws: as many as were photographed.

    Variants that curation made, of small classes or with painted masks, take turns with the photos,
    so that they add variety and no time. It is at least half of all, because a set may have few
    photos and many variants.

    Args:
        photographed: Number of training photos that are no variants.
        variants: Number of the others.
    """
    return max(photographed, -(-(photographed + variants) // 2))


def count_drawn(photos: Sequence[CuratedPhoto]) -> int:
    """Return how many of these training photos an epoch of fine-tuning draws."""
    variants = count_variants(photos)
    return photos_per_epoch(len(photos) - variants, variants)


def count_variants(photos: Sequence[CuratedPhoto]) -> int:
    """Return how many photos are variants that curation made of others."""
    return sum(photo.parent is not None for photo in photos)


def digest_files(photos: Sequence[CuratedPhoto]) -> tuple[str, ...]:
    """Return the sha256 of each photo's file, 64 hex digits.

    Raises:
        UnreadableImageError: A file cannot be read.
    """
    return tuple(_digest(photo.path) for photo in photos)


def relative_names(folder: Path, photos: Sequence[CuratedPhoto]) -> list[str]:
    """Return each photo's path relative to `folder`, POSIX, as text (see `path_to_text`)."""
    return [path_to_text(photo.path.relative_to(folder).as_posix()) for photo in photos]


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as fault:
        raise UnreadableImageError(f"{path}: cannot be read ({fault.strerror}).") from fault
