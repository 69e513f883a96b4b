"""Keras, made ready to train (see `keras_setup`). Import it from here and nowhere else.

`KERAS_BACKEND` is read when this is imported; set it before that.
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

        # It would take the GPU's memory for itself, and needs none.
        tensorflow.config.set_visible_devices([], "GPU")
    return module


def _require_known(name: str) -> None:
    if name not in BACKENDS:
        raise EnvironmentProblemError(
            f"Keras is to compute with '{name}' (KERAS_BACKEND); networks are trained here with "
            f"{' or '.join(BACKENDS)}. Set KERAS_BACKEND to one of them, or unset it for "
            f"{BACKENDS[0]}."
        )


keras = _import_keras()


def backend_name() -> str:
    """What Keras computes with: "tensorflow" or "jax"."""
    return str(keras.backend.backend())


def has_accelerator() -> bool:
    """Whether Keras may use something faster than the CPU."""
    if backend_name() == "jax":
        import jax

        return bool(jax.default_backend() != "cpu")
    import tensorflow

    return bool(tensorflow.config.get_visible_devices("GPU"))


__all__ = ["BACKENDS", "backend_name", "has_accelerator", "keras"]
