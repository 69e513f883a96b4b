"""plan.csv: what became of every photo of a dataset, as `curate` decided it.

path,label,kept,reason,group,split,parent    one row for each photo and each augmented copy
written,change    two more columns, where a photo was encoded anew or renamed for the set

Paths are relative to the dataset, written by `path_to_cell` as the label is; `kept` is 1 or 0. A
row's file lies at <split>/<written>, or at <split>/<path> where `written` is empty or missing.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskage.errors import DatasetError
from maskage.outside_text import cell_to_path, path_to_cell
from maskage.system.files import write_private

PLAN_FILE = "plan.csv"
PLAN_COLUMNS = ("path", "label", "kept", "reason", "group", "split", "parent")
CHANGE_COLUMNS = ("written", "change")
"""Columns of a plan in which a file was encoded anew or renamed; without one they are missing."""

_NEEDED = frozenset({"path", "kept", "group", "split", "parent"})


@dataclass(frozen=True)
class PlanRow:
    """One row of a plan.

    Attributes:
        path: Path of the photo in the dataset; an augmented copy has the one it would have there.
        label: Class folder of the photo.
        is_kept: True if the photo belongs to the set.
        split: "train", "val" or "test"; "" for a photo that is set aside.
        group: Name of the photo's group; "" if it has none.
        reason: Why the photo is set aside; "" if it is kept.
        parent: Path of the photo that an augmented copy was made from; "" for a photo.
        written: Path of the file in its split, where it is not the photo's own bytes and name; ""
            where it is.
        change: What was changed in it, such as "WebP to JPEG"; "" for nothing.
    """

    path: str
    label: str
    is_kept: bool
    split: str = ""
    group: str = ""
    reason: str = ""
    parent: str = ""
    written: str = ""
    change: str = ""

    @property
    def place(self) -> str:
        """The place of the file in the set: "train/mask_old/a.jpg"."""
        return f"{self.split}/{self.written or self.path}"


def write_plan(folder: Path, rows: Iterable[PlanRow]) -> None:
    """Write the plan of the set in `folder`, one line for each row, in the order given.

    Raises:
        OSError: The disk refused.
    """
    rows = list(rows)
    has_changes = any(row.written for row in rows)
    lines = [_line_of((*PLAN_COLUMNS, *(CHANGE_COLUMNS if has_changes else ())))]
    for row in rows:
        path, parent = path_to_cell(row.path), path_to_cell(row.parent)
        label = path_to_cell(row.label)
        cells = (path, label, int(row.is_kept), row.reason, row.group, row.split, parent)
        changes = (path_to_cell(row.written), row.change) if has_changes else ()
        lines.append(_line_of((*cells, *changes)))
    write_private(folder / PLAN_FILE, "".join(lines))


def read_plan(folder: Path) -> Iterator[PlanRow]:
    """Yield the rows of the plan of the set in `folder`; no row if it has no plan.

    Raises:
        DatasetError: The plan is damaged; the rows before the damage were yielded.
    """
    path = folder / PLAN_FILE
    if not path.is_file():
        return
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if lacking := sorted(_NEEDED - set(reader.fieldnames or ())):
                raise _damaged(path, f"without the columns {', '.join(lacking)}")
            for row in reader:
                yield _row_of(row, path, reader.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise _damaged(path, f"{type(fault).__name__}: {fault}") from fault


def read_legible_plan(folder: Path) -> list[PlanRow]:
    """Return the rows of a plan up to its damage; none if the file is something else."""
    rows: list[PlanRow] = []
    try:
        for row in read_plan(folder):
            rows.append(row)
    except DatasetError:
        pass
    return rows


def has_plan(folder: Path) -> bool:
    """Return True if `folder` holds a plan as `write_plan` begins it."""
    try:
        with (folder / PLAN_FILE).open(encoding="utf-8") as file:
            head = file.readline().rstrip("\r\n").split(",")
    except (OSError, UnicodeDecodeError):
        return False
    return head[: len(PLAN_COLUMNS)] == list(PLAN_COLUMNS)


def _line_of(cells: Sequence[object]) -> str:
    line = io.StringIO()
    # With "\n" as its line end, the writer would leave a "\r" in a name bare, which ends a row too.
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().removesuffix("\r\n") + "\n"


def _row_of(row: dict[str, str | None], path: Path, line: int) -> PlanRow:
    name, kept, split = row["path"], row["kept"], row["split"]
    if name is None or kept is None or split is None:
        raise _damaged(path, f"line {line} is cut off")
    return PlanRow(
        path=cell_to_path(name),
        label=cell_to_path(row.get("label") or ""),
        is_kept=kept == "1",
        split=split,
        group=row["group"] or "",
        reason=row.get("reason") or "",
        parent=cell_to_path(row["parent"] or ""),
        written=cell_to_path(row.get("written") or ""),
        change=row.get("change") or "",
    )


def _damaged(path: Path, found: str) -> DatasetError:
    return DatasetError(
        f"{path}: cannot be read as a plan ({found}). It has the columns "
        f"{', '.join(PLAN_COLUMNS)}. Curate again, or remove the file."
    )
