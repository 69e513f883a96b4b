"""Split photos into train, val and test: by whole groups, by time, at random or as given.

By groups, no person is on two sides, or no session. A split that was given is kept as it is.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from curation.grouping.groups import describe_links
from curation.grouping.look_alikes import find_look_alikes
from curation.grouping.ties import Ties
from curation.settings import (
    DEFAULT_RATIO,
    GIVEN,
    RANDOM,
    SESSION,
    TIME,
    CurationSettings,
    Shares,
)
from curation.splitting.allocation import allocate_groups
from curation.splitting.kept_split import describe_kept, most_learned, read_former_split
from curation.splitting.time_split import Placement, assign_by_time
from maskage.commands.text_table import list_first
from maskage.dataset.photo_scan import PhotoScan
from maskage.defaults import DEFAULT_SEED
from maskage.errors import DatasetError
from maskage.formats.curated.curated_set import SPLITS
from maskage.records import Photo


def assign_groups(
    photos: Sequence[Photo],
    groups: Sequence[int],
    labels: Sequence[str],
    shares: Shares = DEFAULT_RATIO,
    seed: int = DEFAULT_SEED,
    former: Sequence[str | None] | None = None,
) -> list[str]:
    """Put whole groups into splits so that each class is divided as `shares` says.

    Args:
        photos: Photos to split.
        groups: Group number of each photo.
        labels: The classes.
        shares: Shares of train, val and test, or of train and val; they sum to 1.
        seed: Seed that breaks ties.
        former: Split that each photo had and keeps with its group (see `kept_split`), or None.

    Returns:
        The split of each photo, whatever the order of the photos. A class of few groups may be
        missing in a split (see `require_enough_groups`).
    """
    order = sorted(range(len(photos)), key=lambda index: photos[index].path)
    ordered = [photos[index] for index in order]
    rank: dict[int, int] = {}
    numbers = [rank.setdefault(groups[index], len(rank)) for index in order]
    column = {label: place for place, label in enumerate(labels)}
    contents = np.zeros((len(rank), len(labels)))
    for photo, number in zip(ordered, numbers, strict=True):
        contents[number, column[photo.label]] += 1
    kept: dict[int, str] = {}
    for index, number in zip(order, numbers, strict=True):
        split = most_learned(former[index] if former else None, kept.get(number))
        if split is not None:
            kept[number] = split
    free = [number for number in range(len(rank)) if number not in kept]
    held = np.zeros((len(shares), len(labels)))
    for number, split in kept.items():
        held[SPLITS.index(split)] += contents[number]
    chosen = allocate_groups(contents[free], shares, seed, held)
    kept |= {number: SPLITS[split] for number, split in zip(free, chosen, strict=True)}
    splits = [SPLITS[0]] * len(photos)
    for index, number in zip(order, numbers, strict=True):
        splits[index] = kept[number]
    return splits


def assign_at_random(
    photos: Sequence[Photo],
    labels: Sequence[str],
    shares: Shares = DEFAULT_RATIO,
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
        train = int(shares[0] * len(paths))
        # The last split gets what is left.
        val = len(paths) if len(shares) < len(SPLITS) else train + int(shares[1] * len(paths))
        for position, path in enumerate(paths):
            split_of[path] = SPLITS[(position >= train) + (position >= val)]
    return [split_of[photo.path] for photo in photos]


def assign_as_given(
    photos: Sequence[Photo],
    groups: Sequence[int],
    labels: Sequence[str],
    settings: CurationSettings,
) -> list[str]:
    """Return the split that each photo was imported with.

    A photo that came without one is in train, so that val and test are what was given. Where there
    is no val, it is taken from train by whole groups.

    Raises:
        DatasetError: No photo came with a split, or photos of test were asked to be none.
    """
    origins = Counter(photo.origin for photo in photos)
    if origins[None] == len(photos):
        raise DatasetError(
            "--split given: no photo of this dataset says in which split it was. Import a source "
            "whose class folders lie in train, val and test, or use --split group."
        )
    if settings.no_test and origins[SPLITS[-1]]:
        raise DatasetError(
            f"--no-test makes a set without a test, and {origins[SPLITS[-1]]} photos were given "
            f"as test. Leave --no-test out, or use --split group."
        )
    splits = [photo.origin or SPLITS[0] for photo in photos]
    if not origins[SPLITS[1]]:
        rest = [index for index, split in enumerate(splits) if split == SPLITS[0]]
        shares = [share / sum(settings.ratio[:2]) for share in settings.ratio[:2]]
        chosen = assign_groups(
            [photos[index] for index in rest],
            [groups[index] for index in rest],
            labels,
            shares,
            settings.seed,
        )
        for index, split in zip(rest, chosen, strict=True):
            splits[index] = split
    return splits


def find_straddlers(groups: Sequence[int], splits: Sequence[str]) -> list[int]:
    """Return the groups with photos in more than one split, sorted."""
    found: dict[int, set[str]] = {}
    for group, split in zip(groups, splits, strict=True):
        found.setdefault(group, set()).add(split)
    return sorted(group for group, of_group in found.items() if len(of_group) > 1)


def place_photos(
    scans: Sequence[PhotoScan],
    groups: Sequence[int],
    labels: Sequence[str],
    settings: CurationSettings,
    ties: Ties | None = None,
) -> Placement:
    """Split photos as the settings ask.

    Args:
        scans: Photos to split, sorted by path.
        groups: Group number of each photo, as `settings.split` needs them.
        labels: The classes.
        settings: Settings of the user.
        ties: What ties photos together that the manifest does not know, for messages.

    Raises:
        DatasetError: A class would have no photo in a split, or no photo says in which split it
            was given.
    """
    photos = [scan.photo for scan in scans]
    if settings.split == TIME:
        alike = find_look_alikes(scans, settings.radius)
        placement = assign_by_time(scans, alike, settings.shares, settings.gap)
    elif settings.split == RANDOM:
        placement = _kept(assign_at_random(photos, labels, settings.shares, settings.seed))
    elif settings.split == GIVEN:
        placement = _kept(assign_as_given(photos, groups, labels, settings))
    else:
        require_enough_groups(photos, groups, labels, settings, ties)
        former = None
        if settings.keep_split is not None:
            former = read_former_split(settings.keep_split, scans).find(scans)
            _require_known_splits(former, settings)
        shares, seed = settings.shares, settings.seed
        placement = _kept(assign_groups(photos, groups, labels, shares, seed, former))
        if former is not None:
            placement = replace(placement, notice=describe_kept(former, placement.splits))
    require_full_splits(photos, placement.splits, labels, settings)
    return placement


def _require_known_splits(former: Sequence[str | None], settings: CurationSettings) -> None:
    tested = sum(split == SPLITS[-1] for split in former)
    if settings.no_test and tested:
        raise DatasetError(
            f"--no-test makes a set without a test, and {tested} photos were test in "
            f"{settings.keep_split}. Leave out --no-test or --keep-split."
        )


def _kept(splits: list[str]) -> Placement:
    return Placement(splits, [""] * len(splits))


def require_enough_groups(
    photos: Sequence[Photo],
    groups: Sequence[int],
    labels: Sequence[str],
    settings: CurationSettings,
    ties: Ties | None = None,
) -> None:
    """Check that each class comes from at least as many groups as there are splits.

    Raises:
        DatasetError: A class does not; the message says from how many groups it comes, and what to
            collect.
    """
    counts = {label: Counter[int]() for label in labels}
    for photo, group in zip(photos, groups, strict=True):
        counts[photo.label][group] += 1
    needed = len(settings.splits)
    short = {label: len(found) for label, found in counts.items() if len(found) < needed}
    if not short:
        return
    biggest, _ = Counter(groups).most_common(1)[0]
    tied = [photo for photo, group in zip(photos, groups, strict=True) if group == biggest]
    shown = list_first([f"{label} from {count}" for label, count in short.items()])
    people = "sessions" if settings.split == SESSION else "people"
    raise DatasetError(
        f"There are too few different {people} for an honest split: {shown} "
        f"group{'' if set(short.values()) == {1} else 's'} of photos that belong together, and "
        f"{_joined(settings.splits)} need one each. {_describe_largest(tied, len(photos), ties)}",
        *_ways_without_ties(tied, ties),
        _what_to_collect(short, counts, needed, people),
    )


def _describe_largest(tied: Sequence[Photo], photos: int, ties: Ties | None) -> str:
    if len(tied) == 1:
        return f"There are only {photos} photos, and no two of them belong together."
    return (
        f"The largest group has {len(tied)} of {photos} photos, linked by "
        f"{describe_links(tied, ties)}."
    )


def _ways_without_ties(tied: Sequence[Photo], ties: Ties | None) -> list[str]:
    """Say how to split without what was only read from names or guessed from times."""
    lines = []
    if ties and ties.names and any(photo.path in ties.people for photo in tied):
        lines.append(
            f"The people were read from the names ({ties.names}). If these name no people, use "
            f"--people none."
        )
    if ties and any(photo.path in ties.sessions for photo in tied):
        lines.append(
            "Sessions were guessed from the times at which photos were taken; --session-gap 0 "
            "guesses none."
        )
    return lines


def _what_to_collect(
    short: Mapping[str, int], counts: Mapping[str, Counter[int]], needed: int, people: str
) -> str:
    """Say of how many more people or sessions to collect each class, and how many photos."""
    sizes = [count for of_class in counts.values() for count in of_class.values()]
    usual = max(1, round(median(sizes))) if sizes else 1
    of_need: dict[int, list[str]] = {}
    for label, count in short.items():
        of_need.setdefault(needed - count, []).append(label)
    wanted = "; ".join(
        f"{list_first(classes)} from {need} more {_number(need, people)}"
        for need, classes in sorted(of_need.items(), reverse=True)
    )
    how = (
        "`collector --session NAME`, one name for each session"
        if people == "sessions"
        else "`collector --subject NAME`, one name for each person"
    )
    return (
        f"Collect {wanted}, about {usual} {_number(usual, 'photos')} of each ({how}). That is the "
        f"least; with ten {people} in each class the score begins to mean something."
    )


def _number(count: int, things: str) -> str:
    """Return the noun in the number of a count."""
    ones = {"people": "person", "sessions": "session", "photos": "photo"}
    return ones[things] if count == 1 else things


def _joined(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def require_full_splits(
    photos: Sequence[Photo],
    splits: Sequence[str],
    labels: Sequence[str],
    settings: CurationSettings,
) -> None:
    """Check that every class has photos in every split.

    Args:
        photos: The photos that were split.
        splits: Split of each; "" for one that is set aside.
        labels: The classes.
        settings: Settings of the user.

    Raises:
        DatasetError: A class has no photo in a split.
    """
    counts: Mapping[tuple[str, str], int] = Counter(
        (split, photo.label) for photo, split in zip(photos, splits, strict=True)
    )
    empty = [f"{s}/{label}" for s in settings.splits for label in labels if not counts[s, label]]
    if not empty:
        return
    found = Counter(photo.label for photo in photos)
    lacking = [label for label in labels if any(not counts[s, label] for s in settings.splits)]
    ratio = " ".join(f"{share:g}" for share in settings.ratio)
    is_fixed = settings.split == GIVEN or settings.keep_split is not None
    other = "" if is_fixed else f" Or choose another --ratio (found {ratio})."
    raise DatasetError(
        f"There is no photo for {list_first(empty)}. {_why_empty(settings, lacking, found)}{other}"
    )


def _why_empty(settings: CurationSettings, lacking: Sequence[str], found: Mapping[str, int]) -> str:
    """Say why classes are missing in a split, and what to collect."""
    if settings.keep_split is not None:
        return (
            f"Photos keep the split that they have in {settings.keep_split}, and no new ones can "
            f"take these places. Add photos of {list_first(lacking)}, or leave out --keep-split."
        )
    if settings.split == RANDOM:
        needed = int(np.ceil(1 / min(settings.shares)))
        more = list_first([f"{label} {max(1, needed - found[label])}" for label in lacking])
        return (
            f"A random split needs at least {needed} photos in each class for a share of "
            f"{min(settings.shares):g}. Collect more photos: {more}."
        )
    if settings.split == TIME:
        shortest = 2 * settings.gap if not settings.no_test else settings.gap
        return (
            f"A class of a session is cut into {len(settings.splits)} parts, so it must last over "
            f"{shortest:g} s with a --gap of {settings.gap:g}, and its parts must not look alike. "
            f"Collect longer sessions of {list_first(lacking)}."
        )
    if settings.split == GIVEN:
        return (
            f"The split that was given has no photo of {list_first(lacking)} there. Use --split "
            f"group, which makes another."
        )
    people = "sessions" if settings.split == SESSION else "people"
    return (
        f"The photos of these classes come from too few {people}, or too many of them are linked. "
        f"Collect {list_first(lacking)} from more {people}, at least one for each part."
    )
