"""The last stage: the recommended network is trained as `trainer fit` does, and becomes a run."""

import time
from pathlib import Path
from statistics import median

from maskage.console import say
from maskage.formats.run.run_folder import RunFolder
from maskage.formats.run.search_file import CandidateRecord
from trainer.data.dataset import count_drawn, count_variants
from trainer.fit.fit import fit, resume
from trainer.recipe import Recipe
from trainer.search.budget import format_span
from trainer.search.costs import TrainingTimes
from trainer.search.ranking import Ranking, Standing
from trainer.search.session import SearchSession
from trainer.settings import FitSettings

LEAST_EPOCHS = 2
"""Fewer epochs of fine-tuning than this are left out altogether."""


SAFETY = 1.1
"""Factor of the prediction: this training is not cut short, so it should rather end early."""


def predict_final_s(session: SearchSession, candidate: CandidateRecord, epochs: int) -> float:
    """Predict the seconds of a candidate's training on the whole set."""
    recipe = session.recipe_of(candidate)
    train = session.dataset.photos("train")
    missing = (recipe.views - 1) * len(train) + count_variants(train)
    drawn = count_drawn(train)
    needed_s = session.costs.fit_s(candidate, recipe, photos=drawn, missing=missing, epochs=epochs)
    return SAFETY * needed_s


def run_final_stage(session: SearchSession, ranking: Ranking) -> Path | None:
    """Train the recommended candidate; return its run, or None where that does not fit.

    Args:
        session: The search.
        ranking: What it found.
    """
    chosen = ranking.recommended
    if (done := _finished_run(session, chosen)) is not None:
        return done
    recipe = session.recipe_of(chosen.candidate)
    epochs = choose_epochs(session, chosen.candidate, recipe)
    needed_s = predict_final_s(session, chosen.candidate, epochs or 0)
    if epochs is None:
        session.leave_out(
            f"training {chosen.name}",
            f"needs about {format_span(needed_s)}, and {format_span(session.clock.left_s)} are "
            f"left. Go on with --budget {_round_up(needed_s)} or more.",
        )
        return None
    say(f"Chosen: {chosen.name}. Training it takes about {format_span(needed_s)}.")
    if epochs < recipe.fine_tune.epochs:
        session.leave_out(
            f"{recipe.fine_tune.epochs - epochs} of {recipe.fine_tune.epochs} epochs of "
            f"fine-tuning {chosen.name}",
            "they do not fit the budget.",
        )
    name = _free_name(session)
    session.save(run=name)
    settings = FitSettings(
        curated=session.dataset.folder,
        runs=session.runs,
        name=name,
        model=chosen.candidate.recipe,
        image_size=chosen.candidate.image_size,
        alpha=chosen.candidate.alpha,
        heads=chosen.candidate.heads,
        fine_tune_epochs=None if epochs == recipe.fine_tune.epochs else epochs,
        seed=session.record.seed,
        devices=session.record.devices,
        precision=session.record.precision,
        chosen=describe_choice(session, ranking),
    )
    began_s = time.monotonic()
    run = fit(settings, session.on_progress)
    took = read_times(RunFolder(run), time.monotonic() - began_s)
    drawn = count_drawn(session.dataset.photos("train"))
    session.save(rates=session.costs.after_training(chosen.candidate, recipe, drawn, took))
    return run


def read_times(run: RunFolder, whole_s: float) -> TrainingTimes:
    """Return the times of a finished training; its first epoch, which compiles, is no measure."""
    seconds = run.read_metrics()["seconds"]
    epochs = [row.seconds for row in run.read_results() if row.phase == "fine_tune"]
    epoch_s = median(epochs[1:] or epochs) if epochs else 0.0
    phases_s = float(seconds.get("features", 0.0)) + float(seconds.get("head", 0.0))
    return TrainingTimes(whole_s, epoch_s, max(0.0, whole_s - phases_s - len(epochs) * epoch_s))


def choose_epochs(session: SearchSession, candidate: CandidateRecord, recipe: Recipe) -> int | None:
    """Return how many epochs of fine-tuning fit; None where not even the head does."""
    left_s, most = session.clock.left_s, recipe.fine_tune.epochs
    for epochs in range(most, 0, -1):
        if epochs >= min(LEAST_EPOCHS, most) and (
            predict_final_s(session, candidate, epochs) <= left_s
        ):
            return epochs
    return 0 if predict_final_s(session, candidate, 0) <= left_s else None


def describe_choice(session: SearchSession, ranking: Ranking) -> str:
    """Say for the run's page and card that it was chosen, and among how many."""
    networks = {each.candidate.network for each in ranking.standings}
    tuned = sum(each.is_tuned for each in ranking.standings)
    how = f"{tuned} of them fine-tuned" if tuned else "all by heads on frozen backbones"
    fairness = (
        "No test photo took part in the choice."
        if session.dataset.photos("test")
        else "There is no test: its figures are on photos that took part in the choice."
    )
    return (
        f"`trainer search` chose this network among {len(ranking.standings)} candidates "
        f"({len(networks)} networks, {how}) by {len(session.photos):,} photos of train and val. "
        f"{fairness}"
    )


def _finished_run(session: SearchSession, chosen: Standing) -> Path | None:
    """Return the run of an earlier sitting, finished now if need be; None for another network."""
    if session.record.run is None:
        return None
    run = RunFolder(session.runs / session.record.run)
    recipe = run.read_args().get("recipe")
    wanted = session.recipe_of(chosen.candidate)
    is_same = isinstance(recipe, dict) and all(
        recipe.get(key) == getattr(wanted, key)
        for key in ("backbone", "image_size", "alpha", "heads")
    )
    if not is_same:
        return None
    if not run.is_finished:
        say(f"Going on with {run.path}.")
        return resume(run.path, session.on_progress)
    return run.path


def _free_name(session: SearchSession) -> str:
    name = f"{session.folder.name}-best"
    names = (name, *(f"{name}{number}" for number in range(2, 1000)))
    return next(each for each in names if not (session.runs / each).exists())


def _round_up(seconds: float) -> str:
    return f"{int(seconds * 1.2) // 60 + 1}m"
