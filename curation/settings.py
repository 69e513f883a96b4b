"""What the user asked of a curation, checked, and the command line that asks it again."""

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
"""Radius of removal: different people's tight crops were at least 10 bits apart (4,950 pairs,
DESIGN.md)."""

AUGMENT, DROP, WEIGHTS = BALANCE_MODES = ("augment", "drop", "weights")
GROUP, RANDOM = SPLIT_MODES = ("group", "random")

MAX_VARIANTS = 10
"""Most variants of one photo: beyond that the network learns the few photos by heart."""


@dataclass(frozen=True)
class PaintingSettings:
    """How many faces get a painted mask.

    Attributes:
        share: Of the bare faces of train, above 0 to 1.
        face_model: YuNet's file: it finds eyes, nose and mouth.
    """

    share: float
    face_model: Path


@dataclass(frozen=True, kw_only=True)
class CurationSettings:
    """What the user asked for.

    Attributes:
        dedupe: Set near-duplicates aside, within a class and group.
        balance: How the classes of train are made even: "augment" fills the smaller ones up with
            variants, "drop" thins the larger ones out, "weights" leaves the photos alone and
            writes down what a photo of each class should count. None: not at all.
        expand: Grow every class of train to so many photos, with variants; None: not at all.
        max_variants: Most variants of one photo.
        ratio: Shares of train, val and test.
        seed: Of the split and the variants.
        split: "group" keeps groups whole; "random" is what split-folders does by itself.
        radius: Bits within which photos count as near-duplicates for removal, 0 to 16.
        limits: What the checks set aside.
        face_model: YuNet's file, to find the faces of photos that nobody has looked at; or None.
        painting: Paint masks, misworn ones too, on bare faces of train; None: on none.
        check_labels: Look for labels that are probably wrong.

    Raises:
        UsageError: A value is out of its range, or two wishes exclude each other.
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
                f"--ratio takes three shares above 0 that sum to 1, of train, val and test; "
                f"found {' '.join(f'{share:g}' for share in self.ratio)}. Try .8 .1 .1."
            )
        if not 0 <= self.radius <= 16:
            raise UsageError(
                f"--radius is 0 to 16 bits; found {self.radius}. Different people are 10 and more "
                f"bits apart; 4 finds near-duplicates."
            )
        if self.split not in SPLIT_MODES:
            raise UsageError(f"--split is {' or '.join(SPLIT_MODES)}; found {self.split}.")
        if self.balance not in (None, *BALANCE_MODES):
            raise UsageError(f"--balance is {', '.join(BALANCE_MODES)}; found {self.balance}.")
        if self.expand is not None and self.expand < 1:
            raise UsageError(f"--expand is a number of photos a class; found {self.expand}.")
        if self.max_variants < 1:
            raise UsageError(f"--max-variants is 1 or more a photo; found {self.max_variants}.")
        if self.expand is not None and self.balance == DROP:
            raise UsageError(
                "--balance drop thins the classes out and --expand grows them. Choose one."
            )
        if self.painting is not None and self.balance == DROP:
            raise UsageError(
                "--balance drop thins the classes out and --paint-masks grows them, unevenly. Use "
                "--balance augment or weights."
            )

    def command(self, root: Path, out: Path) -> str:
        """The command line that repeats this curation."""
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
    """Only of the limits that are not as they come."""
    for limit in fields(CheckLimits):
        value = getattr(limits, limit.name)
        if value == limit.default:
            continue
        if limit.name == "allowed":
            yield from ["--allow", ",".join(sorted(kind.replace(" ", "-") for kind in value))]
        else:
            yield from [f"--{limit.name.replace('_', '-')}", f"{value:g}"]
