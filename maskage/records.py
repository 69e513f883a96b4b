"""The records that all tools share: labels, frames, face boxes, photos."""

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

RgbImage = NDArray[np.uint8]
"""RGB uint8, shape (height, width, 3)."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture from a camera.

    Attributes:
        pixels: Pixels, RGB uint8, shape (H, W, 3).
        index: Number of the frame since the camera was opened, from 0, counted at the camera.
        captured_s: `time.monotonic()` when the frame left the camera, from which its age is
            measured.
        position_s: Seconds from the start of the recording or session.
        file: Name of the file, where the source is a folder of pictures.
    """

    pixels: RgbImage
    index: int
    captured_s: float = field(default_factory=time.monotonic)
    position_s: float = 0.0
    file: str | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.uint8:
            raise ValueError(
                f"A frame is RGB uint8 of shape (H, W, 3); "
                f"found {self.pixels.dtype} of shape {self.pixels.shape}."
            )

    @property
    def height(self) -> int:
        """Height, px."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Width, px."""
        return int(self.pixels.shape[1])


@dataclass(frozen=True)
class FaceBox:
    """The box of a face, in pixels of the full frame.

    Attributes:
        x, y: Left and top edge, px.
        width, height: Size, px, at least 1.
        score: Confidence of the face finder, 0 to 1; 0 for a guide box without a finder.
    """

    x: int
    y: int
    width: int
    height: int
    score: float = 1.0

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"A face box is at least 1x1 px; found {self.width}x{self.height}.")

    @property
    def side_px(self) -> int:
        """Length of the longer side, px."""
        return max(self.width, self.height)

    @property
    def center(self) -> tuple[float, float]:
        """Middle of the box, x and y in pixels."""
        return self.x + self.width / 2, self.y + self.height / 2

    def overlap(self, other: "FaceBox") -> int:
        """Return the number of pixels in common with another box."""
        right, bottom = self.x + self.width, self.y + self.height
        other_right, other_bottom = other.x + other.width, other.y + other.height
        # Most boxes lie apart, and trackers and tags compare every pair in every frame.
        if other.x >= right or self.x >= other_right:
            return 0
        if other.y >= bottom or self.y >= other_bottom:
            return 0
        across = min(right, other_right) - max(self.x, other.x)
        return across * (min(bottom, other_bottom) - max(self.y, other.y))

    def iou(self, other: "FaceBox") -> float:
        """Return the intersection over union with another box, 0 to 1."""
        overlap = self.overlap(other)
        return overlap / (self.width * self.height + other.width * other.height - overlap)


@dataclass(frozen=True)
class Quality:
    """The quality of a face crop (see `maskage.pictures.quality`).

    Attributes:
        sharpness: Variance of the Laplacian of the crop resized to 128 px.
        brightness: Mean luma, 0 to 255.
        clipped: Fraction of pixels that are black (<5) or blown out (>250), 0 to 1.
        face_px: Longer side of the face box in the frame, in pixels; 0 where it is unknown.
    """

    sharpness: float
    brightness: float
    clipped: float
    face_px: int


@dataclass(frozen=True)
class Suggestion:
    """A class that a trained model or the label check suggests for a photo.

    Attributes:
        label: The most probable class.
        confidence: Its probability, 0 to 1; of the label check, that the label is wrong.
        reason: The factor and what is seen, "mask? nose seems out"; None where nothing says it.
        cost: Share of its class that the photo's label spoils if it is wrong, times the number of
            photos of its group that are doubtful in the same way; None where it is unknown.
    """

    label: str
    confidence: float
    reason: str | None = None
    cost: float | None = None


@dataclass(frozen=True)
class Photo:
    """A saved photo: a file in its class folder, and what the manifest records about it.

    Attributes:
        path: Path relative to the dataset, POSIX: "mask_old/20261123T....jpg".
        label: The class, which is the folder of the file.
        subject: Pseudonym of the person; None where unknown.
        session: Name of the session at the camera; None where unknown.
        group: Name of a group that must stay on one side of a split, besides subject and session;
            None for none.
        taken_at: Time in UTC, ISO 8601 to the millisecond; None where unknown.
        source: Camera or file that it came from; None where unknown.
        box: Face box in the full frame; None where unknown.
        quality: Quality of the crop; None where not measured.
        sha256: Digest of the stored file, 64 hex digits; None where not computed.
        fingerprint: Perceptual hash of the crop, 64 bits; None where not computed.
        is_flagged: True if somebody marked it for a second look.
        suggestion: Class that a trained model suggests; None where none was run.
        check: Class that the label check of `curate` suggests; None where it agrees or was not run.
        confirmed: The label that a person confirmed against other opinions; None for none.
        origin: Split of its source that it was imported from, "train", "val" or "test"; None where
            unknown.
    """

    path: str
    label: str
    subject: str | None = None
    session: str | None = None
    group: str | None = None
    taken_at: str | None = None
    source: str | None = None
    box: FaceBox | None = None
    quality: Quality | None = None
    sha256: str | None = None
    fingerprint: int | None = None
    is_flagged: bool = False
    suggestion: Suggestion | None = None
    check: Suggestion | None = None
    confirmed: str | None = None
    origin: str | None = None

    @property
    def disputes(self) -> tuple[Suggestion, ...]:
        """The model's and the check's opinions that differ from the label, the surest first.

        There are none once a person has confirmed the label.
        """
        if self.confirmed == self.label:
            return ()
        opinions = (each for each in (self.suggestion, self.check) if each is not None)
        others = [each for each in opinions if each.label != self.label]
        return tuple(sorted(others, key=lambda each: -each.confidence))

    @property
    def is_disputed(self) -> bool:
        """True if a model or the label check suggests another class, and no person confirmed it."""
        return bool(self.disputes)
