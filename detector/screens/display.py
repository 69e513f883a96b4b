"""The choice of a screen: a window where one opens, else the terminal."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from maskage.errors import EnvironmentProblemError

# Opens a window in a process of its own: where it cannot, Qt aborts the whole process.
_PROBE = "import cv2; cv2.namedWindow('probe'); cv2.waitKey(1); cv2.destroyAllWindows()"
_PROBE_TIMEOUT_S = 10.0


class ScreenKind(StrEnum):
    """A screen that `detector live` can be asked for."""

    AUTO = "auto"
    WINDOW = "window"
    TERMINAL = "terminal"
    HEADLESS = "headless"
    WEB = "web"


def choose_screen(
    wanted: ScreenKind, *, has_terminal: bool, display_problem: str | None
) -> ScreenKind:
    """Return the screen to use.

    Args:
        wanted: The screen that the user asked for.
        has_terminal: Input and output are both a terminal.
        display_problem: The reason why no window can be opened; None if one can.

    Raises:
        EnvironmentProblemError: The wanted screen is not available, or with `AUTO` none is.
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
    """A check, beside the caller's other work, that OpenCV can open a window here.

    It goes by cost: a display is named, it answers, a window really opens (in a process of its
    own, some 0.4 s).

    Args:
        environment: Environment variables; by default those of this process.
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
        """Return why no window can be opened, or None if one can; waits for the answer."""
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
    """Return True if an X server listens at a DISPLAY such as ":0" or "host:10.0"."""
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
