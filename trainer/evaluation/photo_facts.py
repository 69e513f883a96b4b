"""Facts about a photo besides its pixels: source, subject, session, camera.

A table of the user says it (`--metadata`), or else the manifest of the dataset that the photos were
curated from. There a photo is found by its content, whatever its name is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from maskage.dataset.manifest.reading import read_rows
from maskage.errors import DatasetError
from maskage.formats import metadata_file
from maskage.formats.curated.curation_file import find_origin
from maskage.formats.dataset_folder import manifest_path
from maskage.formats.tables.table_match import match_table
from maskage.outside_text import path_to_text
from maskage.records import Photo

COLUMNS = ("source", "subject", "session")
"""Columns of the user's table that are used, beside `path`."""


@dataclass(frozen=True)
class PhotoFacts:
    """The facts about one photo; None where a fact is unknown.

    Attributes:
        source: Collection that the photo comes from.
        subject: Pseudonym of the person.
        session: One sitting at the camera.
        camera: Camera that took the photo.
    """

    source: str | None = None
    subject: str | None = None
    session: str | None = None
    camera: str | None = None


def read_metadata(path: Path, notify: Callable[[str], None] | None = None) -> dict[str, PhotoFacts]:
    """Read a table of `path` and any of source, subject, session.

    Args:
        path: The table.
        notify: Called with what is to be said of its columns and encoding.

    Returns:
        Facts by path, as `path_to_text` writes it.

    Raises:
        DatasetError: See `maskage.formats.metadata_file.read_metadata`.
    """
    table = metadata_file.read_metadata(path, COLUMNS)
    if notify is not None:
        for note in table.notes:
            notify(f"{path}: {note}.")
    return {
        path_to_text(name): PhotoFacts(each.source, each.subject, each.session)
        for name, each in table.items()
    }


def gather_facts(
    names: Sequence[str],
    digests: Sequence[str],
    folder: Path,
    metadata: Mapping[str, PhotoFacts] | None = None,
) -> tuple[PhotoFacts, ...]:
    """Return what is known of each photo.

    Args:
        names: Paths below `folder`, POSIX, as `path_to_text` writes them.
        digests: sha256 of each file.
        folder: A curated folder, or a folder with the class folders.
        metadata: What the user's table says. Its paths are those of the curated folder, with or
            without the split, or those that the photos were imported from.

    Raises:
        DatasetError: The metadata names none of the photos, or two of its rows of one disagree.
    """
    known = _read_manifest(folder)
    paths = {
        name: _paths_of(name, known.get(digest))
        for name, digest in zip(names, digests, strict=True)
    }
    said = _find_rows(metadata or {}, paths, folder)
    facts = [
        _join(said.get(name), known.get(digest))
        for name, digest in zip(names, digests, strict=True)
    ]
    if metadata is not None and not said:
        sample = next(iter(metadata), "nothing")
        raise DatasetError(
            f"The metadata names none of the {len(names)} photos of {folder}. Its first path is "
            f"{sample}, the first photo is {names[0] if names else 'nothing'}. Write paths as "
            f"they are below the curated folder or the dataset."
        )
    return _without_lone_cameras(facts)


def _read_manifest(folder: Path) -> dict[str, Photo]:
    """Return the photos of the dataset behind a folder by sha256; none without a manifest."""
    root: Path | None = folder
    if not manifest_path(folder).is_file():
        root = find_origin(folder).dataset
    if root is None or not manifest_path(root).is_file():
        return {}
    photos = read_rows(root).present.values()
    return {photo.sha256: photo for photo in photos if photo.sha256}


def _paths_of(name: str, photo: Photo | None) -> list[str]:
    """Return the paths by which a table may know a photo, the likeliest first."""
    paths = [name, name.partition("/")[2]]
    if photo is not None:
        paths += [path_to_text(photo.path), path_to_text(photo.source or "")]
    return [path for path in paths if path]


def _find_rows(
    metadata: Mapping[str, PhotoFacts], paths: Mapping[str, Sequence[str]], folder: Path
) -> dict[str, PhotoFacts]:
    """Return the row of each photo: by one of its paths, or else as these are written elsewhere."""
    rows: dict[str, PhotoFacts] = {}
    for name, tried in paths.items():
        if path := next((path for path in tried if path in metadata), None):
            rows[name] = metadata[path]
    used = {path for name in rows for path in paths[name]}
    others = {path: row for path, row in metadata.items() if path not in used}
    left = [name for name in paths if name not in rows]
    starts = metadata_file.folders_as_written(folder)
    return rows | dict(match_table(others, left, folders=starts, aliases=paths).rows)


def _join(said: PhotoFacts | None, photo: Photo | None) -> PhotoFacts:
    """Return what the metadata says, with its gaps filled from the manifest."""
    said = said or PhotoFacts()
    if photo is None:
        return said
    ours = PhotoFacts(subject=photo.subject, session=photo.session, camera=photo.source)
    gaps = {
        field.name: getattr(ours, field.name)
        for field in fields(PhotoFacts)
        if getattr(said, field.name) is None
    }
    return replace(said, **gaps)


def _without_lone_cameras(facts: Sequence[PhotoFacts]) -> tuple[PhotoFacts, ...]:
    """Drop the cameras of imported photos: the manifest names the file of each as its source."""
    cameras = [each.camera for each in facts if each.camera is not None]
    if len(set(cameras)) < len(cameras):
        return tuple(facts)
    return tuple(replace(each, camera=None) for each in facts)
