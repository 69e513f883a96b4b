"""Folders that cannot be written, also not by root: a second, read-only view of them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """Show `folder` under another name, where nothing can be written.

    Skips the test where this process may not mount.
    """
    view = folder.with_name(f"{folder.name}-read-only")
    view.mkdir()
    if _run("mount", "--bind", str(folder), str(view)):
        view.rmdir()
        pytest.skip("may not mount a folder read-only here")
    try:
        assert _run("mount", "-o", "remount,bind,ro", str(view)) == 0
        yield view
    finally:
        assert _run("umount", str(view)) == 0


def _run(*words: str) -> int:
    return subprocess.run(words, capture_output=True).returncode
