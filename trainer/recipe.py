"""Recipes of training: TOML files in `recipes/`, read into records that check themselves."""

import tomllib
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from maskage.commands.parser import suggest
from maskage.errors import UsageError

CLASSES, FACTORS = "classes", "factors"
HEADS = (CLASSES, FACTORS)
"""The kinds of heads: an answer for each class, or for each factor of the classes."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """The settings of one phase of training.

    Attributes:
        epochs: Largest number of passes over the training photos; 0 leaves the phase out.
        batch_size: Number of photos in a step.
        learning_rate: Highest rate; it falls along a cosine.
        weight_decay: Decoupled weight decay (AdamW).
        patience: Number of epochs without a better validation loss until the phase ends.
        dropout: Share of the features hidden from the head at each step, 0 to 1.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    patience: int
    dropout: float

    def __post_init__(self) -> None:
        _require(self.epochs >= 0, f"epochs must be 0 or more; found {self.epochs}")
        _require(self.batch_size >= 2, f"batch_size must be 2 or more; found {self.batch_size}")
        _require(self.learning_rate > 0, f"learning_rate must be > 0; found {self.learning_rate}")
        _require(self.weight_decay >= 0, f"weight_decay must be >= 0; found {self.weight_decay}")
        _require(0 <= self.dropout < 1, f"dropout must be in [0, 1); found {self.dropout}")
        _require(self.patience >= 1, f"patience must be 1 or more; found {self.patience}")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings of a whole training.

    Attributes:
        name: Name of the file, without its suffix.
        backbone: Key of `trainer.network.backbones.BACKBONES`.
        image_size: Side of the network's input, px.
        alpha: Width of the network, where its backbone comes in several; 1.0 is the full one.
        views: Number of views of each training photo for the frozen backbone: one unchanged, the
            others augmented.
        label_smoothing: Share of a label that is spread over all classes, 0 to 1; labels given by
            eye are wrong in a few percent.
        head: Phase of the head on cached features of the frozen backbone.
        fine_tune: Phase of the upper blocks with the head, batch norm frozen.
        scratch: Phase of the whole network from random weights, in place of the other two.
        heads: "classes" for one softmax over the classes; "factors" for answers of each factor,
            such as mask and age, multiplied to the classes (see `merge_matrix`).
    """

    name: str
    backbone: str
    image_size: int
    alpha: float
    views: int
    label_smoothing: float
    head: Phase
    fine_tune: Phase
    scratch: Phase
    heads: str = CLASSES

    def __post_init__(self) -> None:
        _require(self.heads in HEADS, f"heads is {' or '.join(HEADS)}; found '{self.heads}'")
        _require(0 < self.alpha <= 2, f"alpha must be over 0 and at most 2; found {self.alpha}")
        _require(1 <= self.views <= 50, f"views must be 1 to 50; found {self.views}")
        smoothing = self.label_smoothing
        _require(0 <= smoothing < 1, f"label_smoothing must be in [0, 1); found {smoothing}")


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with the package, sorted."""
    folder = files("trainer") / "recipes"
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    )


def load_recipe(name: str) -> Recipe:
    """Read a recipe that comes with the package, or the user's own TOML file.

    Args:
        name: Name like "mobilenetv2", or the path of a file that ends in .toml.

    Raises:
        UsageError: There is no recipe of that name, or it is incomplete.
    """
    if name in recipe_names():
        text = (files("trainer") / "recipes" / f"{name}.toml").read_text(encoding="utf-8")
    elif name.endswith(".toml") and Path(name).is_file():
        text = Path(name).read_text(encoding="utf-8", errors="replace")
    else:
        raise UsageError(
            f"There is no recipe '{name}'. Found {', '.join(recipe_names())}."
            f"{suggest(name, recipe_names())} Name one of them with --model, or give the path of "
            f"your own .toml file."
        )
    try:
        return recipe_from_table(Path(name).stem, tomllib.loads(text))
    except (tomllib.TOMLDecodeError, TypeError, ValueError) as fault:
        raise UsageError(
            f"{name}: this is not a complete recipe ({fault}). Compare it with one in "
            "trainer/recipes/."
        ) from fault


def with_overrides(
    recipe: Recipe,
    *,
    epochs: int | None = None,
    fine_tune_epochs: int | None = None,
    image_size: int | None = None,
    alpha: float | None = None,
    batch_size: int | None = None,
    heads: str | None = None,
) -> Recipe:
    """Return a recipe with values from the command line; None leaves a value unchanged.

    Args:
        recipe: Recipe to change.
        epochs: Epochs of the head, or of the whole network from random weights.
        fine_tune_epochs: Epochs of fine-tuning.
        image_size: Side of the network's input, px.
        alpha: Width of the network.
        batch_size: Photos in a step, in every phase.
        heads: "classes" or "factors".

    Raises:
        UsageError: A value is out of range.
    """
    every = {} if batch_size is None else {"batch_size": batch_size}
    first = every if epochs is None else {**every, "epochs": epochs}
    second = every if fine_tune_epochs is None else {**every, "epochs": fine_tune_epochs}
    try:
        return replace(
            recipe,
            image_size=recipe.image_size if image_size is None else image_size,
            alpha=recipe.alpha if alpha is None else alpha,
            head=replace(recipe.head, **first),
            fine_tune=replace(recipe.fine_tune, **second),
            scratch=replace(recipe.scratch, **first),
            heads=recipe.heads if heads is None else heads,
        )
    except ValueError as fault:
        raise UsageError(f"{fault}.") from fault


def recipe_from_table(name: str, table: dict[str, Any]) -> Recipe:
    """Build a recipe from the table in its file.

    Raises:
        ValueError, TypeError: Keys are missing or unknown, or a value is out of range.
    """
    values = {"name": name, **table}
    unknown = values.keys() - {field.name for field in fields(Recipe)}
    if unknown:
        raise ValueError(f"unknown key {', '.join(sorted(unknown))}")
    for phase in ("head", "fine_tune", "scratch"):
        values[phase] = Phase(**values.get(phase, {}))
    return Recipe(**values)


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
