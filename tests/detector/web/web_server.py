"""A real web screen on loopback, and views to show it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx
import numpy as np

from detector.drawing.overlay import Readout
from detector.screens.base import Controls, Counts, LiveView
from detector.screens.commands import CommandDesk
from detector.tracking.pipeline import FrameResult, ModelRequest, Timings
from detector.tracking.tracker import TrackedFace
from detector.web.device.labelling import DeviceCameras
from detector.web.history.routes import History
from detector.web.options import WebOptions
from detector.web.pictures.classify import PictureClassifier
from detector.web.server import WebScreen, open_web
from detector.web.threshold_costs import ThresholdCosts
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import Scheme
from maskage.faces.finder import GuideFinder
from maskage.formats.bundle import ModelBundle
from maskage.inference.classifier import Classifier
from maskage.records import FaceBox, Frame, RgbImage

TOKEN = "a token that only the tests know"


@dataclass(frozen=True)
class Served:
    """A server with its desk.

    Attributes:
        screen: Shows views.
        desk: Where commands arrive.
        port: Where it listens.
        client: Sends the token along.
    """

    screen: WebScreen
    desk: CommandDesk
    port: int
    client: httpx.Client

    def stranger(self, **headers: str) -> httpx.Client:
        """A client without the token."""
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=10)


def picture_classifier(bundle: ModelBundle) -> PictureClassifier:
    """One that classifies the middle of a picture."""
    return PictureClassifier(
        lambda: GuideFinder("nobody looked"), lambda: Classifier(bundle, threads=1)
    )


@contextmanager
def serving(
    bundle: ModelBundle,
    options: WebOptions | None = None,
    *,
    has_camera: bool = True,
    history: History | None = None,
    costs: ThresholdCosts | None = None,
) -> Iterator[Served]:
    """Serve until the end of the block."""
    options = options or WebOptions(port=0, token=TOKEN)
    devices = DeviceCameras(
        lambda: GuideFinder("nobody looked"), lambda: Classifier(bundle, threads=1), ModelRequest()
    )
    desk = CommandDesk()
    with open_web(
        options,
        picture_classifier(bundle),
        bundle.scheme,
        desk if has_camera else None,
        devices=devices,
        history=history,
        costs=costs,
    ) as screen:
        url = httpx.URL(screen.url)
        assert url.port is not None
        headers = {"Authorization": f"Bearer {TOKEN}"}
        base = f"{url.scheme}://127.0.0.1:{url.port}"
        with httpx.Client(base_url=base, headers=headers, timeout=10, verify=False) as client:
            yield Served(screen, desk, url.port, client)


def make_face(
    track: int = 1,
    label: str = "mask_old",
    confidence: float = 0.91,
    *,
    is_sure: bool = True,
    scheme: Scheme = MASK_AGE,
) -> TrackedFace:
    """A face with that confidence, the rest shared out."""
    others = (1 - confidence) / (len(scheme) - 1)
    row = tuple(confidence if each == label else others for each in scheme.labels)
    box = FaceBox(20 + 60 * (track - 1), 30, 50, 60)
    return TrackedFace(track, box, label, row, row, is_sure, scheme=scheme)


def make_view(
    number: int = 0,
    faces: tuple[TrackedFace, ...] = (make_face(),),
    readout: Readout | None = None,
    controls: Controls | None = None,
    *,
    pixels: RgbImage | None = None,
    is_mirrored: bool = False,
    scheme: Scheme = MASK_AGE,
) -> LiveView:
    """A view of a picture whose brightness is its number."""
    if pixels is None:
        pixels = np.full((480, 640, 3), number % 256, dtype=np.uint8)
    result = FrameResult(
        Frame(pixels, number, position_s=number / 10), faces, Timings(1, 1, 1, 1), scheme
    )
    return LiveView(
        result,
        readout or Readout(fps=30.0, age_ms=12.0),
        is_mirrored,
        controls or Controls(sources=("demo camera", "webcam 1")),
        Counts(number + 1, 7, 2),
    )


def as_stale(view: LiveView, stale_s: float) -> LiveView:
    """The same view, with a camera that has been silent for so long."""
    return replace(view, readout=replace(view.readout, stale_s=stale_s))


def wait_until(is_true: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Wait for something that another thread does."""
    until_s = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < until_s
        time.sleep(0.01)
