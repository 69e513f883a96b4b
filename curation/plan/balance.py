"""Balance the classes of train in one of three ways; val and test stay as photographed.

Variants fill up the smaller classes, or photos of the larger ones are dropped, or the photos stay
and a photo of a rare class gets a higher weight.
"""

import random
from collections.abc import Mapping, Sequence

from curation.plan.plan import PlannedPhoto
from curation.plan.variants import VARIED, VariantNames, variant_of
from curation.settings import AUGMENT, CurationSettings

MAX_WEIGHT = 4.0
"""Largest weight of a photo, beside 1 in a class of average size, so that few photos do not
lead."""


def plan_variants(
    photos: Sequence[PlannedPhoto], labels: Sequence[str], settings: CurationSettings
) -> list[PlannedPhoto]:
    """Plan variants that bring every class of train up to the number wanted.

    Args:
        photos: Every photo of the dataset, planned and split, and the painted variants.
        labels: The classes.
        settings: With `balance` "augment" every class becomes as large as the largest, with
            `expand` at least that large; each photo gets at most `max_variants`.

    Returns:
        The variants, sorted by path, with unused names `<stem>__aug<N>.jpg` after their parents.
    """
    by_label = _train_by_label(photos, labels)
    target = wanted_count(photos, labels, settings)
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


def wanted_count(
    photos: Sequence[PlannedPhoto], labels: Sequence[str], settings: CurationSettings
) -> int:
    """Return the number of photos wanted in each class of train, with variants; 0 for no change."""
    largest = max(len(of_label) for of_label in _train_by_label(photos, labels).values())
    return max(settings.expand or 0, largest if settings.balance == AUGMENT else 0)


def choose_drops(
    photos: Sequence[PlannedPhoto], labels: Sequence[str], rank: Mapping[str, int]
) -> list[PlannedPhoto]:
    """Choose the photos to set aside so that every class of train is as small as the smallest.

    Groups take turns in keeping their best photo, so that nobody loses their last photo while
    someone else has two.

    Args:
        photos: Every photo of the dataset, planned and split.
        labels: The classes.
        rank: Rank of each path, the best photo first.

    Returns:
        The photos to set aside, sorted by path.
    """
    by_label = _train_by_label(photos, labels)
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
        label: min(total / (len(counts) * count), MAX_WEIGHT) for label, count in counts.items()
    }
    mean = sum(weights[label] * count for label, count in counts.items()) / total
    return {label: weight / mean for label, weight in weights.items()}


def _train_by_label(
    photos: Sequence[PlannedPhoto], labels: Sequence[str]
) -> dict[str, list[PlannedPhoto]]:
    found: dict[str, list[PlannedPhoto]] = {label: [] for label in labels}
    for photo in photos:
        if photo.kept and photo.split == "train":
            found[photo.label].append(photo)
    return found
