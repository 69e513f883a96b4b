"""The result of a search, as a table for people and as an object for programs."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskage.formats.run.run_folder import RunFolder
from maskage.outside_text import join_lines, shown_text
from maskage.shell_words import join_words
from trainer.evaluation.intervals import Estimate
from trainer.evaluation.metrics import FEW_GROUPS
from trainer.evaluation.score_tables import fit_width
from trainer.search.budget import format_span
from trainer.search.ranking import Ranking, Standing, find_front
from trainer.search.session import SearchSession
from trainer.studies.group_validation_report import describe_groups

NAME_WIDTH, WIDTH = 37, 80


@dataclass(frozen=True, eq=False)
class SearchSummary:
    """What a search has found.

    Attributes:
        folder: The search folder.
        curated: The curated set.
        ranking: The candidates in order.
        left_out: Sentences on what was not tried, and why.
        meaning: What the groups of the photos are, a sentence or two.
        run: Run of the chosen network; None where it was not trained.
        metrics: Content of its `metrics.json`; empty without a run.
        budget_s, spent_s: Seconds of this sitting.
    """

    folder: Path
    curated: Path
    ranking: Ranking
    left_out: tuple[str, ...]
    meaning: str
    run: Path | None
    metrics: dict[str, Any]
    budget_s: float
    spent_s: float

    @property
    def front(self) -> list[Standing]:
        """The candidates than which no other is as fast and more often right, fastest first.

        They are compared on the photos that every candidate answered, fine-tuned or not.
        """
        is_tuned = self.ranking.best.is_tuned
        peers = [each for each in self.ranking.side_by_side if each.is_tuned == is_tuned]
        return find_front(peers)

    @property
    def verdict(self) -> str:
        """What to take and why, in some sentences."""
        best, chosen = self.ranking.best, self.ranking.recommended
        alike = [each.name for each in self.ranking.not_told_apart]
        text = f"Recommended: {chosen.name}, {format_ms(chosen)} a face. "
        if chosen is best:
            text += "It is the most often right, and no faster one comes as close."
        else:
            lead = next(each for each in self.ranking.leads if each.name == chosen.name)
            assert lead.gap is not None
            text += (
                f"It is the fastest that these photos cannot tell from the best, {best.name} "
                f"({format_ms(best)}), which is {format_points(lead.gap)} better on the "
                f"{lead.photos:,} photos that both answered."
            )
        if alike:
            text += f" These photos cannot tell {join_names([best.name, *alike])} apart."
        elif len(self.ranking.peers) > 1:
            text += f" These photos tell {best.name} from all others."
        return text

    @property
    def test_line(self) -> str | None:
        """The accuracy of the chosen network's run, a sentence; None without a run."""
        if not self.metrics:
            return None
        low, high = (
            self.metrics.get("accuracy_interval_by_group") or self.metrics["accuracy_interval"]
        )
        is_tested = self.metrics.get("evaluated_on", "test") == "test"
        kind = (
            "test photos, which took no part in the choice"
            if is_tested
            else ("validation photos, which took part in the choice: there is no test")
        )
        return (
            f"{self.metrics['accuracy']:.2%} right ({low:.2%} to {high:.2%}) on "
            f"{self.metrics['photos']:,} {kind}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        front = {each.name for each in self.front}
        alike = {each.name for each in self.ranking.not_told_apart}
        leads = {lead.name: lead for lead in self.ranking.leads}
        candidates = []
        for each in self.ranking.standings:
            lead = leads.get(each.name)
            gap = None if lead is None or lead.gap is None else lead.gap.as_dict()
            candidates.append(
                {
                    "name": each.name,
                    "recipe": each.candidate.recipe,
                    "image_size": each.candidate.image_size,
                    "alpha": each.candidate.alpha,
                    "heads": each.candidate.heads,
                    "fine_tune_epochs": each.epochs,
                    "photos": int(each.is_asked.sum()),
                    **each.accuracies.as_dict(),
                    "accuracy_interval_by_group": [each.accuracy.low, each.accuracy.high],
                    "milliseconds_per_photo": each.candidate.milliseconds,
                    "behind_best": gap,
                    "is_on_front": each.name in front,
                    "is_told_from_best": None if lead is None else each.name not in alike,
                }
            )
        return {
            "search": str(self.folder),
            "candidates": candidates,
            "best": self.ranking.best.name,
            "recommended": self.ranking.recommended.name,
            "not_told_apart": [each.name for each in self.ranking.not_told_apart],
            "verdict": self.verdict,
            "left_out": list(self.left_out),
            "meaning": self.meaning,
            "run": None if self.run is None else str(self.run),
            "test_accuracy": self.metrics.get("accuracy"),
            "evaluated_on": self.metrics.get("evaluated_on"),
            "budget_s": self.budget_s,
            "spent_s": round(self.spent_s, 1),
        }

    def __str__(self) -> str:
        photos = self.ranking.best.photos
        lines = [
            f"{len(photos.labels):,} photos of train and val in "
            f"{int(photos.groups.max()) + 1:,} groups, each answered by networks that saw no "
            f"photo of its group",
            "",
            f"{'candidate':<{NAME_WIDTH}}{'trained':>9}{'photos':>7}{'right':>7}"
            f"{'95% interval':>13}{'ms':>7}",
            *(self._line(each) for each in self.ranking.standings),
            "",
            "* recommended   = not told from the best by these photos",
            "",
            self.verdict,
            *self._notes(),
        ]
        if self.left_out:
            lines += ["", "Left out:", *(f"- {text}" for text in self.left_out)]
        wrapped = [part for line in lines for part in _wrap(line)]
        # A command that is broken into lines cannot be pasted.
        return join_lines([*wrapped, "", *self._ends()])

    def _line(self, each: Standing) -> str:
        chosen = each is self.ranking.recommended
        alike = each is self.ranking.best or each in self.ranking.not_told_apart
        mark = "*" if chosen else "=" if alike else " "
        name = fit_width(shown_text(each.name), NAME_WIDTH - 2)
        span = f"{100 * each.accuracy.low:.1f}-{100 * each.accuracy.high:.1f}"
        return (
            f"{mark} {name}{describe_training(each):>9}{int(each.is_asked.sum()):>7,}"
            f"{each.accuracy.value:>7.1%}{span:>13}{format_ms(each, ''):>7}"
        )

    def _notes(self) -> list[str]:
        groups = int(self.ranking.best.photos.groups.max()) + 1
        few = (
            f"Under {FEW_GROUPS} groups, so the true intervals are wider."
            if groups < FEW_GROUPS
            else None
        )
        return [note for note in (few, self.meaning) if note]

    @property
    def other_command(self) -> str | None:
        """The command that trains the best in place of the recommended; None if it is that."""
        best = self.ranking.best
        if best is self.ranking.recommended:
            return None
        words = ["trainer", "fit", self.curated.name, "--model", best.candidate.recipe]
        words += ["--image-size", str(best.candidate.image_size)]
        words += [] if best.candidate.alpha == 1 else ["--alpha", f"{best.candidate.alpha:g}"]
        return join_words([*words, "--heads", best.candidate.heads])

    def _ends(self) -> list[str]:
        spent = f"{format_span(self.spent_s)} of {format_span(self.budget_s)} spent."
        page = f"Look at {self.folder / 'report.html'}"
        other = self.other_command
        lines = [] if other is None else [f"To train the best in its place: {other}"]
        if self.run is None:
            again = join_words(["trainer", "search", "--resume", str(self.folder)])
            return [f"{spent} {page}", *lines, f"The chosen network is not trained; go on: {again}"]
        return [
            f"{self.run}: {self.test_line}",
            f"{spent} {page}",
            *lines,
            f"Then try: {join_words(['detector', 'live', '--model', str(self.run)])}",
        ]


def _wrap(line: str) -> list[str]:
    """Return a sentence in lines of 80 columns; those of the table are shorter."""
    hanging = "  " if line.startswith("- ") else ""
    return textwrap.wrap(
        line,
        WIDTH,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=len(line) > WIDTH,
    ) or [""]


def summarise(session: SearchSession, run: Path | None) -> SearchSummary | None:
    """Sum up a search; None where nothing was measured.

    Args:
        session: The search.
        run: Run of the chosen network; None where it was not trained.
    """
    ranking = session.rank()
    if ranking is None:
        return None
    return SearchSummary(
        folder=session.folder,
        curated=session.dataset.folder,
        ranking=ranking,
        left_out=_join_reasons(session.left_out),
        meaning=describe_groups(session.dataset).meaning,
        run=run,
        metrics={} if run is None else RunFolder(run).read_metrics(),
        budget_s=session.clock.budget_s,
        spent_s=session.clock.spent_s,
    )


def _join_reasons(left_out: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence for each reason, with all that were left out for it."""
    by_reason: dict[str, list[str]] = {}
    for what, why in left_out.items():
        by_reason.setdefault(why, []).append(what)
    return tuple(f"{', '.join(names)}: {why}" for why, names in by_reason.items())


def describe_training(each: Standing) -> str:
    """Return how a candidate was trained: "head" or "4 epochs"."""
    return f"{each.epochs} epochs" if each.is_tuned else "head"


def format_ms(each: Standing, unit: str = " ms") -> str:
    """Return the time for a face, or "?" where it was not measured."""
    took_ms = each.candidate.milliseconds
    return "?" if took_ms is None else f"{took_ms:.1f}{unit}"


def format_points(gap: Estimate) -> str:
    """Return a difference of accuracies in points with its interval."""
    return f"{100 * gap.value:.1f} points ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})"


def join_names(names: Sequence[str]) -> str:
    """Join names for people: "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
