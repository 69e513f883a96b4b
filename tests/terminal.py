"""A command in a terminal of its own, and every byte that it sends there."""

import os
import pty
import select
import subprocess
import sys
import termios
import time
from pathlib import Path

LONGEST_S = 120.0
"""After so long a command is killed, which no exit code of ours looks like."""

ROOT = Path(__file__).parents[1]


def run_in_terminal(
    module: str, *words: object, press: bytes = b"", after: bytes = b""
) -> tuple[int, bytes]:
    r"""Run `python -m module words` with all three streams on a pseudo-terminal.

    Args:
        module, words: The command.
        press: Keys to press once, and as soon as, `after` has come out.
        after: What is waited for.

    Returns:
        The exit code, negative for a command that did not end, and what came out, with the
        terminal's own line ends ("\r\n").
    """
    outer, inner = pty.openpty()
    termios.tcsetwinsize(inner, (40, 140))
    command = [sys.executable, "-m", module, *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=environment)
    os.close(inner)
    sent, end = b"", time.monotonic() + LONGEST_S
    while select.select([outer], [], [], max(0.0, end - time.monotonic()))[0]:
        try:
            sent += os.read(outer, 1 << 16)
        except OSError:  # the last one on the other side is gone
            break
        if press and after in sent:
            os.write(outer, press)
            press = b""
    else:
        process.kill()
    os.close(outer)
    return process.wait(), sent
