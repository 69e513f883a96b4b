"""`collector import`: photos and videos that are there already."""

import argparse
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from collector.commands.face_lines import FACE_CHOICES
from maskage.commands.options import add_data, add_face_model, add_metadata
from maskage.commands.parser import CommandParser, offer_words, suggest
from maskage.commands.program import Command
from maskage.console import say, show, show_progress
from maskage.errors import DatasetError, UsageError

if TYPE_CHECKING:
    from maskage.classes.scheme import Scheme
    from maskage.dataset.importing.import_report import ImportReport
    from maskage.dataset.importing.source_labels import SourceListing
    from maskage.formats.metadata_file import PhotoMetadata


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
        help="cut faces out of the pictures; out of a video they are always cut",
    )
    parser.add_argument(
        "--faces",
        choices=FACE_CHOICES,
        help="the faces that are cut out of a picture or a frame: the largest, or all, which is "
        "only right where all are of one class (default: largest)",
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
    if not 0 < arguments.every < float("inf"):
        raise UsageError(f"--every is a time in seconds above 0; found {arguments.every}.")
    from collector.commands.face_lines import check_face_choice
    from maskage.pictures.images import is_picture

    is_video = not (arguments.source.is_dir() or is_picture(arguments.source))
    check_face_choice(arguments, cuts_faces=arguments.find_faces or is_video)
    if not is_video:
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
    from collector.commands.face_lines import open_face_cutter
    from collector.commands.folder_map import read_map
    from collector.commands.unknown_folders import require_some_pictures, require_whole_import
    from maskage.dataset.importing.importer import import_pictures
    from maskage.dataset.importing.source_labels import list_source, read_metadata
    from maskage.dataset.store import PhotoStore

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
    _report_listing(arguments, listing, len(table))
    require_some_pictures(arguments, scheme, listing)
    faces = open_face_cutter(arguments) if arguments.find_faces else None
    _check_pseudonyms(table)
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
            faces=faces,
        )
        shown = show_progress(reports, "importing", len(listing.pictures))
        _finish_import(shown, arguments, listing.left_out)
    require_whole_import(arguments, scheme, listing)
    return 0


def _report_listing(arguments: argparse.Namespace, listing: "SourceListing", rows: int) -> None:
    """Say which pictures, files, rows and names of the map are not used, and why."""
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
    if missing := listing.missing:
        say(
            f"{arguments.metadata}: {len(missing)} of {rows} paths are not in {source} "
            f"(the first is {missing[0]}). Write the path of a picture as it is below {source}."
        )
    for name in listing.unused:
        near = suggest(name, [folder.name for folder in listing.unknown])
        say(f"--map: no folder with pictures and no label is named {name!r}.{near}")


def _check_pseudonyms(metadata: "dict[str, PhotoMetadata]") -> None:
    """Warn of subjects in a table that may be names of people; they are kept as they are."""
    from maskage.dataset.consent import is_pseudonym

    subjects = {facts.subject for facts in metadata.values() if facts.subject}
    if others := sorted(subject for subject in subjects if not is_pseudonym(subject)):
        say(
            f"{len(others)} subjects are not pseudonyms of letters, digits, '.', '_' and '-', such "
            f"as {others[0]!r}. They are kept as they are; names of people do not belong here."
        )


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
        _finish_import(show_progress(reports, "importing"), arguments, {})
    return 0


def _finish_import(
    reports: "Iterable[ImportReport]", arguments: argparse.Namespace, left_out: Mapping[str, int]
) -> None:
    """Run the import to its end and print what became of every picture."""
    from collector.commands.face_lines import require_some_faces, show_faces
    from maskage.dataset.importing.import_report import ImportReport

    report, data = ImportReport({}), arguments.data
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
    if report.facts_left:
        show(f"{report.facts_left:>10} of them keep what was known: their metadata is not taken")
    if report.conflicts:
        show(f"{len(report.conflicts):>10} of them under another label than before: left as it is")
        for message in report.conflicts[:20]:
            say(f"  {message}")
    if left_out:
        show(f"{sum(left_out.values()):>6} left out by --map: {', '.join(sorted(left_out))}")
    show_faces(report)
    if report.unreadable:
        show(f"{len(report.unreadable):>6} skipped: unreadable")
        for message in report.unreadable[:20]:
            say(f"  {message}")
    for fault in report.damage.faults:
        show(f"       of the video: {fault}")
    require_some_faces(report, arguments.source, data)
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
