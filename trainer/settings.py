"""The settings of a training, and how `args.yaml` keeps them."""

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from maskage.classes.scheme import Scheme
from maskage.defaults import DEFAULT_CURATED, DEFAULT_RUNS, DEFAULT_SEED
from maskage.errors import EnvironmentProblemError, UsageError
from trainer.recipe import CLASSES, FACTORS, Recipe, load_recipe, recipe_from_table, with_overrides

IMAGENET, NONE = "imagenet", "none"
"""Values of `weights`, beside the path of a file."""

DEVICES = ("all", "cpu")
"""Values of `devices`, beside a number."""

PRECISIONS = ("auto", "float32", "mixed", "products")


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """The settings of the user; None leaves a value to the recipe.

    Attributes:
        curated: Curated folder with train, val and test.
        runs: Folder in which the run folder is created.
        name: Name of the run; None for model and time.
        model: Name of a recipe, or the path of the user's own .toml.
        weights: "imagenet", "none" or the path of an .h5 file without top.
        epochs: Epochs of the head; of the whole network where weights are "none".
        fine_tune_epochs: Epochs with the upper blocks open; 0 for the frozen phase only.
        image_size: Side of the network's input, px.
        alpha: Width of the network.
        batch_size: Photos in a step, in every phase.
        heads: Kind of the head: "classes" or "factors".
        seed: Seed of everything random.
        learning_curve: True to also train heads on parts of the photos.
        find_rate: True to search the learning rate of the phase that trains the network.
        tensorboard: True to also write a log for TensorBoard.
        devices: "all", "cpu" or a number, see `devices.choose_hardware`.
        precision: One of `PRECISIONS`, see `precision.choose_policy`.
        metadata: Path of a CSV with path and source, subject, session, see `photo_facts`.
        from_run: Folder of the run whose network the training starts from, or None; its recipe is
            then the one to pass as `base`, see `trainer.fit.earlier_run`.
        chosen: How `trainer search` chose this network, sentences for people; None if a person did.
    """

    curated: Path = DEFAULT_CURATED
    runs: Path = DEFAULT_RUNS
    name: str | None = None
    model: str = "mobilenetv2"
    weights: str = IMAGENET
    epochs: int | None = None
    fine_tune_epochs: int | None = None
    image_size: int | None = None
    alpha: float | None = None
    batch_size: int | None = None
    heads: str | None = None
    seed: int = DEFAULT_SEED
    learning_curve: bool = False
    find_rate: bool = False
    tensorboard: bool = False
    devices: str = "all"
    precision: str = "auto"
    metadata: Path | None = None
    from_run: Path | None = None
    chosen: str | None = None

    @property
    def is_from_random(self) -> bool:
        """True if the whole network is trained from random weights."""
        return self.weights == NONE and self.from_run is None

    def recipe(self, base: Recipe | None = None) -> Recipe:
        """Return the recipe with these settings.

        Args:
            base: Recipe to change; None for the one that `model` names.

        Raises:
            UsageError: There is no such recipe, or a value is out of range.
        """
        if self.is_from_random and self.fine_tune_epochs:
            raise UsageError(
                "--weights none trains the whole network from the start, so there is nothing to "
                "fine-tune. Leave out --fine-tune-epochs and set --epochs."
            )
        if self.is_from_random and self.learning_curve:
            raise UsageError(
                "--learning-curve trains heads on the features of a frozen backbone, and with "
                "--weights none there are none: the whole network would have to be trained for "
                "each point. Leave out one of the two."
            )
        if self.epochs is not None and self.epochs < 1:
            raise UsageError(f"--epochs must be at least 1; found {self.epochs}.")
        if self.fine_tune_epochs is not None and self.fine_tune_epochs < 0:
            raise UsageError(
                f"--fine-tune-epochs must be 0 or more; found {self.fine_tune_epochs}."
            )
        if self.batch_size is not None and self.batch_size < 2:
            raise UsageError(f"--batch-size must be 2 or more; found {self.batch_size}.")
        if not (self.devices in DEVICES or (self.devices.isdecimal() and int(self.devices) > 0)):
            raise UsageError(
                f"--devices takes all, cpu or a number from 1; found '{self.devices}'."
            )
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"--seed must be 0 to {2**32 - 1}; found {self.seed}.")
        recipe = with_overrides(
            load_recipe(self.model) if base is None else base,
            epochs=self.epochs,
            fine_tune_epochs=self.fine_tune_epochs,
            image_size=self.image_size,
            alpha=self.alpha,
            batch_size=self.batch_size,
            heads=self.heads,
        )
        if self.find_rate and not self.is_from_random and not recipe.fine_tune.epochs:
            raise UsageError(
                "--find-rate searches the learning rate of fine-tuning, and there is no "
                "fine-tuning here. Leave it out, or give --fine-tune-epochs."
            )
        return recipe

    def recipe_for(self, scheme: Scheme, base: Recipe | None = None) -> Recipe:
        """Return the recipe with these settings for photos of these classes.

        A recipe with a head of factors gets one of classes where the classes have no factors, or
        where several classes have the same values of them.

        Args:
            scheme: The classes.
            base: See `recipe`.

        Raises:
            UsageError: See `recipe`; or `heads` asks for factors, which do not tell the classes
                apart.
        """
        recipe = self.recipe(base)
        if recipe.heads != FACTORS or scheme.is_told_by_factors:
            return recipe
        if self.heads == FACTORS:
            from maskage.formats.classes.classes_file import CLASSES_FILE

            lacking = "the same values of all factors" if scheme.factors else "no factors"
            who = "some classes" if scheme.factors else "the classes"
            raise UsageError(
                f"--heads factors: {who} of {self.curated} have {lacking}. Found "
                f"{', '.join(scheme.labels)}. Leave the option out, or give each class values of "
                f"its own in {self.curated / CLASSES_FILE}."
            )
        return replace(recipe, heads=CLASSES)

    def as_args(self, recipe: Recipe) -> dict[str, Any]:
        """Return the object that `args.yaml` holds, with the recipe."""
        values = {**asdict(self), "curated": self.curated.resolve(), "runs": self.runs.resolve()}
        if self.weights not in (IMAGENET, NONE):
            values["weights"] = Path(self.weights).resolve()
        for key in ("metadata", "from_run"):
            if values[key] is not None:
                values[key] = values[key].resolve()
        plain = {key: str(v) if isinstance(v, Path) else v for key, v in values.items()}
        return {**plain, "recipe": asdict(recipe)}


def option_of(name: str) -> str:
    """Return the option of a setting: "--fine-tune-epochs"; `from` is a word of Python."""
    return "--from" if name == "from_run" else f"--{name.replace('_', '-')}"


def read_args(path: Path, args: dict[str, Any]) -> tuple[FitSettings, Recipe]:
    """Read the settings and the recipe of a run.

    Args:
        path: Path of the run folder, for messages.
        args: Content of its `args.yaml`.

    Raises:
        EnvironmentProblemError: They were not written by `trainer fit`.
    """
    names = {field.name for field in fields(FitSettings)}
    try:
        values = {key: value for key, value in args.items() if key in names}
        for key in ("curated", "runs"):
            values[key] = Path(values[key])
        for key in ("metadata", "from_run"):
            if values.get(key) is not None:
                values[key] = Path(values[key])
        hints = get_type_hints(FitSettings)
        for key, value in values.items():
            if not isinstance(value, hints[key]):
                raise TypeError(f"{key} is {value!r}")
        table = dict(args["recipe"])
        return FitSettings(**values), recipe_from_table(str(table.pop("name")), table)
    except (KeyError, TypeError, ValueError) as fault:
        raise EnvironmentProblemError(
            f"{path}: its args.yaml was not written by `trainer fit` ({fault}), so the run cannot "
            f"continue. Correct the file, or train a new run. The last weights are in "
            f"{path / 'checkpoints'}."
        ) from fault
