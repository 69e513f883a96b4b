"""The dataset that visitors photograph into: open, and locked, while one of them does.

Everything happens in one thread: opening, finding faces, closing. Photos are written by a thread of
each session, into one store.
"""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from detector.web.collecting.session import CollectingSession
from detector.web.low_priority import lower_priority
from maskage.capture.shutter import Gate
from maskage.dataset.consent import Consent, find_objection
from maskage.dataset.consent_rules import record_self
from maskage.dataset.near_names import find_near_name
from maskage.dataset.store import PhotoStore
from maskage.errors import ToolchainError, UsageError
from maskage.faces.finder import FaceFinder, open_face_finder
from maskage.pictures.quality_limits import QualityLimits

MOST_SESSIONS = 4
KEPT_S = 30.0
"""How long a session without a connection is kept, with its undo, for a line that comes back."""

Result = TypeVar("Result")


class NotAllowedError(Exception):
    """The person may not be photographed; the message says why."""


class SessionsBusyError(Exception):
    """As many browsers collect as may."""


@dataclass(frozen=True)
class SessionWish:
    """A session as a visitor asks for it.

    Attributes:
        subject: Pseudonym of the person before the camera.
        gate: The strictness of the shutter.
        is_self: The person photographs themselves; that is recorded as their consent.
        is_new: Somebody new, however near the pseudonym is to a known one.
        consent: A consent to put on record, or None.
    """

    subject: str
    gate: Gate
    is_self: bool = False
    is_new: bool = False
    consent: Consent | None = None


class CollectingDataset:
    """One dataset and the sessions of visitors.

    Args:
        root: Its folder.
        open_finder: Makes the face finder, for the first session.
        kept_s: How long a session without a connection is kept, seconds.
    """

    def __init__(
        self, root: Path, open_finder: Callable[[], FaceFinder], kept_s: float = KEPT_S
    ) -> None:
        self.root = root
        self._kept_s = kept_s
        self._open_finder = open_finder
        self._finder: FaceFinder | None = None
        self._store: PhotoStore | None = None
        self._sessions: dict[str, CollectingSession] = {}
        self._ends: dict[str, asyncio.TimerHandle] = {}
        self._worker = ThreadPoolExecutor(1, "web-collecting", initializer=lower_priority)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do something in the thread of the dataset."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    async def begin(self, wish: SessionWish) -> tuple[str, CollectingSession]:
        """Begin a session; return its key too.

        Raises:
            SessionsBusyError: There are as many as may be.
            NotAllowedError: Without a consent on record nobody is photographed.
            UsageError: The pseudonym is nearly that of a known person.
            DatasetInUseError: Another program writes to the dataset.
            ToolchainError: The dataset or the face model is not usable.
        """
        beginning = asyncio.ensure_future(self.run(lambda: self._begin(wish)))
        # Where a visit ends meanwhile nobody hears of the key; then too the session ends.
        beginning.add_done_callback(self._release_begun)
        return await asyncio.shield(beginning)

    def hold(self, key: str) -> CollectingSession | None:
        """Return a session for a connection; None where it has ended, or has one already."""
        end = self._ends.pop(key, None)
        if end is None:
            return None
        end.cancel()
        return self._sessions.get(key)

    def release(self, key: str) -> None:
        """End a session in a while, unless a connection holds it again."""
        loop = asyncio.get_running_loop()
        self._ends[key] = loop.call_later(self._kept_s, self._order_end, key)

    def close(self) -> None:
        """Save what was ordered, and let other writers in."""
        # Behind a session that is just beginning.
        self._worker.submit(self._end_all)
        self._worker.shutdown(wait=True)

    def _release_begun(self, beginning: "asyncio.Future[tuple[str, CollectingSession]]") -> None:
        if not beginning.cancelled() and beginning.exception() is None:
            self.release(beginning.result()[0])

    def _order_end(self, key: str) -> None:
        # No connection may take it from now on, even if the thread has other work first.
        del self._ends[key]
        self._worker.submit(self._end, key)

    def _end_all(self) -> None:
        for key in list(self._sessions):
            self._end(key)

    def _begin(self, wish: SessionWish) -> tuple[str, CollectingSession]:
        if len(self._sessions) >= MOST_SESSIONS:
            raise SessionsBusyError
        if self._finder is None:
            self._finder = self._open_finder()
        if self._store is None:
            self._store = PhotoStore(self.root)
        try:
            _admit(self._store, wish)
            session = CollectingSession(self._store, self._finder, wish.subject, wish.gate)
        except BaseException:
            self._close_unused()
            raise
        key = secrets.token_urlsafe(16)
        self._sessions[key] = session
        return key, session

    def _end(self, key: str) -> None:
        session = self._sessions.pop(key, None)
        if session is not None:
            session.close()
        self._close_unused()

    def _close_unused(self) -> None:
        if self._store is not None and not self._sessions:
            self._store.close()
            self._store = None


def open_collecting_finder(face_model: Path | None) -> FaceFinder:
    """Open the face finder as the collector does."""
    return open_face_finder(face_model, QualityLimits().min_face_px)


def _admit(store: PhotoStore, wish: SessionWish) -> None:
    """Let a person be photographed whose consent holds; record one that is given now."""
    subject, today = wish.subject, date.today()
    people = {photo.subject for photo in store.photos() if photo.subject} | set(store.consents())
    near = None if wish.is_new else find_near_name(subject, sorted(people))
    if near is not None:
        raise UsageError(
            f"{subject} is new here, but {near} is known. If it is the same person, write {near}; "
            f"if not, tick “somebody new”."
        )
    try:
        if wish.is_self:
            record_self(store, subject, today)
        elif wish.consent is not None:
            store.record_consent(wish.consent)
    except ToolchainError as fault:
        raise NotAllowedError(f"The consent is not on record: {fault}") from fault
    objection = find_objection(subject, store.consents(), today)
    if objection is not None:
        raise NotAllowedError(
            f"Nobody is photographed without a consent: {objection}. Tick that you photograph "
            f"yourself, or say what the consent rests on."
        )
