"""The values of a damaged row that can be kept; the folder of a photo is its label.

Salvage keeps as much as it can of each row: a value that no row may hold is left out, and measured
anew where it can be.
"""

import re
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from maskage.classes.scheme import check_folder
from maskage.dataset.consent import Consent
from maskage.dataset.manifest.columns import PHOTO_COLUMNS
from maskage.dataset.manifest.rows import consent_of
from maskage.outside_text import text_to_path
from maskage.records import FaceBox, Photo, Quality, Suggestion

_UNKNOWN_DIGEST = "0" * 64
"""In the place of a digest that cannot be one; `measure` writes the photo's own."""
_DIGEST = re.compile("[0-9a-f]{64}")
_NAME = re.compile(r"[^/\0]+")
_LARGEST = 1e300
_LARGEST_PX = 1 << 31

Values = Sequence[object]


@dataclass(frozen=True)
class SalvagedRow:
    """The row of one photo as it was.

    Attributes:
        photo: The photo that it describes.
        source_sha256: Digest of the file it was imported from.
        removed_at: Time since when its photo is in the trash or gone, or None.
    """

    photo: Photo
    source_sha256: str | None
    removed_at: str | None


@dataclass
class Salvage:
    """Everything that could be read.

    Attributes:
        labels: The classes of the dataset.
        rows: The rows of photos, by path.
        consents: The consents, by subject.
        events: Time, path, action and label of each event, in the order they happened.
    """

    labels: Container[str] = ()
    rows: dict[str, SalvagedRow] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    events: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add_photo(self, values: Values) -> None:
        """Keep a row of `PHOTO_COLUMNS`, unless there is one of its path."""
        row = _photo_row(values, self.labels)
        if row is not None:
            self.rows.setdefault(row.photo.path, row)

    def add_consent(self, values: Values) -> None:
        """Keep a consent that can be one: nobody may be photographed on half of one."""
        with suppress(ValueError):
            consent = consent_of(values)
            self.consents.setdefault(consent.subject, consent)

    def add_event(self, values: Values) -> None:
        """Keep an event: its time, path, action and label."""
        *texts, label = values
        at, path, action = map(_text, texts)
        folder = _folder(path)
        known = folder if folder in self.labels else _label(label) or _label(folder)
        if at is not None and path is not None and action is not None and known is not None:
            self.events.append((at, path, action, known))


def _photo_row(values: Values, labels: Container[str]) -> SalvagedRow | None:
    """Return a row of `photos`; None where neither its path nor its digest can be one."""
    row = dict(zip(PHOTO_COLUMNS, values, strict=False))
    digest = _text(row["sha256"]) or ""
    is_known = _DIGEST.fullmatch(digest) is not None
    path = _path(row["path"], _label(row["label"]), labels, digest if is_known else None)
    if path is None:
        return None
    photo = Photo(
        path=path,
        label=_folder(path),
        subject=_text(row["subject"]),
        session=_text(row["session"]),
        group=_text(row["grp"]),
        taken_at=_text(row["taken_at"]),
        source=_text(row["source"]),
        box=_box(row),
        quality=_quality(row),
        sha256=digest if is_known else _UNKNOWN_DIGEST,
        fingerprint=_fingerprint(row.get("fingerprint")),
        is_flagged=row.get("flagged") not in (None, 0),
        suggestion=_opinion(row, "suggested", "confidence"),
        check=_checked(row),
        confirmed=_label(row.get("confirmed")),
        origin=_text(row.get("origin")),
    )
    return SalvagedRow(photo, _text(row["source_sha256"]), _text(row["removed_at"]))


def _path(
    value: object, label: str | None, labels: Container[str], digest: str | None
) -> str | None:
    """Return a path in a class folder; a row of a path elsewhere is matched by its content.

    A folder that is no class of the dataset may have been one, if the row's label says the same.
    A path with no class is given the one that the row names, and a name that no file has where it
    has none: the doctor then looks for a file of the row's digest.
    """
    path = _text(value) or ""
    folder, _, name = path.partition("/")
    if (folder in labels or (folder == label is not None)) and _is_name(name):
        return path
    if label is None or digest is None:
        return None
    name = path.rpartition("/")[2]
    return f"{label}/{name if _is_name(name) else f'{digest[:16]}.jpg'}"


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name not in (".", "..")


def _folder(path: str | None) -> str:
    return (path or "").partition("/")[0]


def _box(row: dict[str, object]) -> FaceBox | None:
    places = [_whole(row[name]) for name in ("x", "y", "width", "height")]
    score = _number(row["score"])
    x, y, width, height = places
    if x is None or y is None or width is None or height is None or score is None:
        return None
    return FaceBox(x, y, width, height, score) if width > 0 and height > 0 else None


def _quality(row: dict[str, object]) -> Quality | None:
    sharpness, brightness, clipped = (
        _number(row[name]) for name in ("sharpness", "brightness", "clipped")
    )
    face_px = _whole(row["face_px"])
    if sharpness is None or brightness is None or clipped is None or face_px is None:
        return None
    if sharpness < 0 or face_px < 0:
        return None
    return Quality(sharpness, brightness, clipped, face_px)


def _fingerprint(value: object) -> int | None:
    return value & ((1 << 64) - 1) if isinstance(value, int) else None


def _opinion(row: dict[str, object], column: str, confidence_column: str) -> Suggestion | None:
    label, confidence = _label(row.get(column)), _number(row.get(confidence_column))
    return None if label is None or confidence is None else Suggestion(label, confidence)


def _checked(row: dict[str, object]) -> Suggestion | None:
    """Return the opinion of the label check, with its reason and cost where they can be read."""
    opinion = _opinion(row, "checked", "checked_confidence")
    if opinion is None:
        return None
    reason, cost = _text(row.get("checked_reason")), _number(row.get("checked_cost"))
    return replace(opinion, reason=reason, cost=cost)


def _label(value: object) -> str | None:
    """Return a value that can be the name of a class, of this dataset or of its former ones."""
    if not isinstance(value, str):
        return None
    try:
        check_folder(value)
    except ValueError:
        return None
    return value


def _text(value: object) -> str | None:
    """Return a value as text: of bytes what can be read of them, so that no subject is lost."""
    if value is None:
        return None
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
    return text_to_path(text).replace("\0", "\\0")


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or not -_LARGEST <= value <= _LARGEST:
        return None
    return float(value)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and abs(value) <= _LARGEST_PX else None
