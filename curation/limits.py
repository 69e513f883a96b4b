"""The limits of the checks, and the kinds of flaws that they find."""

from dataclasses import dataclass

from maskage.commands.parser import suggest
from maskage.errors import UsageError
from maskage.pictures.quality_limits import QualityLimits

FLAWS = ("tiny", "odd aspect", "dark", "blown out", "blurred", "no face", "several faces")
"""Kinds of flaws, the gravest first."""

_GATE = QualityLimits()


@dataclass(frozen=True, kw_only=True)
class CheckLimits:
    """Below or above these a photo is set aside.

    Laxer than the shutter's gate: a missed shot is taken again, a found photo is not. Cut-outs on
    white, good photos, were up to 53% white; 1,757 found photos had a sharpness of 16 and more.

    Attributes:
        min_sharpness: Variance of the Laplacian at 128 px.
        min_brightness, max_brightness: Mean luma, 0 to 255.
        max_clipped: Fraction of pixels that are black or blown out, 0 to 1.
        min_side: Shorter side of the photo, and side of its face where it was looked for, px.
        max_aspect: Longer side over shorter side.
        allowed: Kinds of flaws that set nothing aside.

    Raises:
        UsageError: A value is out of its range.
    """

    min_sharpness: float = 15.0
    min_brightness: float = _GATE.min_brightness
    max_brightness: float = _GATE.max_brightness
    max_clipped: float = 0.7
    min_side: int = 48
    max_aspect: float = 2.0
    allowed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in ("min_sharpness", "min_brightness", "max_brightness", "min_side"):
            if not getattr(self, name) >= 0:
                raise UsageError(
                    f"--{name.replace('_', '-')} is 0 or more; found {getattr(self, name)}."
                )
        if not self.min_brightness < self.max_brightness <= 255:
            raise UsageError(
                f"--min-brightness is below --max-brightness, and both are 0 to 255; found "
                f"{self.min_brightness:g} and {self.max_brightness:g}."
            )
        if not 0 <= self.max_clipped <= 1:
            raise UsageError(f"--max-clipped is 0 to 1, a share; found {self.max_clipped:g}.")
        if not self.max_aspect >= 1:
            raise UsageError(
                f"--max-aspect is the longer side over the shorter one, 1 or more; found "
                f"{self.max_aspect:g}."
            )
        if strange := sorted(self.allowed - set(FLAWS)):
            kinds = [kind.replace(" ", "-") for kind in FLAWS]
            raise UsageError(
                f"No check is named {', '.join(strange)}. There are {', '.join(kinds)}."
                f"{suggest(strange[0], kinds)}"
            )
