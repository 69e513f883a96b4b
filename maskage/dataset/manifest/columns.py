"""The tables of the manifest and their columns: the one list, from which all SQL is made."""

from collections.abc import Iterator

SCHEMA_VERSION = 4

_ADDED_IN_2 = {
    "fingerprint": "INTEGER",  # perceptual hash, 64 bits, signed
    "flagged": "INTEGER NOT NULL DEFAULT 0",
    "suggested": "TEXT",  # what a model takes it for
    "confidence": "REAL",
}
_ADDED_IN_3 = {
    "checked": "TEXT",  # what the label check of `curate` takes it for
    "checked_confidence": "REAL",
    "confirmed": "TEXT",  # the label that a person confirmed against other opinions
    "origin": "TEXT",  # the split of its source that it was imported from
}
_ADDED_IN_4 = {
    "checked_reason": "TEXT",  # what made the label check doubt: "mask? nose seems out"
    "checked_cost": "REAL",  # share of its class that the label spoils, if it is wrong
}
_PHOTOS = {
    "path": "TEXT PRIMARY KEY",  # relative to the dataset: label/name
    "label": "TEXT NOT NULL",
    "subject": "TEXT",
    "session": "TEXT",
    "grp": "TEXT",
    "taken_at": "TEXT",
    "source": "TEXT",
    "x": "INTEGER",
    "y": "INTEGER",
    "width": "INTEGER",
    "height": "INTEGER",
    "score": "REAL",
    "sharpness": "REAL",
    "brightness": "REAL",
    "clipped": "REAL",
    "face_px": "INTEGER",
    "sha256": "TEXT NOT NULL",  # of the stored file
    "source_sha256": "TEXT",  # of the file it was imported from
    "removed_at": "TEXT",  # set while the file lies in .trash/, or is gone
    **_ADDED_IN_2,
    **_ADDED_IN_3,
    **_ADDED_IN_4,
}
_EVENTS = {
    "id": "INTEGER PRIMARY KEY",
    "at": "TEXT NOT NULL",
    "path": "TEXT NOT NULL",
    "action": "TEXT NOT NULL",  # add, trash, restore, relabel, describe, confirm, flag, adopt, ...
    "label": "TEXT NOT NULL",
}
_CONSENTS = {
    "subject": "TEXT PRIMARY KEY",
    "basis": "TEXT NOT NULL",
    "given_on": "TEXT NOT NULL",
    "expires_on": "TEXT",
    "is_minor": "INTEGER NOT NULL",
    "guardian": "TEXT",
}


def _nulls(*added: dict[str, str]) -> tuple[str, ...]:
    return ("NULL",) * sum(map(len, added))


PHOTO_COLUMNS = tuple(_PHOTOS)
"""In the order of the table: what a schema adds comes last."""
PHOTO_COLUMNS_3 = PHOTO_COLUMNS[: -len(_ADDED_IN_4)]
PHOTO_COLUMNS_2 = PHOTO_COLUMNS_3[: -len(_ADDED_IN_3)]
PHOTO_COLUMNS_1 = PHOTO_COLUMNS_2[: -len(_ADDED_IN_2)]
COLUMNS_OF_SCHEMA = {
    1: (*PHOTO_COLUMNS_1, "NULL", "0", "NULL", "NULL", *_nulls(_ADDED_IN_3, _ADDED_IN_4)),
    2: (*PHOTO_COLUMNS_2, *_nulls(_ADDED_IN_3, _ADDED_IN_4)),
    3: (*PHOTO_COLUMNS_3, *_nulls(_ADDED_IN_4)),
    SCHEMA_VERSION: PHOTO_COLUMNS,
}
"""What is selected from a manifest of each schema to get the values of `PHOTO_COLUMNS`."""
EVENT_COLUMNS = tuple(_EVENTS)
CONSENT_COLUMNS = tuple(_CONSENTS)


def _add_columns(columns: dict[str, str]) -> Iterator[str]:
    return (f"ALTER TABLE photos ADD COLUMN {name} {kind};" for name, kind in columns.items())


def _create(table: str, columns: dict[str, str]) -> str:
    described = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    return f"CREATE TABLE {table} ({described}) STRICT;"


def insert_into(table: str, columns: tuple[str, ...], verb: str = "INSERT") -> str:
    """Return the statement that inserts one row with a value for each of these columns."""
    return f"{verb} INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


SCHEMA = "\n".join(
    (
        _create("photos", _PHOTOS),
        "CREATE INDEX photos_by_source ON photos (source_sha256);",
        _create("events", _EVENTS),
        _create("consents", _CONSENTS),
    )
)
"""Makes the tables of a new manifest."""

UPGRADES = {
    1: "\n".join((*_add_columns(_ADDED_IN_2), _create("consents", _CONSENTS))),
    2: "\n".join(_add_columns(_ADDED_IN_3)),
    3: "\n".join(_add_columns(_ADDED_IN_4)),
}
"""Turns a schema into the next: keyed by the version it starts from."""
