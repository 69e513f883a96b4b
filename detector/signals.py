"""A polite kill ends a live view as Ctrl-C does: the terminal in order, recordings readable."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


@contextmanager
def ending_politely() -> Iterator[None]:
    """Have SIGTERM (`kill`, a service manager) and SIGHUP (the terminal is gone) unwind.

    Raises:
        SystemExit: One of them came; with the shell's convention for a signal's exit code.
    """
    former = {number: signal.signal(number, _unwind) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _unwind(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
