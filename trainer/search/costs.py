"""How long the steps of a search will take, predicted from the rates that it has measured.

Everything scales with the time of a network for one face: features of a photo take about that, a
photo in a step of fine-tuning a multiple of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from maskage.formats.run.search_file import CandidateRecord
from trainer.recipe import Recipe

STEP_RATIO = 3.0
"""Time of a photo in a step over that of a face alone, before it was measured.

0.39 s for a step of 32 photos where a face takes 5 ms (MobileNetV2, 192 px, two cores) is 2.4.
"""
OVERHEAD_PROBES = 3.0
"""Seconds of a training beside its epochs (export, checks, pages, compiling) over those of a probe,
before they were measured; a probe is mostly an export too."""

PROBE_S = 15.0
"""Seconds until a network gives its first features, before that was measured."""

HEAD_S = 4.0
"""Seconds of a head, before that was measured."""


@dataclass(frozen=True)
class Costs:
    """Predictions from measured rates.

    Attributes:
        rates: The rates: "probe_s", "head_s", "overhead_s", and "step_ratio" with that of each
            recipe as "step_ratio:mobilenetv2".
        known_ms: Time for one face of the networks that were measured, by (recipe, alpha, size).
    """

    rates: Mapping[str, float]
    known_ms: Mapping[tuple[str, float, int], float]

    def face_ms(self, candidate: CandidateRecord) -> float | None:
        """Return the time for a face; scaled from another size, or None if neither is known."""
        recipe, alpha, size = candidate.network
        if (own := self.known_ms.get(candidate.network)) is not None:
            return own
        others = [
            took_ms * (size / other) ** 2
            for (name, width, other), took_ms in self.known_ms.items()
            if (name, width) == (recipe, alpha)
        ]
        return max(others, default=None)

    def frozen_s(
        self, candidate: CandidateRecord, missing: int, heads: int, folds: int
    ) -> float | None:
        """Predict the seconds for features and heads.

        Args:
            candidate: One of the network's candidates.
            missing: Number of photos whose features are not cached.
            heads: Number of kinds of heads.
            folds: Number of folds.

        Returns:
            The seconds, or None for a network of which nothing is known yet.
        """
        heads_s = self.rates.get("head_s", HEAD_S) * heads * folds
        probe_s = self.rates.get("probe_s", PROBE_S)
        took_ms = self.face_ms(candidate)
        if not missing:
            return heads_s + probe_s / 2
        return None if took_ms is None else probe_s + missing * took_ms / 1000 + heads_s

    def fit_s(
        self, candidate: CandidateRecord, recipe: Recipe, *, photos: int, missing: int, epochs: int
    ) -> float:
        """Predict the seconds of a training.

        Args:
            candidate: The candidate, whose network was measured.
            recipe: Its recipe.
            photos: Number of photos to train on.
            missing: Number of views whose features are not cached.
            epochs: Number of epochs of fine-tuning.
        """
        face_s = (self.face_ms(candidate) or 0.0) / 1000
        steps_s = epochs * photos * face_s * self._step_ratio(recipe)
        others_s = self.overhead_s + self.rates.get("head_s", HEAD_S)
        return missing * face_s + others_s + steps_s

    @property
    def overhead_s(self) -> float:
        """Seconds of a training beside its features and epochs."""
        probe_s = self.rates.get("probe_s", PROBE_S)
        return self.rates.get("overhead_s", OVERHEAD_PROBES * probe_s)

    def _step_ratio(self, recipe: Recipe) -> float:
        known = self.rates.get("step_ratio", STEP_RATIO)
        return self.rates.get(f"step_ratio:{recipe.backbone}", known)

    def after_training(
        self, candidate: CandidateRecord, recipe: Recipe, photos: int, took: "TrainingTimes"
    ) -> dict[str, float]:
        """Return the rates with what a training has shown."""
        rates = {**self.rates, "overhead_s": took.others_s}
        face_s = (self.face_ms(candidate) or 0.0) / 1000
        if took.epoch_s and face_s:
            ratio = took.epoch_s / (photos * face_s)
            rates |= {"step_ratio": ratio, f"step_ratio:{recipe.backbone}": ratio}
        return rates


@dataclass(frozen=True)
class TrainingTimes:
    """The seconds of a training.

    Attributes:
        whole_s: All of it.
        epoch_s: One epoch of fine-tuning once it is compiled; 0 where there was none.
        others_s: What was no features, no head and no epoch.
    """

    whole_s: float
    epoch_s: float
    others_s: float
