"""Every command answers `--help` at once, whatever heavy library it would use later."""

import subprocess
import sys
from importlib.metadata import version

import pytest

from collector.cli import PROGRAM as COLLECTOR
from curation.cli import PROGRAM as CURATE
from detector.cli import PROGRAM as DETECTOR
from trainer.cli import PROGRAM as TRAINER

HEAVY = ["tensorflow", "keras", "onnxruntime", "sklearn", "albumentations", "textual", "cv2",
         "matplotlib", "scipy", "rich", "jinja2", "httpx"]  # fmt: skip
PROGRAMS = {"collector": COLLECTOR, "curation": CURATE, "trainer": TRAINER, "detector": DETECTOR}
COMMANDS = [
    *PROGRAMS,
    *(f"{package} {name}" for package, program in PROGRAMS.items() for name in program.named),
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


def test_every_command_is_looked_at() -> None:
    assert len(COMMANDS) == 4 + 16 + 2 + 7 + 6


@pytest.mark.parametrize("package", PROGRAMS)
def test_the_completion_needs_no_heavy_library(package: str) -> None:
    script = BLOCKED.format(heavy=HEAVY, package=package, words=["--print-completion", "bash"])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"complete -o bashdefault -F _shtab_{PROGRAMS[package].name}" in done.stdout


@pytest.mark.parametrize("package", PROGRAMS)
def test_the_version_needs_no_heavy_library(package: str) -> None:
    script = BLOCKED.format(heavy=HEAVY, package=package, words=["--version"])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{PROGRAMS[package].name} {version('maskage')}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_needs_no_heavy_library(command: str) -> None:
    package, *words = command.split()
    script = BLOCKED.format(heavy=HEAVY, package=package, words=[*words, "--help"])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout
