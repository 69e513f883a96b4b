"""Tables that lie in a source: `metadata.csv` and `metadata.jsonl`, as Hugging Face writes them.

Such a table lies beside the pictures that it is about, maybe one in each split, and names them
below its own folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskage.errors import DatasetError
from maskage.formats import metadata_file
from maskage.formats.metadata_file import PhotoMetadata

METADATA_NAMES = ("metadata.csv", "metadata.jsonl")
LIKELY_NAMES = ("labels", "annotations", "metadata", "train", "val", "test", "faces", "data")
"""Stems of tables that are probably about the pictures beside them."""


@dataclass(frozen=True)
class SourceTables:
    """The tables in a source.

    Attributes:
        rows: The rows of those that are used, by the paths of their pictures below the source.
        used: Paths of those tables below the source.
        unused: Paths of the others that look as if they were about the pictures.
    """

    rows: dict[str, PhotoMetadata] = field(default_factory=dict)
    used: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


def read_source_tables(source: Path, tables: Sequence[str], columns: Sequence[str]) -> SourceTables:
    """Read the tables of a source that say themselves which pictures they are about.

    Args:
        source: The source.
        tables: Paths of its tables below it.
        columns: The columns that are wanted.
    """
    rows: dict[str, PhotoMetadata] = {}
    used, unused = [], []
    for name in tables:
        folder, _, own_name = name.rpartition("/")
        if own_name.lower() in METADATA_NAMES:
            try:
                found = metadata_file.read_metadata(source / name, columns)
            except DatasetError:
                unused.append(name)
                continue
            prefix = f"{folder}/" if folder else ""
            rows |= {f"{prefix}{path}": facts for path, facts in found.items()}
            used.append(name)
        elif own_name.partition(".")[0].lower() in LIKELY_NAMES:
            unused.append(name)
    return SourceTables(rows, tuple(used), tuple(unused))
