"""Every command answers `--help` at once, whatever heavy library it would use later."""

import subprocess
import sys
from importlib.metadata import version

import pytest

HEAVY = ["tensorflow", "keras", "onnxruntime", "sklearn", "albumentations", "textual", "cv2",
         "jinja2", "matplotlib"]  # fmt: skip
COMMANDS = [
    "collector",
    "collector import",
    "collector review",
    "collector status",
    "collector doctor",
    "collector consent",
    "collector forget",
    "collector cameras",
    "curation",
    "trainer",
    "trainer fit",
    "trainer evaluate",
    "trainer compare",
    "trainer export",
    "trainer leak",
    "detector",
    "detector live",
    "detector run",
    "detector suggest",
    "detector demo",
]
BLOCKED = """
import sys
for name in {heavy!r}:
    sys.modules[name] = None
from {package}.cli import main
try:
    code = main({words!r})
except SystemExit as end:
    code = end.code
sys.exit(code)
"""


@pytest.mark.parametrize("package", ["collector", "curation", "trainer", "detector"])
def test_the_version_needs_no_heavy_library(package: str) -> None:
    script = BLOCKED.format(heavy=HEAVY, package=package, words=["--version"])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    command = "curate" if package == "curation" else package
    assert done.stdout == f"{command} {version('maskage')}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_needs_no_heavy_library(command: str) -> None:
    package, *words = command.split()
    script = BLOCKED.format(heavy=HEAVY, package=package, words=[*words, "--help"])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout
