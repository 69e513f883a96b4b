"""The live picture as MJPEG, and how many may watch."""

from collections.abc import AsyncIterator

from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from detector.web.views.hub import Shown, ViewHub

BOUNDARY = "picture"
_WAIT_S = 5.0


class Seats:
    """A limit on the clients of one kind of stream; for the server's event loop only.

    Args:
        most: Most clients at a time.

    Attributes:
        taken: Clients now.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    @property
    def is_full(self) -> bool:
        """True while one more client would be too many."""
        return self.taken >= self.most


class SeatedStream(StreamingResponse):
    """A stream that holds a seat for as long as its client stays; 503 where none is free."""

    def __init__(self, content: AsyncIterator[str | bytes], media_type: str, seats: Seats) -> None:
        super().__init__(content, media_type=media_type)
        self._seats = seats

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream to one client, or refuse it where no seat is free."""
        if self._seats.is_full:
            refusal = JSONResponse(
                {
                    "detail": f"{self._seats.most} clients are watching already. Close one of "
                    f"them, then try again."
                },
                503,
                {"Retry-After": "5"},
            )
            await refusal(scope, receive, send)
            return
        self._seats.taken += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._seats.taken -= 1


def find_shown(hub: ViewHub, source: str | None) -> Shown | None:
    """Return what a client asks to watch; None where no such camera is watched.

    Args:
        hub: Where the views are.
        source: The number of a camera, "all", or None for what the live view shows.
    """
    if source is None:
        return "shown"
    cameras = max(len(hub.cameras), 1)
    if source == "all" or (source.isdecimal() and len(source) < 4 and int(source) < cameras):
        # A camera that is watched alone is always shown.
        return "shown" if cameras == 1 else "all" if source == "all" else int(source)
    return None


async def stream_pictures(hub: ViewHub, shown: Shown = "shown") -> AsyncIterator[bytes]:
    """Yield the parts of a `multipart/x-mixed-replace` answer: the newest picture each time.

    A part ends with the boundary of the next one: some browsers show a picture only once they
    have seen its end.
    """
    with hub.watching(shown):
        yield f"--{BOUNDARY}\r\n".encode()
        seen = 0
        while not hub.is_closed:
            picture = await hub.wait_for_picture(seen, _WAIT_S, shown)
            if picture is None:
                continue
            seen = picture.number
            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture.jpeg)}\r\n\r\n"
            yield head.encode() + picture.jpeg + f"\r\n--{BOUNDARY}\r\n".encode()


async def take_picture(hub: ViewHub, timeout_s: float, shown: Shown = "shown") -> bytes | None:
    """Return the newest view, drawn, as a JPEG; None after the timeout."""
    with hub.watching(shown):
        newest = hub.newest_of(shown)
        after = newest.number - 1 if newest else 0
        picture = await hub.wait_for_picture(after, timeout_s, shown)
        return picture.jpeg if picture else None
