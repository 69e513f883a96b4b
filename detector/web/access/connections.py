"""Limits on connections that have not authenticated yet: few of them, and for a short time.

Whoever can reach the port can open connections, and a limit that begins with the first request
comes too late: a TLS handshake that is never finished costs a descriptor too. So every connection
is counted from the moment it is accepted, by the address it came from. Where there are too many,
the oldest that has sent nothing is closed, else the oldest: a real visitor authenticates within a
moment, so that even one who shares an address with an attacker gets in.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from functools import partial

from detector.web.access.tls_entry import TlsEntry, is_plain_http, read_first_byte

MOST_OF_ONE_ADDRESS = 32
"""Unauthenticated connections: browsers open six at a time, and several people may share one."""

MOST_UNAUTHENTICATED = 96
"""Unauthenticated connections of all addresses together."""

MOST_AUTHENTICATED = 128

CROWDED_FROM = 16
"""Unauthenticated connections, from which on each gets less time for its request."""

HANDSHAKE_TIMEOUT_S = 5.0
"""For TLS, from the connection on; a slow line needs one or two seconds."""

_IPV6_NETWORK_BITS = 64
"""A home has an IPv6 network of this size for itself: all of it counts as one address."""

_LEAST_S = 0.1

_PAUSE_S = 0.1
"""After a connection could not be accepted, usually for want of descriptors."""


class Connection:
    """One connection.

    Attributes:
        group: The address that it counts for.
        end: Closes it at once.
        is_silent: True until it has sent something.
    """

    def __init__(self, limits: "ConnectionLimits", group: str) -> None:
        self.group = group
        self.end: Callable[[], object] = lambda: None
        self.is_silent = True
        self._limits = limits

    @property
    def is_crowded(self) -> bool:
        """True while so many wait that none may take its time."""
        return self._limits.is_crowded

    def authenticate(self) -> None:
        """Count it as authenticated from now on."""
        self._limits.authenticate(self)

    def leave(self) -> None:
        """Count it no more, because it has ended; may be called twice."""
        self._limits.forget(self)


class ConnectionLimits:
    """A count of the open connections; for the server's event loop only.

    Args:
        most_of_one, most: Unauthenticated connections, of one address and of all.
        most_authenticated: Authenticated connections.
    """

    def __init__(
        self,
        most_of_one: int = MOST_OF_ONE_ADDRESS,
        most: int = MOST_UNAUTHENTICATED,
        most_authenticated: int = MOST_AUTHENTICATED,
    ) -> None:
        self._most_of_one, self._most = most_of_one, most
        self._most_authenticated = most_authenticated
        # In the order in which they came.
        self._unauthenticated: dict[Connection, None] = {}
        self._authenticated: set[Connection] = set()

    @property
    def is_crowded(self) -> bool:
        """True while there are many unauthenticated connections."""
        return len(self._unauthenticated) >= CROWDED_FROM

    def accept(self, ip: str) -> Connection:
        """Count a new connection, and close an older one where there are too many."""
        connection = Connection(self, _group_of(ip))
        self._unauthenticated[connection] = None
        counts = Counter(each.group for each in self._unauthenticated)
        if counts[connection.group] > self._most_of_one:
            self._close_oldest(connection.group)
        elif len(self._unauthenticated) > self._most:
            self._close_oldest(max(counts, key=lambda group: counts[group]))
        return connection

    def authenticate(self, connection: Connection) -> None:
        """Count a connection as authenticated, or close it where there are too many of those."""
        if connection not in self._unauthenticated:
            return
        del self._unauthenticated[connection]
        if len(self._authenticated) < self._most_authenticated:
            self._authenticated.add(connection)
        else:
            connection.end()

    def forget(self, connection: Connection) -> None:
        """Count a connection no more."""
        self._unauthenticated.pop(connection, None)
        self._authenticated.discard(connection)

    def _close_oldest(self, group: str) -> None:
        of_group = [each for each in self._unauthenticated if each.group == group]
        # Never the one that has just come.
        oldest = next((each for each in of_group[:-1] if each.is_silent), of_group[0])
        del self._unauthenticated[oldest]
        oldest.end()


async def accept_connections(
    listener: socket.socket,
    limits: ConnectionLimits,
    make_protocol: Callable[[Connection], asyncio.Protocol],
    tls: TlsEntry | None,
) -> None:
    """Accept connections until cancelled.

    Args:
        listener: Listens; closed by the caller.
        limits: Counts the connections.
        make_protocol: Makes what speaks on one; it calls `Connection.leave` at the end.
        tls: For HTTPS.
    """
    loop = asyncio.get_running_loop()
    listener.setblocking(False)
    handshakes: set[asyncio.Task[None]] = set()
    try:
        while True:
            try:
                line, place = await loop.sock_accept(listener)
            except OSError:
                await asyncio.sleep(_PAUSE_S)
                continue
            connection = limits.accept(place[0])
            beginning = _begin(line, connection, place[0], make_protocol, tls)
            handshake = loop.create_task(beginning)
            connection.end = handshake.cancel
            handshakes.add(handshake)
            handshake.add_done_callback(handshakes.discard)
            handshake.add_done_callback(partial(_close_if_cancelled, line))
            # Open connections are served meanwhile, however many new ones come.
            await asyncio.sleep(0)
    finally:
        for handshake in handshakes:
            handshake.cancel()


def _close_if_cancelled(line: socket.socket, handshake: "asyncio.Task[None]") -> None:
    """Close the socket of a handshake that was cancelled before it began."""
    if handshake.cancelled():
        line.close()


async def _begin(
    line: socket.socket,
    connection: Connection,
    caller: str,
    make_protocol: Callable[[Connection], asyncio.Protocol],
    tls: TlsEntry | None,
) -> None:
    """Begin to speak HTTP on a connection, after TLS where there is a certificate."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + HANDSHAKE_TIMEOUT_S
    if tls is not None and not await _has_begun_tls(line, connection, tls, end_s):
        line.close()
        connection.leave()
        return
    try:
        await loop.connect_accepted_socket(
            lambda: make_protocol(connection),
            line,
            ssl=tls.context if tls else None,
            ssl_handshake_timeout=max(_LEAST_S, end_s - loop.time()) if tls else None,
            ssl_shutdown_timeout=HANDSHAKE_TIMEOUT_S if tls else None,
        )
    except OSError as fault:
        # No TLS, or a handshake that was not finished in time: not worth a report.
        if tls is not None and isinstance(fault, ssl.SSLError):
            tls.note_refusal(fault, caller)
        connection.leave()


async def _has_begun_tls(
    line: socket.socket, connection: Connection, tls: TlsEntry, end_s: float
) -> bool:
    """Wait for the first byte; False where the client is gone, too slow, or was answered."""
    try:
        async with asyncio.timeout_at(end_s):
            first = await read_first_byte(line)
            connection.is_silent = not first
            if is_plain_http(first):
                await tls.answer_plain(line)
                return False
            return bool(first)
    except OSError:
        return False


def _group_of(ip: str) -> str:
    """Return what counts as one address."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_NETWORK_BITS), strict=False))
