"""Train from curated photos to a run folder with its bundle, in one go or after a break."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from maskage.classes.scheme import Scheme
from maskage.commands.text_table import list_first
from maskage.console import say
from maskage.errors import EnvironmentProblemError, UsageError
from maskage.formats.run.photos_file import write_run_photos
from maskage.formats.run.run_folder import RunFolder, check_name, create_run
from maskage.system.files import is_disk_full
from trainer.data.dataset import TrainingPhotos, read_training_photos
from trainer.data.known_photos import list_photos, require_unseen
from trainer.evaluation.leak_check import scan_files
from trainer.fit.earlier_run import (
    EarlierRun,
    arguments_of,
    read_earlier_run,
    require_work,
    settle,
)
from trainer.fit.packing import pack_run
from trainer.fit.training import Training
from trainer.fit.warm_start import WarmStart, drop_start, install_start, keep_start, load_start
from trainer.network.backbones import Network, build_network, find_backbone
from trainer.network.backend import keras
from trainer.network.devices import Hardware, choose_hardware
from trainer.network.multiprocess import leave_processes
from trainer.network.training_state import TrainingState, load_state
from trainer.network.weights import load_backbone_weights, obtain_weights
from trainer.progress import OnProgress, StopSwitch, TrainingStoppedError
from trainer.recipe import Recipe
from trainer.settings import FitSettings, read_args
from trainer.studies.curve_measurement import require_enough_groups


def fit(settings: FitSettings, on_progress: OnProgress = lambda _: None) -> Path:
    """Train, evaluate and pack one model.

    With pretrained weights, features are computed once by the frozen backbone, a head is trained on
    them, and then the upper blocks with the head. With random weights, whose features mean nothing,
    the whole network is trained from the start. From an earlier run, its network is trained on.

    Args:
        settings: Settings of the user.
        on_progress: Called after each batch of features and each epoch.

    Returns:
        The run folder. Of several processes that train together, only the first one keeps it.

    Raises:
        DatasetError: The curated folder is not usable, or has too few groups for a learning curve;
            or the earlier run has learned from its val or test.
        UsageError: A setting is out of range or does not suit the classes, the run's name is taken,
            or the earlier run is not one to start from.
        MissingDownloadError: There are no ImageNet weights.
        ModelRefusedError: The weights file, or the earlier run's model, is invalid, or belongs to
            another network.
        TrainingStoppedError: Ctrl-C was pressed; the best result so far, if any, is packed.
        EnvironmentProblemError: The disk is full; what was trained so far is kept.
    """
    earlier = None
    if settings.from_run is not None:
        earlier = read_earlier_run(settings.from_run, settings.runs)
        settings = settle(settings, earlier)
    settings.recipe(earlier.shortened if earlier is not None else None)
    hardware = choose_hardware(settings.devices, settings.precision)
    check_name(settings.runs, settings.name)
    photos = read_training_photos(settings.curated)
    recipe = _recipe_for(settings, photos.scheme, earlier)
    if settings.learning_curve:
        require_enough_groups(photos.train.photos)
    if earlier is not None:
        held_out = [*photos.val.photos, *photos.test.photos]
        require_unseen(photos, earlier.photos, scan_files(held_out), earlier.run.path)
    else:
        # Before the folder is created: without weights there is no run.
        obtain_weights(find_backbone(recipe), recipe, settings.weights)
    args = {**settings.as_args(recipe), "dataset_digest": photos.digest, "hardware": str(hardware)}
    args |= arguments_of(earlier) if earlier is not None else {}
    with hardware.runs_folder(settings.runs) as runs:
        run = create_run(runs, settings.name, recipe.name, args, photos.scheme)
        try:
            with run.lock(), _explained_full_disk(run):
                if earlier is not None:
                    keep_start(run, earlier, photos)
                known_before = earlier.photos if earlier is not None else ()
                write_run_photos(run.path, list_photos(photos, known_before))
                return _train(
                    run,
                    settings=settings,
                    recipe=recipe,
                    photos=photos,
                    hardware=hardware,
                    on_progress=on_progress,
                )
        except BaseException:
            # Nothing was trained, so nothing is kept; features lie elsewhere.
            if not run.is_trained:
                shutil.rmtree(run.path)
            raise


def resume(path: Path, on_progress: OnProgress = lambda _: None) -> Path:
    """Continue a training that was stopped or killed, from its last complete epoch.

    The result is the same as without the break. A finished run is left unchanged.

    Args:
        path: The run folder.
        on_progress: As for `fit`.

    Returns:
        The run folder.

    Raises:
        UsageError: The photos have changed since the run was started.
        EnvironmentProblemError: The folder is not a run, its last state is damaged, or the disk is
            full.
        InUseError: The run is being trained now.
        DatasetError: The set has other classes than the run; or see `fit`.
        MissingDownloadError, ModelRefusedError, TrainingStoppedError: See `fit`.
    """
    run = RunFolder(path)
    if run.is_finished:
        return path
    args = run.read_args()
    settings, recipe = read_args(path, args)
    settings = replace(settings, runs=path.parent)
    photos = read_training_photos(settings.curated, run.scheme, f"the run {path}")
    if photos.digest != args.get("dataset_digest"):
        raise UsageError(
            f"{settings.curated} has other photos now than when {path} was started, so the run "
            f"cannot continue. Train a new one: `trainer fit {settings.curated}`."
        )
    hardware = choose_hardware(settings.devices, settings.precision)
    if hardware.process.count > 1:
        raise UsageError(
            f"--resume works in one process only; found {hardware.process.count}. Unset "
            f"KERAS_DISTRIBUTION_*, or train a new run."
        )
    with run.lock(), _explained_full_disk(run):
        state = load_state(run.state)
        done = state.epochs_done if state is not None else {}
        run.keep_results(done)
        if (lost := sum(done.values()) - len(run.read_results())) > 0:
            say(f"{path}: {lost} epochs are missing in results.csv, and so in its curves.")
        return _train(
            run,
            settings=settings,
            recipe=recipe,
            photos=photos,
            hardware=hardware,
            on_progress=on_progress,
            state=state,
        )


def _recipe_for(settings: FitSettings, scheme: Scheme, earlier: EarlierRun | None) -> Recipe:
    base = earlier.shortened if earlier is not None else None
    recipe = settings.recipe_for(scheme, base)
    if earlier is not None:
        require_work(settings, recipe, earlier, scheme)
        if removed := [label for label in earlier.scheme.labels if label not in scheme]:
            say(
                f"The run {earlier.name} has classes that {settings.curated} has not: "
                f"{list_first(removed)}. The new model does not answer them any more."
            )
    if recipe.heads != settings.recipe(base).heads:
        say(
            f"The recipe {recipe.name} has a head of factors, which do not tell these classes "
            f"apart: the head answers the {len(scheme)} classes."
        )
    return recipe


@contextmanager
def _explained_full_disk(run: RunFolder) -> Iterator[None]:
    """Explain, when the disk is full, how to continue the training."""
    try:
        yield
    except OSError as fault:
        if not is_disk_full(fault):
            raise
        way_on = (
            f"What was trained so far is kept: make room, then continue with `trainer fit --resume "
            f"{run.path}`."
            if run.is_trained
            else "Nothing was trained yet, so there is no run: make room, then train again. "
            "Computed features are kept."
        )
        raise EnvironmentProblemError(
            f"{run.path}: the disk is full ({fault.filename or fault}). {way_on}"
        ) from fault


def _train(
    run: RunFolder,
    *,
    settings: FitSettings,
    recipe: Recipe,
    photos: TrainingPhotos,
    hardware: Hardware,
    on_progress: OnProgress,
    state: TrainingState | None = None,
) -> Path:
    start = load_start(run)
    weights = (
        start.weights
        if start is not None
        else obtain_weights(find_backbone(recipe), recipe, settings.weights)
    )
    keras.utils.set_random_seed(settings.seed)
    network = build_network(recipe, photos.scheme)
    has_head = _load_weights(network, recipe, start, weights)
    with StopSwitch() as switch:
        training = Training(
            settings=settings,
            recipe=recipe,
            photos=photos,
            network=network,
            run=run,
            switch=switch,
            on_progress=on_progress,
            hardware=hardware,
            state=state,
            start=start,
            has_head=has_head,
        )
        outcome = training.run_phases(weights)
        leave_processes()
        if hardware.process.is_first:
            pack_run(outcome)
        # Not the switch: Ctrl-C during packing does not cut the training short.
        if outcome.is_stopped:
            raise TrainingStoppedError(
                f"Stopped early. The best result so far is evaluated and packed in {run.path}. "
                f"Continue with `trainer fit --resume {run.path}`.",
                run.path,
            )
        run.state.unlink(missing_ok=True)
        drop_start(run)
    return run.path


def _load_weights(
    network: Network, recipe: Recipe, start: WarmStart | None, weights: Path | None
) -> bool:
    """Load the weights that a training starts with; return True if the head is among them."""
    if start is not None:
        return install_start(network, start, recipe)
    if weights is not None:
        load_backbone_weights(network, weights)
    return False
