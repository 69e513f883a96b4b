"""Who has come to the door and has not shown a key yet: few, for a short time.

Whoever can reach the port can open connections, and a limit that begins with the first request
comes too late: a TLS handshake that is never finished costs a descriptor too. So every connection
is counted from the moment it is accepted, by the address it came from. Where there are too many,
the oldest goes: a visitor in earnest has shown a key within a moment, so that even one who shares
an address with an attacker gets in.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from functools import partial

MOST_OF_ONE_ADDRESS = 32
"""Connections without a key: browsers open six at a time, and several people may share one."""

MOST_STRANGERS = 96
"""The same, of all addresses together."""

MOST_GUESTS = 128
"""Connections with a key."""

HANDSHAKE_TIMEOUT_S = 5.0
"""For TLS, from the connection on; a slow line needs one or two seconds."""

_IPV6_NETWORK_BITS = 64
"""A home has so much of an IPv6 address for itself: all of it counts as one."""

_REST_S = 0.1
"""After a connection could not be accepted, for want of descriptors as a rule."""


class Visitor:
    """One connection.

    Attributes:
        group: The address it counts for.
        end: Cuts it off.
    """

    def __init__(self, door: "Door", group: str) -> None:
        self.group = group
        self.end: Callable[[], object] = lambda: None
        self._door = door

    def show_key(self) -> None:
        """It has a key: it is no stranger any more."""
        self._door.let_in(self)

    def leave(self) -> None:
        """It has ended; may be called twice."""
        self._door.forget(self)


class Door:
    """Counts connections; for the server's event loop only.

    Args:
        most_of_one, most: Strangers, of one address and of all.
        most_guests: Connections with a key.
    """

    def __init__(
        self,
        most_of_one: int = MOST_OF_ONE_ADDRESS,
        most: int = MOST_STRANGERS,
        most_guests: int = MOST_GUESTS,
    ) -> None:
        self._most_of_one, self._most, self._most_guests = most_of_one, most, most_guests
        # In the order in which they came.
        self._strangers: dict[Visitor, None] = {}
        self._guests: set[Visitor] = set()

    def receive(self, ip: str) -> Visitor:
        """Count a new connection; an older one is cut off where there are too many."""
        visitor = Visitor(self, _group_of(ip))
        self._strangers[visitor] = None
        counts = Counter(each.group for each in self._strangers)
        if counts[visitor.group] > self._most_of_one:
            self._turn_away(visitor.group)
        elif len(self._strangers) > self._most:
            self._turn_away(max(counts, key=lambda group: counts[group]))
        return visitor

    def let_in(self, visitor: Visitor) -> None:
        """Take a stranger for a guest; where there are too many guests it is cut off."""
        if visitor not in self._strangers:
            return
        del self._strangers[visitor]
        if len(self._guests) < self._most_guests:
            self._guests.add(visitor)
        else:
            visitor.end()

    def forget(self, visitor: Visitor) -> None:
        """Count a connection no more."""
        self._strangers.pop(visitor, None)
        self._guests.discard(visitor)

    def _turn_away(self, group: str) -> None:
        oldest = next(each for each in self._strangers if each.group == group)
        del self._strangers[oldest]
        oldest.end()


async def answer_door(
    listener: socket.socket,
    door: Door,
    make_protocol: Callable[[Visitor], asyncio.Protocol],
    tls: ssl.SSLContext | None,
) -> None:
    """Accept connections until cancelled.

    Args:
        listener: Listens; closed by the caller.
        door: Counts them.
        make_protocol: Speaks with one; it calls `Visitor.leave` at the end.
        tls: For HTTPS.
    """
    loop = asyncio.get_running_loop()
    listener.setblocking(False)
    greetings: set[asyncio.Task[None]] = set()
    try:
        while True:
            try:
                line, place = await loop.sock_accept(listener)
            except OSError:
                await asyncio.sleep(_REST_S)
                continue
            visitor = door.receive(place[0])
            greeting = loop.create_task(_greet(line, visitor, make_protocol, tls))
            visitor.end = greeting.cancel
            greetings.add(greeting)
            greeting.add_done_callback(greetings.discard)
            greeting.add_done_callback(partial(_close_if_cut_off, line))
            # Those that are inside are served meanwhile, however many come.
            await asyncio.sleep(0)
    finally:
        for greeting in greetings:
            greeting.cancel()


def _close_if_cut_off(line: socket.socket, greeting: "asyncio.Task[None]") -> None:
    """Close what a greeting that was cut off before it began has left open."""
    if greeting.cancelled():
        line.close()


async def _greet(
    line: socket.socket,
    visitor: Visitor,
    make_protocol: Callable[[Visitor], asyncio.Protocol],
    tls: ssl.SSLContext | None,
) -> None:
    timeout_s = HANDSHAKE_TIMEOUT_S if tls else None
    try:
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: make_protocol(visitor),
            line,
            ssl=tls,
            ssl_handshake_timeout=timeout_s,
            ssl_shutdown_timeout=timeout_s,
        )
    except OSError:
        # No TLS, or none that was finished in time: nobody's news.
        visitor.leave()


def _group_of(ip: str) -> str:
    """What counts as one address."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_NETWORK_BITS), strict=False))
