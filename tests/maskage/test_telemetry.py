"""What keeps libraries from reporting stands before any of them can be imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WANTED = {
    "ORT_DISABLE_TELEMETRY": "1",
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "FASTAPI_OTEL_AUTO_CONFIGURE": "false",
    "ENABLE_RUNTIME_UPTIME_TELEMETRY": "0",
}

SHOW = """
import json, os, sys
import {package}
try:
    import openvino_telemetry
except ModuleNotFoundError:
    openvino_telemetry = None
heavy = {{"onnxruntime", "albumentations", "openvino", "keras"}} & set(sys.modules)
found = {{name: os.environ.get(name) for name in {names!r}}}
print(json.dumps([found, openvino_telemetry is None, sorted(heavy)]))
"""


@pytest.mark.parametrize("package", ["maskage", "collector", "curation", "trainer", "detector"])
def test_importing_a_package_switches_reports_off_whatever_the_environment_says(
    package: str,
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    environment |= dict.fromkeys(WANTED, "yes")
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(package=package, names=list(WANTED))],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [WANTED, True, []]
