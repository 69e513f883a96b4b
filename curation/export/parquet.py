"""Parquet: data/<split>-00000.parquet, pictures in it, as Hugging Face datasets reads it."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from curation.export.facts import PictureFacts
from maskage.errors import EnvironmentProblemError
from maskage.formats.curated.export_file import PARQUET
from maskage.installation import explain_install
from maskage.system.files import make_private

DATA = "data"
_ROWS_IN_GROUP = 100
_BYTES_IN_FILE = 400_000_000


def require_parquet() -> None:
    """Check that Parquet can be written.

    Raises:
        EnvironmentProblemError: pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as fault:
        raise EnvironmentProblemError(
            f"--to parquet needs pyarrow, which is not here. Install it with "
            f"{explain_install(PARQUET)}, or take another format."
        ) from fault


class ParquetWriter:
    """A writer of the Parquet files of an export, a hundred pictures at a time.

    Args:
        folder: Folder of the export.
        labels: The classes, in order.
        with_subjects: True for a column of pseudonyms.
    """

    def __init__(self, folder: Path, labels: Sequence[str], *, with_subjects: bool) -> None:
        self._folder = folder / DATA
        self._folder.mkdir(mode=0o700)
        self._labels, self._with_subjects = labels, with_subjects
        self._schema = _make_schema(labels, with_subjects)
        self._rows: list[dict[str, Any]] = []
        self._writer: Any = None
        self._split, self._files, self._bytes = "", 0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._flush()
        self._close_file()

    def add(self, facts: PictureFacts, data: bytes) -> None:
        """Add a picture; those of a split follow one another.

        Raises:
            OSError: The disk refused.
        """
        split = facts.split or "all"
        if split != self._split:
            self._flush()
            self._close_file()
            self._split, self._files = split, 0
        row: dict[str, Any] = {
            "image": {"bytes": data, "path": facts.file_name},
            "label": self._labels.index(facts.label),
            "group": facts.group,
        }
        if self._with_subjects:
            row["subject"] = facts.subject
        self._rows.append(row)
        self._bytes += len(data)
        if len(self._rows) == _ROWS_IN_GROUP:
            self._flush()
            if self._bytes >= _BYTES_IN_FILE:
                self._close_file()

    def _flush(self) -> None:
        import pyarrow
        import pyarrow.parquet

        if not self._rows:
            return
        if self._writer is None:
            path = self._folder / f"{self._split}-{self._files:05d}.parquet"
            self._writer = pyarrow.parquet.ParquetWriter(path, self._schema)
            make_private(path)
            self._files += 1
        table = pyarrow.Table.from_pylist(self._rows, self._schema)
        self._writer.write_table(table, row_group_size=_ROWS_IN_GROUP)
        self._rows = []

    def _close_file(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer, self._bytes = None, 0


def _make_schema(labels: Sequence[str], with_subjects: bool) -> Any:
    import pyarrow

    picture = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    columns = [("image", picture), ("label", pyarrow.int64()), ("group", pyarrow.string())]
    features: dict[str, Any] = {
        "image": {"_type": "Image"},
        "label": {"names": list(labels), "_type": "ClassLabel"},
        "group": {"dtype": "string", "_type": "Value"},
    }
    if with_subjects:
        columns.append(("subject", pyarrow.string()))
        features["subject"] = {"dtype": "string", "_type": "Value"}
    note = json.dumps({"info": {"features": features}})
    return pyarrow.schema(columns, metadata={"huggingface": note})
