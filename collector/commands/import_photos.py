"""`collector import`: photos and videos that are there already."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from collector.commands.face_lines import FACE_CHOICES
from collector.commands.import_output import (
    copy_consents,
    finish_import,
    print_report,
    report_listing,
    require_success,
    restate,
    say_next,
)
from maskage.commands.options import add_data, add_face_model, add_json, add_metadata
from maskage.commands.parser import CommandParser, offer_words, suggest
from maskage.commands.program import Command
from maskage.console import show, show_progress
from maskage.errors import DatasetError, ToolchainError, UsageError
from maskage.outside_text import path_to_text

if TYPE_CHECKING:
    from maskage.classes.scheme import Scheme


def _add_import_options(parser: CommandParser) -> None:
    from maskage.classes.ready_made import MASK_AGE

    parser.add_word(
        "--source",
        nargs=None,
        type=Path,
        metavar="SOURCE",
        help="folder of pictures, ZIP archive of one, picture, or video",
    )
    add_data(parser)
    label = parser.add_argument(
        "--label", metavar="CLASS", help="class of the dataset that all photos show"
    )
    offer_words(label, MASK_AGE.labels)
    parser.add_argument(
        "--map",
        action="append",
        metavar="FOLDER=CLASS,...",
        help="classes of folders, or of labels in the table, that are named otherwise: "
        "'Mask Old=mask_old,blurred=' (an empty class leaves them out); a folder may be a path "
        "below SOURCE; may be given again",
    )
    parser.add_argument(
        "--add-classes",
        action="store_true",
        help="make new classes of the dataset from folders that it does not know",
    )
    parser.add_argument("--subject", metavar="ID", help="pseudonym of who is in all photos")
    parser.add_argument(
        "--subject-from",
        choices=("folder", "none"),
        help="folder: folders within the classes, or above them, are people; none: they are not "
        "(default: where several of them clearly are the same people in several classes)",
    )
    parser.add_argument("--session", metavar="ID", help="session that all photos are from")
    add_metadata(parser, "subject, session, group, label", "which go into the manifest")
    parser.add_argument(
        "--every", type=float, default=0.5, metavar="S",
        help="seconds between two frames that are taken from a video (default: 0.5)",
    )  # fmt: skip
    parser.add_argument(
        "--find-faces",
        action="store_true",
        help="cut faces out of the pictures; out of a video they are always cut",
    )
    parser.add_argument(
        "--faces",
        choices=FACE_CHOICES,
        help="the faces that are cut out of a picture or a frame: the largest, or all, which is "
        "only right where all are of one class (default: largest)",
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="bring back photos of SOURCE that were moved to the trash of DATA",
    )
    parser.add_argument(
        "--list", action="store_true", help="list every file that was left out, with the reason"
    )
    add_json(parser)
    add_face_model(parser)


def _run_import(arguments: argparse.Namespace) -> int:
    arguments.is_reported = False
    try:
        return _import(arguments)
    except ToolchainError as fault:
        if arguments.json and not arguments.is_reported:
            show(json.dumps({"photos": 0, "error": path_to_text(str(fault))}))
        raise


def _import(arguments: argparse.Namespace) -> int:
    from maskage.dataset.class_change_steps import finish_change
    from maskage.formats.classes.classes_file import read_scheme

    finish_change(arguments.data)
    scheme = read_scheme(arguments.data)
    _check_label(arguments, scheme)
    if not arguments.source.exists():
        raise DatasetError(f"No such file or folder: {arguments.source}. Nothing was imported.")
    if not 0 < arguments.every < float("inf"):
        raise UsageError(f"--every is a time in seconds above 0; found {arguments.every}.")
    from collector.commands.face_lines import check_face_choice
    from collector.commands.import_source import is_video_source

    is_video = is_video_source(arguments)
    check_face_choice(arguments, cuts_faces=arguments.find_faces or is_video)
    if is_video:
        return _import_video(arguments, scheme)
    return _import_pictures(arguments, scheme)


def _check_label(arguments: argparse.Namespace, scheme: "Scheme") -> None:
    label = arguments.label
    if label is None:
        return
    if arguments.map or arguments.add_classes:
        raise UsageError(
            "--label names the class of all pictures; it goes with neither --map nor --add-classes."
        )
    if label not in scheme:
        from maskage.dataset.importing.sources.near_classes import sure_class

        near = sure_class(label, scheme)
        hint = f" Did you mean {near}?" if near else suggest(label, scheme.labels)
        raise UsageError(
            f"--label: {label!r} is not one of {', '.join(scheme.labels)}.{hint} These are the "
            f"classes of {arguments.data}; `collector classes` changes them."
        )


def _import_pictures(arguments: argparse.Namespace, scheme: "Scheme") -> int:
    from collector.commands.face_lines import open_face_cutter
    from collector.commands.import_source import opened_source, read_source
    from collector.commands.unknown_folders import require_some_pictures
    from maskage.dataset.importing.importer import import_pictures
    from maskage.dataset.store import PhotoStore

    with opened_source(arguments) as opened:
        source = read_source(arguments, scheme, opened)
        if arguments.add_classes and source.listing.unknown:
            from collector.commands.new_classes import add_unknown_folders

            scheme = add_unknown_folders(arguments, scheme, source.listing)
            source = read_source(arguments, scheme, opened)
        report_listing(arguments, source)
        require_some_pictures(arguments, scheme, source.listing)
        faces = open_face_cutter(arguments) if arguments.find_faces else None
        with PhotoStore(arguments.data) as store:
            if store.scheme != scheme:
                raise DatasetError(
                    f"{arguments.data}: its classes were changed by another program just now. "
                    f"Nothing was imported; import again."
                )
            reports = import_pictures(
                store,
                source.listing.pictures,
                subject=arguments.subject,
                session=arguments.session,
                faces=faces,
                is_again=arguments.again,
            )
            shown = show_progress(reports, "importing", len(source.listing.pictures))
            report = finish_import(shown, store)
            copy_consents(opened.folder, source, store)
            restated = restate(store, report)
            has_photos = any(store.counts().values())
    print_report(arguments, report, source, restated)
    require_success(arguments, scheme, report, source)
    return say_next(arguments, has_photos)


def _import_video(arguments: argparse.Namespace, scheme: "Scheme") -> int:
    from collector.commands.face_lines import open_face_cutter
    from maskage.dataset.importing.video_import import import_video
    from maskage.dataset.store import PhotoStore

    if not arguments.label:
        raise UsageError(
            f"{arguments.source}: a video does not say what it shows. "
            f"Add --label with one of {', '.join(scheme.labels)}."
        )
    faces = open_face_cutter(arguments)
    with PhotoStore(arguments.data) as store:
        reports = import_video(
            store,
            arguments.source,
            arguments.label,
            faces,
            every_s=arguments.every,
            subject=arguments.subject,
            session=arguments.session,
        )
        report = finish_import(show_progress(reports, "importing"), store)
        has_photos = any(store.counts().values())
    print_report(arguments, report)
    require_success(arguments, scheme, report)
    return say_next(arguments, has_photos)


_EPILOG = """\
Every file of SOURCE is saved, known already, or left out with a reason, which
--list and --json give by name. Links are followed. What lies in class folders
of train, val and test keeps its split as its origin.

Exit codes: 0 if all was done that can be done, also where single files were
left out or everything was known; 4 if no photo was saved and none was known,
if whole folders or pictures of a table have no class, or if a picture lies
under several labels (its copies are left out, the rest is saved), also where
the photo is in DATA and never had the label of SOURCE; 5 if a folder cannot be
listed, or the disk refuses the names of photos. Rows of --metadata that are not
in SOURCE are counted, and no failure; where a table has a label, it goes before
the folder. A --map of what is not in SOURCE is refused."""

IMPORT = Command(
    "import",
    "bring in photos and videos that you have",
    "Import photos that you already have: class folders, one labelled folder, a ZIP archive, "
    "another dataset, or a video. The classes are those of the dataset (`collector classes`). "
    "Photos that it already holds, by content, are skipped.",
    _add_import_options,
    _run_import,
    epilog=_EPILOG,
)
