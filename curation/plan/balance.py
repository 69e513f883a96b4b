"""Balance the classes of train in one of three ways; val and test stay as photographed.

Variants fill up the smaller classes, or photos of the larger ones are dropped, or the photos stay
and a photo of a rare class gets a higher weight.
"""

import random
from collections.abc import Mapping, Sequence

from curation.plan.plan import PlannedPhoto
from curation.plan.variants import VARIED, VariantNames, variant_of
from curation.settings import AUGMENT, CurationSettings
from maskage.classes.ready_made import MASK_AGE

MAX_WEIGHT = 4.0
"""Largest weight of a photo, beside 1 in a class of average size, so that few photos do not
lead."""


def plan_variants(photos: Sequence[PlannedPhoto], settings: CurationSettings) -> list[PlannedPhoto]:
    """Plan variants that bring every class of train up to the number wanted.

    Args:
        photos: Every photo of the dataset, planned and split, and the painted variants.
        settings: With `balance` "augment" every class becomes as large as the largest, with
            `expand` at least that large; each photo gets at most `max_variants`.

    Returns:
        The variants, sorted by path, with unused names `<stem>__aug<N>.jpg` after their parents.
    """
    by_label = _train_by_label(photos)
    target = wanted_count(photos, settings)
    names = VariantNames([photo.path for photo in photos])
    variants = []
    for label, of_label in by_label.items():
        parents = [photo for photo in of_label if photo.parent is None]
        order = sorted(parents, key=lambda photo: photo.path)
        random.Random(f"{settings.seed} {label}").shuffle(order)
        wanted = min(target - len(of_label), settings.max_variants * len(parents))
        # In rounds: every photo has n variants before any has n + 1.
        for number in range(wanted):
            parent = order[number % len(order)]
            path = names.name(parent, label, VARIED, number // len(order) + 1)
            variants.append(variant_of(parent, path, label))
    return sorted(variants, key=lambda photo: photo.path)


def wanted_count(photos: Sequence[PlannedPhoto], settings: CurationSettings) -> int:
    """Return the number of photos wanted in each class of train, with variants; 0 for no change."""
    largest = max(len(of_label) for of_label in _train_by_label(photos).values())
    return max(settings.expand or 0, largest if settings.balance == AUGMENT else 0)


def choose_drops(photos: Sequence[PlannedPhoto], rank: Mapping[str, int]) -> list[PlannedPhoto]:
    """Choose the photos to set aside so that every class of train is as small as the smallest.

    Groups take turns in keeping their best photo, so that nobody loses their last photo while
    someone else has two.

    Args:
        photos: Every photo of the dataset, planned and split.
        rank: Rank of each path, the best photo first.

    Returns:
        The photos to set aside, sorted by path.
    """
    by_label = _train_by_label(photos)
    target = min(len(of_label) for of_label in by_label.values())
    dropped = []
    for of_label in by_label.values():
        taken: dict[str, int] = {}
        turns = {}
        for photo in sorted(of_label, key=lambda photo: rank[photo.path]):
            turns[photo.path] = taken.setdefault(photo.group, 0), rank[photo.path]
            taken[photo.group] += 1
        dropped += sorted(of_label, key=lambda photo: turns[photo.path])[target:]
    return sorted(dropped, key=lambda photo: photo.path)


def weigh_classes(counts: Mapping[str, int]) -> dict[str, float]:
    """Return the weight of a photo of each class so that all classes count alike.

    Args:
        counts: Number of photos of each class in train, all above 0.

    Returns:
        The weights, with a mean of 1 over all photos.
    """
    total = sum(counts.values())
    weights = {
        label: min(total / (len(MASK_AGE) * counts[label]), MAX_WEIGHT) for label in MASK_AGE.labels
    }
    mean = sum(weights[label] * counts[label] for label in MASK_AGE.labels) / total
    return {label: weight / mean for label, weight in weights.items()}


def _train_by_label(photos: Sequence[PlannedPhoto]) -> dict[str, list[PlannedPhoto]]:
    train = [photo for photo in photos if photo.kept and photo.split == "train"]
    return {label: [photo for photo in train if photo.label == label] for label in MASK_AGE.labels}
