"""Cameras on the network that send JPEGs over HTTP: a stream of them, or one for each request.

OpenCV's FFmpeg shows half of a picture that was cut short, never recovers from a stall, and probes
for seconds before the first frame. Here a picture is whole or it is no picture, silence ends in an
error within seconds, and the newest of several waiting pictures is taken.
"""

import time
from collections import deque

from maskage.cameras.frame_rhythm import FrameRhythm
from maskage.cameras.http_address import HttpAddress, HttpAnswer
from maskage.cameras.multipart import MAX_PART_BYTES, PartSplitter
from maskage.errors import CameraError, UnreadableImageError
from maskage.pictures.images import decode_image
from maskage.records import Frame

SILENCE_S = 1.5
"""A stream is lost after this, or after four of its own periods where it is a slow one."""
POLL_PERIOD_S = 0.1
_PICTURE_S = 5.0
"""A single picture that takes longer than this is given up."""
_CATCH_UP_S = 0.25
"""Seconds for which pictures are taken out of the network's buffers before one is decoded."""


class MjpegStream:
    """A stream of JPEGs in one answer (multipart/x-mixed-replace); a `Camera`.

    Args:
        answer: The answer of `HttpAddress.ask`; the camera closes it.

    Attributes:
        damaged: Number of pictures that were cut short or were none; they are never shown.
    """

    is_live: bool = True
    frame_count: int | None = None
    fps: float | None = None

    def __init__(self, answer: HttpAnswer) -> None:
        self.name: str = answer.name
        self.damaged = 0
        self._answer = answer
        self._splitter = PartSplitter(answer.boundary or "")
        self._index = 0
        self._opened_s = time.monotonic()
        self._rhythm = FrameRhythm(SILENCE_S)

    def read(self) -> Frame | None:
        """Return the newest whole picture that has come.

        Raises:
            CameraError: None came for a while, or the camera ended the stream.
        """
        while True:
            # What queued up, behind a stall or a slow decoder, is of the past: the newest counts.
            for data in reversed(self._receive_pictures()):
                if (frame := self._decode(data)) is not None:
                    return frame
            if self._rhythm.is_silent:
                raise CameraError(
                    f"{self.name}: no whole picture for {self._rhythm.patience_s:.1f} s "
                    f"({self.damaged} were damaged). Check the network's quality."
                )

    def close(self) -> None:
        """Close the connection. May be called twice."""
        self._answer.close()

    def _receive_pictures(self) -> deque[bytes]:
        """Return the newest of the pictures that have come, in order; none where one is overdue."""
        pictures: deque[bytes] = deque(maxlen=3)
        until_s = time.monotonic() + _CATCH_UP_S
        while not pictures or (time.monotonic() < until_s and self._answer.has_more):
            try:
                data = self._receive()
            except CameraError:
                if pictures:  # raised at the next read, when nothing whole is left
                    break
                raise
            for picture in self._splitter.feed(data):
                self._index += 1
                pictures.append(picture)
            if not pictures and self._rhythm.is_silent:
                break
        return pictures

    def _receive(self) -> bytes:
        try:
            data = self._answer.receive(self._rhythm.patience_s)
        except TimeoutError as fault:
            raise CameraError(
                f"{self.name}: no picture for {self._rhythm.patience_s:.1f} s."
            ) from fault
        if not data:
            raise CameraError(f"{self.name}: the camera ended its stream.")
        return data

    def _decode(self, data: bytes) -> Frame | None:
        now_s = time.monotonic()
        try:
            pixels = decode_image(data, self.name)
        except UnreadableImageError:
            self.damaged += 1
            return None
        self._rhythm.note()
        return Frame(pixels, self._index - 1, now_s, now_s - self._opened_s)


class SnapshotCamera:
    """An address that gives one picture for each request, asked again and again.

    Args:
        address: The address.

    Attributes:
        damaged: Number of pictures that were cut short or were none; they are never shown.
    """

    is_live: bool = True
    frame_count: int | None = None
    fps: float | None = None

    def __init__(self, address: HttpAddress) -> None:
        self.name: str = address.name
        self.damaged = 0
        self._address = address
        self._index = 0
        self._opened_s = self._asked_s = time.monotonic()

    def read(self) -> Frame | None:
        """Return the next picture.

        Raises:
            CameraError: The camera does not answer, or sends no whole picture three times.
        """
        for _ in range(3):
            time.sleep(max(0.0, self._asked_s + POLL_PERIOD_S - time.monotonic()))
            self._asked_s = time.monotonic()
            try:
                pixels = decode_image(self._fetch(), self.name)
            except UnreadableImageError:
                self.damaged += 1
                continue
            # Asked, not answered: the picture is of about when it was asked for.
            frame = Frame(pixels, self._index, self._asked_s, self._asked_s - self._opened_s)
            self._index += 1
            return frame
        raise CameraError(f"{self.name}: three pictures in a row were damaged.")

    def close(self) -> None:
        """Nothing is held open."""

    def _fetch(self) -> bytes:
        answer = self._address.ask()
        until_s = time.monotonic() + _PICTURE_S
        data = bytearray()
        try:
            while len(data) < MAX_PART_BYTES and (part := answer.receive(SILENCE_S)):
                data += part
                if time.monotonic() > until_s:
                    raise TimeoutError
        except TimeoutError as fault:
            raise CameraError(f"{self.name}: a picture does not come to its end.") from fault
        finally:
            answer.close()
        return bytes(data)
