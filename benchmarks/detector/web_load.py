"""What watching browsers cost the live loop: time in `show`, frames a second, age of pictures.

    python benchmarks/detector/web_load.py RUN [--clients 0 1 4] [--seconds 10] [--classify]

Labels the demo camera, shows it to the web screen, and lets clients read the stream and the events
as browsers do. Prints one line for each number of clients.
"""

import argparse
import http.client
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import WEB_LOAD
from detector.drawing.overlay import Readout
from detector.screens.base import LiveView
from detector.screens.commands import CommandDesk
from detector.tracking.pipeline import LivePipeline
from detector.web.classify import PictureClassifier
from detector.web.options import WebOptions
from detector.web.server import open_web
from maskage.cameras.newest_frame import NewestFrameReader
from maskage.demo.camera import DemoCamera
from maskage.faces.finder import open_face_finder
from maskage.formats.bundle import ModelBundle, find_bundle, load_bundle
from maskage.inference.classifier import Classifier
from maskage.pictures.images import encode_jpeg

TOKEN = "a token for this benchmark"


def main() -> int:
    """Measure, and print what each number of clients costs; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path, help="run or bundle folder")
    parser.add_argument("--clients", type=int, nargs="+", default=[0, 1, 4])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--classify", action="store_true", help="also send pictures all the time")
    arguments = parser.parse_args()
    bundle = load_bundle(find_bundle(arguments.model))
    figures: dict[str, dict[str, Any]] = {}
    for clients in arguments.clients:
        found = measure(bundle, clients, arguments.seconds, sends_pictures=arguments.classify)
        alone = next(iter(figures.values()), found)
        found["frames_share"] = round(found["frames_a_second"] / alone["frames_a_second"], 2)
        figures[f"{clients} clients"] = found
    return finish(figures, WEB_LOAD)


def measure(
    bundle: ModelBundle, clients: int, seconds: float, *, sends_pictures: bool
) -> dict[str, Any]:
    """Return the figures of one number of clients."""
    classifier = PictureClassifier(open_face_finder, lambda: Classifier(bundle, threads=1))
    pipeline = LivePipeline(open_face_finder(), Classifier(bundle))
    stop = threading.Event()
    read = [0] * clients
    camera = DemoCamera(people=1)
    sent = encode_jpeg(camera.read().pixels)
    with (
        open_web(
            WebOptions(port=0, token=TOKEN), classifier, bundle.scheme, CommandDesk()
        ) as screen,
        NewestFrameReader(camera) as reader,
    ):
        port = int(screen.url.split(":")[2].partition("/")[0])
        threads = [
            *(threading.Thread(target=_watch, args=(port, stop, read, n)) for n in range(clients)),
            *(threading.Thread(target=_listen, args=(port, stop)) for _ in range(clients)),
        ]
        if sends_pictures:
            threads.append(threading.Thread(target=_send, args=(port, stop, sent)))
        for thread in threads:
            thread.start()
        shown_us = _show_for(seconds, pipeline, reader, screen.show)
        stop.set()
        for thread in threads:
            thread.join()
    p50, p99, most = np.percentile(shown_us, [50, 99, 100])
    return {
        "frames_a_second": round(len(shown_us) / seconds, 1),
        "show_p50_us": round(p50),
        "show_p99_us": round(p99),
        "show_max_us": round(most),
        "pictures_a_second_each": [round(count / seconds, 1) for count in read],
    }


def _show_for(
    seconds: float,
    pipeline: LivePipeline,
    reader: NewestFrameReader,
    show: Callable[[LiveView], None],
) -> list[float]:
    """Microseconds of each call."""
    shown_us = []
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        frame = reader.take(1.0)
        if frame is None:
            continue
        view = LiveView(pipeline.process(frame), Readout())
        started_s = time.perf_counter()
        show(view)
        shown_us.append(1e6 * (time.perf_counter() - started_s))
    return shown_us


def _watch(port: int, stop: threading.Event, read: list[int], number: int) -> None:
    answer = _ask(port, "/stream.mjpg")
    while not stop.is_set():
        if answer.readline().startswith(b"Content-Length"):
            read[number] += 1
    answer.close()


def _listen(port: int, stop: threading.Event) -> None:
    answer = _ask(port, "/events")
    while not stop.is_set():
        answer.readline()
    answer.close()


def _send(port: int, stop: threading.Event, picture: bytes) -> None:
    while not stop.is_set():
        with suppress(OSError):
            _ask(port, "/classify", picture).read()


def _ask(port: int, path: str, body: bytes | None = None) -> http.client.HTTPResponse:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Authorization": f"Bearer {TOKEN}", "Connection": "close"}
    line.request("POST" if body else "GET", path, body, headers)
    return line.getresponse()


if __name__ == "__main__":
    sys.exit(main())
