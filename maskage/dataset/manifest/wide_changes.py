"""Changes of many rows at once: a class that is renamed, a person who is forgotten."""

import sqlite3
from collections.abc import Iterable

from maskage.dataset.manifest.reading import former_names


def rename_class_rows(
    db: sqlite3.Connection, folder: str, new_folder: str, *, is_adopted: bool
) -> None:
    """Give the rows and events of a class its new name. In a transaction; may be repeated.

    Args:
        db: The manifest, open.
        folder: Folder of the class.
        new_folder: Its folder afterwards.
        is_adopted: The photos lie in the new folder already, so that a row there is right.
    """
    start, prefix = len(folder) + 2, f"{folder}/"
    is_in = "substr(path, 1, ?) = ?"
    old = (start - 1, prefix)
    if is_adopted:
        db.execute(
            f"UPDATE photos SET path = path || '~' || rowid WHERE {is_in} "
            f"AND ? || substr(path, ?) IN (SELECT path FROM photos WHERE removed_at IS NULL)",
            (*old, f"{new_folder}/", start),
        )
    # A row of a former class of the new name makes way, as the row of a removed photo does.
    db.execute(
        f"UPDATE photos SET path = path || '~' || rowid WHERE path IN "
        f"(SELECT ? || substr(path, ?) FROM photos WHERE {is_in})",
        (f"{new_folder}/", start, *old),
    )
    for table in ("photos", "events"):
        db.execute(
            f"UPDATE {table} SET path = ? || substr(path, ?) WHERE {is_in}",
            (f"{new_folder}/", start, *old),
        )
    named = [("photos", name) for name in ("label", "suggested", "checked", "confirmed")]
    for table, column in (*named, ("events", "label")):
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (new_folder, folder))


def forget_rows(db: sqlite3.Connection, subject: str, paths: Iterable[str]) -> None:
    """Delete every row, event and consent of a subject and of these photos. In a transaction.

    Args:
        db: The manifest, open.
        subject: Pseudonym of the person.
        paths: Paths of rows that are the person's too.
    """
    db.execute("CREATE TEMP TABLE IF NOT EXISTS forgotten (path TEXT PRIMARY KEY)")
    db.execute("CREATE TEMP TABLE IF NOT EXISTS names (name TEXT PRIMARY KEY)")
    db.executemany("INSERT OR IGNORE INTO forgotten VALUES (?)", ((path,) for path in paths))
    db.execute(
        "INSERT OR IGNORE INTO forgotten SELECT path FROM photos WHERE subject = ?",
        (subject,),
    )
    mine = db.execute("SELECT path FROM forgotten").fetchall()
    db.executemany(
        "INSERT OR IGNORE INTO names VALUES (?)",
        ((name,) for (path,) in mine for name in former_names(path)),
    )
    db.execute("DELETE FROM photos WHERE path IN (SELECT path FROM forgotten)")
    # A photo that was relabelled has events under its former folders, by a name that it
    # ever had. Another photo keeps those of its path.
    db.execute(
        "DELETE FROM events WHERE path IN (SELECT path FROM forgotten) OR ("
        "path NOT IN (SELECT path FROM photos) "
        "AND substr(path, instr(path, '/') + 1) IN (SELECT name FROM names))"
    )
    db.execute("DELETE FROM consents WHERE subject = ?", (subject,))
    db.execute("DELETE FROM forgotten")
    db.execute("DELETE FROM names")
