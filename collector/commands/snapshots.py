"""`collector snapshot`, `snapshots`, `diff` and `restore`: a dataset as it was."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.commands.options import add_data, add_json
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command
from maskage.commands.text_table import align_columns
from maskage.console import say, show, show_block, show_progress
from maskage.errors import DatasetError, GateFailedError
from maskage.outside_text import shown_text
from maskage.shell_words import join_words

if TYPE_CHECKING:
    from maskage.dataset.snapshots.snapshot_file import Snapshot
    from maskage.dataset.snapshots.taking import SnapshotSize


def _add_snapshot_options(parser: CommandParser) -> None:
    parser.add_word(
        "--snapshot", dest="name", nargs=None, metavar="NAME", help="name of the snapshot"
    )
    add_data(parser)
    parser.add_argument(
        "--copy",
        action="store_true",
        help="copy the pictures: takes their room once more, and keeps them from programs that "
        "write into the files of photos",
    )


def _run_snapshot(arguments: argparse.Namespace) -> int:
    from maskage.dataset.snapshots.taking import require_free_name, take_snapshot
    from maskage.dataset.store import PhotoStore

    root: Path = arguments.data
    _require_dataset(root)
    require_free_name(root, arguments.name)
    with PhotoStore(root) as store:
        snapshot = take_snapshot(store, arguments.name, show_progress, is_copied=arguments.copy)
    show(f"{len(snapshot.photos):>6} photos kept in the snapshot {snapshot.name} of {root}")
    show(f"To go back to it: {join_words(['collector', 'restore', snapshot.name, str(root)])}")
    return 0


def _add_list_options(parser: CommandParser) -> None:
    add_data(parser)
    parser.add_argument("--delete", metavar="NAME", help="delete a snapshot")
    add_json(parser)


def _run_list(arguments: argparse.Namespace) -> int:
    from maskage.dataset.photo_listing import list_photos
    from maskage.dataset.snapshots.taking import delete_snapshot, measure_snapshots
    from maskage.dataset.store import PhotoStore

    root: Path = arguments.data
    _require_dataset(root)
    if arguments.delete is not None:
        with PhotoStore(root) as store:
            removed = delete_snapshot(store, arguments.delete)
        say(
            f"The snapshot {arguments.delete} is deleted, with {removed} pictures that no other "
            f"snapshot holds."
        )
    sizes = measure_snapshots(root, list_photos(root))
    if arguments.json:
        show(json.dumps({"snapshots": [_as_json(each) for each in sizes]}))
    elif sizes:
        show(*_table(sizes))
    else:
        show(f"{root}: no snapshot yet. `collector snapshot NAME {root}` takes one.")
    if damaged := [each for each in sizes if each.damaged]:
        names = ", ".join(f"{each.snapshot.name} ({each.damaged})" for each in damaged)
        raise DatasetError(
            f"{root}: pictures of snapshots are gone or were changed: {names}. The rest of each "
            f"can be restored; delete it and take another one if it is no longer needed."
        )
    return 0


def _add_diff_options(parser: CommandParser) -> None:
    parser.add_word("--before", nargs=None, metavar="A", help="a snapshot, or 'now'")
    parser.add_word(
        "--after",
        default="now",
        metavar="B",
        help="another snapshot (default: now, the dataset as it is)",
    )
    add_data(parser)
    add_json(parser)
    parser.add_argument(
        "--strict", action="store_true", help="end with 3 where anything is different"
    )


def _run_diff(arguments: argparse.Namespace) -> int:
    from maskage.dataset.snapshots.differences import compare

    root: Path = arguments.data
    if (folder := _as_dataset(arguments)) is not None:
        root, arguments.after = folder, "now"
    _require_dataset(root)
    found = compare(_named(root, arguments.before), _named(root, arguments.after))
    if arguments.json:
        show(json.dumps(found.to_json()))
    else:
        show_block(found)
    if arguments.strict and not found.is_empty:
        raise GateFailedError(
            f"--strict: {arguments.before} and {arguments.after} are not the same."
        )
    return 0


def _as_dataset(arguments: argparse.Namespace) -> Path | None:
    """Return the dataset in `diff A DATA`, where B was left out; None where B is B."""
    from maskage.dataset.snapshots.taking import list_names
    from maskage.defaults import DEFAULT_DATA

    folder = Path(arguments.after)
    is_named = arguments.after == "now" or arguments.after in list_names(arguments.data)
    if arguments.data != DEFAULT_DATA or is_named or not folder.is_dir():
        return None
    return folder


def _named(root: Path, name: str) -> "Snapshot":
    from maskage.dataset.photo_listing import list_photos
    from maskage.dataset.snapshots.taking import NOW, describe_now, find_snapshot

    return describe_now(root, list_photos(root)) if name == NOW else find_snapshot(root, name)


def _add_restore_options(parser: CommandParser) -> None:
    parser.add_word(
        "--snapshot", dest="name", nargs=None, metavar="NAME", help="name of the snapshot"
    )
    add_data(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be changed, and change nothing"
    )


def _run_restore(arguments: argparse.Namespace) -> int:
    from maskage.dataset.photo_listing import list_photos
    from maskage.dataset.snapshots.differences import compare
    from maskage.dataset.snapshots.restoring import restore_snapshot
    from maskage.dataset.snapshots.taking import describe_now, find_snapshot
    from maskage.dataset.store import PhotoStore

    root, name = arguments.data, arguments.name
    _require_dataset(root)
    snapshot = find_snapshot(root, name)
    if arguments.dry_run:
        show_block(compare(describe_now(root, list_photos(root)), snapshot))
        say("A dry run: nothing was changed.")
        return 0
    with PhotoStore(root) as store:
        done = restore_snapshot(store, snapshot, show_progress)
    if done.differences.is_empty:
        show(f"{root} is as it was in the snapshot {name}. Nothing was changed.")
        return 0
    show_block(done.differences)
    if not done.lost:
        show(f"{root} is as it was in the snapshot {name}.")
    if done.differences.removed:
        show(f"{len(done.differences.removed)} photos that {name} did not hold are in the trash.")
    if done.safety is not None:
        back = join_words(["collector", "restore", done.safety.name, str(root)])
        show(f"To take this back: {back}")
    if done.lost:
        raise DatasetError(
            f"{root}: {len(done.lost)} photos of the snapshot could not be brought back, because "
            f"their pictures are gone or were changed (the first is {done.lost[0].photo.path}). "
            f"Everything else is as in {name}. A program that writes into a photo's file changes "
            f"the snapshot's too; `collector snapshot NAME --copy` keeps copies of their own."
        )
    return 0


def _require_dataset(root: Path) -> None:
    from maskage.dataset.class_change_steps import finish_change
    from maskage.dataset.outside_folders import require_dataset
    from maskage.formats.classes.classes_file import read_scheme

    finish_change(root)
    require_dataset(root, read_scheme(root))


def _table(sizes: "list[SnapshotSize]") -> list[str]:
    rows = [("snapshot", "taken (UTC)", "photos", "only here")]
    rows += [
        (
            shown_text(each.snapshot.name),
            each.snapshot.created_at[:19].replace("T", " "),
            str(len(each.snapshot.photos)),
            f"{each.only_here / 1e6:.1f} MB",
        )
        for each in sizes
    ]
    return align_columns(rows, [False, False, True, True])


def _as_json(each: "SnapshotSize") -> dict[str, object]:
    return {
        "name": each.snapshot.name,
        "created_at": each.snapshot.created_at,
        "photos": len(each.snapshot.photos),
        "bytes_only_here": each.only_here,
        "damaged": each.damaged,
    }


SNAPSHOT = Command(
    "snapshot",
    "keep the dataset as it is now, under a name",
    "Keep the dataset as it is now under a name: photos, labels, people, classes. Pictures are "
    "kept by content and share their room on the disk with the photos: a snapshot is cheap. On a "
    "disk that cannot share blocks (ext4, NTFS) they are second names of the same files: deleting, "
    "renaming or replacing a photo does not harm them, but a program that writes into its file in "
    "place does. --copy keeps copies of their own.",
    _add_snapshot_options,
    _run_snapshot,
    epilog="`collector diff` compares, `collector restore` goes back, and `collector forget` takes "
    "a person out of snapshots too.",
)

SNAPSHOTS = Command(
    "snapshots",
    "list the snapshots, or delete one",
    "List the snapshots of a dataset, with the room on the disk that deleting each sets free.",
    _add_list_options,
    _run_list,
)

DIFF = Command(
    "diff",
    "compare two snapshots, or one with the dataset",
    "Compare two snapshots of a dataset, or one with the dataset as it is: photos that were added, "
    "removed, relabelled or renamed, and people, sessions and flags that changed.",
    _add_diff_options,
    _run_diff,
)

RESTORE = Command(
    "restore",
    "bring the dataset back to a snapshot",
    "Bring the dataset back to a snapshot. The dataset as it is is kept in another snapshot first, "
    "and photos that the snapshot does not hold go to the trash: nothing is lost.",
    _add_restore_options,
    _run_restore,
)
