"""Finds out that a key is held down, where each press is to count for one picture.

It reads no clock: every time is passed in, in seconds, from `time.monotonic()`.
"""

from enum import Enum

_QUICKEST_PRESS_S = 0.045
"""Nobody presses one key again so soon: 15 presses a second are a record; held keys repeat every
25 to 40 ms on Linux and Windows."""
_SLOW_REPEAT_S = 0.095
"""The slowest repeat: 90 ms on macOS and the Linux console as they come."""
_REPEAT_DELAY_S = (0.2, 0.85)
"""A held key repeats first after 225 to 660 ms, as systems come."""
_SILENCE_S = 0.2
"""A held key is let go once it is silent for so long."""


class Press(Enum):
    """The meaning of one event of a key.

    fresh: A press.
    held: A repeat of a key that is held down.
    held_before: The same, and the event before it was one too, which looked like a press.
    """

    FRESH = "fresh"
    HELD = "held"
    HELD_BEFORE = "held before"


class KeyRepeat:
    """Tells presses from the repeats of a held key.

    Terminals send no key-up. A held key is a press, a delay, then one event after the other; the
    first repeat looks like a second press until the next one follows.
    """

    def __init__(self) -> None:
        self._key: str | None = None
        self._at_s = self._gap_s = float("-inf")
        self.is_held = False

    def note(self, key: str, now_s: float) -> Press:
        """Note one event of a key, and return what it is."""
        gap_s = now_s - self._at_s if key == self._key else float("inf")
        before_s, self._gap_s = self._gap_s, gap_s
        self._key, self._at_s = key, now_s
        if self.is_held and gap_s <= _SILENCE_S:
            return Press.HELD
        is_after_delay = _REPEAT_DELAY_S[0] <= before_s <= _REPEAT_DELAY_S[1]
        self.is_held = gap_s <= (_SLOW_REPEAT_S if is_after_delay else _QUICKEST_PRESS_S)
        if not self.is_held:
            return Press.FRESH
        return Press.HELD_BEFORE if is_after_delay else Press.HELD
