"""Rebuild the network of a finished run with our own code; only numbers are read from its files.

The recipe in `args.yaml` names the backbone and its shape, the bundle holds the weights, and the
golden images show whether both belong together. No description of layers is read from a file.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maskage.errors import ModelRefusedError, UsageError
from maskage.formats.bundle import KERAS_FILE, ModelBundle, golden_images, load_bundle, read_file
from maskage.formats.run.run_arguments import ARGS_FILE, load_arguments
from maskage.security.files import UnsafeFileError
from maskage.security.keras_archive import WEIGHTS_ENTRY, read_archived_weights
from maskage.security.keras_weights import largest_weights, load_checked_weights
from trainer.network.backbones import build_deliverable, build_network
from trainer.recipe import Recipe, recipe_from_table

GOLDEN_TOLERANCE = 2e-3
"""Largest accepted difference of a probability between Keras and the bundle's golden images."""


@dataclass(frozen=True, eq=False)
class RebuiltModel:
    """A run's model in Keras.

    Attributes:
        bundle: Bundle that the weights come from.
        recipe: Recipe that it was built from.
        model: Keras model from uint8 images (N, size, size, 3) to probabilities (N, C).
        golden_difference: Largest difference from the bundle's golden probabilities.
    """

    bundle: ModelBundle
    recipe: Recipe
    model: Any
    golden_difference: float


def rebuild_model(bundle_folder: Path) -> RebuiltModel:
    """Build the network of a bundle and load the bundle's weights.

    Args:
        bundle_folder: Bundle in a run folder, whose `args.yaml` holds the recipe.

    Raises:
        ModelRefusedError: The bundle or its weights are incomplete, belong to another network, or
            give other probabilities for the golden images.
        UsageError: There is no recipe beside it.
    """
    bundle = load_bundle(bundle_folder)
    recipe = _read_recipe(bundle)
    data = read_file(bundle, KERAS_FILE)
    try:
        model = build_deliverable(build_network(recipe, bundle.scheme), bundle.temperature)
        load_archived_weights(model, data)
    except (UnsafeFileError, UsageError) as fault:
        raise ModelRefusedError(_refusal(bundle, str(fault).rstrip("."))) from fault
    images = golden_images(bundle.input_size)
    answers = np.asarray(model.predict_on_batch(images))
    difference = float(np.abs(answers - bundle.golden_probabilities).max())
    # Written so that NaN is refused too.
    if not difference <= GOLDEN_TOLERANCE:
        raise ModelRefusedError(
            _refusal(
                bundle,
                f"with these weights, the network that args.yaml names gives other answers for the "
                f"golden images (off by {difference:.3f}, at most {GOLDEN_TOLERANCE} is allowed)",
            )
        )
    return RebuiltModel(bundle, recipe, model, difference)


def load_archived_weights(model: Any, data: bytes) -> None:
    """Load the weights of a .keras file into a model that our code built.

    Args:
        model: Keras model.
        data: Bytes of the file.

    Raises:
        UnsafeFileError: It is not a .keras file, or belongs to another model.
    """
    weights = read_archived_weights(data, largest_weights(model))
    load_checked_weights(model, weights, WEIGHTS_ENTRY)


def _read_recipe(bundle: ModelBundle) -> Recipe:
    path = bundle.folder.parent / ARGS_FILE
    if not path.exists():
        raise UsageError(
            f"{bundle.folder}: it is unknown which network this is, because there is no args.yaml "
            f"beside the bundle. Name the run folder, as `trainer fit` wrote it."
        )
    try:
        table = dict(load_arguments(path.parent)["recipe"])
        recipe = recipe_from_table(str(table.pop("name")), table)
        is_fitting = recipe.image_size == bundle.input_size
    # A stranger's file can hold anything: the recipe checks ranges, not types.
    except (UnsafeFileError, ValueError, TypeError, KeyError, AttributeError) as fault:
        reason = (str(fault).splitlines() or [type(fault).__name__])[0][:200]
        raise ModelRefusedError(
            _refusal(bundle, f"{path.name} holds no recipe of `trainer fit` ({reason})")
        ) from fault
    if not is_fitting:
        raise ModelRefusedError(
            _refusal(
                bundle,
                f"{path.name} says {recipe.image_size} px where the bundle says "
                f"{bundle.input_size}",
            )
        )
    return recipe


def _refusal(bundle: ModelBundle, reason: str) -> str:
    return (
        f"{bundle.folder.parent}: the network of this run cannot be rebuilt: {reason}. Copy the "
        "whole run again, or train a new one with `trainer fit`."
    )
