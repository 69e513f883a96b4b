"""Keras, made ready: speed-ups on, native logs quiet. Import it from here and nowhere else.

`KERAS_HOME` and `KERAS_BACKEND` are read by Keras when it is imported; set them before that.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Off by default on many CPUs; MobileNetV2 `predict` went from 25-42 to 62 photos a second with it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


@contextmanager
def hush_native_output() -> Iterator[None]:
    """Hold back what native libraries write to stderr; shown after all where the block fails.

    TensorFlow writes some lines before its own log level is heeded, past Python's `sys.stderr`.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        kept = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


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


__all__ = ["backend_name", "has_accelerator", "hush_native_output", "keras"]
