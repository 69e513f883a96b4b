"""export_record.json: what marks a folder or a zip as an export of `curate export`.

schema_version    1
version           of the toolchain
to                "folder", "zip", "parquet" or "coco"
photos            number of photos
digests           sha256 of each exported picture, and of the files that they were made of, sorted:
                  by these `collector forget` finds a person's photos in it

It names no place, no person and no photo, as it leaves with the photos.
"""

import json
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from maskage.errors import DatasetError
from maskage.security.files import UnsafeFileError, parse_strict_json
from maskage.system.files import write_private

RECORD_FILE = "export_record.json"
"""Another name than that of an exported model's description: see `maskage.formats.bundle`."""
SCHEMA_VERSION = 1
FOLDER, ZIP, PARQUET, COCO = EXPORT_FORMATS = ("folder", "zip", "parquet", "coco")
_LARGEST_BYTES = 1 << 28


@dataclass(frozen=True)
class ExportRecord:
    """A record of an export.

    Attributes:
        version: Version of the toolchain.
        to: Format of the export, one of `EXPORT_FORMATS`.
        photos: Number of photos.
        digests: sha256 of each picture and of the files that it was made of.
    """

    version: str
    to: str
    photos: int
    digests: frozenset[str]


def write_export(folder: Path, record: ExportRecord) -> None:
    """Write a record into the folder of an export; the same record gives the same bytes.

    Raises:
        OSError: The disk refused.
    """
    values = {
        "schema_version": SCHEMA_VERSION,
        "version": record.version,
        "to": record.to,
        "photos": record.photos,
        "digests": sorted(record.digests),
    }
    write_private(folder / RECORD_FILE, f"{json.dumps(values, indent=1)}\n")


def is_export(place: Path) -> bool:
    """Return True if a folder or a zip is an export, damaged or not."""
    if place.is_dir():
        return (place / RECORD_FILE).is_file()
    try:
        with zipfile.ZipFile(place) as archive:
            return RECORD_FILE in archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError):
        return False


def read_export(place: Path) -> ExportRecord:
    """Read the record of an export.

    Args:
        place: The folder, or the zip.

    Raises:
        DatasetError: There is no record, it is damaged, or a later version wrote it.
    """
    try:
        return _record_of(_read_bytes(place))
    except (OSError, zipfile.BadZipFile, UnsafeFileError, ValueError, TypeError, KeyError) as fault:
        raise DatasetError(
            f"{place}: its {RECORD_FILE} cannot be read as the record of an export "
            f"({type(fault).__name__}: {str(fault)[:100]}). Export again with --replace, or remove "
            f"it."
        ) from fault


def _read_bytes(place: Path) -> bytes:
    if place.is_dir():
        return (place / RECORD_FILE).read_bytes()
    with zipfile.ZipFile(place) as archive:
        if archive.getinfo(RECORD_FILE).file_size > _LARGEST_BYTES:
            raise ValueError("it is too large")
        return archive.read(RECORD_FILE)


def _record_of(data: bytes) -> ExportRecord:
    values = parse_strict_json(data)
    if values["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"its schema is {values['schema_version']}")
    digests: Collection[str] = values["digests"]
    return ExportRecord(
        str(values["version"]), str(values["to"]), int(values["photos"]), frozenset(digests)
    )
