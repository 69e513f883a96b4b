"""`detector serve --lan`: what the terminal shows, and what a phone gets."""

import io
import socket
import ssl
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from detector.live.command import LIVE, SERVE
from detector.web.access.tls_entry import TlsEntry
from detector.web.arguments import read_web_options
from detector.web.lan.addresses import HostNames
from detector.web.lan.invitation import can_show, draw_qr_code
from detector.web.lan.password import make_password
from detector.web.options import WebOptions
from detector.web.server import lan_url
from maskage.commands.program import Command
from maskage.errors import UsageError
from maskage.formats.bundle import ModelBundle
from tests.detector.web.web_server import TOKEN, Served, make_view, serving, wait_until

PASSWORD = "correct horse battery"
ADDRESS = "https://192.168.178.201:8000/"


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder of its own, and no password in the environment."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_config_path", lambda name: tmp_path / "config" / name)
    monkeypatch.delenv("DETECTOR_PASSWORD", raising=False)
    return tmp_path / "config"


def lan_options() -> WebOptions:
    return WebOptions("0.0.0.0", 0, password=PASSWORD, token=TOKEN, is_lan=True)


def read(command: Command, *arguments: str) -> WebOptions:
    return read_web_options(command.make_parser("detector").parse_args(arguments))


def test_a_phone_logs_in_over_tls_that_it_trusts_on_first_use(
    bundle: ModelBundle, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(bundle, lan_options()) as served:
        served.screen.show(make_view())
        told = capsys.readouterr().err
        file = config / "maskage" / "tls" / "own-certificate.pem"
        # What the phone remembers is this one certificate.
        trust = ssl.create_default_context(cafile=file)
        base = f"https://127.0.0.1:{served.port}"
        with httpx.Client(base_url=base, verify=trust) as phone:
            assert phone.get("/").headers["location"] == "/login"
            own = {"Origin": base}
            answer = phone.post("/login", data={"password": PASSWORD}, headers=own)
            assert answer.status_code == 303
            assert phone.get("/snapshot.jpg").status_code == 200
        assert str(file) in told
        assert "SHA-256 fingerprint" in told
        assert PASSWORD not in told
        assert TOKEN not in served.screen.url
        assert served.screen.url.startswith("https://")


def test_the_certificate_stays_from_one_start_to_the_next(
    bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for _ in range(2):
        with serving(bundle, lan_options()):
            told.append(capsys.readouterr().err)
    assert "A new certificate was made, because there was none yet." in told[0]
    assert "A new certificate" not in told[1]
    assert [line for line in told[0].split("\n") if line.startswith("  ")] == [
        line for line in told[1].split("\n") if line.startswith("  ")
    ]


def ask_plain(served: Served, request: str) -> str:
    with socket.create_connection(("127.0.0.1", served.port), 30) as line:
        line.sendall(request.encode())
        answer = b""
        while part := line.recv(1000):
            answer += part
        return answer.decode()


def test_http_on_the_port_is_led_to_https(bundle: ModelBundle) -> None:
    with serving(bundle, lan_options()) as served:
        host = f"Host: localhost:{served.port}"
        led = ask_plain(served, f"GET /login?token=secret HTTP/1.1\r\n{host}\r\n\r\n")
        assert led.startswith("HTTP/1.1 307 ")
        assert f"Location: https://localhost:{served.port}/login\r\n" in led
        assert "secret" not in led
        sent = ask_plain(served, f"POST /login HTTP/1.1\r\n{host}\r\n\r\npassword=x")
        assert sent.startswith("HTTP/1.1 400 ")
        assert f"Open https://localhost:{served.port}/ instead." in sent
        for head in ("Host: evil.example", "X: y", f"{host}\r\n{host}"):
            other = ask_plain(served, f"GET / HTTP/1.1\r\n{head}\r\n\r\n")
            assert other.startswith("HTTP/1.1 400 ")
            assert "Location" not in other
        assert served.client.get("/about").status_code == 200


def test_a_device_that_refuses_the_certificate_is_named_once(
    bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ""

    def is_said() -> bool:
        nonlocal said
        said += capsys.readouterr().err
        return "refuses the certificate" in said

    with serving(bundle, lan_options()) as served:
        for _ in range(3):
            with pytest.raises(httpx.ConnectError):
                httpx.get(f"https://127.0.0.1:{served.port}/")
        wait_until(is_said, 30)
        assert served.client.get("/about").status_code == 200
        said += capsys.readouterr().err
    assert said.count("web: 127.0.0.1 refuses the certificate: nobody that it knows vouches") == 1


def test_a_device_with_a_wrong_clock_is_told_so() -> None:
    said: list[str] = []
    entry = TlsEntry(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), lambda *_: True, said.append)
    fault = ssl.SSLError(1, "alert")
    fault.reason = "SSLV3_ALERT_CERTIFICATE_EXPIRED"
    entry.note_refusal(fault, "10.0.0.9")
    fault.reason = "WRONG_VERSION_NUMBER"
    entry.note_refusal(fault, "10.0.0.8")
    assert said == [
        "web: 10.0.0.9 refuses the certificate: it has ended, by the clock of that device. Set "
        "the clock there."
    ]


def test_the_qr_code_can_be_read_and_holds_the_address_alone() -> None:
    code = draw_qr_code(ADDRESS)
    pixels = np.full((2 * len(code), len(code[0])), 255, dtype=np.uint8)
    for row, line in enumerate(code):
        for column, letter in enumerate(line):
            pixels[2 * row, column] = 0 if letter in "▀█" else 255
            pixels[2 * row + 1, column] = 0 if letter in "▄█" else 255
    large = np.kron(pixels, np.ones((8, 8), dtype=np.uint8))
    assert cv2.QRCodeDetector().detectAndDecode(large)[0] == ADDRESS
    assert len(code[0]) < 40


class Terminal(io.TextIOWrapper):
    """A terminal of an encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self) -> bool:
        return True


def test_a_terminal_that_cannot_show_it_gets_the_address_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = draw_qr_code(ADDRESS)
    monkeypatch.setenv("COLUMNS", "80")
    assert can_show(code, Terminal("utf-8"), {"TERM": "xterm"})
    assert not can_show(code, io.StringIO(), {"TERM": "xterm"})
    assert not can_show(code, Terminal("utf-8"), {"TERM": "dumb"})
    assert not can_show(code, Terminal("utf-8"), {"TERM": "xterm", "NO_COLOR": "1"})
    assert not can_show(code, Terminal("ascii"), {"TERM": "xterm"})
    monkeypatch.setenv("COLUMNS", str(len(code[0]) - 1))
    assert not can_show(code, Terminal("utf-8"), {"TERM": "xterm"})


def test_the_address_is_that_of_the_network() -> None:
    assert lan_url(8000, HostNames(("localhost", "desk.local"), ("10.0.0.7", "127.0.0.1"))) == (
        "https://10.0.0.7:8000/"
    )
    alone = HostNames(("localhost", "desk.local"), ("127.0.0.1",))
    assert lan_url(8000, alone) == "https://desk.local:8000/"


def test_a_password_is_made_where_nobody_gives_one_and_shown_once(
    bundle: ModelBundle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETECTOR_TOKEN", TOKEN)
    options = read(SERVE, "--lan", "--port", "0")
    assert options.host == "0.0.0.0"
    assert options.is_password_made
    assert options.password is not None
    with serving(bundle, options):
        said = capsys.readouterr().err
    assert said.count(options.password) == 1
    assert f"Password of this start: {options.password}\n" in said


def test_a_password_that_was_given_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETECTOR_PASSWORD", PASSWORD)
    options = read(LIVE, "--web", "--lan")
    assert (options.password, options.is_password_made) == (PASSWORD, False)
    assert options.has_tls


def test_a_person_at_the_terminal_is_asked_for_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    given = iter(["short", PASSWORD, ""])
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(f"sys.{stream}", Terminal("utf-8"))
    monkeypatch.setattr("detector.web.lan.password.getpass", lambda _: next(given))
    options = read(SERVE, "--lan")
    assert (options.password, options.is_password_made) == (PASSWORD, False)
    assert read(SERVE, "--lan").is_password_made


def test_made_passwords_differ_and_are_easy_to_type() -> None:
    made = {make_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(each) == 14 and not set(each) & set("01ilo") for each in made)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lan"], "needs --web"),
        (["--web", "--lan", "--host", "10.0.0.1"], "Leave one of them out"),
        (["--web", "--session-hours", "0"], "above 0"),
        (["--web", "--session-hours", "1e9"], "which is a year"),
        (["--web", "--allow-frame", "home.example"], "takes the origin of a page"),
        (["--web", "--lan", "--tls-cert", "a.pem"], "only one of them"),
    ],
)
def test_options_that_cannot_be_are_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(LIVE, *arguments)


def test_the_options_reach_the_server() -> None:
    options = read(SERVE, "--session-hours", "2", "--allow-frame", "https://home.example")
    assert options.session_s == 7200
    assert options.frame_origins == ("https://home.example",)
    assert read(SERVE).session_s == WebOptions().session_s
