"""A finished run's network, built anew by our own code; of its files only numbers are taken.

The recipe in `args.yaml` names the backbone and its shape, the bundle holds the weights, and the
golden images tell whether both belong together. No description of layers is read from a file.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maskage.errors import ModelRefusedError, UsageError
from maskage.formats.bundle import (
    KERAS_FILE,
    ModelBundle,
    golden_images,
    load_bundle,
    read_file,
)
from maskage.formats.run_arguments import ARGS_FILE, load_arguments
from maskage.security.files import UnsafeFileError
from maskage.security.keras_archive import WEIGHTS_ENTRY, read_archived_weights
from maskage.security.keras_weights import largest_weights, load_checked_weights
from trainer.network.backbones import build_deliverable, build_network
from trainer.recipe import Recipe, recipe_from_table

GOLDEN_TOLERANCE = 2e-3
"""Of a probability, between Keras and what ONNX Runtime answered when the bundle was made."""


@dataclass(frozen=True, eq=False)
class RebuiltModel:
    """A run's model in Keras.

    Attributes:
        bundle: Whose weights it has.
        recipe: It was built from.
        model: Keras model, uint8 images (N, size, size, 3) to probabilities (N, 4).
        golden_difference: Of its probabilities for the golden images from the bundle's.
    """

    bundle: ModelBundle
    recipe: Recipe
    model: Any
    golden_difference: float


def rebuild_model(bundle_folder: Path) -> RebuiltModel:
    """Build the network of a bundle and give it the bundle's weights.

    Args:
        bundle_folder: In its run's folder, whose `args.yaml` holds the recipe.

    Raises:
        ModelRefusedError: The bundle or its weights are not whole, of another network, or answer
            the golden images otherwise than they did.
        UsageError: There is no recipe beside it.
    """
    bundle = load_bundle(bundle_folder)
    recipe = _read_recipe(bundle)
    data = read_file(bundle, KERAS_FILE)
    try:
        model = build_deliverable(build_network(recipe), bundle.temperature)
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
                f"the network that args.yaml names answers the golden images otherwise with these "
                f"weights (off by {difference:.3f}, at most {GOLDEN_TOLERANCE} is allowed)",
            )
        )
    return RebuiltModel(bundle, recipe, model, difference)


def load_archived_weights(model: Any, data: bytes) -> None:
    """Load the weights of a .keras file, given as its bytes, into a model that our code built.

    Raises:
        UnsafeFileError: It is no such file, or one of another model.
    """
    weights = read_archived_weights(data, largest_weights(model))
    load_checked_weights(model, weights, WEIGHTS_ENTRY)


def _read_recipe(bundle: ModelBundle) -> Recipe:
    path = bundle.folder.parent / ARGS_FILE
    if not path.exists():
        raise UsageError(
            f"{bundle.folder}: nothing says what network this is (no args.yaml beside the bundle). "
            f"Name the run's folder, as `trainer fit` wrote it."
        )
    try:
        table = dict(load_arguments(path.parent)["recipe"])
        recipe = recipe_from_table(str(table.pop("name")), table)
        is_fitting = recipe.image_size == bundle.input_size
    # Whatever a file of a stranger's making can be: the recipe checks ranges, not types.
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
        f"{bundle.folder.parent}: this run's network is not rebuilt: {reason}. Copy the run again "
        f"as a whole, or train a new one with `trainer fit`."
    )
