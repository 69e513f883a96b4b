"""What a person who watches has changed: carries out commands, and knows how everything stands."""

import queue
import time
from collections.abc import Callable
from pathlib import Path

from detector.drawing.overlay import Readout, draw_result
from detector.live.corrections import Corrections
from detector.live.recording import Recording, name_by_time
from detector.live.sources import CameraChoice
from detector.screens import commands
from detector.screens.base import Controls, LiveView
from detector.screens.commands import Command
from detector.tracking.pipeline import EVERYTHING, FrameResult, LivePipeline
from detector.tracking.tracker import TrackedFace
from detector.video.sink import write_picture
from maskage.cameras.live_feed import LiveFeed
from maskage.console import say
from maskage.errors import EnvironmentProblemError
from maskage.formats.output_log import Kind

MESSAGE_S = 3.0
KEYS_S = 8.0


class LiveControls:
    """Carries out the commands of one live view, between two of its frames.

    Args:
        feed: Where frames come from.
        pipeline: Labels them.
        choice: Cameras that can be watched.
        corrections: Takes wrongly labelled faces.
        snapshots, recordings: Folders.
        is_blurred: Whether recorded faces are made unrecognisable.
        on_kept: Told of each picture and recording before it is written.
        clock: Seconds, monotonic.

    Attributes:
        is_mirrored, is_paused, has_quit: How it stands.
        shown: The frame that is shown, which commands are about; the loop sets it.
    """

    def __init__(
        self,
        feed: LiveFeed,
        pipeline: LivePipeline,
        choice: CameraChoice,
        corrections: Corrections,
        *,
        snapshots: Path,
        recordings: Path,
        is_blurred: bool = True,
        is_mirrored: bool = False,
        on_kept: Callable[[Path, Kind], None] = lambda path, kind: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._feed, self._pipeline = feed, pipeline
        self._choice, self._corrections = choice, corrections
        self._snapshots, self._recordings = snapshots, recordings
        self._is_blurred = is_blurred
        self._on_kept = on_kept
        self._clock = clock
        self.is_mirrored = is_mirrored
        self.is_paused = False
        self.has_quit = False
        self.shown: FrameResult | None = None
        self._former: FrameResult | None = None
        self._selected: int | None = None
        self._recording: Recording | None = None
        self._finishing: list[Recording] = []
        self._thrift = pipeline.thrift
        self._message, self._message_until_s = "", 0.0
        self._told: queue.SimpleQueue[str] = queue.SimpleQueue()

    @property
    def message(self) -> str:
        """What just happened; empty for nothing."""
        if (news := self._corrections.take_message()) is not None:
            self._say(news)
        if not self._told.empty():
            self._say(self._told.get())
        if self._recording is not None and self._recording.is_done:
            self._stop_recording()
        self._tell_finished()
        return self._message if self._clock() < self._message_until_s else ""

    def tell(self, message: str) -> None:
        """Show a message; from any thread."""
        self._told.put(message)

    def describe(self) -> Controls:
        """How everything stands that can be changed."""
        return Controls(
            threshold=self._pipeline.tracker.unsure_below,
            recording=self._recording.path if self._recording else None,
            selected=self._selected if self._is_there(self._selected) else None,
            source=self._choice.index,
            sources=self._choice.names,
            correcting=self._corrections.objection(self._choice.source),
        )

    def obey(self, command: Command) -> None:
        """Carry out one command."""
        match command:
            case commands.Quit():
                self.has_quit = True
            case commands.TogglePause():
                self.is_paused = not self.is_paused
            case commands.ToggleMirror():
                self.is_mirrored = not self.is_mirrored
            case commands.TakeSnapshot():
                self._take_snapshot()
            case commands.ToggleRecording():
                self.toggle_recording()
            case commands.NextPicture():
                self._feed.advance()
            case commands.NextCamera():
                self._switch(self._choice.use_next(), "There is no other camera: name it too.")
            case commands.UseCamera(index):
                self._switch(self._choice.use(index), "That camera is watched already, or gone.")
            case commands.SetThreshold(value):
                self._set_threshold(value)
            case commands.MoveThreshold(by):
                self._set_threshold(self._pipeline.tracker.unsure_below + by)
            case commands.SelectNextFace():
                self._select_next()
            case commands.CorrectLabel():
                self._correct(command)
            case commands.ShowKeys():
                self._say(commands.ALL_KEYS, KEYS_S)

    def go_on_after_end(self) -> bool:
        """A recording is over: watch the next source; False where none is left."""
        if not self._choice.use_after_end():
            return False
        self._switch(True, "")
        return True

    def toggle_recording(self) -> None:
        """Begin to record, or end it."""
        if self._recording is not None:
            self._stop_recording()
            return
        try:
            self.start_recording()
        except EnvironmentProblemError as fault:
            self._say(str(fault))

    def start_recording(self) -> None:
        """Begin to record.

        Raises:
            EnvironmentProblemError: The folder cannot be made.
        """
        path = name_by_time(self._recordings, ".mp4")
        self._on_kept(path, Kind.VIDEO)
        self._recording = Recording(path, is_blurred=self._is_blurred)
        if self._is_blurred:
            # A face that is only followed to may not be the only one: none is to be overlooked.
            self._pipeline.thrift = EVERYTHING
        self._say(
            f"recording {path}, {'faces blurred' if self._is_blurred else 'faces as they are'}"
        )

    def record(self, view: LiveView) -> None:
        """Add a view to the recording, where there is one."""
        if self._recording is not None:
            self._recording.add(view)

    def close(self) -> None:
        """End the recordings, and say where they are, and what no screen has shown any more."""
        while not self._told.empty():
            say(self._told.get())
        if self._recording is not None:
            self._stop_recording()
        while self._finishing:
            recording = self._finishing.pop(0)
            recording.close()
            say(_outcome(recording))

    def _stop_recording(self) -> None:
        assert self._recording is not None
        self._recording.finish()
        self._finishing.append(self._recording)
        self._recording = None
        self._pipeline.thrift = self._thrift

    def _tell_finished(self) -> None:
        for recording in [each for each in self._finishing if each.is_done]:
            self._finishing.remove(recording)
            self._say(_outcome(recording))

    def _take_snapshot(self) -> None:
        if self.shown is None:
            return
        path = name_by_time(self._snapshots, ".jpg")
        self._on_kept(path, Kind.PICTURE)
        try:
            write_picture(path, draw_result(self.shown, Readout(), is_mirrored=self.is_mirrored))
        except EnvironmentProblemError as fault:
            # A full disk is no reason to stop watching.
            self._say(str(fault))
        else:
            self._say(f"saved {path}")

    def _switch(self, is_another: bool, otherwise: str) -> None:
        if not is_another:
            self._say(otherwise)
            return
        self._selected, self._former = None, self.shown
        self.is_paused = False
        name = self._choice.names[self._choice.index]
        self._feed.switch(self._choice.open, name)
        self._say(f"watching {name}")

    def _set_threshold(self, value: float) -> None:
        self._pipeline.tracker.unsure_below = min(1.0, max(0.0, round(value, 2)))
        self._say(f"unsure below {self._pipeline.tracker.unsure_below:.0%}")

    def _select_next(self) -> None:
        tracks = sorted(face.track for face in self._faces)
        if not tracks:
            self._say("no face to choose")
            return
        later = [track for track in tracks if self._selected is None or track > self._selected]
        self._selected = later[0] if later else tracks[0]
        self._say(f"face #{self._selected} is chosen")

    def _correct(self, command: commands.CorrectLabel) -> None:
        track = command.track if command.track is not None else self._selected
        face = next((each for each in self._faces if each.track == track), None)
        if face is None and track is None and self._faces:
            face = self._faces[0]
        if face is None or self.shown is None:
            self._say("no face there to correct")
            return
        source, camera = self._choice.source, self._feed.camera.name
        said = self._corrections.save(self.shown.frame, face.box, command.label, source, camera)
        self._say(f"#{face.track}: {said}")

    def _is_there(self, track: int | None) -> bool:
        return any(face.track == track for face in self._faces)

    @property
    def _faces(self) -> tuple[TrackedFace, ...]:
        # Until the next camera gives a picture, people before the former one are still shown: they
        # are not to be saved by the rules of the next.
        if self.shown is None or self.shown is self._former:
            return ()
        return self.shown.faces

    def _say(self, message: str, seconds: float = MESSAGE_S) -> None:
        self._message, self._message_until_s = message, self._clock() + seconds


def _outcome(recording: Recording) -> str:
    left_out = f", {recording.left_out} frames left out" if recording.left_out else ""
    return recording.problem or f"recorded {recording.path}{left_out}"
