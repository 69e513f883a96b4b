"""The screen that photographs: what its keys do, and what becomes of the messages of its threads.

Nothing here waits: an observer thread brings pictures, a writer thread saves photos, and both send
small messages.
"""

import asyncio
import time
from collections import deque

from textual import on
from textual.message import Message

from collector.capture.class_counts import PhotoCounts
from collector.capture.edit_messages import DISK_TOO_SLOW
from collector.capture.observation import Observation
from collector.capture.observer import Observer
from collector.capture.photographer import Feedback, Photographer, Tone
from collector.capture.shutter import GATE_TEXTS
from collector.capture.writer import Edited, How, NotDone, PhotoWriter
from collector.keys import name_class_keys, show_keys
from collector.screens.capture_parts import CaptureParts
from collector.screens.capture_view import CaptureView, describe_camera, describe_saved
from collector.screens.messages import CameraChanged, ObservationReady, WriterReported
from collector.screens.permission import Permission
from collector.widgets.class_panel import ClassCounts
from collector.widgets.dialogs import HelpPage
from collector.widgets.panels import SessionFigures
from collector.widgets.preview import PreviewPicture
from collector.widgets.tone_line import TONE_COLORS
from maskage.cameras.live_feed import CameraCondition, CameraState
from maskage.dataset.edits import flagging

_TICK_S = 1 / 30
_PANELS_S = 0.2
_ANSWER_S = 4.0
_FLASH_S = 0.12
_STYLED_S = 0.15


class CaptureScreen(CaptureView):
    """The keys of the camera, and what its threads report.

    Args:
        parts: The camera, the store and the rest that it works with.
    """

    def __init__(self, parts: CaptureParts) -> None:
        super().__init__(parts)
        self._writer = PhotoWriter(parts.store)
        self._writer.add_listener(lambda report: self._send(WriterReported(report)))
        self._photographer = Photographer(
            self._writer, self._scheme, parts.gate, parts.subject, name_class_keys(parts.commands)
        )
        self._observer = Observer(
            parts.camera,
            parts.source,
            parts.opener,
            parts.finder,
            on_observation=lambda: self._send(ObservationReady()),
            on_state=lambda state: self._send(CameraChanged(state)),
        )
        self._class_counts = PhotoCounts(parts.store, parts.subject)
        self._permission = Permission(
            parts.store, lambda why: self._answer(Feedback(why, Tone.BAD))
        )
        self._subject_key = next(show_keys(c.keys) for c in parts.commands if c.name == "subject")
        self._observation: Observation | None = None
        self._state = CameraState(CameraCondition.LIVE, parts.camera.name)
        self._is_mirrored = True
        self._is_paused = self._is_closed = self._is_reviewing = False
        self._passed_over = 0
        self._seen_s: deque[float] = deque(maxlen=120)
        self._shown_s: deque[float] = deque(maxlen=60)
        self._flashed_s = float("-inf")

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

    def _send(self, message: Message) -> None:
        """Post from another thread; nothing once the screen has ended."""
        if not self._is_closed:
            self.post_message(message)

    @on(ObservationReady)
    def _see(self) -> None:
        observation = self._observer.take()
        if observation is None:
            return
        now_s = time.monotonic()
        self._seen_s.append(now_s)
        # A picture of a folder comes once and is never passed over.
        if observation.is_live and (self._is_paused or self.is_too_small or self._is_reviewing):
            self._passed_over += 1
            return
        self._observation = self._photographer.observation = observation
        # Styled pictures are slow to draw: a few a second, so that keys do not wait for them.
        since_s = now_s - self._shown_s[-1] if self._shown_s else _STYLED_S
        if observation.is_live and since_s < _STYLED_S and not self._preview.is_raw:
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
        self._close_or_open_shutter()
        if message.state.message:
            self._answer(Feedback(message.state.message, Tone.BAD))
        elif self._shown_s:
            self._answer(Feedback(f"{message.state.name} is open", Tone.GOOD))
        self._show_picture(time.monotonic())

    @on(WriterReported)
    def _hear(self, message: WriterReported) -> None:
        report = message.report
        if isinstance(report, NotDone):
            # What happened comes first: a long path would push it off a narrow line.
            text = f"not saved! {report.message}" if report.is_shot else report.message
            self._answer(Feedback(text, Tone.BAD))
            return
        self._class_counts.note(report.edits)
        self._return_to_undone(report)
        self._strip.note(report)
        self._answer(describe_saved(report, self._class_counts.total, self._scheme))
        self._show_counts()

    def _return_to_undone(self, report: Edited) -> None:
        """Go back to a folder's picture when its shot was undone."""
        pictures = [taken.picture for taken in report.taken.values() if taken.picture is not None]
        if report.how is How.UNDONE and pictures:
            self._observer.return_to(min(pictures))

    # Keys

    def action_shoot(self, number: int) -> None:
        """Take a shot into the class of this number; called again and again while a key is held."""
        self._shoot(self._scheme.labels[number])

    def _shoot(self, label: str | None) -> None:
        if label is not None:
            self._note_used(label)
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

    def action_undo(self) -> None:
        """Order the last step to be undone."""
        self._order(self._writer.undo())

    def action_redo(self) -> None:
        """Order what was undone to be done again."""
        self._order(self._writer.redo())

    def _order(self, is_taken: bool) -> None:
        """Say so where the writer has no room for an order: no key is lost in silence."""
        if not is_taken:
            self._answer(DISK_TOO_SLOW)

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
        self._photographer.start_session(self._photographer.subject)
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
        self._close_or_open_shutter()
        self._answer(
            Feedback(
                "paused: press p to go on" if self._is_paused else "the camera is running again"
            )
        )
        self._show_picture(time.monotonic())

    def action_skip(self) -> None:
        """Go to the next picture of a folder."""
        if self._observation is None or self._observation.is_live:
            self._answer(Feedback("there is nothing to skip: the camera is live"))
        else:
            self._observer.advance()

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

    def close_parts(self) -> None:
        """Stop both threads after saving every shot that was taken. May be called twice."""
        if not self._is_closed:
            self._is_closed = True
            self._observer.close()
            self._writer.close()

    @property
    def failed(self) -> int:
        """The number of shots that the disk refused."""
        return self._writer.failed

    def summarise(self) -> str:
        """Return one line on what this run did."""
        failed = f" Could not be saved: {self._writer.failed}!" if self._writer.failed else ""
        return (
            f"Saved in {self._parts.store.root}: {self._writer.saved:,}. Shots refused: "
            f"{self._photographer.refused:,}. Frames dropped: {self._dropped:,}.{failed}"
        )

    # Now and then

    def _tick(self) -> None:
        self._take(self._photographer.tick(time.monotonic()))

    def _take(self, answer: Feedback | None) -> None:
        if answer is None:
            return
        if answer.is_taken:
            self._flashed_s = time.monotonic()
            if self._observation is not None and not self._observation.is_live:
                self._observer.advance()
        self._answer(answer)

    def _close_or_open_shutter(self) -> None:
        closed = describe_camera(self._state)
        if closed is None and self._is_paused:
            closed = "paused"
        elif closed is None and self._is_reviewing:
            closed = "the gallery is open"
        elif closed is None and self.is_too_small:
            closed = "the terminal is too small"
        elif closed is None and (objection := self._objection):
            closed = f"{objection}: press {self._subject_key}"
        self._photographer.closed = closed

    @property
    def _objection(self) -> str | None:
        return self._permission.objection(self._photographer.subject, self._observer.source)

    @property
    def _dropped(self) -> int:
        return self._observer.dropped + self._passed_over

    def _show_picture(self, now_s: float) -> None:
        if self._observation is None:
            self._preview.say(self._photographer.closed or "waiting for the camera")
            return
        closed = self._photographer.closed
        self._preview.show(
            PreviewPicture(
                self._observation,
                TONE_COLORS[self._photographer.advise(now_s).tone],
                is_mirrored=self._is_mirrored,
                is_dim=closed is not None,
                flash=now_s - self._flashed_s < _FLASH_S,
                countdown=self._photographer.countdown(now_s),
                note=closed or "",
            )
        )

    def _show_counts(self) -> None:
        self._class_panel.counts = ClassCounts(
            total=dict(self._class_counts.total),
            of_subject=dict(self._class_counts.of_subject),
            last=self._photographer.last_label,
        )

    def _update_panels(self) -> None:
        now_s = time.monotonic()
        self._advice.say(self._photographer.advise(now_s))
        if now_s - self._answered_s > _ANSWER_S:
            self._answer(Feedback(self._parts.finder.notice or GATE_TEXTS[self._parts.gate]))
        self._show_header(now_s)
        self._session_panel.figures = SessionFigures(
            subject=self._photographer.subject,
            session=self._photographer.session,
            quality=self._observation.quality if self._observation else None,
            limits=self._photographer.limits,
            saved=self._writer.saved,
            refused=self._photographer.refused,
            dropped=self._dropped,
            failed=self._writer.failed,
            waiting=self._writer.waiting,
            subject_count=sum(self._class_counts.of_subject.values()),
        )

    def _show_header(self, now_s: float) -> None:
        seen = self._observation
        if seen is not None and seen.frame.file is not None:
            of = f" of {count:,}" if (count := self._observer.frame_count) else ""
            name, place = seen.frame.file, f"{seen.frame.index + 1:,}{of}"
        else:
            fps = sum(1 for seen_s in self._seen_s if now_s - seen_s <= 1.0)
            name, place = self._state.name, f"{fps} fps"
        self._draw_header(name, f"{place} · gate {self._parts.gate}")
