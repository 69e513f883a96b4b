"""The opening of the cameras of a live view: one at once, several each as it comes."""

import queue
import threading
from contextlib import ExitStack
from functools import partial

from detector.live.requests import SourceRequest
from detector.live.sources import CameraChoice, can_come_later
from detector.live.watched import CameraNews, WatchedCamera, WatchedCameras
from detector.tracking.pipeline import LivePipeline
from maskage.cameras.live_feed import LiveFeed
from maskage.cameras.sources import Camera, open_camera
from maskage.classes.scheme import Scheme
from maskage.demo.address import is_demo
from maskage.errors import UsageError


def choose_cameras(request: SourceRequest, scheme: Scheme) -> CameraChoice:
    """Return the sources of a request; none is opened yet.

    Raises:
        UsageError: A webcam is named twice.
    """
    names = request.names
    for source in names:
        if source.isdecimal() and names.count(source) > 1:
            raise UsageError(
                f"--source {source} is named {names.count(source)} times, and a webcam opens only "
                f"once. Name each webcam once."
            )
    opener = partial(_open_source, request, scheme)
    is_one_webcam = len(names) == 1 and names[0].isdecimal()
    return CameraChoice(names, opener, finds_webcams=is_one_webcam)


def open_cameras(
    request: SourceRequest, choice: CameraChoice, pipeline: LivePipeline, held: ExitStack
) -> WatchedCameras:
    """Open the cameras of a request.

    A single source is opened at once. Of several a webcam or an address is opened in a thread, and
    waited for while the others run.

    Args:
        request: The sources.
        choice: What `choose_cameras` returned for it.
        pipeline: For the first source; the others share its finder and network.
        held: Closes them.

    Raises:
        CameraError: A source cannot be opened, and is not one to wait for.
    """
    if len(request.names) == 1:
        feed = held.enter_context(LiveFeed(choice.open))
        return WatchedCameras([WatchedCamera(feed, pipeline)], choice)
    arrived = threading.Event()
    cameras: list[WatchedCamera] = []
    news: queue.SimpleQueue[str] = queue.SimpleQueue()
    for number, (source, name) in enumerate(zip(request.names, choice.names, strict=True)):
        feed = LiveFeed(
            partial(_open_source, request, pipeline.scheme, source, number),
            awaited=name if can_come_later(source) else None,
            on_state=CameraNews(name, news.put).note,
            on_change=arrived.set,
        )
        held.enter_context(feed)
        mine = pipeline if number == 0 else pipeline.for_another_source()
        cameras.append(WatchedCamera(feed, mine, number, name, source))
    return WatchedCameras(cameras, choice, is_all=request.is_all, arrived=arrived, news=news)


def _open_source(request: SourceRequest, scheme: Scheme, source: str, number: int = 0) -> Camera:
    # Before each of several demo cameras there are other people.
    seed = request.seed + (number if is_demo(source) else 0)
    return open_camera(source, pace=request.is_paced, seed=seed, scheme=scheme)
