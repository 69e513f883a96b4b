"""The limits of a good shot."""

from dataclasses import dataclass


@dataclass(frozen=True)
class QualityLimits:
    """The limits below or above which a shot is refused.

    Attributes:
        min_sharpness: Variance of the Laplacian at 128 px. At full size it ranks noise above
            sharpness; at 128 px it works (DESIGN.md, Curation's measured facts).
        min_brightness, max_brightness: Mean luma, 0 to 255.
        max_clipped: Fraction of pixels that are black or blown out.
        min_face_px: Longer side of the face box in the frame.
    """

    min_sharpness: float = 25.0
    min_brightness: float = 40.0
    max_brightness: float = 225.0
    max_clipped: float = 0.4
    min_face_px: int = 60
