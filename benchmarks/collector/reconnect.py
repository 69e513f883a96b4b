"""How fast a lost network camera is told and is back: `python benchmarks/collector/reconnect.py`.

Breaks a scripted MJPEG camera on loopback in every way there is, over and over, and with `--rtsp`
kills and restarts a real RTSP server. Prints, in seconds, from the fault until "reconnecting (n)"
was said, and from the camera's return until the next picture. Ends with 3 where a goal is missed;
`--self-test` takes a part of reconnecting out, and that must be noticed.
"""

import argparse
import itertools
import socket
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import CANNOT_RUN, finish
from benchmarks.common.goals import RECONNECT, SELF_TEST
from benchmarks.common.sabotage import Saboteur, try_saboteurs
from collector.capture import observer
from maskage.cameras import mjpeg, reconnecting
from tests.collector.capture import watcher as watching
from tests.collector.capture.watcher import Watcher
from tests.maskage.cameras import rtsp_server
from tests.maskage.cameras.mjpeg_server import MjpegServer, Mood

FAULTS = [
    Mood.STALL,
    Mood.DROP,
    Mood.RESET,
    Mood.GARBAGE,
    Mood.TRUNCATED,
    Mood.ABSENT,
]
NEVER_S = 3600.0
SELF_TEST_WAIT_S = 6.0
"""More than the highest goal, so what has not come by then has missed it."""
SABOTEURS = {
    "no silence is ever noticed": Saboteur(
        ((reconnecting, "PATIENCE_S", NEVER_S), (mjpeg, "SILENCE_S", NEVER_S)), Mood.STALL
    ),
    "a lost camera is never tried again": Saboteur(
        ((observer, "RETRY_S", (NEVER_S,) * 3),), Mood.DROP
    ),
}
"""Each with the fault that must show it."""

Run = Callable[[int], tuple[list[float], list[float], list[str]]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=18)
    parser.add_argument("--rtsp", action="store_true", help="a real RTSP server instead")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        watching.WAIT_S = SELF_TEST_WAIT_S
        return finish({"self-test": try_saboteurs(SABOTEURS, break_once, RECONNECT)}, SELF_TEST)
    if arguments.rtsp and rtsp_server.find_python() is None:
        print("No RTSP server here: see tests/maskage/cameras/rtsp_server.py.", file=sys.stderr)
        return CANNOT_RUN
    run = _break_rtsp if arguments.rtsp else _break_mjpeg
    figures = measure(run, arguments.cycles)
    return finish({"camera": "rtsp" if arguments.rtsp else "mjpeg", **figures}, RECONNECT)


def measure(run: Run, cycles: int) -> dict[str, object]:
    """Break a camera so often; medians and worst, or that it was given up."""
    try:
        told, back, faults = run(cycles)
    except TimeoutError as fault:
        return {"cycles": cycles, "not_recovered": 1, "fault": str(fault)}
    return {
        "cycles": cycles,
        "recoveries": len(back),
        "not_recovered": cycles - len(back),
        "told_s_median": round(statistics.median(told), 2),
        "told_s_worst": round(max(told), 2),
        "back_s_median": round(statistics.median(back), 2),
        "back_s_worst": round(max(back), 2),
        "worst_fault": faults[back.index(max(back))],
    }


def break_once(fault: Mood) -> dict[str, object]:
    """Break the camera by one fault."""
    return measure(lambda cycles: _break_mjpeg(cycles, (fault,)), 1)


def _break_mjpeg(
    cycles: int, moods: Sequence[Mood] = FAULTS
) -> tuple[list[float], list[float], list[str]]:
    told, back, faults = [], [], []
    with MjpegServer() as server, Watcher(server.url) as watcher:
        watcher.wait_for_picture()
        for cycle, fault in enumerate(itertools.islice(itertools.cycle(moods), cycles)):
            broke_s = time.monotonic()
            server.mood = fault
            told.append(watcher.wait_for_loss(broke_s) - broke_s)
            # Returns fall on every phase of the attempts.
            time.sleep(0.1 + (cycle * 0.37) % 2.5)
            server.mood = Mood.WELL
            back_s = time.monotonic()
            back.append(watcher.wait_for_picture(back_s) - back_s)
            faults.append(str(fault))
            watcher.forget()
    return told, back, faults


def _break_rtsp(cycles: int) -> tuple[list[float], list[float], list[str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told, back = [], []
    server = rtsp_server.start(port)
    with Watcher(f"rtsp://127.0.0.1:{port}/live") as watcher:
        watcher.wait_for_picture()
        for cycle in range(cycles):
            broke_s = time.monotonic()
            rtsp_server.stop(server)
            told.append(watcher.wait_for_loss(broke_s) - broke_s)
            time.sleep(0.1 + (cycle * 0.37) % 2.5)
            server = rtsp_server.start(port)
            back_s = time.monotonic()
            back.append(watcher.wait_for_picture(back_s) - back_s)
            watcher.forget()
    rtsp_server.stop(server)
    return told, back, ["power cut"] * cycles


if __name__ == "__main__":
    sys.exit(main())
