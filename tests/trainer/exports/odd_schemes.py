"""Schemes of 2, 3 and 40 classes for exports; the 40 have names that break what is not careful."""

import subprocess
import sys
from importlib.util import find_spec
from os import environ

import pytest

from maskage.classes.ready_made import READY_MADE, plain_scheme

_ODD = (
    'mask "old"', "it's", "😀 smile", "<script>alert(1)<", "&amp;", "CON", "Mask", "mask", "=1+1",
    "unsure", "path", "total", "قناع", "{0}", "%s %d", "$HOME", "`id`", "a,b;c", "#1", "names",
    "in  side", "two words", "[x]", "null", "2", "__proto__", "e\u0301", "é", "0: 'a'", "面" * 66,
)  # fmt: skip

SCHEMES = {
    2: plain_scheme(("yes", "no")),
    3: READY_MADE["mask-state"],
    40: plain_scheme((*_ODD, *(f"class_{number:02d}" for number in range(40 - len(_ODD))))),
}
"""Schemes by their number of classes."""


def interpreter_with(module: str, variable: str) -> str:
    """Return a Python that has a module: the one named in the environment, or this one.

    The test is skipped where there is none.
    """
    if variable in environ:
        return environ[variable]
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed; {variable} may name the Python of another venv")
    return sys.executable


def run_program(*command: str, cwd: str | None = None) -> str:
    """Run a program to its end and return what it printed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
