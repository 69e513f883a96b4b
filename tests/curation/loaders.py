"""The libraries that others load photos with, run by a Python that has them; nothing is fetched."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

LOADERS_PYTHON = os.environ.get("MASKAGE_LOADERS_PYTHON")
"""A Python with the libraries that are too heavy to be installed for every test."""


def load_with(library: str, script: Path, place: Path, cache: Path) -> Any:
    """Run a script that loads `place` with a library; return the JSON that it prints.

    Skips the test where neither this Python nor the one that the environment names has it.
    """
    python = LOADERS_PYTHON or (sys.executable if find_spec(library) else None)
    if python is None:
        pytest.skip(f"{library} is not installed; MASKAGE_LOADERS_PYTHON may name a Python with it")
    done = subprocess.run(
        [python, str(script), library, str(place)],
        env={**os.environ, "HF_HOME": str(cache), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
