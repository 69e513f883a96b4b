"""The first stage: heads on the features of frozen backbones, each photo judged out of fold."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from maskage.console import say
from maskage.errors import MissingDownloadError, ModelRefusedError, ToolchainError
from maskage.formats.bundle import golden_images
from maskage.formats.feature_cache import FeatureCache, feature_key
from maskage.formats.run.search_file import CandidateRecord
from maskage.inference.onnx_engine import OnnxEngine
from maskage.inference.timing import measure_by_turns
from trainer.data.dataset import digest_files
from trainer.data.features import cache_folder, default_cache
from trainer.data.frozen_features import FrozenBackbone, report_rate
from trainer.network.backbones import build_network, find_backbone
from trainer.network.head import Matrix
from trainer.network.to_onnx import export_onnx
from trainer.network.weights import load_backbone_weights, obtain_weights
from trainer.progress import TrainingProgress
from trainer.recipe import Recipe
from trainer.search.budget import BudgetGuard, OverBudgetError, format_span
from trainer.search.candidates import Network
from trainer.search.session import SearchSession
from trainer.settings import IMAGENET
from trainer.studies.cross_validation import predict_folds

SHARE = 0.4
"""Share of the budget for this stage; the rest is for trials and the chosen network."""

NO_TIME = "the time for this stage is spent."

FIRST_TURNS, TURNS = 10, 20
"""Timed runs of a network for predictions, and of all networks by turns for the table."""


def run_frozen_stage(session: SearchSession, networks: Sequence[Network], until_s: float) -> None:
    """Measure the candidates of networks with heads on frozen features, as far as time allows.

    Args:
        session: The search.
        networks: The networks, in their order.
        until_s: Seconds from the start of the sitting to which this may last.

    Raises:
        MissingDownloadError, ModelRefusedError: No network could be loaded.
    """
    digests = digest_files(session.photos)
    faults: list[ToolchainError] = []
    for number, network in enumerate(networks, 1):
        known = network.candidates(session.scheme)
        wanted = {name: session.record.candidates.get(name, each) for name, each in known.items()}
        if all(each.frozen is not None for each in wanted.values()):
            continue
        left_s = until_s - session.clock.spent_s
        if (reason := _why_not(session, network, wanted, digests, left_s)) is not None:
            session.leave_out(network.name, reason)
            continue
        say(f"Network {number} of {len(networks)}: {network.name}")
        try:
            _measure(session, network, wanted, until_s)
            session.left_out.pop(network.name, None)
        except OverBudgetError as fault:
            session.leave_out(
                network.name,
                f"its features would take {format_span(fault.needed_s)} more, which does not fit; "
                f"those computed so far are kept.",
            )
            # The other sizes of this network are predicted from it.
            took_ms = _measure_alone(session, network.recipe)
            session.save_candidates(
                {name: replace(each, milliseconds=took_ms) for name, each in wanted.items()}
            )
        except (MissingDownloadError, ModelRefusedError) as fault:
            faults.append(fault)
            session.leave_out(network.name, str(fault).splitlines()[0])
    if faults and session.rank() is None:
        raise faults[0]


def measure_speed(session: SearchSession, networks: Sequence[Network]) -> None:
    """Measure the time for a face of all networks by turns, so that a busy moment slows all.

    Args:
        session: The search.
        networks: Those whose weights are at hand; others keep what was measured before.
    """
    candidates, at_hand = session.record.candidates, {each.key for each in networks}
    recipes = {
        each.network: session.recipe_of(each)
        for each in candidates.values()
        if each.frozen is not None and each.network in at_hand
    }
    if not recipes:
        return
    runs = [_timed_run(session, recipe) for recipe in recipes.values()]
    # The images belong to each network, which has its own size.
    took = measure_by_turns(runs, golden_images(32)[:1], TURNS)
    by_network = dict(zip(recipes, took, strict=True))
    session.save_candidates(
        {
            name: replace(each, milliseconds=by_network[each.network])
            for name, each in candidates.items()
            if each.network in by_network
        }
    )


def _why_not(
    session: SearchSession,
    network: Network,
    wanted: dict[str, CandidateRecord],
    digests: Sequence[str],
    left_s: float,
) -> str | None:
    """Return why a network is not begun, or None if it is."""
    missing = _count_missing(session, network, digests)
    one = next(iter(wanted.values()))
    needed_s = session.costs.frozen_s(one, missing, len(wanted), session.fold_count)
    is_first = not any(each.frozen is not None for each in session.record.candidates.values())
    is_known = needed_s is not None
    if needed_s is None:
        needed_s = session.record.rates.get("probe_s", 0.0)
    if is_first or needed_s <= left_s:
        return None
    if left_s <= 0:
        return NO_TIME
    about = "about" if is_known else "at least"
    return (
        f"needs {about} {format_span(needed_s)}, and {format_span(left_s)} are left for this stage."
    )


def _count_missing(session: SearchSession, network: Network, digests: Sequence[str]) -> int:
    """Return the number of photos whose features are not cached."""
    row = find_backbone(network.recipe)
    if not network.weights_bytes:
        return len(digests)
    weights = obtain_weights(row, network.recipe, IMAGENET)
    assert weights is not None
    folder = cache_folder(default_cache(session.runs), network.recipe, weights)
    if not folder.is_dir():
        return len(digests)
    cache = FeatureCache(folder)
    return sum(feature_key(digest, 0) not in cache for digest in digests)


def _measure(
    session: SearchSession, network: Network, wanted: dict[str, CandidateRecord], until_s: float
) -> None:
    began_s = time.monotonic()
    first_s: list[float] = []

    guard = BudgetGuard(
        session.on_progress,
        lambda: until_s - session.clock.spent_s,
        "features",
    )

    def watch(progress: TrainingProgress) -> None:
        first_s.append(time.monotonic() - began_s)
        guard(progress)

    backbone = FrozenBackbone(network.recipe, IMAGENET, session.runs, session.scheme)
    features = backbone.compute(session.photos, watch)
    if first_s:
        probe_s = max(first_s[0], session.record.rates.get("probe_s", 0.0))
        session.save(rates={**session.record.rates, "probe_s": probe_s})
    took_ms = _measure_alone(session, network.recipe)
    for name, candidate in wanted.items():
        answers = candidate.frozen or _answer(session, network.recipe, candidate.heads, features)
        session.save_candidates({name: replace(candidate, frozen=answers, milliseconds=took_ms)})


def _measure_alone(session: SearchSession, recipe: Recipe) -> float:
    """Return the time of a network for one face, ms, for predictions."""
    (took_ms,) = measure_by_turns([_timed_run(session, recipe)], golden_images(32)[:1], FIRST_TURNS)
    return took_ms


def _answer(
    session: SearchSession, recipe: Recipe, heads: str, features: Matrix
) -> tuple[int, ...]:
    """Return the answers of heads to all photos, each by a head that saw no photo of its group."""
    began_s = time.monotonic()
    count = session.fold_count
    report = report_rate("heads", "heads", session.on_progress)
    logits = predict_folds(
        features,
        session.judged.labels,
        session.judged.folds,
        recipe=replace(recipe, heads=heads),
        seed=session.record.seed,
        scheme=session.scheme,
        on_head=lambda done: report(done, count),
    )
    head_s = (time.monotonic() - began_s) / count
    session.save(rates={**session.record.rates, "head_s": head_s})
    return tuple(int(answer) for answer in logits.argmax(axis=1))


def _timed_run(session: SearchSession, recipe: Recipe) -> Callable[[object], object]:
    """Return a function that runs a network on one face, as the detector does."""
    engine = OnnxEngine(_exported(session.runs, session, recipe))
    image = golden_images(recipe.image_size)[:1]
    return lambda _: engine.run(image)


def _exported(runs: Path, session: SearchSession, recipe: Recipe) -> Path:
    """Return the ONNX file of a network, which features were computed with, or make it."""
    weights = obtain_weights(find_backbone(recipe), recipe, IMAGENET)
    assert weights is not None
    path = cache_folder(default_cache(runs), recipe, weights) / "network.onnx"
    if not path.is_file():
        network = build_network(recipe, session.scheme)
        load_backbone_weights(network, weights)
        export_onnx(network.features, path, output="features")
    return path
