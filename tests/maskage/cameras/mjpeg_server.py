"""An MJPEG camera on loopback that does what real ones do when they misbehave."""

import base64
import contextlib
import hashlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage

BOUNDARY = "frame"


class Mood(StrEnum):
    """What the camera does from now on."""

    WELL = "well"
    STALL = "stall"  # keeps the connection and sends nothing
    DROP = "drop"  # closes the connection in the middle of a picture
    RESET = "reset"  # resets it (RST)
    GARBAGE = "garbage"  # bytes that are no picture, between and instead of pictures
    TRUNCATED = "truncated"  # the first half of each picture
    OTHER_SIZE = "other size"  # pictures of another size
    ABSENT = "absent"  # refuses connections
    SILENT = "silent"  # takes connections and answers nothing
    FROZEN = "frozen"  # the last picture, over and over, to old and new connections
    BLACK = "black"  # the lens is covered


def draw_number(number: int, size: tuple[int, int] = (160, 120)) -> RgbImage:
    """A picture that says its number: bright blocks for the bits that are set."""
    width, height = size
    pixels = np.full((height, width, 3), 60, np.uint8)
    step = width // 16
    for bit in range(16):
        if number >> bit & 1:
            pixels[:, bit * step : (bit + 1) * step] = 220
    return pixels


def read_number(pixels: RgbImage) -> int:
    """The number of a picture of `draw_number`; also of a half-grey one, where it differs."""
    step = pixels.shape[1] // 16
    columns = [pixels[:, bit * step + step // 2].mean() for bit in range(16)]
    return sum(1 << bit for bit, level in enumerate(columns) if level > 140)


@dataclass(frozen=True)
class Login:
    """The name and password that a camera asks for.

    Attributes:
        user, password: Their characters, which it takes in UTF-8.
        challenges: What it asks, one header each; the first that is answered counts.
    """

    user: str
    password: str
    challenges: tuple[str, ...] = ('Basic realm="cam"',)

    def is_right(self, request: str) -> bool:
        """Whether a request holds them."""
        found = re.search(r"\r\nAuthorization: (\w+) (.*)\r\n", request)
        if found is None:
            return False
        if found[1] == "Basic":
            pair = f"{self.user}:{self.password}".encode()
            return found[2] == base64.b64encode(pair).decode()
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', found[2]))
        secret = _digest(f"{self.user}:{said['realm']}:{self.password}", said["algorithm"])
        between = [said[each] for each in ("nc", "cnonce", "qop") if each in said]
        asked = _digest(f"GET:{said['uri']}", said["algorithm"])
        wanted = _digest(":".join([secret, said["nonce"], *between, asked]), said["algorithm"])
        return bool(said["response"] == wanted and said["uri"] == request.split(" ")[1])


def _digest(text: str, algorithm: str) -> str:
    kind = {"MD5": "md5", "SHA-256": "sha256"}[algorithm]
    return hashlib.new(kind, text.encode()).hexdigest()


class MjpegServer:
    """Serves numbered pictures; set `mood` at any time.

    Args:
        fps: Pictures a second.
        status: What every request is answered.
        kind: Content-Type, or "" for that of a stream.
        login: Name and password that it asks for, or None.

    Attributes:
        sent: Number of the newest whole picture that was sent.
        requests: What was asked for, with its Authorization.
        moved: Where `/moved` sends on to, or None where it is a path like any other.
    """

    def __init__(
        self,
        fps: float = 25.0,
        status: str = "200 OK",
        kind: str = "",
        login: Login | None = None,
    ) -> None:
        self.fps, self._status = fps, status
        self.login = login
        self.moved: str | None = None
        self._kind = kind or f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        self.sent = 0
        self.requests: list[str] = []
        self._mood = Mood.WELL
        self._closing = False
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._mutex = threading.Lock()
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video"

    @property
    def mood(self) -> Mood:
        return self._mood

    @mood.setter
    def mood(self, mood: Mood) -> None:
        was, self._mood = self._mood, mood
        if mood is Mood.ABSENT:
            self._listener.close()
            self.hang_up()
        elif was is Mood.ABSENT:
            self._listener = self._listen(self.port)
            self._start(self._accept)

    def __enter__(self) -> "MjpegServer":
        return self

    def __exit__(self, *fault: object) -> None:
        self._closing = True
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(timeout=5)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        listener.settimeout(0.1)
        return listener

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        listener = self._listener
        while not self._closing:
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            client.settimeout(5)
            with self._mutex:
                self._sockets.add(client)
            self._start(self._serve, client)

    def hang_up(self) -> None:
        """Break every connection off; new ones are taken."""
        with self._mutex:
            for client in self._sockets:
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)

    def _serve(self, client: socket.socket) -> None:
        try:
            self.requests.append(client.recv(4096).decode())
            while self._mood is Mood.SILENT and not self._closing:
                time.sleep(0.02)
            if self.moved is not None and self.requests[-1].startswith("GET /moved "):
                client.sendall(f"HTTP/1.1 302 Found\r\nLocation: {self.moved}\r\n\r\n".encode())
                return
            if self.login is not None and not self.login.is_right(self.requests[-1]):
                asked = "".join(f"WWW-Authenticate: {each}\r\n" for each in self.login.challenges)
                client.sendall(f"HTTP/1.1 401 Unauthorized\r\n{asked}\r\n".encode())
                # A body without an end, as of cameras that forget to close.
                while not self._closing and client.recv(4096):
                    pass
                return
            head = f"HTTP/1.1 {self._status}\r\nContent-Type: {self._kind}\r\n\r\n"
            client.sendall(head.encode())
            while not self._closing and self._status.startswith("200"):
                if not self._send_one(client):
                    return
                if self._kind.startswith("image/"):
                    return
                time.sleep(1 / self.fps)
        except OSError:
            return
        finally:
            with self._mutex:
                self._sockets.discard(client)
            client.close()

    def _send_one(self, client: socket.socket) -> bool:
        """Send a picture, or what the mood makes of it; False where the connection ends."""
        mood = self._mood
        number = self.sent + (mood is not Mood.FROZEN)
        size = (320, 240) if mood is Mood.OTHER_SIZE else (160, 120)
        pixels = draw_number(number, size)
        if mood is Mood.BLACK:
            pixels //= 20
        jpeg = encode_jpeg(pixels)
        if self._kind.startswith("text/"):
            client.sendall(b"<html>no camera</html>")
            return False
        if self._kind.startswith("image/"):
            client.sendall(jpeg)
            self.sent = number
            return True
        head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        if mood is Mood.STALL:
            return True
        if mood is Mood.RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if mood is Mood.DROP:
            client.sendall(head.encode() + jpeg[: len(jpeg) // 2])
            return False
        if mood is Mood.TRUNCATED:
            client.sendall(head.encode() + jpeg[: len(jpeg) // 2] + b"\r\n")
            return True
        if mood is Mood.GARBAGE:
            noise = np.random.default_rng(number).bytes(5000)
            client.sendall(head.encode() + noise[: len(jpeg)] + b"\r\n" + noise)
            return True
        client.sendall(head.encode() + jpeg + b"\r\n")
        self.sent = number
        return True
