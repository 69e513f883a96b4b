"""What commands say of a table about photos: its columns, its rows that fit, and the others."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.commands.text_table import list_some
from maskage.console import say
from maskage.outside_text import shown_text

if TYPE_CHECKING:
    from maskage.dataset.importing.sources.source_labels import SourceListing
    from maskage.formats.metadata_file import MetadataTable, PhotoMetadata
    from maskage.formats.tables.table_match import TableMatch

_MOST_NAMES = 3


def report_table(
    table: "Mapping[str, PhotoMetadata]",
    listing: "SourceListing",
    place: Path,
    name: str = "table",
) -> None:
    """Say how the table of an import was read, and what of it and of the source is left over.

    Args:
        table: Its rows, from `read_metadata` or of several tables.
        listing: The source.
        place: Folder of the source.
        name: Names of several tables.
    """
    from maskage.formats.metadata_file import MetadataTable

    where: object = name
    if isinstance(table, MetadataTable):
        where, notes = table.path, (*table.notes, *listing.table_notes)
    else:
        notes = listing.table_notes
    _report(where, len(table), (listing.missing, listing.untabled), notes, place)


def report_rows(table: "MetadataTable", match: "TableMatch[PhotoMetadata]", place: Path) -> None:
    """Say how a table was read, and what of it and of a dataset is left over.

    Args:
        table: The table.
        match: Its rows with the photos of the dataset.
        place: Folder of the dataset.
    """
    left = match.unmatched_rows, match.unmatched_names
    _report(table.path, len(table), left, (*table.notes, *match.notes), place)


def _report(
    where: object,
    rows: int,
    left_over: tuple[Sequence[str], Sequence[str]],
    notes: Sequence[str],
    place: Path,
) -> None:
    missing, untabled = left_over
    for note in notes:
        say(f"{where}: {note}.")
    if missing:
        say(
            f"{where}: {len(missing)} of {rows} paths are not in {place}: {_names(missing)}. "
            f"Write the path of a photo as it is below {place}."
        )
    if untabled:
        count = "1 photo has" if len(untabled) == 1 else f"{len(untabled)} photos have"
        say(f"{where}: {count} no row in it: {_names(untabled)}.")


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
