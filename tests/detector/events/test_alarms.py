"""Alarms are raised when they should be, do what was asked for, and never hold up a frame."""

import base64
import gc
import json
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.events.alarm_actions import WAITING_ALARMS, Alarm, CommandAction
from detector.events.alarm_options import AlarmSettings, add_alarm_options, read_alarm_rules
from detector.events.alarms import Alarms, AlarmSummary, require_all_done
from detector.events.webhooks import MOST_PAUSE_S, WebhookAction, read_retry_after
from detector.tracking.pipeline import FrameResult, Timings
from detector.tracking.tracker import TrackedFace
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import Scheme
from maskage.commands.parser import CommandParser
from maskage.errors import EnvironmentProblemError, UsageError
from maskage.records import FaceBox, Frame

PIXELS = np.zeros((48, 64, 3), np.uint8)
NO_MASK = frozenset({"nomask_old", "nomask_young"})
ALARM = Alarm("nomask_old", 3, 0.93124, 12.4804, "2026-03-01T10:20:30.123+00:00", "webcam 0")

# Keeps what it was given, one file for each alarm, whole before it is seen.
RECORD = """
import json, os, pathlib, sys
folder = pathlib.Path(sys.argv[1])
seen = {k: v for k, v in os.environ.items() if k.startswith("MASKAGE_")}
(folder / "part").write_text(json.dumps({"stdin": json.load(sys.stdin), "environment": seen}))
(folder / "part").rename(folder / f"{len(list(folder.glob('*.json'))):03d}.json")
"""
# Says who it and its child are, then hangs.
HANG = 'sleep 600 & echo $$ $! > "$0.part"; mv "$0.part" "$0"; wait'


def record_into(folder: Path) -> tuple[str, ...]:
    return (sys.executable, "-c", RECORD, str(folder))


def hang(pids: Path) -> tuple[str, ...]:
    return ("sh", "-c", HANG, str(pids))


def read_pids(pids: Path) -> list[int]:
    return [int(word) for word in pids.read_text().split()]


def face(
    label: str = "nomask_old", track: int = 1, *, is_sure: bool = True, is_guide: bool = False
) -> TrackedFace:
    p = tuple(0.91 if label == other else 0.03 for other in MASK_AGE.labels)
    return TrackedFace(
        track, FaceBox(1, 2, 30, 40), label, p, p, is_sure, is_guide, scheme=MASK_AGE
    )


def frame(position_s: float, *faces: TrackedFace, file: str | None = None) -> FrameResult:
    return FrameResult(
        Frame(PIXELS, 0, 0.0, position_s, file), faces, Timings(0.0, 0.0, 0.0, 0.0), MASK_AGE
    )


def wait_for(is_so: Callable[[], object], timeout_s: float = 20.0) -> None:
    until_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until_s, "it did not happen in time"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet reaped by init does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def alarm_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "alarm"]


@pytest.fixture
def records(tmp_path: Path) -> Callable[[], list[dict[str, Any]]]:
    """What the program RECORD kept in `tmp_path`."""
    return lambda: [json.loads(path.read_text()) for path in sorted(tmp_path.glob("*.json"))]


class Hook(ThreadingHTTPServer):
    """A server on loopback that keeps what is posted and answers as it is told."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Answer)
        self.retry_after: str | None = None
        self.statuses: list[int] = []
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.is_silent = self.is_trickling = False
        self.closing = threading.Event()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, dict(self.headers), body))
        if self.server.is_silent:
            self.server.closing.wait()
            return
        while self.server.is_trickling and not self.server.closing.wait(0.05):
            try:
                self.wfile.write(b"H")
            except OSError:
                return
        status = self.server.statuses.pop(0) if self.server.statuses else 204
        self.send_response(status)
        if self.server.retry_after is not None:
            self.send_header("Retry-After", self.server.retry_after)
        if 300 <= status < 400:
            self.send_header("Location", f"http://{self.server.address}/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """No thread of an alarm outlives its test."""
    yield
    assert alarm_threads() == []


# When


def times_raised(settings: AlarmSettings, *frames: FrameResult) -> list[float]:
    """Positions of the frames at which an alarm was raised."""
    times = []
    with Alarms(settings, "test") as alarms:
        for result in frames:
            before = alarms.summary.raised
            alarms.update(result)
            if alarms.summary.raised > before:
                times.append(result.frame.position_s)
    return times


def test_a_face_raises_an_alarm_once_it_has_held_and_again_after_the_cool_down() -> None:
    frames = [frame(n / 10, face()) for n in range(100)]
    settings = AlarmSettings(NO_MASK, on_for_s=0.5, cool_down_s=3.0)
    assert times_raised(settings, *frames) == [0.5, 3.5, 6.5, 9.5]


def test_neither_an_unsure_face_nor_another_label_raises_an_alarm() -> None:
    unsure = [frame(n / 10, face(is_sure=False)) for n in range(20)]
    masked = [frame(2 + n / 10, face("mask_old")) for n in range(20)]
    assert times_raised(AlarmSettings(NO_MASK), *unsure, *masked) == []


def test_a_moment_of_doubt_begins_the_wait_anew() -> None:
    frames = [frame(n / 10, face(is_sure=n != 1)) for n in range(20)]
    # 0.7 - 0.2 is a little less than 0.5.
    assert times_raised(AlarmSettings(NO_MASK, on_for_s=0.5), *frames) == [0.7]


def test_changing_between_two_labels_that_are_asked_for_is_no_doubt() -> None:
    frames = [frame(n / 10, face(sorted(NO_MASK)[n % 2])) for n in range(8)]
    assert times_raised(AlarmSettings(NO_MASK, on_for_s=0.5), *frames) == [0.5]


def test_a_track_that_flickers_raises_one_alarm_in_the_cool_down() -> None:
    shown = ["nomask_old", "mask_old"]
    frames = [frame(n / 10, face(shown[n // 8 % 2])) for n in range(300)]
    assert times_raised(AlarmSettings(NO_MASK, cool_down_s=30.0), *frames) == [0.5]


def test_faces_that_come_one_after_the_other_share_the_cool_down() -> None:
    frames = [frame(n / 10, face(track=1 + n // 10)) for n in range(100)]
    assert times_raised(AlarmSettings(NO_MASK, cool_down_s=4.0), *frames) == [0.5, 4.5, 8.5]


def test_of_two_faces_the_one_without_an_alarm_has_the_next(
    tmp_path: Path, records: Callable[[], list[dict[str, Any]]]
) -> None:
    settings = AlarmSettings(NO_MASK, (record_into(tmp_path),), cool_down_s=2.0)
    with Alarms(settings, "test", close_s=20) as alarms:
        for n in range(50):
            alarms.update(frame(n / 10, face(track=1), face(track=2)))
    assert [record["stdin"]["track"] for record in records()] == [1, 2, 1]


def test_a_guide_face_counts_like_any_other() -> None:
    frames = [frame(n / 10, face(is_guide=True)) for n in range(8)]
    assert times_raised(AlarmSettings(NO_MASK), *frames) == [0.5]


def test_a_picture_of_a_folder_raises_an_alarm_at_once() -> None:
    frames = [frame(float(n), face(track=n), file=f"{n}.jpg") for n in range(10)]
    assert times_raised(AlarmSettings(NO_MASK, cool_down_s=4.0), *frames) == [0.0, 4.0, 8.0]


def test_time_goes_on_where_a_source_begins_anew() -> None:
    before = [frame(100 + n / 10, face()) for n in range(10)]
    after = [frame(n / 10, face(track=2)) for n in range(40)]
    settings = AlarmSettings(NO_MASK, cool_down_s=3.0)
    # Of the cool-down, 0.4 s were over when the source was lost.
    assert times_raised(settings, *before, *after) == [100.5, 2.6]


def test_tracks_that_have_gone_are_forgotten() -> None:
    with Alarms(AlarmSettings(NO_MASK), "test") as alarms:
        for n in range(5000):
            alarms.update(frame(n / 10, face(track=n)))
        gc.collect()  # What other tests left.
        remembered = sum(type(thing).__name__ == "_Watch" for thing in gc.get_objects())
    assert 1 <= remembered <= 11


# What


def test_a_command_gets_the_alarm_on_stdin_and_in_its_environment(
    tmp_path: Path, records: Callable[[], list[dict[str, Any]]]
) -> None:
    settings = AlarmSettings(NO_MASK, (record_into(tmp_path),))
    with Alarms(settings, "photos", close_s=20) as alarms:
        alarms.update(frame(7.12345, face(track=4), file="$(touch x); ä.jpg"))
    assert alarms.summary == AlarmSummary(1, 1, 0, 0)
    [record] = records()
    at = record["stdin"].pop("at")
    assert at.endswith("+00:00")
    assert record["stdin"] == {
        "event": "label",
        "label": "nomask_old",
        "track": 4,
        "confidence": 0.91,
        "time_s": 7.123,
        "source": "photos",
        "file": "$(touch x); ä.jpg",
    }
    assert record["environment"] == {
        "MASKAGE_LABEL": "nomask_old",
        "MASKAGE_TRACK": "4",
        "MASKAGE_CONFIDENCE": "0.91",
        "MASKAGE_TIME_S": "7.123",
        "MASKAGE_AT": at,
        "MASKAGE_SOURCE": "photos",
        "MASKAGE_FILE": "$(touch x); ä.jpg",
    }


def test_where_there_is_no_file_none_is_told() -> None:
    assert "file" not in json.loads(ALARM.to_json())
    assert ALARM.to_environment()["MASKAGE_FILE"] == ""


def test_frames_go_on_while_a_command_hangs_and_the_end_kills_it_with_its_children(
    tmp_path: Path,
) -> None:
    told: list[str] = []
    settings = AlarmSettings(NO_MASK, (hang(tmp_path / "pids"),), cool_down_s=1.0)
    with Alarms(settings, "test", told.append, close_s=0.0) as alarms:
        alarms.update(frame(0.0, face()))
        alarms.update(frame(1.0, face()))
        wait_for((tmp_path / "pids").exists)
        for n in range(2, 5000):
            alarms.update(frame(float(n), face()))
        pids = read_pids(tmp_path / "pids")
        assert all(map(is_alive, pids))
        assert len(alarm_threads()) == 1
        assert alarms.summary == AlarmSummary(4999, 0, 0, 4999 - 1 - WAITING_ALARMS)
    wait_for(lambda: not any(map(is_alive, pids)))
    assert alarms.summary == AlarmSummary(4999, 0, 1, 4998)
    assert told == [
        "--exec sh: still ran at the end and was killed. Further failures are only counted."
    ]


def test_a_command_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    action = CommandAction(hang(tmp_path / "pids"), timeout_s=1.5)
    with pytest.raises(EnvironmentProblemError, match=r"still ran after 1\.5 s and was killed"):
        action.carry_out(ALARM)
    pids = read_pids(tmp_path / "pids")
    wait_for(lambda: not any(map(is_alive, pids)))


def test_a_command_that_fails_is_told_once_and_counted(tmp_path: Path) -> None:
    told: list[str] = []
    settings = AlarmSettings(NO_MASK, (("sh", "-c", "exit 7"),), cool_down_s=1.0)
    with Alarms(settings, "test", told.append, close_s=20) as alarms:
        for n in range(4):
            alarms.update(frame(float(n), face()))
    assert alarms.summary == AlarmSummary(3, 0, 3, 0)
    assert told == ["--exec sh: ended with code 7. Further failures are only counted."]


class _Faulty:
    """An action of which the first run has a bug."""

    name = "faulty"

    def __init__(self) -> None:
        self.runs = 0

    def carry_out(self, alarm: Alarm) -> None:
        self.runs += 1
        if self.runs == 1:
            raise RuntimeError("a bug")

    def stop(self) -> None: ...


def test_a_bug_in_an_action_is_a_failure_and_the_next_alarm_is_carried_out() -> None:
    said: list[str] = []
    with Alarms(
        AlarmSettings(frozenset({"nomask_old"})), "test", said.append, more_actions=[_Faulty()]
    ) as alarms:
        for number in range(2):
            for at_s in (0.0, 0.6):
                alarms.update(frame(100.0 * number + at_s, face(track=number)))
    assert (alarms.summary.done, alarms.summary.failed) == (1, 1)
    assert "a bug" in said[0]


def test_a_command_may_leave_its_stdin_unread_and_what_it_prints_is_discarded(
    capfd: pytest.CaptureFixture[str],
) -> None:
    CommandAction(("sh", "-c", "exec <&-; echo out; echo err >&2")).carry_out(ALARM)
    assert capfd.readouterr() == ("", "")


def test_a_program_that_has_gone_is_a_failure_of_the_alarm(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblemError, match=r"cannot be started \(No such file"):
        CommandAction((str(tmp_path / "gone"),)).carry_out(ALARM)


def test_a_webhook_is_posted_the_alarm_with_the_name_and_password_of_its_address(
    hook: Hook,
) -> None:
    settings = AlarmSettings(NO_MASK, webhooks=(f"http://me:p%40ss@{hook.address}/a?b=c d",))
    with Alarms(settings, "webcam 0", close_s=20) as alarms:
        alarms.update(frame(0.0, face()))
        alarms.update(frame(0.5, face()))
    assert alarms.summary == AlarmSummary(1, 1, 0, 0)
    [(path, headers, body)] = hook.posts
    assert path == "/a?b=c%20d"
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == f"Basic {base64.b64encode(b'me:p@ss').decode()}"
    event = json.loads(body)
    assert event.pop("at")
    assert event == {
        "event": "label",
        "label": "nomask_old",
        "track": 1,
        "confidence": 0.91,
        "time_s": 0.5,
        "source": "webcam 0",
    }


def test_a_webhook_that_fails_is_tried_again(hook: Hook) -> None:
    hook.statuses = [503, 500, 200]
    WebhookAction(f"http://{hook.address}/", backoff_s=(0.0, 0.0)).carry_out(ALARM)
    assert len(hook.posts) == 3


def test_a_webhook_that_keeps_failing_is_tried_four_times_and_told_without_password_and_path(
    hook: Hook,
) -> None:
    hook.statuses = [500] * 9
    told: list[str] = []
    url = f"http://me:secret@{hook.address}/token?key=1"
    settings = AlarmSettings(NO_MASK, webhooks=(url,), on_for_s=0.0)
    with Alarms(settings, "test", told.append, close_s=30) as alarms:
        alarms.update(frame(0.0, face()))
    assert len(hook.posts) == 4
    assert alarms.summary == AlarmSummary(1, 0, 1, 0)
    assert told == [
        f"--webhook http://{hook.address}/...: the answer is HTTP 500 (Internal Server Error). "
        f"Further failures are only counted."
    ]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_an_answer_that_may_be_another_later_is_asked_for_again(hook: Hook, status: int) -> None:
    hook.statuses = [status, 204]
    hook.retry_after = "0"
    WebhookAction(f"http://{hook.address}/", backoff_s=(0.0, 0.0)).carry_out(ALARM)
    assert len(hook.posts) == 2


@pytest.mark.parametrize("status", [302, 400, 401, 404, 410])
def test_an_answer_that_stays_is_not_asked_for_again(hook: Hook, status: int) -> None:
    hook.statuses = [status] * 3
    with pytest.raises(EnvironmentProblemError, match=f"HTTP {status}"):
        WebhookAction(f"http://{hook.address}/", backoff_s=(0.0, 0.0)).carry_out(ALARM)
    assert len(hook.posts) == 1


def test_a_server_that_is_started_anew_gets_the_alarm() -> None:
    with Hook() as first:
        port = first.server_port
    action = WebhookAction(f"http://127.0.0.1:{port}/", backoff_s=(0.05,) * 400)
    posting = threading.Thread(target=action.carry_out, args=(ALARM,))
    posting.start()
    posting.join(0.3)
    assert posting.is_alive()
    with Hook(port) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.02,))
        serving.start()
        posting.join(20)
        server.shutdown()
        serving.join()
    assert len(server.posts) == 1


def test_a_busy_server_says_when_to_come_back() -> None:
    now = datetime(2026, 3, 1, 10, 20, 30, tzinfo=UTC)
    asked = {
        None: 0.0,
        "7": 7.0,
        "86400": MOST_PAUSE_S,
        "Sun, 01 Mar 2026 10:20:42 GMT": 12.0,
        "Sun, 01 Mar 2026 10:20:00 GMT": 0.0,
        "Sun, 01 Mar 2026 10:20:42": 0.0,
        "-3": 0.0,
        "soon": 0.0,
        "²": 0.0,
    }
    assert {text: read_retry_after(text, now) for text in asked} == asked


def test_a_webhook_that_nobody_answers_fails() -> None:
    action = WebhookAction("http://127.0.0.1:9/", backoff_s=())
    with pytest.raises(EnvironmentProblemError, match="Connection refused"):
        action.carry_out(ALARM)


def test_a_webhook_follows_no_redirect(hook: Hook) -> None:
    hook.statuses = [307]
    with pytest.raises(EnvironmentProblemError, match=r"HTTP 307 .* name that address"):
        WebhookAction(f"http://{hook.address}/", backoff_s=()).carry_out(ALARM)
    assert [path for path, _, _ in hook.posts] == ["/"]


@pytest.mark.parametrize("is_trickling", [False, True])
def test_a_webhook_waits_for_its_answer_only_so_long(hook: Hook, is_trickling: bool) -> None:
    hook.is_silent, hook.is_trickling = not is_trickling, is_trickling
    with pytest.raises(EnvironmentProblemError, match=r"no answer within 0\.4 s"):
        WebhookAction(f"http://{hook.address}/", timeout_s=0.4, backoff_s=()).carry_out(ALARM)


def test_a_silent_webhook_delays_neither_frames_nor_a_command_and_the_end_hangs_up(
    hook: Hook, tmp_path: Path, records: Callable[[], list[dict[str, Any]]]
) -> None:
    hook.is_silent = True
    told: list[str] = []
    settings = AlarmSettings(
        NO_MASK, (record_into(tmp_path),), (f"http://{hook.address}/",), on_for_s=0.0
    )
    with Alarms(settings, "test", told.append, close_s=0.0) as alarms:
        alarms.update(frame(0.0, face()))
        wait_for(lambda: hook.posts and alarms.summary.done == 1)
        alarms.update(frame(30.0, face()))
        wait_for(lambda: alarms.summary.done == 2)
    # The first post was cut off, the second never begun.
    assert alarms.summary == AlarmSummary(2, 2, 1, 1)
    assert len(hook.posts) == 1
    assert len(records()) == 2
    assert told == [
        f"--webhook http://{hook.address}/...: no answer until the end. "
        f"Further failures are only counted."
    ]


def test_a_recording_comes_faster_than_its_alarms_and_none_is_dropped(
    tmp_path: Path, records: Callable[[], list[dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    slow = ("sh", "-c", 'sleep 0.2; exec "$@"', "slow", *record_into(tmp_path))
    settings = AlarmSettings(NO_MASK, (slow,), on_for_s=0.0, cool_down_s=1.0)
    with Alarms(settings, "test", close_s=20.0, keeps_all=True) as alarms:
        for n in range(3 * WAITING_ALARMS):
            alarms.update(frame(float(n), face()))
    assert alarms.summary == AlarmSummary(12, 12, 0, 0)
    assert len(records()) == 12
    assert "Waiting for " in capsys.readouterr().err


def test_the_wait_for_a_recordings_alarms_ends_where_none_gets_done(tmp_path: Path) -> None:
    settings = AlarmSettings(NO_MASK, (hang(tmp_path / "pids"),), on_for_s=0.0, cool_down_s=1.0)
    with Alarms(settings, "test", lambda _: None, close_s=0.5, keeps_all=True) as alarms:
        for n in range(7):
            alarms.update(frame(float(n), face()))
        wait_for((tmp_path / "pids").exists)
    assert alarms.summary == AlarmSummary(7, 0, 1, 6)
    with pytest.raises(EnvironmentProblemError, match=r"7 of 7 .* \(1 failed, 6 given up at the"):
        require_all_done(alarms.summary)


def test_an_exception_in_the_frame_loop_ends_the_alarms_too(tmp_path: Path) -> None:
    settings = AlarmSettings(NO_MASK, (hang(tmp_path / "pids"),), on_for_s=0.0)

    def watch() -> None:
        with Alarms(settings, "test", lambda _: None, close_s=0.0) as alarms:
            alarms.update(frame(0.0, face()))
            wait_for((tmp_path / "pids").exists)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch()
    pids = read_pids(tmp_path / "pids")
    wait_for(lambda: not any(map(is_alive, pids)))


# Options


def read(words: str, scheme: Scheme = MASK_AGE) -> AlarmSettings | None:
    parser = CommandParser(prog="test")
    add_alarm_options(parser)
    rules = read_alarm_rules(parser.parse_args(shlex.split(words)))
    return None if rules is None else rules.for_classes(scheme)


def test_without_options_there_are_no_alarms() -> None:
    assert read("") is None


def test_options_are_read_into_settings() -> None:
    words = "--on nomask_* --on mask_old --exec \"sh -c 'exit 1'\" --exec true --webhook http://h/x"
    assert read(f"{words} --on-for 2 --cool-down 5") == AlarmSettings(
        NO_MASK | {"mask_old"},
        (("sh", "-c", "exit 1"), ("true",)),
        ("http://h/x",),
        2.0,
        5.0,
        (("nomask_old", "nomask_*"), ("nomask_young", "nomask_*"), ("mask_old", "mask_old")),
    )


def test_a_face_holds_for_half_a_second_and_alarms_rest_for_thirty_by_default() -> None:
    settings = read("--on *_young --exec true")
    assert settings is not None
    assert settings.labels == {"mask_young", "nomask_young"}
    assert (settings.on_for_s, settings.cool_down_s) == (0.5, 30.0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--on nomask_*", "Add --exec CMD or --webhook URL"),
        ("--exec true", "Add --on PATTERN"),
        ("--webhook http://h", "Add --on PATTERN"),
        ("--cool-down 3", "Add --on PATTERN"),
        ("--on-for 3", "Add --on PATTERN"),
        ("--on nomask --exec true", "'nomask' matches no label. The labels are mask_old, mask_yo"),
        ("--on * --exec no-such-program-here", "no program 'no-such-program-here'"),
        ("--on * --exec ''", "--exec names no program"),
        ('--on * --exec "sh -c \'x"', "cannot be split into words: No closing quotation"),
        ("--on * --webhook ftp://h/", "an address like https://HOST/PATH"),
        ("--on * --webhook 'http://a b/'", "an address like https://HOST/PATH"),
        ("--on * --webhook http://h:port/", "its host or port is not valid"),
        ("--on * --webhook http:///path", "names no host"),
        ("--on * --exec true --on-for -1", "--on-for is a number of seconds from 0; found -1"),
        ("--on * --exec true --on-for nan", "--on-for is a number of seconds from 0; found nan"),
        ("--on * --exec true --cool-down 0", "--cool-down is a number of seconds above 0; found 0"),
        ("--on * --exec true --cool-down inf", "above 0; found inf"),
    ],
)
def test_what_cannot_be_asked_for_is_told(words: str, message: str) -> None:
    with pytest.raises(UsageError) as told:
        read(words)
    assert message in str(told.value)


@pytest.mark.parametrize("url", ["ftp://me:secret@h/", "http://me:secret@h:port/"])
def test_a_refused_address_does_not_show_its_password(url: str) -> None:
    with pytest.raises(UsageError) as told:
        read(f"--on * --webhook {url}")
    assert "secret" not in str(told.value)
