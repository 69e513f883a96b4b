"""Split photos into train, val and test by whole groups, so that no person is on two sides."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from curation.plan.allocation import allocate_groups
from curation.plan.groups import describe_links
from curation.settings import DEFAULT_RATIO, Ratio
from maskage.defaults import DEFAULT_SEED
from maskage.errors import DatasetError
from maskage.formats.curated_set import SPLITS
from maskage.records import Photo


def assign_groups(
    photos: Sequence[Photo],
    groups: Sequence[int],
    labels: Sequence[str],
    ratio: Ratio = DEFAULT_RATIO,
    seed: int = DEFAULT_SEED,
) -> list[str]:
    """Put whole groups into splits so that each class is divided as `ratio` says.

    Args:
        photos: Photos to split.
        groups: Group number of each photo.
        labels: The classes.
        ratio: Shares of train, val and test; they sum to 1.
        seed: Seed that breaks ties.

    Returns:
        The split of each photo, whatever the order of the photos.

    Raises:
        DatasetError: There are too few groups for every class to be in every split.
    """
    order = sorted(range(len(photos)), key=lambda index: photos[index].path)
    ordered = [photos[index] for index in order]
    rank: dict[int, int] = {}
    numbers = [rank.setdefault(groups[index], len(rank)) for index in order]
    column = {label: place for place, label in enumerate(labels)}
    contents = np.zeros((len(rank), len(labels)))
    for photo, number in zip(ordered, numbers, strict=True):
        contents[number, column[photo.label]] += 1
    require_enough_groups(photos, groups, labels)
    chosen = allocate_groups(contents, ratio, seed)
    splits = [SPLITS[0]] * len(photos)
    for index, number in zip(order, numbers, strict=True):
        splits[index] = SPLITS[chosen[number]]
    return splits


def assign_at_random(
    photos: Sequence[Photo],
    labels: Sequence[str],
    ratio: Ratio = DEFAULT_RATIO,
    seed: int = DEFAULT_SEED,
) -> list[str]:
    """Return the split that `splitfolders.ratio(seed=seed, ratio=ratio)` would make.

    Each class is sorted, shuffled by Python's generator and cut by itself, without regard to people
    and near-duplicates. `materialise` lets split-folders do it and compares.
    """
    split_of: dict[str, str] = {}
    for label in labels:
        paths = sorted(photo.path for photo in photos if photo.label == label)
        random.Random(seed).shuffle(paths)
        train = int(ratio[0] * len(paths))
        val = train + int(ratio[1] * len(paths))
        for position, path in enumerate(paths):
            split_of[path] = SPLITS[(position >= train) + (position >= val)]
    return [split_of[photo.path] for photo in photos]


def find_straddlers(groups: Sequence[int], splits: Sequence[str]) -> list[int]:
    """Return the groups with photos in more than one split, sorted."""
    found: dict[int, set[str]] = {}
    for group, split in zip(groups, splits, strict=True):
        found.setdefault(group, set()).add(split)
    return sorted(group for group, of_group in found.items() if len(of_group) > 1)


def require_enough_groups(
    photos: Sequence[Photo], groups: Sequence[int], labels: Sequence[str]
) -> None:
    """Check that each class comes from at least as many groups as there are splits.

    Raises:
        DatasetError: A class does not; the message says from how many groups it comes, and how to
            continue.
    """
    of_class = {
        label: {group for photo, group in zip(photos, groups, strict=True) if photo.label == label}
        for label in labels
    }
    short = {label: len(found) for label, found in of_class.items() if len(found) < len(SPLITS)}
    if not short:
        return
    biggest, _ = Counter(groups).most_common(1)[0]
    tied = [photo for photo, group in zip(photos, groups, strict=True) if group == biggest]
    shown = ", ".join(f"{label} from {count}" for label, count in short.items())
    raise DatasetError(
        f"There are too few different people for an honest split: {shown} "
        f"group{'' if set(short.values()) == {1} else 's'} of photos that belong together, and "
        f"train, val and test need one each. The largest group has {len(tied)} of {len(photos)} "
        f"photos, linked by {describe_links(tied)}.",
        f"Collect these classes from more people (`collector --subject NAME`, one name for each "
        f"person; at least {len(SPLITS)} people in each class, better ten). To continue with these "
        f"photos, use `--split random`; its test score says little about people it has not seen.",
    )


def require_full_splits(
    photos: Sequence[Photo], splits: Sequence[str], labels: Sequence[str], ratio: Ratio, mode: str
) -> None:
    """Check that every class has photos in every split.

    Raises:
        DatasetError: A class has no photo in a split.
    """
    counts: Mapping[tuple[str, str], int] = Counter(
        (split, photo.label) for photo, split in zip(photos, splits, strict=True)
    )
    empty = [f"{s}/{label}" for s in SPLITS for label in labels if not counts[s, label]]
    if empty:
        way = (
            f"A random split needs at least {int(np.ceil(1 / min(ratio)))} photos in each class "
            f"for a share of {min(ratio):g}"
            if mode == "random"
            else "The photos of these classes come from too few people, or too many of them are "
            "linked"
        )
        raise DatasetError(
            f"There is no photo for {', '.join(empty)}. {way}. Collect more of these classes, or "
            f"choose another --ratio (found {ratio[0]:g} {ratio[1]:g} {ratio[2]:g})."
        )
