"""The beginning of a TLS connection: HTTP without TLS is led there, a refusal is reported."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from maskage.console import say

_MOST_HEAD_BYTES = 8192
_MOST_REPORTED = 64
# Alerts by which a client says what is wrong with the certificate (RFC 8446, 6.2).
_REFUSALS = {
    "UNKNOWN_CA": "nobody that it knows vouches for it",
    "CERTIFICATE_UNKNOWN": "nobody that it knows vouches for it",
    "BAD_CERTIFICATE": "it does not accept it",
    "CERTIFICATE_EXPIRED": "it has ended, by the clock of that device",
}


class TlsEntry:
    """What the server does before it speaks HTTP over TLS.

    Args:
        context: The certificate; may get another one while the server runs.
        is_host: Returns True where a `Host` header names this server, which was reached at an
            address.
        report: Gets a line for the person at the terminal.

    Attributes:
        context: As given.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        is_host: Callable[[str, str | None], bool],
        report: Callable[[str], None] = say,
    ) -> None:
        self.context = context
        self._is_host = is_host
        self._report = report
        self._reported: set[str] = set()

    async def answer_plain(self, line: socket.socket) -> None:
        """Answer a request without TLS: it is led to the same page over HTTPS, or told of it."""
        loop = asyncio.get_running_loop()
        head = b""
        while b"\r\n\r\n" not in head and len(head) < _MOST_HEAD_BYTES:
            received = await loop.sock_recv(line, _MOST_HEAD_BYTES)
            if not received:
                return
            head += received
        with suppress(OSError):
            await loop.sock_sendall(line, self._answer(head, line.getsockname()[0]))
            # What is still unread would make the system drop the answer.
            line.shutdown(socket.SHUT_WR)
            await loop.sock_recv(line, _MOST_HEAD_BYTES)

    def _answer(self, head: bytes, server_ip: str) -> bytes:
        """Return the answer to the head of a request; only a GET is led on."""
        lines = head.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        hosts = [each[5:].strip() for each in lines[1:] if each.lower().startswith("host:")]
        path = rest.partition(" ")[0].partition("?")[0]
        if len(hosts) != 1 or not self._is_host(hosts[0], server_ip):
            return _response("400 Bad Request", "This port speaks HTTPS. Use https:// instead.")
        address = f"https://{hosts[0]}"
        text = f"This port speaks HTTPS. Open {address}/ instead."
        is_led = method in ("GET", "HEAD") and path.startswith("/") and path.isprintable()
        if not is_led:
            return _response("400 Bad Request", text)
        # Without the parameters: a token that was sent in the clear is not used.
        return _response("307 Temporary Redirect", text, f"{address}{path}")

    def note_refusal(self, fault: ssl.SSLError, caller: str) -> None:
        """Report once for each device that it does not accept the certificate, and why."""
        reason = next(
            (why for name, why in _REFUSALS.items() if name in (fault.reason or "")), None
        )
        if reason is None or caller in self._reported or len(self._reported) >= _MOST_REPORTED:
            return
        self._reported.add(caller)
        remedy = (
            "Set the clock there."
            if "EXPIRED" in (fault.reason or "")
            else "Compare the fingerprint on that device, then accept the warning there."
        )
        self._report(f"web: {caller} refuses the certificate: {reason}. {remedy}")


async def read_first_byte(line: socket.socket) -> bytes:
    """Wait for the first byte, and return it without taking it; empty where there comes none."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return line.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            readable = loop.create_future()
            loop.add_reader(line.fileno(), _set_done, readable)
            try:
                await readable
            finally:
                loop.remove_reader(line.fileno())
        except OSError:
            return b""


def is_plain_http(first: bytes) -> bool:
    """Return True for the first byte of a request line; TLS begins with 0x16."""
    return first.isalpha()


def _set_done(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _response(status: str, text: str, location: str | None = None) -> bytes:
    headers = [
        f"HTTP/1.1 {status}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(text.encode()) + 1}",
        "Cache-Control: no-store",
        "Connection: close",
        *([f"Location: {location}"] if location else []),
    ]
    return ("\r\n".join(headers) + f"\r\n\r\n{text}\n").encode("latin-1", errors="replace")
