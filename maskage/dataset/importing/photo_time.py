"""The time at which a picture was taken, as its camera wrote it into the file."""

import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from PIL import Image

from maskage.dataset.photo_names import iso_time
from maskage.pictures.picture_kinds import HEAD_BYTES, sniff_picture

_EXIF_IFD = 0x8769
_TAGS = ((36867, 36881, 37521), (36868, 36882, 37522))
"""Time, offset from UTC and fraction of a second: of the shot, else of its digitisation.

The time of a file's last change (306) is not used: programs that edit pictures write it.
"""

_MARKS = (b"Exif", b"EXIF", b"eXIf", b"type exif", b"type APP1")
_TIFF = (b"II*\0", b"MM\0*")

_TIME = re.compile(r"(\d{4})[:/.-](\d\d?)[:/.-](\d\d?)[ T](\d\d?):(\d\d?):(\d\d?)")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")

_FIRST_YEAR = 1995
"""No camera that wrote EXIF is older (the format is of 1995); 1970 and 1980 are clocks at zero."""
_LOST_CLOCK_DAY = (2000, 1, 1)
"""A camera whose battery was empty begins here, and runs on from there."""
_DAY = timedelta(days=1)


def read_taken_at(data: bytes, now: datetime | None = None) -> str | None:
    """Return the time at which a picture was taken, ISO 8601 in UTC to the millisecond.

    Most cameras write the time of their wall clock and no offset from UTC. It is then taken as if
    it were UTC, wherever this runs: the order of the photos of a camera and the time between them
    are right, and the same file gives the same time everywhere.

    Args:
        data: The encoded picture: JPEG, PNG, WebP, TIFF, or what else the decoder reads.
        now: The present time in UTC; None for that of the clock.

    Returns:
        The time; None where there is none, where it is no time (0000:00:00), lies in the future, or
        is that of a clock that was never set (before 1995, on the first day of 2000, or the first
        second of another year).
    """
    if not (data[:4] in _TIFF or any(mark in data for mark in _MARKS)):
        return None
    exif = _read_exif(data)
    latest = (now or datetime.now(UTC)) + _DAY
    for moment in _times_in(exif):
        if moment <= latest and not _is_of_lost_clock(moment):
            return iso_time(moment.astimezone(UTC))
    return None


def _read_exif(data: bytes) -> Mapping[int, Any]:
    try:
        with _open(data) as image:
            found = image.getexif()
            return {**found, **found.get_ifd(_EXIF_IFD)}
    # Whatever is wrong with the metadata of a picture, the picture may be whole.
    except Exception:  # noqa: BLE001
        return {}


def _open(data: bytes) -> Image.Image:
    if sniff_picture(data[:HEAD_BYTES]) == "HEIF":
        from pi_heif import HeifImageFile  # type: ignore[import-untyped,unused-ignore]

        image: Image.Image = HeifImageFile(io.BytesIO(data))
        return image
    return Image.open(io.BytesIO(data))


def _times_in(exif: Mapping[int, Any]) -> Iterator[datetime]:
    """Yield the times in a file's metadata, that of the shot first."""
    for time, offset, fraction in _TAGS:
        found = _TIME.match(_text(exif.get(time)).strip())
        if not found:
            continue
        try:
            moment = datetime(*map(int, found.groups()), tzinfo=_zone(exif.get(offset)))  # type: ignore[arg-type,misc]
            yield moment + _fraction(exif.get(fraction))
        except (ValueError, OverflowError):
            continue


def _zone(offset: object) -> timezone:
    found = _OFFSET.match(_text(offset).strip())
    if not found:
        return UTC
    away = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(away if found[1] == "+" else -away) if away < _DAY else UTC


def _fraction(value: object) -> timedelta:
    digits = _text(value).strip()
    is_number = digits.isascii() and digits.isdigit()
    return timedelta(seconds=float(f"0.{digits}")) if is_number else timedelta()


def _is_of_lost_clock(moment: datetime) -> bool:
    day = (moment.year, moment.month, moment.day)
    is_new_year = (
        day[1:] == (1, 1) and moment.time().replace(microsecond=0).isoformat() == "00:00:00"
    )
    return moment.year < _FIRST_YEAR or day == _LOST_CLOCK_DAY or is_new_year


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("ascii", "replace").strip("\0")
    return value.strip("\0") if isinstance(value, str) else ""
