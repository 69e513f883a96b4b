"""What a benchmark must reach, and how it ends: with 3 where it does not, as a gate does.

A benchmark names its goals as constants, each with where its number comes from, and ends with
`finish`. A figure that is not there counts as missed, so that a part that did not run cannot pass.
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maskage.errors import EnvironmentProblemError, GateFailedError

REACHED = 0
MISSED = GateFailedError.exit_code
CANNOT_RUN = EnvironmentProblemError.exit_code

EVERY = "*"
"""In a goal's figure: every one of that level, and at least one."""


@dataclass(frozen=True)
class Goal:
    """One figure and the bounds that it must keep.

    Attributes:
        figure: Names of the figure, from the outermost object of the JSON inward.
        source: Where the bounds come from.
        at_least, at_most: The bounds, both included; None for none. For one value name both.
        is_optional: Whether the figure may be missing, because its part was not asked for.
    """

    figure: tuple[str, ...]
    source: str
    at_least: float | None = None
    at_most: float | None = None
    is_optional: bool = False

    def __post_init__(self) -> None:
        if self.at_least is None and self.at_most is None:
            raise ValueError(f"The goal for {'.'.join(self.figure)} has no bound.")

    def keeps(self, value: object) -> bool:
        """Return whether a figure is within the bounds."""
        if not isinstance(value, int | float) or math.isnan(value):
            return False
        is_enough = self.at_least is None or value >= self.at_least
        return is_enough and (self.at_most is None or value <= self.at_most)

    def __str__(self) -> str:
        if self.at_least == self.at_most:
            return f"{self.at_least:g}"
        bounds = (("at least", self.at_least), ("at most", self.at_most))
        return " and ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)


def nothing(*figure: str, source: str, is_optional: bool = False) -> Goal:
    """Return the goal that a count of faults is 0."""
    return Goal(figure, source, at_least=0, at_most=0, is_optional=is_optional)


def find_missed(figures: Mapping[str, Any], goals: Sequence[Goal]) -> list[str]:
    """Return one sentence for each goal that these figures miss."""
    missed = []
    for goal in goals:
        found = list(_find(figures, goal.figure))
        if not found and not goal.is_optional:
            missed.append(f"{'.'.join(goal.figure)}: not measured; wanted {goal} ({goal.source})")
        missed += [
            f"{name}: {value}; wanted {goal} ({goal.source})"
            for name, value in found
            if not goal.keeps(value)
        ]
    return missed


def finish(figures: Mapping[str, Any], goals: Sequence[Goal]) -> int:
    """Print the figures as JSON on stdout, and what they miss on stderr.

    Returns:
        The exit code: 0, or 3 where a goal is missed.
    """
    missed = find_missed(figures, goals)
    print(json.dumps({**figures, "missed": missed}, indent=1))
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return MISSED if missed else REACHED


def _find(figures: object, names: tuple[str, ...], at: str = "") -> Iterator[tuple[str, Any]]:
    """Every figure of this name, with the path that led to it."""
    if not names:
        yield at.removeprefix("."), figures
        return
    if not isinstance(figures, Mapping):
        return
    first, *rest = names
    chosen = list(figures) if first == EVERY else [first] if first in figures else []
    for name in chosen:
        yield from _find(figures[name], tuple(rest), f"{at}.{name}")
