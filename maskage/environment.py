"""What a result was made with: machine, backend, library versions."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

LIBRARIES = ("maskage", "keras", "tensorflow", "onnxruntime", "onnx", "tf2onnx", "numpy",
             "albumentations", "opencv-python", "pillow")  # fmt: skip


def describe_environment() -> dict[str, Any]:
    """Machine and library versions, as `environment.json` holds them; nothing that names a user."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "backend": _backend(),
        "versions": library_versions(),
    }


def _backend() -> str | None:
    """What Keras computes with; None where it is not loaded."""
    return sys.modules["keras"].backend.backend() if "keras" in sys.modules else None


def library_versions() -> dict[str, str]:
    """Version of each library that has a part in the result."""
    found = {}
    for name in (*LIBRARIES, *(("jax", "jaxlib") if _backend() == "jax" else ())):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
