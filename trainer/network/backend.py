"""Keras, set up for training (see `keras_setup`). Import it only from here.

`KERAS_BACKEND` is read when this module is imported, so set it before.
"""

from typing import Any

from maskage.errors import EnvironmentProblemError
from maskage.inference.keras_setup import BACKENDS, import_keras, wanted_backend


def _import_keras() -> Any:
    _require_known(wanted_backend())
    module = import_keras(wanted_backend())
    name = str(module.backend.backend())
    _require_known(name)
    if name != "tensorflow":
        import tensorflow

        # TensorFlow would reserve the GPU's memory, and needs none here.
        tensorflow.config.set_visible_devices([], "GPU")
    return module


def _require_known(name: str) -> None:
    if name not in BACKENDS:
        raise EnvironmentProblemError(
            f"KERAS_BACKEND is '{name}'; networks can be trained with {' or '.join(BACKENDS)} "
            f"only. Set KERAS_BACKEND to one of them, or unset it for {BACKENDS[0]}."
        )


keras = _import_keras()


def backend_name() -> str:
    """Return the backend of Keras: "tensorflow" or "jax"."""
    return str(keras.backend.backend())


def has_accelerator() -> bool:
    """Return whether Keras may use something faster than the CPU."""
    if backend_name() == "jax":
        import jax

        return bool(jax.default_backend() != "cpu")
    import tensorflow

    return bool(tensorflow.config.get_visible_devices("GPU"))


__all__ = ["BACKENDS", "backend_name", "has_accelerator", "keras"]
