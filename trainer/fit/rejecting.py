"""Teach an exported network to measure how strange a photo is to it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.system.files import replace_file
from trainer.data.dataset import TrainingPhotos
from trainer.data.pixels import PixelReader, plain_batches
from trainer.network.classes import class_numbers
from trainer.network.onnx_strangeness import add_strangeness, read_depths
from trainer.network.strangeness import LEAST_PHOTOS, LIMIT, fit_strangeness

FITTED_PHOTOS = 400
"""Most training photos that the features are compared with, so that they cost seconds."""


def add_reject(path: Path, photos: TrainingPhotos, reader: PixelReader) -> float | None:
    """Add the output `strangeness` to an exported network, if there are photos enough to fit it.

    Args:
        path: The network, with one output; it is replaced.
        photos: Photos of the training. Variants are left out.
        reader: Reader of the photos.

    Returns:
        Strangeness above which a face is unlike those that were learned; None where it is not
        measured.
    """
    own = [photo for photo in photos.train.photos if photo.parent is None]
    fitted, val = _spread_evenly(own, FITTED_PHOTOS), photos.val.photos
    if min(len(fitted), len(val)) < LEAST_PHOTOS:
        return None
    network = path.read_bytes()
    found = fit_strangeness(
        read_depths(network, plain_batches(fitted, reader)),
        class_numbers(fitted, photos.scheme),
        read_depths(network, plain_batches(val, reader)),
    )
    if found is None:
        return None
    replace_file(path, add_strangeness(network, found))
    return LIMIT


def _spread_evenly(photos: Sequence[CuratedPhoto], most: int) -> list[CuratedPhoto]:
    """Return at most so many photos, evenly spread over all."""
    places = np.unique(np.linspace(0, len(photos) - 1, min(most, len(photos))).astype(int))
    return [photos[at] for at in places]
