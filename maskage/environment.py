"""Describe what a result was made with: machine, backend, library versions."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

LIBRARIES = ("maskage", "keras", "tensorflow", "onnxruntime", "onnx", "tf2onnx", "numpy",
             "albumentations", "opencv-python", "pillow")  # fmt: skip


def describe_environment() -> dict[str, Any]:
    """Return the content of `environment.json`, which names no user."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "backend": _backend(),
        "versions": library_versions(),
    }


def _backend() -> str | None:
    """Return the backend of Keras, or None where Keras is not loaded."""
    return sys.modules["keras"].backend.backend() if "keras" in sys.modules else None


def library_versions() -> dict[str, str]:
    """Return the version of each library that affects the result."""
    found = {}
    for name in (*LIBRARIES, *(("jax", "jaxlib") if _backend() == "jax" else ())):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
