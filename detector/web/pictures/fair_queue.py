"""A bounded queue in which many clients wait for few places, each in turn."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class QueueLimits:
    """The bounds of a queue.

    Attributes:
        most_inside: Most requests that hold a place.
        most_bytes: Most bytes that they may hold together; one alone may hold more.
        most_waiting: Most requests that wait for a place, of all clients together.
        longest_wait_s: Longest wait for a place, in seconds.
    """

    most_inside: int
    most_bytes: int
    most_waiting: int
    longest_wait_s: float


class QueueFullError(Exception):
    """No place came free: too many wait, or one has waited for too long.

    Attributes:
        waiting: Requests that waited then.
    """

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} requests wait")
        self.waiting = waiting


@dataclass(eq=False)
class _Ticket:
    size: int
    turn: "asyncio.Future[None]"


class FairQueue:
    """The places and who waits for them; for one event loop only.

    A free place goes to the client that holds the fewest, and of several to the one that was
    served longest ago. Where too many wait, the newest of the client with the most is sent away.

    Args:
        limits: The bounds.
    """

    def __init__(self, limits: QueueLimits) -> None:
        self._limits = limits
        # The client that was served longest ago comes first.
        self._waiting: OrderedDict[str, deque[_Ticket]] = OrderedDict()
        self._inside: Counter[str] = Counter()
        self._bytes = 0

    @property
    def waiting(self) -> int:
        """Number of requests that wait for a place."""
        return sum(len(tickets) for tickets in self._waiting.values())

    @property
    def inside(self) -> int:
        """Number of requests that hold a place."""
        return self._inside.total()

    @asynccontextmanager
    async def place(self, client: str, size: int) -> AsyncIterator[None]:
        """Wait for a place, and hold it for as long as the context is open.

        Args:
            client: Name of the client, such as its address.
            size: Most bytes that the request may hold.

        Raises:
            QueueFullError: No place came free.
        """
        if self._waiting or not self._has_room(size):
            await self._wait(client, size)
        else:
            self._take(client, size)
        try:
            yield
        finally:
            self._leave(client, size)

    async def _wait(self, client: str, size: int) -> None:
        if self.waiting >= self._limits.most_waiting:
            self._send_one_away(client)
        ticket = _Ticket(size, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(client, deque()).append(ticket)
        try:
            async with asyncio.timeout(self._limits.longest_wait_s):
                await ticket.turn
        except BaseException as fault:
            waiting = self.waiting
            self._withdraw(client, ticket)
            if isinstance(fault, TimeoutError):
                raise QueueFullError(waiting) from None
            raise

    def _send_one_away(self, client: str) -> None:
        """Send away the newest of the client with the most, which may be the one that comes."""
        greedy = max(self._waiting, key=lambda each: len(self._waiting[each]))
        tickets = self._waiting[greedy]
        if len(tickets) <= len(self._waiting.get(client, ())) + 1:
            raise QueueFullError(self.waiting)
        newest = tickets.pop()
        # One whose time has just run out goes by itself.
        if not newest.turn.done():
            newest.turn.set_exception(QueueFullError(self.waiting))

    def _withdraw(self, client: str, ticket: _Ticket) -> None:
        """Forget a request that waits no more; a place that was just given to it is free again."""
        turn = ticket.turn
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            self._leave(client, ticket.size)
            return
        tickets = self._waiting.get(client)
        if tickets is not None and ticket in tickets:
            tickets.remove(ticket)
            if not tickets:
                del self._waiting[client]
        self._admit()

    def _has_room(self, size: int) -> bool:
        if not self.inside:
            return True
        limits = self._limits
        return self.inside < limits.most_inside and self._bytes + size <= limits.most_bytes

    def _take(self, client: str, size: int) -> None:
        self._inside[client] += 1
        self._bytes += size

    def _leave(self, client: str, size: int) -> None:
        self._inside[client] -= 1
        if not self._inside[client]:
            del self._inside[client]
        self._bytes -= size
        self._admit()

    def _admit(self) -> None:
        """Give free places to those who wait; a large request is not overtaken by small ones."""
        while self._waiting:
            client = min(self._waiting, key=lambda each: self._inside[each])
            tickets = self._waiting[client]
            if not self._has_room(tickets[0].size):
                return
            ticket = tickets.popleft()
            self._waiting.move_to_end(client)
            if not tickets:
                del self._waiting[client]
            if not ticket.turn.done():
                self._take(client, ticket.size)
                ticket.turn.set_result(None)
