"""Photos that a table corrects later: those that were imported before, and those of a dataset."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from maskage.dataset.facts.editing import carry_out, subject_changes
from maskage.dataset.facts.fact_changes import (
    FACTS,
    FactPlan,
    Facts,
    describe_changes,
    plan_facts,
)
from maskage.dataset.manifest.file import read_file
from maskage.dataset.photo_listing import match_photos
from maskage.dataset.store import PhotoStore
from maskage.formats.dataset_folder import manifest_path
from maskage.formats.metadata_file import PhotoMetadata
from maskage.outside_text import text_to_path
from maskage.records import Photo


@dataclass(frozen=True)
class TablePlan:
    """What a table changes in photos that the dataset has.

    Attributes:
        plan: The edits.
        kept_cells: Number of facts that a photo has and the table leaves empty; they stay.
        removed: Number of rows whose photo is not in the dataset any more.
        disagreeing: Photos whose class is another one in the table; they stay where they are.
    """

    plan: FactPlan
    kept_cells: int = 0
    removed: int = 0
    disagreeing: tuple[tuple[Photo, str], ...] = ()

    @property
    def notes(self) -> list[str]:
        """What is to be said of what the table does not change; whole sentences."""
        notes = []
        if self.kept_cells:
            cells = "1 empty cell" if self.kept_cells == 1 else f"{self.kept_cells} empty cells"
            notes.append(f"{cells} of the table: what is known there stays as it is.")
        if self.disagreeing:
            photo, label = self.disagreeing[0]
            photos = (
                "1 photo has"
                if len(self.disagreeing) == 1
                else (f"{len(self.disagreeing)} photos have")
            )
            notes.append(
                f"{photos} another class in the table, such as {photo.path}: {label}. They stay in "
                f"their class; move them in `collector review`."
            )
        if self.removed:
            notes.append(f"{self.removed} rows are of photos that were removed from the dataset.")
        return notes


def plan_table(rows: Iterable[tuple[Photo, PhotoMetadata]], removed: int = 0) -> TablePlan:
    """Return what rows of a table change; an empty cell removes nothing.

    Args:
        rows: Photos, each with its row.
        removed: Number of rows whose photo is not in the dataset any more.
    """
    wanted: list[tuple[Photo, Facts]] = []
    kept_cells = 0
    disagreeing = []
    for photo, row in rows:
        facts = {name: value for name in FACTS if (value := getattr(row, name)) is not None}
        kept_cells += sum(name not in facts and getattr(photo, name) is not None for name in FACTS)
        wanted.append((photo, facts))
        if row.label is not None and row.label != photo.label:
            disagreeing.append((photo, row.label))
    return TablePlan(plan_facts(wanted), kept_cells, removed, tuple(disagreeing))


def update_known_photos(
    store: PhotoStore, restated: Sequence[tuple[str, PhotoMetadata]]
) -> tuple[FactPlan, list[str]]:
    """Give photos that were imported before what a table says of them now.

    Args:
        store: The dataset, open.
        restated: Digest of the source of each, and what the table says.

    Returns:
        What changed, and the lines that say so: the changes first, then sentences.

    Raises:
        EnvironmentProblemError: The disk refused; nothing was changed.
    """
    rows, removed = _find_photos(store, restated)
    # A class in the table that differs is a conflict, which the import counts itself.
    table = plan_table(((photo, replace(row, label=None)) for photo, row in rows), removed)
    changes = subject_changes(store, table.plan)
    carry_out(store, table.plan, changes)
    return table.plan, [*describe_changes(table.plan.edits), *table.notes, *changes.notes]


def _find_photos(
    store: PhotoStore, restated: Sequence[tuple[str, PhotoMetadata]]
) -> tuple[list[tuple[Photo, PhotoMetadata]], int]:
    """Return the photos of sources with their rows, and how many sources have none any more."""
    paths = read_file(manifest_path(store.root), _paths_by_source) or {}
    current = _photos_by_row(store)
    rows: dict[str, tuple[Photo, PhotoMetadata]] = {}
    removed = 0
    for digest, row in restated:
        found = [current[path] for path in paths.get(digest, ()) if path in current]
        removed += not found
        for photo in found:
            rows.setdefault(photo.path, (photo, row))
    return list(rows.values()), removed


def _photos_by_row(store: PhotoStore) -> Mapping[str, Photo]:
    """Return the photos by the path in their rows, also where one was moved by hand since."""
    now = {photo.path: photo for photo in store.photos()}
    return {
        known.row_path: now[known.photo.path]
        for known in match_photos(store.root)
        if known.row_path is not None and known.photo.path in now
    }


def _paths_by_source(db: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the paths in the rows of each source: by its digest, and that of the whole file."""
    found: dict[str, list[str]] = {}
    for digest, path in db.execute(
        "SELECT source_sha256, path FROM photos WHERE source_sha256 NOT NULL ORDER BY path"
    ):
        whole = digest.partition("#")[0]
        for key in {digest, whole}:
            found.setdefault(key, []).append(text_to_path(path))
    return found
