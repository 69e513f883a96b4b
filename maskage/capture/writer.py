"""One thread that saves and edits photos in the order they were asked for.

No screen waits for the disk, and undo cannot overtake a shot that is still being saved. Both
screens give their orders to one writer, so there is one history.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from maskage.capture.deleted_photos import keep_possible
from maskage.dataset.edits import Edit
from maskage.dataset.store import PhotoStore
from maskage.dataset.trash import TrashedPhoto, empty_trash
from maskage.errors import PhotoNotSavedError, ToolchainError
from maskage.formats.set_aside_file import SetAside, append_set_aside
from maskage.pictures.images import resize_square
from maskage.records import FaceBox, Quality, RgbImage
from maskage.system.faults import describe_system_fault

MAX_WAITING = 32
MAX_STEPS = 200
"""Steps that can be undone; beyond them a long session would only gather memory."""
THUMB_SIDE_PX = 48


@dataclass(frozen=True, eq=False, kw_only=True)
class Shot:
    """A photo to be saved.

    Attributes:
        crop: RGB uint8, shape (side, side, 3).
        label, subject, session, source, box, quality: See `PhotoStore.add`.
        step: Shots of one step are undone together.
        flaws: The faults that were shown, though the gate let the shot pass.
        picture: Index, from 0, of the picture of a folder it was made from; None for a live camera.
        digest: sha256 of the file of that picture.
    """

    crop: RgbImage
    label: str
    subject: str | None
    session: str | None
    source: str
    box: FaceBox
    quality: Quality
    step: int
    flaws: tuple[str, ...] = ()
    picture: int | None = None
    digest: str | None = None


@dataclass(frozen=True, eq=False)
class Taken:
    """The part of a shot that is kept once it is saved.

    Attributes:
        thumb: The crop, RGB uint8, `THUMB_SIDE_PX` square.
        flaws, picture: See `Shot`.
    """

    thumb: RgbImage
    flaws: tuple[str, ...]
    picture: int | None = None


class How(StrEnum):
    """The way edits came about."""

    DONE = "done"
    UNDONE = "undone"
    REDONE = "redone"


@dataclass(frozen=True, eq=False)
class Edited:
    """A report of edits that are on the disk.

    Attributes:
        edits: The edits in the order they were made, also where they undid others.
        how: Done, undone or redone.
        taken: The shots among the photos, by path.
    """

    edits: tuple[Edit, ...]
    how: How
    taken: dict[str, Taken] = field(default_factory=dict)


@dataclass(frozen=True)
class PictureSetAside:
    """A report of a picture of a folder that was skipped or rejected; it is on the disk.

    Attributes:
        picture: The picture.
        index: Its place in the folder, from 0.
        how: Done, undone or redone.
    """

    picture: SetAside
    index: int
    how: How


@dataclass(frozen=True)
class NotDone:
    """A report of an order that failed.

    Attributes:
        message: The reason, for people.
        is_shot: True where a photo was lost by it.
        picture: Index, from 0, of the picture of a folder that is not dealt with now.
    """

    message: str
    is_shot: bool = False
    picture: int | None = None


Report = Edited | PictureSetAside | NotDone


@dataclass
class _Step:
    number: int
    edits: list[Edit]
    taken: dict[str, Taken] = field(default_factory=dict)
    set_aside: PictureSetAside | None = None


class PhotoWriter:
    """A writer to a store, in a thread of its own, which remembers what undo and redo need.

    Args:
        store: The open store; the caller closes it, after `close`.

    Attributes:
        saved: Number of shots that are photos on the disk now: undone ones are not.
        failed: Number of shots that the disk refused.
    """

    def __init__(self, store: PhotoStore) -> None:
        self._store = store
        self._listeners: list[Callable[[Report], None]] = []
        self._orders: queue.Queue[Callable[[], None] | None] = queue.Queue(MAX_WAITING)
        self.saved = 0
        self.failed = 0
        self._done: deque[_Step] = deque(maxlen=MAX_STEPS)
        self._undone: list[_Step] = []
        self._thread = threading.Thread(target=self._work, name="photo-writer", daemon=True)
        self._thread.start()

    def add_listener(self, listener: Callable[[Report], None]) -> None:
        """Call `listener`, from the writer's thread, with the report of each later order."""
        self._listeners = [*self._listeners, listener]

    def remove_listener(self, listener: Callable[[Report], None]) -> None:
        """Stop calling `listener`."""
        self._listeners = [other for other in self._listeners if other != listener]

    @property
    def waiting(self) -> int:
        """Number of orders not yet begun."""
        return self._orders.qsize()

    def save(self, shot: Shot) -> bool:
        """Order a shot to be saved; return False when the disk is too far behind for it."""
        return self._order(lambda: self._save(shot))

    def edit(self, plan: Callable[[], Sequence[Edit]]) -> bool:
        """Order edits, which are one step for undo.

        Args:
            plan: Called in the writer's thread when their turn has come, so that it sees the
                outcome of earlier orders. May return no edits.

        Returns:
            False when the disk is too far behind to take the order.
        """
        return self._order(lambda: self._edit(plan))

    def undo(self) -> bool:
        """Order the last step to be undone; return False when the order cannot be taken."""
        return self._order(self._undo)

    def undo_step(self, number: int) -> bool:
        """Order this step to be undone where it is the last one; False where it cannot be taken."""
        return self._order(lambda: self._undo_step(number))

    def set_aside(self, picture: SetAside, index: int, step: int) -> bool:
        """Order to remember that a picture of a folder was passed over; it is one step for undo.

        Args:
            picture: The picture.
            index: Its place in the folder, from 0.
            step: The number of the step.

        Returns:
            False when the disk is too far behind to take the order.
        """
        return self._order(lambda: self._set_aside(picture, index, step))

    def redo(self) -> bool:
        """Order the step undone last to be redone; return False when it cannot be taken."""
        return self._order(self._redo)

    def fold(self, step: int, into: int) -> bool:
        """Order that undo takes two steps as one; return False when it cannot be taken."""
        return self._order(lambda: self._fold(step, into))

    def delete(self, photos: Sequence[TrashedPhoto], then: Callable[[int], None]) -> bool:
        """Order photos in the trash to be deleted for good; nothing of theirs is undone then.

        Args:
            photos: The photos.
            then: Called in the writer's thread with the number of photos that were deleted.

        Returns:
            False when the order cannot be taken.
        """
        return self._order(lambda: self._delete(photos, then))

    def close(self) -> None:
        """Finish every order, then stop."""
        self._orders.put(None)
        self._thread.join()

    def _order(self, order: Callable[[], None]) -> bool:
        try:
            self._orders.put_nowait(order)
        except queue.Full:
            return False
        return True

    def _report(self, report: Report) -> None:
        for listener in self._listeners:
            listener(report)

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            try:
                order()
            except ToolchainError as fault:
                self._report(NotDone(str(fault)))
            except Exception as fault:  # noqa: BLE001  a dead writer must not look like a slow disk
                self._report(NotDone(f"Not done: {fault!r}. Photos saved before are safe."))

    def _save(self, shot: Shot) -> None:
        try:
            photo = self._store.add(
                shot.crop,
                shot.label,
                subject=shot.subject,
                session=shot.session,
                source=shot.source,
                box=shot.box,
                quality=shot.quality,
                source_sha256=shot.digest,
            )
        except ToolchainError as fault:
            self.failed += 1
            self._report(NotDone(str(fault), is_shot=True, picture=shot.picture))
            return
        self.saved += 1
        edit = Edit(None, photo)
        thumb = resize_square(shot.crop, THUMB_SIDE_PX)
        taken = {photo.path: Taken(thumb, shot.flaws, shot.picture)}
        if not self._done or self._done[-1].number != shot.step:
            self._done.append(_Step(shot.step, []))
        self._done[-1].edits.append(edit)
        self._done[-1].taken |= taken
        self._undone.clear()
        self._report(Edited((edit,), How.DONE, taken))

    def _edit(self, plan: Callable[[], Sequence[Edit]]) -> None:
        edits = list(plan())
        if not edits:
            return
        self._store.apply(edits)
        # No shot has this step number, so that nothing is folded into it.
        self._done.append(_Step(0, edits))
        self._undone.clear()
        self._report(Edited(tuple(edits), How.DONE))

    def _undo(self) -> None:
        if not self._done:
            self._report(NotDone("Nothing to undo."))
            return
        step = self._done[-1]
        if step.set_aside is not None:
            self._note(step.set_aside, How.UNDONE)
            self._undone.append(self._done.pop())
            return
        edits = [edit.inverse for edit in reversed(step.edits)]
        self._store.apply(edits)
        self._undone.append(self._done.pop())
        self.saved -= len(step.taken)
        self._report(Edited(tuple(edits), How.UNDONE, step.taken))

    def _redo(self) -> None:
        if not self._undone:
            self._report(NotDone("Nothing to redo."))
            return
        step = self._undone[-1]
        if step.set_aside is not None:
            self._note(step.set_aside, How.REDONE)
            self._done.append(self._undone.pop())
            return
        self._store.apply(step.edits)
        self._done.append(self._undone.pop())
        self.saved += len(step.taken)
        self._report(Edited(tuple(step.edits), How.REDONE, step.taken))

    def _undo_step(self, number: int) -> None:
        if self._done and self._done[-1].number == number:
            self._undo()

    def _set_aside(self, picture: SetAside, index: int, step: int) -> None:
        done = PictureSetAside(picture, index, How.DONE)
        try:
            self._note(done, How.DONE)
        except ToolchainError as fault:
            self._report(NotDone(str(fault), picture=index))
            return
        self._done.append(_Step(step, [], set_aside=done))
        self._undone.clear()

    def _note(self, done: PictureSetAside, how: How) -> None:
        """Write down that a picture was passed over, or that this was undone, and report it."""
        picture = done.picture
        try:
            append_set_aside(self._store.root, picture, is_open=how is How.UNDONE)
        except OSError as fault:
            raise PhotoNotSavedError(
                f"{picture.path.name}: that it was {picture.how} is not remembered: "
                f"{describe_system_fault(fault) or fault}"
            ) from fault
        self._report(replace(done, how=how))

    def _fold(self, step: int, into: int) -> None:
        for done in self._done:
            if done.number == step:
                done.number = into
        if len(self._done) > 1 and self._done[-1].number == self._done[-2].number:
            last = self._done.pop()
            self._done[-1].edits += last.edits
            self._done[-1].taken |= last.taken

    def _delete(self, photos: Sequence[TrashedPhoto], then: Callable[[int], None]) -> None:
        try:
            count = empty_trash(self._store, photos)
        finally:
            self._drop_deleted({each.photo.path for each in photos if not each.file.exists()})
        then(count)

    def _drop_deleted(self, deleted: set[str]) -> None:
        """Take the edits of photos that are gone for good out of both histories."""
        without_edits = [step for step in (*self._done, *self._undone) if not step.edits]
        gone = set(deleted)
        for step in reversed(self._done):
            undoing = [edit.inverse for edit in reversed(step.edits)]
            step.edits = [each.inverse for each in reversed(keep_possible(undoing, gone))]
        gone = set(deleted)
        for step in reversed(self._undone):
            step.edits = keep_possible(step.edits, gone)
        done = [step for step in self._done if step.edits or step in without_edits]
        self._done = deque(done, maxlen=MAX_STEPS)
        self._undone = [step for step in self._undone if step.edits or step in without_edits]
        for step in (*self._done, *self._undone):
            paths = {edit.photo.path for edit in step.edits}
            step.taken = {path: taken for path, taken in step.taken.items() if path in paths}
