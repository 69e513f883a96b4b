"""The figures of the live part of the tour."""

from dataclasses import dataclass, field

from maskage.records import LABELS, Label, RgbImage


@dataclass
class LiveScore:
    """How often the live label was right on people that were never photographed.

    Attributes:
        confusion: Frames by (actual, shown) label.
        moments: Annotated frames for the report: the first good one of each scene, RGB.
        mistakes: Annotated frames whose label was wrong, at most a dozen, RGB.
        seconds: That the loop took: render, find, classify, draw, write.
    """

    confusion: dict[tuple[Label, Label], int] = field(
        default_factory=lambda: {(actual, shown): 0 for actual in LABELS for shown in LABELS}
    )
    moments: list[RgbImage] = field(default_factory=list)
    mistakes: list[RgbImage] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def frames(self) -> int:
        return sum(self.confusion.values())

    @property
    def right(self) -> int:
        return sum(count for (actual, shown), count in self.confusion.items() if actual is shown)

    @property
    def accuracy(self) -> float:
        return self.right / self.frames if self.frames else 0.0

    @property
    def fps(self) -> float:
        return self.frames / self.seconds if self.seconds else 0.0
