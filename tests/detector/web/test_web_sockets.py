"""WebSockets pass the same gate as requests: host, origin, login, limits, the session's end."""

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from detector.web.access.connections import MOST_AUTHENTICATED
from detector.web.access.middleware import AccessMiddleware
from detector.web.access.rules import Access
from detector.web.access.sockets import SESSION_ENDED
from detector.web.options import Address, WebOptions
from detector.web.server import CountingServer, server_config
from tests.detector.web.web_server import TOKEN, wait_until

PASSWORD = "correct horse battery"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Echo:
    """A server that sends back what it gets at /echo.

    Attributes:
        access: The rules.
        port: Where it listens.
        counted: The answers: route, method and status.
        ended: Counts the calls of the application that have returned.
    """

    access: Access
    port: int
    counted: list[tuple[str, str, int]]
    ended: list[str]

    def open(self, path: str = "/echo", **headers: str) -> ClientConnection:
        """Open a WebSocket as a program does, with these headers and no others of its own."""
        return connect(
            f"ws://127.0.0.1:{self.port}{path}",
            additional_headers={name.replace("_", "-"): value for name, value in headers.items()},
            open_timeout=30,
            close_timeout=30,
        )

    def refused(self, path: str = "/echo", **headers: str) -> tuple[int, str]:
        """Status and reason of a WebSocket that is not opened."""
        with pytest.raises(InvalidStatus) as caught:
            self.open(path, **headers)
        response = caught.value.response
        return response.status_code, json.loads(response.body or b"{}").get("detail", "")

    def cookie(self) -> dict[str, str]:
        """The headers that a browser sends from the page itself, once logged in."""
        cookie = self.access.new_cookie().partition(";")[0]
        return {"Cookie": cookie, "Origin": f"http://127.0.0.1:{self.port}"}


@contextmanager
def echoing(session_s: float = 3600) -> Iterator[Echo]:
    """Serve until the end of the block."""
    options = WebOptions(port=0, token=TOKEN, password=PASSWORD, session_s=session_s)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        access = Access(options, Address(socket.AF_INET, "127.0.0.1"), port)
        echo = Echo(access, port, [], [])

        async def answer(line: WebSocket) -> None:
            await line.accept()
            try:
                while True:
                    if (message := await line.receive_text()) == "fail":
                        raise ValueError("as it was asked to")
                    await line.send_text(message)
            except WebSocketDisconnect:
                pass
            finally:
                echo.ended.append("echo")

        app = AccessMiddleware(
            Starlette(routes=[WebSocketRoute("/echo", answer)]),
            access=access,
            open_paths=frozenset(("/open",)),
            page_paths=frozenset(("/",)),
            body_bytes={},
            on_answer=lambda *answered: echo.counted.append(answered),
        )
        server = CountingServer(server_config(app), listener, None)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([])))
        thread.start()
        assert server.ready.wait(30)
        try:
            yield echo
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture
def echo() -> Iterator[Echo]:
    with echoing() as opened:
        yield opened


def test_the_page_itself_and_the_bearer_of_the_token_may_open_one(echo: Echo) -> None:
    for headers in (echo.cookie(), BEARER):
        with echo.open(**headers) as line:
            line.send("hello")
            assert line.recv(30) == "hello"
    assert echo.counted == [("/echo", "GET", 101)] * 2


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_a_page_of_another_site_opens_none(echo: Echo, foreign: dict[str, str]) -> None:
    headers = {**echo.cookie(), **foreign}
    assert echo.refused(**headers) == (403, "Another site may not use this server.")
    assert echo.ended == []


def test_a_cookie_without_an_origin_comes_from_no_browser(echo: Echo) -> None:
    headers = echo.cookie()
    del headers["Origin"]
    assert echo.refused(**headers)[0] == 403


def test_nobody_opens_one_without_logging_in(echo: Echo) -> None:
    own = {"Origin": f"http://127.0.0.1:{echo.port}"}
    status, detail = echo.refused(**own)
    assert (status, detail[:25]) == (401, "Log in with the password,")
    assert echo.refused(Authorization=f"Bearer {TOKEN}x")[0] == 401
    # What is open to requests is not open to these.
    assert echo.refused("/open")[0] == 401
    assert echo.refused("/")[0] == 401
    assert echo.counted[-1] == ("other", "GET", 401)


def test_a_path_that_has_none_is_refused(echo: Echo) -> None:
    assert echo.refused("/elsewhere", **BEARER)[0] == 403


def test_one_ends_with_its_session_and_says_so() -> None:
    with echoing(session_s=1) as echo, echo.open(**echo.cookie()) as line:
        with pytest.raises(ConnectionClosed) as caught:
            line.recv(30)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == SESSION_ENDED
        assert caught.value.rcvd.reason == "Your session has ended. Log in again."
        wait_until(lambda: echo.ended == ["echo"], 30)


def test_a_bug_closes_one_and_the_server_goes_on(
    echo: Echo, capsys: pytest.CaptureFixture[str]
) -> None:
    with echo.open(**BEARER) as line:
        line.send("fail")
        with pytest.raises(ConnectionClosed) as caught:
            line.recv(30)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1011
    assert "ValueError: as it was asked to" in capsys.readouterr().err
    with echo.open(**BEARER) as line:
        line.send("again")
        assert line.recv(30) == "again"


def test_too_large_a_message_closes_one(echo: Echo) -> None:
    with echo.open(**BEARER) as line:
        # The length alone: what was still on its way would break the line before its reason came.
        text, masked_and_long = 0x81, 0x80 | 127
        line.socket.sendall(struct.pack(">BBQ4x", text, masked_and_long, 5_000_000))
        with pytest.raises(ConnectionClosed) as caught:
            line.recv(30)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1009


def test_an_open_one_outlives_the_limit_for_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.web.access.protocol.REQUEST_TIMEOUT_S", 0.2)
    with echoing() as echo, echo.open(**BEARER) as line, ExitStack() as held:
        # A silent connection that came later is closed by that limit.
        silent = held.enter_context(socket.create_connection(("127.0.0.1", echo.port), 30))
        assert silent.recv(10) == b""
        line.send("still here")
        assert line.recv(30) == "still here"


@pytest.mark.slow
def test_there_are_as_many_as_other_connections_at_most(echo: Echo) -> None:
    with ExitStack() as held:
        lines = [held.enter_context(echo.open(**BEARER)) for _ in range(MOST_AUTHENTICATED)]
        with pytest.raises(InvalidHandshake):
            echo.open(**BEARER)
        lines[0].close()

        def is_opened() -> bool:
            try:
                held.enter_context(echo.open(**BEARER))
            except InvalidHandshake:
                return False
            return True

        wait_until(is_opened, 30)
        lines[1].send("hello")
        assert lines[1].recv(30) == "hello"
