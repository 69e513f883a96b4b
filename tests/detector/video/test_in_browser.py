"""A browser plays what is written, also what a kill left behind."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from detector.video.growing_file import FRAGMENT_S
from detector.video.sink import VideoSink
from maskage.pictures.images import read_image
from tests.detector.web.chromium import Chromium, find_chromium

ROOT = Path(__file__).parents[3]
FPS = 10.0
FRAMES = 35

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="needs Chromium")

WRITE_ON = f"""
import sys, time
import numpy as np
from pathlib import Path
from detector.video.sink import VideoSink
sink = VideoSink(Path(sys.argv[1]), {FPS})
for number in range({FRAMES}):
    sink.write(np.full((240, 320, 3), 7 * number, np.uint8))
print("written", flush=True)
time.sleep(600)
"""


def play(browser: Chromium, path: Path) -> tuple[int, int, float]:
    """Play a file to its end, muted; return width, height and length in seconds."""
    page = path.with_suffix(".html")
    page.write_text(f'<video id="film" src="{path.name}" autoplay muted></video>')
    browser.open(page.as_uri())
    browser.wait_for("film.ended || film.error", 60)
    assert browser.run("film.error") is None
    assert browser.run("film.webkitDecodedFrameCount") > FRAMES / 2
    width, height, lasts_s = browser.run("[film.videoWidth, film.videoHeight, film.currentTime]")
    return width, height, lasts_s


def test_a_video_is_played_whole_and_jumped_in(tmp_path: Path) -> None:
    path = tmp_path / "whole.mp4"
    with VideoSink(path, FPS) as sink:
        for number in range(FRAMES):
            sink.write(np.full((240, 320, 3), 7 * number, np.uint8))
    with Chromium() as browser:
        width, height, lasts_s = play(browser, path)
        assert (width, height) == (320, 240)
        assert lasts_s == pytest.approx(FRAMES / FPS, abs=0.05)
        assert browser.run("film.duration") == pytest.approx(FRAMES / FPS, abs=0.001)
        browser.run("film.currentTime = 2.05")
        browser.wait_for("!film.seeking", 30)
        shown = tmp_path / "shown.png"
        browser.take_picture(shown)
    grey = read_image(shown)[40:200, 40:280]
    # The frame at 2.05 s.
    assert grey.mean() == pytest.approx(7 * 20, abs=4)


def test_what_a_kill_leaves_is_played_up_to_its_last_second(tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_ON, str(path)],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.kill()
    with Chromium() as browser:
        width, height, lasts_s = play(browser, path)
    assert (width, height) == (320, 240)
    assert FRAMES / FPS - FRAGMENT_S <= lasts_s <= FRAMES / FPS
