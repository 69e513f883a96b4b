"""The user's table about photos: `path` and any of the columns below, as CSV or JSON Lines.

path,source,subject,session,group,label    each cell may be empty

Spreadsheets write it with other separators and encodings, and people name its columns otherwise:
`maskage.formats.tables` reads these.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath

from maskage.errors import DatasetError
from maskage.formats.tables.column_names import PATH, TakenColumns, take_columns
from maskage.formats.tables.table_match import TableMatch, match_table
from maskage.formats.tables.table_rows import TableRow, parse_table
from maskage.formats.tables.table_text import as_windows_text, decode_table
from maskage.outside_text import cell_to_path, is_utf8, shown_text


@dataclass(frozen=True)
class PhotoMetadata:
    """The row of one photo; None for empty cells and missing columns.

    Attributes:
        source: Collection that the photo comes from.
        subject: Pseudonym of the person.
        session: One sitting at the camera.
        group: Photos that belong on one side of a split.
        label: Class of the photo.
    """

    source: str | None = None
    subject: str | None = None
    session: str | None = None
    group: str | None = None
    label: str | None = None


@dataclass(frozen=True, eq=False)
class MetadataTable(Mapping[str, PhotoMetadata]):
    """The rows of a table, by the path of the photo, POSIX.

    Attributes:
        rows: The rows.
        lines: Line of the file on which each begins, from 1.
        columns: The columns that were read, besides the path.
        notes: What is to be said of the columns and the encoding; sentences without the full stop.
        path: Path of the file; None where it is not from one.
    """

    rows: Mapping[str, PhotoMetadata]
    lines: Mapping[str, int]
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    path: Path | None = None

    def __getitem__(self, path: str) -> PhotoMetadata:
        return self.rows[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def read_metadata(
    path: Path, columns: Sequence[str], labels: Sequence[str] | None = None
) -> MetadataTable:
    r"""Read a table.

    Args:
        path: The file; bytes in a path that are not UTF-8 may stand as they are or as an escape
            (`\xfc`), and "\" may separate folders.
        columns: The columns that are wanted, fields of `PhotoMetadata`; others are ignored.
        labels: The classes that a label may name; None for any.

    Returns:
        The row of each photo, by its path, POSIX; two rows of one photo that agree are one.

    Raises:
        DatasetError: The file is no table, lacks the column `path` or all wanted ones, two rows
            disagree, or one holds an unknown label.
    """
    name = str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError as fault:
        raise DatasetError(f"No such file: {path}. Name a CSV file with --metadata.") from fault
    except OSError as fault:
        raise DatasetError(
            f"{path}: cannot be read ({fault.strerror or fault}). Name a CSV file in UTF-8, with a "
            f"line of column names: path and any of {', '.join(columns)}."
        ) from fault
    text = decode_table(data, name)
    raw = parse_table(text, name)
    taken = take_columns(raw.columns, columns, name)
    rows: dict[str, PhotoMetadata] = {}
    lines: dict[str, int] = {}
    for row in raw.rows:
        photo = _path_of(row, taken, name)
        facts = _facts_of(row, taken, name, labels)
        if photo in rows:
            where = f"{name}: lines {lines[photo]} and {row.line}, both of {shown_text(photo)}"
            facts = join_rows(rows[photo], facts, where)
        rows[photo] = facts
        lines.setdefault(photo, row.line)
    notes = list(taken.notes)
    if not is_utf8(text):
        notes.append("it is not UTF-8: cells that are not are read as Windows text (cp1252)")
    used = tuple(column for column in taken.headers if column != PATH)
    return MetadataTable(rows, lines, used, tuple(notes), path)


def match_metadata(
    table: Mapping[str, PhotoMetadata],
    names: Iterable[str],
    folder: Path,
    aliases: Mapping[str, Sequence[str]] | None = None,
) -> TableMatch[PhotoMetadata]:
    """Find the photo of each row.

    Args:
        table: The rows, from `read_metadata`.
        names: Paths of the photos below their folder, POSIX.
        folder: That folder.
        aliases: Other paths by which a photo is known.

    Raises:
        DatasetError: Two rows of one photo disagree.
    """
    whole = folder.resolve()
    path = table.path if isinstance(table, MetadataTable) else None
    base = ""
    if path is not None and path.resolve().is_relative_to(whole):
        base = path.resolve().parent.relative_to(whole).as_posix().removeprefix(".")
    return match_table(
        table,
        names,
        folders=folders_as_written(folder),
        base=base,
        aliases=aliases,
        join=join_rows,
    )


def folders_as_written(folder: Path) -> list[str]:
    """Return the beginnings that the paths in a table may have where they name the folder too."""
    whole = folder.resolve()
    written = (folder.absolute().as_posix(), whole.as_posix(), folder.as_posix(), whole.name)
    return [each for each in dict.fromkeys(written) if each not in ("", ".")]


def join_rows(one: PhotoMetadata, other: PhotoMetadata, where: str) -> PhotoMetadata:
    """Return what two rows of one photo say together.

    Args:
        one: A row.
        other: Another one.
        where: Where they stand, for a message.

    Raises:
        DatasetError: They disagree.
    """
    for field in fields(PhotoMetadata):
        before, after = getattr(one, field.name), getattr(other, field.name)
        if before is not None and after is not None and before != after:
            raise DatasetError(
                f"{where}, disagree: {field.name} {shown_text(before)} and {shown_text(after)}. "
                f"Correct the table; nothing was changed."
            )
        one = replace(one, **{field.name: before if after is None else after})
    return one


def _facts_of(
    row: TableRow, taken: TakenColumns, name: str, labels: Sequence[str] | None
) -> PhotoMetadata:
    values: dict[str, str | None] = {}
    for column, header in taken.headers.items():
        cell = row.cells.get(header, "")
        if column != PATH and not is_utf8(cell):
            cell = _windows_text(cell, row, name)
        values[column] = cell or None
    path = values.pop(PATH)
    if label := values.get("label"):
        values["label"] = label = cell_to_path(label)
        if labels is not None and label not in labels:
            raise DatasetError(
                f"{name}: line {row.line}: unknown label {label!r} for {path}. The labels are "
                f"{', '.join(labels)}."
            )
    return PhotoMetadata(**values)


def _windows_text(cell: str, row: TableRow, name: str) -> str:
    text = as_windows_text(cell)
    if text is None:
        raise DatasetError(
            f"{name}: line {row.line} holds {shown_text(cell)!r}, which is neither UTF-8 nor "
            f"Windows text (cp1252). Save it again as CSV in UTF-8."
        )
    return text


def _path_of(row: TableRow, taken: TakenColumns, name: str) -> str:
    """Return the path in a row, whether it holds the name's own bytes or an escape of them."""
    cell = row.cells.get(taken.headers[PATH], "")
    if not cell:
        raise DatasetError(
            f"{name}: line {row.line} has no {PATH}, in the column {taken.headers[PATH]!r}. Write "
            f"it, or remove the row; nothing was changed."
        )
    return PurePosixPath(cell_to_path(cell).replace("\\", "/")).as_posix()
