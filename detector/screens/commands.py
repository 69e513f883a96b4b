"""The commands of a person who watches: by key, or from the browser.

Each is a value. The screen returns them once a turn of the live loop, and `LiveControls` alone
carries them out, so that no other thread changes the camera, the tracks or the files.
"""

import queue
from dataclasses import dataclass

THRESHOLD_STEP = 0.05


@dataclass(frozen=True)
class Quit:
    """End the live view."""


@dataclass(frozen=True)
class TogglePause:
    """Hold the picture, or continue."""


@dataclass(frozen=True)
class ToggleMirror:
    """Show the picture as in a mirror, or as the camera sees it."""


@dataclass(frozen=True)
class TakeSnapshot:
    """Save the picture that is shown."""


@dataclass(frozen=True)
class ToggleRecording:
    """Start or end a recording of what is shown."""


@dataclass(frozen=True)
class NextPicture:
    """Show the next picture of a folder."""


@dataclass(frozen=True)
class NextCamera:
    """Watch the next of the sources."""


@dataclass(frozen=True)
class UseCamera:
    """Watch another source.

    Attributes:
        index: Position in `Controls.sources`.
    """

    index: int


@dataclass(frozen=True)
class ShowAll:
    """Show all cameras beside one another."""


@dataclass(frozen=True)
class ToggleAll:
    """Show all cameras beside one another, or one of them again."""


@dataclass(frozen=True)
class SetThreshold:
    """Set the confidence from which on a face counts as sure.

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
        label: The right label.
        track: Track of the face; None for the chosen face, or the largest if none is chosen.
    """

    label: str
    track: int | None = None


@dataclass(frozen=True)
class ChooseLabel:
    """Choose the right label of the next correction; it is saved with `CorrectAsChosen`.

    Attributes:
        by: How many classes further in class order, from the one that is chosen.
    """

    by: int


@dataclass(frozen=True)
class CorrectAsChosen:
    """Save a face with the label that was chosen with `ChooseLabel`."""


@dataclass(frozen=True)
class ShowKeys:
    """Show what every key does."""


Command = (
    Quit
    | TogglePause
    | ToggleMirror
    | TakeSnapshot
    | ToggleRecording
    | NextPicture
    | NextCamera
    | UseCamera
    | ShowAll
    | ToggleAll
    | SetThreshold
    | MoveThreshold
    | SelectNextFace
    | CorrectLabel
    | ChooseLabel
    | CorrectAsChosen
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
}
"""The keys that mean the same with every model; `detector.screens.keys` adds those of classes."""

SEVERAL_KEYS: dict[str, Command] = {"g": ToggleAll()}
"""The keys that a live view of several cameras has beside them."""

PLAIN_KEYS = (
    "q quit, p pause, m mirror, s snapshot, r record, + and - threshold, c next camera, "
    "n next picture, f select face"
)
PLAIN_SEVERAL_KEYS = "g all cameras"
KEY_HINT = "q quit  p pause  m mirror  s snapshot  r record  ? keys"
SEVERAL_HINT = "c next camera  g all cameras  " + KEY_HINT


class CommandDesk:
    """A queue in which other threads leave commands for the live loop."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Command] = queue.SimpleQueue()

    def ask(self, command: Command) -> None:
        """Leave a command; from any thread."""
        self._waiting.put(command)

    def take(self) -> list[Command]:
        """Return the commands left since the last call, in order."""
        return [self._waiting.get() for _ in range(self._waiting.qsize())]
