"""The second stage: the best few are fine-tuned for a short while, fold by fold, half of them each.

Every round holds out another fold. All that are left are trained on the others and answer it; then
the better half goes on. So the last ones have answered most photos, and none answered a photo of a
group that it learned from.

Source:
    Jamieson and Talwalkar, Non-stochastic best arm identification and hyperparameter optimization,
    AISTATS 2016: successive halving.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from maskage.console import say
from maskage.formats.output_log import Kind, Output, log_output
from maskage.formats.run.datasets_behind import datasets_behind
from maskage.formats.run.run_folder import RunFolder
from maskage.formats.run.search_file import TrialRecord
from maskage.system.files import write_private
from trainer.data.dataset import count_variants, photos_per_epoch
from trainer.fit.fit import fit
from trainer.progress import TrainingProgress
from trainer.recipe import Recipe
from trainer.search.budget import BudgetGuard, OverBudgetError, format_span
from trainer.search.costs import TrainingTimes
from trainer.search.final_stage import predict_final_s, read_times
from trainer.search.fold_set import assign_splits, number_of, write_fold_set
from trainer.search.ranking import Standing, find_front, stand
from trainer.search.session import RECIPE_FILE, SET_NAME, TRIAL_NAME, SearchSession
from trainer.settings import FitSettings

MOST_FINALISTS = 4
"""Most candidates of the first round."""

SHORT = 3
"""A trial has the epochs of the recipe divided by this, at least `LEAST_EPOCHS`."""

LEAST_EPOCHS = 2


def run_trial_stage(session: SearchSession) -> None:
    """Fine-tune the best few on folds, as far as time allows after the chosen one's training."""
    alive = _choose_finalists(session)
    for fold in range(session.fold_count):
        # One alone is chosen already.
        if len(alive) < 2:
            return
        splits = assign_splits(
            session.photos, session.judged.folds, fold, session.dataset, session.record.seed
        )
        if splits is None:
            if not fold:
                session.leave_out(
                    "trials with fine-tuning",
                    "the classes come from too few groups to train on some, choose the epoch on "
                    "others and judge by a third part.",
                )
                return
            continue
        is_whole = True
        for name in alive:
            is_whole = _run_trial(session, name, fold, splits) and is_whole
        if not is_whole:
            return
        alive = _better_half(session, alive)


def _choose_finalists(session: SearchSession) -> list[str]:
    """Return the names of those to fine-tune: on the front of the frozen ones first, best first.

    Heads of one network differ little, so of each network only the better one goes on. Those that
    have been fine-tuned before stay.
    """
    standings = [
        standing
        for name, each in session.record.candidates.items()
        if (standing := stand(name, each, session.judged, frozen=True)) is not None
    ]
    front = find_front(standings)
    by_accuracy = sorted(standings, key=lambda each: (-each.accuracy.value, each.milliseconds))
    ordered = sorted(by_accuracy, key=lambda each: each not in front)
    tried = [each for each in ordered if session.record.candidates[each.name].trials]
    chosen: dict[tuple[str, float, int], Standing] = {
        each.candidate.network: each for each in tried
    }
    seen = set(chosen)
    for each in ordered:
        is_new = len(chosen) < MOST_FINALISTS and each.candidate.network not in seen
        seen.add(each.candidate.network)
        if is_new and _may_be_trained(session, each):
            chosen[each.candidate.network] = each
    return [each.name for each in by_accuracy if each in chosen.values()]


def _may_be_trained(session: SearchSession, standing: Standing) -> bool:
    """Return whether the whole training of a candidate would fit what is left, beside its trial."""
    candidate = session.record.candidates[standing.name]
    recipe = session.recipe_of(candidate)
    if not recipe.fine_tune.epochs:
        return False
    epochs = -(-recipe.fine_tune.epochs // 2)
    needed_s = predict_final_s(session, candidate, epochs)
    if needed_s <= session.clock.left_s:
        return True
    session.leave_out(
        f"fine-tuning {standing.name}",
        f"its training alone, with {epochs} epochs, needs about {format_span(needed_s)}, and "
        f"{format_span(session.clock.left_s)} are left.",
    )
    return False


def _run_trial(session: SearchSession, name: str, fold: int, splits: list[str]) -> bool:
    """Fine-tune one candidate unless it was before; return whether there is a result."""
    candidate = session.record.candidates[name]
    if any(trial.fold == fold for trial in candidate.trials):
        return True
    recipe = shorten(session.recipe_of(candidate))
    taught = splits.count("train")
    variants = count_variants(session.dataset.photos("train"))
    drawn, epochs = photos_per_epoch(taught, variants), recipe.fine_tune.epochs
    needed_s = session.costs.fit_s(candidate, recipe, photos=drawn, missing=variants, epochs=epochs)
    reserve_s = predict_final_s(session, candidate, recipe_epochs(session, name))
    left_s = session.clock.left_s - reserve_s
    if needed_s > left_s:
        session.leave_out(
            f"trial {fold + 1} of {name}",
            f"needs about {format_span(needed_s)}, and {format_span(left_s)} are left beside the "
            f"training of the chosen network.",
        )
        return False
    say(f"Trial {fold + 1} of {name}: {epochs} epochs, about {format_span(needed_s)}")
    try:
        with session.sharing_features():
            answers, took, drawn = _train(session, recipe, fold, splits, reserve_s)
    except OverBudgetError as fault:
        session.leave_out(
            f"trial {fold + 1} of {name}",
            f"it turned out to need {format_span(fault.needed_s)} more, which does not fit.",
        )
        return False
    finally:
        session.remove_trial()
    trial = TrialRecord(fold, epochs, answers, round(took.whole_s, 1))
    rates = session.costs.after_training(candidate, recipe, drawn, took)
    session.save(
        rates=rates,
        candidates={
            **session.record.candidates,
            name: replace(candidate, trials=(*candidate.trials, trial)),
        },
    )
    return True


def recipe_epochs(session: SearchSession, name: str) -> int:
    """Return the epochs of fine-tuning of a candidate's recipe."""
    return session.recipe_of(session.record.candidates[name]).fine_tune.epochs


def shorten(recipe: Recipe) -> Recipe:
    """Return the recipe of a trial: few epochs, and no augmented views for the head."""
    epochs = max(LEAST_EPOCHS, round(recipe.fine_tune.epochs / SHORT))
    epochs = min(epochs, recipe.fine_tune.epochs)
    return replace(recipe, views=1, fine_tune=replace(recipe.fine_tune, epochs=epochs))


def _train(
    session: SearchSession, recipe: Recipe, fold: int, splits: list[str], reserve_s: float
) -> tuple[tuple[int, ...], TrainingTimes, int]:
    """Train on a fold's set; return the answers to the fold, the times and the photos an epoch."""
    began_s = time.monotonic()
    folder, place = session.folder, session.folder / SET_NAME
    session.remove_trial()
    log_output(datasets_behind([session.dataset.folder]), Output(place, Kind.CURATED))
    photos = write_fold_set(place, session.photos, splits, session.dataset)
    write_private(folder / RECIPE_FILE, _as_toml(asdict(recipe)))
    guard = BudgetGuard(
        lambda progress: session.on_progress(_named(progress)),
        lambda: session.clock.left_s - reserve_s,
        "fine-tune",
        after_s=session.costs.overhead_s,
    )
    settings = FitSettings(
        curated=place,
        runs=folder,
        name=TRIAL_NAME,
        model=str(folder / RECIPE_FILE),
        seed=session.record.seed,
        devices=session.record.devices,
        precision=session.record.precision,
    )
    run = RunFolder(fit(settings, guard))
    answers = _read_answers(session, run, fold)
    taught = splits.count("train")
    drawn = photos_per_epoch(taught, photos - taught)
    return answers, read_times(run, time.monotonic() - began_s), drawn


def _read_answers(session: SearchSession, run: RunFolder, fold: int) -> tuple[int, ...]:
    said = {
        number_of(each.path): session.scheme.index(each.predicted)
        for each in run.read_predictions()
    }
    return tuple(said[int(at)] for at in np.flatnonzero(session.judged.folds == fold))


def _better_half(session: SearchSession, names: list[str]) -> list[str]:
    """Return the better half, rounded up, by the photos that all of them answered; best first."""
    standings = [
        found
        for name in names
        if (found := stand(name, session.record.candidates[name], session.judged)) is not None
    ]
    asked = np.logical_and.reduce([each.is_asked for each in standings])
    ordered = sorted(standings, key=lambda each: (-each.accuracy_on(asked), each.milliseconds))
    return [each.name for each in ordered[: -(-len(ordered) // 2)]]


def _named(progress: TrainingProgress) -> TrainingProgress:
    return replace(progress, stage=f"trial: {progress.stage}")


def _as_toml(values: Mapping[str, Any]) -> str:
    """Return a recipe as TOML; its name is that of the file."""
    plain = {key: each for key, each in values.items() if not isinstance(each, dict)}
    tables = {key: each for key, each in values.items() if isinstance(each, dict)}
    lines = [f"{key} = {json.dumps(each)}" for key, each in plain.items()
             if key != "name" and each is not None]  # fmt: skip
    for name, table in tables.items():
        lines += [f"[{name}]", _as_toml(table).rstrip()]
    return "\n".join(lines) + "\n"
