"""The rows of the manifest: the values allowed in them, and the photo that a row describes."""

import sqlite3
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from maskage.dataset.consent import Consent
from maskage.outside_text import text_to_path
from maskage.records import FaceBox, Photo, Quality, Suggestion

_FOLDER = "substr(path, 1, instr(path, '/') - 1)"
_NAME = "substr(path, instr(path, '/') + 1)"
_FINITE = "BETWEEN -1e300 AND 1e300"
_LARGEST_PX = 1 << 31
_LONGEST = 120
"""Bytes of an odd value that a message shows."""


def _is_optional_text(column: str) -> str:
    return f"typeof({column}) IN ('text', 'null')"


def _has_no_nul(column: str) -> str:
    # The decoder of Python takes a NUL; no file name and no argument of a command does.
    return f"instr(CAST({column} AS BLOB), x'00') = 0"


def _is_class(folder: str) -> str:
    """Return the condition for a name that the folder of a class may have."""
    return f"length({folder}) > 0 AND substr({folder}, 1, 1) != '.' AND instr({folder}, '/') = 0"


def _is_optional_class(column: str) -> str:
    return (
        f"{column} IS NULL OR (typeof({column}) = 'text' AND {_is_class(column)} "
        f"AND {_has_no_nul(column)})"
    )


def _is_confidence_of(label: str, column: str) -> str:
    # A probability of 32 bits may be a little above 1.
    return f"{label} IS NULL OR (typeof({column}) = 'real' AND {column} {_FINITE})"


_WHOLE_BOX = " AND ".join(
    (
        "typeof(x) = 'integer' AND typeof(y) = 'integer'",
        f"max(abs(x), abs(y)) <= {_LARGEST_PX}",
        f"typeof(width) = 'integer' AND width BETWEEN 1 AND {_LARGEST_PX}",
        f"typeof(height) = 'integer' AND height BETWEEN 1 AND {_LARGEST_PX}",
        f"typeof(score) = 'real' AND score {_FINITE}",
    )
)
_WHOLE_QUALITY = " AND ".join(
    (
        "typeof(sharpness) = 'real' AND sharpness BETWEEN 0 AND 1e300",
        f"typeof(brightness) = 'real' AND brightness {_FINITE}",
        f"typeof(clipped) = 'real' AND clipped {_FINITE}",
        "typeof(face_px) = 'integer' AND face_px >= 0",
    )
)
_RULES_1: Mapping[str, str] = {
    "path": (
        f"typeof(path) = 'text' AND {_has_no_nul('path')} "
        f"AND {_is_class(_FOLDER)} "
        f"AND {_NAME} NOT IN ('', '.', '..') AND instr({_NAME}, '/') = 0"
    ),
    # Whether the dataset has such a class today is no matter of the row: classes come and go.
    "label": f"typeof(label) = 'text' AND label = {_FOLDER}",
    **{column: _is_optional_text(column) for column in ("session", "grp", "taken_at", "source")},
    "subject": f"subject IS NULL OR (typeof(subject) = 'text' AND {_has_no_nul('subject')})",
    "the face box": f"x IS NULL OR ({_WHOLE_BOX})",
    "the quality": f"sharpness IS NULL OR ({_WHOLE_QUALITY})",
    # Whether all are hex digits takes SQLite 0.15 s for 100,000; what matters is that the first
    # of them can stand in a file name.
    "sha256": "typeof(sha256) = 'text' AND length(sha256) = 64 AND instr(sha256, '/') = 0 "
    f"AND {_has_no_nul('sha256')}",
    "source_sha256": _is_optional_text("source_sha256"),
    "removed_at": _is_optional_text("removed_at"),
}
_RULES_2: Mapping[str, str] = {
    **_RULES_1,
    "fingerprint": "fingerprint IS NULL OR typeof(fingerprint) = 'integer'",
    "flagged": "flagged IN (0, 1)",
    "suggested": _is_optional_class("suggested"),
    "confidence": _is_confidence_of("suggested", "confidence"),
}
_RULES_3: Mapping[str, str] = {
    **_RULES_2,
    "checked": _is_optional_class("checked"),
    "checked_confidence": _is_confidence_of("checked", "checked_confidence"),
    "confirmed": _is_optional_class("confirmed"),
    "origin": _is_optional_text("origin"),
}
_RULES_4: Mapping[str, str] = {
    **_RULES_3,
    "checked_reason": _is_optional_text("checked_reason"),
    "checked_cost": (
        f"checked_cost IS NULL OR (typeof(checked_cost) = 'real' AND checked_cost {_FINITE})"
    ),
}
_RULES = {1: _RULES_1, 2: _RULES_2, 3: _RULES_3, 4: _RULES_4}
"""What holds of every row of ours, by schema and by column or columns that belong together."""


def find_odd_rows(db: sqlite3.Connection, *, schema: int, limit: int) -> list[str]:
    """Describe rows that hold what no row of ours can; SQLite looks, which is quicker than Python.

    Args:
        db: A manifest, open.
        schema: Its schema.
        limit: Describe so many at most.

    Returns:
        One text a row: which it is, and which of its values is odd.
    """
    rules = _RULES[schema]
    is_sane = " AND ".join(f"({rule}) IS TRUE" for rule in rules.values())
    odd = " ".join(f"WHEN ({rule}) IS NOT TRUE THEN '{name}'" for name, rule in rules.items())
    # As bytes, since it may be no text.
    values = ", ".join(f"CAST({name} AS BLOB)" for name in ("path", "label"))
    query = f"SELECT CASE {odd} END, {values} FROM photos WHERE NOT ({is_sane}) LIMIT {limit}"
    return [
        f"label {_show(label)} of {_show(path)}"
        if column == "label"
        else f"{column} of {_show(path)}"
        for column, path, label in db.execute(query)
    ]


def _show(value: bytes | None) -> str:
    """Return a value as it can stand in a message, whatever it holds."""
    return "nothing" if value is None else repr(value[:_LONGEST].decode(errors="backslashreplace"))


def row_of(
    photo: Photo, source_sha256: str | None = None, removed_at: str | None = None
) -> tuple[object, ...]:
    """Return the values of `PHOTO_COLUMNS` for a photo.

    Args:
        photo: The photo.
        source_sha256: Digest of the file it was imported from.
        removed_at: Time since when it lies in the trash or is gone, ISO 8601.
    """
    box = photo.box
    return (
        photo.path,
        photo.label,
        photo.subject,
        photo.session,
        photo.group,
        photo.taken_at,
        photo.source,
        *((box.x, box.y, box.width, box.height, box.score) if box else (None,) * 5),
        *quality_values(photo.quality),
        photo.sha256,
        source_sha256,
        removed_at,
        signed(photo.fingerprint),
        photo.is_flagged,
        *opinion_values(photo.suggestion),
        *opinion_values(photo.check),
        photo.confirmed,
        photo.origin,
        *reason_values(photo.check),
    )


def quality_values(quality: Quality | None) -> tuple[float | None, ...]:
    """Return the values of the four columns of the quality."""
    if quality is None:
        return (None,) * 4
    return quality.sharpness, quality.brightness, quality.clipped, quality.face_px


def opinion_values(opinion: Suggestion | None) -> tuple[str | None, float | None]:
    """Return the values of the two columns of a suggestion."""
    return (opinion.label, opinion.confidence) if opinion else (None, None)


def reason_values(check: Suggestion | None) -> tuple[str | None, float | None]:
    """Return the values of the reason and the cost of the label check."""
    return (check.reason, check.cost) if check else (None, None)


def photo_of(row: Sequence[Any]) -> Photo:
    """Return the photo of a row of `PHOTO_COLUMNS`; by position, since there may be 100,000."""
    quality, suggested, checked = row[12:16], row[21], row[23]
    return Photo(
        text_to_path(row[0]),
        sys.intern(row[1]),
        _optional_name(row[2]),
        _optional_name(row[3]),
        _optional_name(row[4]),
        row[5],
        _optional_name(row[6]),
        FaceBox(*row[7:12]) if row[7] is not None else None,
        Quality(*quality) if quality[0] is not None else None,
        row[16],
        _unsigned(row[19]),
        bool(row[20]),
        Suggestion(sys.intern(suggested), row[22]) if suggested else None,
        Suggestion(sys.intern(checked), row[24], row[27], row[28]) if checked else None,
        row[25],
        row[26],
    )


def consent_of(values: Sequence[object]) -> Consent:
    """Return the consent of a row of `CONSENT_COLUMNS`.

    Raises:
        ValueError: The values cannot be those of a consent.
    """
    subject, basis, given_on, expires_on, is_minor, guardian = values
    texts = (subject, basis, given_on, expires_on or "", guardian or "")
    if not all(isinstance(text, str) and "\0" not in text for text in texts):
        raise ValueError(f"it holds {values!r}")
    return Consent(
        text_to_path(str(subject)),
        text_to_path(str(basis)),
        date.fromisoformat(str(given_on)),
        date.fromisoformat(str(expires_on)) if expires_on else None,
        bool(is_minor),
        text_to_path(str(guardian)) if guardian else None,
    )


def consent_values(consent: Consent) -> tuple[object, ...]:
    """Return the values of `CONSENT_COLUMNS` for a consent."""
    return (
        consent.subject,
        consent.basis,
        consent.given_on.isoformat(),
        consent.expires_on.isoformat() if consent.expires_on else None,
        consent.is_minor,
        consent.guardian,
    )


def _optional_name(text: str | None) -> str | None:
    return None if text is None else text_to_path(text)


def signed(fingerprint: int | None) -> int | None:
    """Return 64 bits as SQLite stores them: the same bits, read with a sign."""
    if fingerprint is None:
        return None
    return fingerprint - (1 << 64) if fingerprint >= 1 << 63 else fingerprint


def _unsigned(value: object) -> int | None:
    return value & ((1 << 64) - 1) if isinstance(value, int) else None
