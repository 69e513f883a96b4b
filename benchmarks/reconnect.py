"""How fast a lost network camera is told and is back: `python benchmarks/reconnect.py`.

Breaks a scripted MJPEG camera on loopback in every way there is, over and over, and with `--rtsp`
kills and restarts a real RTSP server. Prints, in seconds, from the fault until "reconnecting (n)"
was said, and from the camera's return until the next picture.
"""

import argparse
import itertools
import socket
import statistics
import sys
import time
from pathlib import Path

from criteria import CANNOT_RUN, finish
from goals import RECONNECT

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.collector import rtsp_server
from tests.collector.mjpeg_server import MjpegServer, Mood
from tests.collector.watcher import Watcher

FAULTS = [
    Mood.STALL,
    Mood.DROP,
    Mood.RESET,
    Mood.GARBAGE,
    Mood.TRUNCATED,
    Mood.ABSENT,
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=18)
    parser.add_argument("--rtsp", action="store_true", help="a real RTSP server instead")
    arguments = parser.parse_args()
    if arguments.rtsp and rtsp_server.find_python() is None:
        print("No RTSP server here: see tests/collector/rtsp_server.py.", file=sys.stderr)
        return CANNOT_RUN
    run = _break_rtsp if arguments.rtsp else _break_mjpeg
    try:
        figures = summarise(*run(arguments.cycles), arguments)
    except TimeoutError as fault:
        figures = {"cycles": arguments.cycles, "not_recovered": 1, "fault": str(fault)}
    return finish(figures, RECONNECT)


def summarise(
    told: list[float], back: list[float], faults: list[str], arguments: argparse.Namespace
) -> dict[str, object]:
    """Return medians and worst."""
    return {
        "camera": "rtsp" if arguments.rtsp else "mjpeg",
        "cycles": arguments.cycles,
        "recoveries": len(back),
        "not_recovered": arguments.cycles - len(back),
        "told_s_median": round(statistics.median(told), 2),
        "told_s_worst": round(max(told), 2),
        "back_s_median": round(statistics.median(back), 2),
        "back_s_worst": round(max(back), 2),
        "worst_fault": faults[back.index(max(back))],
    }


def _break_mjpeg(cycles: int) -> tuple[list[float], list[float], list[str]]:
    told, back, faults = [], [], []
    with MjpegServer() as server, Watcher(server.url) as watcher:
        watcher.wait_for_picture()
        for cycle, fault in enumerate(itertools.islice(itertools.cycle(FAULTS), cycles)):
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
