"""The password of a server in the network, where none was given: asked for, or made."""

import secrets
import sys
from getpass import getpass

from detector.web.options import LEAST_PASSWORD
from maskage.console import say

# Without letters that look alike: it is read off a screen, and typed on a phone.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LETTERS = 3, 4
_MOST_TRIES = 3


def make_password() -> str:
    """Return a new password of 59 bits: "k7mq-x2ta-9fhw"."""
    groups = (
        "".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LETTERS)) for _ in range(_GROUPS)
    )
    return "-".join(groups)


def ask_password() -> str | None:
    """Ask the person at the terminal for a password; None where there is nobody, or no wish."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    for _ in range(_MOST_TRIES):
        given = getpass("Password for visitors (Enter makes one): ")
        if not given:
            return None
        if len(given) >= LEAST_PASSWORD:
            return given
        say(f"It has {len(given)} characters; it needs at least {LEAST_PASSWORD}.")
    return None
