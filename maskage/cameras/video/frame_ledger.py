"""Numbers and times the frames of a video, and counts the frames that are missing.

A container lists a video's packets, about one a frame, each with the time at which it is shown.
A damaged packet gives no picture. Counting pictures alone would number and time all later ones too
low, and would not notice the loss: so the pictures that come out are compared with the packets.
"""

import heapq
from fractions import Fraction

_EVIDENCE_FRAMES = 64
"""Decoders hold back up to 16 frames for their order, and one more for each of their threads."""
_STRAYS = 10
"""Number of packets in a row with old times that mean that the clock was set anew, as where two
recordings were joined. Fewer are damage."""
_LEAST_STEP_S = 0.001
_HOLE_SHARE = 0.5
"""Bytes that belong to no packet count as lost frames from half of the frames' usual size."""


class FrameLedger:
    """A ledger of the frames that come out of a decoder, and of those that do not.

    Missing frames count only where something was wrong: some encoders write packets that show
    nothing, and packets before the first key frame of a cut are left out on purpose.

    Args:
        time_base: Seconds of one tick, in which stamps are given.
        period_s: Seconds between two frames, where nothing else states it.
        in_order: True where stamps are those of decoding (AVI has no others). Sorted, they are as
            far apart as those of showing.

    Attributes:
        lost: Numbers of the first and the last frame of each run that could not be decoded.
        lost_count: How many those are.
    """

    def __init__(self, time_base: Fraction, period_s: float, *, in_order: bool = False) -> None:
        self.lost: list[tuple[int, int]] = []
        self.lost_count = 0
        self._tick_s = float(time_base)
        self._period_s = period_s
        self._is_in_order = in_order
        self._is_counting = self._is_stamped = False
        self._due: list[int] = []
        self._failed: set[int] = set()
        self._missed: set[int] = set()
        self._strays = 0
        self._evidence = 0
        self._hole: tuple[int, int] | None = None
        self._packets = self._bytes = 0
        self._number = 0
        self._first: int | None = None
        self._last: int | None = None
        self._position_s = -_LEAST_STEP_S

    @property
    def ends_s(self) -> float:
        """Seconds from the first frame to the end of the last."""
        return self._position_s + self._period_s

    @property
    def begins_s(self) -> float:
        """Time of the first frame by the file's own clock, in seconds; 0 before it came."""
        return (self._first or 0) * self._tick_s

    def expect(self, stamp: int | None, size: int, hole: int = 0) -> None:
        """Note a packet that is about to be decoded.

        Args:
            stamp: Time of showing (or decoding, see `in_order`), in ticks; None where unknown.
            size: Size of the packet, in bytes.
            hole: Number of bytes of the file before it that belong to no packet.
        """
        self._packets += 1
        self._bytes += size
        if stamp is None or self._is_counting:
            return
        self._is_stamped = True
        if hole > (self._hole[1] if self._hole else 0):
            self._hole = (stamp, hole)
        if self._last is not None and stamp <= self._last:
            self._note_stray()
            return
        self._strays = 0
        heapq.heappush(self._due, stamp)

    def fail(self, stamp: int | None) -> None:
        """Note that a packet could not be decoded, or one before it: decoders report late."""
        self.suspect()
        if self._is_counting or not self._is_stamped:
            self._lose(None)
        elif self._is_in_order and stamp is not None:
            self._failed.add(stamp)

    def suspect(self) -> None:
        """Note that something is wrong here: frames that are missing soon after are lost ones."""
        self._evidence = _EVIDENCE_FRAMES

    def is_late(self, stamp: int | None) -> bool:
        """Return True for a frame counted as lost: behind damage, some come after later ones."""
        return stamp in self._missed

    def place(self, stamp: int | None) -> tuple[int, float]:
        """Number a frame that came out.

        Args:
            stamp: Time of showing, in ticks; None where unknown.

        Returns:
            The number of the frame, from 0, and its seconds since the first.
        """
        stamp = self._take_due(stamp)
        number = self._advance(stamp)
        self._evidence = max(0, self._evidence - 1)
        return number, self._position_s

    def finish(self) -> None:
        """Count the frames still expected as lost: nothing more comes."""
        while self._due:
            self._miss(heapq.heappop(self._due))

    def _take_due(self, stamp: int | None) -> int | None:
        if self._is_counting:
            return None
        if self._is_in_order:
            while self._due and self._due[0] in self._failed:
                self._failed.remove(self._due[0])
                self._lose(heapq.heappop(self._due))
            return heapq.heappop(self._due) if self._due else None
        if stamp is not None:
            while self._due and self._due[0] < stamp:
                self._miss(heapq.heappop(self._due))
            if self._due and self._due[0] == stamp:
                heapq.heappop(self._due)
        return stamp

    def _note_stray(self) -> None:
        self.suspect()
        self._strays += 1
        if self._strays >= _STRAYS:
            self._is_counting = True
            self._due.clear()

    def _miss(self, stamp: int) -> None:
        if self._evidence:
            self._missed.add(stamp)
            self._lose(stamp)

    def _lose(self, stamp: int | None) -> None:
        self._add_lost(self._advance(stamp))

    def _add_lost(self, number: int) -> None:
        self.lost_count += 1
        if self.lost and self.lost[-1][1] == number - 1:
            self.lost[-1] = (self.lost[-1][0], number)
        else:
            self.lost.append((number, number))

    def _advance(self, stamp: int | None) -> int:
        if stamp is None or (self._last is not None and stamp <= self._last):
            step_s = self._period_s if stamp is None else _LEAST_STEP_S
            self._position_s = max(0.0, self._position_s + step_s) if self._number else 0.0
        else:
            self._count_hole(stamp)
            self._first = stamp if self._first is None else self._first
            stated_s = (stamp - self._first) * self._tick_s
            self._position_s = max(stated_s, self._position_s + _LEAST_STEP_S)
            self._last = stamp
        self._number += 1
        return self._number - 1

    def _count_hole(self, stamp: int) -> None:
        """Count frames whose packets were not even found, since their place is unreadable."""
        if self._hole is None or self._last is None:
            return
        after, size = self._hole
        filled = size * self._packets / self._bytes
        if self._is_in_order:
            # These stamps are made up from counting, and go on as if nothing were missing.
            missing = round(filled) if self._evidence and stamp >= after else 0
            self._first = (self._first or 0) - round(missing * self._period_s / self._tick_s)
        else:
            missing = round((stamp - self._last) * self._tick_s / self._period_s) - 1
            missing = missing if filled >= _HOLE_SHARE * missing else 0
        for _ in range(missing):
            self._add_lost(self._number)
            self._number += 1
        if missing > 0 or stamp >= after:
            self._hole = None
