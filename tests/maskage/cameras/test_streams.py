"""Network cameras that misbehave: nothing half is shown, nothing stale is shot, all come back."""

import base64
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from traceback import format_exception

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskage.addresses import find_port, find_target, public_url, split_address
from maskage.cameras.live_feed import CameraCondition
from maskage.cameras.mjpeg import MjpegStream, SnapshotCamera
from maskage.cameras.multipart import PartSplitter
from maskage.cameras.sources import open_camera
from maskage.capture.shutter import FROZEN_AFTER_S, inspect_shot
from maskage.errors import CameraError, CameraLoginError
from maskage.pictures.images import encode_jpeg
from tests.collector.capture.watcher import Watcher
from tests.maskage.cameras.mjpeg_server import (
    BOUNDARY,
    Login,
    MjpegServer,
    Mood,
    draw_number,
    read_number,
)

PART = b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\nhello\r\n"


def split(data: bytes, boundary: str = "b", step: int = 1 << 16) -> list[bytes]:
    splitter = PartSplitter(boundary)
    parts = []
    for at in range(0, len(data), step):
        parts += list(splitter.feed(data[at : at + step]))
    return parts


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (PART, [b"hello"]),
        (PART * 3, [b"hello"] * 3),
        (b"garbage" + PART + b"\0\xff more" + PART, [b"hello"] * 2),
        # No length: a part ends where the next begins.
        (b"--b\nX: y\n\nhello\r\n--b\r\n\r\nworld\r\n--b--", [b"hello", b"world"]),
        # A part that is cut short ends at the next boundary, and costs no other.
        (b"--b\r\nContent-Length: 90\r\n\r\nhel" + PART, [b"hel", b"hello"]),
        # A length that no part has is not believed.
        (b"--b\r\nContent-Length: 99999999999\r\n\r\nhello\r\n" + PART, [b"hello"] * 2),
        (b"--b" + b"x" * 9000 + PART, [b"hello"]),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 1 << 16])
def test_parts_are_found_whatever_lies_between(
    data: bytes, expected: list[bytes], step: int
) -> None:
    assert split(data, step=step) == expected


@pytest.mark.parametrize("boundary", ["b", "--b", '"b"'])
def test_boundaries_are_named_with_and_without_dashes(boundary: str) -> None:
    assert split(PART, boundary) == [b"hello"]


@given(st.binary(max_size=300), st.integers(1, 50))
def test_no_bytes_break_the_splitter(noise: bytes, step: int) -> None:
    # At the end of any noise without a boundary in it a good part is found.
    found = split(noise.replace(b"--b", b"") + b"\r\n" + PART, step=step)
    assert found[-1:] == [b"hello"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://anna:secret@cam:8080/video?key=1#x", "http://cam:8080/video"),
        ("rtsp://a:b@[::1]/live", "rtsp://[::1]/live"),
        ("https://cam/", "https://cam/"),
        ("http://anna:sec%2Fret%40@cam/video", "http://cam/video"),
        ("http://anna:sec:re%25t@cam/video", "http://cam/video"),
        (
            "rtsp://cam/user=admin&password=secret&channel=1",
            "rtsp://cam/user=admin&password=...&channel=1",
        ),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, expected: str) -> None:
    assert public_url(url) == expected


def test_pictures_come_one_by_one_and_whole() -> None:
    with MjpegServer() as server:
        camera = open_camera(server.url)
        assert isinstance(camera, MjpegStream)
        numbers = []
        for _ in range(5):
            frame = camera.read()
            assert frame is not None
            assert frame.pixels.shape == (120, 160, 3)
            numbers.append(read_number(frame.pixels))
        camera.close()
    assert numbers == sorted(set(numbers))


def test_the_name_and_password_are_sent_when_asked_for_and_never_shown() -> None:
    with MjpegServer(login=Login("anna", "se cret")) as server:
        camera = open_camera(server.url.replace("//", "//anna:se%20cret@"))
        assert camera.name == server.url
        assert camera.read() is not None
        camera.close()
        token = base64.b64encode(b"anna:se cret").decode()
        assert "Authorization" not in server.requests[0]
        assert f"Authorization: Basic {token}" in server.requests[1]


def test_a_camera_that_moved_is_followed_and_knows_the_password_only_where_it_was_given() -> None:
    login = Login("anna", "secret")
    with MjpegServer(login=login) as server, MjpegServer(login=login) as stranger:
        url = f"http://anna:secret@127.0.0.1:{server.port}/moved"
        server.moved = server.url
        open_camera(url).close()
        assert "Authorization" in server.requests[-1]
        server.moved = stranger.url
        with pytest.raises(CameraLoginError, match="not passed on to another host") as fault:
            open_camera(url)
        assert stranger.url in str(fault.value)
        assert "Authorization" not in "".join(stranger.requests)
        server.moved = "/moved"
        with pytest.raises(CameraError, match="redirected more than 5 times"):
            open_camera(url)
        server.moved = "rtsp://127.0.0.1/live"
        with pytest.raises(CameraError, match="sends on to a rtsp:// address"):
            open_camera(url)


ASKED: list[str] = []


def _note_look_up(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.getaddrinfo":
        ASKED.append(str(arguments[0]))


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """The hosts that this process looked up; a hook cannot be taken off again."""
    sys.addaudithook(_note_look_up)
    return ASKED


@pytest.mark.parametrize(
    "url",
    [
        "http://anna:secret/1@cam/video",
        "http://anna:secret#1@cam/video",
        "rtsp://anna:secret/1@cam/live",
        "http://anna:secret@cam:99999/",
        "http://anna:secret@[::1/",
        "http://anna:secret@cam..era/",
        "http://anna:secret@/video",
        # With a number before it, what comes after it was once taken for the path of a host "anna".
        "http://anna:12?secret@cam/video",
        "http://anna:12/secret@cam/video",
        "http://anna:12#secret@cam/video",
        "http://anna?secret@cam/video",
        "http://anna:p@secret/1@cam/video",
        "rtsp://anna:12/secret@cam/live",
        "rtsp://anna:12?secret@cam/live",
        "http://anna:12\tsecret@cam/video",
        "http://anna:12\n/secret@cam/video",
    ],
)
def test_what_is_no_address_is_said_so_without_the_password(url: str, asked: list[str]) -> None:
    asked.clear()
    with pytest.raises(CameraError, match="Write it like") as fault:
        open_camera(url)
    assert asked == []  # no name server is asked for a piece of it
    # Nor by a traceback, which would tell the cause too.
    assert "secret" not in "".join(format_exception(fault.value))


@pytest.mark.parametrize(
    ("url", "port", "target"),
    [
        ("http://cam", 80, "/"),
        ("https://[::1]/video", 443, "/video"),
        ("http://cam:8080/a b/%20?key=1&src=rtsp://x", 8080, "/a%20b/%20?key=1&src=rtsp://x"),
        ("http://cam/vid\u00e9o", 80, "/vid%C3%A9o"),
    ],
)
def test_what_a_server_is_asked_for(url: str, port: int, target: str) -> None:
    parts = split_address(url)
    assert (find_port(parts), find_target(parts)) == (port, target)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("401 Unauthorized", "name and password"),
        ("404 Not Found", "Check the path"),
        ("500 Internal Server Error", "HTTP 500"),
    ],
)
def test_a_refusal_is_explained(status: str, words: str) -> None:
    with MjpegServer(status=status) as server, pytest.raises(CameraError, match=words):
        open_camera(server.url)


def test_nobody_there_is_explained() -> None:
    with MjpegServer() as server:
        server.mood = Mood.ABSENT
        with pytest.raises(CameraError, match="does not answer"):
            open_camera(server.url)


def test_who_takes_the_call_and_says_nothing_is_given_up() -> None:
    with MjpegServer() as server:
        server.mood = Mood.SILENT
        started_s = time.monotonic()
        with pytest.raises(CameraError, match="silent for 2 s"):
            open_camera(server.url)
        assert time.monotonic() - started_s < 4


def test_a_slow_reader_gets_the_newest_picture_and_none_of_the_queue() -> None:
    with MjpegServer(fps=200) as server:
        camera = open_camera(server.url)
        assert camera.read() is not None
        time.sleep(0.5)
        sent = server.sent
        frame = camera.read()
        assert frame is not None
        # These lay in the network's buffers all the while.
        assert sent > 20
        assert read_number(frame.pixels) >= sent
        camera.close()


def test_the_last_picture_of_a_stream_that_ends_is_shown() -> None:
    with MjpegServer() as server:
        camera = open_camera(server.url)
        assert camera.read() is not None
        time.sleep(0.3)
        server.mood = Mood.DROP
        time.sleep(0.3)
        # All has come by now: whole pictures, half of one, and the end.
        frame = camera.read()
        assert frame is not None
        assert read_number(frame.pixels) == server.sent
        with pytest.raises(CameraError, match="ended its stream"):
            camera.read()
        camera.close()


@pytest.mark.parametrize("ending", ["Content-Length: 9000", "Connection: close"])
def test_a_stream_that_is_over_is_said_so(ending: str) -> None:
    kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}\r\n{ending}"
    with MjpegServer(kind=kind) as server:
        camera = open_camera(server.url)
        assert camera.read() is not None
        server.mood = Mood.DROP
        with pytest.raises(CameraError, match="ended its stream"):  # noqa: PT012
            while True:
                camera.read()
        camera.close()


class ChunkingCamera(BaseHTTPRequestHandler):
    """Sends five pictures in chunks, each cut in two, as servers written in Go do; then nothing."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(1, 6):
            jpeg = encode_jpeg(draw_number(number))
            head = b"--b\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
            chunks = (head, jpeg[:500], jpeg[500:] + b"\r\n")
            # Together, so that several chunks wait behind one that was read.
            self.wfile.write(b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in chunks))
            time.sleep(0.1)
        time.sleep(3)

    def log_message(self, *arguments: object) -> None:
        pass


def test_a_stream_in_chunks_is_read_at_once_and_its_silence_is_noticed() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), ChunkingCamera) as server:
        threading.Thread(target=server.serve_forever).start()
        camera = open_camera(f"http://127.0.0.1:{server.server_port}/video")
        number = 0
        while number < 5:
            # Were the last one to wait for the chunks of another, none would come.
            frame = camera.read()
            assert frame is not None
            assert read_number(frame.pixels) > number
            number = read_number(frame.pixels)
        with pytest.raises(CameraError, match=r"no picture for 1\.5 s"):
            camera.read()
        camera.close()
        server.shutdown()


@pytest.mark.slow
def test_a_slow_camera_is_given_four_of_its_own_periods() -> None:
    with MjpegServer(fps=1.2) as server:
        camera = open_camera(server.url)
        for _ in range(3):
            camera.read()
        server.mood = Mood.STALL
        started_s = time.monotonic()
        with pytest.raises(CameraError, match=r"no picture for 3\.\d s"):
            camera.read()
        assert time.monotonic() - started_s > 2.5
        camera.close()


def test_a_picture_url_is_asked_again_and_again() -> None:
    with MjpegServer(kind="image/jpeg") as server:
        camera = open_camera(server.url)
        assert isinstance(camera, SnapshotCamera)
        frames = [camera.read() for _ in range(3)]
        assert [read_number(frame.pixels) for frame in frames if frame] == [2, 3, 4]


def test_what_is_no_camera_is_said_so() -> None:
    with (
        MjpegServer(kind="text/html") as server,
        pytest.raises(CameraError, match="no stream can be opened there") as fault,
    ):
        open_camera(server.url)
    assert "127.0.0.1" in str(fault.value)


@contextmanager
def watching() -> Iterator[tuple[MjpegServer, Watcher]]:
    with MjpegServer() as server, Watcher(server.url) as watcher:
        watcher.wait_for_picture()
        yield server, watcher


@pytest.mark.slow
@pytest.mark.parametrize(
    "mood", [Mood.STALL, Mood.DROP, Mood.RESET, Mood.GARBAGE, Mood.TRUNCATED, Mood.ABSENT]
)
def test_a_fault_is_said_within_2_s_and_pictures_are_back_within_5(mood: Mood) -> None:
    with watching() as (server, watcher):
        broke_s = time.monotonic()
        server.mood = mood
        last = server.sent
        said_s = watcher.wait_for_loss(broke_s)
        assert said_s - broke_s < 2.0
        time.sleep(0.5)
        server.mood = Mood.WELL
        back_s = time.monotonic()
        assert watcher.wait_for_picture(back_s) - back_s < 5.0
        # What was shown was whole: nothing but pictures that were sent, and none of the past.
        numbers = [read_number(o.frame.pixels) for _, o in watcher.seen]
        assert numbers == sorted(set(numbers))
        shown_while_lost = [
            read_number(o.frame.pixels) for at, o in watcher.seen if said_s < at < back_s
        ]
        assert all(number <= last + 1 for number in shown_while_lost)


@pytest.mark.slow
def test_the_attempts_are_counted_until_it_is_back() -> None:
    with watching() as (server, watcher):
        broke_s = time.monotonic()
        server.mood = Mood.ABSENT
        watcher.wait_for_loss(broke_s)
        time.sleep(3)
        server.mood = Mood.WELL
        watcher.wait_for_picture(time.monotonic())
        attempts = [s.attempt for _, s in watcher.states if s.condition is CameraCondition.LOST]
        assert attempts == list(range(1, len(attempts) + 1))
        assert len(attempts) >= 3
        assert watcher.states[-1][1].condition is CameraCondition.LIVE


@pytest.mark.slow
def test_one_that_takes_the_call_but_shows_nothing_is_not_back() -> None:
    with watching() as (server, watcher):
        broke_s = time.monotonic()
        server.mood = Mood.STALL
        watcher.wait_for_loss(broke_s)
        time.sleep(4)
        lost = [state for _, state in watcher.states[1:]]
        assert lost[0].condition is CameraCondition.SILENT
        assert {state.condition for state in lost[1:]} == {CameraCondition.LOST}
        assert len(lost[1:]) >= 2


@pytest.mark.slow
def test_a_frozen_picture_closes_the_shutter_and_stays_frozen_after_a_reconnect() -> None:
    with watching() as (server, watcher):
        server.mood = Mood.FROZEN
        froze_s = time.monotonic()
        watcher.wait_for_picture(froze_s + FROZEN_AFTER_S + 0.5)
        assert findings_of(watcher) == ("the picture is frozen",)
        # A relay lost its camera, broke off, and begins again with the picture it kept.
        server.hang_up()
        watcher.wait_for_loss(froze_s)
        watcher.forget()
        watcher.wait_for_picture()
        assert findings_of(watcher) == ("the picture is frozen",)
        server.mood = Mood.WELL
        watcher.wait_for_picture(time.monotonic() + 0.3)
        assert findings_of(watcher) == ()


def test_a_covered_lens_closes_the_shutter() -> None:
    with watching() as (server, watcher):
        server.mood = Mood.BLACK
        watcher.wait_for_picture(time.monotonic() + 0.3)
        assert findings_of(watcher) == ("the picture is black: is the lens covered?",)


def findings_of(watcher: Watcher) -> tuple[str, ...]:
    """Why the shutter is closed at the moment the newest picture was seen."""
    at, observation = watcher.seen[-1]
    return inspect_shot(observation, at).closed


def test_a_change_of_size_is_no_fault() -> None:
    with watching() as (server, watcher):
        server.mood = Mood.OTHER_SIZE
        watcher.wait_for_picture(time.monotonic() + 0.2)
        assert watcher.seen[-1][1].frame.width == 320
        assert {state.condition for _, state in watcher.states} == {CameraCondition.LIVE}


def test_closing_does_not_wait_for_a_camera_that_is_stuck() -> None:
    with watching() as (server, watcher):
        server.mood = Mood.STALL
        time.sleep(0.3)
        started_s = time.monotonic()
        watcher.observer.close()
        assert time.monotonic() - started_s < 4


@pytest.mark.parametrize(
    "source",
    ["anna:secret@cam/video", "http:/anna:secret@cam/video", "anna:secret@cam://video"],
)
def test_what_may_be_an_address_is_not_repeated(source: str) -> None:
    with pytest.raises(CameraError) as fault:
        open_camera(source)
    assert "secret" not in str(fault.value)


def test_a_camera_may_send_on_to_a_path_with_an_at_sign() -> None:
    with MjpegServer() as server:
        server.moved = "/video@1?a=@"
        server.login = Login("anna", "secret")
        open_camera(f"http://anna:secret@127.0.0.1:{server.port}/moved").close()
        assert server.requests[-1].startswith("GET /video%401?a=%40")
