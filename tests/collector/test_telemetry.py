"""What keeps libraries from reporting stands before any of them can be imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from collector.telemetry import SWITCHES

SHOW = """
import importlib, json, multiprocessing, os, sys
import {package}
switches = {names!r}
try:
    import openvino_telemetry
except ModuleNotFoundError:
    openvino_telemetry = None
heavy = {{"onnxruntime", "albumentations", "openvino", "keras"}} & set(sys.modules)
print(json.dumps([[os.environ.get(name) for name in switches], openvino_telemetry is None,
                  sorted(heavy)]))
"""


@pytest.mark.parametrize("package", ["collector", "curation", "trainer", "detector"])
def test_importing_a_package_switches_reports_off_whatever_the_environment_says(
    package: str,
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    environment |= dict.fromkeys(SWITCHES, "0") | {"ENABLE_RUNTIME_UPTIME_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(package=package, names=list(SWITCHES))],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == '[["1", "1", "false", "0"], true, []]'
