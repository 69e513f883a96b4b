"""Import Keras with the settings of this toolchain, whatever the user has set for other work.

On import Keras reads `keras.json` in its home (`KERAS_HOME`, or ~/.keras) and environment
variables. Another layout of pixels, other floats, a backend that is not installed or a damaged file
would end in a model that cannot be packed, or in no model at all. None of these is read: only
`KERAS_BACKEND` chooses the backend, and `KERAS_HOME` the folder of the weights.
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
from maskage.system.process import suppress_native_output

BACKENDS = ("tensorflow", "jax")
"""The backends that this toolchain is tested on."""

FLOATS = "float32"
EPSILON = 1e-7
"""The default of Keras."""

_READ_BY_KERAS = "KERAS_"
_KEPT = "KERAS_DISTRIBUTION_"
"""Prefix of the addresses of processes that train together: `trainer.network.multiprocess`."""


def wanted_backend() -> str:
    """Return the backend that `KERAS_BACKEND` names, TensorFlow by default."""
    return os.environ.get("KERAS_BACKEND") or BACKENDS[0]


def import_keras(backend: str) -> Any:
    """Import Keras with fixed settings, speed-ups switched on and native logs suppressed.

    Args:
        backend: One of `BACKENDS`. A Keras that was imported before keeps its backend.

    Returns:
        The module.

    Raises:
        EnvironmentProblemError: JAX was chosen and is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Off by default on many CPUs; MobileNetV2 `predict` went from 25-42 to 62 photos a second.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    try:
        with _own_settings(backend), _without_matplotlib(), suppress_native_output():
            import keras

            # Keras imports TensorFlow later with JAX too; TensorFlow's older Keras writes settings.
            import tensorflow  # noqa: F401
    except ModuleNotFoundError as fault:
        if fault.name not in ("jax", "jaxlib"):
            raise
        raise EnvironmentProblemError(
            f"KERAS_BACKEND=jax needs JAX, which is not installed ({fault}). Install it with "
            f"{explain_install('jax')}, or unset KERAS_BACKEND to train with TensorFlow."
        ) from fault
    # A script may have imported Keras before.
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx(FLOATS)
    keras.config.set_dtype_policy(FLOATS)
    keras.config.set_epsilon(EPSILON)
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)
    return keras


def make_keras_home() -> Path:
    """Return the folder that Keras keeps downloads under: `KERAS_HOME`, or ~/.keras.

    It is made if it is missing: Keras would take a folder in /tmp instead.
    """
    named = os.environ.get("KERAS_HOME")
    home = Path(named) if named else Path.home() / ".keras"
    with suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
    return home


@contextmanager
def _without_matplotlib() -> Iterator[None]:
    """Keep Keras from loading `matplotlib.pyplot`, which it does for galleries nobody asks for.

    That takes 0.4 of the 4 seconds of its import, and writes a list of fonts to the user's home.
    """
    if "matplotlib" in sys.modules:
        yield
        return
    # For Python, None means that there is no such module; its types know only modules.
    sys.modules["matplotlib"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["matplotlib"]


@contextmanager
def _own_settings(backend: str) -> Iterator[None]:
    """Let Keras find an empty home, and only the backend in the environment."""
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
