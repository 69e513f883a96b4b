"""The settings of a curation, checked, and the command line that repeats it."""

import math
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from curation.limits import CheckLimits
from maskage.defaults import DEFAULT_SEED
from maskage.errors import UsageError

Ratio = tuple[float, float, float]
Shares = Sequence[float]
"""Shares of train, val and test, or of train and val alone; they sum to 1."""
DEFAULT_RATIO: Ratio = (0.8, 0.1, 0.1)
REMOVE_BITS = 4
"""Default radius of removal, bits. Tight crops of different people were at least 10 bits apart
(4,950 pairs, DESIGN.md)."""

AUGMENT, DROP, WEIGHTS = BALANCE_MODES = ("augment", "drop", "weights")
GROUP, SESSION, TIME, RANDOM, GIVEN = SPLIT_MODES = ("group", "session", "time", "random", "given")
AUTO, NAMES, NOBODY = PEOPLE_MODES = ("auto", "names", "none")
DEFAULT_GAP_S = 2.0
"""Default time between two splits of one session, seconds.

In three videos of people who talk, no two crops of a face that were 2 s apart were within 4 bits,
and 0 to 13% within 8; of those 1 s apart 5 to 9% and 9 to 24%.
"""

SESSION_GAP_MIN = 30.0
"""Default time without a photo after which another session begins, minutes.

A choice, not a measurement: people who come back to the camera after half an hour have other light
and another pose. A longer gap ties more photos together, which is the safer side for a split.
"""

NOT_WANTED, NO_FACE_MODEL = "not wanted", "no face model"
"""Why no masks are painted."""

MAX_VARIANTS = 10
"""Default number of variants of one photo; with more, the network memorises the few photos."""


@dataclass(frozen=True)
class PaintingSettings:
    """The settings of painted masks.

    Attributes:
        share: Share of the bare faces of train that get a mask, and of the masked ones whose mask
            is pulled to another place, above 0 to 1.
        face_model: Path of YuNet's file, which finds eyes, nose and mouth.
        is_asked: True if the user asked for them; False for those by default, which classes that
            have nothing to do with masks do without.
    """

    share: float
    face_model: Path
    is_asked: bool = True


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
        split: "group" keeps people, sessions and look-alikes whole, "session" sessions and
            look-alikes, "time" cuts each session into a first part, a middle and an end,
            "random" is what split-folders does by itself, and "given" is the split that the photos
            were imported with.
        keep_split: Former set, or run, whose photos keep their split, where `split` is "group" or
            "session"; None for none.
        gap_s: Seconds between two splits of one session, where `split` is "time"; None for
            `DEFAULT_GAP_S`.
        no_test: True for a set whose test is empty.
        people: "auto" takes the people whom the names of files name where that is clear, "names"
            where it is not clear too, and "none" leaves them out.
        session_gap: Minutes without a photo after which another session is guessed to begin; 0 to
            guess none.
        radius: Bits within which photos count as near-duplicates for removal, 0 to 16.
        limits: Limits of the quality checks.
        face_model: Path of YuNet's file, to find the faces of photos without a face box; or None.
        painting: Settings of painted masks on bare faces of train; None for no masks.
        unpainted: Why `painting` is None where masks are painted by default: `NOT_WANTED` or
            `NO_FACE_MODEL`; None for another reason.
        check_labels: True to search for labels that are probably wrong.
        label_face_model: Path of YuNet's file that was named for the check of labels alone; None
            for the one that the toolchain finds itself.

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
    keep_split: Path | None = None
    gap_s: float | None = None
    no_test: bool = False
    people: str = AUTO
    session_gap: float = SESSION_GAP_MIN
    radius: int = REMOVE_BITS
    limits: CheckLimits = field(default_factory=CheckLimits)
    face_model: Path | None = None
    painting: PaintingSettings | None = None
    unpainted: str | None = None
    check_labels: bool = False
    label_face_model: Path | None = None

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
        if self.keep_split is not None and self.split not in (GROUP, SESSION):
            raise UsageError(
                f"--keep-split keeps whole groups in their split, for --split group and session; "
                f"found --split {self.split}. Leave out one of the two."
            )
        if self.people not in PEOPLE_MODES:
            raise UsageError(f"--people takes {' or '.join(PEOPLE_MODES)}; found {self.people}.")
        if not 0 <= self.session_gap < math.inf:
            raise UsageError(
                f"--session-gap must be 0 minutes or more; found {self.session_gap:g}."
            )
        if self.gap_s is not None and self.split != TIME:
            raise UsageError(
                f"--gap is the time between the parts of a session, for --split time; found "
                f"--split {self.split}."
            )
        if self.gap_s is not None and not 0 <= self.gap_s < math.inf:
            raise UsageError(f"--gap must be 0 seconds or more; found {self.gap_s:g}.")
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

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that get photos."""
        from maskage.formats.curated.curated_set import SPLITS

        return SPLITS[:-1] if self.no_test else SPLITS

    @property
    def shares(self) -> Shares:
        """The share of each of `splits`."""
        shares = self.ratio[: len(self.splits)]
        return self.ratio if shares == self.ratio else [share / sum(shares) for share in shares]

    @property
    def gap(self) -> float:
        """Seconds between two splits of one session, for a split by time."""
        return DEFAULT_GAP_S if self.gap_s is None else self.gap_s

    def command(self, root: Path, out: Path) -> str:
        """Return the command line that repeats this curation."""
        return shlex.join(["curate", str(root), "--out", str(out), *self._words()])

    def asked_words(self) -> list[str]:
        """Return the options that differ from the defaults, for a command that people read."""
        plain = CurationSettings()
        by_default = self.painting is not None and not self.painting.is_asked
        asked = replace(self, painting=None) if by_default else self
        return [
            *_differing("--split", self.split, plain.split),
            *self._kept_split(),
            *(["--gap", f"{self.gap_s:g}"] if self.gap_s is not None else []),
            *["--no-test"] * self.no_test,
            *self._ties(),
            *([] if self.ratio == plain.ratio else ["--ratio", *map("{:g}".format, self.ratio)]),
            *_differing("--seed", self.seed, plain.seed),
            *_differing("--radius", self.radius, plain.radius),
            *self._changes(),
            *asked._checks(),
        ]

    def _words(self) -> Iterator[str]:
        yield from self._changes()
        yield from ["--ratio", *(f"{share:g}" for share in self.ratio)]
        yield from ["--seed", str(self.seed), "--split", self.split, "--radius", str(self.radius)]
        yield from self._kept_split()
        yield from ["--gap", f"{self.gap_s:g}"] if self.gap_s is not None else []
        yield from ["--no-test"] * self.no_test
        yield from self._ties()
        yield from self._checks()

    def _kept_split(self) -> list[str]:
        return [] if self.keep_split is None else ["--keep-split", str(self.keep_split)]

    def _ties(self) -> Iterator[str]:
        yield from _differing("--people", self.people, AUTO)
        if self.session_gap != SESSION_GAP_MIN:
            yield from ["--session-gap", f"{self.session_gap:g}"]

    @property
    def named_face_model(self) -> Path | None:
        """The face model of any step; None if no step was given one."""
        of_masks = self.painting.face_model if self.painting is not None else None
        return self.face_model or of_masks or self.label_face_model

    def _changes(self) -> Iterator[str]:
        yield from ["--dedupe"] * self.dedupe
        yield from ["--balance", self.balance] if self.balance else []
        yield from ["--expand", str(self.expand)] if self.expand is not None else []
        if self.max_variants != MAX_VARIANTS:
            yield from ["--max-variants", str(self.max_variants)]

    def _checks(self) -> Iterator[str]:
        yield from _limit_words(self.limits)
        yield from ["--find-faces"] * (self.face_model is not None)
        if self.painting is not None:
            yield from ["--paint-masks", f"{self.painting.share:g}"]
        elif self.unpainted == NOT_WANTED:
            yield from ["--paint-masks", "0"]
        model = self.named_face_model
        yield from ["--face-model", str(model)] if model else []
        yield from ["--check-labels"] * self.check_labels


def _differing(option: str, value: object, default: object) -> list[str]:
    return [] if value == default else [option, str(value)]


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
