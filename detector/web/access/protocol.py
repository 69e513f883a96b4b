"""HTTP/1.1 and WebSockets on one connection, with time limits for clients that are too slow."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from detector.web.access.connections import Connection

REQUEST_TIMEOUT_S = 10.0
"""Limit for the lines and headers of a request to arrive."""

UNREAD_TIMEOUT_S = 20.0
"""Limit for a client to leave unread what it was sent."""

_WRITE_BUFFER = 16_384
"""Bytes; little is kept back here, so that a slow client's next picture is a new one."""


class TimedProtocol(H11Protocol):
    """uvicorn's protocol, which closes a connection that takes too long.

    Args:
        config, server_state: uvicorn's.
        connection: What counts it; requests find it in their `state`.
    """

    _request_timer: asyncio.TimerHandle | None = None
    _unread_timer: asyncio.TimerHandle | None = None
    _is_handed_over = False

    def __init__(self, config: Config, server_state: ServerState, connection: Connection) -> None:
        super().__init__(config, server_state, app_state={"connection": connection})
        self._connection = connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Limit what is buffered, and start to wait for a request."""
        super().connection_made(transport)
        self._connection.end = transport.abort
        transport.set_write_buffer_limits(high=_WRITE_BUFFER)
        _keep_alive(transport.get_extra_info("socket"))
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """Parse what came, and stop the timer once a request is whole."""
        super().data_received(data)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers, and count the connection no more."""
        self._stop_request_timer()
        self._stop_unread_timer()
        self._connection.leave()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Start to wait for the next request."""
        super().on_response_complete()
        self._await_request()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over to the `CountedSocket`."""
        self._is_handed_over = True
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        """Start the timer of a client that does not read."""
        super().pause_writing()
        if self._unread_timer is None:
            self._unread_timer = self.loop.call_later(UNREAD_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop that timer: the client reads again."""
        super().resume_writing()
        self._stop_unread_timer()

    def _await_request(self) -> None:
        """Start the timer while no request is being answered, else stop it."""
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if is_answering or self._is_handed_over or self.transport.is_closing():
            self._stop_request_timer()
        elif self._request_timer is None:
            self._request_timer = self.loop.call_later(REQUEST_TIMEOUT_S, self.transport.abort)

    def _stop_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _stop_unread_timer(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None


class CountedSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol of WebSockets, on a connection that counts until its end.

    Its pings, every 20 s, close a connection whose client does not read or is gone.
    """

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection no more."""
        self.app_state["connection"].leave()
        super().connection_lost(exc)


def _keep_alive(line: Any) -> None:
    """Have the operating system notice a client that is gone without closing."""
    with suppress(OSError, AttributeError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
