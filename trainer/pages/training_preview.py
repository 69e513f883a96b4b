"""Some training photos as training sees them: as they are, and the variants it really drew."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskage.formats.curated_set import CuratedPhoto
from maskage.records import LABELS, RgbImage
from trainer.data.augment import Augmenter, seed_of_draw, seed_of_view, vary_colour, vary_framing
from trainer.data.dataset import PhotoSet
from trainer.data.pixels import PixelReader

VARIANTS = 6
EACH_CLASS = 2


@dataclass(frozen=True, eq=False)
class VariedPhoto:
    """A photo and variants of it, RGB uint8 (size, size, 3)."""

    photo: CuratedPhoto
    variants: tuple[RgbImage, ...]


@dataclass(frozen=True, eq=False)
class TrainingPreview:
    """What of training's variants is shown.

    Attributes:
        photos: Some of each class.
        note: What the variants are, for people.
    """

    photos: tuple[VariedPhoto, ...]
    note: str


def preview_views(train: PhotoSet, reader: PixelReader, views: int) -> TrainingPreview:
    """The views that the head learned from: the variants of a photo's content, the same each run.

    Args:
        train: Training photos.
        reader: Reads them at the network's size.
        views: How many there are of each, the photo as it is included; more than one.
    """
    augment = Augmenter(vary_framing)
    photos = []
    for at in _choose(train.photos):
        pixels, digest = reader.read(train.photos[at]), train.digests[at]
        seen = range(1, min(views, VARIANTS + 1))
        variants = tuple(augment(pixels, seed_of_view(digest, view)) for view in seen)
        photos.append(VariedPhoto(train.photos[at], variants))
    note = (
        f"The head learned from {views} views of each training photo: as it is, on the left, and "
        "varied in framing, light and sharpness."
    )
    return TrainingPreview(tuple(photos), note)


def preview_epochs(
    train: PhotoSet, reader: PixelReader, epochs: int, seed: int, *, is_scratch: bool
) -> TrainingPreview:
    """The variants of the first epochs through the whole network.

    Args:
        train: Training photos.
        reader: Reads them at the network's size.
        epochs: Trained, at least 1.
        seed: Of the training.
        is_scratch: Whether it started from random weights.
    """
    augment = Augmenter(vary_colour if is_scratch else vary_framing)
    photos = []
    for at in _choose(train.photos):
        pixels = reader.read(train.photos[at])
        drawn = range(min(epochs, VARIANTS))
        variants = tuple(augment(pixels, seed_of_draw(seed, epoch, at)) for epoch in drawn)
        photos.append(VariedPhoto(train.photos[at], variants))
    what = "colour and light" if is_scratch else "framing, light and sharpness"
    note = (
        f"Each epoch draws each training photo anew, varied in {what}: on the left the photo, "
        "beside it what the first epochs saw."
    )
    return TrainingPreview(tuple(photos), note)


def _choose(photos: Sequence[CuratedPhoto]) -> list[int]:
    """Positions of some photos of each class, spread evenly over it; no variants from the disk."""
    chosen = []
    for label in LABELS:
        of_class = [
            at for at, photo in enumerate(photos) if photo.label is label and photo.parent is None
        ]
        spread = np.linspace(0, len(of_class) - 1, min(EACH_CLASS, len(of_class)) + 2)[1:-1]
        chosen += sorted({of_class[int(at)] for at in spread})
    return chosen
