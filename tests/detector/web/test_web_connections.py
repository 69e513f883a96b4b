"""Whoever has no key holds few connections, and shuts nobody out."""

import http.client
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest

from detector.web.access.connections import (
    CROWDED_FROM,
    MOST_AUTHENTICATED,
    MOST_OF_ONE_ADDRESS,
    MOST_UNAUTHENTICATED,
    Connection,
    ConnectionLimits,
)
from detector.web.options import WebOptions
from maskage.formats.bundle import ModelBundle
from tests.detector.web.web_server import TOKEN, make_view, serving, wait_until

ATTACKER, OTHER = "127.0.0.1", "127.0.0.2"
AUTHORIZATION = {"Authorization": f"Bearer {TOKEN}"}
HALF_A_REQUEST = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "
# The first bytes of a TLS ClientHello that never goes on.
HALF_A_HANDSHAKE = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


@contextmanager
def half_open(port: int, count: int, beginning: bytes) -> Iterator[list[socket.socket]]:
    """So many connections from one address that all stop in the middle of a sentence."""
    with ExitStack() as held:
        lines = []
        for _ in range(count):
            line = socket.create_connection((ATTACKER, port), 10, (ATTACKER, 0))
            lines.append(held.enter_context(line))
            with suppress(OSError):
                line.sendall(beginning)
        yield lines


def ask(
    port: int,
    address: str,
    headers: Mapping[str, str] = MappingProxyType({}),
    tls: ssl.SSLContext | None = None,
) -> int:
    """The status of /about as it is answered to a client at this address."""
    if tls is not None:
        line: http.client.HTTPConnection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=10, source_address=(address, 0), context=tls
        )
    else:
        line = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=10, source_address=(address, 0)
        )
    try:
        line.request("GET", "/about", headers=dict(headers))
        return line.getresponse().status
    finally:
        line.close()


@pytest.mark.parametrize("address", [OTHER, ATTACKER])
def test_half_sent_requests_of_one_client_shut_nobody_out(
    bundle: ModelBundle, address: str
) -> None:
    with serving(bundle) as served, half_open(served.port, 140, HALF_A_REQUEST):
        assert ask(served.port, address, AUTHORIZATION) == 200
        assert ask(served.port, address) == 401


def test_those_who_have_a_key_are_never_cut_off(bundle: ModelBundle) -> None:
    with ExitStack() as held:
        served = held.enter_context(serving(bundle))
        served.screen.show(make_view())
        streams = []
        for _ in range(6):
            client = held.enter_context(served.stranger(**AUTHORIZATION))
            answer = held.enter_context(client.stream("GET", "/events"))
            streams.append(answer.iter_raw())
            next(streams[-1])
        held.enter_context(half_open(served.port, 140, HALF_A_REQUEST))
        assert ask(served.port, OTHER, AUTHORIZATION) == 200
        served.screen.show(make_view(1))
        for stream in streams:
            assert next(stream)


@pytest.fixture
def many_files() -> Iterator[None]:
    """More descriptors than the server may have: the attacker is not to run out first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"a process may open {hard} files here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
@pytest.mark.usefixtures("many_files", "no_face_model")
def test_1100_handshakes_that_never_end_shut_nobody_out(
    bundle: ModelBundle, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    tls = ssl.create_default_context(cafile=certificate[0])
    tls.check_hostname = False
    with serve_in_a_process(bundle, certificate, tmp_path) as (pid, port):
        before = count_files(pid)
        with half_open(port, 1100, HALF_A_HANDSHAKE) as lines:
            assert ask(port, OTHER, AUTHORIZATION, tls) == 200
            assert ask(port, ATTACKER, AUTHORIZATION, tls) == 200
            assert count_files(pid) <= before + MOST_OF_ONE_ADDRESS + 8
            # And they are cut off in time.
            for line in lines:
                line.settimeout(30)
                with suppress(ConnectionResetError):
                    assert line.recv(100) == b""
        wait_until(lambda: count_files(pid) <= before + 2)
        assert ask(port, ATTACKER, AUTHORIZATION, tls) == 200


def count_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@contextmanager
def serve_in_a_process(
    bundle: ModelBundle, certificate: tuple[Path, Path], folder: Path
) -> Iterator[tuple[int, int]]:
    """`detector serve` over TLS, with the 1,024 descriptors that a process has by default."""
    command = [sys.executable, "-m", "detector.cli", "serve", "--no-camera", "--port", "0"]
    files = ["--tls-cert", str(certificate[0]), "--tls-key", str(certificate[1])]
    process = subprocess.Popen(
        [*command, "--model", str(bundle.folder), *files],
        cwd=folder,
        env={**os.environ, "DETECTOR_TOKEN": TOKEN},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024)),
    )
    assert process.stderr is not None
    try:
        told = ""
        while "Open https://" not in told:
            told = process.stderr.readline()
            assert told, "the server has ended"
        yield process.pid, httpx.URL(told.split()[1]).port or 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_a_handshake_that_is_not_finished_is_cut_off_in_time(
    bundle: ModelBundle, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.web.access.connections.HANDSHAKE_TIMEOUT_S", 0.3)
    options = WebOptions(port=0, token=TOKEN, certificate=certificate[0], key=certificate[1])
    with serving(bundle, options) as served:
        for beginning in (b"", HALF_A_HANDSHAKE, b"\0 neither TLS nor HTTP"):
            with socket.create_connection((ATTACKER, served.port), 20) as line:
                line.sendall(beginning)
                # What is no TLS gets an alert first.
                assert len(line.recv(100)) < 10
        assert served.client.get("/about").status_code == 200


# Counting


class Line:
    """Stands for a connection, and notes whether it was cut off."""

    def __init__(self, limits: ConnectionLimits, ip: str) -> None:
        self.is_open = True
        self.connection: Connection = limits.accept(ip)
        self.connection.end = self.end

    def end(self) -> None:
        self.is_open = False
        self.connection.leave()


def open_ones(lines: list[Line]) -> list[int]:
    return [number for number, line in enumerate(lines) if line.is_open]


def test_the_oldest_of_one_address_makes_room() -> None:
    limits = ConnectionLimits(most_of_one=3, most=100)
    lines = [
        Line(limits, ip) for ip in ("10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.1", "10.0.0.1")
    ]
    assert open_ones(lines) == [1, 2, 3, 4]


def test_of_all_addresses_the_one_with_most_makes_room() -> None:
    limits = ConnectionLimits(most_of_one=3, most=5)
    lines = [Line(limits, f"10.0.0.{n}") for n in (1, 2, 3, 3, 3, 4, 5)]
    assert open_ones(lines) == [0, 1, 4, 5, 6]


@pytest.mark.parametrize(
    ("ips", "left"),
    [
        (["2001:db8:1:2::1", "2001:db8:1:2:ff::2"], 1),
        (["2001:db8:1:2::1", "2001:db8:1:3::1"], 2),
        (["fe80::1%eth0", "fe80::2%eth1"], 1),
        (["::ffff:10.0.0.1", "10.0.0.1"], 1),
        (["::ffff:10.0.0.1", "::ffff:10.0.0.2"], 2),
    ],
)
def test_a_network_of_one_owner_counts_as_one_address(ips: list[str], left: int) -> None:
    limits = ConnectionLimits(most_of_one=1)
    assert len(open_ones([Line(limits, ip) for ip in ips])) == left


def test_who_shows_a_key_or_leaves_counts_no_more() -> None:
    limits = ConnectionLimits(most_of_one=2, most=10, most_authenticated=2)
    lines = [Line(limits, "10.0.0.1") for _ in range(2)]
    for line in lines:
        line.connection.authenticate()
        line.connection.authenticate()
    lines += [Line(limits, "10.0.0.1") for _ in range(2)]
    lines[2].end()
    lines.append(Line(limits, "10.0.0.1"))
    assert open_ones(lines) == [0, 1, 3, 4]
    # Too many with a key: this one is closed, and those before it stay.
    lines[3].connection.authenticate()
    assert open_ones(lines) == [0, 1, 4]
    lines[0].end()
    lines[4].connection.authenticate()
    assert open_ones(lines) == [1, 4]


def test_all_connections_together_fit_into_the_descriptors_of_a_process() -> None:
    soft_by_default = 1024
    assert MOST_OF_ONE_ADDRESS < MOST_UNAUTHENTICATED
    assert soft_by_default / 2 > MOST_UNAUTHENTICATED + MOST_AUTHENTICATED


# Silent ones


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("has_tls", [False, True])
@pytest.mark.parametrize("is_one", [True, False], ids=["one address", "200 addresses"])
def test_a_person_is_answered_beside_200_silent_connections(
    bundle: ModelBundle, certificate: tuple[Path, Path], *, is_one: bool, has_tls: bool
) -> None:
    files = certificate if has_tls else (None, None)
    options = WebOptions(port=0, token=TOKEN, certificate=files[0], key=files[1])
    tls = ssl.create_default_context(cafile=certificate[0]) if has_tls else None
    if tls is not None:
        tls.check_hostname = False
    with serving(bundle, options) as served, ExitStack() as held:
        lines = []
        for number in range(200):
            source = ATTACKER if is_one else f"127.0.1.{number + 1}"
            line = socket.create_connection(("127.0.0.1", served.port), 30, (source, 0))
            lines.append(held.enter_context(line))
        for address in (ATTACKER, OTHER):
            assert ask(served.port, address, AUTHORIZATION, tls) == 200
        # Nobody waited for a silent one to run out of time: the last that came is open still.
        lines[-1].settimeout(0)
        with pytest.raises(BlockingIOError):
            lines[-1].recv(1)


def test_of_one_address_the_oldest_silent_one_makes_room() -> None:
    limits = ConnectionLimits(most_of_one=3, most=100)
    lines = [Line(limits, "10.0.0.1") for _ in range(3)]
    lines[0].connection.is_silent = False
    lines.append(Line(limits, "10.0.0.1"))
    assert open_ones(lines) == [0, 2, 3]
    # Where all of them have spoken, the oldest does.
    for line in lines:
        line.connection.is_silent = False
    lines.append(Line(limits, "10.0.0.1"))
    assert open_ones(lines) == [2, 3, 4]


def test_of_those_that_are_slow_each_gets_less_time_while_there_are_many(
    bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.web.access.protocol.REQUEST_TIMEOUT_S", 600.0)
    monkeypatch.setattr("detector.web.access.protocol.CROWDED_TIMEOUT_S", 0.2)
    with serving(bundle) as served, half_open(served.port, CROWDED_FROM, HALF_A_REQUEST) as lines:
        lines[-1].settimeout(30)
        assert lines[-1].recv(10) == b""
        # The first came while there was room.
        lines[0].settimeout(0)
        with pytest.raises(BlockingIOError):
            lines[0].recv(1)


def test_a_silent_one_is_dropped_before_one_that_speaks_slowly(bundle: ModelBundle) -> None:
    with serving(bundle) as served, ExitStack() as held:
        slow = held.enter_context(socket.create_connection((ATTACKER, served.port), 30))
        slow.sendall(HALF_A_REQUEST)
        # One round trip: the server has read what was sent before.
        assert ask(served.port, ATTACKER, AUTHORIZATION) == 200
        held.enter_context(half_open(served.port, MOST_OF_ONE_ADDRESS + 20, b""))
        assert ask(served.port, ATTACKER, AUTHORIZATION) == 200
        slow.sendall(b"y\r\nConnection: close\r\n\r\n")
        assert b" 503 " in slow.recv(100)
