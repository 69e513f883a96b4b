"""Flat views of faces, cut by their landmarks, on which noses lie upon noses.

A nose that looks out of a mask is a small thing: in a global average of a whole photo it is lost.
On these views a part of the face has its place, whatever the size and the turn of the head.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from curation.masks.cloth import can_lend_mask, is_whole_face, shows_chin
from curation.masks.face_frame import FaceFrame, Plane
from curation.masks.painting import MaskLender, MaskPainting, Wearing, paint_mask_on
from maskage.faces.finder import FaceLandmarks, YuNetFinder
from maskage.records import RgbImage

VIEW_SIDE_PX = 128
"""Side of a view. The network needs a third of the time that it needs for a whole photo."""
_VIEW_UNITS = 1.5
"""Side of a view in head units: the face without its hair."""
_VIEW_TOP = -0.2
"""Upper edge of a view in head units: the eyebrows."""
_BLUR_FROM_PX = 1.5
"""Pixels of a photo in one of the view, from which it is blurred first, or lines would flicker."""


_LONGEST_PX = 640
"""Longer side of the photos that faces are cut from. Faces that lend masks stay in memory."""


class MaskState(StrEnum):
    """What a view shows of a mask."""

    WORN = "worn"
    NOSE_OUT = "nose out"
    ON_CHIN = "chin"
    BARE = "bare"


@dataclass(frozen=True, eq=False)
class Face:
    """A photo and the complete face in it.

    Attributes:
        index: Index of the photo in the input.
        pixels: Photo, RGB uint8, shape (H, W, 3).
        landmarks: Landmarks of the face, in pixels of the photo.
    """

    index: int
    pixels: RgbImage
    landmarks: FaceLandmarks

    @property
    def clearness(self) -> float:
        """How surely the finder takes it for a face, as log odds: a covered nose makes it doubt."""
        score = float(np.clip(self.landmarks.box.score, 0.01, 0.99))
        return float(np.log(score / (1 - score)))

    @property
    def view(self) -> RgbImage:
        """The view of the face, RGB uint8, shape (`VIEW_SIDE_PX`, `VIEW_SIDE_PX`, 3)."""
        return cut_view(self.pixels, self.landmarks)


def find_face(index: int, pixels: RgbImage, finder: YuNetFinder) -> Face | None:
    """Return the largest face of a photo, RGB uint8 (H, W, 3); None where it is not complete.

    A large photo is shrunk to `_LONGEST_PX`.
    """
    longest = max(pixels.shape[:2])
    if longest > _LONGEST_PX:
        height, width = (max(1, round(side * _LONGEST_PX / longest)) for side in pixels.shape[:2])
        small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
        pixels = np.asarray(small, np.uint8)
    landmarks = next(iter(finder.find_landmarks(pixels)), None)
    if landmarks is None or not is_whole_face(pixels, landmarks):
        return None
    return Face(index, pixels, landmarks)


def cut_view(pixels: RgbImage, landmarks: FaceLandmarks) -> RgbImage:
    """Cut the view of a face out of a photo, turned upright and stretched to the common size.

    Args:
        pixels: Photo, RGB uint8, shape (H, W, 3).
        landmarks: Landmarks of the face, in pixels of the photo.

    Returns:
        RGB uint8, shape (`VIEW_SIDE_PX`, `VIEW_SIDE_PX`, 3).
    """
    frame = FaceFrame(landmarks)
    step_px = frame.unit_px * _VIEW_UNITS / VIEW_SIDE_PX
    if step_px > _BLUR_FROM_PX:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.4 * step_px), np.uint8)
    return frame.flatten(pixels, *_places())


def paint_masks(
    face: Face, turn: int, lenders: Sequence[Face], seed: int
) -> Iterator[tuple[MaskState, RgbImage]]:
    """Yield the photo of a bare face with a mask worn, below the nose and, if seen, on the chin.

    Args:
        face: The bare face.
        turn: Number of the face; every other mask is drawn, the others are taken from photos.
        lenders: Faces whose masks are taken, in turn; maybe none.
        seed: Seed of the masks.
    """
    ways: Mapping[MaskState, Wearing] = {
        MaskState.WORN: Wearing.WORN,
        MaskState.NOSE_OUT: Wearing.BELOW_NOSE,
        MaskState.ON_CHIN: Wearing.ON_CHIN,
    }
    for number, (state, wearing) in enumerate(ways.items(), turn * len(ways)):
        if wearing is Wearing.ON_CHIN and not shows_chin(face.pixels, face.landmarks):
            continue
        lender = lenders[number % len(lenders)] if lenders and number % 2 else None
        named = None if lender is None else MaskLender(str(lender.index), lender.landmarks)
        painting = MaskPainting(wearing, face.landmarks, named)
        lent = None if lender is None else lender.pixels
        painted = paint_mask_on(face.pixels, painting, f"{seed} view {number}", lent)
        yield state, painted


def can_lend(face: Face) -> bool:
    """Return whether the mask of a masked face can be painted on another one."""
    return can_lend_mask(face.pixels, face.landmarks)


def _places() -> tuple[Plane, Plane]:
    """Return x and y of each pixel of a view in head units."""
    steps = (np.arange(VIEW_SIDE_PX, dtype=np.float32) + np.float32(0.5)) / VIEW_SIDE_PX
    x, y = np.meshgrid((steps - 0.5) * _VIEW_UNITS, _VIEW_TOP + steps * _VIEW_UNITS)
    return x.astype(np.float32), y.astype(np.float32)
