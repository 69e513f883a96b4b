"""Keras, made ready: speed-ups on, native logs quiet. Import it from here and nowhere else.

`KERAS_HOME` and `KERAS_BACKEND` are read by Keras when it is imported; set them before that.
"""

import os

from collector.native_output import hush_native_output

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Off by default on many CPUs; MobileNetV2 `predict` went from 25-42 to 62 photos a second with it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


with hush_native_output():
    import keras


def backend_name() -> str:
    """What Keras computes with: "tensorflow", "jax" or "torch"."""
    return str(keras.backend.backend())


def has_accelerator() -> bool:
    """Whether Keras sees something faster than the CPU."""
    if backend_name() == "tensorflow":
        import tensorflow

        return bool(tensorflow.config.list_physical_devices("GPU"))
    if backend_name() == "jax":
        import jax  # type: ignore[import-not-found,unused-ignore]

        return bool(jax.default_backend() != "cpu")
    return False


__all__ = ["backend_name", "has_accelerator", "keras"]
