"""The controls of a live view: carry out commands, and return how everything stands."""

import queue
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from detector.drawing.overlay import Readout, draw_result
from detector.live.corrections import Corrections
from detector.live.recording import Recording, name_by_time
from detector.live.watched import WatchedCameras
from detector.screens import commands
from detector.screens.base import Controls, LiveStatus, LiveView
from detector.screens.commands import Command
from detector.screens.keys import LiveKeys
from detector.tracking.pipeline import EVERYTHING, FrameResult
from detector.tracking.tracker import TrackedFace
from detector.video.sink import write_picture
from maskage.console import say
from maskage.errors import EnvironmentProblemError
from maskage.formats.output_log import Kind
from maskage.outside_text import shown_text

MESSAGE_S = 3.0
KEYS_S = 8.0
_NAME_LENGTH = 40


class LiveControls:
    """The one place where commands change something, between two frames of the loop.

    Args:
        cameras: The cameras that are watched, and which of them is shown.
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
        cameras: WatchedCameras,
        corrections: Corrections,
        *,
        snapshots: Path,
        recordings: Path,
        is_blurred: bool = True,
        has_status: bool = False,
        is_mirrored: bool = False,
        on_kept: Callable[[Path, Kind], None] = lambda path, kind: None,
    ) -> None:
        self._cameras, self._corrections = cameras, corrections
        # The settings are the same for all of them.
        self._pipeline = pipeline = cameras.shown.pipeline
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
        self._keys = LiveKeys(pipeline.scheme, has_several=cameras.are_several)
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
                source=self._cameras.index,
                sources=self._cameras.names,
                correcting=self._find_objection(),
                is_all=self._cameras.is_all,
                is_mirrored=self._is_mirrored,
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
            self._cameras.adjust(thrift=EVERYTHING)
            if self._cameras.are_several:
                # In a picture of all, that of a camera which gives no other one would stay so.
                self._cameras.find_again()
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
                self._show_next_picture()
            case commands.NextCamera():
                if self._cameras.use_next():
                    self._note_switch()
                else:
                    self._say(
                        "There is no other camera. Start with one more --source to switch to."
                    )
            case commands.UseCamera(index):
                if self._cameras.use(index):
                    self._note_switch()
                else:
                    self._say("That camera is watched already, or gone.")
            case commands.ShowAll():
                self._show_all(is_all=True)
            case commands.ToggleAll():
                self._show_all(is_all=not self._cameras.is_all)
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

    def _find_objection(self) -> str | None:
        """Return why nobody who is shown can be saved, or None if somebody can."""
        if not self._cameras.is_all:
            return self._corrections.objection(self._cameras.source)
        objections = [self._corrections.objection(each.source) for each in self._cameras]
        return None if None in objections else objections[0]

    def _collect_messages(self) -> None:
        if (saved := self._corrections.take_message()) is not None:
            self._say(saved)
        waiting = [self._waiting.get() for _ in range(self._waiting.qsize())]
        if waiting:
            self._say("  ".join(waiting))
            self._news[-1:] = waiting
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
        self._cameras.adjust(thrift=self._thrift)

    def _take_snapshot(self) -> None:
        if self._shown is None:
            return
        path = self._name_snapshot(self._shown)
        self._on_kept(path, Kind.PICTURE)
        try:
            # All cameras together have been mirrored one by one.
            is_mirrored = self._is_mirrored and not self._shown.is_of_all
            write_picture(path, draw_result(self._shown, Readout(), is_mirrored=is_mirrored))
        except EnvironmentProblemError as fault:
            # A full disk is no reason to stop watching.
            self._say(str(fault))
        else:
            self._say(f"saved {path}")

    def _name_snapshot(self, shown: FrameResult) -> Path:
        """Return a path named by the time, and by the camera where there are several."""
        path = name_by_time(self._snapshots, ".jpg")
        if not self._cameras.are_several:
            return path
        name = "all" if shown.is_of_all else self._cameras.cameras[shown.camera].name
        plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:_NAME_LENGTH]
        return path.with_name(f"{path.stem}-{plain or shown.camera}.jpg")

    def _show_next_picture(self) -> None:
        for camera in self._cameras if self._cameras.is_all else (self._cameras.shown,):
            camera.feed.advance()

    def _show_all(self, *, is_all: bool) -> None:
        if not self._cameras.show_all(is_all=is_all):
            self._say("There is no other camera. Start with one more --source to see several.")
            return
        self._selected, self._former = None, self._shown
        shown = "all cameras" if is_all else self._cameras.shown.name
        self._say(f"showing {shown}")

    def _note_switch(self) -> None:
        """Note that another camera is shown."""
        self._selected, self._former = None, self._shown
        if not self._cameras.are_several:
            self._is_paused = False
        self._say(f"watching {self._cameras.names[self._cameras.index]}")

    def _set_threshold(self, value: float) -> None:
        self._cameras.adjust(unsure_below=min(1.0, max(0.0, round(value, 2))))
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
        if self._shown.is_of_all:
            # The largest of a picture of all is the face of whoever stands nearest to any camera.
            if track is None:
                self._say("of all cameras, choose a face with f first")
                return
            self._correct_original(face.track, command.label)
            return
        camera = self._cameras.shown
        outcome = self._corrections.save(
            self._shown.frame,
            face.box,
            command.label,
            source=self._cameras.source,
            camera=camera.feed.camera.name,
        )
        self._say(f"#{face.track}: {outcome}")

    def _correct_original(self, track: int, label: str) -> None:
        """Save a face of a picture of all cameras, as its own camera saw it."""
        camera = self._cameras.find_track(track)
        if camera is None or camera.newest is None:
            self._say("no face there to correct")
            return
        face = next(each for each in camera.newest.faces if each.track == track)
        outcome = self._corrections.save(
            camera.newest.frame,
            face.box,
            label,
            source=camera.source,
            camera=camera.feed.camera.name,
        )
        self._say(f"#{track}: {outcome}")

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
