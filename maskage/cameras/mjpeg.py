"""Cameras on the network that send JPEGs over HTTP: a stream of them, or one for each request.

OpenCV's FFmpeg shows half of a picture that was cut short, never recovers from a stall, and probes
for seconds before the first frame. Here a picture is whole or it is no picture, silence ends in an
error within seconds, and the newest of several waiting pictures is taken.
"""

import base64
import http.client
import select
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote

from maskage.addresses import (
    find_port,
    find_target,
    follow_redirect,
    public_url,
    split_address,
)
from maskage.cameras.frame_rhythm import FrameRhythm
from maskage.cameras.multipart import MAX_PART_BYTES, PartSplitter
from maskage.errors import CameraError, UnreadableImageError
from maskage.pictures.images import decode_image
from maskage.records import Frame

CONNECT_TIMEOUT_S = 2.0
SILENCE_S = 1.5
"""A stream is lost after this, or after four of its own periods where it is a slow one."""
POLL_PERIOD_S = 0.1
_CHUNK_BYTES = 1 << 16
_CATCH_UP_S = 0.25
"""For how long pictures that wait in the network's buffers are taken out before one is decoded."""
_REDIRECTS = 5


@dataclass
class HttpAnswer:
    """An answer whose body is still to be read.

    Attributes:
        url: Where it came from in the end, with its credentials.
        kind: Content-Type, in lower case, without parameters.
        boundary: Of a multipart body, or None.
    """

    url: str
    kind: str
    boundary: str | None
    connection: http.client.HTTPConnection
    response: http.client.HTTPResponse
    socket: socket.socket

    def receive(self, timeout_s: float) -> bytes:
        """What has come of the body, at most 64 KiB, waiting for some; empty at its end.

        Raises:
            TimeoutError: Nothing came.
            OSError, http.client.HTTPException: The connection broke.
        """
        if self.response.isclosed():  # at its end, and with it the socket
            return b""
        self.socket.settimeout(timeout_s)
        return self.response.read1(_CHUNK_BYTES)

    @property
    def has_more(self) -> bool:
        """Whether more has come already, or the end: `receive` would not wait."""
        if self.response.isclosed():
            return True
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        self.response.close()
        self.connection.close()


def ask(url: str) -> HttpAnswer:
    """Request a URL, following redirects.

    Raises:
        CameraError: Nobody answers, or the answer is not a success.
    """
    shown = public_url(url)
    for _ in range(_REDIRECTS):
        parts = split_address(url)
        connection = _connect(parts)
        try:
            connection.request("GET", find_target(parts), headers=_headers(parts))
            # Once answered, a connection that ends with its answer no longer names its socket.
            sock = connection.sock
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as fault:
            connection.close()
            raise CameraError(
                f"{shown}: the camera does not answer ({_reason(fault)}). Check that it is on and "
                f"the address is right, for instance in a browser."
            ) from fault
        if response.status in (301, 302, 303, 307, 308):
            response.close()
            connection.close()
            url = follow_redirect(url, response.headers.get("Location", ""))
            continue
        if response.status != 200:
            response.close()
            connection.close()
            raise CameraError(f"{shown}: {_explain_status(response.status)}")
        headers = response.headers
        boundary = headers.get_param("boundary")
        return HttpAnswer(
            url,
            headers.get_content_type(),
            boundary if isinstance(boundary, str) else None,
            connection,
            response,
            sock,
        )
    raise CameraError(f"{shown}: redirected more than {_REDIRECTS} times. Check the address.")


class MjpegStream:
    """A stream of JPEGs in one answer (multipart/x-mixed-replace); implements `Camera`.

    Args:
        answer: As `ask` gives it; closed by the camera.

    Attributes:
        damaged: Pictures that were cut short or no pictures: counted, never shown.
    """

    is_live: bool = True
    frame_count: int | None = None
    fps: float | None = None

    def __init__(self, answer: HttpAnswer) -> None:
        self.name: str = public_url(answer.url)
        self.damaged = 0
        self._answer = answer
        self._splitter = PartSplitter(answer.boundary or "")
        self._index = 0
        self._opened_s = time.monotonic()
        self._rhythm = FrameRhythm(SILENCE_S)

    def read(self) -> Frame | None:
        """The newest whole picture that has come.

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
        self._answer.close()

    def _receive_pictures(self) -> deque[bytes]:
        """The newest pictures of those that have come, the newest last; none where one is due."""
        pictures: deque[bytes] = deque(maxlen=3)
        until_s = time.monotonic() + _CATCH_UP_S
        while not pictures or (time.monotonic() < until_s and self._answer.has_more):
            try:
                data = self._receive()
            except CameraError:
                if pictures:  # told at the next read, when nothing whole is left
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
        except (OSError, ValueError, AttributeError, http.client.HTTPException) as fault:
            # ValueError and AttributeError: the answer was closed while it was being read.
            raise CameraError(f"{self.name}: the connection broke ({_reason(fault)}).") from fault
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
    """A URL that gives one picture for each request, asked again and again."""

    is_live: bool = True
    frame_count: int | None = None
    fps: float | None = None

    def __init__(self, url: str) -> None:
        self.name: str = public_url(url)
        self.damaged = 0
        self._url = url
        self._index = 0
        self._opened_s = self._asked_s = time.monotonic()

    def read(self) -> Frame | None:
        """The next picture.

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
        answer = ask(self._url)
        try:
            return answer.response.read(MAX_PART_BYTES)
        except (OSError, http.client.HTTPException) as fault:
            raise CameraError(f"{self.name}: the connection broke ({_reason(fault)}).") from fault
        finally:
            answer.close()


def _connect(parts: SplitResult) -> http.client.HTTPConnection:
    # Without a port, the last group of an IPv6 address would be taken for one.
    host, port = parts.hostname or "", find_port(parts)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=CONNECT_TIMEOUT_S, context=context)
    return http.client.HTTPConnection(host, port, timeout=CONNECT_TIMEOUT_S)


def _headers(parts: SplitResult) -> dict[str, str]:
    headers = {"Accept": "multipart/x-mixed-replace, image/jpeg, */*", "User-Agent": "maskage"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return headers


def _explain_status(status: int) -> str:
    if status in (401, 403):
        return (
            f"the camera wants a name and password (HTTP {status}). Write them into the address: "
            f"http://NAME:PASSWORD@HOST/..."
        )
    reason = http.client.responses.get(status, "unknown")
    return f"the camera answers HTTP {status} ({reason}). Check the path of the address."


def _reason(fault: Exception) -> str:
    if isinstance(fault, TimeoutError):
        return f"silent for {CONNECT_TIMEOUT_S:.0f} s"
    return getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
