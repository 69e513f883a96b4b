"""Corrections: wrongly labelled faces saved, with their right label, into the dataset.

Everything happens in a thread of its own: opening a large dataset, and writing a photo so that it
survives a power cut, take longer than a frame.
"""

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from detector.corrected_dataset import open_dataset_for, require_dataset_for
from maskage.classes.scheme import Scheme
from maskage.console import say
from maskage.context_mixin import ClosingMixin
from maskage.dataset.consent import find_objection
from maskage.dataset.consent_rules import record_self, shows_people_live
from maskage.dataset.photo_names import new_session_id
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError, ToolchainError
from maskage.faces.finder import CROP_MARGIN, crop_face
from maskage.outside_text import shown_text
from maskage.pictures.quality import measure_quality
from maskage.records import FaceBox, Frame, Photo, RgbImage

WAITING = 16
REMEMBERED = 16
"""Photos that a second correction of the same face and frame moves instead of adding another."""


@dataclass(frozen=True)
class CorrectionStore:
    """The dataset of corrected faces.

    Attributes:
        root: Path of its folder; made with the first photo.
        subject: Pseudonym of the person before the camera, or None.
        is_self: The person photographs themselves: that is recorded as their consent.
        is_named: The user named the folder: where it has other classes than the model, nothing is
            shown. Another folder is only left as it is, with a message.
    """

    root: Path
    subject: str | None = None
    is_self: bool = False
    is_named: bool = True


@dataclass(frozen=True, eq=False, kw_only=True)
class _Shot:
    """One face to be saved; see `Corrections.save`."""

    crop: RgbImage
    box: FaceBox
    captured_s: float
    label: str
    source: str
    camera: str

    @property
    def key(self) -> tuple[float, FaceBox]:
        """The face within its frame."""
        return self.captured_s, self.box


class Corrections(ClosingMixin):
    """A thread that saves faces into a dataset, one after the other.

    The dataset is open, and locked against other writers, only while corrections are saved: others
    may photograph into it meanwhile, as visitors of `detector serve --collect`. As in the
    collector, nobody before a webcam or stream is photographed without a consent on record.

    A dataset that is missing is made with the model's classes.

    Args:
        dataset: The dataset.
        scheme: The classes of the model.
        model: The model, for messages: "runs/masks/bundle".

    Attributes:
        saved: Photos that are on the disk.
        mismatch: The reason why nothing can be saved, that the dataset has other classes; or None.

    Raises:
        DatasetError: The dataset has other classes than the model.
    """

    def __init__(self, dataset: CorrectionStore, scheme: Scheme, model: str) -> None:
        self.saved = 0
        self._dataset = dataset
        self._scheme, self._model = scheme, model
        self.mismatch = self._find_mismatch()
        self._session = new_session_id()
        self._store: PhotoStore | None = None
        self._messages: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._waiting, self._counting = 0, threading.Lock()
        self._made: dict[tuple[float, FaceBox], Photo] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="corrections")

    def objection(self, source: str) -> str | None:
        """Return why nobody before this source can be saved, if that is known at once, or None."""
        if self.mismatch is not None:
            return self.mismatch
        if shows_people_live(source) and self._dataset.subject is None:
            return "say who it is: --self, or --subject ID with a consent on record"
        return None

    def save(self, frame: Frame, box: FaceBox, label: str, source: str, camera: str) -> str:
        """Order one face to be saved; returns a message for the meantime.

        Args:
            frame: The frame with the face.
            box: The face.
            label: The right label.
            source: Source from which the camera was opened.
            camera: Name of the camera, as the manifest keeps it.
        """
        if (objection := self.objection(source)) is not None:
            return f"not saved: {objection}"
        if self._waiting >= WAITING:
            return "not saved: the disk does not keep up"
        with self._counting:
            self._waiting += 1
        # Cut out now: a camera may use its memory again.
        crop = crop_face(frame.pixels, box, CROP_MARGIN)
        shot = _Shot(
            crop=crop,
            box=box,
            captured_s=frame.captured_s,
            label=label,
            source=source,
            camera=camera,
        )
        self._worker.submit(self._save, shot)
        return f"saving it as {self._title(label)}"

    def take_message(self) -> str | None:
        """Return the outcome of an order, each once; None if there is nothing new."""
        return None if self._messages.empty() else self._messages.get()

    def close(self) -> None:
        """Save what waits, and print outcomes that were not taken."""
        self._worker.shutdown()
        while (message := self.take_message()) is not None:
            say(message)

    def _save(self, shot: "_Shot") -> None:
        try:
            message = self._save_allowed(shot)
        except ToolchainError as fault:
            message = f"not saved: {fault}"
        except Exception as fault:  # noqa: BLE001  nothing else would report it
            message = f"not saved: {fault!r}"
        with self._counting:
            self._waiting -= 1
        if not self._waiting:
            self._let_others_write()
        self._messages.put(message)

    def _let_others_write(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _save_allowed(self, shot: "_Shot") -> str:
        subject, today = self._dataset.subject, date.today()
        is_live = shows_people_live(shot.source)
        if is_live and not (self._dataset.is_self or self._dataset.root.exists()):
            # Without a dataset there is no consent on record, and none is to be made.
            return f"not saved: {find_objection(subject, {}, today)}"
        store = self._open_store()
        if is_live:
            if self._dataset.is_self and subject is not None:
                record_self(store, subject, today)
            if (objection := find_objection(subject, store.consents(), today)) is not None:
                return f"not saved: {objection}"
        made = self._made.get(shot.key)
        if (known := store.latest(made) if made is not None else None) is not None:
            return self._relabel(store, known, shot)
        photo = store.add(
            shot.crop,
            shot.label,
            subject=subject,
            session=self._session,
            source=shot.camera,
            box=shot.box,
            quality=measure_quality(shot.crop, shot.box),
        )
        self.saved += 1
        self._remember(shot, photo)
        return f"saved {self._dataset.root / photo.path}"

    def _relabel(self, store: PhotoStore, photo: Photo, shot: "_Shot") -> str:
        """Move a face that was saved before: one picture in two classes teaches nothing."""
        if photo.label == shot.label:
            return f"saved already as {self._title(shot.label)}"
        edit = store.relabelling(photo, shot.label)
        store.apply([edit])
        self._remember(shot, edit.photo)
        return f"moved to {self._dataset.root / edit.photo.path}"

    def _remember(self, shot: "_Shot", photo: Photo) -> None:
        self._made[shot.key] = photo
        while len(self._made) > REMEMBERED:
            del self._made[next(iter(self._made))]

    def _open_store(self) -> PhotoStore:
        if self._store is None:
            self._store = open_dataset_for(self._dataset.root, self._scheme, self._model)
        return self._store

    def _title(self, label: str) -> str:
        return shown_text(self._scheme.title(label))

    def _find_mismatch(self) -> str | None:
        """Return why the dataset cannot take the model's labels, or None.

        Raises:
            DatasetError: The same, where the user named the dataset.
        """
        try:
            require_dataset_for(self._dataset.root, self._scheme, self._model)
        except DatasetError as fault:
            if self._dataset.is_named:
                raise
            return f"{fault} Or name another folder with --data."
        return None
