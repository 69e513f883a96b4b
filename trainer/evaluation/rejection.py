"""Rejection: photos unlike those that were learned are not answered, however sure the answer.

Known faces that are rejected are the price of it. The limit was chosen on the validation photos.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.evaluation.coverage import find_threshold
from trainer.evaluation.intervals import bootstrap_interval, wilson_interval

WANTED_ACCURACY = 0.99


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """The known photos that a model rejects as unlike those it learned.

    Attributes:
        strange_above: Limit of the strangeness; a photo above it is rejected.
        photos: Number of photos, all of the model's classes.
        rejected: Number of them that are rejected.
        share: Share of them that are rejected, 0 to 1.
        share_interval: 95% interval of it: over whole groups, or Wilson's where all are alike.
        answered_99: Share of all photos that is answered where rejected photos are not, and the
            others from the lowest confidence at which 99% of the answers are right; None where no
            confidence reaches that.
        answered_99_interval: 95% interval of it for that confidence, made in the same way.
    """

    strange_above: float
    photos: int
    rejected: int
    share: float
    share_interval: tuple[float, float]
    answered_99: float | None
    answered_99_interval: tuple[float, float] | None

    def as_dict(self) -> dict[str, Any]:
        """Return the value of `rejection` in `metrics.json`."""
        return asdict(self)

    def describe(self, kind: str) -> list[str]:
        """Return sentences on these photos, which are of this kind: "test"."""
        low, high = self.share_interval
        known = (
            f"{self.rejected:,} of the {self.photos:,} {kind} photos ({self.share:.1%}, 95% "
            f"interval {low:.1%} to {high:.1%}) are unlike those it learned and read unsure: their "
            f"strangeness is above {self.strange_above:g}."
        )
        if self.answered_99 is None or self.answered_99_interval is None:
            return [known, "Without them, too, no confidence gives answers that are 99% right."]
        low, high = self.answered_99_interval
        return [
            known,
            f"Without them, {self.answered_99:.1%} of all are answered (95% interval {low:.1%} to "
            f"{high:.1%}) with 99% of the answers right.",
        ]


def measure_rejection(
    strangeness: NDArray[np.floating],
    strange_above: float,
    *,
    right: NDArray[np.bool_],
    confidence: NDArray[np.float64],
    groups: Sequence[str],
) -> Rejection:
    """Return how many known photos are rejected, and how many are answered well all the same.

    Args:
        strangeness: Strangeness of each photo, shape (N,), N at least 1.
        strange_above: Limit of the strangeness.
        right: True for each right answer, shape (N,).
        confidence: Confidence of each answer, 0 to 1, shape (N,).
        groups: Group of each photo.
    """
    is_rejected = strangeness > strange_above
    known = ~is_rejected
    share, interval = _share(is_rejected, groups)
    point = (
        find_threshold(right[known], confidence[known], WANTED_ACCURACY) if known.any() else None
    )
    answered = None
    if point is not None:
        answered = _share(known & (confidence >= point.threshold), groups)
    return Rejection(
        strange_above=strange_above,
        photos=len(strangeness),
        rejected=int(is_rejected.sum()),
        share=share,
        share_interval=interval,
        answered_99=None if answered is None else answered[0],
        answered_99_interval=None if answered is None else answered[1],
    )


def _share(is_in: NDArray[np.bool_], groups: Sequence[str]) -> tuple[float, tuple[float, float]]:
    """Return the share of photos and its 95% interval."""
    interval = bootstrap_interval(is_in, groups)
    count = int(is_in.sum())
    return count / len(is_in), interval or wilson_interval(count, len(is_in))
