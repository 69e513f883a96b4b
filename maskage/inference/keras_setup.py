"""Keras as this toolchain needs it, whatever other work has set for its own.

While it is imported Keras reads `keras.json` in its home (`KERAS_HOME`, or ~/.keras) and variables
of the environment. Another layout of pixels, other floats, a backend that is not installed or a
damaged file would end in a model that cannot be packed, or in no model at all. None of it is read:
`KERAS_BACKEND` alone chooses what networks are computed with, and `KERAS_HOME` where weights lie.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from maskage.errors import EnvironmentProblemError
from maskage.installation import explain_install
from maskage.system.process import hush_native_output

BACKENDS = ("tensorflow", "jax")
"""What networks are computed with here, and tested on."""

FLOATS = "float32"
EPSILON = 1e-7
"""Keras' own defaults."""

_READ_BY_KERAS = "KERAS_"
_KEPT = "KERAS_DISTRIBUTION_"
"""Addresses of the processes that train together, see `trainer.network.multiprocess`."""


def wanted_backend() -> str:
    """Return what `KERAS_BACKEND` names, TensorFlow where it names nothing."""
    return os.environ.get("KERAS_BACKEND") or BACKENDS[0]


def import_keras(backend: str) -> Any:
    """Import Keras with settings of our own, speed-ups on and native logs quiet.

    Args:
        backend: One of `BACKENDS`. Where Keras was imported before, it keeps the one it has.

    Returns:
        The module.

    Raises:
        EnvironmentProblemError: JAX is asked for and not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Off by default on many CPUs; MobileNetV2 `predict` went from 25-42 to 62 photos a second.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    try:
        with _own_settings(backend), _without_matplotlib(), hush_native_output():
            import keras

            # With JAX too Keras looks for TensorFlow later, whose own older Keras writes settings.
            import tensorflow  # noqa: F401
    except ModuleNotFoundError as fault:
        if fault.name not in ("jax", "jaxlib"):
            raise
        raise EnvironmentProblemError(
            f"KERAS_BACKEND=jax needs JAX, and there is none ({fault}). Install it with "
            f"{explain_install('jax')}, or unset KERAS_BACKEND to train with TensorFlow."
        ) from fault
    # For who imported Keras before us.
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx(FLOATS)
    keras.config.set_dtype_policy(FLOATS)
    keras.config.set_epsilon(EPSILON)
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)
    return keras


def make_keras_home() -> Path:
    """Return the folder that Keras keeps downloads under: `KERAS_HOME`, or ~/.keras.

    It is made where it is missing: Keras would take a folder in /tmp in its place.
    """
    named = os.environ.get("KERAS_HOME")
    home = Path(named) if named else Path.home() / ".keras"
    with suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
    return home


@contextmanager
def _without_matplotlib() -> Iterator[None]:
    """Let Keras find no matplotlib: it would load it for plots of its own, in 0.35 s of a core."""
    if "matplotlib" in sys.modules:
        yield
        return
    # For Python, None means that there is no such module; the type hints allow only modules.
    sys.modules["matplotlib"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["matplotlib"]


@contextmanager
def _own_settings(backend: str) -> Iterator[None]:
    """Let Keras find an empty home and nothing in the environment but the backend."""
    with tempfile.TemporaryDirectory(prefix="maskage-") as home:
        hidden = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(_READ_BY_KERAS) and not name.startswith(_KEPT)
        }
        try:
            for name in hidden:
                del os.environ[name]
            os.environ.update(KERAS_HOME=home, KERAS_BACKEND=backend)
            yield
        finally:
            del os.environ["KERAS_HOME"], os.environ["KERAS_BACKEND"]
            os.environ.update(hidden)
