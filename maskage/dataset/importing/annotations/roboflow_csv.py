"""Roboflow's CSV exports: a row a box, or a column a class with 1 for what the picture shows.

Source: Roboflow's formats "Tensorflow Object Detection CSV" (`_annotations.csv`: filename, width,
height, class, xmin, ymin, xmax, ymax, in px) and "Multi-Label Classification CSV" (`_classes.csv`:
filename, then a column for each class).
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from maskage.dataset.importing.annotations.annotated_folder import AnnotatedFolder
from maskage.dataset.importing.annotations.json_values import as_number, as_size
from maskage.dataset.importing.annotations.records import Drawings, DrawnBox, DrawnPicture
from maskage.dataset.importing.annotations.shapes import edges_of_corners
from maskage.errors import DatasetError
from maskage.formats.tables.table_rows import RawTable, TableRow, parse_table
from maskage.formats.tables.table_text import decode_table

BOXES_KIND, CLASSES_KIND = "CSV with boxes", "CSV with a column for each class"

NO_ONE = "a row of the table that has 1 for no class"

_CLASSES_NAME = "_classes.csv"
_EDGES = ("xmin", "ymin", "xmax", "ymax")
_PICTURE, _LABEL = "filename", "class"


def is_annotation_table(path: Path) -> bool:
    """Return whether a table holds boxes, or a column for each class."""
    try:
        table = _parse(path.read_bytes(), path.name)
    except (OSError, DatasetError):
        return False
    return _has_boxes(table) or _has_classes(table, path.name)


def read_csv_files(folder: AnnotatedFolder) -> Iterator[Drawings]:
    """Yield the annotations in each CSV file that holds any."""
    for path in folder.with_suffix(".csv"):
        try:
            table = _parse(folder.read_bytes(path), path)
        except (OSError, DatasetError):
            continue
        if _has_boxes(table):
            yield Drawings(BOXES_KIND, tuple(_read_boxes(table, path)), used=frozenset((path,)))
        elif _has_classes(table, PurePosixPath(path).name):
            pictures = tuple(_read_classes(table, path))
            yield Drawings(CLASSES_KIND, pictures, used=frozenset((path,)))


def _parse(data: bytes, name: str) -> RawTable:
    return parse_table(decode_table(data, name), name)


def _has_boxes(table: RawTable) -> bool:
    return {_PICTURE, _LABEL, *_EDGES} <= set(map(str.casefold, table.columns))


def _has_classes(table: RawTable, name: str) -> bool:
    cells = (row.cells.get(each) for row in table.rows for each in table.columns[1:])
    is_named = name.casefold().endswith(_CLASSES_NAME) and len(table.columns) > 1
    if not is_named or table.columns[0].casefold() != _PICTURE:
        return False
    return all(each in ("0", "1") for each in cells if each)


def _read_boxes(table: RawTable, path: str) -> Iterator[DrawnPicture]:
    columns = {each.casefold(): each for each in table.columns}

    def cell(row: TableRow, name: str) -> str:
        return row.cells.get(columns.get(name, ""), "")

    rows: dict[str, list[TableRow]] = {}
    for row in table.rows:
        rows.setdefault(cell(row, _PICTURE), []).append(row)
    for name, some in rows.items():
        boxes = []
        for row in some:
            edges = edges_of_corners([as_number(cell(row, each)) for each in _EDGES])
            boxes.append(DrawnBox(cell(row, _LABEL), *edges))
        size = as_size(as_number(cell(some[0], "width")), as_number(cell(some[0], "height")))
        yield DrawnPicture(path, (name,), tuple(boxes), size=size)


def _read_classes(table: RawTable, path: str) -> Iterator[DrawnPicture]:
    name_column, *classes = table.columns
    for row in table.rows:
        shown = tuple(each for each in classes if row.cells.get(each) == "1")
        faults = () if shown else (NO_ONE,)
        yield DrawnPicture(path, (row.cells[name_column],), whole=shown, faults=faults)
