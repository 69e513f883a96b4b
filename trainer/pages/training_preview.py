"""Some training photos as training sees them: the photo, and the variants that it really drew."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskage.classes.scheme import Scheme
from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.records import RgbImage
from trainer.data.augment import Augmenter, seed_of_draw, seed_of_view, vary_colour, vary_framing
from trainer.data.dataset import PhotoSet
from trainer.data.pixels import PixelReader

VARIANTS = 6
EACH_CLASS = 2
MOST_PHOTOS = 24
"""Most photos of all classes together."""


@dataclass(frozen=True, eq=False)
class VariedPhoto:
    """A photo and variants of it, RGB uint8 (size, size, 3)."""

    photo: CuratedPhoto
    variants: tuple[RgbImage, ...]


@dataclass(frozen=True, eq=False)
class TrainingPreview:
    """Some variants of training photos, for a page.

    Attributes:
        photos: Some photos of each class.
        note: A sentence that says what the variants are.
    """

    photos: tuple[VariedPhoto, ...]
    note: str


def preview_views(
    train: PhotoSet, reader: PixelReader, views: int, *, scheme: Scheme
) -> TrainingPreview:
    """Return views that the head learned from; they follow from a photo's content alone.

    Args:
        train: Training photos.
        reader: Reads them at the network's size.
        views: Number of views of each photo, the unchanged one included; more than one.
        scheme: The classes.
    """
    augment = Augmenter(vary_framing)
    photos = []
    for at in _choose(train.photos, _choose_classes(scheme)):
        pixels, digest = reader.read(train.photos[at]), train.digests[at]
        seen = range(1, min(views, VARIANTS + 1))
        variants = tuple(augment(pixels, seed_of_view(digest, view)) for view in seen)
        photos.append(VariedPhoto(train.photos[at], variants))
    note = (
        f"The head learned from {views} views of each training photo: as it is, on the left, and "
        "varied in framing, light and sharpness."
    )
    return TrainingPreview(tuple(photos), note + _say_left_out(scheme))


def preview_epochs(
    train: PhotoSet,
    reader: PixelReader,
    epochs: int,
    seed: int,
    *,
    is_scratch: bool,
    scheme: Scheme,
) -> TrainingPreview:
    """Return the variants of the first epochs through the whole network.

    Args:
        train: Training photos.
        reader: Reads them at the network's size.
        epochs: Number of trained epochs, at least 1.
        seed: Seed of the training.
        is_scratch: True if it started from random weights.
        scheme: The classes.
    """
    augment = Augmenter(vary_colour if is_scratch else vary_framing)
    photos = []
    for at in _choose(train.photos, _choose_classes(scheme)):
        pixels = reader.read(train.photos[at])
        drawn = range(min(epochs, VARIANTS))
        variants = tuple(augment(pixels, seed_of_draw(seed, epoch, at)) for epoch in drawn)
        photos.append(VariedPhoto(train.photos[at], variants))
    what = "colour and light" if is_scratch else "framing, light and sharpness"
    note = (
        f"Each epoch draws each training photo anew, varied in {what}: on the left the photo, "
        "beside it what the first epochs saw."
    )
    return TrainingPreview(tuple(photos), note + _say_left_out(scheme))


def _choose_classes(scheme: Scheme) -> list[str]:
    """Return the classes that are shown: all, or some that are evenly spread over many."""
    places = np.linspace(0, len(scheme) - 1, min(len(scheme), MOST_PHOTOS)).astype(int)
    return [scheme.labels[at] for at in places]


def _say_left_out(scheme: Scheme) -> str:
    if len(scheme) <= MOST_PHOTOS:
        return ""
    return f" These are photos of {MOST_PHOTOS} of the {len(scheme)} classes."


def _choose(photos: Sequence[CuratedPhoto], labels: Sequence[str]) -> list[int]:
    """Return positions of some photos of each class, evenly spread, without variants on disk."""
    each_class = max(1, min(EACH_CLASS, MOST_PHOTOS // len(labels)))
    chosen = []
    for label in labels:
        of_class = [
            at for at, photo in enumerate(photos) if photo.label == label and photo.parent is None
        ]
        spread = np.linspace(0, len(of_class) - 1, min(each_class, len(of_class)) + 2)[1:-1]
        chosen += sorted({of_class[int(at)] for at in spread})
    return chosen
