"""Pretrained weights of a backbone: from Keras' cache, Keras' host, or the user's own file."""

from pathlib import Path

from maskage.errors import MissingDownloadError, ModelRefusedError, UsageError
from maskage.inference.imagenet_weights import fetch_weights, keras_cache
from maskage.security.files import UnsafeFileError
from maskage.security.keras_weights import load_checked_weights, read_weights_file
from trainer.network.backbones import Backbone, Network
from trainer.recipe import Recipe
from trainer.settings import IMAGENET, NONE


def obtain_weights(row: Backbone, recipe: Recipe, weights: str) -> Path | None:
    """Find the file that `--weights` means, and download it where needed.

    Args:
        row: Table row of the backbone.
        recipe: Recipe with its size and width.
        weights: "imagenet", "none", or the path of an .h5 file without top.

    Returns:
        The file, or None for random weights.

    Raises:
        MissingDownloadError: The ImageNet weights are missing and cannot be downloaded.
        UsageError: There is no file at the path.
    """
    if weights == NONE:
        return None
    if weights != IMAGENET:
        if not Path(weights).is_file():
            raise UsageError(
                f"--weights {weights}: there is no such file. Give imagenet, none, or the path of "
                f"an .h5 file with {row.builder} weights without top."
            )
        return Path(weights)
    names = imagenet_names(row, recipe)
    cached = (keras_cache() / name for name in names)
    return next((path for path in cached if path.is_file()), None) or _download(row, names)


def imagenet_names(row: Backbone, recipe: Recipe) -> list[str]:
    """Return the names of ImageNet weights that fit, own size first, then the largest."""
    if not row.weights_sizes:
        return [row.weights_file]
    largest = max(row.weights_sizes)
    own = recipe.image_size if recipe.image_size in row.weights_sizes else largest
    sizes = dict.fromkeys((own, largest))
    return [row.weights_file.format(alpha=float(recipe.alpha), size=size) for size in sizes]


def load_backbone_weights(network: Network, path: Path) -> None:
    """Load a weights file without top into a network's backbone.

    Raises:
        ModelRefusedError: It is not a weights file, or belongs to another network.
    """
    if path.suffix.lower() not in (".h5", ".hdf5"):
        raise ModelRefusedError(
            f"{path}: weights must be an .h5 or .weights.h5 file; found '{path.suffix}'."
        )
    try:
        data = read_weights_file(path, network.backbone)
    except UnsafeFileError as fault:
        raise ModelRefusedError(
            f"{path}: this is not a weights file of {network.row.builder} without top: {fault}. "
            f"Download it again, or name another with --weights."
        ) from fault
    try:
        load_checked_weights(network.backbone, data, path.name)
    except UnsafeFileError as fault:
        raise ModelRefusedError(
            f"{path}: these are not weights of {network.row.builder} without top ({fault}). "
            f"Check --model, --alpha and the file."
        ) from fault


def _download(row: Backbone, names: list[str]) -> Path:
    name = names[0]
    try:
        return fetch_weights(name, row.weights_url, row.weights_hash)
    except MissingDownloadError as fault:
        looked_for = " or ".join(str(keras_cache() / name) for name in names)
        raise MissingDownloadError(
            f"The ImageNet weights of {row.name} are missing and their download failed ({fault}).",
            f"Looked for {looked_for}.",
            f"Put the file there (from {row.weights_url}/{name}), set KERAS_HOME to a folder that "
            f"has it under models/, name a copy with --weights PATH, or start from random weights "
            f"with --weights none.",
        ) from fault
