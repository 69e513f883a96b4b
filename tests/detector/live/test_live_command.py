"""What `detector live` and `detector serve` refuse, what they say at the end, and keep."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import pytest

from detector.cli import main
from detector.video.growing_file import FRAGMENT_S
from maskage.cameras.video.video_file import VideoFile
from maskage.formats.bundle import ModelBundle
from tests.detector.screens.test_terminal import read_until

pytestmark = pytest.mark.usefixtures("no_face_model")

USAGE = 2
ENVIRONMENT = 5
SUPPORT = ("camera-opener", "camera-reader", "recorder", "corrections")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, in which whatever is kept would lie."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--threshold", "2"], "--threshold is a share from 0 to 1; found 2"),
        (["--threshold", "-0.1"], "found -0.1"),
        (["--threshold", "nan"], "found nan"),
        (["--threshold", "high"], "'high'"),
        (["--seconds", "0"], "--seconds is a number above 0; found 0"),
        (["--seconds", "inf"], "found inf"),
        (["--frames", "-3"], "--frames is a number above 0; found -3"),
        (["--frames", "1.5"], "'1.5'"),
        (["--json", "-", "--csv", "-"], "--json - and --csv - both write to stdout"),
        (["--terminal", "--json", "-"], "--terminal both write to stdout"),
        (["--subject", "Jane Doe"], "found 'Jane Doe'"),
        (["--subject", "../p07"], "found '../p07'"),
        (["--subject", "x" * 41], "up to 40 letters"),
        (["--subject", "p07", "--self"], "not allowed with"),
        (["--headless", "--web"], "not allowed with"),
        (["--colour"], "--colour"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_opened(
    elsewhere: Path, capsys: pytest.CaptureFixture[str], words: list[str], found: str
) -> None:
    # No model and no camera is there: the refusal comes first.
    assert main(["live", *words]) == USAGE
    told = capsys.readouterr()
    assert found in told.err
    assert told.out == ""
    assert "Traceback" not in told.err
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
@pytest.mark.parametrize("words", [["--source", "demo"], ["--no-camera"]])
def test_other_machines_are_not_served_without_tls_and_a_password(
    capsys: pytest.CaptureFixture[str], bundle: ModelBundle, host: str, words: list[str]
) -> None:
    model = ["--model", str(bundle.folder), "--port", "0"]
    assert main(["serve", "--host", host, *model, *words]) == USAGE
    told = capsys.readouterr().err
    assert "TLS" in told
    assert "password" in told


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--port", "70000"], "found 70000"),
        (["--tls-cert", "cert.pem"], "only one of them"),
        (
            ["--password-file", "nowhere"],
            "The password cannot be read from nowhere (No such file or directory)",
        ),
        (["--threshold", "2"], "found 2"),
        (["--no-camera", "--record"], "--record needs a camera"),
        (["--no-camera", "--source", "demo"], "--source needs a camera"),
        (["--collect", "data", "--record"], "--collect without --source opens none"),
        (["--source", "demo", "--on", "*"], "Add --exec CMD or --webhook URL, or --mqtt URL."),
        (["--collect", __file__], "is no folder"),
        (["--no-camera", "--collect", __file__], "is no folder"),
        (["--no-camera", "--self"], "--self needs a camera"),
        (["--no-camera", "--on", "mask_old"], "--on needs a camera"),
        (["--collect", "data", "--record"], "--collect without --source"),
    ],
)
def test_serving_refuses_what_cannot_be_meant(
    capsys: pytest.CaptureFixture[str], words: list[str], found: str
) -> None:
    assert main(["serve", *words]) == USAGE
    assert found in capsys.readouterr().err


def test_help_names_the_keys_and_what_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["live", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "q quit, p pause, m mirror" in told
    assert "Nothing is kept unless you ask for it." in told


def live(bundle: ModelBundle, clip: Path, *words: str) -> int:
    source = ["--source", str(clip), "--model", str(bundle.folder)]
    return main(["live", "--headless", *source, *words])


def test_nothing_is_kept_unless_it_is_asked_for(
    bundle: ModelBundle, film: Callable[..., Path], elsewhere: Path
) -> None:
    assert live(bundle, film(["mask_old"] * 5), "--self") == 0
    assert list(elsewhere.iterdir()) == []
    assert [t.name for t in threading.enumerate() if t.name.startswith(SUPPORT)] == []


def test_without_a_picture_a_recording_is_told_of_and_made(
    bundle: ModelBundle,
    film: Callable[..., Path],
    elsewhere: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert live(bundle, film(["mask_old"] * 20, 20), "--record") == 0
    (path,) = (elsewhere / "recordings").iterdir()
    told = capsys.readouterr().err
    assert f"recording recordings/{path.name}, faces blurred" in told
    assert f"recorded recordings/{path.name}" in told
    reader = cv2.VideoCapture(str(path))
    assert reader.get(cv2.CAP_PROP_FRAME_COUNT) / reader.get(cv2.CAP_PROP_FPS) == pytest.approx(
        1.0, abs=0.3
    )
    reader.release()


def test_a_recording_that_was_asked_for_and_cannot_be_made_ends_it(
    bundle: ModelBundle,
    film: Callable[..., Path],
    elsewhere: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (elsewhere / "recordings").write_text("")
    assert live(bundle, film(["mask_old"] * 10), "--record") == ENVIRONMENT
    told = capsys.readouterr()
    assert told.err.count("cannot be made") == 1
    assert told.out == ""


def test_several_recordings_play_at_once_and_it_ends_when_all_have(
    bundle: ModelBundle,
    film: Callable[..., Path],
    elsewhere: Path,
) -> None:
    clip = film(["mask_old"] * 10)
    clip.rename(elsewhere / "first.mp4")
    second = film(["nomask_young"] * 10)
    words = ["live", "--headless", "--model", str(bundle.folder), "--full-speed"]
    words += ["--source", "first.mp4", "--source", str(second), "--json", "events.jsonl"]
    assert main(words) == 0
    events = [json.loads(line) for line in (elsewhere / "events.jsonl").read_text().splitlines()]
    for source, label in (("first.mp4", "mask_old"), ("clip.mp4", "nomask_young")):
        own = [event for event in events if event["source"] == source]
        assert [event["frame"] for event in own] == list(range(10))
        assert [face["label"] for event in own for face in event["faces"]] == [label] * 10
        assert len({face["track"] for event in own for face in event["faces"]}) == 1
    assert len({face["track"] for event in events for face in event["faces"]}) == 2
    # By turns, not one after the other.
    assert {event["source"] for event in events[:4]} == {"first.mp4", "clip.mp4"}


def test_a_threshold_makes_faces_unsure(
    bundle: ModelBundle, film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    clip = film(["mask_old"] * 5)
    assert live(bundle, clip) == 0
    assert "mask, old" in capsys.readouterr().err
    assert live(bundle, clip, "--threshold", "1") == 0
    told = capsys.readouterr().err
    assert "unsure" in told
    assert "mask, old" not in told


def test_a_source_that_is_not_there_ends_it_with_a_word(
    bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert live(bundle, tmp_path / "nowhere.mp4") == ENVIRONMENT
    assert "No such source" in capsys.readouterr().err


def test_of_a_missing_source_and_a_missing_display_the_source_is_told(
    bundle: ModelBundle,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    words = ["live", "--model", str(bundle.folder), "--source"]
    assert main([*words, str(tmp_path / "nowhere.mp4")]) == ENVIRONMENT
    assert "No such source" in capsys.readouterr().err
    assert main([*words, "demo"]) == ENVIRONMENT
    assert "Nowhere to show the picture" in capsys.readouterr().err


def test_on_a_terminal_the_last_words_are_still_there_when_the_picture_has_gone(
    bundle: ModelBundle, film: Callable[..., Path], elsewhere: Path
) -> None:
    clip = film(["mask_old"] * 300)
    outer, inner = pty.openpty()
    termios.tcsetwinsize(inner, (30, 100))
    words = ["--terminal", "--source", str(clip), "--model", str(bundle.folder)]
    process = subprocess.Popen(
        [sys.executable, "-m", "detector.cli", "live", *words],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=os.environ,
    )
    try:
        read_until(outer, "frames/s")
        os.write(outer, b"r")
        read_until(outer, "REC")
        os.write(outer, b"1q")
        text = read_until(outer, "frames labelled")
        assert process.wait(10) == 0
        # What is written before that is on the terminal's other screen, which vanishes.
        after = text.rpartition("\x1b[?1049l")[2]
        assert "recorded recordings/" in after
        # In its status line, where there was still time for it, and folded where that is full.
        words_only = re.sub(r"(\x1b\[[0-9;?]*[a-zA-Z]|\s)+", " ", text)
        assert "saved data/mask_old/" in words_only
        assert sorted(path.name for path in elsewhere.iterdir()) == ["data", "recordings"]
    finally:
        process.kill()
        process.wait()
        os.close(outer)
        os.close(inner)


def test_after_ctrl_c_in_the_middle_of_a_recording_it_can_be_watched(
    bundle: ModelBundle, film: Callable[..., Path], elsewhere: Path
) -> None:
    clip = film(["mask_old"] * 300)
    words = ["--source", str(clip), "--source", "demo", "--model", str(bundle.folder), "--record"]
    with subprocess.Popen(
        [sys.executable, "-m", "detector.cli", "live", "--headless", *words],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    ) as process:
        deadline = time.monotonic() + 30
        while not list(elsewhere.glob("recordings/*.mp4")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    (path,) = (elsewhere / "recordings").iterdir()
    assert f"recorded recordings/{path.name}" in told
    # In all, and of each camera on a line of its own.
    lines = told.splitlines()
    total = next(number for number, line in enumerate(lines) if "frames labelled at" in line)
    names = [line.split(": ")[0] for line in lines[total + 1 : total + 3]]
    assert names == [f"  {clip.name}", "  demo"]
    reader = cv2.VideoCapture(str(path))
    assert reader.read()[0]
    reader.release()


def test_a_polite_kill_leaves_a_recording_that_plays(bundle: ModelBundle, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "detector.cli", "live", "--headless"]
    sources = ["--source", "demo", "--source", "demo"]
    process = subprocess.Popen(
        [*command, *sources, "--model", str(bundle.folder), "--record", "--json", "events.jsonl"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    events = tmp_path / "events.jsonl"
    until_s = time.monotonic() + 60
    while not events.exists() or len(events.read_text().splitlines()) < 10:
        assert time.monotonic() < until_s
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    summary = [line for line in told.splitlines() if "frames labelled at" in line]
    assert [line.partition(":")[0] for line in summary[1:]] == ["  demo", "  demo (2)"]
    (recording,) = (tmp_path / "recordings").iterdir()
    assert f"recorded recordings/{recording.name}" in told
    video = VideoFile(recording, pace=False)
    assert video.read() is not None
    video.close()


def test_kill_9_costs_a_recording_its_last_second_only(bundle: ModelBundle, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "detector.cli", "live", "--headless", "--source", "demo"]
    process = subprocess.Popen(
        [*command, "--model", str(bundle.folder), "--record", "--json", "events.jsonl"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        shown_s = wait_for_seconds(tmp_path / "events.jsonl", 4.0)
    finally:
        process.kill()
        process.wait()
    (recording,) = (tmp_path / "recordings").iterdir()
    # One fragment, and what still waited for the recorder on a machine however busy.
    assert played_s(recording) >= shown_s - FRAGMENT_S - 1.0
    assert not list(tmp_path.glob("maskage*"))


def test_kill_9_costs_an_annotated_video_its_last_second_only(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "detector.cli", "run", "demo", "--max-frames", "100000"]
    process = subprocess.Popen(
        [*command, "--model", str(bundle.folder), "--video", "out.mp4", "--json", "events.jsonl"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        shown_s = wait_for_seconds(tmp_path / "events.jsonl", 4.0)
    finally:
        process.kill()
        process.wait()
    assert played_s(tmp_path / "out.mp4") >= shown_s - FRAGMENT_S - 0.5


@pytest.mark.slow
def test_an_alarm_that_takes_its_time_is_done_before_the_view_ends(
    bundle: ModelBundle,
    film: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    elsewhere: Path,
) -> None:
    words = ["--source", str(film(["mask_old"] * 10)), "--model", str(bundle.folder)]
    alarm = ["--on", "mask_*", "--on-for", "0", "--exec", "sh -c 'sleep 5; touch done'"]
    assert main(["live", "--headless", *words, *alarm]) == 0
    assert (elsewhere / "done").exists()
    told = capsys.readouterr().err
    assert "Waiting for 1 commands and webhooks, for up to 10 s. Ctrl-C gives them up." in told
    assert "1 alarms raised; 1 commands and webhooks done, 0 failed, 0 dropped" in told


def wait_for_seconds(events: Path, seconds: float) -> float:
    """Wait until so many seconds have been labelled; returns how many have."""
    until_s = time.monotonic() + 90
    while time.monotonic() < until_s:
        lines = events.read_text().rpartition("\n")[0].splitlines() if events.exists() else []
        if lines and (at_s := float(json.loads(lines[-1])["time_s"])) >= seconds:
            return at_s
        time.sleep(0.05)
    raise TimeoutError(f"{seconds} s were not labelled")


def played_s(path: Path) -> float:
    with closing(VideoFile(path, pace=False)) as video:
        return max((frame.position_s for frame in iter(video.read, None)), default=0.0)
