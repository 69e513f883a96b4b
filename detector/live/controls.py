"""The controls of a live view: carry out commands, and return how everything stands."""

import queue
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from detector.drawing.overlay import Readout, draw_result
from detector.live.corrections import Corrections
from detector.live.recording import Recording, name_by_time
from detector.live.sources import CameraChoice
from detector.screens import commands
from detector.screens.base import Controls, LiveStatus, LiveView
from detector.screens.commands import Command
from detector.screens.keys import LiveKeys
from detector.tracking.pipeline import EVERYTHING, FrameResult, LivePipeline
from detector.tracking.tracker import TrackedFace
from detector.video.sink import write_picture
from maskage.cameras.live_feed import LiveFeed
from maskage.console import say
from maskage.errors import EnvironmentProblemError
from maskage.formats.output_log import Kind
from maskage.outside_text import shown_text

MESSAGE_S = 3.0
KEYS_S = 8.0


class LiveControls:
    """The one place where commands change something, between two frames of the loop.

    Args:
        feed: Source of the frames.
        pipeline: Labels them.
        choice: Cameras that can be chosen.
        corrections: Takes wrongly labelled faces.
        snapshots: Folder for pictures.
        recordings: Folder for recordings.
        is_blurred: Make recorded faces unrecognisable.
        has_status: Record the status line and messages too.
        is_mirrored: Begin mirrored.
        on_kept: Called with each picture and recording before it is written.
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
        has_status: bool = False,
        is_mirrored: bool = False,
        on_kept: Callable[[Path, Kind], None] = lambda path, kind: None,
    ) -> None:
        self._feed, self._pipeline = feed, pipeline
        self._choice, self._corrections = choice, corrections
        self._snapshots, self._recordings = snapshots, recordings
        self._is_blurred, self._is_mirrored = is_blurred, is_mirrored
        self._has_status, self._on_kept = has_status, on_kept
        self._is_paused = self._has_quit = False
        self._shown: FrameResult | None = None
        self._former: FrameResult | None = None
        self._selected: int | None = None
        self._recording: Recording | None = None
        self._finishing: list[Recording] = []
        self._thrift = pipeline.thrift
        self._keys = LiveKeys(pipeline.scheme)
        self._label: str | None = None
        self._message, self._message_until_s = "", 0.0
        self._news: list[str] = []
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()

    def apply(self, wanted: Sequence[Command], shown: FrameResult | None) -> LiveStatus:
        """Carry out commands, take in what has happened meanwhile, and return the new status.

        Args:
            wanted: Commands in the order in which they were given.
            shown: The frame that is shown, which the commands are about; None before the first.
        """
        self._shown = shown
        for command in wanted:
            self._carry_out(command)
        self._collect_messages()
        news, self._news = tuple(self._news), []
        return LiveStatus(
            controls=Controls(
                threshold=self._pipeline.unsure_below,
                recording=self._recording.path if self._recording else None,
                selected=self._selected,
                source=self._choice.index,
                sources=self._choice.names,
                correcting=self._corrections.objection(self._choice.source),
            ),
            is_paused=self._is_paused,
            is_mirrored=self._is_mirrored,
            has_quit=self._has_quit,
            message=self._message if time.monotonic() < self._message_until_s else "",
            news=news,
        )

    def add_message(self, message: str) -> None:
        """Leave a message to be shown; from any thread."""
        self._waiting.put(message)

    def use_next_source(self) -> bool:
        """Watch the next source after the end of a recording; returns False if none is left."""
        is_another = self._choice.use_after_end()
        if is_another:
            self._switch()
        return is_another

    def start_recording(self) -> None:
        """Start to record.

        Raises:
            EnvironmentProblemError: The folder cannot be made.
        """
        path = name_by_time(self._recordings, ".mp4")
        self._on_kept(path, Kind.VIDEO)
        self._recording = Recording(path, is_blurred=self._is_blurred, has_status=self._has_status)
        if self._is_blurred:
            # While faces are only followed, a new one would stay unseen, and so unblurred.
            self._pipeline.adjust(thrift=EVERYTHING)
        self._say(
            f"recording {path}, {'faces blurred' if self._is_blurred else 'faces as they are'}"
        )

    def record(self, view: LiveView) -> None:
        """Add a view to the recording, if there is one."""
        if self._recording is not None:
            self._recording.add(view)

    def close(self) -> None:
        """Finish the recordings and print where they are, and messages that were never shown."""
        while not self._waiting.empty():
            say(self._waiting.get())
        if self._recording is not None:
            self._stop_recording()
        while self._finishing:
            recording = self._finishing.pop(0)
            recording.close()
            say(_describe_end(recording))

    def _carry_out(self, command: Command) -> None:
        match command:
            case commands.Quit():
                self._has_quit = True
            case commands.TogglePause():
                self._is_paused = not self._is_paused
            case commands.ToggleMirror():
                self._is_mirrored = not self._is_mirrored
            case commands.TakeSnapshot():
                self._take_snapshot()
            case commands.ToggleRecording():
                self._toggle_recording()
            case commands.NextPicture():
                self._feed.advance()
            case commands.NextCamera():
                if self._choice.use_next():
                    self._switch()
                else:
                    self._say(
                        "There is no other camera. Start with one more --source to switch to."
                    )
            case commands.UseCamera(index):
                if self._choice.use(index):
                    self._switch()
                else:
                    self._say("That camera is watched already, or gone.")
            case commands.SetThreshold(value):
                self._set_threshold(value)
            case commands.MoveThreshold(by):
                self._set_threshold(self._pipeline.unsure_below + by)
            case commands.SelectNextFace():
                self._select_next()
            case commands.CorrectLabel():
                self._correct(command)
            case commands.ChooseLabel(by):
                self._choose_label(by)
            case commands.CorrectAsChosen():
                self._correct_as_chosen()
            case commands.ShowKeys():
                self._say(self._keys.help, KEYS_S)

    def _collect_messages(self) -> None:
        if (saved := self._corrections.take_message()) is not None:
            self._say(saved)
        if not self._waiting.empty():
            self._say(self._waiting.get())
        if self._recording is not None and self._recording.is_done:
            self._stop_recording()
        for recording in [each for each in self._finishing if each.is_done]:
            self._finishing.remove(recording)
            self._say(_describe_end(recording))

    def _toggle_recording(self) -> None:
        if self._recording is not None:
            self._stop_recording()
            return
        try:
            self.start_recording()
        except EnvironmentProblemError as fault:
            self._say(str(fault))

    def _stop_recording(self) -> None:
        assert self._recording is not None
        self._recording.finish()
        self._finishing.append(self._recording)
        self._recording = None
        self._pipeline.adjust(thrift=self._thrift)

    def _take_snapshot(self) -> None:
        if self._shown is None:
            return
        path = name_by_time(self._snapshots, ".jpg")
        self._on_kept(path, Kind.PICTURE)
        try:
            write_picture(path, draw_result(self._shown, Readout(), is_mirrored=self._is_mirrored))
        except EnvironmentProblemError as fault:
            # A full disk is no reason to stop watching.
            self._say(str(fault))
        else:
            self._say(f"saved {path}")

    def _switch(self) -> None:
        """Watch the camera that has been chosen."""
        self._selected, self._former = None, self._shown
        self._is_paused = False
        name = self._choice.names[self._choice.index]
        self._feed.switch(self._choice.open, name)
        self._say(f"watching {name}")

    def _set_threshold(self, value: float) -> None:
        self._pipeline.adjust(unsure_below=min(1.0, max(0.0, round(value, 2))))
        self._say(f"unsure below {self._pipeline.unsure_below:.0%}")

    def _select_next(self) -> None:
        tracks = sorted(face.track for face in self._faces)
        if not tracks:
            self._say("no face to choose")
            return
        later = [track for track in tracks if self._selected is None or track > self._selected]
        self._selected = later[0] if later else tracks[0]
        self._say(f"face #{self._selected} is chosen")

    def _choose_label(self, by: int) -> None:
        labels = self._pipeline.scheme.labels
        if self._label is None:
            number = 0 if by > 0 else len(labels) - 1
        else:
            number = (labels.index(self._label) + by) % len(labels)
        self._label = labels[number]
        title = shown_text(self._pipeline.scheme.title(self._label))
        self._say(f"right label: {title} ({number + 1} of {len(labels)}), Enter saves it", KEYS_S)

    def _correct_as_chosen(self) -> None:
        if self._label is None:
            self._say("no label is chosen: choose one with [ and ]")
        else:
            self._correct(commands.CorrectLabel(self._label))

    def _correct(self, command: commands.CorrectLabel) -> None:
        track = command.track if command.track is not None else self._selected
        if track is not None:
            face = next((each for each in self._faces if each.track == track), None)
        else:
            face = next(iter(self._faces), None)
        if face is None or self._shown is None:
            self._say("no face there to correct")
            return
        outcome = self._corrections.save(
            self._shown.frame,
            face.box,
            command.label,
            source=self._choice.source,
            camera=self._feed.camera.name,
        )
        self._say(f"#{face.track}: {outcome}")

    @property
    def _faces(self) -> tuple[TrackedFace, ...]:
        # Until the next camera gives a picture, people before the former one are still shown: they
        # are not to be saved by the rules of the next.
        if self._shown is None or self._shown is self._former:
            return ()
        return self._shown.faces

    def _say(self, message: str, seconds: float = MESSAGE_S) -> None:
        self._message, self._message_until_s = message, time.monotonic() + seconds
        self._news.append(message)


def _describe_end(recording: Recording) -> str:
    left_out = f", {recording.left_out} frames left out" if recording.left_out else ""
    notice = f". {recording.notice}" if recording.notice else ""
    return recording.problem or f"recorded {recording.path}{left_out}{notice}"
