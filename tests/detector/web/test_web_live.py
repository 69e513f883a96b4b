"""The live view in a browser: newest pictures, events, commands, figures, and many clients."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from detector.drawing.overlay import Readout
from detector.screens.base import Controls, Counts, LiveView
from detector.screens.commands import (
    CorrectLabel,
    NextPicture,
    SetThreshold,
    TakeSnapshot,
    ToggleMirror,
    TogglePause,
    ToggleRecording,
    UseCamera,
)
from detector.web.views.counting import CountedSecond, FaceCounts
from detector.web.views.hub import ViewHub
from detector.web.views.monitoring import judge_health
from maskage.classes.ready_made import MASK_AGE
from maskage.formats.bundle import ModelBundle
from maskage.pictures.images import decode_image
from tests.detector.web.web_server import (
    TOKEN,
    Served,
    as_stale,
    make_face,
    make_view,
    serving,
    wait_until,
)


@pytest.fixture
def served(bundle: ModelBundle) -> Iterator[Served]:
    with serving(bundle) as opened:
        yield opened


@contextmanager
def showing(served: Served, fps: float = 50.0) -> Iterator[list[float]]:
    """Show a view after the other; gives the seconds that each call took."""
    took_s: list[float] = []
    stop = threading.Event()

    def show() -> None:
        number = 0
        while not stop.wait(1 / fps):
            view = make_view(number)
            started_s = time.perf_counter()
            served.screen.show(view)
            took_s.append(time.perf_counter() - started_s)
            number += 1

    thread = threading.Thread(target=show)
    thread.start()
    try:
        yield took_s
    finally:
        stop.set()
        thread.join()


def read_pictures(answer: httpx.Response) -> Iterator[bytes]:
    """The JPEGs of an MJPEG answer."""
    buffer = b""
    for data in answer.iter_raw():
        buffer += data
        while (head_end := buffer.find(b"\r\n\r\n")) >= 0:
            size = int(buffer[:head_end].rpartition(b"Content-Length: ")[2])
            if len(buffer) < head_end + 4 + size:
                break
            yield buffer[head_end + 4 : head_end + 4 + size]
            buffer = buffer[head_end + 4 + size :]


def read_events(answer: httpx.Response) -> Iterator[tuple[str, object]]:
    """Names and data of server-sent events."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield name, json.loads(line[6:])


def first_view(served: Served) -> dict[str, object]:
    with served.client.stream("GET", "/events") as answer:
        for name, data in read_events(answer):
            if name == "view":
                assert isinstance(data, dict)
                return data
    raise AssertionError("no view")


def brightness(jpeg: bytes) -> float:
    """Of the upper left corner, where nothing is drawn."""
    return float(decode_image(jpeg)[:20, :20].mean())


def test_the_stream_shows_the_newest_picture_whole(served: Served) -> None:
    served.screen.show(make_view(10))
    with served.client.stream("GET", "/stream.mjpg") as answer:
        assert answer.headers["content-type"].startswith("multipart/x-mixed-replace; boundary=")
        pictures = read_pictures(answer)
        assert brightness(next(pictures)) == pytest.approx(10, abs=2)
        for number in (60, 110, 160):
            served.screen.show(make_view(number))
            assert brightness(next(pictures)) == pytest.approx(number, abs=2)


def test_a_stream_begins_with_what_is_new_not_with_what_was_drawn_long_ago(served: Served) -> None:
    served.screen.show(make_view(10))
    with served.client.stream("GET", "/stream.mjpg") as answer:
        next(read_pictures(answer))
    wait_until(lambda: served.screen._parts.watchers.taken == 0)
    for number in range(100, 200):
        served.screen.show(make_view(number))
    with served.client.stream("GET", "/stream.mjpg") as answer:
        assert brightness(next(read_pictures(answer))) == pytest.approx(199, abs=2)


def test_a_slow_client_delays_neither_the_live_view_nor_another_client(served: Served) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    with (
        socket.create_connection(("127.0.0.1", served.port)) as slow,
        served.client.stream("GET", "/stream.mjpg") as answer,
    ):
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(
            f"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
            "".encode()
        )
        took_s = []
        pictures = read_pictures(answer)
        for number in range(60):
            started_s = time.perf_counter()
            served.screen.show(make_view(number, pixels=noise))
            took_s.append(time.perf_counter() - started_s)
            next(pictures)
    # A picture of noise takes some 300 kB: the slow client could never have taken them.
    assert sorted(took_s)[len(took_s) // 2] < 0.001
    assert max(took_s) < 0.2


def test_a_slow_client_goes_on_with_a_new_picture(served: Served) -> None:
    noise = np.random.default_rng(0).integers(0, 60, (480, 640, 3), dtype=np.uint8)
    with served.client.stream("GET", "/stream.mjpg") as answer:
        pictures = read_pictures(answer)
        with showing(served):
            next(pictures)
            time.sleep(0.2)
        for number in range(300):
            pixels = noise + np.uint8(min(number // 2, 150))
            served.screen.show(make_view(number, pixels=pixels))
            time.sleep(0.005)
        seen = 0
        while brightness(next(pictures)) < 175:
            seen += 1
    # What lay in the buffers between, and not 300.
    assert seen < 60


def test_drawing_costs_nothing_while_nobody_watches() -> None:
    hub = ViewHub(MASK_AGE)
    try:
        for number in range(50):
            hub.put(make_view(number))
        time.sleep(0.2)
        assert hub.picture is None
        assert hub.newest is not None
        assert hub.newest.number == 50
        with hub.watching():
            wait_until(lambda: hub.picture is not None and hub.picture.number == 50)
    finally:
        hub.close()


def test_watchers_are_limited_and_a_seat_comes_free(served: Served) -> None:
    served.screen.show(make_view())
    streams = [served.client.stream("GET", "/stream.mjpg") for _ in range(8)]
    answers = [stream.__enter__() for stream in streams]
    # Kept: a reader that is thrown away ends its stream.
    readers = [read_pictures(answer) for answer in answers]
    for reader in readers:
        next(reader)
    refused = served.client.get("/stream.mjpg")
    assert refused.status_code == 503
    assert "retry-after" in refused.headers
    for stream in streams:
        stream.__exit__(None, None, None)
    wait_until(lambda: served.screen._parts.watchers.taken == 0)
    with served.client.stream("GET", "/stream.mjpg") as answer:
        assert answer.status_code == 200


def test_a_client_that_reads_nothing_is_cut_off(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.web.access.protocol.UNREAD_TIMEOUT_S", 0.5)
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    with socket.create_connection(("127.0.0.1", served.port)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(
            f"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
            "".encode()
        )
        for number in range(20):
            served.screen.show(make_view(number, pixels=noise))
            time.sleep(0.05)
        wait_until(lambda: served.screen._parts.watchers.taken == 0)


def test_an_event_holds_faces_status_controls_and_counts(served: Served) -> None:
    faces = (make_face(3, "mask_young", 0.91), make_face(4, confidence=0.4, is_sure=False))
    controls = Controls(
        threshold=0.62,
        recording=Path("/home/somebody/recordings/a.mp4"),
        selected=4,
        source=1,
        sources=("demo camera", "webcam 1"),
        correcting=None,
    )
    readout = Readout(fps=24.04, age_ms=31.06, notice="a notice", message="saved x.jpg")
    served.screen.show(make_view(12, faces, readout, controls, is_mirrored=True))
    view = first_view(served)
    assert view["frame"] == 12
    assert view["time_s"] == 1.2
    assert isinstance(view["faces"], list)
    assert view["faces"][0]["track"] == 3
    assert view["faces"][0]["label"] == "mask_young"
    assert view["faces"][0]["confidence"] == 0.91
    assert view["faces"][0]["probabilities"]["mask_old"] == 0.03
    assert view["faces"][1]["unsure"] is True
    assert view["status"] == {
        "fps": 24.0,
        "age_ms": 31.1,
        "stale_s": None,
        "is_paused": False,
        "is_mirrored": True,
        "message": "saved x.jpg",
        "notice": "a notice",
    }
    assert view["controls"] == {
        "threshold": 0.62,
        "recording": "a.mp4",
        "selected": 4,
        "source": 1,
        "sources": ["demo camera", "webcam 1"],
        "correcting": None,
    }
    assert view["counts"] == {"frames": 13, "dropped": 7, "reconnects": 2}


def test_events_come_at_most_ten_a_second_and_the_newest_each_time(served: Served) -> None:
    with showing(served, fps=100) as took_s, served.client.stream("GET", "/events") as answer:
        started_s = time.monotonic()
        numbers, behind = [], []
        for name, data in read_events(answer):
            if name == "view":
                assert isinstance(data, dict)
                numbers.append(data["view"])
                behind.append(len(took_s) - data["view"])
            if time.monotonic() - started_s > 2:
                break
    assert 5 <= len(numbers) <= 22
    assert numbers == sorted(set(numbers))
    assert numbers[-1] - numbers[0] > 2 * len(numbers)
    assert np.median(behind) < 20


def test_counts_come_with_the_history_first_and_beats_in_the_silence(served: Served) -> None:
    with showing(served):
        time.sleep(2.3)
    with served.client.stream("GET", "/events") as answer:
        events = read_events(answer)
        name, rows = next(events)
        assert name == "counts"
        assert isinstance(rows, list)
        assert len(rows) >= 1
        assert rows[0][1:] == [1.0, 0.0, 0.0]
        names = [next(events)[0] for _ in range(3)]
    assert "view" in names
    assert "beat" in names


def test_events_come_as_json_lines_too(served: Served) -> None:
    served.screen.show(make_view(5))
    with served.client.stream("GET", "/events?format=jsonl") as answer:
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert json.loads(next(answer.iter_lines()))["frame"] == 5
    assert served.client.get("/events?format=xml").status_code == 422


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ({"command": "toggle_pause"}, TogglePause()),
        ({"command": "toggle_mirror"}, ToggleMirror()),
        ({"command": "take_snapshot"}, TakeSnapshot()),
        ({"command": "toggle_recording"}, ToggleRecording()),
        ({"command": "next_picture"}, NextPicture()),
        ({"command": "use_camera", "index": 1}, UseCamera(1)),
        ({"command": "set_threshold", "value": 0.75}, SetThreshold(0.75)),
        (
            {"command": "correct_label", "label": "nomask_old", "track": 3},
            CorrectLabel("nomask_old", 3),
        ),
        ({"command": "correct_label", "label": "mask_old"}, CorrectLabel("mask_old", None)),
    ],
)
def test_a_command_arrives_at_the_desk(
    served: Served, body: dict[str, object], command: object
) -> None:
    served.screen.show(make_view())
    assert served.client.post("/commands", json=body).status_code == 202
    assert served.desk.take() == [command]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b"\xff\xfe", 422),
        (b'{"command": "quit"}', 422),
        (b'{"command": "toggle_pause", "more": 1}', 422),
        (b'{"command": "set_threshold", "value": 1.5}', 422),
        (b'{"command": "set_threshold", "value": NaN}', 422),
        (b'{"command": "use_camera", "index": 2}', 422),
        (b'{"command": "use_camera", "index": -1}', 422),
        (b'{"command": "correct_label", "label": "masked", "track": 1}', 422),
        (b'{"command": "correct_label", "label": "mask_old", "track": 0}', 422),
        (b"[" * 16_000, 400),
        (b" " * 20_000, 413),
    ],
)
def test_a_malformed_command_is_refused_with_a_reason(
    served: Served, body: bytes, status: int
) -> None:
    served.screen.show(make_view())
    headers = {"Content-Type": "application/json"}
    answer = served.client.post("/commands", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert served.desk.take() == []


def test_a_command_is_json_and_not_a_form_of_another_page(served: Served) -> None:
    served.screen.show(make_view())
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = served.client.post(
            "/commands", content=b'{"command": "toggle_pause"}', headers={"Content-Type": kind}
        )
        assert answer.status_code in (415, 422)
    assert served.desk.take() == []


def test_a_flood_of_commands_is_held_back(served: Served) -> None:
    served.screen.show(make_view())
    statuses = [
        served.client.post("/commands", json={"command": "take_snapshot"}).status_code
        for _ in range(100)
    ]
    assert statuses[:30] == [202] * 30
    assert statuses.count(429) > 20
    assert len(served.desk.take()) == statuses.count(202)


def test_before_the_first_view_there_is_nothing_to_command_or_show(served: Served) -> None:
    command = {"command": "toggle_pause"}
    assert served.client.post("/commands", json=command).status_code == 409
    assert served.client.get("/health").json() == {"status": "starting"}
    assert served.client.get("/snapshot.jpg").status_code == 503


def test_a_snapshot_is_the_newest_picture(served: Served) -> None:
    for number in (20, 90):
        served.screen.show(make_view(number))
        answer = served.client.get("/snapshot.jpg")
        assert answer.headers["content-type"] == "image/jpeg"
        assert brightness(answer.content) == pytest.approx(number, abs=2)


def test_health_tells_live_paused_and_stale(served: Served) -> None:
    with served.stranger() as monitor:
        served.screen.show(make_view())
        answer = monitor.get("/health")
        assert (answer.status_code, answer.json()) == (200, {"status": "live"})
        served.screen.show(make_view(1, readout=Readout(is_paused=True)))
        answer = monitor.get("/health")
        assert (answer.status_code, answer.json()) == (200, {"status": "paused"})
        served.screen.show(as_stale(make_view(2), 4.0))
        answer = monitor.get("/health")
        assert (answer.status_code, answer.json()) == (503, {"status": "stale"})
        # Some monitors ask for no more than the status.
        assert monitor.head("/health").status_code == 503


def test_a_live_loop_that_hangs_is_no_good_health() -> None:
    hub = ViewHub(MASK_AGE)
    try:
        hub.put(make_view())
        assert hub.newest is not None
        assert judge_health(hub, hub.newest.put_s + 1) == "live"
        assert judge_health(hub, hub.newest.put_s + 6) == "stuck"
    finally:
        hub.close()


def read_metrics(served: Served) -> dict[tuple[str, str], float]:
    """Value by name and by its label values, joined."""
    text = served.client.get("/metrics").text
    return {
        (sample.name, " ".join(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_metrics_are_what_prometheus_reads(served: Served) -> None:
    faces = (make_face(1, "mask_old"), make_face(2, "nomask_young", 0.4, is_sure=False))
    view = make_view(41, faces)
    served.screen.show(view)
    # The same frame again, as while paused, is not counted twice.
    served.screen.show(view)
    served.screen.show(make_view(42, (make_face(),)))
    metrics = read_metrics(served)
    assert metrics["detector_frames_total", ""] == 43
    assert metrics["detector_frames_dropped_total", ""] == 7
    assert metrics["detector_reconnects_total", ""] == 2
    assert 0 < metrics["detector_frame_age_seconds", ""] < 10
    assert metrics["detector_faces_total", "mask_old"] == 2
    assert metrics["detector_faces_total", "nomask_young"] == 0
    assert metrics["detector_faces_total", "unsure"] == 1
    assert metrics["detector_faces_shown", "mask_old"] == 1
    assert metrics["detector_stale", ""] == 0
    served.screen.show(as_stale(make_view(43), 3.0))
    assert read_metrics(served)["detector_stale", ""] == 1


def test_requests_are_counted_by_pattern_and_never_by_what_was_asked(served: Served) -> None:
    for number in range(20):
        served.client.get(f"/no/such/{number}")
        served.client.get(f"/page/none-{number}.js")
        served.client.request(f"METHOD{number}", "/about")
    metrics = read_metrics(served)
    requests = {labels: n for (name, labels), n in metrics.items() if "requests_total" in name}
    assert requests["GET other 404"] == 20
    assert requests["GET /page/{name} 404"] == 20
    assert sum(n for labels, n in requests.items() if labels.startswith("other")) == 20
    assert len(requests) < 8


def test_the_description_names_every_route_that_programs_use(served: Served) -> None:
    paths = served.client.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        "/stream.mjpg",
        "/snapshot.jpg",
        "/events",
        "/commands",
        "/classify",
        "/health",
        "/metrics",
        "/about",
        "/session",
        "/signed-addresses",
        "/history",
        "/history/alarms/{number}",
        "/history/{kind}/{name}",
    }
    assert "multipart/form-data" in paths["/classify"]["post"]["requestBody"]["content"]


def test_seconds_are_counted_as_means_over_their_frames() -> None:
    now = [100.0]
    counts = FaceCounts(MASK_AGE, lambda: now[0], kept_s=3)
    assert counts.seconds() == []
    masked, bare = make_face(1, "mask_old"), make_face(2, "nomask_old")
    for faces in ((masked, bare), (masked,), (masked,), ()):
        counts.add(faces)
    assert counts.seconds() == []
    now[0] = 101.2
    assert counts.seconds() == [CountedSecond(100, (0.75, 0.25), 0.0)]
    counts.add((make_face(is_sure=False),))
    now[0] = 103.0
    assert counts.seconds()[1:] == [CountedSecond(101, (0.0, 0.0), 1.0)]
    now[0] = 104.5
    assert [second.at_s for second in counts.seconds()] == [101]


def test_without_a_camera_there_is_no_live_view(bundle: ModelBundle) -> None:
    with serving(bundle, has_camera=False) as served:
        served.screen.show(make_view())
        assert served.client.get("/health").json() == {"status": "ready"}
        assert served.client.get("/about").json()["has_camera"] is False
        for path in ("/stream.mjpg", "/events", "/snapshot.jpg"):
            assert served.client.get(path).status_code == 404
        assert served.client.get("/metrics").status_code == 200


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc")
def test_thousands_of_requests_leave_threads_and_files_as_they_were(served: Served) -> None:
    served.screen.show(make_view())

    def ask(count: int) -> None:
        for number in range(count):
            path = ("/about", "/health", "/no/such", "/metrics")[number % 4]
            served.client.get(path)

    ask(100)
    before = threading.active_count(), _open_files()
    with showing(served, fps=20) as took_s:
        ask(2000)
    for _ in range(200):
        with served.stranger() as client:
            client.get("/about")
    wait_until(lambda: _open_files() <= before[1] + 2)
    assert threading.active_count() == before[0]
    assert np.median(took_s) < 0.001


def test_showing_costs_microseconds_with_clients_that_watch(served: Served) -> None:
    with (
        served.client.stream("GET", "/stream.mjpg") as pictures,
        served.client.stream("GET", "/events") as events,
        showing(served, fps=100) as took_s,
    ):
        drain(pictures, lambda: len(took_s) > 60)
        drain(events, lambda: len(took_s) > 120)
    assert np.median(took_s) < 0.0005


def drain(answer: httpx.Response, is_enough: Callable[[], bool]) -> None:
    for _ in answer.iter_raw():
        if is_enough():
            return


def test_a_view_with_many_faces_and_odd_names_stays_valid_json(served: Served) -> None:
    faces = tuple(make_face(number) for number in range(1, 60))
    controls = Controls(sources=('a "quoted"\n\nname', "</script>", "é\u2028"))
    view = make_view(1, faces, Readout(message='"\n\ndata: x'), controls)
    served.screen.show(LiveView(view.result, view.readout, False, controls, Counts()))
    shown = first_view(served)
    assert isinstance(shown["faces"], list)
    assert len(shown["faces"]) == 59
    assert isinstance(shown["controls"], dict)
    assert shown["controls"]["sources"] == list(controls.sources)


@pytest.mark.slow
@pytest.mark.usefixtures("no_face_model")
def test_ctrl_c_ends_the_live_view_at_once_with_a_stream_open(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    words = ["live", "--web", "--port", "0", "--source", "demo", "--model", str(bundle.folder)]
    with subprocess.Popen(
        [sys.executable, "-m", "detector.cli", *words],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores Ctrl-C, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stderr is not None
        url = next(line.split()[-1] for line in process.stderr if "?token=" in line)
        with httpx.Client(timeout=10, follow_redirects=True) as client:
            client.get(url)
            base = url.partition("?")[0]
            with client.stream("GET", f"{base}stream.mjpg") as answer:
                assert decode_image(next(read_pictures(answer))).shape == (480, 640, 3)
            with client.stream("GET", f"{base}events") as answer:
                views = (data for name, data in read_events(answer) if name == "view")
                assert next(views)
                started_s = time.monotonic()
                process.send_signal(signal.SIGINT)
                process.wait(10)
        assert process.returncode == 130
        assert time.monotonic() - started_s < 3


def test_a_headless_live_view_loads_no_web_framework() -> None:
    code = (
        "import sys, detector.live.session; "
        "print([name for name in ('fastapi', 'uvicorn', 'pydantic') if name in sys.modules])"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "[]"
