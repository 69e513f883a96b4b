"""The text of a table in whatever encoding a program wrote it.

Bytes that are not UTF-8 stay in the text as lone surrogates, since a path may have such a name on
the disk; `as_windows_text` reads a single cell as the old encoding of Windows.
"""

import codecs
import os

from maskage.errors import DatasetError

WINDOWS = "cp1252"
"""The encoding of "CSV" in an Excel of western Europe and America."""

_ARCHIVE = b"PK\x03\x04"
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as that of UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 4096
_MOST_ZEROS = 0.4
"""Least share of zero bytes at every second place by which a text without a mark is UTF-16."""


def decode_table(data: bytes, name: str) -> str:
    """Return the text of a table; bytes that are not UTF-8 stay as lone surrogates.

    Args:
        data: Content of the file.
        name: Name of the file, for messages.

    Raises:
        DatasetError: It is a workbook, or no text.
    """
    if data.startswith((_ARCHIVE, _OLD_WORKBOOK)):
        raise DatasetError(
            f"{name}: this is a workbook of a spreadsheet program (or a ZIP file), not a table in "
            f'plain text. Open it there and save it as "CSV UTF-8".'
        )
    encoding = next((found for mark, found in _MARKS if data.startswith(mark)), None)
    encoding = encoding or _guess_utf16(data[:_SAMPLE])
    try:
        text = data.decode(encoding) if encoding else data.decode("utf-8-sig", "surrogateescape")
    except UnicodeDecodeError as fault:
        raise DatasetError(
            f"{name}: it begins as {fault.encoding.upper()} text does, but byte {fault.start} "
            f"cannot be read ({fault.reason}). Save it again as CSV in UTF-8."
        ) from fault
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DatasetError(
            f"{name}: line {line} holds a NUL byte, which no table in plain text does. Save it "
            f"again as CSV in UTF-8."
        )
    return text


def as_windows_text(cell: str) -> str | None:
    """Return a cell that is not UTF-8 as Windows wrote it; None where it is not that either."""
    try:
        return os.fsencode(cell).decode(WINDOWS)
    except UnicodeDecodeError:
        return None


def _guess_utf16(sample: bytes) -> str | None:
    """Return the byte order of UTF-16 without a mark: its Latin letters have a zero byte each."""
    even, odd = sample[::2], sample[1::2]
    if len(odd) < 2:
        return None
    of_even, of_odd = even.count(0) / len(even), odd.count(0) / len(odd)
    if of_odd >= _MOST_ZEROS and not of_even:
        return "utf-16-le"
    if of_even >= _MOST_ZEROS and not of_odd:
        return "utf-16-be"
    return None
