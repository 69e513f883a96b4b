"""What works behind the capture screen: camera, writer and counts; and the figures of them."""

import time
from collections import deque

from textual.message import Message

from collector.capture.class_counts import PhotoCounts
from collector.capture.folder_summary import describe_folder, describe_unread
from collector.capture.observer import Observer
from collector.capture.picture_desk import PictureDesk
from collector.capture.picture_opener import KnownPictures
from collector.keys import name_class_keys, show_keys
from collector.screens.capture_parts import CaptureParts
from collector.screens.capture_view import CaptureView
from collector.screens.messages import CameraChanged, ObservationReady, WriterReported
from collector.screens.permission import Permission
from collector.widgets.class_panel import ClassCounts
from collector.widgets.panels import SessionFigures
from maskage.cameras.live_feed import CameraCondition, CameraState
from maskage.capture.observation import Observation
from maskage.capture.photographer import Feedback, Photographer, Tone
from maskage.capture.shutter import GATE_TEXTS
from maskage.capture.writer import PhotoWriter

_ANSWER_S = 4.0


class CaptureWorks(CaptureView):
    """The camera, the writer and the counts of the capture screen.

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
        keys = {c.name: c.first_key for c in parts.commands}
        self._desk = PictureDesk(
            self._photographer,
            self._writer,
            f"{keys['whole']}: all of the picture, {keys['skip']}: skip, {keys['reject']}: reject",
            is_whole=parts.is_whole,
            find_content=parts.pictures.find_content if parts.pictures else lambda digest: None,
            title=self._scheme.title,
        )
        self._said_copies = 0
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
        self._seen_camera = parts.camera

    def _send(self, message: Message) -> None:
        """Post from another thread; nothing once the screen has ended."""
        if not self._is_closed:
            self.post_message(message)

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
        """Return what this run did: one line, and more of a folder of pictures."""
        failed = f" Could not be saved: {self._writer.failed}!" if self._writer.failed else ""
        line = (
            f"Saved in {self._parts.store.root}: {self._writer.saved:,}. Shots refused: "
            f"{self._photographer.refused:,}. Frames dropped: {self._dropped:,}.{failed}"
        )
        return "\n".join([line, *describe_folder(self._observer.camera, self._desk, self._known)])

    @property
    def unread_folder(self) -> str | None:
        """The reason why no picture of the folder could be shown, for people; None where one was.

        It is the same for a source that is no folder.
        """
        return describe_unread(self._observer.camera, self._known)

    @property
    def _known(self) -> KnownPictures:
        """The pictures of the folder that were dealt with before."""
        return self._parts.pictures.known if self._parts.pictures else KnownPictures()

    @property
    def _objection(self) -> str | None:
        return self._permission.objection(self._photographer.subject, self._observer.source)

    @property
    def _dropped(self) -> int:
        return self._observer.dropped + self._passed_over

    def _show_counts(self) -> None:
        self._class_panel.counts = ClassCounts(
            total=dict(self._class_counts.total),
            of_subject=dict(self._class_counts.of_subject),
            last=self._photographer.last_label,
        )

    def _update_panels(self) -> None:
        now_s = time.monotonic()
        advice = self._photographer.advise(now_s)
        self._advice.say(self._desk.advise(advice, now_s) if self._observer.is_queue else advice)
        if now_s - self._answered_s > _ANSWER_S:
            self._answer(Feedback(self._parts.finder.notice or GATE_TEXTS[self._parts.gate]))
        self._show_header(now_s)
        self._session_panel.figures = SessionFigures(
            subject=self._photographer.subject,
            session=self._photographer.shared_session or "none in a folder",
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
        seen, gate = self._observation, f" · gate {self._parts.gate}"
        if seen is not None and seen.frame.file is not None:
            of = f" of {count:,}" if (count := self._observer.frame_count) else ""
            missed = f" · {n:,} not counted" if (n := self._desk.uncounted) else ""
            counts = f" · {done}" if (done := self._desk.describe_counts()) else ""
            labelled = f" · {n:,} labelled" if (n := self._desk.counts["labelled"]) else ""
            name, place = seen.frame.file, f"{seen.frame.index + 1:,}{of}"
            words = (f"{counts}{missed}", f"{labelled}{missed}", missed)
            places = [f"{place}{more}{gate}" for more in words] + [place]
        else:
            fps = sum(1 for seen_s in self._seen_s if now_s - seen_s <= 1.0)
            name, places = self._state.name, [f"{fps} fps{gate}"]
        self._draw_header(name, *places)
