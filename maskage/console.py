"""The output of every command, its exit code, and its progress.

Results go to stdout; progress, notices and errors go to stderr. `show` and `say` are the only ways
there, so that a name from outside never acts on the terminal.
"""

import io
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, TextIO, TypeVar, cast

from maskage.addresses import hide_addresses
from maskage.errors import EnvironmentProblemError, ToolchainError
from maskage.outside_text import ShownOutput, join_lines, shown_text
from maskage.system.faults import describe_system_fault
from maskage.system.files import make_all_private
from maskage.system.signals import ending_politely, undisturbed

if TYPE_CHECKING:
    import rich.progress

INTERRUPTED = 130
REFRESH_S = 0.1

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
    ) -> Iterable[T]:
        """Pass `items` through; `total` is their number, or None where nobody knows it."""


def no_progress(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Pass `items` through and show nothing."""
    yield from items


def show_progress(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Pass `items` through, and show count, rate and time left on stderr while they pass."""
    due_s = 0.0
    with ProgressDisplay(is_kept=False) as display:
        display.update(description, 0, total)
        for done, item in enumerate(items, 1):
            yield item
            # Thousands of items a second pass through here.
            if (now_s := time.monotonic()) >= due_s or done == total:
                display.update(description, done, total)
                due_s = now_s + REFRESH_S


class ProgressDisplay:
    """A context that shows on stderr how far long work is: a bar, or a line now and then.

    There are lines where stderr is no terminal, or one that cannot move its cursor (`TERM=dumb`);
    with `NO_COLOR` the bar has no colours. What is printed meanwhile appears above the bar.

    Args:
        is_kept: Leave the last state of each stage on the screen.
        every_s: Least seconds between two lines where there is no bar.
    """

    def __init__(self, *, is_kept: bool = True, every_s: float = 10.0) -> None:
        self._is_kept, self._every_s = is_kept, every_s
        self._stage = ""
        self._said_s = float("-inf") if is_kept else time.monotonic()
        self._open = ExitStack()
        self._bar: rich.progress.Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def update(
        self,
        stage: str,
        done: int,
        total: int | None,
        *,
        unit: str = "",
        rate: float | None = None,
        note: str = "",
    ) -> None:
        """Show how far a stage has come; it ends when `done` reaches `total`, or another begins.

        Args:
            stage: What is done; may hold a name from outside.
            done: How many are done.
            total: How many there are, or None where nobody knows.
            unit: What is counted.
            rate: How many are done in a second; measured where it is not given.
            note: More figures.
        """
        if self._bar is None or stage != self._stage:
            self._end()
            self._bar = self._begin(stage, total)
        self._bar.update(
            self._bar.task_ids[0], completed=done, total=total, unit=unit, rate=rate, note=note
        )
        is_last = total is not None and done >= total
        if self._bar.disable and self._is_due(is_last):
            self._said_s = time.monotonic()
            say(f"{stage} {_describe(self._bar.tasks[0])}")
        if is_last:
            self._end()

    def _is_due(self, is_last: bool) -> bool:
        waited_s = time.monotonic() - self._said_s
        return waited_s >= self._every_s or (is_last and self._is_kept)

    def _begin(self, stage: str, total: int | None) -> "rich.progress.Progress":
        from rich.console import Console
        from rich.file_proxy import FileProxy
        from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
        from rich.progress import Progress as Bar
        from rich.text import Text

        class Figures(ProgressColumn):
            def render(self, task: Task) -> Text:
                return Text(_describe(task), overflow="ellipsis", no_wrap=True)

        console = Console(file=plain_stderr(), highlight=False)
        is_terminal = console.file.isatty() and console.is_terminal
        bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(console.width // 8),
            Figures(),
            console=console,
            transient=not self._is_kept,
            # An epoch may take minutes.
            speed_estimate_period=600,
            # As rich would do it, names would reach the terminal as they are.
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not is_terminal or console.is_dumb_terminal,
        )
        bar.add_task(shown_text(stage), total=total, unit="", rate=None, note="")
        self._stage = stage
        if not bar.disable:
            above = cast(TextIO, ShownOutput(cast(TextIO, FileProxy(console, console.file))))
            self._open.callback(above.flush)
            if sys.stdout.isatty():
                self._open.enter_context(redirect_stdout(above))
            self._open.enter_context(redirect_stderr(above))
            with undisturbed():
                self._open.enter_context(bar)
        return bar

    def _end(self) -> None:
        with undisturbed():
            self._open.close()
            self._bar = None


def _describe(task: "rich.progress.Task") -> str:
    """Say how far a task is, for people: "3/8 epochs, 12.1 s each, 01:01 left, loss 0.41"."""
    count = f"{task.completed:,.0f}"
    count += "" if task.total is None else f"/{task.total:,.0f}"
    parts = [f"{count} {task.fields['unit']}".rstrip()]
    rate = task.fields["rate"] or task.speed
    if rate:
        parts.append(f"{rate:.0f}/s" if rate >= 1 else f"{1 / rate:.1f} s each")
        if task.remaining:
            left = str(timedelta(seconds=round(task.remaining / rate)))
            parts.append(f"{left.removeprefix('0:')} left")
    return shown_text(", ".join([*parts, task.fields["note"]] if task.fields["note"] else parts))


def _write_traceback() -> Path:
    handle, name = tempfile.mkstemp(prefix="maskage-bug-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(hide_addresses(traceback.format_exc()))
    return Path(name)
