"""The age of a frame when it is shown, with a network that is slow.

    python benchmarks/detector/frame_age.py [CLIP] [--model RUN] [--network-ms 100] [--seconds 30]

A camera gives 30 frames a second of 640x480 (pictures of CLIP scaled to fit, or the demo camera's,
made beforehand). The real finder and the real loop label and draw them, while each run of the
network is held up until it has taken 100 ms. Measured as `detector live` works ("live") and with
the network on every frame ("thorough"): the age of each new frame when it has been drawn, and how
many frames wait for the loop at most, counted whenever the camera is asked for the next.

Prints one JSON object.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import FRAME_AGE
from benchmarks.detector.live_clips import read_pictures
from benchmarks.detector.live_parts import DrawingScreen, make_color_bundle, open_loop
from detector.live.loop import LiveLimits
from detector.screens.base import LiveView
from detector.tracking.pipeline import EVERYTHING, LivePipeline, Thrift
from maskage.cameras.live_feed import LiveFeed
from maskage.demo.camera import DemoCamera
from maskage.faces.finder import YuNetFinder, obtain_face_model
from maskage.formats.bundle import ModelBundle, find_bundle, load_bundle
from maskage.inference.classifier import Classifier
from maskage.inference.onnx_engine import Answers
from maskage.records import Frame, RgbImage

FPS = 30.0
WARM_UP_S = 1.0


class SlowClassifier(Classifier):
    """A classifier whose every run takes at least so long."""

    def __init__(self, bundle: ModelBundle, least_s: float) -> None:
        super().__init__(bundle)
        self._least_s = least_s
        self.runs = 0

    def answer(self, crops: Sequence[RgbImage]) -> Answers:
        """Classify, and wait until the least time has passed."""
        until_s = time.monotonic() + self._least_s
        answers = super().answer(crops)
        if crops:
            self.runs += 1
            time.sleep(max(0.0, until_s - time.monotonic()))
        return answers


class PacedCamera:
    """Prepared pictures at 30 a second; a frame that is not asked for in time is lost.

    Attributes:
        given: Frames so far.
        most_waiting: Most of them that were neither taken nor dropped at one time.
    """

    name: str = "paced camera"
    fps: float | None = FPS
    frame_count: int | None = None
    is_live: bool = True

    def __init__(self, pictures: Sequence[RgbImage]) -> None:
        self._pictures = pictures
        self._opened_s = time.monotonic()
        self._index = 0
        self.feed: CountedFeed | None = None
        self.given = self.most_waiting = 0

    def read(self) -> Frame:
        """Return the picture that is due, when it is due."""
        if self.feed is not None:
            waiting = self.given - self.feed.dropped - self.feed.taken
            self.most_waiting = max(self.most_waiting, waiting)
        elapsed_s = time.monotonic() - self._opened_s
        self._index = max(self._index, int(elapsed_s * FPS))
        time.sleep(max(0.0, self._index / FPS - elapsed_s))
        pixels = self._pictures[self._index % len(self._pictures)]
        frame = Frame(pixels, self._index, time.monotonic(), self._index / FPS)
        self._index += 1
        self.given += 1
        return frame

    def close(self) -> None:
        """Do nothing: nothing is held open."""


class CountedFeed(LiveFeed):
    """A feed that counts the frames that were taken."""

    taken: int = 0

    def take(self, timeout_s: float) -> Frame | None:
        """Return the newest frame, or None, and count it."""
        frame = super().take(timeout_s)
        self.taken += frame is not None
        return frame


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--model", type=Path, help="run or bundle folder; without it a tiny one")
    parser.add_argument("--network-ms", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=30.0, help="for each way of working")
    arguments = parser.parse_args()
    pictures = read_pictures(arguments.clip)[0] if arguments.clip else render_pictures()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        bundle = (
            load_bundle(find_bundle(arguments.model))
            if arguments.model
            else make_color_bundle(work / "bundle")
        )
        figures = {
            name: measure(
                pictures,
                bundle,
                thrift,
                network_ms=arguments.network_ms,
                seconds=arguments.seconds,
                work=work,
            )
            for name, thrift in (("live", Thrift()), ("thorough", EVERYTHING))
        }
    setting = {"network_ms": arguments.network_ms, "camera_fps": FPS}
    return finish({**setting, **figures}, FRAME_AGE)


def render_pictures() -> list[RgbImage]:
    """Return six seconds of the demo camera."""
    demo = DemoCamera(pace=False)
    return [demo.read().pixels for _ in range(round(6 * FPS))]


def measure(
    pictures: Sequence[RgbImage],
    bundle: ModelBundle,
    thrift: Thrift,
    *,
    network_ms: float,
    seconds: float,
    work: Path,
) -> dict[str, Any]:
    """Return the ages and counts of one way of working."""
    shown: dict[int, tuple[float, float]] = {}

    def see(view: LiveView) -> None:
        frame = view.result.frame
        # A frame that is shown again, since nothing newer came, is no new one.
        now_s = time.monotonic()
        shown.setdefault(frame.index, (frame.position_s, 1000 * (now_s - frame.captured_s)))

    classifier = SlowClassifier(bundle, network_ms / 1000)
    pipeline = LivePipeline(YuNetFinder(obtain_face_model()), classifier, thrift=thrift)
    camera = PacedCamera(pictures)
    limits = LiveLimits(seconds=seconds + WARM_UP_S)
    with open_loop(
        lambda _: camera,
        pipeline,
        DrawingScreen(see),
        work,
        limits=limits,
        feed_class=CountedFeed,
    ) as (loop, feed):
        assert isinstance(feed, CountedFeed)
        camera.feed = feed
        loop.run()
        summary = loop.summary
    ages = [age_ms for position_s, age_ms in shown.values() if position_s >= WARM_UP_S]
    return {
        "age_p50_ms": round(float(np.percentile(ages, 50)), 1),
        "age_p95_ms": round(float(np.percentile(ages, 95)), 1),
        "age_max_ms": round(max(ages), 1),
        "frames_shown": len(ages),
        "shown_a_second": round(len(ages) / seconds, 1),
        "network_runs": classifier.runs,
        "camera_frames": camera.given,
        "dropped": summary.dropped,
        "most_waiting": camera.most_waiting,
    }


if __name__ == "__main__":
    sys.exit(main())
