"""The figures of the live part of the tour."""

from dataclasses import dataclass, field

from maskage.classes.ready_made import MASK_AGE
from maskage.records import RgbImage


@dataclass
class LiveScore:
    """The live labels of people that were never photographed, right and wrong.

    Attributes:
        confusion: Number of frames by (actual, shown) label.
        moments: Annotated frames for the report, one from the middle of each scene, RGB.
        mistakes: Annotated frames whose label was wrong, at most a dozen, RGB.
        seconds: Time of the loop: render, find, classify, draw, write.
    """

    confusion: dict[tuple[str, str], int] = field(
        default_factory=lambda: {
            (actual, shown): 0 for actual in MASK_AGE.labels for shown in MASK_AGE.labels
        }
    )
    moments: list[RgbImage] = field(default_factory=list)
    mistakes: list[RgbImage] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def frames(self) -> int:
        """Number of labelled frames."""
        return sum(self.confusion.values())

    @property
    def right(self) -> int:
        """Number of frames with the right label."""
        return sum(count for (actual, shown), count in self.confusion.items() if actual is shown)

    @property
    def accuracy(self) -> float:
        """Share of frames with the right label, 0 to 1."""
        return self.right / self.frames if self.frames else 0.0

    @property
    def fps(self) -> float:
        """Labelled frames in a second."""
        return self.frames / self.seconds if self.seconds else 0.0
