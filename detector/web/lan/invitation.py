"""What the terminal shows of a server in the network: address, QR code, certificate, password."""

import os
import shutil
from collections.abc import Mapping
from typing import TextIO

from detector.web.lan.certificate import OwnCertificate
from maskage.console import plain_stderr, say

_BORDER = 4
"""Modules of quiet zone on each side (ISO/IEC 18004, 6.3.8)."""

# Black on white whatever the colours of the terminal: a phone reads no white on black.
_COLORS, _RESET = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def describe_certificate(certificate: OwnCertificate) -> list[str]:
    """Return the lines that tell of a certificate, and of what a browser will say."""
    lines = [certificate.notice] if certificate.notice else []
    if certificate.reason:
        lines.append(f"A new certificate was made, because {certificate.reason}.")
    return [
        *lines,
        f"Certificate: {certificate.path}, until {certificate.ends_at:%Y-%m-%d}.",
        "Its SHA-256 fingerprint:",
        f"  {certificate.fingerprint[:47]}",
        f"  {certificate.fingerprint[48:]}",
        "A browser warns once that nobody vouches for it, because this machine made it itself.",
        "Compare the fingerprint there, then go on (Advanced, Proceed): the browser remembers it.",
    ]


def invite(url: str, certificate: OwnCertificate | None, made_password: str | None) -> None:
    """Show how visitors come in; the QR code holds the address, never a key.

    Args:
        url: The address, without a token.
        certificate: The one that this machine made; None where the user gave one.
        made_password: The password that was made for this start; None where the user gave one.
    """
    if certificate is not None:
        say(*describe_certificate(certificate))
    if made_password is not None:
        say(
            f"Password of this start: {made_password}",
            "Set DETECTOR_PASSWORD, or give --password-file, to keep one.",
        )
    terminal = plain_stderr()
    code = draw_qr_code(url)
    if can_show(code, terminal, os.environ):
        terminal.write("\n".join(f"{_COLORS}{line}{_RESET}" for line in code) + "\n")
        terminal.flush()


def draw_qr_code(text: str) -> list[str]:
    """Return a QR code as lines of half blocks, dark on light, two modules to a letter."""
    import segno

    rows = [
        [bool(module) for module in row]
        for row in segno.make(text, error="l", micro=False).matrix_iter(border=_BORDER)
    ]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    return [
        "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]


def can_show(code: list[str], terminal: TextIO, environment: Mapping[str, str]) -> bool:
    """Return True where a terminal has the colours, the letters and the width for a QR code."""
    if not terminal.isatty() or environment.get("TERM") == "dumb" or "NO_COLOR" in environment:
        return False
    try:
        "".join(_HALVES.values()).encode(terminal.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return shutil.get_terminal_size().columns >= len(code[0])
