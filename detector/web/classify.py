"""A classifier for the pictures that clients send, beside the live loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np

from detector.web.low_priority import lower_priority
from maskage.faces.finder import FaceFinder
from maskage.inference.classifier import Classifier
from maskage.inference.picture_faces import ClassifiedFace, classify_faces
from maskage.pictures.images import decode_picture, encode_jpeg
from maskage.records import FaceBox, RgbImage

MOST_WAITING = 4
"""Pictures that wait beside the one at work; each may hold `upload_bytes` of memory."""


_PREVIEW_QUALITY = 85


class BusyError(Exception):
    """Too many pictures are waiting already."""


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


class PictureClassifier:
    """A classifier of one picture at a time, in a thread of its own with low priority.

    Args:
        open_finder: Makes its face finder, because a finder serves one thread.
        open_classifier: Makes its classifier.

    Both are made for the first picture.
    """

    def __init__(
        self, open_finder: Callable[[], FaceFinder], open_classifier: Callable[[], Classifier]
    ) -> None:
        self._open_finder = open_finder
        self._open_classifier = open_classifier
        self._tools: tuple[FaceFinder, Classifier] | None = None
        self._worker = ThreadPoolExecutor(1, "web-classify", initializer=lower_priority)
        self._taken = 0

    def take_seat(self) -> "_Seat":
        """Reserve a place in the queue, to be held while a picture arrives and is classified.

        Raises:
            BusyError: All places are taken.
        """
        if self._taken > MOST_WAITING:
            raise BusyError
        return _Seat(self)

    async def classify(self, data: bytes, preview_px: int | None = None) -> ClassifiedPicture:
        """Decode a picture, find its faces and classify them.

        Args:
            data: The encoded picture.
            preview_px: Longer side of a preview at most; None for none.

        Raises:
            UnreadableImageError: See `maskage.pictures.images.decode_picture`.
            ToolchainError: The model or the finder is not usable.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, self._classify, data, preview_px)

    def close(self) -> None:
        """Accept no more pictures, and finish the one at work."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _classify(self, data: bytes, preview_px: int | None) -> ClassifiedPicture:
        picture = decode_picture(data, "The picture")
        if self._tools is None:
            self._tools = self._open_finder(), self._open_classifier()
        finder, classifier = self._tools
        scale = picture.width / picture.pixels.shape[1]
        faces = tuple(
            replace(face, box=_scaled(face.box, scale))
            for face in classify_faces(picture.pixels, finder, classifier)
        )
        preview = None if preview_px is None else _make_preview(picture.pixels, preview_px)
        return ClassifiedPicture(picture.width, picture.height, faces, finder.notice, preview)


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


class _Seat:
    def __init__(self, classifier: PictureClassifier) -> None:
        self._classifier = classifier

    def __enter__(self) -> None:
        self._classifier._taken += 1

    def __exit__(self, *_: object) -> None:
        self._classifier._taken -= 1
