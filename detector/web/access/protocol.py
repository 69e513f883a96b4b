"""HTTP/1.1 on one connection, with patience that ends: for silent, dripping and deaf clients."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from detector.web.access.connections import Visitor

REQUEST_TIMEOUT_S = 10.0
"""How long the lines and headers of a request may take to come in."""

DEAF_TIMEOUT_S = 20.0
"""How long a client may leave unread what it was sent."""

_WRITE_BUFFER = 16_384
"""Little is kept back here, so that a slow client's next picture is a new one."""


class PatientProtocol(H11Protocol):
    """uvicorn's protocol, that closes a connection on which nothing comes of it.

    Args:
        config, server_state: uvicorn's.
        visitor: Whose connection it is; requests find it in their `state`.
    """

    _request_timer: asyncio.TimerHandle | None = None
    _deaf_timer: asyncio.TimerHandle | None = None

    def __init__(self, config: Config, server_state: ServerState, visitor: Visitor) -> None:
        super().__init__(config, server_state, app_state={"visitor": visitor})
        self._visitor = visitor

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._visitor.end = transport.abort
        transport.set_write_buffer_limits(high=_WRITE_BUFFER)
        _keep_alive(transport.get_extra_info("socket"))
        self._await_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_request_timer()
        self._stop_deaf_timer()
        self._visitor.leave()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._await_request()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._deaf_timer is None:
            self._deaf_timer = self.loop.call_later(DEAF_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_deaf_timer()

    def _await_request(self) -> None:
        """Let the time run while no request is being answered."""
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if is_answering or self.transport.is_closing():
            self._stop_request_timer()
        elif self._request_timer is None:
            self._request_timer = self.loop.call_later(REQUEST_TIMEOUT_S, self.transport.abort)

    def _stop_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _stop_deaf_timer(self) -> None:
        if self._deaf_timer is not None:
            self._deaf_timer.cancel()
            self._deaf_timer = None


def _keep_alive(line: Any) -> None:
    """Have the operating system find out about a client that went without a word."""
    with suppress(OSError, AttributeError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
