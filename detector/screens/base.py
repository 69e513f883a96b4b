"""Where the live picture goes: a window, the terminal, or nowhere."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from detector.drawing.overlay import Readout
from detector.tracking.pipeline import FrameResult
from maskage.errors import EnvironmentProblemError

# Opens a window in a process of its own: where it cannot, Qt aborts the whole process.
_PROBE = "import cv2; cv2.namedWindow('probe'); cv2.waitKey(1); cv2.destroyAllWindows()"
_PROBE_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Controls:
    """How everything that a person can change stands.

    Attributes:
        threshold: Confidence under which a face is called unsure, 0 to 1.
        recording: The file that is being recorded, or None.
        selected: Track of the face that the next correction is meant for, or None.
        source: Which of `sources` is watched.
        sources: Names of the cameras that can be chosen.
        correcting: Why no face can be saved into the dataset; None where one can.
    """

    threshold: float = 0.5
    recording: Path | None = None
    selected: int | None = None
    source: int = 0
    sources: tuple[str, ...] = ()
    correcting: str | None = None


@dataclass(frozen=True)
class Counts:
    """What came of the frames so far.

    Attributes:
        frames: Labelled.
        dropped: Passed over for newer ones.
        reconnects: How often a lost source was opened again.
    """

    frames: int = 0
    dropped: int = 0
    reconnects: int = 0


@dataclass(frozen=True, eq=False)
class LiveView:
    """What a screen shows at one moment.

    Attributes:
        result: The newest labelled frame.
        readout: The status line.
        is_mirrored: Show it as in a mirror.
        controls: What can be changed.
        counts: Frames so far.
        is_over: The recording or folder has ended; this is the last view.
    """

    result: FrameResult
    readout: Readout
    is_mirrored: bool = False
    controls: Controls = Controls()
    counts: Counts = Counts()
    is_over: bool = False


class Screen(Protocol):
    """Shows views and hears keys; a context that leaves the terminal as it was."""

    @property
    def is_open(self) -> bool:
        """False once the user has closed it."""

    def show(self, view: LiveView) -> None:
        """Show a view now."""

    def read_keys(self) -> str:
        """The keys pressed since the last call, in order; empty for none."""

    def close(self) -> None:
        """Leave everything as it was found. May be called twice."""


class NoScreen:
    """`--headless`: shows nothing, hears nothing."""

    is_open: bool = True

    def show(self, view: LiveView) -> None: ...

    def read_keys(self) -> str:
        return ""

    def close(self) -> None: ...


class ScreenKind(StrEnum):
    """What `detector live` may be asked for."""

    AUTO = "auto"
    WINDOW = "window"
    TERMINAL = "terminal"
    HEADLESS = "headless"
    WEB = "web"


def choose_screen(
    wanted: ScreenKind, *, has_terminal: bool, display_problem: str | None
) -> ScreenKind:
    """The screen that is used.

    Args:
        wanted: What the user asked for.
        has_terminal: Whether both input and output are a terminal.
        display_problem: Why no window can be opened; None where one can.

    Raises:
        EnvironmentProblemError: What was asked for is not to be had, or with `AUTO`, nothing is.
    """
    if wanted in (ScreenKind.HEADLESS, ScreenKind.WEB):
        return wanted
    if wanted in (ScreenKind.AUTO, ScreenKind.WINDOW) and display_problem is None:
        return ScreenKind.WINDOW
    if wanted is ScreenKind.WINDOW:
        raise EnvironmentProblemError(
            f"No window can be opened: {display_problem}. Use --terminal or --headless, or "
            f"`detector run` for a recording."
        )
    if has_terminal:
        return ScreenKind.TERMINAL
    missing = "this is not a terminal"
    if wanted is ScreenKind.AUTO:
        missing = f"{display_problem}, and {missing}"
    raise EnvironmentProblemError(
        f"Nowhere to show the picture: {missing}. Use --web to watch in a browser, --headless to "
        f"watch without a picture, or `detector run FILE --json OUT --video OUT` for a recording."
    )


class DisplayProbe:
    """Finds out whether OpenCV can open a window here, while the caller does something else.

    Asks in order of cost: is there a display, does it answer, and does a window really open (in
    a process of its own, some 0.4 s).

    Args:
        environment: Of the process, by default.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self._process: subprocess.Popen[bytes] | None = None
        self._problem = _missing_display(environment)
        if self._problem is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROBE],
                env={**environment, "OPENCV_LOG_LEVEL": "OFF"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def find_problem(self) -> str | None:
        """Why no window can be opened, or None where one can; waits for the answer."""
        if self._process is None:
            return self._problem
        try:
            code = self._process.wait(_PROBE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process = None
        if code != 0:
            self._problem = (
                "OpenCV opens no windows here (is opencv-python-headless installed over "
                "opencv-python?)"
            )
        return self._problem


def _missing_display(environment: Mapping[str, str]) -> str | None:
    if not sys.platform.startswith("linux"):
        return None
    display, wayland = environment.get("DISPLAY", ""), environment.get("WAYLAND_DISPLAY", "")
    if not display and not wayland:
        return "there is no display (DISPLAY and WAYLAND_DISPLAY are not set)"
    if not wayland and not _answers(display):
        return f"the display {display} does not answer"
    return None


def _answers(display: str) -> bool:
    """Whether an X server listens at a DISPLAY such as ":0" or "host:10.0"."""
    host, _, number = display.rpartition(":")
    number = number.partition(".")[0]
    if not number.isdecimal():
        return False
    path = f"/tmp/.X11-unix/X{number}"
    if host in ("", "unix"):
        # The abstract socket (leading NUL) exists also where /tmp is another.
        return any(_connects(socket.AF_UNIX, address) for address in (path, f"\0{path}"))
    if Path(host).exists():  # macOS names a socket file
        return True
    return _connects(socket.AF_INET, (host, 6000 + int(number)))


def _connects(family: int, address: str | tuple[str, int]) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as line:
            line.settimeout(2.0)
            line.connect(address)
            return True
    except OSError:
        return False
