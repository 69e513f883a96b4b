"""An SQLite database that takes the name of any file; SQLite's own text is UTF-8 only.

In a module of its own so that nothing but the manifest's reading and writing has to know of it.
"""

import sqlite3
from collections.abc import Iterable, Sequence

from maskage.outside_text import path_to_text


class NameDatabase(sqlite3.Connection):
    """A connection whose text parameters may hold what is not UTF-8, as `path_to_text` writes it.

    What a query returns is text as it is stored: `text_to_path` makes the name of it.
    """

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        return super().execute(sql, _storable(parameters))

    def executemany(self, sql: str, rows: Iterable[Sequence[object]], /) -> sqlite3.Cursor:  # type: ignore[override]
        return super().executemany(sql, map(_storable, rows))


def _storable(parameters: Sequence[object]) -> tuple[object, ...]:
    return tuple(path_to_text(each) if isinstance(each, str) else each for each in parameters)
