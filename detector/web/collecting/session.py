"""One visitor who photographs: the pictures of their camera, a button held down, thumbnails."""

import base64
import queue
import time
from dataclasses import dataclass
from datetime import date
from typing import Any

from detector.web.device.frames import decode_frame
from maskage.capture.observation import observe_frame
from maskage.capture.photographer import Feedback, Photographer
from maskage.capture.shutter import Gate
from maskage.capture.writer import Edited, How, NotDone, PhotoWriter, Report
from maskage.dataset.consent import find_objection
from maskage.dataset.edits import trashing
from maskage.dataset.store import PhotoStore
from maskage.faces.finder import FaceFinder
from maskage.outside_text import shown_text
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo

CAMERA = "browser camera"
"""Name of the camera in the manifest: a browser's own name for it may name its owner."""

PERIOD_S = 0.2
"""Between two shots of a button that is held down, as of a key in the terminal."""

_UNDONE = {How.UNDONE: "undone", How.REDONE: "redone", How.DONE: "done"}


@dataclass
class _Hold:
    """A button that is held down, or was pressed and had no shot yet."""

    label: str
    step: int
    is_down: bool = True
    has_shot: bool = False
    next_s: float = 0.0


class CollectingSession:
    """The photographer, writer and undo of one visitor.

    Args:
        store: The dataset, open; closed by the caller, after `close`.
        finder: The face finder; used in one thread.
        subject: Pseudonym of the person, whose consent is on record.
        gate: The strictness of the shutter.
    """

    def __init__(self, store: PhotoStore, finder: FaceFinder, subject: str, gate: Gate) -> None:
        self._store, self._finder = store, finder
        self._writer = PhotoWriter(store)
        self._reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._writer.add_listener(self._reports.put)
        self._photographer = Photographer(self._writer, store.scheme, gate, subject)
        self._hold: _Hold | None = None
        self._photos: dict[str, Photo] = {}
        self._thumbs: dict[str, str] = {}
        self._frames = 0
        self._last: bytes = b""
        self._changed_s = 0.0

    @property
    def subject(self) -> str:
        """Pseudonym of the person."""
        return str(self._photographer.subject)

    def describe(self) -> dict[str, Any]:
        """Return the classes and what is photographed so far, as a page needs them."""
        counts = self._store.counts()
        return {
            "subject": self.subject,
            "gate": str(self._photographer.gate),
            "classes": [
                {"label": each.folder, "title": each.title, "color": each.color}
                for each in self._store.scheme
            ],
            "counts": counts,
            "thumbs": [self._thumb(path) for path in self._photos],
        }

    def see(self, data: bytes) -> dict[str, Any]:
        """Look at one picture of the camera, and photograph it where a button is held.

        Raises:
            UnreadableImageError: See `detector.web.device.frames.decode_frame`.
        """
        frame = decode_frame(data, self._frames)
        self._frames += 1
        now_s = time.monotonic()
        if data != self._last:
            self._last, self._changed_s = data, now_s
        seen = observe_frame(frame, self._finder, CAMERA, still_s=now_s - self._changed_s)
        self._photographer.observation = seen
        self._photographer.closed = self._find_objection()
        said = self._shoot_held(now_s)
        advice = self._photographer.advise(now_s)
        box = seen.box
        return {
            "width": frame.width,
            "height": frame.height,
            "box": [box.x, box.y, box.width, box.height],
            "has_face": bool(seen.faces),
            "advice": advice.text,
            "tone": str(advice.tone),
            "said": said.text if said else None,
            "said_tone": str(said.tone) if said else None,
            "notice": self._finder.notice,
            **self._news(),
        }

    def obey(self, order: dict[str, Any]) -> None:
        """Carry out an order of the page; one that means nothing is ignored.

        Args:
            order: {"hold": label}, {"release": true}, {"undo": true}, {"redo": true} or
                {"remove": path of a photo of this session}.
        """
        label, path = order.get("hold"), order.get("remove")
        if isinstance(label, str) and label in self._store.scheme:
            self._hold = _Hold(label, self._photographer.next_step())
        elif "release" in order and self._hold is not None:
            self._hold.is_down = False
            if self._hold.has_shot:
                self._hold = None
        elif "undo" in order:
            self._writer.undo()
        elif "redo" in order:
            self._writer.redo()
        elif isinstance(path, str) and path in self._photos:
            photo = self._photos[path]
            self._writer.edit(
                lambda: [trashing(known)] if (known := self._store.latest(photo)) else []
            )

    def release(self) -> None:
        """Let go of the button: the connection is lost."""
        self._hold = None

    def close(self) -> None:
        """Save what was ordered."""
        self._writer.close()

    def _find_objection(self) -> str | None:
        return find_objection(self.subject, self._store.consents(), date.today())

    def _shoot_held(self, now_s: float) -> Feedback | None:
        hold = self._hold
        if hold is None or now_s < hold.next_s:
            return None
        hold.next_s, hold.has_shot = now_s + PERIOD_S, True
        if not hold.is_down:
            self._hold = None
        return self._photographer.shoot_into(hold.label, hold.step, now_s)

    def _news(self) -> dict[str, Any]:
        """Return what the writer reported since the last call."""
        added: list[dict[str, Any]] = []
        gone: list[str] = []
        words: list[str] = []
        while not self._reports.empty():
            report = self._reports.get()
            if isinstance(report, NotDone):
                words.append(report.message)
            elif isinstance(report, Edited):
                words.append(self._note(report, added, gone))
        if not words:
            return {"report": None}
        return {
            "report": "  ".join(filter(None, words)) or None,
            "added": added,
            "gone": gone,
            "counts": self._store.counts(),
            "saved": self._writer.saved,
        }

    def _note(self, report: Edited, added: list[dict[str, Any]], gone: list[str]) -> str:
        for edit in report.edits:
            path = edit.photo.path
            if edit.after is None:
                gone.append(path)
                self._photos.pop(path, None)
                continue
            self._photos[path] = edit.after
            if path in report.taken:
                jpeg = encode_jpeg(report.taken[path].thumb, 85)
                self._thumbs[path] = base64.b64encode(jpeg).decode()
            added.append(self._thumb(path))
        count = len(report.edits)
        photos = "1 photo" if count == 1 else f"{count} photos"
        if report.how is not How.DONE:
            return f"{_UNDONE[report.how]}: {photos}"
        title = shown_text(self._store.scheme.title(report.edits[0].photo.label))
        return f"saved: {title}" if added else f"to the trash: {photos}"

    def _thumb(self, path: str) -> dict[str, Any]:
        return {
            "path": path,
            "label": self._photos[path].label,
            "jpeg": self._thumbs.get(path, ""),
        }
