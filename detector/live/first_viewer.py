"""A recording in a browser that waits for somebody to watch it.

A clip would be over before its address was opened. A camera goes on by itself, and a view whose
frames are also written or sent somewhere is watched for that.
"""

import threading
import time
from collections.abc import Callable

from detector.live.requests import LiveRequest
from detector.screens.display import ScreenKind
from maskage.cameras.live_feed import LiveFeed
from maskage.cameras.video.video_file import VideoFile
from maskage.console import say

_POLL_S = 0.1


def has_other_use(request: LiveRequest) -> bool:
    """Return True where the frames of a view matter though nobody watches them."""
    outputs, limits = request.outputs, request.limits
    is_limited = limits.seconds is not None or limits.frames is not None
    return bool(
        outputs.json_out
        or outputs.csv_out
        or outputs.alarms
        or outputs.mqtt
        or outputs.is_recording
        or is_limited
    )


def can_wait(request: LiveRequest, screen: ScreenKind, feed: LiveFeed) -> bool:
    """Return True for a recording that plays at its own speed in a browser, for viewers alone."""
    is_playing = isinstance(feed.camera, VideoFile) and feed.camera.is_live
    return screen is ScreenKind.WEB and is_playing and not has_other_use(request)


class FirstViewer:
    """The wait for the first viewer: holds a feed until somebody watches.

    Args:
        feed: A recording; held at once, at its first picture.
    """

    def __init__(self, feed: LiveFeed) -> None:
        self._feed = feed
        feed.hold(is_held=True)

    def wait_in_background(
        self, has_viewer: Callable[[], bool], is_over: Callable[[], bool]
    ) -> None:
        """Let the feed go on once there is a viewer.

        Args:
            has_viewer: Returns True once somebody watches.
            is_over: Returns True once the view has ended.
        """
        say(f"{self._feed.camera.name} begins once somebody watches it. Ctrl-C ends it.")
        arguments = (has_viewer, is_over)
        threading.Thread(
            target=self._wait, args=arguments, name="first-viewer", daemon=True
        ).start()

    def _wait(self, has_viewer: Callable[[], bool], is_over: Callable[[], bool]) -> None:
        while not has_viewer() and not is_over():
            time.sleep(_POLL_S)
        self._feed.hold(is_held=False)
