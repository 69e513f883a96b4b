"""One frame with the face in it, its crop and the quality of the crop."""

from dataclasses import dataclass, replace

import numpy as np

from maskage.faces.finder import FaceFinder, crop_face, guide_box
from maskage.pictures.quality import measure_quality
from maskage.records import FaceBox, Frame, Quality, RgbImage

BLACK_BELOW = 16
"""The black level of a video signal; a darker picture shows nothing."""
RIVAL_SIDE = 0.5
"""A second face counts from half the side of the largest; smaller ones are people behind."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Observation:
    """One frame with everything the shutter needs to decide on it.

    Attributes:
        frame: The frame as it came from the camera, never mirrored.
        faces: The largest face and those at least `RIVAL_SIDE` of it; empty where none was found.
        box: The part to be photographed: the largest face, or the guide where there is none.
        is_guided: True where no face finder runs, so that the guide is all there is.
        crop: The square that would be saved.
        quality: Quality of `crop`.
        source: Name of the camera.
        is_live: True where time passes at the camera, so that a frame grows stale.
        still_s: Seconds for which the picture has not changed at all; 0 for a moving one.
        is_black: True where the frame shows nothing, as with a covered lens.
        is_recording: True where a pause is no fault: the frame is the newest until the next comes.
        digest: sha256 of the file of a picture; None for a camera.
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
    is_recording: bool = False
    digest: str | None = None


def observe_frame(
    frame: Frame,
    finder: FaceFinder,
    source: str,
    *,
    is_live: bool = True,
    still_s: float = 0.0,
    is_recording: bool = False,
    digest: str | None = None,
) -> Observation:
    """Find the face of a frame, cut it out and measure it."""
    found = finder.find(frame.pixels)
    box = found[0] if found else guide_box(frame.width, frame.height)
    faces = tuple(face for face in found if face.side_px >= RIVAL_SIDE * box.side_px)
    crop = crop_face(frame.pixels, box)
    return Observation(
        frame=frame,
        faces=() if finder.is_guide else faces,
        box=box,
        is_guided=finder.is_guide,
        crop=crop,
        quality=measure_quality(crop, box),
        source=source,
        is_live=is_live,
        still_s=still_s,
        is_black=is_black_picture(frame.pixels),
        is_recording=is_recording,
        digest=digest,
    )


def whole_picture(observation: Observation) -> Observation:
    """Return an observation whose photo is all of the picture, whatever was found in it."""
    frame = observation.frame
    box = FaceBox(0, 0, frame.width, frame.height)
    quality = measure_quality(frame.pixels, box)
    return replace(
        observation, faces=(box,), box=box, is_guided=False, crop=frame.pixels, quality=quality
    )


def is_black_picture(pixels: RgbImage) -> bool:
    """Return True where 99 of 100 pixels of an RGB uint8 (H, W, 3) frame are nearly black.

    A dark room is not black: its lamps, screens and sensor noise are brighter.
    """
    brightest = pixels[::8, ::8].max(axis=2)
    return bool(np.percentile(brightest, 99) < BLACK_BELOW)
