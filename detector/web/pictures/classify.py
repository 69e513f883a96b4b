"""A classifier for the pictures that clients send, beside the live loop."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from detector.web.low_priority import lower_priority
from detector.web.pictures.fair_queue import FairQueue, QueueLimits
from maskage.errors import UnreadableImageError
from maskage.faces.finder import FaceFinder, crop_face
from maskage.inference.classifier import Classifier
from maskage.inference.picture_faces import ClassifiedFace, name_faces
from maskage.pictures.images import decode_picture, encode_jpeg, resize_square
from maskage.records import FaceBox, RgbImage

MOST_PICTURES = 32
"""Pictures of one request."""

PICTURES_AT_ONCE = 8
"""Pictures that are worked on before another request has its turn; their faces share batches."""

FACES_AT_ONCE = 32
"""Faces of one batch: a crowd of them would hold too much memory in the network."""

QUEUE = QueueLimits(most_inside=6, most_bytes=200_000_000, most_waiting=100, longest_wait_s=60.0)
"""Requests inside hold their pictures in memory, those that wait do not: they are not read yet."""

_PREVIEW_QUALITY = 85

Stage = Literal["queue", "request", "finder", "network"]


@dataclass(frozen=True)
class ClassifiedPicture:
    """A picture and its faces.

    Attributes:
        width, height: Size of the picture that was sent, upright, px; of over 25 megapixels it is
            searched at a fraction of that.
        faces: The faces, largest first; their boxes are in pixels of the picture that was sent.
        notice: A sentence, for example that no face model was there; None for none.
        preview: The picture as a small upright JPEG; None if it was not asked for.
    """

    width: int
    height: int
    faces: tuple[ClassifiedFace, ...]
    notice: str | None
    preview: bytes | None = None


@dataclass(frozen=True, eq=False)
class _SearchedPicture:
    """A picture whose faces are cut out, before the network saw them."""

    width: int
    height: int
    boxes: tuple[FaceBox, ...]
    crops: tuple[RgbImage, ...]
    preview: bytes | None


class PictureClassifier:
    """A classifier of some pictures at a time, in a thread of its own with low priority.

    Args:
        open_finder: Makes its face finder, because a finder serves one thread.
        open_classifier: Makes its classifier.
        limits: The bounds of the queue before it.

    Both are made for the first picture.

    Attributes:
        queue: The requests before it and those inside.
        report_s: Called with each stage and the seconds that it took, in any thread.
    """

    def __init__(
        self,
        open_finder: Callable[[], FaceFinder],
        open_classifier: Callable[[], Classifier],
        limits: QueueLimits = QUEUE,
    ) -> None:
        self.queue = FairQueue(limits)
        self.report_s: Callable[[Stage, float], None] = lambda stage, seconds: None
        self._open_finder = open_finder
        self._open_classifier = open_classifier
        self._tools: tuple[FaceFinder, Classifier] | None = None
        self._worker = ThreadPoolExecutor(1, "web-classify", initializer=lower_priority)

    @asynccontextmanager
    async def take_place(self, client: str, size: int) -> AsyncIterator[None]:
        """Wait for a place, to be held while pictures arrive and are classified.

        Args:
            client: Address of the client.
            size: Most bytes that the request may have.

        Raises:
            QueueFullError: From the context: too many wait, or for too long.
        """
        started_s = time.perf_counter()
        async with self.queue.place(client, size):
            self.report_s("queue", time.perf_counter() - started_s)
            try:
                yield
            finally:
                self.report_s("request", time.perf_counter() - started_s)

    async def classify(self, data: bytes, preview_px: int | None = None) -> ClassifiedPicture:
        """Decode a picture, find its faces and classify them.

        Args:
            data: The encoded picture.
            preview_px: Longer side of a preview at most; None for none.

        Raises:
            UnreadableImageError: See `maskage.pictures.images.decode_picture`.
            ToolchainError: The model or the finder is not usable.
        """
        (answer,) = await self.classify_all([("The picture", data)], preview_px)
        if isinstance(answer, UnreadableImageError):
            raise answer
        return answer

    async def classify_all(
        self, pictures: Sequence[tuple[str, bytes]], preview_px: int | None = None
    ) -> list[ClassifiedPicture | UnreadableImageError]:
        """Classify pictures; their faces share batches, and a bad picture costs the others nothing.

        Between each `PICTURES_AT_ONCE` of them other requests have their turn.

        Args:
            pictures: The name of each in messages, and its file.
            preview_px: Longer side of a preview of each at most; None for none.

        Returns:
            For each in order: its faces, or why it cannot be read.

        Raises:
            ToolchainError: The model or the finder is not usable.
        """
        loop = asyncio.get_running_loop()
        answers: list[ClassifiedPicture | UnreadableImageError] = []
        for at in range(0, len(pictures), PICTURES_AT_ONCE):
            some = pictures[at : at + PICTURES_AT_ONCE]
            answers += await loop.run_in_executor(self._worker, self._classify, some, preview_px)
        return answers

    def close(self) -> None:
        """Accept no more pictures, and finish the one at work."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _classify(
        self, pictures: Sequence[tuple[str, bytes]], preview_px: int | None
    ) -> list[ClassifiedPicture | UnreadableImageError]:
        searched: list[_SearchedPicture | UnreadableImageError] = []
        for name, data in pictures:
            try:
                searched.append(self._search(name, data, preview_px))
            except UnreadableImageError as fault:
                searched.append(fault)
        faces = iter(self._name_faces([s for s in searched if isinstance(s, _SearchedPicture)]))
        return [s if isinstance(s, UnreadableImageError) else next(faces) for s in searched]

    def _open_tools(self) -> tuple[FaceFinder, Classifier]:
        if self._tools is None:
            self._tools = self._open_finder(), self._open_classifier()
        return self._tools

    def _search(self, name: str, data: bytes, preview_px: int | None) -> _SearchedPicture:
        """Decode a picture and cut its faces out; its pixels are not kept."""
        picture = decode_picture(data, name)
        finder, classifier = self._open_tools()
        started_s = time.perf_counter()
        boxes = finder.find(picture.pixels)
        self.report_s("finder", time.perf_counter() - started_s)
        bundle = classifier.bundle
        crops = tuple(
            resize_square(crop_face(picture.pixels, box, bundle.crop_margin), bundle.input_size)
            for box in boxes
        )
        scale = picture.width / picture.pixels.shape[1]
        scaled = tuple(_scaled(box, scale) for box in boxes)
        preview = None if preview_px is None else _make_preview(picture.pixels, preview_px)
        return _SearchedPicture(picture.width, picture.height, scaled, crops, preview)

    def _name_faces(self, searched: Sequence[_SearchedPicture]) -> list[ClassifiedPicture]:
        """Classify the faces of several pictures together."""
        if not searched:
            return []
        finder, classifier = self._open_tools()
        boxes = [box for each in searched for box in each.boxes]
        crops = [crop for each in searched for crop in each.crops]
        faces: list[ClassifiedFace] = []
        for at in range(0, len(crops), FACES_AT_ONCE):
            part = slice(at, at + FACES_AT_ONCE)
            started_s = time.perf_counter()
            answers = classifier.answer(crops[part])
            self.report_s("network", time.perf_counter() - started_s)
            faces += name_faces(boxes[part], answers, classifier.bundle)
        ends = np.cumsum([0, *(len(each.boxes) for each in searched)])
        return [
            ClassifiedPicture(
                each.width, each.height, tuple(faces[first:end]), finder.notice, each.preview
            )
            for each, first, end in zip(searched, ends, ends[1:], strict=False)
        ]


def _make_preview(pixels: RgbImage, most_px: int) -> bytes:
    height, width = pixels.shape[:2]
    share = most_px / max(width, height)
    if share < 1:
        size = max(1, round(width * share)), max(1, round(height * share))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return encode_jpeg(pixels, _PREVIEW_QUALITY)


def _scaled(box: FaceBox, scale: float) -> FaceBox:
    """Return a box of a picture that was decoded at a fraction of its size, in the whole one."""
    if scale == 1:
        return box
    x, y, width, height = (round(scale * side) for side in (box.x, box.y, box.width, box.height))
    return replace(box, x=x, y=y, width=width, height=height)
