"""The live picture in a window of OpenCV's."""

import itertools
import os

import cv2

from detector.drawing.overlay import draw_result
from detector.screens.base import LiveView, Screen
from detector.screens.commands import Command
from detector.screens.keys import LiveKeys
from maskage.errors import EnvironmentProblemError

_ESCAPE = 27
_MOST_KEYS = 16


class WindowScreen(Screen):
    """One window; closing it ends the live view, as `q` and Escape do.

    Args:
        title: Title of the window.
        keys: The meaning of each key.

    Raises:
        EnvironmentProblemError: OpenCV has no windows. (Without a display Qt aborts the process:
            ask `DisplayProbe` first.)
    """

    def __init__(self, title: str, keys: LiveKeys) -> None:
        self.is_open = True
        self._title = title
        self._keys, self._pressed = keys, ""
        self._size = (0, 0)
        # Qt warns of missing fonts on stderr at the first window; nothing here draws with them.
        os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        except cv2.error as fault:
            raise EnvironmentProblemError(
                "This build of OpenCV opens no windows. Use --terminal, or install opencv-python "
                "again after opencv-python-headless."
            ) from fault

    def show(self, view: LiveView) -> None:
        """Draw a view in full size; the window may be resized."""
        drawn = draw_result(view.result, view.readout, is_mirrored=view.is_mirrored)
        size = (drawn.shape[1], drawn.shape[0])
        if size != self._size:
            cv2.resizeWindow(self._title, *size)
            self._size = size
        cv2.imshow(self._title, cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
        self._pressed += self._poll()

    def read_commands(self) -> list[Command]:
        """Return the commands of the keys pressed since the last call, in order."""
        pressed, self._pressed = self._pressed + self._poll(), ""
        return self._keys.parse(pressed)

    def close(self) -> None:
        """Close the window; may be called twice."""
        if self.is_open:
            self.is_open = False
            cv2.destroyAllWindows()

    def _poll(self) -> str:
        # One call gives one key, however many were pressed since the last.
        keys = list(itertools.takewhile(lambda key: key >= 0, map(cv2.waitKey, [1] * _MOST_KEYS)))
        if self._size != (0, 0) and not self._is_visible():
            self.is_open = False
            return ""
        return "".join("q" if key & 0xFF == _ESCAPE else chr(key & 0xFF) for key in keys)

    def _is_visible(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # Qt's answer once the user has closed the last window
            return False
