"""Sessions and signed addresses: how long they are valid, across restarts and wrong clocks."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx
import pytest
from starlette.datastructures import Headers

from detector.web.access.rules import Access, Refusal, Visit, local_address
from detector.web.access.signed_addresses import AddressSigner
from detector.web.access.signing import Period, Signer
from detector.web.options import Address, WebOptions
from maskage.errors import UsageError
from maskage.formats.bundle import ModelBundle
from tests.detector.web.web_server import TOKEN, make_view, serving, wait_until

PASSWORD = "correct horse battery"
NOON = 1_790_000_000.0
HOUR = 3600.0


class Clock:
    """Seconds since the epoch, as they are set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def make_access(clock: Callable[[], float], **changes: object) -> Access:
    options = WebOptions(**{"token": TOKEN, "password": PASSWORD, "session_s": HOUR, **changes})  # type: ignore[arg-type]
    return Access(options, Address(socket.AF_INET, "127.0.0.1"), 8000, wall_clock=clock)


def with_cookie(set_cookie: str) -> Headers:
    return Headers({"cookie": set_cookie.partition(";")[0]})


def detail_of(access: Access, headers: Headers) -> str:
    found = access.admit(headers, "10.0.0.1")
    assert isinstance(found, Refusal)
    assert found.status == 401
    return found.detail


def read_until_cut(
    client: httpx.Client, address: str, begun: threading.Event | None = None
) -> bytes:
    """Read a stream, and return what came until the server cut it off in the middle."""
    received = b""
    with suppress(httpx.RemoteProtocolError), client.stream("GET", address, timeout=30) as answer:
        assert answer.status_code == 200
        for part in answer.iter_raw():
            received += part
            if begun:
                begun.set()
        raise AssertionError("the stream ended by itself")
    return received


def test_a_session_survives_a_restart_with_the_same_token_and_password() -> None:
    clock = Clock()
    headers = with_cookie(make_access(clock).new_cookie())
    assert isinstance(make_access(clock).admit(headers, ""), Visit)
    for changes in ({"token": TOKEN + "x"}, {"password": "another password"}, {"token": None}):
        told = detail_of(make_access(clock, **changes), headers)
        assert "started again with another token or password" in told


def test_a_session_ends_and_says_when() -> None:
    clock = Clock()
    access = make_access(clock)
    headers = with_cookie(access.new_cookie())
    clock.now = NOON + HOUR - 1
    assert isinstance(access.admit(headers, ""), Visit)
    clock.now = NOON + HOUR
    told = detail_of(access, headers)
    assert "Your session ended on 2026-09-21 15:13 UTC; the clock of the machine" in told
    assert "Log in" in told


def test_a_clock_that_has_gone_back_is_named_as_the_reason() -> None:
    clock = Clock()
    access = make_access(clock)
    headers = with_cookie(access.new_cookie())
    clock.now = NOON - 200
    assert isinstance(access.admit(headers, ""), Visit)
    clock.now = 0.0
    told = detail_of(access, headers)
    assert "the clock of the machine that serves this shows 1970-01-01 00:00 UTC" in told
    assert "that clock was wrong then, or is wrong now" in told


@pytest.mark.parametrize(
    "value", ["", ".", "a.1.2.3", "x" * 5000, "a.b.c.", '"', "a.0.9999999999."]
)
def test_a_cookie_that_was_not_signed_here_is_refused(value: str) -> None:
    access = make_access(Clock())
    assert isinstance(access.admit(Headers({"cookie": f"detector_8000={value}"}), ""), Refusal)


def test_a_session_that_was_changed_is_refused() -> None:
    access = make_access(Clock())
    name, begins_at, ends_at, signature = access.sessions.begin().split(".")
    for changed in (
        f"{name}.{begins_at}.{int(ends_at) + 1}.{signature}",
        f"{name}x.{begins_at}.{ends_at}.{signature}",
        f"{name}.{begins_at}.{ends_at}.{signature[:-1]}",
    ):
        assert access.sessions.read(changed) is None


def test_what_was_logged_out_stays_out_while_others_stay_in() -> None:
    access = make_access(Clock())
    gone, kept = with_cookie(access.new_cookie()), with_cookie(access.new_cookie())
    session = access.find_session(gone)
    assert session is not None
    access.sessions.log_out(session)
    assert "was logged out" in detail_of(access, gone)
    assert isinstance(access.admit(kept, ""), Visit)


def test_a_wrong_cookie_does_not_lock_out_who_has_the_token() -> None:
    access = make_access(Clock())
    headers = Headers({"cookie": "detector_8000=a.1.2.3", "authorization": f"Bearer {TOKEN}"})
    assert access.admit(headers, "") == Visit()


def test_logging_out_ends_the_streams_of_that_session_only(bundle: ModelBundle) -> None:
    options = WebOptions(port=0, token=TOKEN)
    with (
        serving(bundle, options) as served,
        served.stranger() as leaver,
        served.stranger() as stayer,
    ):
        served.screen.show(make_view())
        for client in (leaver, stayer):
            client.get(served.screen.url)
        with stayer.stream("GET", "/events") as stays:
            lines = stays.iter_raw()
            assert next(lines)
            begun = threading.Event()
            ended: list[bytes] = []
            watch = partial(read_until_cut, leaver, "/events", begun)
            thread = threading.Thread(target=lambda: ended.append(watch()))
            thread.start()
            assert begun.wait(30)
            own = {"Origin": f"http://127.0.0.1:{served.port}"}
            assert leaver.post("/logout", headers=own).headers["location"] == "/"
            thread.join(30)
            assert ended
            served.screen.show(make_view(1))
            assert next(lines)
        assert leaver.get("/about").status_code == 401
        assert stayer.get("/about").status_code == 200


def test_another_site_logs_nobody_out(bundle: ModelBundle) -> None:
    with serving(bundle) as served, served.stranger() as client:
        client.get(served.screen.url)
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert client.post("/logout", headers=headers).status_code == 403
        assert client.get("/logout").status_code == 405
        assert client.get("/about").status_code == 200


def test_an_answer_that_is_still_being_sent_ends_with_its_session(bundle: ModelBundle) -> None:
    options = WebOptions(port=0, token=TOKEN, session_s=1)
    with serving(bundle, options) as served, served.stranger() as client:
        served.screen.show(make_view())
        client.get(served.screen.url)
        assert read_until_cut(client, "/stream.mjpg")
        told = client.get("/session")
        assert told.status_code == 401
        assert "Your session ended on" in told.json()["detail"]


def test_a_visitor_is_told_when_the_session_ends(bundle: ModelBundle) -> None:
    with serving(bundle) as served, served.stranger() as client:
        client.get(served.screen.url)
        told = client.get("/session").json()
        assert 167 * HOUR < told["left_s"] <= 168 * HOUR
        assert served.client.get("/session").json() == {
            "ends_at": None,
            "left_s": None,
            "has_password": False,
        }


def test_who_comes_back_in_the_second_half_gets_a_new_session() -> None:
    clock = Clock()
    access = make_access(clock)
    session = access.find_session(with_cookie(access.new_cookie()))
    assert session is not None
    assert not access.sessions.is_half_over(session)
    clock.now = NOON + HOUR / 2 + 1
    assert access.sessions.is_half_over(session)


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        ("/", "/"),
        ("/collect?class=1&x=%20", "/collect?class=1&x=%20"),
        ("", "/"),
        ("collect", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("/<script>", "/"),
        ("/" + "a" * 600, "/"),
    ],
)
def test_logging_in_never_leads_to_another_site(wanted: str, goes_to: str) -> None:
    assert local_address(wanted) == goes_to


# Signed addresses


def test_a_signed_picture_is_shown_to_whoever_has_its_address(bundle: ModelBundle) -> None:
    with serving(bundle) as served, served.stranger() as stranger:
        served.screen.show(make_view())
        asked = {"address": "/snapshot.jpg", "hours": 2}
        assert stranger.post("/signed-addresses", json=asked).status_code == 401
        answer = served.client.post("/signed-addresses", json=asked)
        assert answer.status_code == 201
        assert "also after a restart" in answer.json()["note"]
        signed = httpx.URL(answer.json()["address"])
        foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
        shown = stranger.get(signed, headers=foreign)
        assert shown.status_code == 200
        assert shown.headers["content-type"] == "image/jpeg"
        assert shown.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "set-cookie" not in shown.headers
        # It opens nothing else, and no other method.
        query = signed.query.decode()
        for path in ("/stream.mjpg", "/events", "/about", "/metrics", "/"):
            assert stranger.get(f"{path}?{query}").status_code in (401, 403)
        assert stranger.post(f"/snapshot.jpg?{query}").status_code == 401
        assert stranger.get(signed, headers={"Host": "evil.example"}).status_code == 421


def test_a_signed_stream_is_shown_and_ends_in_time(bundle: ModelBundle) -> None:
    with serving(bundle) as served, served.stranger() as stranger:
        served.screen.show(make_view())
        asked = {"address": "/stream.mjpg?source=0", "hours": 1 / HOUR}
        signed = served.client.post("/signed-addresses", json=asked).json()["address"]
        received = read_until_cut(stranger, signed)
        assert b"image/jpeg" in received
        told = stranger.get(signed)
        assert told.status_code == 403
        assert "This address ended on" in told.json()["detail"]


def make_signer(clock: Callable[[], float], token: str = TOKEN) -> AddressSigner:
    return AddressSigner(Signer(token, PASSWORD), clock)


def test_a_signed_address_survives_a_restart_and_not_another_token() -> None:
    clock = Clock()
    path, _, query = make_signer(clock).sign("/stream.mjpg?source=1", HOUR)[0].partition("?")
    period, fault = make_signer(clock).check(path, query)
    assert (period, fault) == (Period(int(NOON), int(NOON + HOUR)), "")
    period, fault = make_signer(clock, TOKEN + "x").check(path, query)
    assert period is None
    assert "does not fit" in fault


def test_a_signed_address_that_was_changed_is_refused() -> None:
    signer = make_signer(Clock())
    path, _, query = signer.sign("/stream.mjpg?source=1", HOUR)[0].partition("?")
    for changed in (
        query.replace("source=1", "source=2"),
        query.replace("source=1&", ""),
        query.replace(f"until={NOON + HOUR:.0f}", f"until={NOON + 2 * HOUR:.0f}"),
        f"{query}&source=2",
        f"{query}&signature=x",
        query[:-1],
        "signature=",
        "signature=x&" * 30,
    ):
        assert signer.check(path, changed)[0] is None
    assert signer.check("/snapshot.jpg", query)[0] is None
    # The order of the parameters is no change.
    turned = "&".join(reversed(query.split("&")))
    assert signer.check(path, turned)[0] is not None


def test_a_signed_address_names_the_clock_that_does_not_fit() -> None:
    clock = Clock()
    signer = make_signer(clock)
    path, _, query = signer.sign("/stream.mjpg", HOUR)[0].partition("?")
    clock.now = NOON + 2 * HOUR
    assert (
        "ended on 2026-09-21 15:13 UTC; the clock of the machine that serves this shows "
        in (signer.check(path, query)[1])
    )
    clock.now = NOON - HOUR
    assert "that clock was wrong then, or is wrong now" in signer.check(path, query)[1]


@pytest.mark.parametrize(
    "asked",
    [
        {"address": "/about"},
        {"address": "/"},
        {"address": "//evil.example/stream.mjpg"},
        {"address": "http://evil.example/stream.mjpg"},
        {"address": "/stream.mjpg?until=5"},
        {"address": "/stream.mjpg", "hours": 0},
        {"address": "/stream.mjpg", "hours": 1e9},
        {"address": "/stream.mjpg", "more": 1},
        {},
    ],
)
def test_other_addresses_are_not_signed(bundle: ModelBundle, asked: dict[str, object]) -> None:
    with serving(bundle) as served:
        assert served.client.post("/signed-addresses", json=asked).status_code == 422


# Frames


def test_only_named_pages_may_frame_this_one(bundle: ModelBundle) -> None:
    options = WebOptions(port=0, token=TOKEN, frame_origins=("https://home.example:8123",))
    with serving(bundle, options) as served:
        headers = served.client.get("/").headers
        assert "frame-ancestors https://home.example:8123" in headers["content-security-policy"]
        assert "x-frame-options" not in headers
        assert headers["cross-origin-resource-policy"] == "same-origin"
        # Over HTTP a browser would drop a cookie for frames.
        cookie = served.client.get(served.screen.url).headers["set-cookie"]
        assert "SameSite=Strict" in cookie


def test_the_page_may_use_the_camera_of_the_visitor_and_nothing_else(bundle: ModelBundle) -> None:
    with serving(bundle) as served:
        policy = served.client.get("/").headers["permissions-policy"]
        assert policy == "camera=(self), microphone=(), geolocation=()"


@pytest.mark.parametrize(
    "origin", ["*", "home.example", "https://home.example/page", "https://a b", "https://a; x", ""]
)
def test_what_is_no_origin_is_not_allowed_to_frame(origin: str) -> None:
    with pytest.raises(UsageError, match="takes the origin of a page"):
        WebOptions(frame_origins=(origin,))


def test_over_tls_a_frame_gets_a_cookie_of_its_own(certificate: tuple[Path, Path]) -> None:
    changes = {
        "certificate": certificate[0],
        "key": certificate[1],
        "frame_origins": ("https://home.example",),
    }
    cookie = make_access(Clock(), **changes).new_cookie()
    assert cookie.endswith("HttpOnly; SameSite=None; Partitioned; Secure")


def test_a_stream_that_ended_frees_its_place(bundle: ModelBundle) -> None:
    options = WebOptions(port=0, token=TOKEN, session_s=1)
    with serving(bundle, options) as served, served.stranger() as client:
        served.screen.show(make_view())
        client.get(served.screen.url)
        assert read_until_cut(client, "/events")
        wait_until(lambda: 'clients{stream="events"} 0.0' in served.client.get("/metrics").text, 30)
