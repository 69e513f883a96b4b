"""The pictures of a device's camera, decoded with stricter limits than those of files."""

import time

import numpy as np

from maskage.errors import UnreadableImageError
from maskage.pictures.opened_picture import load_upright, open_picture
from maskage.records import Frame

LONGEST_SIDE_PX = 1280
"""The longest side of a picture; the page sends 640 px."""

_JPEG_START = b"\xff\xd8"


def decode_frame(data: bytes, index: int) -> Frame:
    """Decode one picture of a device's camera.

    Args:
        data: A JPEG.
        index: The number of the frame, from 0.

    Raises:
        UnreadableImageError: No JPEG, cut short, or with a side over `LONGEST_SIDE_PX`.
    """
    if not data.startswith(_JPEG_START):
        raise UnreadableImageError(
            f"A picture of the camera is a JPEG; found {len(data):,} bytes of something else."
        )
    with open_picture(data, "The camera's picture") as image:
        if max(image.size) > LONGEST_SIDE_PX:
            raise UnreadableImageError(
                f"A picture of the camera has sides of at most {LONGEST_SIDE_PX} px; found "
                f"{image.size[0]}x{image.size[1]}. Scale it down to 640."
            )
        pixels = np.array(load_upright(image).image)
    now_s = time.monotonic()
    return Frame(pixels, index, captured_s=now_s, position_s=now_s)
