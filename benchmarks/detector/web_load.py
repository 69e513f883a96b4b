"""What clients cost: those that watch the live loop, and those that send pictures.

    python benchmarks/detector/web_load.py RUN [--clients 0 1 4] [--senders 1 20] [--seconds 10]
                                               [--classify]

Labels the demo camera, shows it to the web screen, and lets clients read the stream and the events
as browsers do. Then, without a camera, clients send pictures to /classify, each the next as soon
as the last is answered. Prints figures for each number of clients.
"""

import argparse
import http.client
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
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
from detector.web.options import WebOptions
from detector.web.pictures.classify import PictureClassifier
from detector.web.server import open_web
from maskage.cameras.newest_frame import NewestFrameReader
from maskage.demo.camera import DemoCamera
from maskage.faces.finder import open_face_finder
from maskage.formats.bundle import ModelBundle, find_bundle, load_bundle
from maskage.inference.classifier import Classifier
from maskage.pictures.images import encode_jpeg

_ROUNDS = 3
"""Of the senders, in turn: other work on the machine then meets one and many alike."""

TOKEN = "a token for this benchmark"


def main() -> int:
    """Measure, and print what each number of clients costs; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path, help="run or bundle folder")
    parser.add_argument("--clients", type=int, nargs="*", default=[0, 1, 4])
    parser.add_argument("--senders", type=int, nargs="*", default=[1, 20])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--classify", action="store_true", help="also send pictures all the time")
    arguments = parser.parse_args()
    bundle = load_bundle(find_bundle(arguments.model))
    figures: dict[str, dict[str, Any]] = {}
    sent: dict[str, dict[str, Any]] = {}
    for clients in arguments.clients:
        found = measure(bundle, clients, arguments.seconds, sends_pictures=arguments.classify)
        alone = next(iter(figures.values()), found)
        found["frames_share"] = round(found["frames_a_second"] / alone["frames_a_second"], 2)
        figures[f"{clients} clients"] = found
    for senders in arguments.senders * _ROUNDS:
        name = f"{senders} senders"
        found = measure_senders(bundle, senders, arguments.seconds / _ROUNDS)
        sent[name] = _join_rounds(sent[name], found) if name in sent else found
    for found in sent.values():
        alone = next(iter(sent.values()))
        found["rate_share"] = round(found["answered_a_second"] / alone["answered_a_second"], 2)
    return finish({**figures, "classify": sent}, WEB_LOAD)


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


def measure_senders(bundle: ModelBundle, senders: int, seconds: float) -> dict[str, Any]:
    """Return the figures of so many clients that send pictures without a pause."""
    classifier = PictureClassifier(open_face_finder, lambda: Classifier(bundle, threads=1))
    picture = encode_jpeg(DemoCamera(people=3).read().pixels)
    stop = threading.Event()
    answers: list[tuple[int, float]] = []
    options = WebOptions(port=0, token=TOKEN)
    with open_web(options, classifier, bundle.scheme, None) as screen:
        port = int(screen.url.split(":")[2].partition("/")[0])
        # The model is loaded for the first picture.
        _ask(port, "/classify", picture).read()
        threads = [
            threading.Thread(target=_send_timed, args=(port, stop, picture, answers))
            for _ in range(senders)
        ]
        started_s, cpu_s = time.monotonic(), time.process_time()
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        stop.set()
        for thread in threads:
            thread.join()
        took_s, cpu_s = time.monotonic() - started_s, time.process_time() - cpu_s
    waits = [wait_s for status, wait_s in answers if status == HTTPStatus.OK] or [float("nan")]
    refused = sum(status == HTTPStatus.SERVICE_UNAVAILABLE for status, _ in answers)
    answered = sum(status == HTTPStatus.OK for status, _ in answers)
    return {
        "answered_a_second": round(answered / took_s, 1),
        "cpu_ms_each": round(1000 * cpu_s / answered),
        "refused": refused,
        "failed": len(answers) - answered - refused,
        "wait_p50_s": round(float(np.percentile(waits, 50)), 3),
        "wait_max_s": round(max(waits), 3),
    }


def _join_rounds(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the better figures of two rounds, but all refusals and faults of both."""
    faults = {name: one[name] + other[name] for name in ("refused", "failed")}
    rate = max(one["answered_a_second"], other["answered_a_second"])
    return {key: min(one[key], other[key]) for key in one} | faults | {"answered_a_second": rate}


def _send_timed(
    port: int, stop: threading.Event, picture: bytes, answers: list[tuple[int, float]]
) -> None:
    while not stop.is_set():
        started_s = time.monotonic()
        try:
            answer = _ask(port, "/classify", picture, timeout_s=90)
            answer.read()
            status = answer.status
        except OSError:
            status = 0
        answers.append((status, time.monotonic() - started_s))


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


def _ask(
    port: int, path: str, body: bytes | None = None, timeout_s: float = 10
) -> http.client.HTTPResponse:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    headers = {"Authorization": f"Bearer {TOKEN}", "Connection": "close"}
    line.request("POST" if body else "GET", path, body, headers)
    return line.getresponse()


if __name__ == "__main__":
    sys.exit(main())
