"""The ways on where people are too few for the split that was asked for.

Each is tried on the photos at hand, so that only what is possible is offered, with its command and
with what it is worth. None is chosen for the user.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from curation.caveats import WORTH
from curation.settings import GIVEN, GROUP, RANDOM, SESSION, TIME, CurationSettings
from curation.splitting.time_split import Placement
from maskage.defaults import DEFAULT_CURATED
from maskage.errors import DatasetError
from maskage.formats.curated.curated_set import SPLITS
from maskage.shell_words import join_words

SMALLER_GAPS_S = (1.0, 0.0)
"""Gaps that are tried where the one that was asked for leaves too little, seconds."""

Try = Callable[[CurationSettings], Placement]


@dataclass(frozen=True)
class WayOn:
    """A split that is possible.

    Attributes:
        settings: What to ask for.
        counts: Number of photos in train, val and test.
        aside: Number of photos that it sets aside.
    """

    settings: CurationSettings
    counts: tuple[int, ...]
    aside: int

    @property
    def worth(self) -> str:
        """What its scores say, as a sentence."""
        split = self.settings.split
        if self.settings.no_test:
            val = f"val {WORTH[split]}" if split in WORTH else "val has people that train has not"
            return f"Without a test nothing measures the model; {val}."
        return f"Test {WORTH[split]}."

    def describe(self, root: Path, out: Path | None) -> list[str]:
        """Return lines for people: the command, what it makes, and what measures it then.

        Args:
            root: Dataset, as the user named it.
            out: Folder of the result; None for the default.
        """
        words = ["curate", str(root), *(["--out", str(out)] if out is not None else [])]
        made = ", ".join(
            f"{count} {split}" for split, count in zip(SPLITS, self.counts, strict=True) if count
        )
        aside = f", {self.aside} set aside" if self.aside else ""
        command = join_words([*words, *self.settings.asked_words()])
        lines = [f"  {command}", f"      {made}{aside}. {self.worth}"]
        if self.settings.no_test and self.settings.split == GROUP:
            # Train and val have every class, each from other people: that makes two folds.
            then = join_words(["trainer", "cross-validate", str(out or DEFAULT_CURATED)])
            lines.append(f"      `{then}` then judges each person by the others.")
        return lines


def describe_ways(
    settings: CurationSettings, try_settings: Try, root: Path, out: Path | None
) -> list[str]:
    """Return lines for people on the ways on that are possible with these photos.

    Args:
        settings: What was asked for and is not possible.
        try_settings: Splits the photos as settings ask, or raises `DatasetError`.
        root: Dataset, as the user named it.
        out: Folder of the result; None for the default.
    """
    if settings.split in (RANDOM, GIVEN):
        return []
    # A former split cannot be kept by another one.
    settings = replace(settings, keep_split=None)
    ways = find_ways(settings, try_settings)
    lines = ["With these photos alone, this is possible:"] if ways else []
    lines += [line for way in ways for line in way.describe(root, out)]
    if random_way(settings, try_settings):
        lines.append(
            "`--split random` is possible too; but then nearly the same photos are in train and in "
            "test, and the test score says almost nothing."
        )
    return lines or ["No other split is possible with these photos."]


def find_ways(settings: CurationSettings, try_settings: Try) -> list[WayOn]:
    """Return the honest ways on that are possible, the best first; none for a random split.

    Args:
        settings: What was asked for and is not possible.
        try_settings: Splits the photos as settings ask, or raises `DatasetError`.
    """
    attempt = _tried(try_settings)
    sessions = attempt(replace(settings, split=SESSION, gap_s=None, no_test=False))
    people = attempt(replace(settings, split=GROUP, gap_s=None, no_test=True))
    if not (sessions or people):
        sessions = attempt(replace(settings, split=SESSION, gap_s=None, no_test=True))
    # Of several gaps, with and without a test, the first that is possible is enough.
    times = next(filter(None, map(attempt, _by_time(settings))), None)
    # A split that says more than the one that was asked for would have been asked for.
    found = {GROUP: (sessions, people, times), SESSION: (sessions, times), TIME: (times,)}
    return [way for way in found[settings.split] if way and way.settings != settings]


def random_way(settings: CurationSettings, try_settings: Try) -> WayOn | None:
    """Return the split at random, if it is possible: no honest way, but a known one."""
    if settings.split == RANDOM:
        return None
    return _tried(try_settings)(replace(settings, split=RANDOM, gap_s=None))


def _by_time(settings: CurationSettings) -> Iterator[CurationSettings]:
    for no_test in (False, True):
        times = replace(settings, split=TIME, no_test=no_test)
        yield times
        yield from (replace(times, gap_s=gap) for gap in SMALLER_GAPS_S if gap < times.gap)


def _tried(try_settings: Try) -> Callable[[CurationSettings], WayOn | None]:
    def attempt(settings: CurationSettings) -> WayOn | None:
        try:
            placement = try_settings(settings)
        except DatasetError:
            return None
        counts = tuple(placement.splits.count(split) for split in SPLITS)
        return WayOn(settings, counts, placement.splits.count(""))

    return attempt
