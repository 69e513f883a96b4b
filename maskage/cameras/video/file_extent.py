"""Follows how far the packets of a video file reach: in bytes, and in seconds.

A place of the file in which no packet is found is unreadable, and a file whose packets end long
before it says that it ends was cut short.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import Packet
    from av.stream import Stream


LEAST_HOLE_BYTES = 8192
"""Bytes between packets that are no damage: headers, in MPEG files a few sectors of 2,048 bytes."""


class FileExtent:
    """The extent of the packets of all tracks of a file.

    Attributes:
        ends_s: End of the last packet in seconds, by the file's own clock.
        is_cut: True where the last packet was cut off.
    """

    def __init__(self) -> None:
        self.ends_s = 0.0
        self.is_cut = False
        self._end_byte = 0

    def add(self, packet: "Packet[Stream]") -> int:
        """Note a packet; return the number of bytes before it that belong to no packet."""
        self._note_time(packet)
        self.is_cut = packet.is_corrupt
        if packet.pos is None or packet.pos < 0:
            # It lies in the same sector as the one before.
            self._end_byte += packet.size
            return 0
        hole = packet.pos - self._end_byte if self._end_byte else 0
        self._end_byte = max(self._end_byte, packet.pos + packet.size)
        return hole if hole >= LEAST_HOLE_BYTES else 0

    def _note_time(self, packet: "Packet[Stream]") -> None:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None:
            ends_s = float((stamp + (packet.duration or 0)) * packet.time_base)
            self.ends_s = max(self.ends_s, ends_s)
