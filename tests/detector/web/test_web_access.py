"""Who may see the picture: token, cookie, host, origin, password, and where it may be served."""

import socket
import ssl
import threading
import time
from pathlib import Path

import httpx
import pytest

from detector.screens.commands import CommandDesk
from detector.web.access.throttle import Throttle
from detector.web.options import WebOptions, read_password, resolve_address
from detector.web.server import open_web
from maskage.errors import EnvironmentProblemError, UsageError
from maskage.formats.bundle import ModelBundle
from tests.detector.web.web_server import TOKEN, make_view, picture_classifier, serving, wait_until

PASSWORD = "correct horse battery"
GUARDED = (
    "/",
    "/about",
    "/stream.mjpg",
    "/events",
    "/snapshot.jpg",
    "/metrics",
    "/openapi.json",
    "/page/script.js",
    "/no/such/path",
)


@pytest.mark.parametrize("path", GUARDED)
def test_nothing_is_shown_without_the_token(bundle: ModelBundle, path: str) -> None:
    with serving(bundle) as served, served.stranger() as client:
        served.screen.show(make_view())
        assert client.get(path).status_code == 401
        wrong = {"Authorization": f"Bearer {TOKEN}x"}
        assert client.get(path, headers=wrong).status_code == 401
        assert client.get(path, headers={"Authorization": "Basic eDp5"}).status_code == 401
        assert client.get(path, headers={"Cookie": "detector=; ="}).status_code == 401


@pytest.mark.parametrize("path", ["/commands", "/classify", "/login"])
def test_nothing_is_taken_without_the_token(bundle: ModelBundle, path: str) -> None:
    with serving(bundle) as served, served.stranger() as client:
        served.screen.show(make_view())
        answer = client.post(path, json={"command": "toggle_pause"})
        assert answer.status_code in (401, 404)
        assert served.desk.take() == []


def test_the_printed_address_gives_a_cookie_and_leaves_the_token_behind(
    bundle: ModelBundle,
) -> None:
    with serving(bundle) as served, served.stranger() as client:
        first = client.get(served.screen.url)
        assert first.status_code == 303
        assert first.headers["location"] == "/"
        cookie = first.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        # The client keeps the cookie, as a browser does.
        page = client.get("/")
        assert page.status_code == 200
        assert "maskage" in page.text
        assert client.get("/about").status_code == 200
        assert client.get("/?token=wrong").status_code == 200


def test_a_wrong_token_in_the_address_gives_no_cookie(bundle: ModelBundle) -> None:
    with serving(bundle) as served, served.stranger() as client:
        for token in ("", "wrong", TOKEN[:-1], "%F0%9F%98%80"):
            answer = client.get(f"/?token={token}")
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers


def test_every_answer_forbids_keeping_framing_and_foreign_scripts(bundle: ModelBundle) -> None:
    with serving(bundle) as served, served.stranger() as stranger:
        answers = [served.client.get(path) for path in (*GUARDED[4:], "/health", "/about")]
        answers.append(stranger.get("/about"))
        answers.append(served.client.get("/health", headers={"Host": "elsewhere"}))
        for answer in answers:
            policy = answer.headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert "server" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1", "["]
)
def test_another_host_name_is_refused_so_that_no_dns_leads_here(
    bundle: ModelBundle, host: str
) -> None:
    with serving(bundle) as served:
        assert served.client.get("/about", headers={"Host": host}).status_code == 421
        assert served.client.get("/health", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9999", "127.0.0.1", "[::1]:80"])
def test_the_names_of_this_machine_are_answered(bundle: ModelBundle, host: str) -> None:
    with serving(bundle) as served:
        assert served.client.get("/about", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_may_neither_look_nor_command(
    bundle: ModelBundle, headers: dict[str, str]
) -> None:
    with serving(bundle) as served:
        served.screen.show(make_view())
        command = {"command": "take_snapshot"}
        assert served.client.post("/commands", json=command, headers=headers).status_code == 403
        for path in ("/events", "/stream.mjpg", "/snapshot.jpg", "/about"):
            assert served.client.get(path, headers=headers).status_code == 403
        assert served.desk.take() == []


def test_the_page_itself_may_command(bundle: ModelBundle) -> None:
    with serving(bundle) as served:
        served.screen.show(make_view())
        own = {"Origin": f"http://127.0.0.1:{served.port}", "Sec-Fetch-Site": "same-origin"}
        answer = served.client.post("/commands", json={"command": "toggle_pause"}, headers=own)
        assert answer.status_code == 202


def test_other_machines_are_refused_without_tls_and_a_password(
    certificate: tuple[Path, Path],
) -> None:
    with pytest.raises(UsageError, match=r"TLS .* and a password"):
        resolve_address(WebOptions(host="0.0.0.0"))
    with pytest.raises(UsageError, match="TLS"):
        resolve_address(WebOptions(host="0.0.0.0", password=PASSWORD))
    with pytest.raises(UsageError, match="password"):
        resolve_address(WebOptions("::", certificate=certificate[0], key=certificate[1]))
    with pytest.raises(UsageError, match="only one"):
        WebOptions(certificate=certificate[0])
    with pytest.raises(UsageError, match="at least 8"):
        WebOptions(password="short")
    for host in ("127.0.0.1", "localhost", "127.0.0.2"):
        assert resolve_address(WebOptions(host=host)).is_loopback


def test_a_host_that_is_not_known_is_reported(bundle: ModelBundle) -> None:
    with pytest.raises(EnvironmentProblemError, match=r"no-such-host\.invalid"):
        resolve_address(WebOptions(host="no-such-host.invalid"))


def test_with_tls_and_a_password_visitors_log_in(
    bundle: ModelBundle, certificate: tuple[Path, Path]
) -> None:
    options = WebOptions(
        host="0.0.0.0",
        port=0,
        certificate=certificate[0],
        key=certificate[1],
        password=PASSWORD,
        token=TOKEN,
        names=("camera.example",),
    )
    with serving(bundle, options) as served:
        trust = ssl.create_default_context(cafile=certificate[0])
        trust.check_hostname = False
        base = f"https://127.0.0.1:{served.port}"
        with httpx.Client(base_url=base, verify=trust) as client:
            assert client.get("/about").status_code == 401
            assert client.get("/", headers={"Host": "camera.example"}).status_code == 303
            assert client.get("/").headers["location"] == "/login"
            assert "password" in client.get("/login").text
            wrong = client.post("/login", data={"password": "wrong"})
            assert wrong.status_code == 401
            assert "is wrong" in wrong.text
            right = client.post("/login", data={"password": PASSWORD})
            assert right.status_code == 303
            assert "Secure" in right.headers["set-cookie"]
            assert client.get("/about").status_code == 200
        with httpx.Client(base_url=base, verify=trust, auth=("anyone", PASSWORD)) as client:
            assert client.get("/about").status_code == 200
        with httpx.Client(base_url=f"http://127.0.0.1:{served.port}") as client:
            assert client.get("/health").headers["location"] == f"{base}/health"
            # A connection in the clear does not disturb the others.
            assert served.client.get("/about").status_code == 200


def test_passwords_cannot_be_guessed_fast(bundle: ModelBundle) -> None:
    options = WebOptions(port=0, token=TOKEN, password=PASSWORD)
    with serving(bundle, options) as served, served.stranger() as client:
        statuses = [
            client.post("/login", data={"password": f"guess {n}"}).status_code for n in range(8)
        ]
        assert statuses == [401] * 5 + [429] * 3
        # Not even the right one now, or the answer would tell which it is.
        last = client.post("/login", data={"password": PASSWORD})
        assert last.status_code == 429
        assert int(last.headers["retry-after"]) > 0
        assert client.get("/about", auth=("x", PASSWORD)).status_code == 429
        # Who has the token is not locked out by who guesses.
        assert served.client.get("/about").status_code == 200


def test_a_throttle_fills_again_with_time_and_forgets_old_callers() -> None:
    now = [0.0]
    throttle = Throttle(2, 10.0, lambda: now[0])
    assert throttle.wait_s("a") == 0
    throttle.use("a")
    throttle.use("a")
    assert throttle.wait_s("a") == 10.0
    assert throttle.wait_s("b") == 0
    now[0] = 4.0
    assert throttle.wait_s("a") == 6.0
    now[0] = 30.0
    assert throttle.wait_s("a") == 0
    for number in range(5000):
        throttle.use(str(number))
    assert len(throttle._levels) <= 1024


def test_a_password_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\nsecond line\n")
    assert read_password(file, {"DETECTOR_PASSWORD": "another one"}) == PASSWORD
    assert read_password(None, {"DETECTOR_PASSWORD": "another one"}) == "another one"
    assert read_password(None, {}) is None
    with pytest.raises(UsageError, match="password cannot be read"):
        read_password(tmp_path / "none", {})
    file.write_text("")
    with pytest.raises(UsageError, match="empty"):
        read_password(file, {})


def test_secrets_are_not_in_what_is_logged_of_the_options() -> None:
    told = repr(WebOptions(password=PASSWORD, token=TOKEN))
    assert PASSWORD not in told
    assert TOKEN not in told


def test_a_taken_port_is_reported_with_a_way_out(bundle: ModelBundle) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentProblemError, match=f"Port {port} is in use.*--port 0"):
            open_web(
                WebOptions(port=port), picture_classifier(bundle), bundle.scheme, CommandDesk()
            )
    with pytest.raises(UsageError, match="0 to 65535"):
        WebOptions(port=70_000)


def test_an_address_of_another_machine_is_reported(
    bundle: ModelBundle, certificate: tuple[Path, Path]
) -> None:
    # RFC 5737: an address that no machine has.
    options = WebOptions("192.0.2.1", 0, certificate[0], certificate[1], PASSWORD)
    with pytest.raises(EnvironmentProblemError, match="no such address"):
        open_web(options, picture_classifier(bundle), bundle.scheme, None)


def test_a_certificate_that_cannot_be_used_is_reported(bundle: ModelBundle, tmp_path: Path) -> None:
    file = tmp_path / "bad.pem"
    file.write_text("not a certificate")
    options = WebOptions(port=0, certificate=file, key=file)
    with pytest.raises(EnvironmentProblemError, match=r"bad\.pem"):
        open_web(options, picture_classifier(bundle), bundle.scheme, None)


def test_a_token_is_made_up_anew_each_time(bundle: ModelBundle) -> None:
    tokens = set()
    for _ in range(3):
        with open_web(
            WebOptions(port=0), picture_classifier(bundle), bundle.scheme, None
        ) as screen:
            tokens.add(httpx.URL(screen.url).params["token"])
    assert len(tokens) == 3
    assert all(len(token) > 40 for token in tokens)


def test_headers_without_an_end_are_refused(bundle: ModelBundle) -> None:
    with serving(bundle) as served:
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as line:
            line.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000)
            assert b" 400 " in line.recv(1000)
        assert served.client.get("/health").status_code == 503


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"\0" * 5000,
        b"PRI * HTTP/2",
    ],
)
def test_garbage_does_not_disturb_the_others(bundle: ModelBundle, garbage: bytes) -> None:
    with serving(bundle) as served:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", served.port), timeout=5) as line:
                line.sendall(garbage)
        assert served.client.get("/about").status_code == 200
        assert served.screen.is_open


def test_a_silent_connection_is_closed_in_time(
    bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.web.access.protocol.REQUEST_TIMEOUT_S", 0.5)
    with serving(bundle) as served:
        started_s = time.monotonic()
        for beginning in (b"", b"GET /about HTTP/1.1\r\nHost: 127.0"):
            with socket.create_connection(("127.0.0.1", served.port), timeout=5) as line:
                line.sendall(beginning)
                assert line.recv(100) == b""
        assert 0.9 < time.monotonic() - started_s < 4


def test_a_dripping_body_is_not_waited_for(
    bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.web.access.middleware.BODY_TIMEOUT_S", 0.5)
    head = f"POST /classify HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
    with (
        serving(bundle) as served,
        socket.create_connection(("127.0.0.1", served.port), timeout=5) as line,
    ):
        line.sendall(f"{head}Content-Length: 1000\r\n\r\nx".encode())
        assert b" 408 " in line.recv(1000)


def test_too_many_connections_are_closed_and_the_server_goes_on(bundle: ModelBundle) -> None:
    with serving(bundle) as served:
        lines = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(200)]
        time.sleep(0.5)
        for line in lines:
            line.close()
        wait_until(lambda: _is_answered(served.client))


def _is_answered(client: httpx.Client) -> bool:
    try:
        return client.get("/about").status_code == 200
    except httpx.TransportError:
        return False


def test_the_screen_closes_at_once_with_open_streams(bundle: ModelBundle) -> None:
    with serving(bundle) as served:
        served.screen.show(make_view())
        read = threading.Event()

        def watch(path: str) -> None:
            with (
                served.stranger(Authorization=f"Bearer {TOKEN}") as client,
                client.stream("GET", path) as answer,
            ):
                for _ in answer.iter_raw():
                    read.set()

        watchers = [
            threading.Thread(target=watch, args=(path,)) for path in ("/stream.mjpg", "/events")
        ]
        for watcher in watchers:
            watcher.start()
        assert read.wait(5)
        started_s = time.monotonic()
        served.screen.close()
        assert time.monotonic() - started_s < 2
        for watcher in watchers:
            watcher.join(5)
            assert not watcher.is_alive()
        assert not served.screen.is_open
        # It may be closed twice, and shown a view once more.
        served.screen.close()
        served.screen.show(make_view(1))
