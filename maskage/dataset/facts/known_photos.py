"""Photos that a table corrects later: those that were imported before, and those of a dataset."""

from collections.abc import Iterable
from dataclasses import dataclass

from maskage.dataset.facts.editing import carry_out, subject_changes
from maskage.dataset.facts.fact_changes import (
    FACTS,
    FactPlan,
    Facts,
    describe_changes,
    plan_facts,
)
from maskage.dataset.store import PhotoStore
from maskage.formats.metadata_file import PhotoMetadata
from maskage.records import Photo


@dataclass(frozen=True)
class TablePlan:
    """What a table changes in photos that the dataset has.

    Attributes:
        plan: The edits.
        kept_cells: Number of facts that a photo has and the table leaves empty; they stay.
        disagreeing: Photos whose class is another one in the table; they stay where they are.
    """

    plan: FactPlan
    kept_cells: int = 0
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
        return notes


def plan_table(rows: Iterable[tuple[Photo, PhotoMetadata]]) -> TablePlan:
    """Return what rows of a table change; an empty cell removes nothing.

    Args:
        rows: Photos, each with its row.
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
    return TablePlan(plan_facts(wanted), kept_cells, tuple(disagreeing))


def update_known_photos(
    store: PhotoStore, restated: Iterable[tuple[Photo, PhotoMetadata]]
) -> tuple[FactPlan, list[str]]:
    """Give photos that were imported before what a table says of them now.

    Args:
        store: The dataset, open.
        restated: The photos, each with what the table says.

    Returns:
        What changed, and the lines that say so: the changes first, then sentences.

    Raises:
        EnvironmentProblemError: The disk refused; nothing was changed.
    """
    rows = {photo.path: (photo, row) for photo, row in restated}
    table = plan_table(rows.values())
    changes = subject_changes(store, table.plan)
    carry_out(store, table.plan, changes)
    return table.plan, [*describe_changes(table.plan.edits), *table.notes, *changes.notes]
