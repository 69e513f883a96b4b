"""A search in progress: its folder, its record, and what every stage of it needs."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from maskage.classes.scheme import Scheme
from maskage.console import say
from maskage.formats.curated.curated_set import CuratedDataset, CuratedPhoto
from maskage.formats.run.search_file import CandidateRecord, SearchRecord, write_search
from maskage.system.paths import CACHE_VARIABLE
from trainer.data.features import default_cache
from trainer.evaluation.intervals import number_groups
from trainer.network.classes import class_numbers
from trainer.progress import OnProgress
from trainer.recipe import Recipe, load_recipe, with_overrides
from trainer.search.budget import BudgetClock
from trainer.search.costs import Costs
from trainer.search.fold_set import list_judged
from trainer.search.ranking import JudgedPhotos, Ranking, rank

SET_NAME, TRIAL_NAME, RECIPE_FILE = "set", "trial", "trial.toml"
"""Names in the search folder of a trial's photos, its run and its recipe."""


@dataclass
class SearchSession:
    """What the stages of a search share.

    Attributes:
        folder: The search folder.
        record: What was measured so far; `save` replaces it.
        dataset: The curated set.
        clock: The clock of this sitting.
        on_progress: Called with the progress of each stage.
        left_out: Why something was not tried, by what it is; sentences.
    """

    folder: Path
    record: SearchRecord
    dataset: CuratedDataset
    clock: BudgetClock
    on_progress: OnProgress
    left_out: dict[str, str] = field(default_factory=dict)
    _earlier_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._earlier_s = self.record.seconds

    @property
    def runs(self) -> Path:
        """The folder of the runs."""
        return self.folder.parent

    @property
    def scheme(self) -> Scheme:
        """The classes."""
        return self.dataset.scheme

    @cached_property
    def photos(self) -> list[CuratedPhoto]:
        """The photos that candidates are judged on."""
        return list_judged(self.dataset)

    @cached_property
    def judged(self) -> JudgedPhotos:
        """Labels, groups and folds of `photos`."""
        return JudgedPhotos(
            labels=class_numbers(self.photos, self.scheme),
            groups=number_groups([photo.group for photo in self.photos]),
            folds=np.array(self.record.folds, np.int64),
            scheme=self.scheme,
        )

    @property
    def fold_count(self) -> int:
        """Number of folds."""
        return max(self.record.folds) + 1

    @property
    def costs(self) -> Costs:
        """Predictions from what was measured so far."""
        known = {
            each.network: each.milliseconds
            for each in self.record.candidates.values()
            if each.milliseconds is not None
        }
        return Costs(self.record.rates, known)

    def save(self, **changes: Any) -> None:
        """Replace fields of the record, and write it."""
        spent_s = self._earlier_s + self.clock.spent_s
        self.record = replace(self.record, **changes, seconds=round(spent_s, 1))
        write_search(self.folder, self.record)

    def save_candidates(self, changed: Mapping[str, CandidateRecord]) -> None:
        """Replace candidates, and write the record."""
        self.save(candidates={**self.record.candidates, **changed})

    def rank(self) -> Ranking | None:
        """Rank what was measured so far."""
        return rank(self.record, self.judged)

    def recipe_of(self, candidate: CandidateRecord) -> Recipe:
        """Return the recipe of a candidate.

        Raises:
            UsageError: The user's own recipe is gone, or was damaged since.
        """
        return with_overrides(
            load_recipe(candidate.recipe),
            image_size=candidate.image_size,
            alpha=candidate.alpha,
            heads=candidate.heads,
        )

    def leave_out(self, what: str, why: str) -> None:
        """Report that something is not tried, at once and in the result."""
        if self.left_out.get(what) != why:
            say(f"Left out: {what}: {why}")
        self.left_out[what] = why

    def remove_trial(self) -> None:
        """Remove the photos, the run and the recipe of a trial."""
        for name in (SET_NAME, TRIAL_NAME):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / RECIPE_FILE).unlink(missing_ok=True)

    @contextmanager
    def sharing_features(self) -> Iterator[None]:
        """Let trainings inside the search folder use the cache of all runs."""
        before = os.environ.get(CACHE_VARIABLE)
        os.environ[CACHE_VARIABLE] = str(default_cache(self.runs).resolve())
        try:
            yield
        finally:
            if before is None:
                del os.environ[CACHE_VARIABLE]
            else:
                os.environ[CACHE_VARIABLE] = before
