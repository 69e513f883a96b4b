"""Weights laid out as in Keras' own cache of ImageNet weights."""

from pathlib import Path
from typing import Any

import h5py


def write_legacy_weights(model: Any, path: Path) -> None:
    """Write a model's weights as Keras' ImageNet files have them: one group a layer, in order."""
    with h5py.File(path, "w") as file:
        layers = list(model.layers)
        file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.2.4"
        for layer in layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{at}:0".encode() for at in range(len(layer.weights))]
            group.attrs["weight_names"] = names
            for name, value in zip(names, layer.get_weights(), strict=True):
                group[name.decode()] = value
