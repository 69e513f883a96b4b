"""Measure the accuracy on worse photos: blurred, noisy, dark, compressed, small.

A corruption is a pure function of a face's pixels, the same on every run. It is applied at one
working size, whatever the size of the photo and the network's input, so that its strength has one
meaning.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np

from maskage.classes.scheme import Scheme
from maskage.console import Progress, no_progress
from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.inference.onnx_engine import OnnxEngine
from maskage.pictures.images import decode_image, encode_jpeg, resize_square
from maskage.records import RgbImage
from trainer.data.pixels import PixelReader, plain_batches
from trainer.evaluation.accuracies import Accuracies
from trainer.evaluation.metrics import count_confusion, measure_accuracies
from trainer.evaluation.score_tables import factor_heads, format_accuracies, format_heads
from trainer.network.classes import class_numbers

WORKING_PX = 224
"""Side at which a face is corrupted, px; for a network with a larger input, that input's side."""


def keep(pixels: RgbImage) -> RgbImage:
    """Return the pixels unchanged, which shows the effect of the working size alone."""
    return pixels


def blur(pixels: RgbImage, sigma: float) -> RgbImage:
    """Blur with a Gaussian of `sigma`, a fraction of the side above 0, like a lens out of focus."""
    blurred = cv2.GaussianBlur(pixels, (0, 0), sigma * pixels.shape[0])
    return blurred.astype(np.uint8, copy=False)


def add_noise(pixels: RgbImage, deviation: float) -> RgbImage:
    """Add Gaussian noise of `deviation` grey levels to each channel, as in poor light."""
    # Seeded by the picture: each picture has its own noise, whatever the order.
    chance = np.random.default_rng(zlib.crc32(pixels.tobytes()))
    noise = chance.standard_normal(pixels.shape, dtype=np.float32)
    return np.clip(np.rint(pixels + deviation * noise), 0, 255).astype(np.uint8)


def darken(pixels: RgbImage, light: float) -> RgbImage:
    """Keep a share of the light, 0 to 1, for a screen with a gamma of 2.2."""
    factor = light ** (1 / 2.2)
    return np.asarray(np.rint(pixels * np.float32(factor)), dtype=np.uint8)


def compress(pixels: RgbImage, quality: int) -> RgbImage:
    """Save as a JPEG of `quality`, 1 to 100, and read it again."""
    return decode_image(encode_jpeg(pixels, quality))


def make_small(pixels: RgbImage, side: int) -> RgbImage:
    """Shrink to a square of `side` px and enlarge again, like a face far away."""
    return resize_square(resize_square(pixels, side), pixels.shape[0])


@dataclass(frozen=True)
class Corruption:
    """One way in which photos get worse.

    Attributes:
        name: Kind of the corruption.
        strength: Its strength, for people.
        corrupt: Function from RGB uint8 (S, S, 3) to the same shape.
    """

    name: str
    strength: str
    corrupt: Callable[[RgbImage], RgbImage]


CORRUPTIONS = (
    Corruption("resized", "nothing else", keep),
    Corruption("blur", "1% of side", partial(blur, sigma=0.01)),
    Corruption("blur", "2% of side", partial(blur, sigma=0.02)),
    Corruption("noise", "15 of 255", partial(add_noise, deviation=15)),
    Corruption("noise", "40 of 255", partial(add_noise, deviation=40)),
    Corruption("dark", "40% of light", partial(darken, light=0.4)),
    Corruption("dark", "10% of light", partial(darken, light=0.1)),
    Corruption("jpeg", "quality 30", partial(compress, quality=30)),
    Corruption("jpeg", "quality 10", partial(compress, quality=10)),
    Corruption("small", "48 px", partial(make_small, side=48)),
    Corruption("small", "24 px", partial(make_small, side=24)),
)


@dataclass(frozen=True)
class CorruptedAccuracy:
    """The accuracy under one corruption.

    Attributes:
        name, strength: Kind and strength of the corruption.
        accuracies: Accuracy of the classes and of each factor.
    """

    name: str
    strength: str
    accuracies: Accuracies

    @property
    def accuracy(self) -> float:
        """Share of the photos with the right class, 0 to 1."""
        return self.accuracies.classes

    def as_dict(self) -> dict[str, Any]:
        """Return one element of `corruptions` in `--json`."""
        return {"name": self.name, "strength": self.strength, **self.accuracies.as_dict()}


class CorruptedReader(PixelReader):
    """A reader of corrupted photos at the network's size.

    In the threads of `plain_batches`, beside the network, 320 photos took 2% (blur) to 16% (noise)
    less time than one after the other, with MobileNetV2 at 192 px on two cores.

    Args:
        clean: Reader at the working size, shared by all corruptions so that a photo is decoded
            once.
        size: Side of the network's input, px.
        corruption: The corruption to apply.
    """

    def __init__(self, clean: PixelReader, size: int, corruption: Corruption) -> None:
        super().__init__(size, kept_bytes=0)
        self._clean = clean
        self._corruption = corruption

    def read(self, photo: CuratedPhoto) -> RgbImage:
        """Return a photo, corrupted, as RGB uint8 of shape (size, size, 3).

        Raises:
            UnreadableImageError: The file is not a complete picture.
        """
        return resize_square(self._corruption.corrupt(self._clean.read(photo)), self.size)


def measure_corruptions(
    engine: OnnxEngine,
    photos: Sequence[CuratedPhoto],
    size: int,
    corruptions: Sequence[Corruption] = CORRUPTIONS,
    progress: Progress = no_progress,
    *,
    scheme: Scheme,
) -> tuple[CorruptedAccuracy, ...]:
    """Run a network on the photos under each corruption.

    Args:
        engine: The network, with probabilities as output.
        photos: The photos, at least one.
        size: Side of the network's input, px.
        corruptions: The corruptions, in the order of the results.
        progress: Shows the number of corruptions done.
        scheme: The network's classes.

    Raises:
        UnreadableImageError: A file is not a complete picture.
    """
    clean = PixelReader(max(WORKING_PX, size))
    actual = class_numbers(photos, scheme)
    results = []
    for each in progress(corruptions, "corruptions", len(corruptions)):
        chances = engine.run_batches(plain_batches(photos, CorruptedReader(clean, size, each)))
        counts = count_confusion(actual, chances.argmax(axis=1), len(scheme))
        accuracies = measure_accuracies(counts, scheme)
        results.append(CorruptedAccuracy(each.name, each.strength, accuracies))
    return tuple(results)


def format_corruptions(clean: Accuracies, corrupted: Sequence[CorruptedAccuracy]) -> str:
    """Return the accuracies as a table of text.

    Args:
        clean: Accuracies of the unchanged photos.
        corrupted: The accuracies under each corruption.
    """
    widths = factor_heads(clean.factors, 10)
    lines = [f"{'corruption':<24}{'accuracy':>10}{'change':>10}{format_heads(widths)}"]
    own = format_accuracies(clean.factors, widths)
    lines.append(f"{'none':<24}{clean.classes:>10.2%}{'':>10}{own}".rstrip())
    for each in corrupted:
        change = (each.accuracy - clean.classes) * 100
        lines.append(
            f"{each.name:<10}{each.strength:<14}{each.accuracy:>10.2%}{change:>+10.2f}"
            f"{format_accuracies(each.accuracies.factors, widths)}"
        )
    return "\n".join(lines)
