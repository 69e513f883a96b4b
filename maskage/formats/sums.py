"""sha256 of files, and SHA256SUMS: those of a folder, as `sha256sum -c SHA256SUMS` reads them.

Source: GNU coreutils, sha256sum: 64 hex digits, a blank, a blank or "*", the name.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from maskage.security.files import UnsafeFileError

SUMS_FILE = "SHA256SUMS"

LARGEST_SUMS = 1 << 16
"""Bytes; a bundle lists three files."""

_LINE = re.compile(r"([0-9a-f]{64}) [ *](\S+)")


def hash_file(path: Path) -> str | None:
    """Return the sha256 of a file, 64 hex digits; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def format_sums(digests: Mapping[str, str]) -> bytes:
    """Return the file's bytes, sorted by name.

    Args:
        digests: sha256 of each file, 64 hex digits, by its name, which has no blanks.
    """
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def parse_sums(data: bytes) -> dict[str, str]:
    """Return the sha256 of each file by its name.

    Raises:
        UnsafeFileError: The data is no such file, or lists a name twice.
    """
    try:
        lines = data.decode("ascii").splitlines()
    except UnicodeDecodeError as fault:
        raise UnsafeFileError("it is not a list of sha256 digests") from fault
    found: dict[str, str] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None or match[2] in found:
            raise UnsafeFileError("it is not a list of sha256 digests")
        found[match[2]] = match[1]
    return found
