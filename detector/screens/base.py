"""The views that are shown, and the protocol of screens: window, terminal, web, headless.

State flows one way through the live loop: source, pipeline, result, then outputs and screen. The
commands of the screen go back as values, once a turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from detector.drawing.overlay import Readout
from detector.screens.commands import Command
from detector.tracking.pipeline import FrameResult
from maskage.records import FaceBox

PICTURE_S = 1.5
"""Seconds for which each picture of a folder is shown to a person."""


@dataclass(frozen=True)
class Controls:
    """The present value of everything that a person can choose.

    Attributes:
        threshold: Confidence under which a face is called unsure, 0 to 1.
        recording: The file that is being recorded, or None.
        selected: Track of the face that the next correction is meant for, or None.
        source: Position of the present camera in `sources`.
        sources: Names of the cameras that can be chosen.
        correcting: The reason why no face can be saved into the dataset; None if one can.
        is_all: All cameras are shown beside one another.
        is_mirrored: Pictures are shown as in a mirror.
    """

    threshold: float = 0.5
    recording: Path | None = None
    selected: int | None = None
    source: int = 0
    sources: tuple[str, ...] = ()
    correcting: str | None = None
    is_all: bool = False
    is_mirrored: bool = False


@dataclass(frozen=True)
class LiveStatus:
    """The state of the live view after the commands of one turn.

    Attributes:
        controls: The present choices.
        is_paused: The picture is held.
        is_mirrored: The picture is shown as in a mirror.
        has_quit: The user has ended the view.
        message: What just happened, for some seconds; empty for nothing.
        news: Messages that are new in this turn, in order.
    """

    controls: Controls = Controls()
    is_paused: bool = False
    is_mirrored: bool = False
    has_quit: bool = False
    message: str = ""
    news: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counts:
    """The frames so far.

    Attributes:
        frames: Labelled frames.
        dropped: Frames passed over for newer ones.
        reconnects: How often a lost source was opened again.
    """

    frames: int = 0
    dropped: int = 0
    reconnects: int = 0


class CameraPhase(StrEnum):
    """The phase of a watched camera.

    waiting: It has not given a picture yet.
    live: Pictures come.
    lost: No picture comes any more; it is opened again.
    ended: The recording or the folder is over.
    """

    WAITING = "waiting"
    LIVE = "live"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True)
class CameraFigures:
    """The figures of one watched camera.

    Attributes:
        number: Its position among those that are watched, from 0.
        name: Its name for people.
        phase: Its phase.
        fps: Frames labelled a second; None where it is not live, or too few have come.
        age_ms: Age of its newest labelled frame; None before the first.
        faces: Number of faces in that frame.
        counts: Its frames so far.
    """

    number: int
    name: str
    phase: CameraPhase
    fps: float | None = None
    age_ms: float | None = None
    faces: int = 0
    counts: Counts = Counts()

    def __str__(self) -> str:
        parts = [self.name]
        if self.phase is not CameraPhase.LIVE:
            parts.append(self.phase.upper())
        if self.fps is not None:
            parts.append(f"{self.fps:.0f} frames/s")
        if self.age_ms is not None and self.phase in (CameraPhase.LIVE, CameraPhase.LOST):
            is_old = self.age_ms >= 2000
            parts.append(f"{self.age_ms / 1000:.0f} s old" if is_old else f"{self.age_ms:.0f} ms")
        return "  ".join(parts)


@dataclass(frozen=True)
class Tile:
    """The place of one camera in a picture of several.

    Attributes:
        place: The place in pixels, with the caption.
        caption: Its words.
        is_alarm: The camera is not live.
    """

    place: FaceBox
    caption: str
    is_alarm: bool


@dataclass(frozen=True, eq=False)
class LiveView:
    """One moment of the live view, as it is shown.

    Attributes:
        result: The newest labelled frame.
        readout: The status line.
        is_mirrored: Show the picture as in a mirror.
        controls: The present choices.
        counts: The frames so far.
        is_over: The recording or folder has ended; this is the last view.
        camera: Number of the camera that is shown; None for all of them in one picture.
        cameras: The figures of every watched camera.
        tiles: The place of each camera in a picture of all; else empty.
    """

    result: FrameResult
    readout: Readout
    is_mirrored: bool = False
    controls: Controls = Controls()
    counts: Counts = Counts()
    is_over: bool = False
    camera: int | None = 0
    cameras: tuple[CameraFigures, ...] = ()
    tiles: tuple[Tile, ...] = ()


class Screen(Protocol):
    """A place where views are shown and commands are given; closing leaves all as it was.

    Attributes:
        is_open: False once the user has closed it.
        has_viewer: True while somebody can see it; a browser may not be there yet.
        picture_s: Seconds for which each picture of a folder stays.
    """

    is_open: bool = True
    has_viewer: bool = True
    picture_s: float = PICTURE_S

    def show(self, view: LiveView) -> None:
        """Show a view now."""

    def keep(self, view: LiveView) -> None:
        """Take in the newest view of one of several cameras, shown or not; by default nothing."""
        return

    def report(self, news: Sequence[str], problem: str | None) -> None:
        """Print the messages of a turn; by default nothing, since the next view holds them too.

        Args:
            news: Messages that are new in this turn.
            problem: The reason why no frames come, or None.
        """
        return

    def read_commands(self) -> list[Command]:
        """Return the commands given since the last call, in order."""

    def close(self) -> None:
        """Leave everything as it was found. May be called twice."""
