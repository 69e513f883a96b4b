"""Names and passwords of network cameras: understood, sent to the right host, never shown."""

import logging
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import format_exception

import pytest

from maskage.addresses import encode_login, find_login, follow_redirect, split_address
from maskage.cameras.mjpeg import MjpegStream, SnapshotCamera
from maskage.cameras.sources import open_camera
from maskage.errors import CameraError, CameraLoginError
from maskage.pictures.images import encode_jpeg
from tests.maskage.cameras.mjpeg_server import Login, MjpegServer, draw_number

DIGEST = 'Digest realm="Login to cam", nonce="1013271036", algorithm=MD5, qop="auth"'
OLD_DIGEST = 'Digest realm="cam", nonce="77", algorithm=MD5'
SHA_DIGEST = 'Digest realm="cam", nonce="77", algorithm=SHA-256, qop="auth", opaque="5c"'
BASIC = 'Basic realm="cam"'


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        ("anna:secret", ("anna", "secret")),
        ("anna", ("anna", "")),
        ("anna:p%40ss%3A1", ("anna", "p@ss:1")),
        ("anna:p@ss:word", ("anna", "p@ss:word")),
        ("an@na:x", ("an@na", "x")),
        ("anna:a%2Fb%3Fc%23", ("anna", "a/b?c#")),
        # A "%" without two hex digits behind it stands for itself.
        ("anna:100%", ("anna", "100%")),
        ("anna:5%zz%25", ("anna", "5%zz%")),
        ("j\u00fcrgen:h\u00fctte", ("j\u00fcrgen", "h\u00fctte")),
        ("j%C3%BCrgen:h%C3%BCtte", ("j\u00fcrgen", "h\u00fctte")),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_login_is_understood_encoded_or_not(
    scheme: str, login: str, expected: tuple[str, str]
) -> None:
    url = f"{scheme}://{login}@cam:8080/live?x=1"
    user, password = (part.encode() for part in expected)
    assert find_login(split_address(url)) == (user, password)
    encoded = encode_login(url)
    assert encoded.isascii()
    assert find_login(split_address(encoded)) == (user, password)
    assert encoded.rpartition("@")[2] == "cam:8080/live?x=1"


def test_an_address_without_a_login_stays_as_it_is() -> None:
    assert find_login(split_address("rtsp://cam/live")) is None
    assert encode_login("rtsp://cam/live?a=b") == "rtsp://cam/live?a=b"


@pytest.mark.parametrize("challenges", [(BASIC,), (DIGEST,), (OLD_DIGEST,), (SHA_DIGEST,)])
@pytest.mark.parametrize(
    ("written", "user", "password"),
    [
        ("admin:p%40ss%3A1", "admin", "p@ss:1"),
        ("admin:p@ss:1", "admin", "p@ss:1"),
        ("j\u00fcrgen:%2Fh\u00fctte%", "j\u00fcrgen", "/h\u00fctte%"),
    ],
)
def test_a_camera_is_given_the_login_as_it_asks(
    challenges: tuple[str, ...], written: str, user: str, password: str
) -> None:
    with MjpegServer(login=Login(user, password, challenges)) as server:
        camera = open_camera(server.url.replace("//", f"//{written}@") + "?channel=1")
        assert isinstance(camera, MjpegStream)
        assert camera.read() is not None
        camera.close()


@pytest.mark.parametrize("challenges", [(BASIC, DIGEST), (DIGEST, BASIC)])
def test_a_camera_that_takes_both_never_sees_the_password(challenges: tuple[str, ...]) -> None:
    with MjpegServer(login=Login("anna", "secret", challenges)) as server:
        open_camera(server.url.replace("//", "//anna:secret@")).close()
        assert "Authorization: Digest" in server.requests[-1]
        assert "Authorization: Basic" not in "".join(server.requests)


@pytest.mark.parametrize("challenge", [BASIC, DIGEST])
def test_a_picture_address_is_logged_in_to_once(challenge: str) -> None:
    login = Login("anna", "secret", (challenge,))
    with MjpegServer(kind="image/jpeg", login=login) as server:
        camera = open_camera(server.url.replace("//", "//anna:secret@"))
        assert isinstance(camera, SnapshotCamera)
        for _ in range(4):
            assert camera.read() is not None
        camera.close()
        # One to learn what is asked for, one that was answered, and one for each picture.
        assert len(server.requests) == 6


@pytest.mark.parametrize("challenge", [BASIC, DIGEST])
def test_a_wrong_password_is_one_attempt_and_never_shown(
    challenge: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with MjpegServer(login=Login("anna", "right", (challenge,))) as server:
        url = server.url.replace("//", "//anna:secret@") + "?password=hidden"
        with pytest.raises(CameraLoginError, match="refuses the name or the password") as fault:
            open_camera(url)
        assert sum("Authorization" in request for request in server.requests) == 1
    for text in ("".join(format_exception(fault.value)), caplog.text):
        assert "secret" not in text
        assert "hidden" not in text
    assert "HTTP Request: GET" in caplog.text
    assert "lock the camera" in str(fault.value)


def test_a_kind_of_login_that_is_not_known_is_said_so() -> None:
    challenges = ('Digest realm="cam", nonce="1", qop="auth-int"',)
    with MjpegServer(login=Login("anna", "secret", challenges)) as server:
        url = server.url.replace("//", "//anna:secret@")
        with pytest.raises(CameraLoginError, match="Choose Digest or Basic in its settings"):
            open_camera(url)


@pytest.mark.parametrize(
    ("url", "location", "expected"),
    [
        ("http://a:b@cam/x", "/y", "http://a:b@cam/y"),
        ("http://a:b@cam/x", "https://cam/y", "https://a:b@cam/y"),
        # From the safe way to the open one, to another port and to another host: without them.
        ("https://a:b@cam/x", "http://cam/y", "http://cam/y"),
        ("http://a:b@cam/x", "http://cam:81/y", "http://cam:81/y"),
        ("http://a:b@cam:81/x", "https://cam/y", "https://cam/y"),
        ("http://a:b@cam/x", "http://cam.example/y", "http://cam.example/y"),
    ],
)
def test_a_login_is_kept_for_the_same_server_only(url: str, location: str, expected: str) -> None:
    assert follow_redirect(url, location) == expected


@contextmanager
def tls_camera(folder: Path) -> Iterator[tuple[int, Path]]:
    """A camera that shows one picture by TLS, with a certificate that it made itself."""
    key, certificate = folder / "key.pem", folder / "camera.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key,
         "-out", certificate, "-subj", "/CN=camera", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    jpeg = encode_jpeg(draw_number(7))
    head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    is_over = threading.Event()

    def serve() -> None:
        while not is_over.is_set():
            try:
                client = listener.accept()[0]
            except TimeoutError:
                continue
            try:
                client.settimeout(5)
                with context.wrap_socket(client, server_side=True) as secured:
                    secured.recv(4096)
                    secured.sendall(head.encode() + jpeg)
            except OSError:
                client.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1], certificate
    finally:
        is_over.set()
        thread.join()
        listener.close()


def test_a_certificate_that_a_camera_made_itself_is_explained_and_the_remedy_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls_camera(tmp_path) as (port, certificate):
        url = f"https://anna:secret@127.0.0.1:{port}/picture"
        with pytest.raises(CameraError, match="self-signed certificate") as fault:
            open_camera(url)
        assert "set SSL_CERT_FILE=camera.pem" in str(fault.value)
        assert "secret" not in "".join(format_exception(fault.value))
        fetched = subprocess.run(
            f"openssl s_client -connect 127.0.0.1:{port} </dev/null | openssl x509",
            shell=True, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert fetched.stdout == certificate.read_text()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        camera = open_camera(url)
        frame = camera.read()
        assert frame is not None
        camera.close()


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with MjpegServer() as server, MjpegServer() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        open_camera(server.url).close()
        assert proxy.requests == []


@contextmanager
def rtsp_camera() -> Iterator[tuple[int, list[str]]]:
    """An RTSP server that asks for a login and then shows nothing; what it was sent is kept."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    is_over, requests = threading.Event(), list[str]()

    def serve() -> None:
        while not is_over.is_set():
            try:
                client = listener.accept()[0]
            except TimeoutError:
                continue
            with client:
                client.settimeout(5)
                while request := client.recv(8192).decode():
                    requests.append(request)
                    number = request.split("CSeq: ")[1].split("\r\n")[0]
                    is_first = request.startswith("OPTIONS") or "Authorization" in request
                    said = "200 OK" if request.startswith("OPTIONS") else "404 Not Found"
                    if not is_first:
                        said = f"401 Unauthorized\r\nWWW-Authenticate: {BASIC}"
                    client.sendall(f"RTSP/1.0 {said}\r\nCSeq: {number}\r\n\r\n".encode())

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1], requests
    finally:
        is_over.set()
        thread.join()
        listener.close()


@pytest.mark.parametrize("written", ["anna:p@ss:w%rd", "anna:p%40ss%3Aw%25rd"])
def test_an_rtsp_camera_is_given_the_same_login(
    written: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with rtsp_camera() as (port, requests):
        started_s = time.monotonic()
        with pytest.raises(CameraError, match="no stream can be opened there") as fault:
            open_camera(f"rtsp://{written}@127.0.0.1:{port}/live")
        assert time.monotonic() - started_s < 10
    assert "w%rd" not in str(fault.value)
    assert "Authorization: Basic YW5uYTpwQHNzOnclcmQ=\r\n" in "".join(requests)
    shown = capfd.readouterr()
    assert "ss:" not in shown.out + shown.err
    assert "ss%3A" not in shown.out + shown.err
