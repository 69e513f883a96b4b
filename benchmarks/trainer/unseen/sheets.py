"""A contact sheet of photos, to look at the mistakes."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from maskage.pictures.images import encode_jpeg, read_image, resize_square
from maskage.records import RgbImage

SIDE = 200
CAPTION = 24
COLUMNS = 5


def write_sheet(sheet: Path, photos: Sequence[tuple[Path, str]]) -> None:
    """Write a JPEG with the photos row by row, each above its caption.

    Args:
        sheet: File to write.
        photos: File and caption of each photo, at least one.
    """
    tiles = [make_tile(path, caption) for path, caption in photos]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[at : at + COLUMNS]) for at in range(0, len(tiles), COLUMNS)]
    sheet.write_bytes(encode_jpeg(np.vstack(rows)))


def make_tile(path: Path, caption: str) -> RgbImage:
    """Return a photo with its caption, RGB uint8, shape (SIDE + CAPTION, SIDE, 3)."""
    text = np.full((CAPTION, SIDE, 3), 255, np.uint8)
    cv2.putText(text, caption, (4, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([resize_square(read_image(path), SIDE), text])
