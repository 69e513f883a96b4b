"""The settings of a curation, checked, and the command line that repeats it."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from curation.limits import CheckLimits
from maskage.defaults import DEFAULT_SEED
from maskage.errors import UsageError

Ratio = tuple[float, float, float]
DEFAULT_RATIO: Ratio = (0.8, 0.1, 0.1)
REMOVE_BITS = 4
"""Default radius of removal, bits. Tight crops of different people were at least 10 bits apart
(4,950 pairs, DESIGN.md)."""

AUGMENT, DROP, WEIGHTS = BALANCE_MODES = ("augment", "drop", "weights")
GROUP, RANDOM = SPLIT_MODES = ("group", "random")

MAX_VARIANTS = 10
"""Default number of variants of one photo; with more, the network memorises the few photos."""


@dataclass(frozen=True)
class PaintingSettings:
    """The settings of painted masks.

    Attributes:
        share: Share of the bare faces of train that get a mask, above 0 to 1.
        face_model: Path of YuNet's file, which finds eyes, nose and mouth.
    """

    share: float
    face_model: Path


@dataclass(frozen=True, kw_only=True)
class CurationSettings:
    """The settings of the user.

    Attributes:
        dedupe: True to set near-duplicates aside, within a class and group.
        balance: How the classes of train are balanced: "augment" fills up the smaller ones with
            variants, "drop" sets photos of the larger ones aside, "weights" keeps the photos and
            writes a weight for each class. None: not at all.
        expand: Number of photos that every class of train is filled up to with variants, or None.
        max_variants: Largest number of variants of one photo.
        ratio: Shares of train, val and test.
        seed: Seed of the split and the variants.
        split: "group" keeps groups whole; "random" is what split-folders does by itself.
        radius: Bits within which photos count as near-duplicates for removal, 0 to 16.
        limits: Limits of the quality checks.
        face_model: Path of YuNet's file, to find the faces of photos without a face box; or None.
        painting: Settings of painted masks on bare faces of train; None for no masks.
        check_labels: True to search for labels that are probably wrong.

    Raises:
        UsageError: A value is out of its range, or two settings exclude each other.
    """

    dedupe: bool = False
    balance: str | None = None
    expand: int | None = None
    max_variants: int = MAX_VARIANTS
    ratio: Ratio = DEFAULT_RATIO
    seed: int = DEFAULT_SEED
    split: str = GROUP
    radius: int = REMOVE_BITS
    limits: CheckLimits = field(default_factory=CheckLimits)
    face_model: Path | None = None
    painting: PaintingSettings | None = None
    check_labels: bool = False

    def __post_init__(self) -> None:
        # The tolerance of split-folders.
        if not min(self.ratio) > 0 or round(sum(self.ratio), 5) != 1:
            raise UsageError(
                f"--ratio takes the shares of train, val and test, above 0 and with a sum of 1; "
                f"found {' '.join(f'{share:g}' for share in self.ratio)}. Try .8 .1 .1."
            )
        if not 0 <= self.radius <= 16:
            raise UsageError(
                f"--radius must be 0 to 16 bits; found {self.radius}. Different people are at "
                "least 10 bits apart; 4 finds near-duplicates."
            )
        if self.split not in SPLIT_MODES:
            raise UsageError(f"--split takes {' or '.join(SPLIT_MODES)}; found {self.split}.")
        if self.balance not in (None, *BALANCE_MODES):
            raise UsageError(f"--balance takes {', '.join(BALANCE_MODES)}; found {self.balance}.")
        if self.expand is not None and self.expand < 1:
            raise UsageError(f"--expand must be a number of photos from 1; found {self.expand}.")
        if self.max_variants < 1:
            raise UsageError(f"--max-variants must be 1 or more; found {self.max_variants}.")
        if self.expand is not None and self.balance == DROP:
            raise UsageError(
                "--balance drop makes the classes smaller and --expand makes them larger. Choose "
                "one."
            )
        if self.painting is not None and self.balance == DROP:
            raise UsageError(
                "--balance drop makes the classes smaller, and --paint-masks makes them larger "
                "unevenly. Use --balance augment or weights."
            )

    def command(self, root: Path, out: Path) -> str:
        """Return the command line that repeats this curation."""
        return shlex.join(["curate", str(root), "--out", str(out), *self._words()])

    def _words(self) -> Iterator[str]:
        yield from ["--dedupe"] * self.dedupe
        yield from ["--balance", self.balance] if self.balance else []
        yield from ["--expand", str(self.expand)] if self.expand is not None else []
        if self.max_variants != MAX_VARIANTS:
            yield from ["--max-variants", str(self.max_variants)]
        yield from ["--ratio", *(f"{share:g}" for share in self.ratio)]
        yield from ["--seed", str(self.seed), "--split", self.split, "--radius", str(self.radius)]
        yield from _limit_words(self.limits)
        yield from ["--find-faces"] * (self.face_model is not None)
        if self.painting is not None:
            yield from ["--paint-masks", f"{self.painting.share:g}"]
        model = self.face_model or (self.painting and self.painting.face_model)
        yield from ["--face-model", str(model)] if model else []
        yield from ["--check-labels"] * self.check_labels


def _limit_words(limits: CheckLimits) -> Iterator[str]:
    """Yield the options of the limits that differ from the defaults."""
    for limit in fields(CheckLimits):
        value = getattr(limits, limit.name)
        if value == limit.default:
            continue
        if limit.name == "allowed":
            yield from ["--allow", ",".join(sorted(kind.replace(" ", "-") for kind in value))]
        else:
            yield from [f"--{limit.name.replace('_', '-')}", f"{value:g}"]
