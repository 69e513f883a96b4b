"""Signals that end a command as Ctrl-C does, with terminal, files and locks in order."""

import os
import signal
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

POLITE = (signal.SIGTERM, signal.SIGHUP)
"""`kill` or a service manager; the terminal has gone."""


@contextmanager
def ending_politely() -> Iterator[None]:
    """Have SIGTERM and SIGHUP unwind.

    Raises:
        SystemExit: One of them came; with the shell's convention for a signal's exit code.
    """
    with heeding(_unwind):
        yield


@contextmanager
def heeding(end: Callable[[int], object]) -> Iterator[None]:
    """Have SIGTERM and SIGHUP call `end` with their number, between two steps of the program.

    One that is ignored stays so: under `nohup` the terminal may go. Outside the main thread signals
    cannot be caught, and nothing changes.
    """

    def handle(number: int, _: FrameType | None) -> None:
        if number == signal.SIGHUP:
            _leave_dead_terminal()
        end(number)

    former = {}
    if threading.current_thread() is threading.main_thread():
        for number in POLITE:
            if signal.getsignal(number) is not signal.SIG_IGN:
                former[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let Ctrl-C and polite kills wait until the block is over, such as a terminal being set up.

    Halfway, neither what was done nor what undoes it is whole. Outside the main thread, where
    signals are not handled, nothing changes.
    """
    came: list[int] = []
    former = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, *POLITE):
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                former[number] = signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    for late in came:
        signal.raise_signal(late)


def exit_code_of(number: int) -> int:
    """Return the exit code that a shell reports for a program ended by a signal."""
    return 128 + number


def _unwind(number: int) -> NoReturn:
    raise SystemExit(exit_code_of(number))


def _leave_dead_terminal() -> None:
    """Let last words go nowhere where the terminal that would show them has gone.

    Writing to it fails, and would turn an orderly end into a fault.
    """
    for handle in (1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(handle).st_mode) and not os.isatty(handle):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, handle)
                os.close(nowhere)
