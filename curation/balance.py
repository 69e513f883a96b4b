"""Filling up the smaller classes of train with augmented variants; val and test stay as taken."""

import random
from collections.abc import Sequence
from pathlib import PurePosixPath

from albumentations import Compose

from collector.images import read_image
from collector.records import LABELS, RgbImage
from curation.augment import vary_photo
from curation.plan import CurationPlan, PlannedPhoto

MAX_VARIANTS = 10
"""Most variants of one photo: beyond that the network learns the few photos by heart."""


def plan_variants(photos: Sequence[PlannedPhoto], seed: int) -> list[PlannedPhoto]:
    """Plan variants that bring every class of train up to the largest, sorted by path.

    Args:
        photos: Every photo of the dataset, planned and split.
        seed: Chooses which photos get one variant more than others.

    Returns:
        The variants, named `<stem>__aug<N>.jpg` after their parents, in names that are free.
    """
    train = [photo for photo in photos if photo.kept and photo.split == "train"]
    by_label = {label: [photo for photo in train if photo.label == label] for label in LABELS}
    target = max(len(of_label) for of_label in by_label.values())
    taken = {photo.path.casefold() for photo in photos}
    variants = []
    for label, parents in by_label.items():
        order = sorted(parents, key=lambda photo: photo.path)
        random.Random(f"{seed} {label}").shuffle(order)
        wanted = min(target - len(parents), MAX_VARIANTS * len(parents))
        # In rounds: everybody has n variants before anybody has n + 1.
        for number in range(wanted):
            parent = order[number % len(order)]
            path = _free_name(parent.path, number // len(order) + 1, taken)
            variants.append(_variant_of(parent, path))
    return sorted(variants, key=lambda photo: photo.path)


def make_variant(pipeline: Compose, plan: CurationPlan, variant: PlannedPhoto) -> RgbImage:
    """Make one planned variant from its parent in the dataset; the same for the same seed.

    Raises:
        UnreadableImageError: The parent has changed or gone since it was planned.
    """
    pixels = read_image(plan.root / (variant.parent or ""))
    return vary_photo(pipeline, pixels, f"{plan.settings.seed} {variant.path}")


def _free_name(path: str, number: int, taken: set[str]) -> str:
    stem = PurePosixPath(path).with_suffix("")
    while (name := f"{stem}__aug{number}.jpg").casefold() in taken:
        number += 1
    taken.add(name.casefold())
    return name


def _variant_of(parent: PlannedPhoto, path: str) -> PlannedPhoto:
    return PlannedPhoto(
        path=path,
        label=parent.label,
        kept=True,
        group=parent.group,
        split=parent.split,
        parent=parent.path,
    )
