"""`collector edit`: set and correct subject, session and group of photos, and undo it."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.commands.options import add_data, add_json
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command
from maskage.console import say, show
from maskage.errors import DatasetError, UsageError
from maskage.outside_text import path_to_text, shown_text
from maskage.shell_words import join_words

if TYPE_CHECKING:
    from maskage.dataset.edits import Edit
    from maskage.dataset.facts.editing import ReadableDataset
    from maskage.dataset.facts.known_photos import TablePlan
    from maskage.dataset.facts.renamed_subjects import SubjectChanges
    from maskage.dataset.store import PhotoStore
    from maskage.formats.metadata_file import MetadataTable

_FACTS = ("subject", "session", "group")
_COLUMNS = (*_FACTS, "label")


def _add_options(parser: CommandParser) -> None:
    add_data(parser)
    parser.add_argument(
        "--table",
        "--metadata",
        dest="table",
        type=Path,
        metavar="CSV",
        help="take new facts from a table of path and any of subject, session, group; an empty "
        "cell changes nothing",
    )
    parser.add_argument(
        "--photo", nargs="+", metavar="PATH", help="choose these photos, such as mask_old/a.jpg"
    )
    parser.add_argument(
        "--where",
        action="append",
        metavar="NAME=VALUE,...",
        help="choose the photos of which all of these hold: subject, session, group, label, "
        "origin, source and path, the last two with * for any text; nothing after = for photos of "
        "which it is not known",
    )
    parser.add_argument("--subject", metavar="ID", help="pseudonym of who is in the chosen photos")
    parser.add_argument("--session", metavar="ID", help="session that they are from")
    parser.add_argument("--group", metavar="NAME", help="group that stays on one side of a split")
    parser.add_argument(
        "--clear",
        action="append",
        choices=_FACTS,
        metavar="FACT",
        help="remove subject, session or group of the chosen photos; may be given again",
    )
    parser.add_argument(
        "--undo", action="store_true", help="undo the last change, also that of an import's table"
    )
    parser.add_argument("--dry-run", action="store_true", help="show the changes, make none")
    add_json(parser)


def _run_edit(arguments: argparse.Namespace) -> int:
    facts = _facts_of(arguments)
    _check_choice(arguments, facts)
    root: Path = arguments.data
    from maskage.dataset.facts.editing import DatasetOnDisk
    from maskage.dataset.outside_folders import require_dataset
    from maskage.dataset.store import PhotoStore
    from maskage.formats.classes.classes_file import read_scheme

    require_dataset(root, read_scheme(root))
    table = _read_table(arguments.table) if arguments.table else None
    if arguments.dry_run:
        return _edit(DatasetOnDisk(root), None, table, facts, arguments)
    with PhotoStore(root) as store:
        if arguments.undo:
            return _undo(store, arguments)
        return _edit(store, store, table, facts, arguments)


def _facts_of(arguments: argparse.Namespace) -> dict[str, str | None]:
    """Return the new facts of the chosen photos; None where one is removed.

    Raises:
        UsageError: A fact is given and removed, or cannot be one.
    """
    from maskage.dataset.consent import check_subject

    facts: dict[str, str | None] = {}
    for name in _FACTS:
        value: str | None = getattr(arguments, name)
        if value is None:
            continue
        if not value.strip():
            raise UsageError(f"--{name} is empty. To remove it, write --clear {name}.")
        facts[name] = check_subject(value) if name == "subject" else value.strip()
    for name in arguments.clear or ():
        if name in facts and facts[name] is not None:
            raise UsageError(f"--{name} and --clear {name} exclude each other.")
        facts[name] = None
    return facts


def _check_choice(arguments: argparse.Namespace, facts: Mapping[str, str | None]) -> None:
    """Refuse a command line that does not say what to do with which photos.

    Raises:
        UsageError: It does not.
    """
    ways = [name for name in ("undo", "table", "photo", "where") if getattr(arguments, name)]
    if len(ways) > 1:
        raise UsageError(f"--{ways[0]} and --{ways[1]} exclude each other.")
    if not ways:
        raise UsageError(
            "Choose photos with --photo PATH or --where NAME=VALUE, or name a --table; or --undo "
            "the last change."
        )
    if arguments.undo and arguments.dry_run:
        raise UsageError("--undo takes no --dry-run.")
    if ways[0] in ("undo", "table") and facts:
        raise UsageError(
            f"--{ways[0]} takes no --{next(iter(facts))}: that goes with --photo or --where."
        )
    if ways[0] in ("photo", "where") and not facts:
        raise UsageError(
            f"Say what to change in the photos that --{ways[0]} chooses: --subject, --session, "
            f"--group, or --clear one of these."
        )


def _read_table(path: Path) -> "MetadataTable":
    from collector.commands.table_report import check_pseudonyms
    from maskage.formats.metadata_file import read_metadata

    table = read_metadata(path, _COLUMNS)
    check_pseudonyms(table)
    return table


def _edit(
    dataset: "ReadableDataset",
    store: "PhotoStore | None",
    table: "MetadataTable | None",
    facts: Mapping[str, str | None],
    arguments: argparse.Namespace,
) -> int:
    """Show what changes, and change it.

    Args:
        dataset: The dataset.
        store: The same, open for writing; None for a dry run.
        table: The table that says what changes; None where `facts` do.
        facts: New facts of the photos that the command line chooses.
        arguments: The command line.
    """
    from maskage.dataset.facts.editing import carry_out, subject_changes

    if table is not None:
        planned, left_over = _plan_by_table(dataset, table)
    else:
        planned, left_over = _plan_chosen(dataset, facts, arguments), {}
    missing = left_over.get("missing", ())
    changes = subject_changes(dataset, planned.plan)
    if store is not None:
        carry_out(store, planned.plan, changes)
    if arguments.json:
        edits = planned.plan.edits
        is_changed = store is not None and bool(edits)
        found = _as_json(dataset.root, edits, is_done=is_changed)
        found |= {"unchanged": planned.plan.unchanged, **left_over}
        found |= {"notes": [*planned.notes, *changes.notes], "renamed": _renamed_as_json(changes)}
        show(json.dumps(found))
    else:
        _show_changes(dataset.root, planned, changes, is_done=store is not None)
    if table is not None:
        _require_all_rows(dataset.root, table, planned, len(missing))
    return 0


def _require_all_rows(
    root: Path, table: "MetadataTable", planned: "TablePlan", missing: int
) -> None:
    """Refuse to call a table done of which rows did nothing.

    Raises:
        DatasetError: Rows name no photo, or another class.
    """
    what = []
    if missing:
        what.append(f"{missing} of its {len(table)} rows name no photo of {root}")
    if others := len(planned.disagreeing):
        what.append(f"{others} name another class than the photo is in, which no table changes")
    if what:
        raise DatasetError(
            f"{table.path}: {', and '.join(what)}. The other rows are done. Correct the table, or "
            f"move photos to another class in `collector review {root}`."
        )


def _plan_by_table(
    dataset: "ReadableDataset", table: "MetadataTable"
) -> "tuple[TablePlan, dict[str, list[str]]]":
    """Return what a table changes, and the rows and photos that are left over, for JSON."""
    from collector.commands.table_report import report_rows
    from maskage.dataset.facts.known_photos import plan_table
    from maskage.dataset.facts.photo_choice import aliases_of
    from maskage.formats.metadata_file import match_metadata
    from maskage.formats.tables.table_match import require_rows

    photos = {photo.path: photo for photo in dataset.photos()}
    match = match_metadata(table, photos, dataset.root, aliases_of(photos.values()))
    require_rows(match, table.path, dataset.root)
    report_rows(table, match, dataset.root)
    planned = plan_table((photos[name], row) for name, row in match.rows.items())
    return planned, {
        "missing": [path_to_text(path) for path in match.unmatched_rows],
        "untabled": [path_to_text(path) for path in match.unmatched_names],
    }


def _plan_chosen(
    dataset: "ReadableDataset", facts: Mapping[str, str | None], arguments: argparse.Namespace
) -> "TablePlan":
    from maskage.dataset.facts.fact_changes import plan_facts
    from maskage.dataset.facts.known_photos import TablePlan
    from maskage.dataset.facts.photo_choice import choose_paths, choose_where, read_conditions

    photos = dataset.photos()
    if arguments.photo:
        chosen = choose_paths(photos, arguments.photo, dataset.root)
    else:
        chosen = choose_where(photos, read_conditions(arguments.where))
        if not chosen:
            raise DatasetError(
                f"{dataset.root}: of its {len(photos)} photos none has "
                f"{shown_text(', '.join(arguments.where))}. Nothing was changed."
            )
    return TablePlan(plan_facts((photo, facts) for photo in chosen))


def _show_changes(
    root: Path, planned: "TablePlan", changes: "SubjectChanges", *, is_done: bool
) -> None:
    from maskage.dataset.facts.fact_changes import describe_changes

    edits, unchanged = planned.plan.edits, planned.plan.unchanged
    photos = "1 photo" if len(edits) == 1 else f"{len(edits)} photos"
    same = f"; {unchanged} have these facts already" if unchanged else ""
    show(f"{photos} {'changed' if is_done else 'would change'}{same}")
    for line in describe_changes(edits):
        show(f"{'':>6}{line}")
    for note in (*planned.notes, *changes.notes):
        say(note)
    if not is_done:
        say("A dry run: nothing was changed.")
    elif edits:
        show(f"Undo with: {join_words(['collector', 'edit', str(root), '--undo'])}")


def _undo(store: "PhotoStore", arguments: argparse.Namespace) -> int:
    from maskage.dataset.facts.editing import undo_last
    from maskage.dataset.facts.fact_changes import describe_changes

    undone = undo_last(store)
    if arguments.json:
        found = _as_json(store.root, undone.edits, is_done=True)
        found["changed_since"] = [path_to_text(path) for path in undone.changed_since]
        found["gone"] = [path_to_text(path) for path in undone.gone]
        show(json.dumps(found))
        return 0
    photos = "1 photo is" if len(undone.edits) == 1 else f"{len(undone.edits)} photos are"
    show(f"{photos} as before the change of {undone.step.at[:16].replace('T', ' ')}")
    for line in describe_changes(undone.edits):
        show(f"{'':>6}{line}")
    for names, why in (
        (undone.changed_since, "were changed since, and keep that"),
        (undone.gone, "are not in the dataset any more"),
    ):
        if names:
            show(f"{len(names)} {why} (the first is {shown_text(names[0])})")
    for each in undone.step.renamed:
        if each.moves_consent:
            say(f"The consent is that of {shown_text(each.former)} again.")
    return 0


def _as_json(root: Path, edits: "Sequence[Edit]", *, is_done: bool) -> dict[str, object]:
    from maskage.dataset.facts.fact_changes import changes_of

    photos = [
        {
            "path": path_to_text(edit.photo.path),
            "before": {change.fact: change.before for change in changes_of(edit)},
            "after": {change.fact: change.after for change in changes_of(edit)},
        }
        for edit in edits
    ]
    return {"dataset": path_to_text(str(root)), "changed": is_done, "photos": photos}


def _renamed_as_json(changes: "SubjectChanges") -> list[dict[str, object]]:
    return [
        {"from": each.former, "to": each.new, "consent_moved": each.moves_consent}
        for each in changes.renamed
    ]


EDIT = Command(
    "edit",
    "set or correct subject, session and group of photos",
    "Set, correct or remove what is known of photos that the dataset has: their subject, session "
    "and group. Shows what changed; --undo takes it back, also after another command.",
    _add_options,
    _run_edit,
    epilog="collector edit --where subject=pp01 --subject p01\n"
    "collector edit --where label=mask_old,subject= --subject p07\n"
    "collector edit --photo mask_old/a.jpg mask_old/b.jpg --session monday\n"
    "collector edit --table subjects.csv\n"
    "\n"
    "Exit code 4 if rows of a table did nothing: they name no photo, or another class\n"
    "than the photo is in. The other rows are done.\n"
    "\n"
    "A person whose photos all get another pseudonym keeps the consent on record under\n"
    "the new one.",
)
