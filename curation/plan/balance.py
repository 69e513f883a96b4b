"""Making the classes of train even, in one of three ways; val and test stay as photographed.

Variants fill up the smaller classes, or the larger ones are thinned out, or the photos stay as they
are and a photo of a rare class counts for more.
"""

import random
from collections.abc import Mapping, Sequence

from curation.plan.plan import PlannedPhoto
from curation.plan.variants import VARIED, VariantNames, variant_of
from curation.settings import AUGMENT, CurationSettings
from maskage.records import LABELS, Label

MAX_WEIGHT = 4.0
"""A photo of a rare class counts at most so much more than one of a class of average size: a
handful of photos must not lead."""


def plan_variants(photos: Sequence[PlannedPhoto], settings: CurationSettings) -> list[PlannedPhoto]:
    """Plan variants that bring every class of train up to the number wanted, sorted by path.

    Args:
        photos: Every photo of the dataset, planned and split, and what was painted.
        settings: With `balance` "augment" every class is to be as large as the largest, with
            `expand` at least that large; at most `max_variants` of one photo.

    Returns:
        The variants, named `<stem>__aug<N>.jpg` after their parents, in names that are free.
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
        # In rounds: everybody has n variants before anybody has n + 1.
        for number in range(wanted):
            parent = order[number % len(order)]
            path = names.name(parent, label, VARIED, number // len(order) + 1)
            variants.append(variant_of(parent, path, label))
    return sorted(variants, key=lambda photo: photo.path)


def wanted_count(photos: Sequence[PlannedPhoto], settings: CurationSettings) -> int:
    """How many photos each class of train is to have, variants among them; 0 for as many as are."""
    largest = max(len(of_label) for of_label in _train_by_label(photos).values())
    return max(settings.expand or 0, largest if settings.balance == AUGMENT else 0)


def choose_drops(photos: Sequence[PlannedPhoto], rank: Mapping[str, int]) -> list[PlannedPhoto]:
    """The photos to set aside so that every class of train is as small as the smallest.

    Groups take turns to keep their best photo, so that no person is lost before another has but
    one photo left.

    Args:
        photos: Every photo of the dataset, planned and split.
        rank: Place of each path, the best photo first.

    Returns:
        The photos that go, sorted by path.
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


def weigh_classes(counts: Mapping[Label, int]) -> dict[Label, float]:
    """What a photo of each class counts so that all classes count alike; the mean photo counts 1.

    Args:
        counts: Photos of each class in train, all above 0.
    """
    total = sum(counts.values())
    weights = {label: min(total / (len(LABELS) * counts[label]), MAX_WEIGHT) for label in LABELS}
    mean = sum(weights[label] * counts[label] for label in LABELS) / total
    return {label: weight / mean for label, weight in weights.items()}


def _train_by_label(photos: Sequence[PlannedPhoto]) -> dict[Label, list[PlannedPhoto]]:
    train = [photo for photo in photos if photo.kept and photo.split == "train"]
    return {label: [photo for photo in train if photo.label == label] for label in LABELS}
