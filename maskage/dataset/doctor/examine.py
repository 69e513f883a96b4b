"""Compare folders and manifest of a dataset. Reads only; `doctor.repair` changes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypeVar

from maskage.classes.scheme import Scheme
from maskage.console import Progress, no_progress
from maskage.dataset.class_change_steps import finish_change
from maskage.dataset.doctor.files import (
    PhotoFile,
    folders_of,
    is_measured,
    list_open,
    list_trash,
    list_unfinished,
    read_facts,
    read_photos,
)
from maskage.dataset.doctor.findings import Diagnosis, Finding, Kind
from maskage.dataset.doctor.manifest import Condition, ManifestState, examine_manifest, find_writer
from maskage.dataset.doctor.match_rows import Match, Matches, free_path, match_files
from maskage.dataset.doctor.notes import Examined, list_notes
from maskage.dataset.manifest.reading import KnownPhoto, ManifestRows
from maskage.dataset.outside_folders import find_outside, is_without_classes, require_dataset
from maskage.dataset.photo_files import TRASH, list_files
from maskage.formats.classes.classes_file import read_scheme
from maskage.formats.dataset_folder import manifest_path
from maskage.records import Photo

T = TypeVar("T")


def examine(
    root: Path,
    progress: Progress = no_progress,
    *,
    is_ours: bool = False,
    today: date | None = None,
) -> Diagnosis:
    """Find every fault of a dataset. Changes nothing, but finishes a change of its classes.

    Args:
        root: The dataset.
        progress: Shows the reading of the photos, the one step that takes time.
        is_ours: The caller holds the dataset's lock.
        today: The day on which consents must hold; today, where none is named.

    Raises:
        DatasetError: There is no dataset, or its manifest is of a newer version.
        EnvironmentProblemError: The disk refuses to be read.
    """
    if not is_ours:
        finish_change(root)
    scheme = read_scheme(root)
    require_dataset(root, scheme)
    paths = list_files(root, scheme.labels)
    writer = None if is_ours else find_writer(root)
    manifest = examine_manifest(root, scheme, is_ours=is_ours)
    reading = read_photos(root, paths, manifest.rows.present)
    files = list(progress(reading, "reading photos", len(paths)))
    trash = list_trash(root, scheme.labels)
    rows, former = _split_rows(root, manifest.rows, scheme)
    matches = match_files([file for file in files if file.is_whole], rows, trash)
    findings = [
        *_of_manifest(root, manifest),
        *_of_folders(root, scheme),
        *_of_pictures(files, matches),
        *_of_matches(matches.matches),
        *_of_rows(root, files, trash, matches),
    ]
    order = list(Kind)
    return Diagnosis(
        root=root,
        photos=len(matches.matches),
        manifest=manifest,
        findings=tuple(sorted(findings, key=lambda f: (order.index(f.kind), f.path))),
        notes=tuple(
            list_notes(
                Examined(root, scheme, manifest, tuple(matches.matches), former, writer),
                today or date.today(),
            )
        ),
    )


def _split_rows(
    root: Path, rows: ManifestRows, scheme: Scheme
) -> tuple[ManifestRows, tuple[str, ...]]:
    """Take out the rows of photos that lie in the folder of a class which the scheme lacks.

    Such a row is right, and no file of another folder may take it.

    Returns:
        The other rows, and the paths of those photos that are not in the trash, sorted.
    """

    def lies_there(row: Photo) -> bool:
        return row.label not in scheme and any(
            (root / top / row.path).is_file() for top in ("", TRASH)
        )

    present = {path: row for path, row in rows.present.items() if not lies_there(row)}
    removed = {path: row for path, row in rows.removed.items() if not lies_there(row)}
    former = sorted(path for path in rows.present.keys() - present if (root / path).is_file())
    return ManifestRows(present, removed), tuple(former)


def _of_manifest(root: Path, manifest: ManifestState) -> Iterator[Finding]:
    kinds = {
        Condition.LOST: Kind.MANIFEST_LOST,
        Condition.DAMAGED: Kind.MANIFEST_DAMAGED,
    }
    if kind := kinds.get(manifest.condition):
        yield Finding(kind, manifest_path(root).relative_to(root).as_posix(), manifest.detail)


def _of_folders(root: Path, scheme: Scheme) -> Iterator[Finding]:
    labels = scheme.labels
    # Folders of the default classes would stand in the way of those that somebody made.
    is_others = is_without_classes(root, scheme) and bool(find_outside(root, scheme))
    for folder in folders_of(root, () if is_others else labels):
        if not folder.is_dir():
            yield Finding(Kind.FOLDER, folder.relative_to(root).as_posix())
    for path in list_unfinished(root, labels):
        yield Finding(Kind.TEMPORARY, path)
    for path, mode in list_open(root, labels):
        yield Finding(Kind.OPEN, path, f"mode {mode:o}")


def _of_pictures(files: Sequence[PhotoFile], matches: Matches) -> Iterator[Finding]:
    """Report files that are not whole pictures."""
    missing = {row.path: row for row in matches.missing}
    for file in files:
        if file.unreadable is not None:
            yield Finding(Kind.UNREADABLE, file.path, file.unreadable)
        elif file.damage is not None:
            row = missing.get(file.path)
            known = KnownPhoto(row or Photo(file.path, file.label), row.path if row else None)
            yield Finding(Kind.DAMAGED, file.path, file.damage, known)


def _of_matches(matches: Sequence[Match]) -> Iterator[Finding]:
    """Whole photos of which the manifest does not say what is so."""
    for match in matches:
        file, row, known = match.file, match.row, match.known
        if row is None:
            yield Finding(Kind.UNKNOWN, file.path, known=known)
            continue
        if match.is_removed:
            yield Finding(Kind.FOUND, file.path, known=known)
        elif row.path != file.path or row.label != file.label:
            yield Finding(Kind.MOVED, file.path, f"was {row.path}", known)
        if row.sha256 != file.sha256:
            yield Finding(Kind.CHANGED, file.path, known=known)
        elif not is_measured(row):
            yield Finding(Kind.UNMEASURED, file.path, known=known)


def _of_rows(
    root: Path, files: Sequence[PhotoFile], trash: dict[str, str], matches: Matches
) -> Iterator[Finding]:
    """Report rows without a photo in the folders, and photos in the trash without a row."""
    strays = list(_strays(root, trash, matches))
    yield from strays
    # Of a photo that cannot be read at all nobody can say that it is gone.
    reported = {file.path for file in files if not file.is_whole}
    reported |= {f.known.row_path for f in strays if f.known and f.known.row_path}
    for row in matches.missing:
        if row.path not in reported:
            kind = Kind.TRASHED if row.path in trash else Kind.MISSING
            yield Finding(kind, row.path, known=KnownPhoto(row, row.path))


def _strays(root: Path, trash: dict[str, str], matches: Matches) -> Iterator[Finding]:
    """Report photos in the trash without a row, or under the name of a photo that is present.

    The second kind could not be brought back, nor the photo of that name be trashed.
    """
    occupied = {match.file.path for match in matches.matches}
    missing = {row.path for row in matches.missing}
    rows = matches.removed | {row.path: row for row in matches.missing}
    lost = [row for path, row in sorted(rows.items()) if path not in trash]
    taken = occupied | set(trash) | set(rows)
    for path, label in trash.items():
        if path in rows and path not in occupied:
            continue
        file = read_facts(root, f"{TRASH}/{path}", label)
        if file.unreadable is not None:
            yield Finding(Kind.UNREADABLE, file.path, file.unreadable)
            continue
        row = rows.get(path) or next((row for row in lost if row.sha256 == file.sha256), None)
        if row in lost:
            lost.remove(row)
        target = path
        if path in occupied:
            target = free_path(path, (file.sha256 or "")[:8], taken)
            taken.add(target)
        photo = replace(row, path=target, label=label) if row else None
        photo = photo or Match(replace(file, path=target), None).known.photo
        known = KnownPhoto(photo, row.path if row else None, bool(row and row.path not in missing))
        yield Finding(Kind.STRAY, f"{TRASH}/{path}", known=known)
