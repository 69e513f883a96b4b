"""What is known of a photo besides its pixels: source, subject, session, camera.

A metadata file tells it (`--metadata`), else the manifest of the dataset that the photos were
curated from. There a photo is found by its content: whatever it is called, it is that photo.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath

from maskage.dataset.manifest import read_rows
from maskage.errors import DatasetError
from maskage.formats.dataset_folder import manifest_path
from maskage.formats.set_contents import CuratedSet
from maskage.outside_text import cell_to_path, path_to_text
from maskage.records import Photo

COLUMNS = ("source", "subject", "session")
"""What a metadata file may tell, beside `path`."""


@dataclass(frozen=True)
class PhotoFacts:
    """What is known of one photo; None where nobody says.

    Attributes:
        source: Collection that it comes from.
        subject: Pseudonym of the person.
        session: One sitting at the camera.
        camera: That took it.
    """

    source: str | None = None
    subject: str | None = None
    session: str | None = None
    camera: str | None = None


def read_metadata(path: Path) -> dict[str, PhotoFacts]:
    """Read a CSV of `path` and any of source, subject, session.

    Returns:
        Facts by path, POSIX.

    Raises:
        DatasetError: It is no CSV, has no `path`, or none of the others.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or []
            told = [name for name in COLUMNS if name in columns]
            if "path" not in columns or not told:
                raise DatasetError(
                    f"{path}: it takes the column path and any of {', '.join(COLUMNS)}. Found: "
                    f"{', '.join(columns) or 'nothing'}."
                )
            return {
                _path_of(row["path"] or ""): PhotoFacts(
                    **{name: (row[name] or "").strip() or None for name in told}
                )
                for row in reader
            }
    except (OSError, csv.Error) as fault:
        raise DatasetError(f"{path}: cannot be read as a CSV file ({fault}).") from fault


def _path_of(cell: str) -> str:
    """The path in a table, as text, whether it holds the name's own bytes or an escape of them."""
    return path_to_text(PurePosixPath(cell_to_path(cell).replace("\\", "/")).as_posix())


def gather_facts(
    names: Sequence[str],
    digests: Sequence[str],
    folder: Path,
    metadata: Mapping[str, PhotoFacts] | None = None,
) -> tuple[PhotoFacts, ...]:
    """The facts of each photo.

    Args:
        names: Paths below `folder`, POSIX.
        digests: sha256 of each file.
        folder: A curated folder, or the four class folders.
        metadata: What a metadata file says. Its paths are those of the curated folder, with or
            without the split, or those that the photos were imported from.

    Raises:
        DatasetError: The metadata names none of the photos.
    """
    known = _read_manifest(folder)
    facts, told = [], 0
    for name, digest in zip(names, digests, strict=True):
        photo = known.get(digest)
        found = _find(metadata or {}, name, photo)
        told += found is not None
        facts.append(_join(found, photo))
    if metadata is not None and not told:
        sample = next(iter(metadata), "nothing")
        raise DatasetError(
            f"The metadata names none of the {len(names)} photos of {folder}. Its first path is "
            f"{sample}; that of the photos is {names[0] if names else 'nothing'}. Write paths as "
            f"they are below the curated folder or the dataset."
        )
    return _without_lone_cameras(facts)


def _read_manifest(folder: Path) -> dict[str, Photo]:
    """The photos of the dataset behind a folder by sha256; empty where there is no manifest."""
    root = folder
    if not manifest_path(root).is_file():
        made_of = CuratedSet(folder, {}).made_of
        if made_of is None or not manifest_path(made_of).is_file():
            return {}
        root = made_of
    photos = read_rows(root).present.values()
    return {photo.sha256: photo for photo in photos if photo.sha256}


def _find(metadata: Mapping[str, PhotoFacts], name: str, photo: Photo | None) -> PhotoFacts | None:
    tried = [name, name.partition("/")[2]]
    if photo is not None:
        tried += [path_to_text(photo.path), path_to_text(photo.source or "")]
    return next((metadata[path] for path in tried if path in metadata), None)


def _join(told: PhotoFacts | None, photo: Photo | None) -> PhotoFacts:
    """What the metadata tells, and what the manifest knows where it tells nothing."""
    told = told or PhotoFacts()
    if photo is None:
        return told
    ours = PhotoFacts(subject=photo.subject, session=photo.session, camera=photo.source)
    gaps = {
        field.name: getattr(ours, field.name)
        for field in fields(PhotoFacts)
        if getattr(told, field.name) is None
    }
    return replace(told, **gaps)


def _without_lone_cameras(facts: Sequence[PhotoFacts]) -> tuple[PhotoFacts, ...]:
    """Of an imported photo the manifest names the file as its camera: that is none."""
    cameras = [each.camera for each in facts if each.camera is not None]
    if len(set(cameras)) < len(cameras):
        return tuple(facts)
    return tuple(replace(each, camera=None) for each in facts)
