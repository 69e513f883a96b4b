"""A bounded queue gives each client its turn, and loses no place."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from detector.web.pictures.fair_queue import FairQueue, QueueFullError, QueueLimits


def limits(
    most_inside: int = 1, most_bytes: int = 100, most_waiting: int = 50, longest_wait_s: float = 30
) -> QueueLimits:
    return QueueLimits(most_inside, most_bytes, most_waiting, longest_wait_s)


class _Visits:
    """Requests that stay inside until they are let go; `order` is how they came in."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue = queue
        self.order: list[str] = []
        self._go_on = asyncio.Event()

    async def visit(self, client: str, size: int = 1) -> str:
        try:
            async with self.queue.place(client, size):
                self.order.append(client)
                await self._go_on.wait()
        except QueueFullError:
            return "full"
        return "served"

    def begin(self, client: str, size: int = 1) -> "asyncio.Task[str]":
        return asyncio.create_task(self.visit(client, size))

    def let_go(self) -> None:
        self._go_on.set()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 30))


def test_clients_take_turns_however_many_requests_each_has() -> None:
    async def test() -> None:
        visits = _Visits(FairQueue(limits()))
        tasks = [visits.begin("a") for _ in range(5)]
        await settle()
        tasks += [visits.begin("b"), visits.begin("c")]
        await settle()
        visits.let_go()
        assert await asyncio.gather(*tasks) == ["served"] * 7
        assert visits.order == ["a", "a", "b", "c", "a", "a", "a"]

    run(test)


def test_a_client_that_holds_places_lets_others_go_first() -> None:
    async def test() -> None:
        queue = FairQueue(limits(most_inside=2))
        visits = _Visits(queue)
        held = [visits.begin("a"), visits.begin("a")]
        await settle()
        later = [visits.begin("a"), visits.begin("b")]
        await settle()
        held[0].cancel()
        await settle()
        assert visits.order == ["a", "a", "b"]
        visits.let_go()
        await asyncio.gather(*held, *later, return_exceptions=True)
        assert (queue.inside, queue.waiting) == (0, 0)

    run(test)


def test_where_too_many_wait_the_greediest_client_loses_its_newest() -> None:
    async def test() -> None:
        visits = _Visits(FairQueue(limits(most_waiting=4)))
        greedy = [visits.begin("a") for _ in range(5)]
        await settle()
        assert await visits.visit("a") == "full"
        shy = visits.begin("b")
        await settle()
        assert greedy[-1].result() == "full"
        visits.let_go()
        assert await shy == "served"
        assert await asyncio.gather(*greedy[:-1]) == ["served"] * 4

    run(test)


def test_who_waits_too_long_is_sent_away() -> None:
    async def test() -> None:
        queue = FairQueue(limits(longest_wait_s=0.05))
        visits = _Visits(queue)
        first = visits.begin("a")
        await settle()
        assert await visits.visit("b") == "full"
        assert queue.waiting == 0
        visits.let_go()
        assert await first == "served"

    run(test)


def test_bytes_are_bounded_and_a_large_request_is_not_overtaken() -> None:
    async def test() -> None:
        queue = FairQueue(limits(most_inside=3, most_bytes=10))
        visits = _Visits(queue)
        tasks = [visits.begin("a", 6), visits.begin("b", 8), visits.begin("c", 1)]
        await settle()
        assert visits.order == ["a"]
        visits.let_go()
        await asyncio.gather(*tasks)
        assert visits.order == ["a", "b", "c"]
        # One alone may be larger than the bound: it would never come in otherwise.
        assert await visits.visit("d", 11) == "served"

    run(test)


@pytest.mark.parametrize("rounds", [1, 2, 3, 5])
def test_no_place_is_lost_by_who_gives_up(rounds: int) -> None:
    async def test() -> None:
        queue = FairQueue(limits())
        visits = _Visits(queue)
        tasks = [visits.begin(name) for name in "abcd"]
        await settle()
        # The first leaves and the next is given the place, and gives up before it runs.
        tasks[0].cancel()
        for _ in range(rounds):
            await asyncio.sleep(0)
        tasks[1].cancel()
        await settle()
        visits.let_go()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert tasks[2].result() == tasks[3].result() == "served"
        assert (queue.inside, queue.waiting) == (0, 0)

    run(test)


def test_who_comes_as_another_gives_up_is_not_hurt_by_it() -> None:
    async def check() -> None:
        visits = _Visits(FairQueue(limits(most_waiting=3)))
        inside = visits.begin("inside")
        await settle()
        greedy = [visits.begin("greedy") for _ in range(3)]
        await settle()
        # One comes as the time of another runs out, which has not had its turn in the loop yet.
        coming = visits.begin("new")
        greedy[-1].cancel()
        await settle()
        visits.let_go()
        assert await asyncio.gather(inside, coming, *greedy[:2]) == ["served"] * 4

    run(check)
