"""Labels of the faces before visitors' own cameras: one finder and network, tracks for each."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from detector.tracking.pipeline import FrameResult, LivePipeline, ModelRequest
from detector.web.device.frames import decode_frame
from detector.web.low_priority import lower_priority
from maskage.faces.finder import FaceFinder, open_face_finder
from maskage.formats.bundle import ModelBundle
from maskage.inference.classifier import Classifier

MOST_DEVICES = 4
"""Devices at a time: each sends up to thirty pictures a second, and all share one thread."""


class DevicesBusyError(Exception):
    """As many devices are connected as may be."""


class DeviceCameras:
    """The devices whose cameras are labelled, in a thread of its own with low priority.

    A device has one picture at work at a time, so that the devices take turns.

    Args:
        open_finder: Makes the face finder, for the first picture.
        open_classifier: Makes the classifier, likewise.
        request: How the model is used: the limits of sureness, and the work that is not repeated.
        most: Devices at a time.
    """

    def __init__(
        self,
        open_finder: Callable[[], FaceFinder],
        open_classifier: Callable[[], Classifier],
        request: ModelRequest,
        most: int = MOST_DEVICES,
    ) -> None:
        self._open_finder = open_finder
        self._open_classifier = open_classifier
        self._request = request
        self._most = most
        self._connected = 0
        self._tools: tuple[FaceFinder, Classifier] | None = None
        self._worker = ThreadPoolExecutor(1, "web-devices", initializer=lower_priority)

    @property
    def connected(self) -> int:
        """The number of devices."""
        return self._connected

    def connect(self) -> "Device":
        """Return one more device, a context.

        Raises:
            DevicesBusyError: There are as many as may be.
        """
        if self._connected >= self._most:
            raise DevicesBusyError
        return Device(self)

    def close(self) -> None:
        """Accept no more pictures, and finish the one at work."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _open_pipeline(self) -> LivePipeline:
        """Return tracks of their own on the shared tools; in the worker's thread."""
        if self._tools is None:
            self._tools = self._open_finder(), self._open_classifier()
        return LivePipeline(
            *self._tools,
            thrift=self._request.thrift,
            unsure_below=self._request.threshold,
            strange_above=self._request.strange_above,
        )


class Device:
    """One device; a context while it is connected.

    Args:
        cameras: What it is one of.

    Attributes:
        notice: A sentence, for example that no face model was there; None for none.
    """

    def __init__(self, cameras: DeviceCameras) -> None:
        self.notice: str | None = None
        self._cameras = cameras
        self._pipeline: LivePipeline | None = None
        self._frames = 0

    def __enter__(self) -> Self:
        self._cameras._connected += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._cameras._connected -= 1

    async def label(self, data: bytes) -> FrameResult:
        """Decode one picture of the camera, and label the faces in it.

        Raises:
            UnreadableImageError: See `detector.web.device.frames.decode_frame`.
            ToolchainError: The model or the finder is not usable.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._cameras._worker, self._label, data)

    def _label(self, data: bytes) -> FrameResult:
        frame = decode_frame(data, self._frames)
        self._frames += 1
        if self._pipeline is None:
            self._pipeline = self._cameras._open_pipeline()
            self.notice = self._pipeline.finder.notice
        return self._pipeline.process(frame)


def device_cameras(bundle: ModelBundle, request: ModelRequest) -> DeviceCameras:
    """Return the devices of a model, used as a request says; the model is opened when needed."""
    return DeviceCameras(
        lambda: open_face_finder(request.face_model),
        # One thread: a visitor's camera must not take the cores from the live picture.
        lambda: Classifier(bundle, threads=1),
        request,
    )
