"""What commands say of a table about photos: its columns, its rows that fit, and the others."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.commands.text_table import list_some
from maskage.console import say
from maskage.outside_text import shown_text

if TYPE_CHECKING:
    from maskage.dataset.importing.source_labels import SourceListing
    from maskage.formats.metadata_file import MetadataTable, PhotoMetadata
    from maskage.formats.tables.table_match import TableMatch

_MOST_NAMES = 3


def report_table(
    table: "Mapping[str, PhotoMetadata]", listing: "SourceListing", place: Path
) -> None:
    """Say how the table of an import was read, and what of it and of the source is left over.

    Args:
        table: Its rows, from `read_metadata`.
        listing: The source.
        place: Folder of the source.
    """
    _report(table, listing.missing, listing.untabled, listing.table_notes, place)


def report_rows(table: "MetadataTable", match: "TableMatch[PhotoMetadata]", place: Path) -> None:
    """Say how a table was read, and what of it and of a dataset is left over.

    Args:
        table: The table.
        match: Its rows with the photos of the dataset.
        place: Folder of the dataset.
    """
    _report(table, match.unmatched_rows, match.unmatched_names, match.notes, place)


def _report(
    table: "Mapping[str, PhotoMetadata]",
    missing: Sequence[str],
    untabled: Sequence[str],
    notes: Sequence[str],
    place: Path,
) -> None:
    from maskage.formats.metadata_file import MetadataTable

    path, of_columns = (
        (table.path, table.notes) if isinstance(table, MetadataTable) else ("table", ())
    )
    for note in (*of_columns, *notes):
        say(f"{path}: {note}.")
    if missing:
        say(
            f"{path}: {len(missing)} of {len(table)} paths are not in {place}: {_names(missing)}. "
            f"Write the path of a photo as it is below {place}."
        )
    if untabled:
        count = "1 photo has" if len(untabled) == 1 else f"{len(untabled)} photos have"
        say(f"{path}: {count} no row in it: {_names(untabled)}.")


def check_pseudonyms(table: "Mapping[str, PhotoMetadata]") -> None:
    """Warn of subjects in a table that may be names of people; they are kept as they are."""
    from maskage.dataset.consent import is_pseudonym

    subjects = {facts.subject for facts in table.values() if facts.subject}
    if others := sorted(subject for subject in subjects if not is_pseudonym(subject)):
        say(
            f"{len(others)} subjects are not pseudonyms of letters, digits, '.', '_' and '-', such "
            f"as {others[0]!r}. They are kept as they are; names of people do not belong here."
        )


def _names(names: Sequence[str]) -> str:
    return list_some([shown_text(name) for name in names], _MOST_NAMES)
