"""The terminal as a screen of our own: that there is one, and that nothing else writes on it."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import TYPE_CHECKING

from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from maskage.errors import EnvironmentProblemError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def require_terminal() -> None:
    """Make sure that a person sits at a terminal.

    Raises:
        EnvironmentProblemError: Input or output goes elsewhere.
    """
    streams = {"input": sys.stdin, "output": sys.stdout, "error output": sys.stderr}
    missing = [name for name, stream in streams.items() if not stream or not stream.isatty()]
    if missing:
        raise EnvironmentProblemError(
            f"The collector's screen needs a terminal; {_join(missing)} not one. Start "
            f"it in a terminal without pipes (over ssh: `ssh -t`), or use `collector import`, "
            f"which needs none."
        )


def _join(names: list[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{', '.join(names[:-1])} and {names[-1]} are"


class _Screen(FileIO):
    """The terminal's descriptor; what is written once the terminal has gone goes nowhere."""

    def write(self, data: "ReadableBuffer") -> int:
        try:
            return super().write(data)
        except OSError as fault:
            if fault.errno != errno.EIO:
                raise
            return memoryview(data).nbytes


@contextmanager
def keep_terminal() -> Iterator[type[Driver]]:
    """Keep stray output off the screen while it is up.

    Camera drivers and codecs write warnings straight to file descriptor 2 ("Corrupt JPEG data"),
    which is where Textual draws. The screen gets a descriptor of its own; 2 goes nowhere.

    Yields:
        The driver class to give to the app.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    os.close(sink)
    with TextIOWrapper(
        BufferedWriter(_Screen(os.dup(kept), "w")), encoding="utf-8", errors="backslashreplace"
    ) as screen:

        class ScreenDriver(LinuxDriver):
            """A driver that draws on the kept descriptor."""

            def __init__(self, *args: object, **options: object) -> None:
                super().__init__(*args, **options)  # type: ignore[arg-type]
                self._file = screen

        try:
            yield ScreenDriver
        finally:
            os.dup2(kept, 2)
            os.close(kept)
