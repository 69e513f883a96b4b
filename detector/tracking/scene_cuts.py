"""Cuts of the picture to another scene, at which every track must end."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskage.records import RgbImage

THUMBNAIL_PX = 32
_SAMPLES = 4
"""Pixels of the frame, a side, that are averaged into one of the thumbnail."""
CUT_DIFFERENCE = 25.0
"""Mean difference of two thumbnails, 0 to 255, that counts as a cut.

Source: in three recordings of people and in rendered scenes, cuts were at 32 and more, and frames
of one scene, with hands and faces moving, at 5 and less. Cuts between rooms of like colours stay
under it: 3 of 18 in the demo camera's scenes.
"""


class SceneCutDetector:
    """A comparison of each frame with the one before."""

    def __init__(self) -> None:
        self._last: NDArray[np.int16] | None = None

    def is_cut(self, pixels: RgbImage) -> bool:
        """Return True if this frame, RGB uint8 (H, W, 3), shows another scene than the last."""
        # Area averaging of a whole frame costs more than tracking; some of its pixels will do.
        side = _SAMPLES * THUMBNAIL_PX
        sampled = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_NEAREST)
        small = cv2.resize(sampled, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
        thumbnail = small.astype(np.int16)
        last, self._last = self._last, thumbnail
        return last is not None and float(np.abs(thumbnail - last).mean()) >= CUT_DIFFERENCE
