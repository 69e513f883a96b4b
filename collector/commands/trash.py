"""`collector trash`: list removed photos, bring them back, or delete them for good."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.commands.options import add_data, add_json
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command
from maskage.commands.text_table import align_columns, count_of, list_some
from maskage.console import say, show
from maskage.errors import DatasetError, UsageError
from maskage.outside_text import path_to_text, shown_text
from maskage.shell_words import join_words

if TYPE_CHECKING:
    from maskage.dataset.edits import Edit
    from maskage.dataset.full_disk import DeletingStore
    from maskage.dataset.store import PhotoStore
    from maskage.dataset.trash import TrashedPhoto

_MOST_ROWS = 20
_WORD = "empty"


def _add_options(parser: CommandParser) -> None:
    add_data(parser)
    parser.add_argument(
        "--restore", nargs="+", metavar="PATH", help="bring these back, such as mask_old/a.jpg"
    )
    parser.add_argument("--restore-all", action="store_true", help="bring all of them back")
    parser.add_argument(
        "--into", metavar="CLASS", help="bring them back into this class (default: their own)"
    )
    parser.add_argument("--empty", action="store_true", help="delete all of them for good")
    parser.add_argument(
        "--damaged",
        action="store_true",
        help="list, or delete with --empty, the photos that `collector doctor` set aside",
    )
    parser.add_argument("--yes", action="store_true", help="delete without asking")
    add_json(parser)


def _run_trash(arguments: argparse.Namespace) -> int:
    _check_options(arguments)
    root: Path = arguments.data
    from maskage.dataset.damaged_photos import list_damaged
    from maskage.dataset.full_disk import DeletingStore
    from maskage.dataset.outside_folders import require_dataset
    from maskage.dataset.store import PhotoStore
    from maskage.dataset.trash import list_trash, read_trash
    from maskage.formats.classes.classes_file import read_scheme

    require_dataset(root, read_scheme(root))
    if arguments.restore or arguments.restore_all:
        with PhotoStore(root) as store:
            return _restore(store, list_trash(store), arguments)
    if arguments.empty:
        # It stays open during the question, so that exactly what is shown is deleted.
        with DeletingStore(root) as opened:
            listed = list_damaged(root) if arguments.damaged else read_trash(root)
            return _empty(root, opened, listed, arguments)
    return _list(root, read_trash(root), list_damaged(root), arguments)


def _check_options(arguments: argparse.Namespace) -> None:
    given = [name for name in ("restore", "restore_all", "empty") if getattr(arguments, name)]
    if len(given) > 1:
        first, second = (name.replace("_", "-") for name in given[:2])
        raise UsageError(f"--{first} and --{second} exclude each other.")
    if arguments.into is not None and given not in (["restore"], ["restore_all"]):
        raise UsageError("--into goes with --restore or --restore-all.")
    if arguments.yes and given != ["empty"]:
        raise UsageError("--yes goes with --empty; nothing else asks.")
    if arguments.damaged and given not in ([], ["empty"]):
        raise UsageError(
            "Damaged photos cannot be decoded, and do not come back. Repair such a file with "
            "another program, move it into its class folder, and run `collector doctor --fix`."
        )


def _list(
    root: Path,
    trash: Sequence["TrashedPhoto"],
    damaged: Sequence["TrashedPhoto"],
    arguments: argparse.Namespace,
) -> int:
    if arguments.json:
        found = {"dataset": path_to_text(str(root)), "trash": [_as_json(each) for each in trash]}
        show(json.dumps(found | {"damaged": [_as_json(each) for each in damaged]}))
        return 0
    listed, place = (damaged, "set aside as damaged") if arguments.damaged else (trash, "in trash")
    show(f"{root}: {count_of(len(listed), 'photo')} {place}{_by_class(listed)}")
    if listed:
        rows = [("photo", "removed", "subject"), *(_row(each) for each in listed[:_MOST_ROWS])]
        show(*(f"  {line}" for line in align_columns(rows, [False] * 3)))
    if len(listed) > _MOST_ROWS:
        show(f"  and {len(listed) - _MOST_ROWS} more; --json lists all")
    command = ["collector", "trash", str(root)]
    if damaged and not arguments.damaged:
        show(
            f"{count_of(len(damaged), 'photo')} set aside as damaged: list them with "
            f"{join_words([*command, '--damaged'])}"
        )
    if trash and not arguments.damaged:
        show(f"Next: {join_words([*command, '--restore-all'])}, --restore PATH, or --empty")
    return 0


def _restore(
    store: "PhotoStore", trash: Sequence["TrashedPhoto"], arguments: argparse.Namespace
) -> int:
    from maskage.dataset.trash import restore_photos

    chosen = _choose(store.root, trash, arguments.restore) if arguments.restore else list(trash)
    edits = restore_photos(store, chosen, arguments.into)
    if arguments.json:
        pairs = [
            {"from": path_to_text(each.photo.path), "to": path_to_text(edit.photo.path)}
            for each, edit in zip(chosen, edits, strict=True)
        ]
        show(json.dumps({"dataset": path_to_text(str(store.root)), "restored": pairs}))
        return 0
    show(f"{count_of(len(edits), 'photo')} restored in {store.root}{_by_label(edits)}")
    for each, edit in zip(chosen, edits, strict=True):
        if each.photo.path != edit.photo.path:
            show(f"  {shown_text(each.photo.path)} is now {shown_text(edit.photo.path)}")
    return 0


def _choose(
    root: Path, trash: Sequence["TrashedPhoto"], paths: Sequence[str]
) -> list["TrashedPhoto"]:
    """Return the photos in the trash that these paths name.

    Raises:
        DatasetError: A path names none, or more than one.
    """
    from maskage.dataset.photo_files import TRASH as TRASH_FOLDER
    from maskage.formats.metadata_file import folders_as_written
    from maskage.formats.tables.table_match import match_table

    named = {each.photo.path: each for each in trash}
    wanted = {Path(path).as_posix(): True for path in paths}
    places = [*folders_as_written(root / TRASH_FOLDER), *folders_as_written(root)]
    match = match_table(wanted, named, folders=places)
    if match.unmatched_rows:
        raise DatasetError(
            f"{root}: not in the trash: {list_some([*map(shown_text, match.unmatched_rows)])}."
            + "".join(f" {note}." for note in match.notes if "more than one" in note)
            + f" List what is there with: {join_words(['collector', 'trash', str(root)])}. Nothing "
            f"was restored."
        )
    return [each for path, each in named.items() if path in match.rows]


def _empty(
    root: Path,
    opened: "DeletingStore",
    listed: Sequence["TrashedPhoto"],
    arguments: argparse.Namespace,
) -> int:
    from maskage.dataset.trash import empty_trash

    if listed and not arguments.yes and not _is_agreed(root, listed):
        say("Nothing was deleted.")
        return 0
    store = opened.open_store(each.file for each in listed)
    deleted = empty_trash(store, listed, opened.deleted)
    if arguments.json:
        show(json.dumps({"dataset": path_to_text(str(root)), "deleted": deleted}))
    else:
        show(f"{count_of(deleted, 'photo')} deleted for good{_by_class(listed)}")
    return 0


def _is_agreed(root: Path, listed: Sequence["TrashedPhoto"]) -> bool:
    """Ask whether photos are to be deleted.

    Raises:
        UsageError: There is no terminal to ask at.
    """
    what = f"{count_of(len(listed), 'photo')} of {root}{_by_class(listed)}"
    if not sys.stdin.isatty():
        raise UsageError(
            f"Deleting {what} for good needs a yes, and there is no terminal to ask at. Add --yes. "
            f"Nothing was deleted."
        )
    sys.stderr.write(f"This deletes {what} for good. Type {_WORD} to go on: ")
    sys.stderr.flush()
    try:
        return input().strip() == _WORD
    except EOFError:
        return False


def _row(each: "TrashedPhoto") -> tuple[str, str, str]:
    since = "-" if each.removed_at is None else each.removed_at[:16].replace("T", " ")
    return shown_text(each.photo.path), since, shown_text(each.photo.subject or "-")


def _as_json(each: "TrashedPhoto") -> dict[str, object]:
    photo = each.photo
    return {
        "path": path_to_text(photo.path),
        "label": photo.label,
        "subject": photo.subject,
        "session": photo.session,
        "removed_at": each.removed_at,
        "file": path_to_text(str(each.file)),
        "has_row": each.row_path is not None,
    }


def _by_class(listed: Sequence["TrashedPhoto"]) -> str:
    return _counts(Counter(each.photo.label for each in listed))


def _by_label(edits: Sequence["Edit"]) -> str:
    return _counts(Counter(edit.photo.label for edit in edits))


def _counts(counts: Counter[str]) -> str:
    """Return ": 2 mask_old, 1 mask_young", or an empty string."""
    parts = [f"{count} {shown_text(label)}" for label, count in sorted(counts.items())]
    return f": {', '.join(parts)}" if parts else ""


TRASH = Command(
    "trash",
    "list removed photos, bring them back, or delete them for good",
    "List the photos that were removed from a dataset: since when, of which class and person. "
    "Bring some or all of them back, or delete them for good.",
    _add_options,
    _run_trash,
    epilog="A deleted photo that named a person keeps the row by which `collector forget` finds "
    "copies of it.",
)
