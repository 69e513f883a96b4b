"""What the user asks of a training, and how it is kept in `args.yaml`."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from maskage.defaults import DEFAULT_CURATED, DEFAULT_RUNS, DEFAULT_SEED
from maskage.errors import EnvironmentProblemError, UsageError
from trainer.recipe import Recipe, load_recipe, recipe_from_table, with_overrides

IMAGENET, NONE = "imagenet", "none"
"""Of `weights`, beside the path of a file."""

DEVICES = ("all", "cpu")
"""Of `devices`, beside a number."""

PRECISIONS = ("auto", "float32", "mixed")


@dataclass(frozen=True)
class FitSettings:
    """What the user asks for; None leaves a value to the recipe.

    Attributes:
        curated: Folder of train, val and test.
        runs: Where the run folder goes.
        name: Of the run; None for model and time.
        model: A recipe's name, or the path of one's own .toml.
        weights: "imagenet", "none" or the path of an .h5 file without top.
        epochs: Of the head; of the whole network where weights are "none".
        fine_tune_epochs: With the upper blocks open; 0 for the frozen phase only.
        image_size: Side of the network's input, px.
        alpha: Width of the network.
        batch_size: Photos a step, in every phase.
        heads: What the head answers: "classes" or "factors".
        seed: Of everything drawn at random.
        learning_curve: Also train heads on parts of the photos, see `learning_curve`.
        find_rate: Search the learning rate of the phase that trains the network.
        tensorboard: Also write what TensorBoard shows.
        devices: "all", "cpu" or how many, see `devices.choose_hardware`.
        precision: One of `PRECISIONS`, see `precision.choose_policy`.
        metadata: A CSV of path and source, subject, session, see `photo_facts`.
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

    def recipe(self) -> Recipe:
        """The recipe with what is asked for.

        Raises:
            UsageError: There is no such recipe, or a value is out of range.
        """
        if self.weights == NONE and self.fine_tune_epochs:
            raise UsageError(
                "--weights none trains the whole network from the start, so there is nothing to "
                "fine-tune. Leave --fine-tune-epochs out and set --epochs."
            )
        if self.weights == NONE and self.learning_curve:
            raise UsageError(
                "--learning-curve trains heads on the features of a frozen backbone, and --weights "
                "none has none: the whole network would be trained anew for each point. Leave one "
                "of the two out."
            )
        if self.epochs is not None and self.epochs < 1:
            raise UsageError(f"--epochs is at least 1; found {self.epochs}.")
        if self.fine_tune_epochs is not None and self.fine_tune_epochs < 0:
            raise UsageError(f"--fine-tune-epochs is 0 or more; found {self.fine_tune_epochs}.")
        if self.batch_size is not None and self.batch_size < 2:
            raise UsageError(f"--batch-size is 2 or more; found {self.batch_size}.")
        if not (self.devices in DEVICES or (self.devices.isdecimal() and int(self.devices) > 0)):
            raise UsageError(f"--devices is all, cpu or a number from 1; found '{self.devices}'.")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"--seed is 0 to {2**32 - 1}; found {self.seed}.")
        recipe = with_overrides(
            load_recipe(self.model),
            epochs=self.epochs,
            fine_tune_epochs=self.fine_tune_epochs,
            image_size=self.image_size,
            alpha=self.alpha,
            batch_size=self.batch_size,
            heads=self.heads,
        )
        if self.find_rate and self.weights != NONE and not recipe.fine_tune.epochs:
            raise UsageError(
                "--find-rate searches the learning rate of fine-tuning, and there is none here. "
                "Leave it out, or give --fine-tune-epochs."
            )
        return recipe

    def as_args(self, recipe: Recipe) -> dict[str, Any]:
        """As `args.yaml` holds them, with the recipe that came of them."""
        values = {**asdict(self), "curated": self.curated.resolve(), "runs": self.runs.resolve()}
        if self.weights not in (IMAGENET, NONE):
            values["weights"] = Path(self.weights).resolve()
        if self.metadata is not None:
            values["metadata"] = self.metadata.resolve()
        plain = {key: str(v) if isinstance(v, Path) else v for key, v in values.items()}
        return {**plain, "recipe": asdict(recipe)}


def read_args(path: Path, args: dict[str, Any]) -> tuple[FitSettings, Recipe]:
    """The settings and the recipe of a run that was begun.

    Args:
        path: Of the run, for messages.
        args: What its `args.yaml` holds.

    Raises:
        EnvironmentProblemError: They are not what `trainer fit` wrote.
    """
    names = {field.name for field in fields(FitSettings)}
    try:
        values = {key: value for key, value in args.items() if key in names}
        for key in ("curated", "runs"):
            values[key] = Path(values[key])
        if values.get("metadata") is not None:
            values["metadata"] = Path(values["metadata"])
        hints = get_type_hints(FitSettings)
        for key, value in values.items():
            if not isinstance(value, hints[key]):
                raise TypeError(f"{key} is {value!r}")
        table = dict(args["recipe"])
        return FitSettings(**values), recipe_from_table(str(table.pop("name")), table)
    except (KeyError, TypeError, ValueError) as fault:
        raise EnvironmentProblemError(
            f"{path}: its args.yaml is not one that `trainer fit` wrote ({fault}), so the run "
            f"cannot go on. Mend the file, or train a new run; the last weights are in "
            f"{path / 'checkpoints'}."
        ) from fault
