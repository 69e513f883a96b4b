"""A clip that is shown in a browser begins when somebody is there."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from detector.live.first_viewer import FirstViewer, can_wait
from detector.live.loop import LiveLimits
from detector.live.requests import LiveRequest, OutputRequest
from detector.screens.display import ScreenKind
from maskage.cameras.live_feed import LiveFeed
from maskage.cameras.sources import open_camera
from maskage.cameras.video.video_file import VideoFile
from maskage.formats.bundle import ModelBundle
from tests.maskage.cameras.video.video_clips import make_clip

LONG_S = 30.0
CLIP_S = 0.5
TIMES_S = [n / 20 for n in range(round(CLIP_S * 20))]


def test_only_a_recording_for_viewers_alone_waits(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", TIMES_S)
    with LiveFeed(lambda: VideoFile(clip, pace=True)) as feed:
        assert can_wait(LiveRequest(), ScreenKind.WEB, feed)
        assert not can_wait(LiveRequest(), ScreenKind.HEADLESS, feed)
        for outputs in (
            OutputRequest(json_out=Path("x")),
            OutputRequest(csv_out=Path("-")),
            OutputRequest(is_recording=True),
        ):
            assert not can_wait(LiveRequest(outputs=outputs), ScreenKind.WEB, feed)
        for limits in (LiveLimits(seconds=5), LiveLimits(frames=5)):
            assert not can_wait(replace(LiveRequest(), limits=limits), ScreenKind.WEB, feed)
    with LiveFeed(lambda: VideoFile(clip, pace=False)) as feed:
        assert not can_wait(LiveRequest(), ScreenKind.WEB, feed)
    with LiveFeed(lambda: open_camera("demo")) as feed:
        assert not can_wait(LiveRequest(), ScreenKind.WEB, feed)


def play(feed: LiveFeed) -> float:
    """The time of the last frame, once the clip is over."""
    last_s, until_s = 0.0, time.monotonic() + LONG_S
    while not feed.has_ended:
        assert time.monotonic() < until_s
        frame = feed.take(0.1)
        last_s = frame.position_s if frame else last_s
    return last_s


@pytest.mark.parametrize("is_seen", [True, False], ids=["somebody came", "it is over"])
def test_the_clip_is_held_until_there_is_somebody_or_the_view_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], is_seen: bool
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", TIMES_S)
    came: list[bool] = []
    with LiveFeed(lambda: VideoFile(clip, pace=True)) as feed:
        first = FirstViewer(feed)
        over: list[bool] = []
        first.wait_in_background(lambda: bool(came), lambda: bool(over))
        # Played freely, it would be over by then.
        until_s = time.monotonic() + 3 * CLIP_S
        while time.monotonic() < until_s:
            feed.take(0.1)
        assert not feed.has_ended
        (came if is_seen else over).append(True)
        assert play(feed) == pytest.approx(TIMES_S[-1], abs=0.01)
    assert "clip.mp4 begins once somebody watches it" in capsys.readouterr().err


@pytest.mark.usefixtures("no_face_model")
def test_whoever_opens_the_page_late_sees_the_clip_to_its_end(
    bundle: ModelBundle, film: Callable[..., Path], tmp_path: Path
) -> None:
    clip = film(["mask_old"] * 10)
    words = ["--web", "--port", "0", "--source", str(clip), "--model", str(bundle.folder)]
    with subprocess.Popen(
        [sys.executable, "-m", "detector.cli", "live", *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        url = next(line.split()[-1] for line in process.stderr if "?token=" in line)
        assert "begins once somebody watches it" in next(process.stderr)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
        with httpx.Client(timeout=LONG_S, follow_redirects=True) as client:
            client.get(url)
            with client.stream("GET", f"{url.partition('?')[0]}events") as answer:
                lines = list(answer.iter_lines())
        assert any('"is_over": true' in line or '"over": true' in line for line in lines)
        summary, _ = process.communicate(timeout=LONG_S)
    assert process.returncode == 0
    assert "frames labelled" in summary
