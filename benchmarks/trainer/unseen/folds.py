"""Which photos are held out together, and which train and validate meanwhile."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.trainer.unseen.cases import Case
from curation.splitting.allocation import allocate_groups
from maskage.defaults import DEFAULT_SEED
from maskage.formats.curated.curated_set import SPLITS


@dataclass(frozen=True)
class Fold:
    """One division of the photos.

    Attributes:
        name: Name of its folder.
        held_out: Indices of the photos that are predicted.
        split_of: Split of each photo that the trainer gets.
    """

    name: str
    held_out: tuple[int, ...]
    split_of: dict[int, str]


def folds_by_group(cases: Sequence[Case], count: int) -> list[Fold]:
    """Make folds that hold out each photo once; half of the next fold's photos validate."""
    part_of = allot(cases, range(len(cases)), [1 / (2 * count)] * (2 * count))
    folds = []
    for number in range(count):
        test, val = (2 * number, 2 * number + 1), (2 * number + 2) % (2 * count)
        split_of = {
            at: "test" if part in test else "val" if part == val else "train"
            for at, part in part_of.items()
        }
        held_out = tuple(at for at, split in split_of.items() if split == "test")
        folds.append(Fold(f"fold-{number + 1}", held_out, split_of))
    return folds


def folds_by_source(cases: Sequence[Case]) -> list[Fold]:
    """Make folds that hold out each source once; the trainer's own test photos come from others.

    Photos of other sources in the same group as one that is held out are not trained on.
    """
    folds = []
    for source in sorted({case.source for case in cases}):
        held_out = tuple(at for at, case in enumerate(cases) if case.source == source)
        tied = {cases[at].group for at in held_out}
        rest = [at for at, case in enumerate(cases) if case.group not in tied]
        split_of = {at: SPLITS[part] for at, part in allot(cases, rest, [0.8, 0.1, 0.1]).items()}
        name = "without-" + re.sub(r"\W+", "-", source.split("/")[0].lower())
        folds.append(Fold(name, held_out, split_of))
    return folds


def allot(cases: Sequence[Case], members: Iterable[int], shares: Sequence[float]) -> dict[int, int]:
    """Allocate whole groups to parts so that each kind of photo of each source is divided alike.

    Of a misworn photo the kind is how the mask is worn, of others the class.
    """
    positions = list(members)
    kind_of = {at: _kind(cases[at]) for at in positions}
    kinds = sorted(set(kind_of.values()))
    numbers = {group: n for n, group in enumerate(sorted({cases[at].group for at in positions}))}
    contents = np.zeros((len(numbers), len(kinds)))
    for at in positions:
        contents[numbers[cases[at].group], kinds.index(kind_of[at])] += 1
    chosen = allocate_groups(contents, shares, DEFAULT_SEED)
    return {at: int(chosen[numbers[cases[at].group]]) for at in positions}


def _kind(case: Case) -> tuple[str, str]:
    return (case.state if case.is_misworn_photo else case.photo.label, case.source)
