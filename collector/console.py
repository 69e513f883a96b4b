"""What every command shares: how it ends, and how it shows that it is working.

Results go to stdout; progress, notices and errors go to stderr.
"""

import argparse
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, Protocol, TypeVar

from collector.errors import EnvironmentProblemError, ToolchainError, UsageError
from collector.files import make_all_private
from collector.signals import ending_politely
from collector.system_faults import describe_system_fault

INTERRUPTED = 130

T = TypeVar("T")


class CommandParser(argparse.ArgumentParser):
    """argparse, with a fault in the command line raised as `UsageError`."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}.\nSee `{self.prog} --help`.")


def run_command(command: Callable[[], int]) -> int:
    """Run a command to its exit code: known faults become one message, unknown ones a report.

    Args:
        command: Does the work and returns 0, or raises.

    Returns:
        The exit code of the design: 0, the fault's own, 130 for Ctrl-C, 1 for a bug of ours.

    Raises:
        SystemExit: A polite kill came, with 143 or 129.
    """
    make_all_private()
    # A file's name may hold what the terminal cannot show; stderr escapes that by itself.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with ending_politely():
            code = command()
            sys.stdout.flush()
        return code
    except ToolchainError as fault:
        say(f"error: {fault}")
        return fault.exit_code
    except KeyboardInterrupt:
        say("stopped.")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); that is an end, not a fault.
        _drop_stdout()
        return 0
    except Exception as fault:  # noqa: BLE001  the last line of defence: report, never a traceback
        if (words := describe_system_fault(fault)) is None:
            return _report_bug(fault)
        if isinstance(fault, OSError) and fault.filename is None:  # it may be stdout that refuses
            _drop_stdout()
        say(f"error: {words}")
        return EnvironmentProblemError.exit_code


def _report_bug(fault: Exception) -> int:
    try:
        details = f"The details are in {_write_traceback()}. Please report them."
    except OSError as refusal:
        details = f"The details cannot be written down ({refusal}). Please report this line."
    say(
        f"error: this is a bug in the toolchain: {type(fault).__name__}: {fault}\n"
        f"{details} Nothing saved is lost."
    )
    return ToolchainError.exit_code


def _drop_stdout() -> None:
    """Let nothing that is still to be written fail again when Python ends."""
    with suppress(io.UnsupportedOperation):  # where it is no file, as in a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(message: str) -> None:
    """Tell the person at the terminal; never mixes with results on stdout."""
    print(message, file=sys.stderr, flush=True)


class Progress(Protocol):
    """Passes items through and shows how far they are: `show_progress`, or `no_progress`."""

    def __call__(
        self, items: Iterable[T], description: str, total: int | None = None
    ) -> Iterable[T]: ...


def no_progress(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Shows nothing."""
    yield from items


def show_progress(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Pass `items` through, with count, rate and time left on stderr where it is a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.0f}/s" if task.speed else "")

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        yield from progress.track(items, total=total, description=description)


def _write_traceback() -> Path:
    handle, name = tempfile.mkstemp(prefix="maskage-bug-", suffix=".txt")
    with os.fdopen(handle, "w") as file:
        traceback.print_exc(file=file)
    return Path(name)
