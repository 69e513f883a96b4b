"""The screen that photographs: what its keys do, and what becomes of the messages of its threads.

Nothing here waits: an observer thread brings pictures, a writer thread saves photos, and both send
small messages.
"""

import asyncio
import time

from textual import on

from collector.capture.edit_messages import describe_set_aside
from collector.keys import PALETTE
from collector.screens.capture_pictures import CapturePictures
from collector.screens.capture_view import describe_camera, describe_saved
from collector.screens.messages import CameraChanged, ObservationReady, WriterReported
from collector.widgets.dialogs import HelpPage
from maskage.cameras.live_feed import CameraCondition
from maskage.capture.photographer import Feedback, Tone
from maskage.capture.shutter import GATE_TEXTS
from maskage.capture.writer import NotDone, PictureSetAside
from maskage.dataset.edits import flagging

_TICK_S = 1 / 30
_PANELS_S = 0.2
_STYLED_S = 0.15


class CaptureScreen(CapturePictures):
    """The keys of the camera, and what its threads report.

    Args:
        parts: The camera, the store and the rest that it works with.
    """

    def on_mount(self) -> None:
        """Start the camera and the clocks, and ask for what is missing."""
        self._preview.say("waiting for the camera")
        self._observer.start()
        self.set_interval(_TICK_S, self._tick)
        self.set_interval(_PANELS_S, self._update_panels)
        self._show_counts()
        self._update_panels()
        self._close_or_open_shutter()
        if self._objection is not None:
            self.call_after_refresh(self._ask_first)

    def _ask_first(self) -> None:
        """Ask at the start where nobody can be photographed yet."""
        subject, source = self._photographer.subject, self._observer.source
        if subject is None:
            self.action_subject()
        else:
            self._permission.ask_consent(self, subject, source, self._change_subject)

    def on_resize(self) -> None:
        """Close the shutter while the terminal is too small."""
        self._close_or_open_shutter()

    # Messages from the threads

    @on(ObservationReady)
    def _see(self) -> None:
        observation = self._observer.take()
        if observation is None:
            return
        if not observation.is_live:
            self._lay(observation)
            return
        now_s = time.monotonic()
        self._seen_s.append(now_s)
        if self._is_paused or self.is_too_small or self._is_reviewing:
            self._passed_over += 1
            return
        self._observation = self._photographer.observation = observation
        # Styled pictures are slow to draw: a few a second, so that keys do not wait for them.
        since_s = now_s - self._shown_s[-1] if self._shown_s else _STYLED_S
        if since_s < _STYLED_S and not self._preview.is_raw:
            self._passed_over += 1
            return
        self._shown_s.append(now_s)
        self._show_picture(now_s)

    @on(CameraChanged)
    def _change_camera(self, message: CameraChanged) -> None:
        self._state = message.state
        if message.state.condition is CameraCondition.LIVE:
            # What was seen before is another camera's, or of before the gap: never shot now.
            self._observation = self._photographer.observation = None
            self._leave_desk()
            self._observer.hold(is_held=self._is_paused)
        self._close_or_open_shutter()
        if message.state.message:
            self._answer(self._describe_state(message.state))
        elif self._shown_s:
            self._answer(Feedback(f"{message.state.name} is open", Tone.GOOD))
        self._show_picture(time.monotonic())

    @on(WriterReported)
    def _hear(self, message: WriterReported) -> None:
        report = message.report
        self._go_back(report)
        if isinstance(report, NotDone):
            # What happened comes first: a long path would push it off a narrow line.
            text = f"not saved! {report.message}" if report.is_shot else report.message
            self._answer(Feedback(text, Tone.BAD))
        elif isinstance(report, PictureSetAside):
            self._answer(describe_set_aside(report))
        else:
            self._class_counts.note(report.edits)
            self._strip.note(report)
            saved = describe_saved(report, self._class_counts.total, self._scheme)
            self._answer(self._with_copies(saved))
            self._show_counts()

    # Keys

    def action_shoot(self, number: int) -> None:
        """Take a shot into the class of this number; called again and again while a key is held."""
        self._shoot(self._scheme.labels[number])

    def _shoot(self, label: str | None) -> None:
        if label is None:
            return
        self._note_used(label)
        if self._observer.is_queue:
            self._label_picture(label, PALETTE, time.monotonic())
        else:
            self._take(self._photographer.press(label, time.monotonic()))
            self._show_counts()

    def action_find_class(self) -> None:
        """Ask for a class by its name, and shoot into it."""
        entries = self._list_classes(self._class_counts.total)
        self._open_palette("shoot into which class?", entries, self._shoot)

    def action_again(self) -> None:
        """Take a shot into the class used last."""
        self._take(self._photographer.press_again(time.monotonic()))

    def action_burst(self) -> None:
        """Start a burst into the class used last, or stop it."""
        self._take(self._photographer.start_burst(time.monotonic()))

    def action_timer(self) -> None:
        """Start the countdown to one shot, or stop it."""
        self._take(self._photographer.start_timer(time.monotonic()))

    def action_flag(self) -> None:
        """Set the flag, or remove it where it is set."""
        photo = self._strip.newest
        if photo is None:
            self._answer(Feedback("there is nothing to flag: no photo was taken yet", Tone.CARE))
        else:
            edit = flagging(photo, is_flagged=not photo.is_flagged)
            self._order(self._writer.edit(lambda: [edit]))

    def action_subject(self) -> None:
        """Ask for the subject, and for the consent where it is missing."""
        subject, source = self._photographer.subject, self._observer.source
        self._permission.ask_subject(self, subject, source, self._change_subject)

    def _change_subject(self, subject: str) -> None:
        if subject == self._photographer.subject:
            self._close_or_open_shutter()
            return
        self._photographer.start_session(subject)
        self._class_counts.choose(subject)
        self._close_or_open_shutter()
        self._show_counts()
        self._answer(Feedback(f"subject {subject}, new session"))

    def action_session(self) -> None:
        """Start a new session of the same subject."""
        self._photographer.start_session(self._photographer.subject, is_chosen=True)
        self._answer(Feedback(f"new session {self._photographer.session}"))

    def action_camera(self) -> None:
        """Open the next camera in a thread."""
        self._answer(Feedback("opening the next camera"))
        self.run_worker(self._switch_camera, thread=True, exclusive=True, group="cameras")

    def _switch_camera(self) -> None:
        current = self._observer.source
        ring = sorted({self._parts.source, *self._parts.list_sources(), current})
        after = ring.index(current) + 1
        self._observer.switch(ring[after:] + ring[:after])

    def action_mirror(self) -> None:
        """Mirror the preview, or stop mirroring; photos are never mirrored."""
        self._is_mirrored = not self._is_mirrored
        kind = "a mirror" if self._is_mirrored else "as the camera sees it"
        self._answer(Feedback(f"preview: {kind}; photos are never mirrored"))
        self._show_picture(time.monotonic())

    def action_pause(self) -> None:
        """Freeze the preview and close the shutter, or go on."""
        self._is_paused = not self._is_paused
        self._observer.hold(is_held=self._is_paused)
        self._close_or_open_shutter()
        if not self._is_paused:
            self._answer(Feedback("the camera is running again"))
        elif self._is_recording:
            self._answer(Feedback("paused: this picture can still be taken; press p to go on"))
        else:
            self._answer(Feedback("paused: press p to go on"))
        self._show_picture(time.monotonic())

    @property
    def _is_recording(self) -> bool:
        return self._observation is not None and self._observation.is_recording

    def action_skip(self) -> None:
        """Say that a camera has nothing to skip; `on_key` takes the key at a folder."""
        self._answer(Feedback("there is nothing to skip: the camera is live"))

    def action_reject(self) -> None:
        """Say that a camera has nothing to reject, as `action_skip`."""
        self._answer(Feedback("there is nothing to reject: the camera is live"))

    def action_whole(self) -> None:
        """Say that a camera shows no picture of a folder, as `action_skip`."""
        self._answer(Feedback("only a picture of a folder is labelled whole: the camera is live"))

    def action_gallery(self) -> None:
        """Open the gallery over the camera."""
        self._photographer.plan = None
        self._is_reviewing = True
        self._close_or_open_shutter()
        self.app.push_screen(self._parts.make_review(self._writer, self._recent), self._return)

    def _return(self, _: None) -> None:
        self._is_reviewing = False
        self._close_or_open_shutter()
        self._answer(Feedback("back at the camera"))

    def action_help(self) -> None:
        """Show what every key does."""
        self.app.push_screen(HelpPage(self._parts.commands, GATE_TEXTS[self._parts.gate]))

    async def action_quit(self) -> None:
        """Finish what was ordered, then end the program."""
        self._answer(Feedback("finishing"))
        await asyncio.to_thread(self.close_parts)
        self.app.exit()

    # Now and then

    def _tick(self) -> None:
        self._take(self._photographer.tick(time.monotonic()))

    def _take(self, answer: Feedback | None) -> None:
        if answer is None:
            return
        if answer.is_taken:
            self._flashed_s = time.monotonic()
        self._answer(answer)

    def _close_or_open_shutter(self) -> None:
        end = self._describe_end()
        closed = end or describe_camera(self._state)
        is_silent = end is None and self._state.condition is CameraCondition.SILENT
        self._photographer.is_silent = is_silent
        if closed is None and self._is_paused and not self._is_recording:
            closed = "paused"
        elif closed is None and self._is_reviewing:
            closed = "the gallery is open"
        elif closed is None and self.is_too_small:
            closed = "the terminal is too small"
        elif closed is None and (objection := self._objection):
            closed = f"{objection}: press {self._subject_key}"
        self._photographer.closed = closed
