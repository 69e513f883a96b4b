"""The rows of a table: CSV with its separator, or JSON Lines."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from maskage.errors import DatasetError
from maskage.formats.tables.column_names import count_known

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}

_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[,;\t]*\r?\n?', re.IGNORECASE)
"""The line by which Excel learns the separator: "sep=;"."""


@dataclass(frozen=True)
class TableRow:
    """One row.

    Attributes:
        line: Number of its first line in the file, from 1.
        cells: Text of each column, without blanks around it.
    """

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class RawTable:
    """A table as it stands in its file; blank rows are left out.

    Attributes:
        columns: Names of the columns, as they are written.
        rows: The rows.
    """

    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


def parse_table(text: str, name: str) -> RawTable:
    """Split the text of a table into rows.

    Args:
        text: The text, with its line ends.
        name: Name of the file, for messages.

    Raises:
        DatasetError: A row cannot be read, or has more or fewer cells than there are columns.
    """
    first = text.lstrip()[:1]
    if first == "{":
        return _parse_json_lines(text, name)
    if first == "[" and text.lstrip().lstrip("[ \r\n\t").startswith(("{", "]")):
        raise DatasetError(
            f"{name}: this is one JSON list. Write one JSON object a line instead (JSON Lines), "
            f"or save it as CSV."
        )
    return _parse_csv(text, name)


def _parse_csv(text: str, name: str) -> RawTable:
    skipped = 0
    separator = None
    if found := _SEPARATOR_LINE.match(text):
        separator, text, skipped = found[1], text[found.end() :], 1
    records = _records(text, separator or _find_separator(text), name, skipped)
    columns: tuple[str, ...] = ()
    rows = []
    for line, cells in records:
        if not any(cells):
            continue
        if not columns:
            columns = _column_names(cells, line, name)
            continue
        _require_cells(cells, columns, line, name)
        rows.append(TableRow(line, dict(zip(columns, cells, strict=False))))
    return RawTable(tuple(each for each in columns if each), tuple(rows))


def _records(
    text: str, separator: str, name: str, skipped: int
) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the number of the first line and the cells of each record."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 0
    try:
        for cells in reader:
            yield line + 1 + skipped, [cell.strip() for cell in cells]
            line = reader.line_num
    except csv.Error as fault:
        hint = " A quotation mark is opened and not closed." if "end of data" in str(fault) else ""
        raise DatasetError(
            f"{name}: the row at line {line + 1 + skipped} cannot be read ({fault}).{hint} Correct "
            f"the table; nothing was changed."
        ) from fault


def _find_separator(text: str) -> str:
    """Return the separator with which the line of column names has the most known columns."""
    line = next((line for line in text.splitlines() if line.strip(',;"\t ')), "")
    return max(SEPARATORS, key=lambda each: (_count_known(line, each), line.count(each)))


def _count_known(line: str, separator: str) -> int:
    try:
        return count_known(next(csv.reader([line], delimiter=separator), []))
    except csv.Error:
        return 0


def _column_names(cells: Sequence[str], line: int, name: str) -> tuple[str, ...]:
    named = [cell for cell in cells if cell]
    # Two columns of notes do no harm.
    if twice := sorted({each for each in named if named.count(each) > 1 and count_known([each])}):
        raise DatasetError(
            f"{name}: line {line} names the column {twice[0]!r} twice. Rename or remove one."
        )
    return tuple(cells)


def _require_cells(cells: Sequence[str], columns: Sequence[str], line: int, name: str) -> None:
    """Refuse a row whose cells cannot be told apart; blank cells at its end do no harm."""
    if len(cells) >= len(columns) and not any(cells[len(columns) :]):
        return
    few = "few" if len(cells) < len(columns) else "many"
    raise DatasetError(
        f"{name}: line {line} has too {few} cells: {len(cells)}, under {len(columns)} columns. A "
        f"cell with the separator in it must stand in quotation marks, and an empty cell needs its "
        f"separator. Correct the table; nothing was changed."
    )


def _parse_json_lines(text: str, name: str) -> RawTable:
    rows = []
    columns: dict[str, None] = {}
    # Not `splitlines`, which also ends a line at characters that may stand in a JSON text.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as fault:
            raise DatasetError(
                f"{name}: line {number} is no JSON object ({fault}). A table of JSON Lines has one "
                f"in each line."
            ) from fault
        if not isinstance(found, dict):
            raise DatasetError(f"{name}: line {number} is no JSON object, but {line.strip()[:40]}.")
        columns |= dict.fromkeys(found)
        rows.append(TableRow(number, {key: _json_cell(value) for key, value in found.items()}))
    return RawTable(tuple(columns), tuple(rows))


def _json_cell(value: object) -> str:
    """Return a JSON value as a cell of CSV holds it; what is no single value stays JSON."""
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value)
