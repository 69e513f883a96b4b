"""A command in a terminal of its own, and every byte that it sends there."""

import os
import pty
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run_in_terminal(module: str, *words: object) -> tuple[int, bytes]:
    """Run `python -m module words` with all three streams on a pseudo-terminal.

    Returns:
        The exit code, and what came out, with the terminal's own line ends ("\\r\\n").
    """
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", module, *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=environment)
    os.close(inner)
    sent = b""
    while True:
        try:
            data = os.read(outer, 1 << 16)
        except OSError:  # the last one on the other side is gone
            break
        if not data:
            break
        sent += data
    os.close(outer)
    return process.wait(), sent
