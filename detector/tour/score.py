"""The figures of the live part of the tour."""

from collections import Counter
from dataclasses import dataclass, field

from maskage.classes.scheme import Scheme
from maskage.records import RgbImage


@dataclass
class LiveScore:
    """The live labels of people that were never photographed, right and wrong.

    Attributes:
        scheme: The classes.
        confusion: Number of frames by (actual, shown) label.
        moments: Annotated frames for the report, one from the middle of each scene, RGB.
        mistakes: Annotated frames whose label was wrong, at most a dozen, RGB.
        seconds: Time of the loop: render, find, classify, draw, write.
    """

    scheme: Scheme
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
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
        return sum(count for (actual, shown), count in self.confusion.items() if actual == shown)

    @property
    def accuracy(self) -> float:
        """Share of frames with the right label, 0 to 1."""
        return self.right / self.frames if self.frames else 0.0

    @property
    def fps(self) -> float:
        """Labelled frames in a second."""
        return self.frames / self.seconds if self.seconds else 0.0
