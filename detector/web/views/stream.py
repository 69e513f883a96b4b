"""The live picture as MJPEG, and how many may watch."""

from collections.abc import AsyncIterator

from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from detector.web.views.hub import ViewHub

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


async def stream_pictures(hub: ViewHub) -> AsyncIterator[bytes]:
    """Yield the parts of a `multipart/x-mixed-replace` answer: the newest picture each time.

    A part ends with the boundary of the next one: some browsers show a picture only once they
    have seen its end.
    """
    with hub.watching():
        yield f"--{BOUNDARY}\r\n".encode()
        seen = 0
        while not hub.is_closed:
            picture = await hub.wait_for_picture(seen, _WAIT_S)
            if picture is None:
                continue
            seen = picture.number
            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture.jpeg)}\r\n\r\n"
            yield head.encode() + picture.jpeg + f"\r\n--{BOUNDARY}\r\n".encode()


async def take_picture(hub: ViewHub, timeout_s: float) -> bytes | None:
    """Return the newest view, drawn, as a JPEG; None after the timeout."""
    with hub.watching():
        newest = hub.newest
        picture = await hub.wait_for_picture(newest.number - 1 if newest else 0, timeout_s)
        return picture.jpeg if picture else None
