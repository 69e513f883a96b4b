"""Pictures of a folder that are read before they are asked for, so that the next is there at once.

The observer's thread puts pictures in, and the screen takes them out.
"""

import threading
from collections import deque

from maskage.cameras.live_feed import CameraCondition, CameraState
from maskage.capture.observation import Observation

MOST_PICTURES = 32
MOST_BYTES = 128 << 20
"""Of pixels; one picture is read ahead however large it is."""


class PicturesAhead:
    """The next pictures of a folder, in order.

    The end of the folder is kept back until the last picture was taken and one more is asked for.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._changed = threading.Event()
        self._pictures: deque[Observation] = deque()
        self._is_awaited = True
        self._wanted: int | None = None
        self._end: CameraState | None = None
        self._hides_return = False

    # For the thread that reads

    @property
    def has_room(self) -> bool:
        """True where one more picture is to be read."""
        with self._mutex:
            size = sum(each.frame.pixels.nbytes for each in self._pictures)
            return not self._pictures or (len(self._pictures) < MOST_PICTURES and size < MOST_BYTES)

    def put(self, picture: Observation) -> bool:
        """Add a picture; return True where it is awaited and is to be announced."""
        with self._mutex:
            if self._wanted is not None:
                return False
            self._pictures.append(picture)
            return self._is_awaited and len(self._pictures) == 1

    def keeps(self, state: CameraState) -> bool:
        """Return True where a state of the source is not to be reported, or not yet."""
        with self._mutex:
            if state.condition is CameraCondition.LIVE and self._hides_return:
                # Nobody was told of the end that it came back from.
                self._hides_return = False
                return True
            if state.condition is not CameraCondition.ENDED:
                return False
            if self._wanted is not None:
                self._hides_return = True
                return True
            if self._is_awaited and not self._pictures:
                return False
            self._end = state
            return True

    def take_wanted(self) -> int | None:
        """Return the picture to go back to, counted from 0, or None; once."""
        with self._mutex:
            wanted, self._wanted = self._wanted, None
            return wanted

    def wait(self, timeout_s: float) -> None:
        """Wait until a picture was taken or is to be gone back to."""
        self._changed.wait(timeout_s)
        self._changed.clear()

    def clear(self) -> None:
        """Drop everything: another source is opened."""
        with self._mutex:
            self._pictures.clear()
            self._is_awaited, self._wanted, self._end = True, None, None
            self._hides_return = False

    # For the screen

    def take(self) -> Observation | None:
        """Return the picture that was announced, or None where it is not wanted any more."""
        with self._mutex:
            if not self._is_awaited or not self._pictures:
                return None
            self._is_awaited = False
            self._changed.set()
            return self._pictures.popleft()

    def next(self) -> Observation | None:
        """Ask for the next picture; None where it is announced once it is there."""
        with self._mutex:
            self._is_awaited = True
        return self.take()

    def take_end(self) -> CameraState | None:
        """Return the end that was kept back, where no picture is left."""
        with self._mutex:
            if self._pictures:
                return None
            end, self._end = self._end, None
            return end

    def go_back(self, index: int) -> None:
        """Ask for this picture, counted from 0, and those after it."""
        with self._mutex:
            self._pictures.clear()
            self._is_awaited, self._wanted = True, index
            self._hides_return = self._hides_return or self._end is not None
            self._end = None
            self._changed.set()

    def close(self) -> None:
        """Wake the thread that waits."""
        self._changed.set()
