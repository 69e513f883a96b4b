"""Names of photos and sessions, and the time and digest that stand in them and in the manifest."""

import hashlib
import itertools
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from maskage.system.files import with_mark


def photo_name(now: datetime, session: str | None, counter: int, digest: str) -> str:
    """Return the file name of a new photo: UTC time, session, counter and part of its digest.

    Args:
        now: Time in UTC at which it was taken.
        session: Name of the session.
        counter: Number of the photo since the dataset was opened.
        digest: sha256 of the file, hex.
    """
    stamp = now.strftime("%Y%m%dT%H%M%S") + f"{now.microsecond // 1000:03d}Z"
    return f"{stamp}_{session or 'single'}_{counter:05d}_{digest[:8]}.jpg"


def possible_paths(wanted: Path, mark: str) -> Iterator[str]:
    """Yield a path, then paths with a mark and a number behind its stem, without an end.

    Args:
        wanted: Path of a photo in its dataset.
        mark: Part of its digest.
    """
    yield wanted.as_posix()
    for number in itertools.count():
        yield with_mark(wanted, f"-{mark}{number or ''}").as_posix()


def new_session_id() -> str:
    """Return a name for a session: UTC date and time, and four random digits against clashes."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


class EditClock:
    """A clock that gives each edit a time of its own, so that the last one can be told."""

    def __init__(self) -> None:
        self._last = datetime.min.replace(tzinfo=UTC)

    def next(self) -> str:
        """Return the time in UTC, at least a millisecond after the one given before."""
        self._last = max(datetime.now(UTC), self._last + timedelta(milliseconds=1))
        return iso_time(self._last)


def digest_of(data: bytes) -> str:
    """Return the sha256 of a file's content, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def iso_time(moment: datetime) -> str:
    """Return a time as the manifest has it: ISO 8601 to the millisecond."""
    return moment.isoformat(timespec="milliseconds")
