"""The sessions of authenticated visitors: how they begin, how long they last, how they end."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from detector.web.access.signing import Period, Signer

_PURPOSE = "session"
_NAME_BYTES = 12


@dataclass(frozen=True)
class Session:
    """One visitor's session.

    Attributes:
        name: Random letters that tell it from others; no secret.
        period: The time in which it is valid.
    """

    name: str
    period: Period


class Sessions:
    """The sessions, held by their visitors as signed cookies; for the server's event loop only.

    Args:
        signer: Signs them.
        length_s: Seconds that a session lasts.
        clock: Seconds since the epoch.
    """

    def __init__(self, signer: Signer, length_s: float, clock: Callable[[], float]) -> None:
        self.length_s = length_s
        self._signer = signer
        self._clock = clock
        # Sessions that were logged out, and when they would have ended.
        self._logged_out: dict[str, int] = {}
        self._running: dict[str, set[asyncio.Timeout]] = {}

    def begin(self) -> str:
        """Begin a session, and return what its cookie holds."""
        now = int(self._clock())
        period = Period(now, now + max(1, round(self.length_s)))
        name = secrets.token_urlsafe(_NAME_BYTES)
        text = f"{name}.{period.begins_at}.{period.ends_at}"
        return f"{text}.{self._signer.sign(_PURPOSE, text)}"

    def read(self, cookie: str) -> Session | None:
        """Return the session that a cookie holds, ended or not; None where it is not from here."""
        text, _, signature = cookie.rpartition(".")
        if not self._signer.is_signed(_PURPOSE, text, signature):
            return None
        name, begins_at, ends_at = text.split(".")
        return Session(name, Period(int(begins_at), int(ends_at)))

    def find_fault(self, session: Session) -> str | None:
        """Return the reason why a session is not valid now, for people; None where it is."""
        if session.name in self._logged_out:
            return "Your session was logged out."
        fault = session.period.find_fault(self._clock())
        return None if fault is None else f"Your session {fault}."

    def is_half_over(self, session: Session) -> bool:
        """Return True where a visit should begin a new session."""
        return self._clock() > (session.period.begins_at + session.period.ends_at) / 2

    def log_out(self, session: Session) -> None:
        """End a session, with every answer that is being sent to it."""
        now = self._clock()
        self._logged_out = {
            name: ends_at for name, ends_at in self._logged_out.items() if ends_at > now
        }
        self._logged_out[session.name] = session.period.ends_at
        for timeout in self._running.get(session.name, ()):
            timeout.reschedule(asyncio.get_running_loop().time())

    @contextmanager
    def running(self, name: str, timeout: asyncio.Timeout) -> Iterator[None]:
        """Have `log_out` end what runs inside this context, by its timeout."""
        timeouts = self._running.setdefault(name, set())
        timeouts.add(timeout)
        try:
            yield
        finally:
            timeouts.discard(timeout)
            if not timeouts:
                self._running.pop(name, None)
