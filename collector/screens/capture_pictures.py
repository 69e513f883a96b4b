"""The half of the capture screen that labels a folder of pictures, one press a picture."""

import time

from textual.events import Key

from collector.capture.edit_messages import DISK_TOO_SLOW
from collector.keys import KeyCommand
from collector.screens.capture_parts import CaptureParts
from collector.screens.capture_works import CaptureWorks
from collector.widgets.preview import PreviewPicture
from collector.widgets.tone_line import TONE_COLORS
from maskage.cameras.live_feed import CameraCondition, CameraState
from maskage.capture.observation import Observation
from maskage.capture.photographer import Feedback, Tone
from maskage.capture.writer import Report
from maskage.formats.set_aside_file import PassedOver

_FLASH_S = 0.12
_READING = "reading the next picture"
_OWN_ACTIONS = frozenset({"again", "skip", "reject", "whole", "undo", "redo", "burst", "timer"})


class CapturePictures(CaptureWorks):
    """The keys of a folder of pictures, and the way from one picture to the next.

    Args:
        parts: The camera, the store and the rest that it works with.
    """

    def __init__(self, parts: CaptureParts) -> None:
        super().__init__(parts)
        self._picture_keys = {
            key: command
            for command in parts.commands
            if command.label is not None or command.action in _OWN_ACTIONS
            for key in command.keys.split(",")
        }

    def on_key(self, event: Key) -> None:
        """Take the keys of a folder here, in the order and with the time they were pressed."""
        command = self._picture_keys.get(event.key)
        if command is not None and self._observer.is_queue and not self.palette.is_open:
            event.stop()
            event.prevent_default()
            self._press(command, event.key, event.time)

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

    def _press(self, command: KeyCommand, key: str, pressed_s: float) -> None:
        match command.action:
            case "undo":
                self.action_undo()
            case "redo":
                self.action_redo()
            case "whole":
                self._turn_whole()
            case "skip":
                self._pass_over(PassedOver.SKIPPED, key, pressed_s)
            case "reject":
                self._pass_over(PassedOver.REJECTED, key, pressed_s)
            case "burst" | "timer":
                why = f"no {command.action} at a folder: each picture is labelled by itself"
                self._answer(Feedback(why, Tone.CARE))
            case _:
                self._label_picture(command.label, key, pressed_s)

    def _label_picture(self, label: str | None, key: str, pressed_s: float) -> None:
        """Label the picture that was on the screen; without a label, with the one used last."""
        label = label or self._photographer.last_label
        if label is None:
            self._answer(self._photographer.refuse_again())
            return
        self._note_used(label)
        self._go_on(self._desk.press(label, key, pressed_s, self._drawn_s))
        self._show_counts()

    def _pass_over(self, how: PassedOver, key: str, pressed_s: float) -> None:
        self._go_on(self._desk.pass_over(how, key, pressed_s, self._drawn_s))

    def _turn_whole(self) -> None:
        self._answer(self._desk.turn_whole())
        if self._desk.picture is not None:
            self._observation = self._desk.picture
            self._show_picture(time.monotonic())

    @property
    def _drawn_s(self) -> float | None:
        """The moment at which the picture on the desk was drawn, or None."""
        picture = self._desk.picture
        return None if picture is None else self._preview.seen_s(picture.frame)

    def _go_on(self, answer: Feedback) -> None:
        """Answer a press, and show the next picture where this one was dealt with."""
        self._answer(answer)
        if answer.is_taken:
            self._show_next()

    def _show_next(self) -> None:
        while (found := self._observer.advance()) is not None:
            if self._desk.lay(found):
                break
        self._show_desk()

    def _lay(self, found: Observation) -> None:
        """Show a picture that was announced; one that was dealt with before is passed over."""
        if self._desk.lay(found):
            self._show_desk()
        else:
            self._show_next()

    def _with_copies(self, answer: Feedback) -> Feedback:
        """Add to an answer which pictures were passed over as copies since the last one."""
        new = self._desk.copies[self._said_copies :]
        self._said_copies = len(self._desk.copies)
        if not new:
            return answer
        more = f", and {len(new) - 1} more" if len(new) > 1 else ""
        return Feedback(f"{answer.text} · {new[0]}{more}", Tone.CARE)

    def _show_desk(self) -> None:
        now_s = time.monotonic()
        if self._desk.picture is not None:
            self._observation = self._desk.picture
            self._shown_s.append(now_s)
        self._show_picture(now_s)
        self._preview.draw_now()

    def _leave_desk(self) -> None:
        """Clear the desk where a camera begins; what was dealt with is of the one before."""
        self._desk.clear()
        if self._observer.camera is not self._seen_camera:
            self._seen_camera = self._observer.camera
            self._desk.forget()

    def _go_back(self, report: Report) -> None:
        """Show a picture again whose label, skip or rejection is undone or was not saved."""
        index = self._desk.hear(report)
        if index is not None and self._observer.is_queue:
            self._observer.return_to(index)
            self._show_picture(time.monotonic())

    def _describe_wait(self) -> str | None:
        """Return why the picture on the screen takes no label; None where it does."""
        is_waiting = self._observer.is_queue and self._desk.picture is None
        return _READING if is_waiting else None

    def _describe_end(self) -> str | None:
        """Return that a folder is over, and what was done; None before its end."""
        if self._state.condition is not CameraCondition.ENDED or not self._observer.is_queue:
            return None
        counts = self._desk.describe_counts() or "none was labelled"
        # The keys come first: a narrow line is cut at its end, and the counts are said elsewhere.
        return f"no more pictures: q ends, c starts again ({counts})"

    def _describe_state(self, state: CameraState) -> Feedback:
        """Return a message of the camera; at the end of a folder, with what was done."""
        if state.condition is CameraCondition.ENDED and (counts := self._desk.describe_counts()):
            return Feedback(f"{state.message} {counts[0].upper()}{counts[1:]}.", Tone.BAD)
        return Feedback(state.message, Tone.BAD)

    def _show_picture(self, now_s: float) -> None:
        if self._observation is None:
            self._preview.say(self._photographer.closed or "waiting for the camera")
            return
        closed = self._photographer.closed or self._describe_wait()
        self._preview.show(
            PreviewPicture(
                self._observation,
                TONE_COLORS[self._photographer.advise(now_s).tone],
                is_mirrored=self._is_mirrored and self._observation.is_live,
                is_dim=closed is not None,
                flash=now_s - self._flashed_s < _FLASH_S,
                countdown=self._photographer.countdown(now_s),
                note=closed or "",
            )
        )
