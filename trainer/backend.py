"""Keras, made ready: speed-ups on, native logs quiet. Import it from here and nowhere else.

`KERAS_HOME` and `KERAS_BACKEND` are read by Keras when it is imported; set them before that.
"""

import os
from typing import Any

from collector.errors import EnvironmentProblemError
from collector.installation import explain_install
from collector.native_output import hush_native_output

BACKENDS = ("tensorflow", "jax")
"""What networks are trained with here, and tested on."""

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Off by default on many CPUs; MobileNetV2 `predict` went from 25-42 to 62 photos a second with it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def _import_keras() -> Any:
    _require_known(os.environ.get("KERAS_BACKEND") or BACKENDS[0])
    try:
        with hush_native_output():
            import keras

            # On JAX too Keras looks for TensorFlow, a second or two later and not so quietly.
            import tensorflow
    except ModuleNotFoundError as fault:
        if fault.name not in ("jax", "jaxlib"):
            raise
        raise EnvironmentProblemError(
            f"KERAS_BACKEND=jax needs JAX, and there is none ({fault}). Install it with "
            f"{explain_install('jax')}, or unset KERAS_BACKEND to train with TensorFlow."
        ) from fault
    name = str(keras.backend.backend())
    _require_known(name)
    if name != "tensorflow":
        # It would take the GPU's memory for itself, and needs none.
        tensorflow.config.set_visible_devices([], "GPU")
    return keras


def _require_known(name: str) -> None:
    if name not in BACKENDS:
        raise EnvironmentProblemError(
            f"Keras is to compute with '{name}' (KERAS_BACKEND, or keras.json in KERAS_HOME); "
            f"networks are trained here with {' or '.join(BACKENDS)}. Set KERAS_BACKEND to one "
            f"of them."
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
