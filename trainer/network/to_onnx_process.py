"""Exporting where Keras computes with something else: TensorFlow does it, in a process of its own.

The same converter then writes every bundle, whatever the network was trained with.
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
    """Write a model as ONNX through a Python that has TensorFlow as its backend.

    Args:
        model: Keras model, one uint8 image input and one output, float32.
        path: File to write; an old one is replaced.
        output: Name that its output gets.

    Raises:
        EnvironmentProblemError: No room is left on the disk.
        ToolchainError: The process failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model.keras"
        saved.write_bytes(archive_model(model))
        command = [
            sys.executable,
            "-m",
            "trainer.network.to_onnx",
            str(saved),
            str(path),
            output,
        ]
        # In a session of its own: Ctrl-C is for the training, which packs what it has.
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
            "The trained weights are in checkpoints/; please report this with the versions in "
            "environment.json.",
        )


def _environment() -> dict[str, str]:
    """Ours, with TensorFlow on the CPU, alone: the GPU's memory is taken by the training."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("KERAS_DISTRIBUTION_")
    }
    return {**kept, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
