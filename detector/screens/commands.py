"""What a person who watches can ask for: by key, or from the browser.

Each is a value that the live loop carries out between two frames, so that nothing else touches the
camera, the tracks or the files.
"""

import queue
from dataclasses import dataclass

from maskage.records import LABELS, Label

THRESHOLD_STEP = 0.05


@dataclass(frozen=True)
class Quit:
    """End the live view."""


@dataclass(frozen=True)
class TogglePause:
    """Hold the picture, or go on."""


@dataclass(frozen=True)
class ToggleMirror:
    """Show it as in a mirror, or as the camera sees it."""


@dataclass(frozen=True)
class TakeSnapshot:
    """Save the picture that is shown."""


@dataclass(frozen=True)
class ToggleRecording:
    """Begin to record what is shown, or end it."""


@dataclass(frozen=True)
class NextPicture:
    """Go on in a folder of pictures."""


@dataclass(frozen=True)
class NextCamera:
    """Watch the next of the sources."""


@dataclass(frozen=True)
class UseCamera:
    """Watch another source.

    Attributes:
        index: Into the sources that `Controls.sources` lists.
    """

    index: int


@dataclass(frozen=True)
class SetThreshold:
    """From which confidence a face counts as sure.

    Attributes:
        value: 0 to 1.
    """

    value: float


@dataclass(frozen=True)
class MoveThreshold:
    """Raise or lower the threshold.

    Attributes:
        by: Added to it.
    """

    by: float


@dataclass(frozen=True)
class SelectNextFace:
    """Choose another face for the next correction."""


@dataclass(frozen=True)
class CorrectLabel:
    """Save a face with its right label into the dataset.

    Attributes:
        label: What it is.
        track: Whose face; None for the chosen one, or the largest where none is chosen.
    """

    label: Label
    track: int | None = None


@dataclass(frozen=True)
class ShowKeys:
    """Say what every key does."""


Command = (
    Quit
    | TogglePause
    | ToggleMirror
    | TakeSnapshot
    | ToggleRecording
    | NextPicture
    | NextCamera
    | UseCamera
    | SetThreshold
    | MoveThreshold
    | SelectNextFace
    | CorrectLabel
    | ShowKeys
)

KEYS: dict[str, Command] = {
    "q": Quit(),
    "p": TogglePause(),
    "m": ToggleMirror(),
    "s": TakeSnapshot(),
    "r": ToggleRecording(),
    "n": NextPicture(),
    "c": NextCamera(),
    "+": MoveThreshold(THRESHOLD_STEP),
    "-": MoveThreshold(-THRESHOLD_STEP),
    "f": SelectNextFace(),
    "?": ShowKeys(),
    **{str(number): CorrectLabel(label) for number, label in enumerate(LABELS, 1)},
}

ALL_KEYS = (
    "q quit  p pause  m mirror  s snapshot  r record  + - threshold  c camera  n picture  "
    "f face, 1-4 its right label"
)
KEY_HINT = "q quit  p pause  m mirror  s snapshot  r record  ? keys"


class CommandDesk:
    """Where other threads leave commands for the live loop."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Command] = queue.SimpleQueue()

    def ask(self, command: Command) -> None:
        """Leave a command; from any thread."""
        self._waiting.put(command)

    def take(self) -> list[Command]:
        """Those left since the last call, in order."""
        return [self._waiting.get() for _ in range(self._waiting.qsize())]
