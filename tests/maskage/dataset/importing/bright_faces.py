"""A finder that takes bright squares on a dark ground for faces, and pictures of them."""

import cv2
import numpy as np

from maskage.records import FaceBox, RgbImage
from tests.conftest import draw_noise


class BrightFinder:
    """A finder of bright regions, largest first, as the face finder returns faces."""

    is_guide = False
    notice: str | None = None

    def find(self, pixels: RgbImage) -> list[FaceBox]:
        bright = (pixels.min(axis=2) > 30).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(bright)
        boxes = [FaceBox(*map(int, row[:4])) for row in stats[1:] if row[4] > 50]
        return sorted(boxes, key=lambda box: -box.width * box.height)


def draw_faces(*boxes: FaceBox, seed: int = 0, size: tuple[int, int] = (400, 300)) -> RgbImage:
    """Draw a bright pattern in each box, on black: `size` is width and height, px."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    for number, box in enumerate(boxes):
        pattern = draw_noise(100 * seed + number, max(box.width, box.height))
        pixels[box.y : box.y + box.height, box.x : box.x + box.width] = np.maximum(
            pattern[: box.height, : box.width], 60
        )
    return pixels
