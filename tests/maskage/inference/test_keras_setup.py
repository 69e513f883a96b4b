"""Keras is what the toolchain needs, whatever other work left in its home or the environment."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

TELL = """
import json
from trainer.network.backend import keras
config = keras.config
print(json.dumps([config.backend(), config.image_data_format(), config.floatx(), config.epsilon(),
                  config.dtype_policy().name, config.max_epochs(), config.max_steps_per_epoch()]))
"""
NEEDED = ["tensorflow", "channels_last", "float32", 1e-7, "float32", None, None]

OTHER_WORK = {
    "backend": "torch",
    "image_data_format": "channels_first",
    "floatx": "float16",
    "epsilon": 1e-3,
    "nnx_enabled": True,
}


def run_python(script: str, home: Path, **environment: str) -> str:
    """What a script prints in a process of its own."""
    values = {name: value for name, value in os.environ.items() if not name.startswith("KERAS_")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**values, "KERAS_HOME": str(home), "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def write_settings(home: Path, settings: Any) -> Path:
    home.mkdir()
    text = settings if isinstance(settings, str) else json.dumps(settings)
    (home / "keras.json").write_text(text)
    return home


@pytest.mark.parametrize(
    ("settings", "environment"),
    [
        (OTHER_WORK, {"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "1"}),
        ('{"floatx": "bfloat16", "epsilon": 1}', {"KERAS_MAX_EPOCHS": "many"}),
        ("[1]", {"KERAS_BACKEND": ""}),
    ],
)
def test_what_other_work_has_set_is_not_read(
    tmp_path: Path, settings: Any, environment: dict[str, str]
) -> None:
    home = write_settings(tmp_path / "keras", settings)
    before = (home / "keras.json").read_text()
    assert json.loads(run_python(TELL, home, **environment)) == NEEDED
    assert (home / "keras.json").read_text() == before


def test_a_script_that_imported_keras_first_gets_the_settings_too(tmp_path: Path) -> None:
    settings = {**OTHER_WORK, "backend": "tensorflow", "nnx_enabled": False}
    home = write_settings(tmp_path / "keras", settings)
    told = run_python(f"import keras\n{TELL}", home, KERAS_MAX_EPOCHS="1")
    assert json.loads(told) == NEEDED


def test_the_environment_is_afterwards_what_it_was(tmp_path: Path) -> None:
    script = f"import os\nbefore = dict(os.environ)\n{TELL}\nafter = dict(os.environ)\n" + (
        "print(sorted(name for name in before.keys() | after.keys()"
        " if name.startswith('KERAS') and before.get(name) != after.get(name)))"
    )
    told = run_python(script, tmp_path / "keras", KERAS_MAX_EPOCHS="1")
    assert told.splitlines()[1] == "[]"
    assert not (tmp_path / "keras").exists()


def test_labels_are_checked_whatever_other_work_computes_with(tmp_path: Path) -> None:
    script = (
        "import numpy as np\nfrom curation.labels.embedding import embed_pictures\n"
        "told = embed_pictures([np.zeros((64, 64, 3), np.uint8)], 1)\n"
        "print(told.features.shape, told.notice)"
    )
    # Nothing listens there, so that the weights cannot be fetched.
    told = run_python(
        script, tmp_path / "keras", KERAS_BACKEND="torch", HTTPS_PROXY="http://127.0.0.1:9"
    )
    assert told.startswith("(1, 1956)")
    assert f"{tmp_path / 'keras' / 'models'}" in told
