"""`collector consent` and `collector forget`: who agreed to be photographed, and who left."""

import argparse
import json
import os
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.commands.options import add_data, add_json
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command
from maskage.console import say, say_block, show, show_block
from maskage.dataset.consent import (
    SELF_BASIS,
    Consent,
    check_subject,
    find_objection,
    parse_day,
)
from maskage.dataset.privacy.consent_report import (
    HEADINGS,
    as_table,
    consent_as_json,
    consent_row,
    describe_consent,
)
from maskage.errors import DatasetError, UsageError
from maskage.outside_text import join_lines, shown_text

if TYPE_CHECKING:
    from maskage.dataset.privacy.forgetting import ForgetPlan


def run_consent(arguments: argparse.Namespace, today: date | None = None) -> int:
    """List the consents of a dataset, or record one, and return the exit code.

    Args:
        arguments: From the options of `CONSENT`.
        today: The current day; None for the clock's.
    """
    today = today or date.today()
    recording = (arguments.basis, arguments.is_self, arguments.on, arguments.expires)
    if arguments.subject and any((*recording, arguments.minor, arguments.guardian)):
        return _record(arguments, today)
    if any((*recording, arguments.minor, arguments.guardian)):
        raise UsageError("Say whose consent it is: `collector consent p07 --basis 'form 12'`.")
    return _list_consents(arguments, today)


def _run_forget(arguments: argparse.Namespace) -> int:
    from maskage.dataset.full_disk import DeletingStore
    from maskage.dataset.privacy.forgetting import forget, plan_forgetting
    from maskage.formats.dataset_folder import manifest_path

    root, subject, places = arguments.data, arguments.subject, _places(arguments)
    # Without a manifest nobody is known, and such a folder must not be turned into a dataset.
    if arguments.dry_run or not manifest_path(root).is_file():
        plan = plan_forgetting(root, subject, *places)
        _show_going(plan, arguments)
        say("A dry run: nothing was changed.")
        return _show_left(plan, arguments, is_done=False)
    if not arguments.yes and not sys.stdin.isatty() and not _is_done_before(root, subject):
        raise UsageError(
            f"To forget {subject} needs a yes, and there is no terminal to ask at. See what would "
            f"be removed with --dry-run, then add --yes. Nothing was changed."
        )
    # The dataset stays open during the question, so that exactly what is shown is removed.
    with DeletingStore(root) as opened:
        plan = plan_forgetting(root, subject, *places)
        _show_going(plan, arguments)
        is_agreed = arguments.yes or not plan.is_going or _is_agreed(subject)
        if is_agreed:
            forget(opened.open_store(root / path for path in plan.files), plan)
    if not is_agreed:
        say("Nothing was changed.")
        return _show_left(plan, arguments, is_done=False) if arguments.json else 0
    _warn_of_readers(manifest_path(root))
    if not arguments.json and not plan.is_repeat:
        show(f"{subject} is forgotten, with all of the above.")
    return _show_left(plan, arguments, is_done=True)


def _is_done_before(root: Path, subject: str) -> bool:
    """Return whether the person is gone already, so that nobody need be asked again."""
    from maskage.dataset.privacy.subject_files import known_subjects
    from maskage.dataset.privacy.tombstones import open_tombstone

    return subject not in known_subjects(root) and bool(open_tombstone(root, subject).marks)


def _places(arguments: argparse.Namespace) -> tuple[list[Path], Path | None]:
    """Return the folders to search, and the cache that the environment names.

    Raises:
        UsageError: A folder does not exist.
    """
    from maskage.system.paths import named_cache

    look_in = arguments.look_in or [arguments.data.resolve().parent, Path.cwd()]
    for folder in look_in:
        if not folder.is_dir():
            raise UsageError(f"--look-in {folder}: no such folder. Nothing was changed.")
    return look_in, named_cache(os.environ)


def _show_going(plan: "ForgetPlan", arguments: argparse.Namespace) -> None:
    """Print what will be removed: as a result, or, beside JSON, only for the question."""
    from maskage.dataset.privacy.forget_report import plan_as_text

    if not arguments.json:
        show_block(plan_as_text(plan))
    elif not arguments.yes and not arguments.dry_run:
        say_block(plan_as_text(plan))


def _show_left(plan: "ForgetPlan", arguments: argparse.Namespace, *, is_done: bool) -> int:
    from maskage.dataset.privacy.forget_report import left_as_text, plan_as_json

    if arguments.json:
        show(json.dumps(plan_as_json(plan, is_done=is_done)))
    else:
        nothing = join_lines([f"Nothing else that was found holds {plan.subject}."])
        show_block(left_as_text(plan) or nothing)
    return 0


def _warn_of_readers(manifest: Path) -> None:
    log = manifest.with_name(f"{manifest.name}-wal")
    if log.exists() and log.stat().st_size:
        say(
            f"{log} still holds what was deleted, because another program reads the manifest. "
            f"Quit it, then run the same command again: it finds nobody, and empties the log."
        )


def _add_forget_options(parser: CommandParser) -> None:
    parser.add_word("--subject", nargs=None, metavar="SUBJECT", help="pseudonym, such as p07")
    add_data(parser)
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    parser.add_argument("--dry-run", action="store_true", help="show the plan, change nothing")
    parser.add_argument(
        "--look-in",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="search these, up to 3 folders down, for what was made of the photos (default: the "
        "folder that holds the dataset, and the current one)",
    )
    add_json(parser)


def _is_agreed(subject: str) -> bool:
    sys.stderr.write(f"This cannot be undone. Type {shown_text(subject)} to go on: ")
    sys.stderr.flush()
    try:
        return input().strip() == subject
    except EOFError:
        return False


def _add_consent_options(parser: CommandParser) -> None:
    parser.add_word("--subject", metavar="SUBJECT", help="pseudonym, such as p07")
    add_data(parser)
    basis = parser.add_mutually_exclusive_group()
    basis.add_argument("--basis", help="what it rests on, such as 'form 12'")
    basis.add_argument(
        "--self", action="store_true", dest="is_self", help="you photograph yourself"
    )
    parser.add_argument("--on", metavar="DAY", help="first day of the consent (default: today)")
    parser.add_argument("--expires", metavar="DAY", help="last day of it (default: no end)")
    parser.add_argument("--minor", action="store_true", help="somebody agreed in their place")
    parser.add_argument("--guardian", metavar="ROLE", help="who agreed: 'mother', not a name")
    add_json(parser)


def _record(arguments: argparse.Namespace, today: date) -> int:
    consent = _consent_of(arguments, today)
    from maskage.dataset.store import PhotoStore

    with PhotoStore(arguments.data) as store:
        former = store.consents().get(consent.subject)
        store.record_consent(consent)
    if arguments.json:
        replaced = None if former is None else consent_as_json(former.subject, former, today)
        show(json.dumps({**consent_as_json(consent.subject, consent, today), "replaced": replaced}))
        return 0
    show(f"{consent.subject}: on record in {arguments.data}: {describe_consent(consent)}.")
    if former is not None:
        show(f"It replaces: {describe_consent(former)}.")
    return 0


def _consent_of(arguments: argparse.Namespace, today: date) -> Consent:
    """Return the consent that a command line describes.

    Raises:
        UsageError: Something is missing, or the consent has ended already.
    """
    subject = check_subject(arguments.subject)
    if not arguments.is_self and arguments.basis is None:
        raise UsageError(
            f"Say what the consent of {subject} rests on: --basis 'form 12', or --self."
        )
    if arguments.guardian and not arguments.minor:
        raise UsageError(
            f"--guardian is who agreed for a minor; found it without --minor. Add --minor, or "
            f"leave it out if {subject} is of age."
        )
    expires_on = parse_day(arguments.expires) if arguments.expires is not None else None
    if expires_on is not None and expires_on < today:
        raise UsageError(
            f"--expires {expires_on} is past: today is {today}, so nobody might be photographed "
            f"on it. Name a later day, or leave it out for no end."
        )
    try:
        return Consent(
            subject,
            SELF_BASIS if arguments.is_self else arguments.basis.strip(),
            parse_day(arguments.on) if arguments.on is not None else today,
            expires_on,
            is_minor=arguments.minor,
            guardian=arguments.guardian,
        )
    except ValueError as fault:
        raise UsageError(str(fault)) from fault


def _list_consents(arguments: argparse.Namespace, today: date) -> int:
    from maskage.dataset.manifest.reading import read_consents
    from maskage.dataset.photo_listing import list_photos
    from maskage.dataset.privacy.forget_report import count
    from maskage.dataset.privacy.subject_files import known_subjects

    root = arguments.data
    photos = Counter(photo.subject for photo in list_photos(root))
    consents = read_consents(root)
    subjects = sorted(known_subjects(root))
    if arguments.subject is not None:
        if arguments.subject not in subjects:
            raise DatasetError(
                f"{root}: no photos and no consent of {arguments.subject}. Put a consent on record "
                f"with `collector consent {arguments.subject} --basis 'form 12'`, or with --self."
            )
        subjects = [arguments.subject]
    if arguments.json:
        listed = [
            {**consent_as_json(name, consents.get(name), today), "photos": photos[name]}
            for name in subjects
        ]
        found = {"dataset": str(root), "subjects": listed, "photos_of_nobody_named": photos[None]}
        show(json.dumps(found))
        return 0
    rows: list[tuple[str, ...]] = [HEADINGS]
    rows += [consent_row(name, photos[name], consents.get(name), today) for name in subjects]
    show_block(as_table(rows) if subjects else join_lines([f"{root}: nobody is on record."]))
    if photos[None] and arguments.subject is None:
        show(f"{count(photos[None], 'photo')} of nobody named")
    lacking = [name for name in subjects if find_objection(name, consents, today) and photos[name]]
    if lacking:
        show(
            f"Next: collector consent {lacking[0]} --basis 'form 12', or collector forget "
            f"{lacking[0]}"
        )
    return 0


CONSENT = Command(
    "consent",
    "list who agreed to be photographed, or record it",
    "List who agreed to be photographed. With a basis, put a consent on record; it replaces a "
    "former one.",
    _add_consent_options,
    run_consent,
    epilog="No names are kept: the signed form stays elsewhere, and the basis says which it is.",
)

FORGET = Command(
    "forget",
    "remove a person for good",
    "Remove a person from a dataset for good: photos, trash, rows, consent and caches. Lists what "
    "else shows or names the person, with the command for each: curated sets, runs, models, pages, "
    "tables, pictures and recordings. These are yours to remove and to make again. Given again, "
    "it lists what is still there.",
    _add_forget_options,
    _run_forget,
    epilog="It finds what lies in the folders that it searches, and what these tools wrote "
    "elsewhere. It does not find copies that you took elsewhere yourself (backups, mails).",
)
