"""Signatures and times of what a visitor carries: a session's cookie, a signed address."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

CLOCK_SLACK_S = 300
"""By so much may the clock go back before what was signed counts as from the future."""

# RFC 7914: 16 MiB and some 50 ms, once at the start. A cookie must not help to guess the token.
_SCRYPT_COST, _SCRYPT_BLOCK = 2**14, 8
_KEY_BYTES = 32


class Signer:
    """A key that never leaves the program, and what it signs.

    The key is derived from the token and the password: with the same two, what was signed before a
    restart is valid after it, and whoever changes one of them ends all of that.

    Args:
        token: The token that gives access.
        password: The password; None where there is none.
    """

    def __init__(self, token: str, password: str | None) -> None:
        salt = b"detector signing key 1\0" + (password or "").encode()
        self._key = hashlib.scrypt(
            token.encode(), salt=salt, n=_SCRYPT_COST, r=_SCRYPT_BLOCK, p=1, dklen=_KEY_BYTES
        )

    def sign(self, purpose: str, text: str) -> str:
        """Return the signature of a text, for one purpose, in letters that an address may hold."""
        digest = hmac.new(self._key, f"{purpose}\n{text}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def is_signed(self, purpose: str, text: str, signature: str) -> bool:
        """Return True for the right signature; every wrong one takes the same time."""
        return hmac.compare_digest(self.sign(purpose, text).encode(), signature.encode())


@dataclass(frozen=True)
class Period:
    """A time in which something is valid.

    Attributes:
        begins_at, ends_at: Seconds since the epoch.
    """

    begins_at: int
    ends_at: int

    def find_fault(self, now: float) -> str | None:
        """Return the reason why it is not valid now, the end of a sentence; None where it is."""
        if now >= self.ends_at:
            return (
                f"ended on {show_time(self.ends_at)}; the clock of the machine that serves this "
                f"shows {show_time(now)}"
            )
        if now < self.begins_at - CLOCK_SLACK_S:
            return (
                f"begins on {show_time(self.begins_at)}, but the clock of the machine that serves "
                f"this shows {show_time(now)}: that clock was wrong then, or is wrong now"
            )
        return None


def show_time(at: float) -> str:
    """Return a time for people: "2026-11-28 07:05 UTC"."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
