"""`collector import`: photos and videos that are there already."""

import argparse
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.commands.options import add_data, add_face_model, add_metadata
from maskage.commands.parser import CommandParser, offer_words, suggest
from maskage.commands.program import Command
from maskage.console import say, show, show_progress
from maskage.errors import DatasetError, UsageError

if TYPE_CHECKING:
    from maskage.classes.scheme import Scheme
    from maskage.dataset.importing.import_report import ImportReport
    from maskage.dataset.importing.source_labels import SourceListing
    from maskage.dataset.store import PhotoStore


def _add_import_options(parser: CommandParser) -> None:
    from maskage.classes.ready_made import MASK_AGE

    parser.add_word(
        "--source",
        nargs=None,
        type=Path,
        metavar="SOURCE",
        help="folder of pictures, picture, or video",
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
    parser.add_argument("--session", metavar="ID", help="session that all photos are from")
    add_metadata(parser, "subject, session, group, label", "which go into the manifest")
    parser.add_argument(
        "--every", type=float, default=0.5, metavar="S",
        help="seconds between two frames that are taken from a video (default: 0.5)",
    )  # fmt: skip
    parser.add_argument(
        "--find-faces",
        action="store_true",
        help="cut out the largest face of each picture; from a video it is always cut out",
    )
    add_face_model(parser)


def _run_import(arguments: argparse.Namespace) -> int:
    from maskage.dataset.class_change_steps import finish_change
    from maskage.formats.classes_file import read_scheme

    finish_change(arguments.data)
    scheme = read_scheme(arguments.data)
    _check_label(arguments, scheme)
    if not arguments.source.exists():
        raise DatasetError(f"No such file or folder: {arguments.source}. Nothing was imported.")
    if arguments.every <= 0:
        raise UsageError(f"--every is a time in seconds above 0; found {arguments.every}.")
    from maskage.pictures.images import is_picture

    if arguments.source.is_dir() or is_picture(arguments.source):
        return _import_pictures(arguments, scheme)
    return _import_video(arguments, scheme)


def _check_label(arguments: argparse.Namespace, scheme: "Scheme") -> None:
    label = arguments.label
    if label is None:
        return
    if arguments.map or arguments.add_classes:
        raise UsageError(
            "--label names the class of all pictures; it goes with neither --map nor --add-classes."
        )
    if label not in scheme:
        from maskage.dataset.importing.near_classes import sure_class

        near = sure_class(label, scheme)
        hint = f" Did you mean {near}?" if near else suggest(label, scheme.labels)
        raise UsageError(
            f"--label: {label!r} is not one of {', '.join(scheme.labels)}.{hint} These are the "
            f"classes of {arguments.data}; `collector classes` changes them."
        )


def _import_pictures(arguments: argparse.Namespace, scheme: "Scheme") -> int:
    from collector.commands.folder_map import read_map
    from collector.commands.table_report import check_pseudonyms, report_table
    from collector.commands.unknown_folders import require_some_pictures, require_whole_import
    from maskage.dataset.importing.importer import import_pictures
    from maskage.dataset.importing.source_labels import list_source, read_metadata
    from maskage.dataset.store import PhotoStore
    from maskage.faces.finder import open_face_finder

    folder_map = read_map(arguments.map or (), scheme)
    table = read_metadata(arguments.metadata, scheme, folder_map) if arguments.metadata else {}
    source: Path = arguments.source

    def list_with(classes: "Scheme") -> "SourceListing":
        return list_source(
            source, classes, label=arguments.label, metadata=table, folder_map=folder_map
        )

    listing = list_with(scheme)
    if arguments.add_classes and listing.unknown:
        from collector.commands.new_classes import add_unknown_folders

        scheme = add_unknown_folders(arguments, scheme, listing)
        listing = list_with(scheme)
    if arguments.metadata:
        report_table(table, listing, source)
        check_pseudonyms(table)
    _report_listing(arguments, listing)
    require_some_pictures(arguments, scheme, listing)
    finder = None
    if arguments.find_faces:
        finder = open_face_finder(arguments.face_model)
        if finder.notice:
            say(finder.notice)
    with PhotoStore(arguments.data) as store:
        if store.scheme != scheme:
            raise DatasetError(
                f"{arguments.data}: its classes were changed by another program just now. Nothing "
                f"was imported; import again."
            )
        reports = import_pictures(
            store,
            listing.pictures,
            subject=arguments.subject,
            session=arguments.session,
            finder=finder,
        )
        shown = show_progress(reports, "importing", len(listing.pictures))
        _finish_import(shown, arguments.data, listing.left_out, store)
    require_whole_import(arguments, scheme, listing)
    return 0


def _report_listing(arguments: argparse.Namespace, listing: "SourceListing") -> None:
    """Say which pictures, files and names of the map are not used, and why."""
    from maskage.pictures.picture_files import find_unread, report_left_out

    source: Path = arguments.source
    # What lies in folders that are no classes is reported at the end, with the ways on.
    loose = [name for name in listing.unlabelled if "/" not in name]
    if loose and listing.pictures:
        say(
            f"{source}: pictures left out because their label is not known: {len(loose)} (the "
            f"first is {loose[0]}). Put them into class folders, or give it with --label."
        )
    if source.is_dir():
        report_left_out(find_unread(source))
    for name in listing.unused:
        near = suggest(name, [folder.name for folder in listing.unknown])
        say(f"--map: no folder with pictures and no label is named {name!r}.{near}")


def _import_video(arguments: argparse.Namespace, scheme: "Scheme") -> int:
    from maskage.dataset.importing.video_import import import_video
    from maskage.dataset.store import PhotoStore
    from maskage.faces.finder import open_face_finder

    if not arguments.label:
        raise UsageError(
            f"{arguments.source}: a video does not say what it shows. "
            f"Add --label with one of {', '.join(scheme.labels)}."
        )
    finder = open_face_finder(arguments.face_model)
    if finder.notice:
        say(finder.notice)
    with PhotoStore(arguments.data) as store:
        reports = import_video(
            store,
            arguments.source,
            arguments.label,
            finder,
            every_s=arguments.every,
            subject=arguments.subject,
            session=arguments.session,
        )
        _finish_import(show_progress(reports, "importing"), arguments.data, {}, store)
    return 0


def _finish_import(
    reports: "Iterable[ImportReport]", data: Path, left_out: Mapping[str, int], store: "PhotoStore"
) -> None:
    """Run the import to its end and print what became of every picture."""
    from collector.commands.table_report import report_known
    from maskage.dataset.importing.import_report import ImportReport

    report = ImportReport({})
    try:
        for latest in reports:
            report = latest
    except KeyboardInterrupt:
        say(f"{sum(report.saved.values())} photos were saved. Run it again to go on from there.")
        raise
    show(f"{sum(report.saved.values()):>6} photos saved in {data}")
    for label, count in report.saved.items():
        show(f"{count:>10} {label}")
    show(f"{report.duplicates:>6} skipped: content already imported")
    if report.restated:
        report_known(store, report.restated)
    if report.conflicts:
        show(f"{len(report.conflicts):>10} of them under another label than before: left as it is")
        for message in report.conflicts[:20]:
            say(f"  {message}")
    if left_out:
        show(f"{sum(left_out.values()):>6} left out by --map: {', '.join(sorted(left_out))}")
    if report.faceless:
        show(f"{report.faceless:>6} skipped: no face found")
    if report.unreadable:
        show(f"{len(report.unreadable):>6} skipped: unreadable")
        for message in report.unreadable[:20]:
            say(f"  {message}")
    for fault in report.damage.faults:
        show(f"       of the video: {fault}")
    show(f"Next: curate {shlex.quote(str(data))} --dedupe --balance")


IMPORT = Command(
    "import",
    "bring in photos and videos that you have",
    "Import photos that you already have: class folders, one labelled folder, or a video. The "
    "classes are those of the dataset (`collector classes`). Photos that it already holds, by "
    "content, are skipped.",
    _add_import_options,
    _run_import,
)
