"""Draw random variants of training photos, at the size of the network's input.

The variants of `curation` fill up small classes once, on disk; these are drawn again in each epoch.
None of them covers the lower face, which would look like a mask.
"""

import threading
from collections.abc import Callable
from typing import Any

import albumentations as A  # noqa: N812  its documentation's name for it
import cv2
import numpy as np

from maskage.records import RgbImage


class Augmenter:
    """An augmentation of photos that any thread may call.

    The same photo and seed give the same variant in any thread.

    Args:
        make_pipeline: `vary_framing` or `vary_colour`.
    """

    def __init__(self, make_pipeline: Callable[[], Any]) -> None:
        self._make_pipeline = make_pipeline
        self._local = threading.local()

    def __call__(self, pixels: RgbImage, seed: int) -> RgbImage:
        """Return a variant of a photo, RGB uint8 (H, W, 3), of the same shape.

        Args:
            pixels: The photo, RGB uint8, shape (H, W, 3).
            seed: Seed, 0 to 2**32 - 1.
        """
        pipeline = getattr(self._local, "pipeline", None)
        if pipeline is None:
            pipeline = self._local.pipeline = self._make_pipeline()
        pipeline.set_random_seed(seed)
        variant: RgbImage = pipeline(image=pixels)["image"]
        return variant


def mix_seed(*parts: int) -> int:
    """Mix several numbers into one seed, 0 to 2**32 - 1."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def seed_of_view(digest: str, view: int) -> int:
    """Return the seed of a photo's view, from its sha256, so that views can be cached."""
    return mix_seed(int(digest[:8], 16), view)


def seed_of_draw(seed: int, epoch: int, at: int) -> int:
    """Return the seed for photo number `at`, from 0, in an epoch of a training."""
    return mix_seed(seed, epoch, at)


def vary_framing() -> Any:
    """Build the augmentation for a pretrained network: much zoom and shift, little colour.

    The framing differs between sources of photos and must not be a sign of the class. The network
    already knows colours.

    Source:
        Zoom 0.6 to 1.5 with shifts gave 92.0-92.5% on photos from other sources (DESIGN.md).
    """
    return A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            _move(zoom=(0.6, 1.5), shift=0.12, turn=15),
            A.RandomBrightnessContrast(brightness_limit=0.25, contrast_limit=0.25, p=0.7),
            A.HueSaturationValue(hue_shift_limit=6, sat_shift_limit=25, val_shift_limit=0, p=0.3),
            A.ToGray(p=0.05),
            A.OneOf(
                [
                    A.GaussianBlur(blur_limit=(3, 5)),
                    A.Downscale(scale_range=(0.35, 0.8)),
                    A.ImageCompression(quality_range=(35, 85)),
                    A.GaussNoise(std_range=(0.02, 0.08)),
                ],
                p=0.4,
            ),
        ]
    )


def vary_colour() -> Any:
    """Build the augmentation for random weights: much colour, little framing, no degradation.

    With few photos the network would recognise a mask by the colours it saw. Degraded photos slow
    it: with blur, noise and grey, 87% of the frames of unseen rendered people were right after 960
    steps of MobileNetV2 0.35 at 64 px; without them and with a higher rate, 98% after 1,080 steps.
    """
    return A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            _move(zoom=(0.85, 1.2), shift=0.06, turn=10),
            A.RandomBrightnessContrast(brightness_limit=0.35, contrast_limit=0.35, p=0.8),
            A.HueSaturationValue(hue_shift_limit=20, sat_shift_limit=40, val_shift_limit=0, p=0.6),
            A.RGBShift(r_shift_limit=30, g_shift_limit=30, b_shift_limit=30, p=0.5),
        ]
    )


def _move(zoom: tuple[float, float], shift: float, turn: float) -> Any:
    return A.Affine(
        scale=zoom,
        translate_percent=(-shift, shift),
        rotate=(-turn, turn),
        # No black corners, which would distinguish a variant from a photo.
        border_mode=cv2.BORDER_REFLECT_101,
        p=0.9,
    )
