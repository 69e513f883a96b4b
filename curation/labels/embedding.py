"""Compute features of pictures in which similar faces lie near each other, for the check of labels.

The features come from MobileNetV2 with ImageNet weights where these are here or can be downloaded,
else from a descriptor of edges and colours, which needs nothing and finds less; a notice then says
so.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from maskage.console import Progress, no_progress
from maskage.errors import MissingDownloadError
from maskage.inference.imagenet_weights import KERAS_HOST, fetch_weights, keras_cache
from maskage.inference.keras_setup import BACKENDS, import_keras, wanted_backend
from maskage.pictures.images import resize_square
from maskage.records import RgbImage
from maskage.security.files import UnsafeFileError
from maskage.security.keras_weights import load_checked_weights, read_weights_file

FeatureArray = NDArray[np.float32]
Maps = NDArray[np.float32]

WEIGHTS_FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
WEIGHTS_URL = f"{KERAS_HOST}/mobilenet_v2"
NETWORK_SIDE_PX = 224
INNER_LAYER, LAST_LAYER = "block_13_expand_relu", "out_relu"
"""Layers that features are taken from.

The age shows in wrinkles and hair, which an inner layer still sees: with it 92.0% of 1,757 photos
were right out of fold, with the last layer alone 90.5%.
"""
BATCH_SIZE = 32

DESCRIPTOR_SIDE_PX = 96
CELL_PX = 12
ORIENTATIONS = 9
COLOUR_CELLS = 8

T = TypeVar("T")

_Describe = Callable[[Sequence[RgbImage]], FeatureArray]


@dataclass(frozen=True, eq=False)
class Embedding:
    """The features of pictures.

    Attributes:
        features: Features, float32, shape (N, D), one row for each picture, in their order.
        notice: Notice for the user where the descriptor was used, or None.
    """

    features: FeatureArray
    notice: str | None = None


def embed_pictures(
    pictures: Iterable[RgbImage], total: int, progress: Progress = no_progress
) -> Embedding:
    """Compute the features of pictures, with MobileNetV2 where its ImageNet weights are available.

    Args:
        pictures: Pictures, RGB uint8, shape (H, W, 3) each; sizes may differ. They are taken in
            batches of `BATCH_SIZE`, so a generator keeps memory small.
        total: Number of pictures, for `progress`.
        progress: Shows the number of pictures done.

    Returns:
        The features, with a notice where the weights were missing.
    """
    try:
        describe, notice = _open_network(), None
    except MissingDownloadError as fault:
        describe, notice = describe_plainly, str(fault)
    watched = iter(progress(pictures, "comparing photos", total))
    parts = [describe(batch) for batch in batches(watched)]
    features = np.concatenate(parts) if parts else np.empty((0, 0), np.float32)
    return Embedding(features, notice)


def describe_plainly(pictures: Sequence[RgbImage]) -> FeatureArray:
    """Describe pictures by their edges and colours, which is coarse but needs no download.

    The features are histograms of oriented gradients, each block of 2 x 2 cells scaled to length 1,
    and mean colours on a grid. OpenCV 5 no longer has `HOGDescriptor`.

    Args:
        pictures: Pictures, RGB uint8, shape (H, W, 3) each.

    Returns:
        Features, float32, shape (N, 1956).

    Source:
        Dalal and Triggs, Histograms of oriented gradients for human detection, 2005.
    """
    return np.stack([_describe_picture(pixels) for pixels in pictures])


def _describe_picture(pixels: RgbImage) -> FeatureArray:
    small = resize_square(pixels, DESCRIPTOR_SIDE_PX)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32) / np.float32(255)
    colours = cv2.resize(lab, (COLOUR_CELLS, COLOUR_CELLS), interpolation=cv2.INTER_AREA)
    return np.concatenate([_gradient_histograms(lab[..., 0]), colours.ravel()]).astype(np.float32)


def _gradient_histograms(grey: FeatureArray) -> FeatureArray:
    """Return the HOG of a square float32 picture: blocks of 2 x 2 cells, unsigned orientations."""
    across, down = (cv2.Sobel(grey, cv2.CV_32F, dx, 1 - dx) for dx in (1, 0))
    bins = np.arctan2(down, across) % np.pi * (ORIENTATIONS / np.pi)
    distance = np.abs(bins[..., None] - np.arange(ORIENTATIONS))
    # A gradient is shared between the two nearest orientations, of which the last is next to the
    # first.
    shares = np.maximum(0, 1 - np.minimum(distance, ORIENTATIONS - distance))
    shares *= np.hypot(across, down)[..., None]
    count = len(grey) // CELL_PX
    cells = shares.reshape(count, CELL_PX, count, CELL_PX, ORIENTATIONS).mean(axis=(1, 3))
    blocks = np.concatenate(
        [cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]], axis=-1
    )
    length = np.linalg.norm(blocks, axis=-1, keepdims=True)
    # The constant keeps noise on an even wall from counting as an edge.
    normalised: FeatureArray = (blocks / (length + 0.02)).ravel()
    return normalised


def open_layers(side_px: int, layers: Sequence[str]) -> Callable[[Sequence[RgbImage]], list[Maps]]:
    """Return a function from pictures to the maps of some layers of MobileNetV2.

    Args:
        side_px: Side that pictures are resized to, px.
        layers: Names of the layers.

    Returns:
        A function that takes pictures, RGB uint8 (H, W, 3) each, and returns the maps of each
        layer, float32, shape (N, h, w, channels).

    Raises:
        MissingDownloadError: Its weights are missing and cannot be downloaded, or are damaged.
    """
    # A backend that is set for other programs must not prevent the check of labels.
    keras = import_keras(wanted_backend() if wanted_backend() in BACKENDS else BACKENDS[0])
    path = _obtain_weights()
    network = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(side_px, side_px, 3)
    )
    try:
        load_checked_weights(network, read_weights_file(path, network), path.name)
    except UnsafeFileError as fault:
        raise MissingDownloadError(
            _notice(f"{path} is damaged ({fault})", "Remove it to download it again")
        ) from fault
    model = keras.Model(network.input, [network.get_layer(name).output for name in layers])

    def look(pictures: Sequence[RgbImage]) -> list[Maps]:
        images = np.stack([resize_square(pixels, side_px) for pixels in pictures])
        scaled = images.astype(np.float32) / 127.5 - 1
        return [np.asarray(maps, dtype=np.float32) for maps in model.predict_on_batch(scaled)]

    return look


def _open_network() -> _Describe:
    """Return MobileNetV2 as a function from pictures to features; see `open_layers`."""
    look = open_layers(NETWORK_SIDE_PX, (INNER_LAYER, LAST_LAYER))

    def describe(pictures: Sequence[RgbImage]) -> FeatureArray:
        return np.concatenate([maps.mean(axis=(1, 2)) for maps in look(pictures)], axis=1)

    return describe


def _obtain_weights() -> Path:
    path = keras_cache() / WEIGHTS_FILE
    if path.is_file():
        return path
    try:
        return fetch_weights(WEIGHTS_FILE, WEIGHTS_URL)
    except MissingDownloadError as fault:
        raise MissingDownloadError(
            _notice(
                f"the ImageNet weights of MobileNetV2 are not at {path} and could not be "
                f"downloaded ({fault})",
                f"Put the file there (from {WEIGHTS_URL}/{WEIGHTS_FILE}), or set KERAS_HOME to a "
                f"folder that has it under models/",
            )
        ) from fault


def _notice(found: str, way_out: str) -> str:
    return (
        f"Labels were checked by edges and colours only, which finds fewer wrong labels and doubts "
        f"more right ones, because {found}. {way_out}."
    )


def batches(pictures: Iterator[T]) -> Iterator[list[T]]:
    """Yield pictures, or what holds them, in lists of `BATCH_SIZE`, the last one maybe shorter."""
    while batch := list(islice(pictures, BATCH_SIZE)):
        yield batch
