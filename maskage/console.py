"""The output of every command, its exit code, and its progress.

Results go to stdout; progress, notices and errors go to stderr. `show` and `say` are the only ways
there, so that a name from outside never acts on the terminal.
"""

import io
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, TextIO, TypeVar, cast

from maskage.addresses import hide_addresses
from maskage.errors import EnvironmentProblemError, ToolchainError
from maskage.outside_text import ShownOutput, join_lines, shown_text
from maskage.system.faults import describe_system_fault
from maskage.system.files import make_all_private
from maskage.system.paths import user_cache
from maskage.system.signals import ending_politely

INTERRUPTED = 130

T = TypeVar("T")


@contextmanager
def _shown_output() -> Iterator[None]:
    """Remove what a terminal would obey from all output, also that of libraries and warnings."""
    before = sys.stdout, sys.stderr
    for stream in before:
        # A name may hold letters that the terminal cannot show.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.stdout, sys.stderr = (
        stream
        if isinstance(cast(object, stream), ShownOutput)
        else cast(TextIO, ShownOutput(stream))
        for stream in before
    )
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def plain_stderr() -> TextIO:
    """Return stderr for code that draws there: the terminal obeys what it writes."""
    stream: object = sys.stderr
    return stream.stream if isinstance(stream, ShownOutput) else sys.stderr


@_shown_output()
def run_command(command: Callable[[], int]) -> int:
    """Run a command and return its exit code: known faults become a message, unknown ones a report.

    Args:
        command: The function that does the work and returns 0, or raises.

    Returns:
        The exit code of the design: 0, the fault's own, 130 for Ctrl-C, 1 for a bug of ours.

    Raises:
        SystemExit: A signal to end came; the code is 143 or 129.
    """
    make_all_private()
    # matplotlib writes a list of fonts, by default outside of our cache.
    os.environ.setdefault("MPLCONFIGDIR", str(user_cache() / "matplotlib"))
    try:
        with ending_politely():
            code = command()
            sys.stdout.flush()
        return code
    except ToolchainError as fault:
        say(*f"error: {fault}".split("\n"))
        return fault.exit_code
    except KeyboardInterrupt:
        say("stopped.")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the output has gone (`| head`); that is an end, not a fault.
        _drop_stdout()
        return 0
    except Exception as fault:  # noqa: BLE001  report it, and never print a traceback
        if (words := describe_system_fault(fault)) is None:
            return _report_bug(fault)
        if isinstance(fault, OSError) and fault.filename is None:  # stdout may be what refuses
            _drop_stdout()
        say(f"error: {words}")
        return EnvironmentProblemError.exit_code


def _report_bug(fault: Exception) -> int:
    try:
        details = f"The details are in {_write_traceback()}. Please report them."
    except OSError as refusal:
        details = f"The details cannot be saved ({refusal}). Please report this line."
    what = hide_addresses(str(fault))
    say(
        f"error: this is a bug in the toolchain: {type(fault).__name__}: {what}",
        f"{details} Nothing saved is lost.",
    )
    return ToolchainError.exit_code


def _drop_stdout() -> None:
    """Drop what is still to be written, so that it does not fail again when Python ends."""
    with suppress(io.UnsupportedOperation):  # stdout may not be a file, as in a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(*lines: str) -> None:
    """Print a notice to stderr, where it never mixes with results.

    Args:
        lines: The lines of the notice. Each stays one line, whatever a name in it holds.
    """
    print(join_lines(lines), file=sys.stderr, flush=True)


def say_block(text: object) -> None:
    """Print a notice of several lines, whose parts went through `join_lines`."""
    say(*str(text).split("\n"))


def show(*lines: str) -> None:
    """Print results to stdout; lines as for `say`."""
    show_block(join_lines(lines))


def show_block(text: object) -> None:
    """Print a result of several lines, whose parts from outside went through `join_lines`."""
    print(text, flush=True)


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

    console = Console(file=plain_stderr())
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        yield from progress.track(items, total=total, description=shown_text(description))


def _write_traceback() -> Path:
    handle, name = tempfile.mkstemp(prefix="maskage-bug-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(hide_addresses(traceback.format_exc()))
    return Path(name)
