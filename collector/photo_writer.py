"""One thread that saves, removes and restores photos in the order they were asked for.

The screen never waits for the disk, and undo cannot overtake a shot that is still being saved.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from collector.errors import ToolchainError
from collector.records import FaceBox, Label, Photo, Quality, RgbImage
from collector.store import PhotoStore

MAX_WAITING = 32


@dataclass(frozen=True, eq=False)
class Shot:
    """A photo to be saved.

    Attributes:
        crop: RGB uint8, shape (side, side, 3).
        label, subject, session, source, box, quality: See `PhotoStore.add`.
        step: Shots of one step are undone together.
        flaws: What was told, though the shot was let pass.
    """

    crop: RgbImage
    label: Label
    subject: str | None
    session: str
    source: str
    box: FaceBox
    quality: Quality
    step: int
    flaws: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SavedShot:
    """A shot and the photo it became."""

    shot: Shot
    photo: Photo


@dataclass(frozen=True, eq=False)
class Saved:
    """The photo is on the disk."""

    saved: SavedShot


@dataclass(frozen=True)
class Removed:
    """Undo moved these to the trash."""

    shots: tuple[SavedShot, ...]


@dataclass(frozen=True)
class Restored:
    """Redo brought these back."""

    shots: tuple[SavedShot, ...]


@dataclass(frozen=True)
class NotDone:
    """Something was not done; `is_shot` where a photo was lost by it."""

    message: str
    is_shot: bool = False


Report = Saved | Removed | Restored | NotDone


@dataclass
class _Step:
    number: int
    shots: list[SavedShot]


class PhotoWriter:
    """Writes to a store in a thread of its own, and remembers what undo and redo need.

    Args:
        store: Open; the caller closes it, after `close`.
        report: Told what became of each order, from the writer's thread.

    Attributes:
        saved: Shots that are photos on the disk now: undone ones are not.
        failed: Shots that the disk refused.
    """

    def __init__(self, store: PhotoStore, report: Callable[[Report], None]) -> None:
        self._store = store
        self._report = report
        self._orders: queue.Queue[Callable[[], None] | None] = queue.Queue(MAX_WAITING)
        self.saved = 0
        self.failed = 0
        self._done: list[_Step] = []
        self._undone: list[_Step] = []
        self._thread = threading.Thread(target=self._work, name="photo-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Orders not yet begun."""
        return self._orders.qsize()

    def save(self, shot: Shot) -> bool:
        """Order a shot to be saved; False when the disk is too far behind to take another."""
        return self._order(lambda: self._save(shot))

    def undo(self) -> bool:
        """Order the last step to be moved to the trash."""
        return self._order(self._undo)

    def redo(self) -> bool:
        """Order the step undone last to be brought back."""
        return self._order(self._redo)

    def fold(self, step: int, into: int) -> bool:
        """Make two steps one for undo."""
        return self._order(lambda: self._fold(step, into))

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
            )
        except ToolchainError as fault:
            self.failed += 1
            self._report(NotDone(str(fault), is_shot=True))
            return
        self.saved += 1
        saved = SavedShot(shot, photo)
        if not self._done or self._done[-1].number != shot.step:
            self._done.append(_Step(shot.step, []))
        self._done[-1].shots.append(saved)
        self._undone.clear()
        self._report(Saved(saved))

    def _undo(self) -> None:
        if not self._done:
            self._report(NotDone("Nothing to undo."))
            return
        step = self._done.pop()
        moved, fault = _move_all(step.shots[::-1], self._store.trash)
        self.saved -= len(moved)
        self._settle(step, moved[::-1], self._done, self._undone)
        if moved:
            self._report(Removed(tuple(moved[::-1])))
        if fault:
            self._report(NotDone(fault))

    def _redo(self) -> None:
        if not self._undone:
            self._report(NotDone("Nothing to redo."))
            return
        step = self._undone.pop()
        moved, fault = _move_all(step.shots, self._store.restore)
        self.saved += len(moved)
        self._settle(step, moved, self._undone, self._done)
        if moved:
            self._report(Restored(tuple(moved)))
        if fault:
            self._report(NotDone(fault))

    @staticmethod
    def _settle(
        step: _Step, moved: list[SavedShot], origin: list[_Step], target: list[_Step]
    ) -> None:
        """Put what was moved on the one pile, and what the disk refused back on the other."""
        if moved:
            target.append(_Step(step.number, moved))
        if left := [shot for shot in step.shots if shot not in moved]:
            origin.append(_Step(step.number, left))

    def _fold(self, step: int, into: int) -> None:
        for done in self._done:
            if done.number == step:
                done.number = into
        if len(self._done) > 1 and self._done[-1].number == self._done[-2].number:
            self._done[-2].shots += self._done.pop().shots


def _move_all(
    shots: list[SavedShot], move: Callable[[Photo], None]
) -> tuple[list[SavedShot], str | None]:
    """Move one after the other; stops at the first the disk refuses, and says why."""
    moved: list[SavedShot] = []
    for saved in shots:
        try:
            move(saved.photo)
        except ToolchainError as fault:
            return moved, str(fault)
        moved.append(saved)
    return moved, None
