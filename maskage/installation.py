"""The installed toolchain: its version, and how to add what an option needs."""

import argparse
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from maskage.console import show


def installed_version() -> str:
    """Return the version that is installed."""
    try:
        return version("maskage")
    except PackageNotFoundError:
        return "of a folder that is not installed"


def explain_install(extra: str) -> str:
    """Return the command that installs an extra, and its place: no package index has maskage.

    Args:
        extra: The name in `pyproject.toml`, such as "jax".
    """
    return f"`pip install -c requirements.lock '.[{extra}]'` in the folder that you cloned"


class ShowVersion(argparse.Action):
    """`--version`: print the version and end. It is looked up only then, which takes a while."""

    def __init__(self, option_strings: Sequence[str], dest: str, **_: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, 0, help="print the version")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """End the program with exit code 0."""
        show(f"{parser.prog.split()[0]} {installed_version()}")
        parser.exit()
