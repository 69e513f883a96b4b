"""Scanning on the workers of a Dask cluster, which may come, go and die meanwhile.

The map is pure, so a chunk whose worker died is scanned again by another. What could go wrong in
silence is checked: a worker that does not see the dataset, sees another one under the same path,
or would measure otherwise.
"""

import asyncio
import contextlib
import importlib
import itertools
import logging
import math
import pickle
import re
import socket
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from curation.scan.worker_answer import WorkerAnswer, answer_jobs, require_like_here
from maskage.errors import EnvironmentProblemError, ToolchainError, UsageError
from maskage.installation import explain_install

if TYPE_CHECKING:
    from distributed import Client

    from curation.scan.job import Job
    from curation.scan.worker_answer import ScanJobs
    from maskage.dataset.photo_scan import FileScan

CONNECT_S = 8.0
"""In one network a scheduler answers within milliseconds: one that has not by now never will."""
WORKERLESS_S = 30.0
"""Seconds to wait for a worker, at the start and whenever the last one was lost."""
POLL_S = 1.0
"""Seconds between two counts of the workers while waiting for one."""
CLOSE_S = 3.0
"""A scheduler that has gone is not waited for when leaving."""
CHUNKS_A_THREAD = 4
"""In flight for each thread of the workers: one is scanned, the others hide the network."""

_LOGGERS = ("distributed", "distributed.client", "tornado.application")


def map_on_cluster(
    scheduler: str, function: "ScanJobs", chunks: Sequence[Sequence["Job"]]
) -> Iterator[list["FileScan"]]:
    """Apply `function` to every chunk on the workers of a Dask scheduler.

    Lazy, with `CHUNKS_A_THREAD` chunks in flight for each thread of the workers there are. With no
    chunks nobody is asked. Leaving it early cancels what is in flight.

    Args:
        scheduler: "tcp://host:8786", or "tls://…" with the certificates in Dask's configuration.
        function: Pure, and importable on the workers.
        chunks: Jobs with absolute paths, which the workers see under the same paths.

    Returns:
        What `function` returned, in the order of the chunks.

    Raises:
        UsageError: `scheduler` is not an address.
        EnvironmentProblemError: No distributed here, no scheduler there or lost, no worker for
            `WORKERLESS_S` seconds, or workers that cannot scan these photos as this machine would.
    """
    if not chunks:
        return
    host, port = _require_address(scheduler)
    _require_distributed()
    _require_listener(scheduler, host, port)
    coming = iter(chunks)
    with _quiet_logs(), asyncio.Runner() as runner:
        cluster = runner.run(_connect(scheduler, function))
        try:
            while runner.run(cluster.refill(coming)):
                yield runner.run(cluster.receive())
        finally:
            runner.run(cluster.close())


@dataclass(frozen=True)
class _Call:
    """Unpickled it is not itself, but what `answer_jobs` returned.

    Packed so, a worker without this package raises within the task. Were the function and the jobs
    to travel as such, it would break down already reading the message (distributed 2026.8), and
    one worker after the other with it; and the scheduler would need the package, too.
    """

    function: "ScanJobs"
    jobs: Sequence["Job"]

    def __reduce__(self) -> tuple[Callable[..., WorkerAnswer], tuple["ScanJobs", Sequence["Job"]]]:
        return answer_jobs, (self.function, self.jobs)


class _Cluster:
    """A connected client. Lives in one event loop, which runs only while we wait for something."""

    def __init__(self, scheduler: str, function: "ScanJobs", client: "Client") -> None:
        self._scheduler = scheduler
        self._function = function
        self._client = client
        self._waiting: deque[asyncio.Task[list[FileScan]]] = deque()
        self._threads = 1
        self._counted_s = -math.inf
        self._seen_s = time.monotonic()

    async def refill(self, coming: Iterator[Sequence["Job"]]) -> bool:
        """Hand over chunks, up to what the workers of this moment can do with.

        Returns:
            Whether there is anything left to wait for.
        """
        if time.monotonic() - self._counted_s > POLL_S:
            await self._count_workers()
        room = max(0, CHUNKS_A_THREAD * max(1, self._threads) - len(self._waiting))
        for jobs in itertools.islice(coming, room):
            self._waiting.append(asyncio.create_task(self._run_jobs(jobs)))
        return bool(self._waiting)

    async def receive(self) -> list["FileScan"]:
        """Wait for the chunk that was handed over first.

        Raises:
            EnvironmentProblemError: It will not come.
        """
        first = self._waiting[0]
        # The task goes on when the time is over; `wait_for` would cancel it.
        while not (await asyncio.wait({first}, timeout=POLL_S))[0]:
            await self._count_workers()
        return self._waiting.popleft().result()

    async def close(self) -> None:
        """Part from the scheduler, which then forgets what was in flight; or it has gone."""
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)
        await _close(self._client)

    async def _run_jobs(self, jobs: Sequence["Job"]) -> list["FileScan"]:
        from distributed import KilledWorker

        call = pickle.dumps(_Call(self._function, jobs))
        # Not `pure`: Dask would take an older result for the same paths, whatever has become of
        # the files.
        future = self._client.submit(pickle.loads, call, pure=False, key=f"look-{uuid4()}")
        try:
            answer: WorkerAnswer = await future.result()
        except ToolchainError:
            raise
        except KilledWorker as fault:
            raise EnvironmentProblemError(
                f"{fault.allowed_failures + 1} workers, one after the other, died while scanning "
                f"{_span(jobs)}. See their logs (out of memory?), and start more workers; or leave "
                f"--scheduler out."
            ) from fault
        except Exception as fault:
            # A worker may lack anything, and so raise anything.
            raise self._explained(fault, jobs) from fault
        require_like_here(jobs, answer)
        return answer.file_scans

    def _explained(self, fault: Exception, jobs: Sequence["Job"]) -> EnvironmentProblemError:
        if isinstance(fault, CancelledError) or self._client.status != "running":
            return self._lost()
        if isinstance(fault, ImportError | AttributeError):
            return EnvironmentProblemError(
                f"A worker of {self._scheduler} cannot run this version of maskage "
                f"({_describe_fault(fault)}). Install the same version for every worker "
                f"({explain_install('cluster')}), and start it again."
            )
        return EnvironmentProblemError(
            f"A worker of {self._scheduler} failed at {_span(jobs)} ({_describe_fault(fault)}). "
            "Leave --scheduler out: if it fails here too, please report it."
        )

    async def _count_workers(self) -> None:
        """See how many threads the workers have; lose patience when there are none for long."""
        if self._client.status != "running":
            raise self._lost()
        try:
            async with asyncio.timeout(CONNECT_S):
                workers: dict[str, int] = await self._client.nthreads()
        except OSError as fault:
            raise self._lost() from fault
        self._threads = sum(workers.values())
        self._counted_s = time.monotonic()
        if self._threads:
            self._seen_s = self._counted_s
        elif self._counted_s - self._seen_s > WORKERLESS_S:
            raise EnvironmentProblemError(
                f"The scheduler at {self._scheduler} has had no worker for {WORKERLESS_S:g} s. "
                f"Start some (dask worker {self._scheduler}), and run this again: what has been "
                f"scanned is not scanned again."
            )

    def _lost(self) -> EnvironmentProblemError:
        return EnvironmentProblemError(
            f"The scheduler at {self._scheduler} was lost: it ended, or the network did. Start it "
            f"and its workers, and run this again: what has been scanned is not scanned again."
        )


async def _connect(scheduler: str, function: "ScanJobs") -> _Cluster:
    from distributed import Client
    from distributed.versions import VersionMismatchWarning

    client = Client(
        scheduler, asynchronous=True, set_as_default=False, timeout=CONNECT_S, name="curate"
    )
    try:
        with warnings.catch_warnings():
            # What matters of it is compared with every answer.
            warnings.simplefilter("ignore", VersionMismatchWarning)
            async with asyncio.timeout(CONNECT_S):
                await client
    except BaseException as fault:
        await _close(client)
        if not isinstance(fault, Exception):
            raise
        raise EnvironmentProblemError(
            f"What listens at {scheduler} is no Dask scheduler that this machine can talk to "
            f"({_describe_fault(fault)}). The address is what `dask scheduler` says at its start; "
            "both sides need the same version of distributed."
        ) from fault
    return _Cluster(scheduler, function, client)


async def _close(client: "Client") -> None:
    with contextlib.suppress(OSError):
        await client.close(timeout=CLOSE_S)


def _require_address(scheduler: str) -> tuple[str, int]:
    """Host and port of an address.

    Raises:
        UsageError: It is none.
    """
    found = re.fullmatch(r"(?:tcp|tls)://(\[[^\[\]]+\]|[^\[\]:/@?#]+):(\d{1,5})", scheduler)
    if found is None or not 0 < int(found[2]) < 65536:
        raise UsageError(
            f"--scheduler is the address of a Dask scheduler, tcp://host:8786 or tls://host:8786; "
            f"found {scheduler}. `dask scheduler` says it at its start."
        )
    return found[1].strip("[]"), int(found[2])


def _require_distributed() -> None:
    try:
        importlib.import_module("distributed")
    except ImportError as fault:
        raise EnvironmentProblemError(
            f"--scheduler needs the library distributed, and it cannot be imported ({fault}). "
            f"Install it with {explain_install('cluster')}."
        ) from fault


def _require_listener(scheduler: str, host: str, port: int) -> None:
    """Ask by ourselves: distributed tries a refused connection again until its time is over."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_S).close()
    except OSError as fault:
        raise EnvironmentProblemError(
            f"No Dask scheduler at {scheduler} ({fault.strerror or fault}). Start one with `dask "
            f"scheduler`, or leave --scheduler out to scan the photos on this machine."
        ) from fault


@contextlib.contextmanager
def _quiet_logs() -> Iterator[None]:
    """Nothing in distributed's own words: what matters of it is raised in ours."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _describe_fault(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__


def _span(jobs: Sequence["Job"]) -> str:
    return f"{jobs[0].name} to {jobs[-1].name}"
