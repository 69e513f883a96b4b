"""Run an exported page in headless Chromium, and compare its steps with this toolchain's."""

import base64
import json
import weakref
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskage.errors import ModelRefusedError
from maskage.faces.finder import FaceFinder, YuNetFinder, find_face_model
from maskage.pictures.images import resize_square
from maskage.records import FaceBox, RgbImage
from trainer.exports.web.browser import FolderServer, Page

LARGEST_STEP = 1
"""Largest difference of a byte of a resized picture: rounding."""

_SMALLEST_FACE_PX = 40
_LEAST_ALIKE = 0.9
_LEAST_IOU = 0.9
_FRAMES = ((800, 600), (500, 375))
"""Sizes of frames in which faces are looked for: whole and broken ratios to the finder's input."""

_DECODE = "const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));"
_LOADED = "import('./app.js').then((app) => app.ready)"


class PageClassifier:
    """An exported page, run in a browser that ends with this object.

    Args:
        folder: The exported folder.

    Raises:
        EnvironmentProblemError: There is no browser.
        ModelRefusedError: The page does not load the model; the message is the page's own.
    """

    def __init__(self, folder: Path) -> None:
        with ExitStack() as stack:
            server = stack.enter_context(FolderServer(folder))
            self._page = stack.enter_context(Page(server.url))
            self.close = weakref.finalize(self, stack.pop_all().close)
        fault = "document.getElementById('fault')"
        self._page.wait_for(
            f"{fault} && (!{fault}.hidden || !document.getElementById('camera').disabled)"
        )
        if text := self._page.run(f"{fault}.hidden ? '' : {fault}.textContent"):
            self.close()
            raise ModelRefusedError(f"The page does not run in the browser: {text}")

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probabilities, float32 (N, C), of images, uint8 (N, size, size, 3)."""
        rows = self._page.run(
            f"{_LOADED}.then(async (engine) => {{ {_DECODE}"
            f"const rows = await engine.run(bytes('{_encode(images)}'), {len(images)});"
            "return rows.map((row) => row.probabilities); })"
        )
        return np.array(rows, np.float32)

    def resize(self, pixels: RgbImage, size: int) -> RgbImage:
        """Return a picture as the page resizes it."""
        text = self._page.run(
            f"import('./resize.js').then(({{ resizeSquare }}) => {{ {_DECODE}"
            f"const made = resizeSquare({_picture(pixels)}, {size});"
            "let text = ''; for (const each of made) text += String.fromCharCode(each);"
            "return btoa(text); })"
        )
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(size, size, 3)

    def find(self, pixels: RgbImage, smallest_face_px: int) -> list[FaceBox]:
        """Return the faces that the page finds in a picture."""
        rows = self._page.run(
            f"{_LOADED}.then((engine) => {{ {_DECODE}"
            f"return engine.find({_picture(pixels)}, {smallest_face_px}); }})"
        )
        return [
            FaceBox(row["x"], row["y"], row["width"], row["height"], row["score"]) for row in rows
        ]

    def measure_ms(self, pixels: RgbImage) -> tuple[float, float]:
        """Return the median time of finding and of classifying in a picture, as the page runs."""
        found = self._page.run(
            f"{_LOADED}.then(async (engine) => {{ {_DECODE}"
            f"const picture = {_picture(pixels)}, times = [];"
            "for (let turn = 0; turn < 11; turn++)"
            f"times.push(await engine.answer(picture, {_SMALLEST_FACE_PX}));"
            "const middle = (name) => times.map((time) => time[name]).sort((a, b) => a - b)[5];"
            "return [middle('findMs'), middle('classifyMs')]; })"
        )
        return float(found[0]), float(found[1])

    def describe_browser(self) -> str:
        """Return the browser's name and version."""
        text = str(self._page.run("navigator.userAgent"))
        return next((part for part in text.split() if "Chrome/" in part), "Chromium")


@dataclass(frozen=True)
class PageFigures:
    """The steps before the network beside this toolchain's.

    Attributes:
        largest_step: Largest difference of a byte of resized pictures.
        faces, alike: Number of faces found here, and of those that the page finds there too.
    """

    largest_step: int
    faces: int
    alike: int


def check_steps(page: PageClassifier, photos: NDArray[np.uint8], size: int) -> PageFigures:
    """Compare how the page resizes and finds faces.

    Args:
        page: The page.
        photos: Photos of faces, uint8 (N, size, size, 3).
        size: Side of the network's input, px.

    Raises:
        ModelRefusedError: It resizes otherwise, or finds other faces.
    """
    step = max(
        int(np.abs(page.resize(each, size).astype(int) - resize_square(each, size)).max())
        for each in _varied_sizes(photos[0])
    )
    if step > LARGEST_STEP:
        raise ModelRefusedError(
            f"The page resizes pictures otherwise than the training did (off by {step} of 255, at "
            f"most {LARGEST_STEP} is accepted). Please report this with the browser's version."
        )
    model = find_face_model()
    if model is None:
        return PageFigures(step, 0, 0)
    faces, alike = _compare_faces(page, YuNetFinder(model), photos)
    if alike < _LEAST_ALIKE * faces:
        raise ModelRefusedError(
            f"The page finds other faces than this toolchain: {alike} of {faces} are alike. Please "
            f"report this with the browser's version."
        )
    return PageFigures(step, faces, alike)


def describe_checks(folder: Path, photos: NDArray[np.uint8]) -> str:
    """Check a page's steps in a browser, and return the figures in words.

    Args:
        folder: The exported folder.
        photos: Photos of faces of the network's size, uint8 (N, size, size, 3).

    Raises:
        EnvironmentProblemError: There is no browser.
        ModelRefusedError: See `check_steps`.
    """
    page = PageClassifier(folder)
    try:
        figures = check_steps(page, photos, photos.shape[1])
        frame = lay_out_frame(photos, 640, 480)
        found = len(page.find(frame, _SMALLEST_FACE_PX))
        find_ms, classify_ms = page.measure_ms(frame)
        browser = page.describe_browser()
    finally:
        page.close()
    faces = f", {figures.alike} of {figures.faces} faces found alike" if figures.faces else ""
    return (
        f"in {browser} resized within {figures.largest_step} of 255{faces}, {find_ms:.0f} ms to "
        f"find and {classify_ms:.0f} ms to classify {found} faces of a 640x480 frame"
    )


def lay_out_frame(photos: NDArray[np.uint8], width: int, height: int) -> RgbImage:
    """Lay photos of faces side by side, in four columns and three rows."""
    frame = np.zeros((height, width, 3), np.uint8)
    wide, high = width // 4, height // 3
    for number in range(12):
        cell = cv2.resize(photos[number % len(photos)], (wide, high))
        top, left = number // 4 * high, number % 4 * wide
        frame[top : top + high, left : left + wide] = cell
    return frame


def _compare_faces(
    page: PageClassifier, finder: FaceFinder, photos: NDArray[np.uint8]
) -> tuple[int, int]:
    faces = alike = 0
    for width, height in _FRAMES:
        frame = lay_out_frame(photos[:: max(1, len(photos) // 12)], width, height)
        expected, found = finder.find(frame), page.find(frame, _SMALLEST_FACE_PX)
        faces += len(expected)
        alike += sum(any(each.iou(own) >= _LEAST_IOU for own in found) for each in expected)
    return faces, alike


def _varied_sizes(photo: RgbImage) -> list[RgbImage]:
    """Return a photo enlarged and shrunk, so that the page must shrink and enlarge it again."""
    size = len(photo)
    sides = (2 * size, 3 * size, size + 37, size, max(2, size // 2), max(2, size - 11))
    return [cv2.resize(photo, (side, side)).astype(np.uint8) for side in sides]


def _encode(pixels: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()


def _picture(pixels: RgbImage) -> str:
    height, width = pixels.shape[:2]
    sides = json.dumps({"width": width, "height": height, "channels": 3})
    return f"{{ data: bytes('{_encode(pixels)}'), ...{sides} }}"
