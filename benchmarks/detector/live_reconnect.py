"""How fast the live view tells that its camera is lost, and is back.

    python benchmarks/detector/live_reconnect.py [--cycles 100] [--rtsp]

Breaks a scripted MJPEG camera on loopback in every way there is, over and over, and with `--rtsp`
kills and restarts a real RTSP server, while the real live loop draws what it shows. Measures, in
seconds, from the fault until a view said so (stale, or a notice), and from the camera's return
until a picture taken after it was drawn. Pictures that change their size are no loss: there it is
from the change until a picture of the other size, and back.

Prints one JSON object; ends with 3 where a goal is missed. `--self-test` takes a part of
reconnecting out, and that must be noticed.
"""

import argparse
import itertools
import math
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import CANNOT_RUN, finish
from benchmarks.common.goals import LIVE_RECONNECT, SELF_TEST
from benchmarks.common.sabotage import Saboteur, try_saboteurs
from benchmarks.detector.live_parts import (
    DrawingScreen,
    Holdings,
    make_color_bundle,
    open_loop,
    run_in_thread,
    weigh_process,
)
from detector.screens.base import LiveView
from detector.screens.commands import CommandDesk, Quit
from detector.tracking.pipeline import LivePipeline, Thrift
from maskage.cameras import live_feed as live_feed
from maskage.cameras import mjpeg, reconnecting
from maskage.cameras.live_feed import LiveFeed
from maskage.cameras.sources import open_camera
from maskage.faces.finder import GuideFinder
from maskage.inference.classifier import Classifier
from tests.maskage.cameras import rtsp_server
from tests.maskage.cameras.mjpeg_server import MjpegServer, Mood

FAULTS = (
    Mood.STALL,
    Mood.DROP,
    Mood.RESET,
    Mood.GARBAGE,
    Mood.TRUNCATED,
    Mood.OTHER_SIZE,
    Mood.ABSENT,
    Mood.SILENT,
)
OPEN = (Mood.STALL, Mood.GARBAGE, Mood.TRUNCATED, Mood.SILENT)
"""Faults that keep the connection; every second time they last until it is given up."""
LONG_S = 6.0
WAIT_S = 20.0
POWER_CUT = "power cut"
SELF_TEST_WAIT_S = 6.0
"""More than the highest goal, so what has not come by then has missed it."""

NEVER_S = 3600.0
SABOTEURS = {
    "no silence is ever noticed": Saboteur(
        ((reconnecting, "PATIENCE_S", NEVER_S), (mjpeg, "SILENCE_S", NEVER_S)), Mood.STALL
    ),
    "a lost camera is never tried again": Saboteur(
        ((live_feed, "RETRY_S", (NEVER_S,) * 3),), Mood.DROP
    ),
}
"""Each with the fault that must show it."""
SETTLES_S = 10.0
"""A reader that was given up, and its connection, are gone after this."""

Passage = tuple[str, float, float]
"""Fault, seconds until told, seconds until back; infinite where it never came."""


class Witness:
    """Sees every view of a live loop, from another thread."""

    def __init__(self) -> None:
        self._came = threading.Condition()
        self._view: LiveView | None = None

    def see(self, view: LiveView) -> None:
        """A view was drawn."""
        with self._came:
            self._view = view
            self._came.notify_all()

    def wait(self, is_it: Callable[[LiveView], bool]) -> float:
        """Seconds until a view was drawn of which this holds; infinite after `WAIT_S`."""
        began_s = time.monotonic()
        with self._came:
            is_seen = self._came.wait_for(
                lambda: self._view is not None and is_it(self._view), WAIT_S
            )
        return time.monotonic() - began_s if is_seen else float("inf")

    def wait_for_loss(self) -> float:
        """Seconds until the view says that no pictures come."""
        return self.wait(
            lambda view: view.readout.stale_s is not None or view.readout.notice is not None
        )

    def wait_for_picture(self, width: int | None = None) -> float:
        """Seconds until a picture taken after this moment is shown, and nothing else is said."""
        now_s = time.monotonic()
        return self.wait(
            lambda view: (
                view.result.frame.captured_s > now_s
                and view.readout.stale_s is None
                and view.readout.notice is None
                and width in (None, view.result.frame.width)
            )
        )


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cycles", type=int, default=len(FAULTS))
    parser.add_argument("--rtsp", action="store_true", help="a real RTSP server instead")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        global WAIT_S
        WAIT_S = SELF_TEST_WAIT_S
        return finish(
            {"self-test": try_saboteurs(SABOTEURS, break_once, LIVE_RECONNECT)}, SELF_TEST
        )
    if arguments.rtsp and rtsp_server.find_python() is None:
        print("No RTSP server here: see tests/maskage/cameras/rtsp_server.py.", file=sys.stderr)
        return CANNOT_RUN
    run = break_rtsp if arguments.rtsp else break_mjpeg
    return finish(run(arguments.cycles), LIVE_RECONNECT)


@contextmanager
def watch(source: str) -> Iterator[tuple[Witness, LiveFeed]]:
    """Runs the live loop on a source, in a thread, until the block ends."""
    witness, desk = Witness(), CommandDesk()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        classifier = Classifier(make_color_bundle(work / "bundle"))
        # The guide: nobody is on these pictures, and with it something is classified and drawn.
        pipeline = LivePipeline(GuideFinder(), classifier, thrift=Thrift())
        screen = DrawingScreen(witness.see, desk=desk)
        with open_loop(open_camera, pipeline, screen, work, sources=[source]) as (
            loop,
            feed,
        ):
            thread = run_in_thread(loop)
            try:
                witness.wait_for_picture()
                yield witness, feed
            finally:
                desk.ask(Quit())
                thread.join()


def break_mjpeg(cycles: int, faults: Sequence[Mood] = FAULTS) -> dict[str, Any]:
    """Every fault in turn."""
    passages: list[Passage] = []
    with MjpegServer() as server, watch(server.url) as (witness, feed):
        before = weigh_process()
        for cycle, fault in enumerate(itertools.islice(itertools.cycle(faults), cycles)):
            server.mood = fault
            if fault is Mood.SILENT:
                # It is silent to those who ask anew.
                server.hang_up()
            told_s = (
                witness.wait_for_picture(320)
                if fault is Mood.OTHER_SIZE
                else witness.wait_for_loss()
            )
            is_long = fault in OPEN and cycle // len(faults) % 2 == 1
            pause(cycle, LONG_S if is_long else 0.0)
            server.mood = Mood.WELL
            back_s = witness.wait_for_picture(160)
            passages.append((str(fault), told_s, back_s))
            tell(cycle, passages[-1])
        after = weigh_settled(before)
        return summarise("mjpeg", passages, feed) | {
            "threads": [before.threads, after.threads],
            "descriptors": [before.descriptors, after.descriptors],
            "more_threads": after.threads - before.threads,
            "more_descriptors": after.descriptors - before.descriptors,
        }


def break_once(fault: Mood) -> dict[str, Any]:
    """Break the camera by one fault."""
    return break_mjpeg(1, (fault,))


def weigh_settled(before: Holdings) -> Holdings:
    """Weigh once what was given up is gone."""
    until_s = time.monotonic() + SETTLES_S
    while (now := weigh_process()).threads > before.threads and time.monotonic() < until_s:
        time.sleep(0.1)
    return now


def break_rtsp(cycles: int) -> dict[str, Any]:
    """The server is killed, and started again."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    passages: list[Passage] = []
    server = rtsp_server.start(port)
    try:
        with watch(f"rtsp://127.0.0.1:{port}/live") as (witness, feed):
            for cycle in range(cycles):
                rtsp_server.stop(server)
                told_s = witness.wait_for_loss()
                pause(cycle)
                server = rtsp_server.start(port)
                passages.append((POWER_CUT, told_s, witness.wait_for_picture()))
                tell(cycle, passages[-1])
            return summarise("rtsp", passages, feed)
    finally:
        rtsp_server.stop(server)


def pause(cycle: int, longer_s: float = 0.0) -> None:
    """Until the camera returns: at every phase of the attempts."""
    time.sleep(longer_s + 0.1 + (cycle * 0.37) % 2.5)


def tell(cycle: int, passage: Passage) -> None:
    """One line, since it takes minutes."""
    fault, told_s, back_s = passage
    print(f"{cycle + 1:4d} {fault:<12} {told_s:6.2f} {back_s:6.2f}", file=sys.stderr, flush=True)


def summarise(camera: str, passages: list[Passage], feed: LiveFeed) -> dict[str, Any]:
    """Medians and worst, and the worst of each fault."""
    lost = [passage for passage in passages if passage[0] != str(Mood.OTHER_SIZE)]
    faults = sorted({fault for fault, _, _ in passages})
    return {
        "camera": camera,
        "cycles": len(passages),
        "recoveries": sum(math.isfinite(back_s) for _, _, back_s in passages),
        "not_recovered": sum(not math.isfinite(back_s) for _, _, back_s in passages),
        "reconnects": feed.reconnects,
        "told_s_median": rounded([told_s for _, told_s, _ in lost], 50),
        "told_s_worst": rounded([told_s for _, told_s, _ in lost], 100),
        "back_s_median": rounded([back_s for _, _, back_s in passages], 50),
        "back_s_worst": rounded([back_s for _, _, back_s in passages], 100),
        "worst": {
            fault: {
                "told_s": rounded([told for name, told, _ in passages if name == fault], 100),
                "back_s": rounded([back for name, _, back in passages if name == fault], 100),
            }
            for fault in faults
        },
    }


def rounded(seconds: list[float], percent: float) -> float | None:
    """A percentile; None where it never came."""
    value = float(np.percentile(seconds, percent, method="higher")) if seconds else float("inf")
    return round(value, 2) if np.isfinite(value) else None


if __name__ == "__main__":
    sys.exit(main())
