"""What the camera sees right now: one frame, the face in it, its crop and how good that is."""

from dataclasses import dataclass

import numpy as np

from maskage.faces.finder import FaceFinder, crop_face, guide_box
from maskage.pictures.quality import measure_quality
from maskage.records import FaceBox, Frame, Quality, RgbImage

BLACK_BELOW = 16
"""The black of a video signal; what is darker is no picture."""
RIVAL_SIDE = 0.5
"""A second face counts from half the side of the largest: smaller ones are people behind."""


@dataclass(frozen=True, eq=False)
class Observation:
    """One frame with everything the shutter needs to decide on it.

    Attributes:
        frame: As it came from the camera, never mirrored.
        faces: The largest face and those at least `RIVAL_SIDE` of it; empty where none was found.
        box: What would be photographed: the largest face, or the guide where there is none.
        is_guided: Nobody looks for faces here: the guide is all there is.
        crop: The square that would be saved.
        quality: Of `crop`.
        source: Name of the camera.
        is_live: Whether time passes at the camera, so that a frame grows stale.
        still_s: For how long the picture has not changed at all; 0 for a moving one.
        is_black: Nothing is to be seen in the frame: the lens is covered.
    """

    frame: Frame
    faces: tuple[FaceBox, ...]
    box: FaceBox
    is_guided: bool
    crop: RgbImage
    quality: Quality
    source: str
    is_live: bool = True
    still_s: float = 0.0
    is_black: bool = False


def observe_frame(
    frame: Frame, finder: FaceFinder, source: str, *, is_live: bool = True, still_s: float = 0.0
) -> Observation:
    """Find the face of a frame, cut it out and measure it."""
    found = finder.find(frame.pixels)
    box = found[0] if found else guide_box(frame.width, frame.height)
    faces = tuple(face for face in found if face.side_px >= RIVAL_SIDE * box.side_px)
    crop = crop_face(frame.pixels, box)
    return Observation(
        frame,
        () if finder.is_guide else faces,
        box,
        finder.is_guide,
        crop,
        measure_quality(crop, box),
        source,
        is_live,
        still_s,
        is_black_picture(frame.pixels),
    )


def is_black_picture(pixels: RgbImage) -> bool:
    """Whether a frame, RGB uint8 (H, W, 3), shows nothing: 99 of 100 pixels are all but black.

    A dark room is not black: its lamps, screens and sensor noise are above that.
    """
    brightest = pixels[::8, ::8].max(axis=2)
    return bool(np.percentile(brightest, 99) < BLACK_BELOW)
