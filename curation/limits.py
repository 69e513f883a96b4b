"""The limits of the quality checks, and the kinds of flaws that they find."""

from dataclasses import dataclass

from maskage.commands.parser import suggest
from maskage.errors import UsageError
from maskage.pictures.quality_limits import QualityLimits

FLAWS = ("tiny", "odd aspect", "dark", "blown out", "blurred", "no face", "several faces")
"""Kinds of flaws, the worst first."""

_SHUTTER_LIMITS = QualityLimits()


@dataclass(frozen=True, kw_only=True)
class CheckLimits:
    """The limits beyond which a photo is set aside.

    They are wider than those of the shutter, because a rejected shot can be taken again and a photo
    cannot. Good photos cut out on white were up to 53% white; 1,757 photos from elsewhere had a
    sharpness of at least 16.

    Attributes:
        min_sharpness: Least variance of the Laplacian at 128 px.
        min_brightness, max_brightness: Limits of the mean luma, 0 to 255.
        max_clipped: Largest fraction of pixels that are black or blown out, 0 to 1.
        min_side: Least shorter side of the photo, and least side of its face where known, px.
        max_aspect: Largest ratio of the longer side to the shorter one.
        allowed: Kinds of flaws that are ignored.

    Raises:
        UsageError: A value is out of its range.
    """

    min_sharpness: float = 15.0
    min_brightness: float = _SHUTTER_LIMITS.min_brightness
    max_brightness: float = _SHUTTER_LIMITS.max_brightness
    max_clipped: float = 0.7
    min_side: int = 48
    max_aspect: float = 2.0
    allowed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in ("min_sharpness", "min_brightness", "max_brightness", "min_side"):
            if not getattr(self, name) >= 0:
                raise UsageError(
                    f"--{name.replace('_', '-')} must be 0 or more; found {getattr(self, name)}."
                )
        if not self.min_brightness < self.max_brightness <= 255:
            raise UsageError(
                f"--min-brightness must be below --max-brightness, and both 0 to 255; found "
                f"{self.min_brightness:g} and {self.max_brightness:g}."
            )
        if not 0 <= self.max_clipped <= 1:
            raise UsageError(f"--max-clipped must be a share, 0 to 1; found {self.max_clipped:g}.")
        if not self.max_aspect >= 1:
            raise UsageError(
                "--max-aspect is the longer side over the shorter one and must be 1 or more; "
                f"found {self.max_aspect:g}."
            )
        if strange := sorted(self.allowed - set(FLAWS)):
            kinds = [kind.replace(" ", "-") for kind in FLAWS]
            raise UsageError(
                f"No check is named {', '.join(strange)}. The checks are {', '.join(kinds)}."
                f"{suggest(strange[0], kinds)}"
            )
