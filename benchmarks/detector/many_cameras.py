"""Four network cameras watched at once, and then a dead and a slow one beside them.

    python benchmarks/detector/many_cameras.py [CLIP] [--model RUN] [--seconds 20] [--rounds 3]
        [--thorough]

A process serves four cameras as MJPEG, each 640x480 at 10 pictures a second by its own clock
(pictures of CLIP, each camera at another moment of it, or the demo camera's). `detector live
--headless` watches them as a user would, on two cores where the system can pin it. Measured are the
frames a second of each camera that were labelled ("fps"), the least of them ("least_fps") and the
summary line. In the second half of each round there are two more cameras: one at an address where
nobody answers ("dead"), and one that takes a second for each picture ("slow"). "cost" is the
share of its rate that the least served camera loses by them. All figures are medians over rounds.

Prints one JSON object.
"""

import argparse
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import MANY_CAMERAS
from benchmarks.detector.live_clips import read_pictures
from benchmarks.detector.live_parts import make_color_bundle
from maskage.demo.camera import DemoCamera
from maskage.formats.bundle import find_bundle
from maskage.pictures.images import encode_jpeg

CAMERAS = 4
FPS = 10.0
SLOW_S = 1.2
WARM_UP_S = 3.0
CORES = 2
ROOT = Path(__file__).parents[2]
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--model", type=Path, help="run or bundle folder; without it a tiny one")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each half of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--thorough", action="store_true", help="finder and network on each frame")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        model = (
            find_bundle(arguments.model)
            if arguments.model
            else make_color_bundle(work / "bundle").folder
        )
        four, six = [], []
        with Served(make_jpegs(arguments.clip)) as served:
            words = ["--thorough"] if arguments.thorough else []
            for number in range(arguments.rounds):
                print(f"round {number + 1} ...", file=sys.stderr, flush=True)
                for kept, extra in ((four, []), (six, [served.dead, served.slow])):
                    kept.append(watch(served.live, extra, model, work, arguments.seconds, words))
    figures: dict[str, Any] = {
        "cameras": CAMERAS,
        "camera_fps": FPS,
        "four": middle(four),
        "with_dead_and_slow": middle(six),
    }
    before, after = (figures[name]["least_fps"] for name in ("four", "with_dead_and_slow"))
    figures["cost"] = round(1 - after / before, 4) if before else None
    return finish(figures, MANY_CAMERAS)


def make_jpegs(clip: Path | None) -> list[bytes]:
    """Return the pictures that the cameras show, ten for each second."""
    if clip is not None:
        pictures, fps = read_pictures(clip)
        return [encode_jpeg(picture) for picture in pictures[:: max(1, round(fps / FPS))]]
    demo = DemoCamera(pace=False, fps=FPS)
    return [encode_jpeg(demo.read().pixels) for _ in range(round(12 * FPS))]


def watch(
    live: Sequence[str],
    extra: Sequence[str],
    model: Path,
    work: Path,
    seconds: float,
    words: Sequence[str],
) -> dict[str, Any]:
    """Watch the cameras for so long, and return what was labelled of the live ones."""
    events = work / "events.jsonl"
    sources = [word for url in (*live, *extra) for word in ("--source", url)]
    command = [sys.executable, "-m", "detector.cli", "live", "--headless", *sources, *words]
    command += ["--model", str(model), "--json", str(events)]
    command += ["--seconds", str(seconds + WARM_UP_S)]
    pinned = [str(core) for core in sorted(os.sched_getaffinity(0))[:CORES]]
    done = subprocess.run(
        ["taskset", "-c", ",".join(pinned), *command],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    times: dict[str, list[float]] = defaultdict(list)
    for line in events.read_text().splitlines():
        event = json.loads(line)
        if event["time_s"] >= WARM_UP_S:
            times[event["source"]].append(event["time_s"])
    rates = [rate_of(times[url]) for url in live]
    return {
        "fps": [round(rate, 2) for rate in rates],
        "least_fps": round(min(rates), 2),
        "slow_fps": round(rate_of(times[extra[-1]]), 2) if extra else None,
        "summary": done.stdout.splitlines()[0],
    }


def rate_of(times: Sequence[float]) -> float:
    """Return frames a second from the times of frames."""
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0


def middle(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the median of each figure over rounds, and the last summary."""
    cameras = zip(*(each["fps"] for each in rounds), strict=True)
    slow = [each["slow_fps"] for each in rounds if each["slow_fps"] is not None]
    return {
        "fps": [statistics.median(rates) for rates in cameras],
        "least_fps": statistics.median(each["least_fps"] for each in rounds),
        "least_fps_of_rounds": [each["least_fps"] for each in rounds],
        **({"slow_fps": statistics.median(slow)} if slow else {}),
        "summary": rounds[-1]["summary"],
    }


class Served:
    """The cameras, served by a process of their own.

    Args:
        jpegs: Pictures that they show.

    Attributes:
        live: Addresses of the cameras that work.
        slow: Address of the slow one.
        dead: Address where nobody answers.
    """

    def __init__(self, jpegs: list[bytes]) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(jpegs, theirs), daemon=True)
        self._process.start()
        ports = ours.recv()
        *live, self.slow = (f"http://127.0.0.1:{port}/video" for port in ports)
        self.live = live
        # A port that was free a moment ago: nobody listens there.
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        self.dead = f"http://127.0.0.1:{port}/video"

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *fault: object) -> None:
        self._process.terminate()
        self._process.join()


def serve(jpegs: list[bytes], pipe: Connection) -> None:
    """Serve cameras until the process is ended; sends their ports, the slow one's last."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(CAMERAS + 1)]
    for number, listener in enumerate(listeners):
        is_slow = number == CAMERAS
        first = number * len(jpegs) // (CAMERAS + 1)
        shown = jpegs[first:] + jpegs[:first]
        threading.Thread(
            target=accept, args=(listener, shown, number / FPS / 5, is_slow), daemon=True
        ).start()
    pipe.send([listener.getsockname()[1] for listener in listeners])
    threading.Event().wait()


def accept(listener: socket.socket, jpegs: list[bytes], late_s: float, is_slow: bool) -> None:
    """Serve one client after the other; cameras do not tick together."""
    while True:
        client, _ = listener.accept()
        try:
            client.recv(4096)
            client.sendall(_HEAD)
            send_pictures(client, jpegs, late_s, is_slow)
        except OSError:
            client.close()


def send_pictures(client: socket.socket, jpegs: list[bytes], late_s: float, is_slow: bool) -> None:
    """Send pictures by the clock, the slow camera's in small parts."""
    began_s = time.monotonic() + late_s
    for number in range(10**9):
        jpeg = jpegs[number % len(jpegs)]
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        parts = 20 if is_slow else 1
        step = -(-len(jpeg) // parts)
        time.sleep(max(0.0, began_s + number * (SLOW_S if is_slow else 1 / FPS) - time.monotonic()))
        client.sendall(head.encode())
        for at in range(0, len(jpeg), step):
            client.sendall(jpeg[at : at + step])
            if is_slow:
                time.sleep(SLOW_S / parts / 1.2)
        client.sendall(b"\r\n")


if __name__ == "__main__":
    sys.exit(main())
