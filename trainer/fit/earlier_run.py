"""The earlier run that a training starts from: `trainer fit --from RUN`.

It must be finished, and say which photos it learned from. Its network gives the start, so that few
epochs at a lower rate are enough. No Keras is loaded here.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from maskage.classes.scheme import Scheme
from maskage.errors import (
    EnvironmentProblemError,
    ModelRefusedError,
    ToolchainError,
    UsageError,
)
from maskage.formats.bundle import BUNDLE_FILE
from maskage.formats.run.photos_file import RunPhoto, read_run_photos
from maskage.formats.run.run_arguments import ARGS_FILE
from maskage.formats.run.run_folder import METRICS_FILE, RunFolder, trained_on
from trainer.network.carried_answers import carry_answers, name_answers
from trainer.recipe import Recipe, load_recipe, recipe_from_table
from trainer.settings import FitSettings, read_args

EPOCHS_SHARE = 0.2
"""Share of the recipe's epochs of fine-tuning that a training from an earlier run gets.

Export, checks and report cost the same as ever. So that the whole takes a quarter of the time, the
epochs must take less: 3 of the default recipe's 14.
"""

RATE_SHARE = 0.5
"""Share of the recipe's learning rate of fine-tuning."""

FULL_RECIPE = "full_recipe"
"""Key of `args.yaml`: the recipe before it was shortened, for a run that starts from this one."""

_ARCHITECTURE = ("model", "weights", "image_size", "alpha", "heads")
"""Settings that belong to the network of the earlier run."""


@dataclass(frozen=True, eq=False)
class EarlierRun:
    """A finished run that a training starts from.

    Attributes:
        run: Its folder.
        settings: What it was trained with.
        recipe: Recipe that it was built from, whole, not shortened.
        scheme: Its classes.
        photos: Photos of its set, and those that it knew before.
    """

    run: RunFolder
    settings: FitSettings
    recipe: Recipe
    scheme: Scheme
    photos: tuple[RunPhoto, ...]

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.run.path.name

    @property
    def shortened(self) -> Recipe:
        """Its recipe for a training that starts from it."""
        return shorten(self.recipe)


def shorten(recipe: Recipe) -> Recipe:
    """Return a recipe for a training that starts from a network of the same recipe.

    A fifth of the epochs, at half the rate; a head for new classes, on one view of each photo.
    """
    tuning = recipe.fine_tune
    if not tuning.epochs:
        return recipe
    epochs = max(1, round(tuning.epochs * EPOCHS_SHARE))
    rate = tuning.learning_rate * RATE_SHARE
    return replace(recipe, views=1, fine_tune=replace(tuning, epochs=epochs, learning_rate=rate))


def find_earlier_run(named: Path, runs: Path) -> Path:
    """Return the folder of the run that `--from` names: a path, or a name in the folder of runs.

    Raises:
        UsageError: There is no such run, or it is not finished.
        ModelRefusedError: It is a bundle, which has no checkpoint, or its checkpoint is gone.
    """
    found = [path for path in (named, runs / named) if path.is_dir()]
    if not found:
        names = sorted(path.parent.name for path in runs.glob(f"[!.]*/{METRICS_FILE}"))
        listed = f"Found {', '.join(names[:8])} in {runs}." if names else f"No run is in {runs}."
        raise UsageError(f"--from {named}: there is no such run. {listed}")
    # Beside a run of that name, another folder may have it too: the set.
    path = next((path for path in found if (path / ARGS_FILE).is_file()), found[0])
    run = RunFolder(path.resolve())
    if not (run.path / ARGS_FILE).is_file():
        if not (run.path / BUNDLE_FILE).is_file():
            raise UsageError(
                f"--from {named}: this is no run, because it has no {ARGS_FILE}. Name a folder "
                f"that `trainer fit` made."
            )
        above = run.path.parent
        way_on = f"--from {above}" if (above / ARGS_FILE).is_file() else "the run that it comes of"
        raise ModelRefusedError(
            f"--from {named}: this is a bundle, which has neither the checkpoint nor the list of "
            f"photos that a training starts from. Name its run: {way_on}."
        )
    if not ((run.path / METRICS_FILE).is_file() and (run.bundle / BUNDLE_FILE).is_file()):
        raise UsageError(
            f"--from {named}: this run is not finished. Finish it with `trainer fit --resume "
            f"{run.path}`, or name another one."
        )
    if not run.checkpoint.is_file():
        raise ModelRefusedError(
            f"--from {named}: its {run.checkpoint.relative_to(run.path)} is missing, and a "
            f"training cannot start from the bundle alone. Name another run, or train without "
            f"--from."
        )
    return run.path


def read_earlier_run(named: Path, runs: Path) -> EarlierRun:
    """Read the run that `--from` names.

    Raises:
        UsageError: There is no such run, it is not finished, or it does not say what it learned
            from.
        ModelRefusedError: It has no checkpoint.
        DatasetError: One of its tables is damaged.
        EnvironmentProblemError: Its args.yaml is damaged.
    """
    path = find_earlier_run(named, runs)
    run = RunFolder(path)
    args = run.read_args()
    settings, recipe = read_args(path, args)
    if FULL_RECIPE in args:
        recipe = _recipe_of(path, args[FULL_RECIPE])
    scheme = run.scheme
    return EarlierRun(run, settings, recipe, scheme, _photos_of(run, args, scheme))


def settle(
    settings: FitSettings, earlier: EarlierRun, given: Collection[str] | None = None
) -> FitSettings:
    """Return settings with the network of the earlier run.

    Args:
        settings: Settings of the user.
        earlier: The run to start from.
        given: Names of the settings that the user gave; None for those that are not the default.

    Raises:
        UsageError: A setting asks for another network, or does not go with `--from`.
    """
    plain = FitSettings()
    if given is None:
        given = [
            each.name
            for each in fields(FitSettings)
            if getattr(settings, each.name) != getattr(plain, each.name)
        ]
    own = _own_values(earlier)
    for name in _ARCHITECTURE:
        if name in given and not _is_same(name, getattr(settings, name), own[name], earlier):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{option} {getattr(settings, name)} and --from {earlier.name} contradict each "
                f"other: that run has {option} {own[name]}, and a training goes on with its "
                f"network. Leave out one of the two."
            )
    if settings.learning_curve:
        raise UsageError(
            f"--learning-curve and --from {earlier.name} do not go together: its network has "
            f"learned from these photos already, so heads on parts of them would all look good. "
            f"Leave out one of the two."
        )
    return replace(
        settings,
        model=earlier.settings.model,
        weights=earlier.settings.weights,
        image_size=earlier.recipe.image_size,
        alpha=earlier.recipe.alpha,
        heads=earlier.recipe.heads,
        from_run=earlier.run.path,
    )


def require_work(
    settings: FitSettings, recipe: Recipe, earlier: EarlierRun, scheme: Scheme
) -> None:
    """Check that every epoch that was asked for is trained, and that there are some.

    Raises:
        UsageError: The head is kept, and there is no fine-tuning or `--epochs` was given.
    """
    former = name_answers(earlier.recipe.heads, earlier.scheme)
    wanted = name_answers(recipe.heads, scheme)
    if carry_answers(former, wanted) is None or not earlier.recipe.fine_tune.epochs:
        return
    if not recipe.fine_tune.epochs:
        raise UsageError(
            f"--from {earlier.name} with --fine-tune-epochs 0 would train nothing: "
            f"{settings.curated} has no new classes, so the head stays as it is. Leave "
            f"--fine-tune-epochs out."
        )
    if settings.epochs is not None:
        raise UsageError(
            f"--epochs are those of the head, and the head of {earlier.name} stays as it is, "
            f"because {settings.curated} has no new classes. Leave --epochs out; "
            f"--fine-tune-epochs sets the epochs of the network."
        )


def arguments_of(earlier: EarlierRun) -> dict[str, Any]:
    """Return what `args.yaml` keeps of the earlier run, beside the settings."""
    return {FULL_RECIPE: asdict(earlier.recipe)}


def _own_values(earlier: EarlierRun) -> dict[str, Any]:
    recipe = earlier.recipe
    return {
        "model": recipe.name,
        "weights": earlier.settings.weights,
        "image_size": recipe.image_size,
        "alpha": recipe.alpha,
        "heads": recipe.heads,
    }


def _is_same(name: str, value: Any, own: Any, earlier: EarlierRun) -> bool:
    """Return True if a setting asks for what the earlier run has; None asks for nothing."""
    if name == "model" and value != earlier.settings.model:
        return load_recipe(str(value)).name == str(own)
    return bool(value in (None, own, getattr(earlier.settings, name)))


def _recipe_of(path: Path, values: Any) -> Recipe:
    try:
        table = dict(values)
        return recipe_from_table(str(table.pop("name")), table)
    except (KeyError, TypeError, ValueError) as fault:
        raise EnvironmentProblemError(
            f"{path}: its args.yaml was not written by `trainer fit` ({FULL_RECIPE}: {fault}). "
            f"Name another run, or train without --from."
        ) from fault


def _photos_of(run: RunFolder, args: dict[str, Any], scheme: Scheme) -> tuple[RunPhoto, ...]:
    """Return the photos that a run knows; of an earlier version's run, those of its set."""
    photos = read_run_photos(run.path)
    if photos is not None:
        return tuple(photos)
    # A run of an earlier version: its set says it, if nothing in it has changed.
    from trainer.data.dataset import read_training_photos
    from trainer.data.known_photos import list_photos

    try:
        found = read_training_photos(trained_on(run.bundle), scheme)
    except ToolchainError:
        found = None
    if found is None or found.digest != args.get("dataset_digest"):
        raise UsageError(
            f"--from {run.path}: an earlier version trained this run and did not list its photos, "
            f"and its set has changed since or is gone. So it is unknown which of the photos now "
            f"in val and test it has learned from. Train without --from once; later runs have the "
            f"list."
        )
    return tuple(list_photos(found))
