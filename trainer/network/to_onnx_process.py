"""Export through TensorFlow in a process of its own, for other backends of Keras.

So the same converter writes every bundle, whatever backend trained the network. It is a module of
its own because `to_onnx` is also the program of that process.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from maskage.errors import EnvironmentProblemError, ToolchainError
from maskage.security.keras_archive import archive_model


def export_in_process(model: Any, path: Path, output: str) -> None:
    """Write a model as ONNX in a Python process whose backend is TensorFlow.

    Args:
        model: Keras model, one uint8 image input and one output, float32.
        path: File to write; an old one is replaced.
        output: Name of its output.

    Raises:
        EnvironmentProblemError: The disk is full.
        ToolchainError: The process failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model.keras"
        saved.write_bytes(archive_model(model))
        command = [sys.executable, "-m", "trainer.network.to_onnx", str(saved), str(path), output]
        # In a session of its own, because Ctrl-C is for the training, which then packs its results.
        done = subprocess.run(
            command,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            check=False,
        )
    if done.returncode == EnvironmentProblemError.exit_code:
        raise EnvironmentProblemError(done.stdout.strip().rpartition("error: ")[2])
    if done.returncode != 0:
        raise ToolchainError(
            "The trained model could not be exported through TensorFlow:",
            *done.stdout.strip()[-2000:].split("\n"),
            "The trained weights are in checkpoints/. Please report this with the versions in "
            "environment.json.",
        )


def _environment() -> dict[str, str]:
    """Return this environment with TensorFlow alone on the CPU; the training holds the GPU."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("KERAS_DISTRIBUTION_")
    }
    return {**kept, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
