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


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, "{home}/"),
        ({"MASKAGE_CACHE": "/elsewhere"}, "/elsewhere/matplotlib"),
        ({"MPLCONFIGDIR": "/own", "MASKAGE_CACHE": "/elsewhere"}, "/own"),
    ],
)
def test_matplotlib_keeps_its_fonts_in_our_cache_or_where_the_user_wants_them(
    environment: dict[str, str], wanted: str, tmp_path: Path
) -> None:
    own = ("MPLCONFIGDIR", "MASKAGE_CACHE", "XDG_CACHE_HOME")
    others = {name: value for name, value in os.environ.items() if name not in own}
    done = subprocess.run(
        [sys.executable, "-c", "import os, maskage; print(os.environ['MPLCONFIGDIR'])"],
        env={
            **others,
            **environment,
            "HOME": str(tmp_path),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith(wanted.format(home=tmp_path)), done.stderr
    assert "maskage" in done.stdout or environment
