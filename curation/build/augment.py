"""Make variants of a photo that keep its label: changes of light, camera and pose only.

No cut-outs and no erasing (a patch over the mouth imitates a mask), no heavy blur (it hides the
wrinkles that make a face old), no strong colour shifts (a mask often stands out by its colour).
"""

import random

import albumentations as A  # noqa: N812  under its usual name
import cv2

from curation.masks.painting import paint_mask_on
from curation.plan.plan import CurationPlan, PlannedPhoto
from maskage.pictures.images import read_image
from maskage.records import RgbImage


def make_pipeline() -> A.Compose:
    """Return the label-safe pipeline; it changes the values but not the size of a picture."""
    return A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.Affine(
                rotate=(-12, 12),
                scale=(0.92, 1.1),
                translate_percent=(-0.04, 0.04),
                border_mode=cv2.BORDER_REFLECT_101,
                p=0.9,
            ),
            A.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0.2, p=0.8),
            A.HueSaturationValue(hue_shift_limit=6, sat_shift_limit=15, val_shift_limit=10, p=0.5),
            A.OneOf(
                [
                    A.GaussianBlur(blur_limit=(3, 3), sigma_limit=(0.3, 0.8)),
                    A.GaussNoise(std_range=(0.01, 0.04)),
                ],
                p=0.4,
            ),
            A.ImageCompression(quality_range=(60, 95), p=0.3),
        ]
    )


def vary_photo(pipeline: A.Compose, pixels: RgbImage, seed: str) -> RgbImage:
    """Make a variant of a photo.

    Args:
        pipeline: The pipeline, from `make_pipeline`.
        pixels: RGB uint8, shape (H, W, 3).
        seed: The same seed and pixels give the same variant, whatever was made before.

    Returns:
        RGB uint8, shape (H, W, 3).
    """
    pipeline.set_random_seed(random.Random(seed).getrandbits(32))
    varied: RgbImage = pipeline(image=pixels)["image"]
    return varied


def make_variant(pipeline: A.Compose, plan: CurationPlan, variant: PlannedPhoto) -> RgbImage:
    """Make one planned variant from its parent in the dataset; the same for the same seed.

    Raises:
        UnreadableImageError: The parent was changed or removed since it was planned.
    """
    seed = f"{plan.settings.seed} {variant.path}"
    pixels = read_image(plan.root / (variant.parent or ""))
    if (painting := variant.painting) is not None:
        lender = painting.lender
        lent = None if lender is None else read_image(plan.root / lender.path)
        # A painted photo is not varied: a reflected border could show a second mask.
        return paint_mask_on(pixels, painting, seed, lent)
    return vary_photo(pipeline, pixels, seed)
