"""The connections that httpx asks cameras by: new ones, whose patience can change.

httpx fixes the time-out of reads once for a whole answer, and an MJPEG stream is an answer without
an end: how long its silence may last is known only once the camera's pace is.
"""

import ssl
from typing import Any

import httpcore
import httpx


class TimedStream(httpcore.NetworkStream):
    """A connection whose reads can be given another time-out in the middle of an answer.

    Attributes:
        timeout_s: Seconds that a read waits; None for what httpx says.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self.timeout_s: float | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come, waiting for `timeout_s` rather than for `timeout` seconds."""
        return self._stream.read(max_bytes, timeout if self.timeout_s is None else self.timeout_s)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all bytes."""
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Return the same connection, encrypted, as a stream of this kind."""
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """Return "socket" and other things by name, as httpcore's own streams do."""
        return self._stream.get_extra_info(info)


class _TimedBackend(httpcore.SyncBackend):
    def connect_tcp(self, *arguments: Any, **options: Any) -> httpcore.NetworkStream:
        """Connect, as httpcore's own backend does."""
        return TimedStream(super().connect_tcp(*arguments, **options))


class CameraTransport(httpx.HTTPTransport):
    """One new connection for each request, by `TimedStream`, as cameras like it best."""

    def __init__(self, scheme: str) -> None:
        # The system's certificates, which take a tenth of a second to load.
        context = (
            ssl.create_default_context()
            if scheme == "https"
            else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        super().__init__(verify=context)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, max_keepalive_connections=0, network_backend=_TimedBackend()
        )
